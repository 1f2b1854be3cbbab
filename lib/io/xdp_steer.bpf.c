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
 * Loaded for it, the program relays RTP itself that needs no worker (xdp_relay.bpf.h).
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
#include "xdp_read.bpf.h"
#include "xdp_relay.bpf.h"

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
pass(void)
{
	return count(STEER_COUNT_PASSED, XDP_PASS);
}

/** Give a packet to the socket of its queue; row: of the leg whose media in order it is, or 0. */
static __noinline int
redirect(struct xdp_md *ctx, struct kernel_row *row)
{
	if (bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_DROP) != XDP_REDIRECT)
		return count(STEER_COUNT_UNSERVED, XDP_DROP);
	if (relay_is_loaded)
		relay_ticket(ctx, row);
	return count(STEER_COUNT_STEERED, XDP_REDIRECT);
}

static __always_inline int
relay_or_redirect(struct xdp_md *ctx, const struct steer_datagram *datagram)
{
	/* First, as the clock waits for all that was read before. */
	struct relay relay = {.now_ns = bpf_ktime_get_ns()};
	const struct udphdr *udp = datagram->udp;
	int action;

	relay.leg = relay_leg(datagram->ranges, bpf_ntohs(udp->dest));
	if (!relay.leg || !read_packet(ctx, datagram, &relay.packet) ||
	    !relay_can_be_rtp(&relay.packet))
		return redirect(ctx, 0);
	switch (relay_judge(&relay)) {
	case RELAY_SENDS:
		action = relay_send(ctx, &relay);
		if (action != RELAY_NOT_SENT)
			return action;
		relay_leave(relay.row, relay.now_ns);
		break;
	case RELAY_FOREIGN:
		return relay_foreign(relay.leg);
	case RELAY_SOCKET:
		return redirect(ctx, 0);
	case RELAY_LEAVES:
		relay_leave(relay.row, relay.now_ns);
		break;
	case RELAY_WAITS:
		relay_count(KERNEL_COUNT_WAITED);
		break;
	case RELAY_WORKER:
		break;
	}
	return redirect(ctx, relay.row);
}

static __always_inline int
steer_udp(struct xdp_md *ctx, const struct steer_datagram *datagram)
{
	const struct udphdr *udp = datagram->udp;

	if ((const void *)(udp + 1) > (void *)(long)ctx->data_end ||
	    !steer_owns(datagram->ranges, bpf_ntohs(udp->dest)))
		return pass();
	if (relay_is_loaded)
		return relay_or_redirect(ctx, datagram);
	return redirect(ctx, 0);
}

/** Find the UDP header of IPv4 to an owned address; 0: there is none. */
static __always_inline int
find_ipv4(const struct xdp_md *ctx, struct steer_datagram *datagram)
{
	struct iphdr *ip = datagram->ip;
	struct steer_key4 key;

	if ((void *)(ip + 1) > (void *)(long)ctx->data_end || ip->version != 4 || ip->ihl < 5 ||
	    ip->protocol != IPPROTO_UDP)
		return 0;
	key.address = ip->daddr;
	key.vlan = datagram->vlan;
	datagram->ranges = bpf_map_lookup_elem(&owned, &key);
	if (!datagram->ranges)
		return 0;
	if (ip->frag_off & bpf_htons(FRAGMENT_BITS)) {
		count(STEER_COUNT_FRAGMENTS, 0);
		return 0;
	}
	datagram->v6 = 0;
	datagram->extended = ip->ihl != 5;
	datagram->udp = ip->ihl == 5 ? (void *)(ip + 1) : (void *)ip + ip->ihl * 4;
	return 1;
}

/** The same for IPv6. */
static __always_inline int
find_ipv6(const struct xdp_md *ctx, struct steer_datagram *datagram)
{
	void *end = (void *)(long)ctx->data_end;
	struct ipv6hdr *ip = datagram->ip;
	void *at = ip + 1;
	struct steer_key6 key;
	__u8 next;
	int i;

	if (at > end || ip->version != 6)
		return 0;
	__builtin_memcpy(key.address, &ip->daddr, sizeof(key.address));
	key.vlan = datagram->vlan;
	datagram->ranges = bpf_map_lookup_elem(&owned6, &key);
	if (!datagram->ranges)
		return 0;
	next = ip->nexthdr;
	datagram->v6 = 1;
	for (i = 0; i <= STEER_EXTENSIONS_MAX; i++) {
		struct extension *extension = at;

		if (next == IPPROTO_UDP) {
			datagram->extended = i > 0;
			datagram->udp = at;
			return 1;
		}
		if (next == NEXT_FRAGMENT) {
			count(STEER_COUNT_FRAGMENTS, 0);
			return 0;
		}
		if ((next != NEXT_HOP_BY_HOP && next != NEXT_ROUTING && next != NEXT_DESTINATION) ||
		    (void *)(extension + 1) > end)
			return 0;
		next = extension->next;
		at += 8 + 8 * (__u32)extension->length;
	}
	return 0;
}

static __always_inline int
steer(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct steer_datagram datagram = {.ip = eth + 1};
	int is_found = 0;
	__be16 type;

	if (datagram.ip > end)
		return pass();
	type = eth->h_proto;
	if (type == bpf_htons(ETH_P_8021Q)) {
		struct vlan_tag *tag = datagram.ip;

		datagram.ip = tag + 1;
		if (datagram.ip > end)
			return pass();
		datagram.vlan = bpf_ntohs(tag->control) & VLAN_ID_MASK;
		type = tag->type;
	}
	if (type == bpf_htons(ETH_P_IP))
		is_found = find_ipv4(ctx, &datagram);
	else if (type == bpf_htons(ETH_P_IPV6))
		is_found = find_ipv6(ctx, &datagram);
	return is_found ? steer_udp(ctx, &datagram) : pass();
}

SEC("xdp")
int
xsk_def_prog(struct xdp_md *ctx)
{
	return steer(ctx);
}

__uint(xsk_prog_version, 1) SEC("xdp_metadata");

char steer_license[] SEC("license") = "Dual BSD/GPL";
