/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv6 in stage parse. Extension headers are stepped over, a stated number of them; those before UDP are
 * taken out of the frame, so that no later stage meets headers longer than IPv4's can be.
 *
 * Source: RFC 8200 4.1 to 4.6 (extension headers), 8.1 (UDP needs a checksum); RFC 5095 (routing headers
 * that are not done with are refused); RFC 4291 2.7.1 (solicited-node addresses).
 */
#include "parse.h"

#include <rte_ether.h>
#include <rte_ip.h>

#include "media/checksum.h"
#include "stages.h"

/** Extension headers that are stepped over, at most. */
#define EXTENSIONS_MAX 8

#define NEXT_HOP_BY_HOP  0
#define NEXT_ROUTING     43
#define NEXT_FRAGMENT    44
#define NEXT_DESTINATION 60

#define OPTION_PAD1 0

/** Bits of an option's type that say what to do when it is not known; 0: step over it. */
#define OPTION_ACTION_MASK 0xc0

/** Where a walk over extension headers is. */
struct walk {
	const uint8_t *frame;
	size_t offset; /**< of the next header */
	size_t end;    /**< of the datagram */
	uint8_t next;  /**< what the next header is */
};

/** True when all options of a header may be ignored: we know none but padding. */
static bool
options_are_harmless(const uint8_t *options, size_t count)
{
	for (size_t at = 0; at < count;) {
		if (options[at] & OPTION_ACTION_MASK)
			return false;
		if (options[at] == OPTION_PAD1)
			at++;
		else if (at + 2 > count || at + 2 + options[at + 1] > count)
			return false;
		else
			at += 2u + options[at + 1];
	}
	return true;
}

/** Step over one extension header. PACKET_PENDING, or the packet's verdict. */
static uint8_t
extension_step(struct walk *walk)
{
	const uint8_t *header = walk->frame + walk->offset;
	size_t bytes;

	if (walk->end - walk->offset < 8)
		return STW_DROP_MALFORMED;
	bytes = 8 + 8 * (size_t)header[1];
	if (walk->end - walk->offset < bytes)
		return STW_DROP_MALFORMED;
	if (walk->next == NEXT_ROUTING ? header[3] != 0
				       : !options_are_harmless(header + 2, bytes - 2))
		return STW_DROP_NOT_OURS;
	walk->next = header[0];
	walk->offset += bytes;
	return PACKET_PENDING;
}

/** Go to what the datagram carries. PACKET_PENDING, or the packet's verdict. */
static uint8_t
extensions_walk(struct walk *walk)
{
	for (unsigned i = 0; i <= EXTENSIONS_MAX; i++) {
		uint8_t verdict;

		if (walk->next == NEXT_FRAGMENT)
			return STW_DROP_FRAGMENT;
		/* Hop-by-hop options come first or not at all. */
		if (walk->next == NEXT_HOP_BY_HOP && i > 0)
			return STW_DROP_MALFORMED;
		if (walk->next != NEXT_HOP_BY_HOP && walk->next != NEXT_ROUTING &&
		    walk->next != NEXT_DESTINATION)
			return PACKET_PENDING;
		verdict = extension_step(walk);
		if (verdict != PACKET_PENDING)
			return verdict;
	}
	return STW_DROP_NOT_OURS;
}

static bool
udp_checksum_is_wrong(const struct rte_mbuf *mbuf, const struct rte_ipv6_hdr *ip,
		      const struct rte_udp_hdr *udp, size_t udp_bytes)
{
	uint64_t flags = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	uint64_t sum;

	if (udp->dgram_cksum == 0 || flags == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		return true;
	if (flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		return false;
	sum = checksum_add(rte_cpu_to_be_16(IPPROTO_UDP) + udp->dgram_len, ip->src_addr,
			   2 * IP6_BYTES);
	return checksum_fold(checksum_add(sum, (const uint8_t *)udp, udp_bytes)) != 0xffff;
}

STW_COLD void
parse_extensions_remove(struct packet *packet, uint8_t next)
{
	uint8_t *frame = rte_pktmbuf_mtod(packet->mbuf, uint8_t *);
	size_t headers = packet->ip_offset + sizeof(struct rte_ipv6_hdr);
	size_t bytes = packet->udp_offset - headers;
	struct rte_ipv6_hdr *ip;

	if (!bytes)
		return;
	memmove(frame + bytes, frame, headers);
	rte_pktmbuf_adj(packet->mbuf, (uint16_t)bytes);
	packet->udp_offset = (uint16_t)headers;
	ip = rte_pktmbuf_mtod_offset(packet->mbuf, struct rte_ipv6_hdr *, packet->ip_offset);
	ip->proto = next;
	ip->payload_len = rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(ip->payload_len) - bytes));
}

