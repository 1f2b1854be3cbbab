/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * Steering: UDP over IPv4 to an owned address and port goes to the AF_XDP socket of its receive
 * queue, everything else to the kernel. So ARP, ICMP, SIP, SSH and other UDP ports of the same
 * address work as if this were not here.
 *
 * Left to the kernel, too: tagged frames, fragments (only the first says which port), packets that
 * are shorter than their headers say. IPv4 options are stepped over. An owned packet on a queue
 * without a socket is dropped and counted: the kernel would answer it with "port unreachable".
 *
 * The name of the program, of the map of sockets and the version are libxdp's rule for a program
 * that AF_XDP sockets may join (libxdp 1.3, xsk_lookup_program): net_af_xdp creates its sockets
 * through libxdp, which finds this program on the interface, puts them into xsks_map and neither
 * attaches nor detaches anything. So the program is loaded, attached (in the mode that we choose)
 * and detached by its owner alone.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "steer_lookup.bpf.h"

#define FRAGMENT_BITS 0x3fff /* more fragments, and the offset */

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, STEER_QUEUES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STEER_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

static __always_inline int
count(__u32 which, int action)
{
	__u64 *number = bpf_map_lookup_elem(&counts, &which);

	if (number)
		(*number)++;
	return action;
}

static __always_inline int
redirect(__u32 queue)
{
	if (bpf_redirect_map(&xsks_map, queue, XDP_DROP) == XDP_REDIRECT)
		return count(STEER_COUNT_STEERED, XDP_REDIRECT);
	return count(STEER_COUNT_UNSERVED, XDP_DROP);
}

SEC("xdp")
int
xsk_def_prog(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	const struct steer_ranges *ranges;
	struct udphdr *udp;
	__u32 address;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return count(STEER_COUNT_PASSED, XDP_PASS);
	if (ip->version != 4 || ip->ihl < 5 || ip->protocol != IPPROTO_UDP)
		return count(STEER_COUNT_PASSED, XDP_PASS);
	address = ip->daddr;
	ranges = bpf_map_lookup_elem(&owned, &address);
	if (!ranges)
		return count(STEER_COUNT_PASSED, XDP_PASS);
	if (ip->frag_off & bpf_htons(FRAGMENT_BITS)) {
		count(STEER_COUNT_FRAGMENTS, XDP_PASS);
		return count(STEER_COUNT_PASSED, XDP_PASS);
	}
	udp = (void *)ip + ip->ihl * 4;
	if ((void *)(udp + 1) > end || !steer_owns(ranges, bpf_ntohs(udp->dest)))
		return count(STEER_COUNT_PASSED, XDP_PASS);
	return redirect(ctx->rx_queue_index);
}

__uint(xsk_prog_version, 1) SEC("xdp_metadata");

char steer_license[] SEC("license") = "Dual BSD/GPL";
