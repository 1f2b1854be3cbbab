/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * Keeps the kernel silent about owned UDP ports on an interface without XDP. There the kernel gets
 * every packet as well as the worker; finding no socket for it, it would answer our callers with
 * ICMP "port unreachable". When the kernel looks for the socket of a packet to an owned port, this
 * program names one socket that drops all it gets.
 */
#include <linux/bpf.h>
#include <linux/in.h>

#include <bpf/bpf_helpers.h>

#include "steer_lookup.bpf.h"

#define FAMILY_IPV4 2 /* AF_INET */

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sink SEC(".maps");

SEC("sk_lookup")
int
port_guard(struct bpf_sk_lookup *ctx)
{
	const struct steer_ranges *ranges;
	struct bpf_sock *socket;
	__u32 address = ctx->local_ip4;
	__u32 key = 0;

	if (ctx->family != FAMILY_IPV4 || ctx->protocol != IPPROTO_UDP)
		return SK_PASS;
	ranges = bpf_map_lookup_elem(&owned, &address);
	if (!ranges || !steer_owns(ranges, ctx->local_port))
		return SK_PASS;
	socket = bpf_map_lookup_elem(&sink, &key);
	if (!socket)
		return SK_PASS;
	bpf_sk_assign(ctx, socket, 0);
	bpf_sk_release(socket);
	return SK_PASS;
}

char guard_license[] SEC("license") = "Dual BSD/GPL";