static void
parse_udp(struct worker *worker, struct packet *packet, const struct rte_ipv6_hdr *ip,
	  size_t ip_end)
{
	const struct plane_address *address = &worker->media->addresses[packet->address];
	struct rte_mbuf *mbuf = packet->mbuf;
	const struct rte_udp_hdr *udp =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_udp_hdr *, packet->udp_offset);
	uint16_t udp_bytes = parse_udp_bytes(address, packet, ip_end);
	struct ip6 source = ip6_read(ip->src_addr);

	if (!udp_bytes)
		return;
	if (udp_checksum_is_wrong(mbuf, ip, udp, udp_bytes)) {
		packet_drop(packet, STW_DROP_CHECKSUM);
		return;
	}
	if (STW_UNLIKELY(packet->udp_offset != packet->ip_offset + sizeof(*ip)))
		parse_extensions_remove(packet, IPPROTO_UDP);
	parse_packet_is_udp(address, packet, rte_be_to_cpu_16(udp->dst_port),
			    remote6_word(&source, udp->src_port, worker->media->ip6_key),
			    udp_bytes);
}

/** True for the multicast address at which the host of an address is asked for its link address. */
static bool
ip_is_solicited_node(const uint8_t *ip, const struct ip6 *address)
{
	static const uint8_t prefix[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

	return memcmp(ip, prefix, sizeof(prefix)) == 0 &&
	       memcmp(ip + 13, (const uint8_t *)address + 13, 3) == 0;
}

/** Address index and one of a local address that listens to a multicast address; 0: none. */
static uint32_t
listener_find(const struct worker *worker, const uint8_t *ip, uint16_t vlan)
{
	static const uint8_t all_nodes[IP6_BYTES] = {0xff, 2, [15] = 1};
	bool all = memcmp(ip, all_nodes, sizeof(all_nodes)) == 0;
	const struct stw_media *media = worker->media;

	for (uint32_t i = 0; i < media->addresses_count; i++) {
		if (media->addresses[i].family == 6 && parse_address_is_here(worker, i, vlan) &&
		    (all || ip_is_solicited_node(ip, &media->addresses6[i].ip)))
			return i + 1;
	}
	return 0;
}

/** Address index and one of the local address that a datagram is to; 0: none. */
static uint32_t
address_find(const struct worker *worker, const struct rte_ipv6_hdr *ip, uint16_t vlan)
{
	struct ip6 to = ip6_read(ip->dst_addr);
	uint32_t found = plane_address6_find(worker->media, &to);

	if (STW_LIKELY(found != 0))
		return parse_address_is_here(worker, found - 1, vlan) ? found : 0;
	if (ip->dst_addr[0] == 0xff && worker->media->ports[worker->port].owned)
		return listener_find(worker, ip->dst_addr, vlan);
	return 0;
}

void
parse_ipv6(struct worker *worker, struct packet *packet, size_t offset, uint16_t vlan)
{
	struct rte_mbuf *mbuf = packet->mbuf;
	const struct rte_ipv6_hdr *ip =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv6_hdr *, offset);
	struct walk walk = {.frame = rte_pktmbuf_mtod(mbuf, const uint8_t *),
			    .offset = offset + sizeof(*ip)};
	uint32_t found;
	uint8_t verdict;

	if (mbuf->data_len < walk.offset) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return;
	}
	walk.end = walk.offset + rte_be_to_cpu_16(ip->payload_len);
	walk.next = ip->proto;
	if (walk.frame[offset] >> 4 != 6 || walk.end > mbuf->data_len) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return;
	}
	found = address_find(worker, ip, vlan);
	if (!found) {
		packet_drop(packet, STW_DROP_NOT_OURS);
		return;
	}
	verdict = extensions_walk(&walk);
	if (verdict != PACKET_PENDING) {
		packet_drop(packet, verdict);
		return;
	}
	packet->address = (uint8_t)(found - 1);
	packet->ip_offset = (uint16_t)offset;
	packet->udp_offset = (uint16_t)walk.offset;
	if (STW_LIKELY(walk.next == IPPROTO_UDP && ip->dst_addr[0] != 0xff)) {
		parse_udp(worker, packet, ip, walk.end);
	} else if (walk.next == IPPROTO_ICMPV6 && worker->media->ports[worker->port].owned) {
		packet->kind = PACKET_ICMP6;
		worker->burst_hosts = 1;
		packet->payload_bytes = (uint16_t)(walk.end - walk.offset);
	} else {
		packet_drop(packet, STW_DROP_NOT_OURS);
	}
}
