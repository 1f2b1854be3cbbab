/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * Keeps the kernel silent about owned UDP ports on an interface without XDP. There the kernel gets
 * every packet as well as the worker; finding no socket for it, it would answer our callers with
 * ICMP "port unreachable". When the kernel looks for the socket of a packet to an owned port, this
 * program names a socket that drops all it gets.
 */
#include <linux/bpf.h>
#include <linux/in.h>

#include <bpf/bpf_helpers.h>

#include "steer_lookup.bpf.h"

#define FAMILY_IPV4 2  /* AF_INET */
#define FAMILY_IPV6 10 /* AF_INET6 */

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, STEER_SINKS);
	__type(key, __u32);
	__type(value, __u64);
} sinks SEC(".maps");

/* Ports of the local address of a packet; the kernel's sockets know no VLAN. */
static __always_inline const struct steer_ranges *
ranges_of(const struct bpf_sk_lookup *ctx)
{
	struct steer_key4 key4 = {0};
	struct steer_key6 key6 = {0};

	if (ctx->family == FAMILY_IPV4) {
		key4.address = ctx->local_ip4;
		return bpf_map_lookup_elem(&owned, &key4);
	}
	if (ctx->family != FAMILY_IPV6)
		return 0;
	key6.address[0] = ctx->local_ip6[0];
	key6.address[1] = ctx->local_ip6[1];
	key6.address[2] = ctx->local_ip6[2];
	key6.address[3] = ctx->local_ip6[3];
	return bpf_map_lookup_elem(&owned6, &key6);
}

SEC("sk_lookup")
int
port_guard(struct bpf_sk_lookup *ctx)
{
	const struct steer_ranges *ranges;
	struct bpf_sock *socket;
	__u32 key = ctx->family == FAMILY_IPV6 ? STEER_SINK_IPV6 : STEER_SINK_IPV4;

	if (ctx->protocol != IPPROTO_UDP)
		return SK_PASS;
	ranges = ranges_of(ctx);
	if (!ranges || !steer_owns(ranges, ctx->local_port))
		return SK_PASS;
	socket = bpf_map_lookup_elem(&sinks, &key);
	if (!socket)
		return SK_PASS;
	bpf_sk_assign(ctx, socket, 0);
	bpf_sk_release(socket);
	return SK_PASS;
}

char guard_license[] SEC("license") = "Dual BSD/GPL";
