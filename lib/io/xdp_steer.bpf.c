/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * Steering: UDP over IPv4 or IPv6 to an owned address and port goes to the AF_XDP socket of its receive
 * queue, everything else to the kernel. So ARP, neighbour discovery, ICMP, SIP, SSH and other UDP ports
 * of the same address work as if this were not here.
 *
 * One VLAN tag is understood: an address is owned in its VLAN only. That is the tag in the frame; one
 * that a device has taken out beforehand is not seen ("ethtool -K INTERFACE rxvlan off"). Left to the
 * kernel, too: frames with two tags, fragments (only the first says which port), packets that are
 * shorter than their headers say. IPv4 options and extension headers of IPv6, as many as the worker
 * takes, are stepped over. An owned packet on a queue without a socket is dropped and counted: the
 * kernel would answer it with "port unreachable".
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
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "steer_lookup.bpf.h"

#define FRAGMENT_BITS 0x3fff /* more fragments, and the offset */
#define VLAN_ID_MASK  0x0fff

/* Extension headers. */
#define NEXT_HOP_BY_HOP  0
#define NEXT_ROUTING     43
#define NEXT_FRAGMENT    44
#define NEXT_DESTINATION 60

struct vlan_tag {
	__be16 control;
	__be16 type; /* of what follows */
};

struct extension {
	__u8 next;
	__u8 length; /* in 8 bytes, without the first 8 */
};

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

static __always_inline int
pass(void)
{
	return count(STEER_COUNT_PASSED, XDP_PASS);
}

static __always_inline int
pass_fragment(void)
{
	count(STEER_COUNT_FRAGMENTS, XDP_PASS);
	return pass();
}

static __always_inline int
steer_udp(const struct xdp_md *ctx, const struct steer_ranges *ranges, const struct udphdr *udp)
{
	if ((const void *)(udp + 1) > (void *)(long)ctx->data_end ||
	    !steer_owns(ranges, bpf_ntohs(udp->dest)))
		return pass();
	return redirect(ctx->rx_queue_index);
}

static __always_inline int
steer_ipv4(const struct xdp_md *ctx, struct iphdr *ip, __u32 vlan)
{
	const struct steer_ranges *ranges;
	struct steer_key4 key;

	if ((void *)(ip + 1) > (void *)(long)ctx->data_end || ip->version != 4 || ip->ihl < 5 ||
	    ip->protocol != IPPROTO_UDP)
		return pass();
	key.address = ip->daddr;
	key.vlan = vlan;
	ranges = bpf_map_lookup_elem(&owned, &key);
	if (!ranges)
		return pass();
	if (ip->frag_off & bpf_htons(FRAGMENT_BITS))
		return pass_fragment();
	return steer_udp(ctx, ranges, (void *)ip + ip->ihl * 4);
}

static __always_inline int
steer_ipv6(const struct xdp_md *ctx, struct ipv6hdr *ip, __u32 vlan)
{
	void *end = (void *)(long)ctx->data_end;
	const struct steer_ranges *ranges;
	void *at = ip + 1;
	struct steer_key6 key;
	__u8 next;
	int i;

	if (at > end || ip->version != 6)
		return pass();
	__builtin_memcpy(key.address, &ip->daddr, sizeof(key.address));
	key.vlan = vlan;
	ranges = bpf_map_lookup_elem(&owned6, &key);
	if (!ranges)
		return pass();
	next = ip->nexthdr;
	for (i = 0; i <= STEER_EXTENSIONS_MAX; i++) {
		struct extension *extension = at;

		if (next == IPPROTO_UDP)
			return steer_udp(ctx, ranges, at);
		if (next == NEXT_FRAGMENT)
			return pass_fragment();
		if ((next != NEXT_HOP_BY_HOP && next != NEXT_ROUTING && next != NEXT_DESTINATION) ||
		    (void *)(extension + 1) > end)
			return pass();
		next = extension->next;
		at += 8 + 8 * (__u32)extension->length;
	}
	return pass();
}

SEC("xdp")
int
xsk_def_prog(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	void *at = eth + 1;
	__u32 vlan = 0;
	__be16 type;

	if (at > end)
		return pass();
	type = eth->h_proto;
	if (type == bpf_htons(ETH_P_8021Q)) {
		struct vlan_tag *tag = at;

		at = tag + 1;
		if (at > end)
			return pass();
		vlan = bpf_ntohs(tag->control) & VLAN_ID_MASK;
		type = tag->type;
	}
	if (type == bpf_htons(ETH_P_IP))
		return steer_ipv4(ctx, at, vlan);
	if (type == bpf_htons(ETH_P_IPV6))
		return steer_ipv6(ctx, at, vlan);
	return pass();
}

__uint(xsk_prog_version, 1) SEC("xdp_metadata");

char steer_license[] SEC("license") = "Dual BSD/GPL";
