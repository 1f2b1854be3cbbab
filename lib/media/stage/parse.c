/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage parse: Ethernet, VLAN, IPv4, UDP; whose address it is; checksums. What is not ours or not
 * whole gets its verdict here. IPv6 is in parse_ip6.c.
 *
 * Before that each packet becomes one segment of memory that nobody else refers to, because later
 * stages rewrite it in place; most packets are.
 */
#include "stages.h"

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "media/checksum.h"
#include "media/plane.h"
#include "parse.h"

/** Packets between a prefetch and its use. */
#define PARSE_AHEAD 6

/** Bytes of a plain frame's headers: Ethernet, IPv4 without options, UDP. */
#define PLAIN_HEADER_BYTES 42

/** Marks of the device: both checksums were looked at, and are right. */
#define CHECKSUMS_MASK (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)
#define CHECKSUMS_GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

/** Identifier of a VLAN in its tag; 0: only a priority. */
#define VLAN_ID_MASK 0x0fff

static bool
mbuf_is_writable(const struct rte_mbuf *mbuf)
{
	/* Segments and references as nearly all have them, in one test. */
	return ((mbuf->nb_segs ^ 1) | (rte_mbuf_refcnt_read(mbuf) ^ 1)) == 0 &&
	       RTE_MBUF_DIRECT(mbuf);
}

/** Make a packet writable: one segment, ours alone. */
static bool
packet_own(struct worker *worker, struct packet *packet)
{
	struct rte_mbuf *mbuf = packet->mbuf, *copy;

	if (STW_LIKELY(mbuf_is_writable(mbuf)))
		return true;
	copy = rte_pktmbuf_copy(mbuf, worker->media->ports[worker->port].pools[worker->index], 0,
				UINT32_MAX);
	if (!copy) {
		packet_drop(packet, STW_DROP_NO_BUFFER);
		return false;
	}
	copy->ol_flags |=
		mbuf->ol_flags & (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
	rte_pktmbuf_free(mbuf);
	packet->mbuf = copy;
	if (copy->nb_segs > 1) {
		/* Larger than a buffer: no media packet is. */
		packet_drop(packet, STW_DROP_NOT_OURS);
		return false;
	}
	return true;
}

static bool
ip_checksum_is_wrong(const struct rte_mbuf *mbuf, const struct rte_ipv4_hdr *ip, size_t ip_bytes)
{
	uint64_t flags = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	if (flags == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
		return false;
	if (flags == RTE_MBUF_F_RX_IP_CKSUM_BAD)
		return true;
	return checksum_fold(checksum_add(0, (const uint8_t *)ip, ip_bytes)) != 0xffff;
}

static bool
udp_checksum_is_wrong(const struct rte_mbuf *mbuf, const struct rte_ipv4_hdr *ip,
		      const struct rte_udp_hdr *udp, size_t udp_bytes)
{
	uint64_t flags = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	uint64_t sum;

	/* RFC 768: 0 means that the sender made none. */
	if (udp->dgram_cksum == 0 || flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		return false;
	if (flags == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		return true;
	sum = (uint64_t)ip->src_addr + ip->dst_addr + rte_cpu_to_be_16(IPPROTO_UDP) +
	      udp->dgram_len;
	return checksum_fold(checksum_add(sum, (const uint8_t *)udp, udp_bytes)) != 0xffff;
}

/** Both checksums of a plain frame whose device did not find both right. */
static __rte_noinline bool
plain_checksum_is_wrong(const struct rte_mbuf *mbuf)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv4_hdr *,
								sizeof(struct rte_ether_hdr));
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);

	return ip_checksum_is_wrong(mbuf, ip, sizeof(*ip)) ||
	       udp_checksum_is_wrong(mbuf, ip, udp, rte_be_to_cpu_16(udp->dgram_len));
}

/** UDP header and what it carries; ip_end is the datagram's end in the frame. */
static void
parse_udp(struct worker *worker, struct packet *packet, const struct rte_ipv4_hdr *ip,
	  size_t ip_end)
{
	const struct plane_address *address = &worker->media->addresses[packet->address];
	struct rte_mbuf *mbuf = packet->mbuf;
	const struct rte_udp_hdr *udp =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_udp_hdr *, packet->udp_offset);
	uint16_t udp_bytes = parse_udp_bytes(address, packet, ip_end);

	if (!udp_bytes)
		return;
	if (udp_checksum_is_wrong(mbuf, ip, udp, udp_bytes)) {
		packet_drop(packet, STW_DROP_CHECKSUM);
		return;
	}
	parse_packet_is_udp(address, packet, rte_be_to_cpu_16(udp->dst_port),
			    leg_remote_word(ip->src_addr, udp->src_port), udp_bytes);
}

static void
parse_ipv4(struct worker *worker, struct packet *packet, size_t offset, uint16_t vlan)
{
	struct rte_mbuf *mbuf = packet->mbuf;
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv4_hdr *, offset);
	size_t frame_bytes = mbuf->data_len, ip_bytes, ip_end;
	uint32_t found;

	if (frame_bytes < offset + sizeof(*ip)) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return;
	}
	ip_bytes = (size_t)(ip->version_ihl & 0x0f) * 4;
	ip_end = offset + rte_be_to_cpu_16(ip->total_length);
	if (ip->version_ihl >> 4 != 4 || ip_bytes < sizeof(*ip) || ip_end < offset + ip_bytes ||
	    ip_end > frame_bytes) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return;
	}
	if (ip_checksum_is_wrong(mbuf, ip, ip_bytes)) {
		packet_drop(packet, STW_DROP_CHECKSUM);
		return;
	}
	found = plane_address_find(worker->media, ip->dst_addr);
	if (!found || !parse_address_is_here(worker, found - 1, vlan)) {
		packet_drop(packet, STW_DROP_NOT_OURS);
		return;
	}
	if (ip->fragment_offset &
	    rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) {
		packet_drop(packet, STW_DROP_FRAGMENT);
		return;
	}
	packet->address = (uint8_t)(found - 1);
	packet->ip_offset = (uint16_t)offset;
	packet->udp_offset = (uint16_t)(offset + ip_bytes);
	if (STW_LIKELY(ip->next_proto_id == IPPROTO_UDP)) {
		parse_udp(worker, packet, ip, ip_end);
	} else if (ip->next_proto_id == IPPROTO_ICMP && worker->media->ports[worker->port].owned) {
		packet->kind = PACKET_ICMP;
		worker->burst_hosts = 1;
		packet->payload_bytes = (uint16_t)(ip_end - packet->udp_offset);
	} else {
		packet_drop(packet, STW_DROP_NOT_OURS);
	}
}

static void
parse_arp(struct worker *worker, struct packet *packet, size_t offset)
{
	if (!worker->media->ports[worker->port].owned)
		packet_drop(packet, STW_DROP_NOT_OURS);
	else if (packet->mbuf->data_len < offset + sizeof(struct rte_arp_hdr))
		packet_drop(packet, STW_DROP_MALFORMED);
	else {
		packet->kind = PACKET_ARP;
		worker->burst_hosts = 1;
		packet->udp_offset = (uint16_t)offset;
	}
}

/** One tag is understood; a service tag (IEEE 802.1ad) or a second one is none of ours. */
static void
parse_frame(struct worker *worker, struct packet *packet)
{
	const struct rte_mbuf *mbuf = packet->mbuf;
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *);
	size_t offset = sizeof(*ether);
	uint16_t vlan = 0;
	rte_be16_t type;

	if (mbuf->data_len < offset) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return;
	}
	type = ether->ether_type;
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		const struct rte_vlan_hdr *tag = (const struct rte_vlan_hdr *)(ether + 1);

		offset += sizeof(*tag);
		if (mbuf->data_len < offset) {
			packet_drop(packet, STW_DROP_MALFORMED);
			return;
		}
		vlan = rte_be_to_cpu_16(tag->vlan_tci) & VLAN_ID_MASK;
		type = tag->eth_proto;
	}
	if (STW_LIKELY(type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)))
		parse_ipv4(worker, packet, offset, vlan);
	else if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
		parse_ipv6(worker, packet, offset, vlan);
	else if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		parse_arp(worker, packet, offset);
	else
		packet_drop(packet, STW_DROP_NOT_OURS);
}

/** True for Ethernet II, IPv4 without options, no fragment, UDP; two words, one test. */
static bool
headers_are_plain(const uint8_t *frame)
{
	uint32_t type, fragment;

	memcpy(&type, frame + 12, sizeof(type));
	memcpy(&fragment, frame + 20, sizeof(fragment));
	type = (type & RTE_BE32(0xffffff00)) ^
	       RTE_BE32(RTE_ETHER_TYPE_IPV4 << 16 | RTE_IPV4_VHL_DEF << 8);
	fragment = (fragment & RTE_BE32(0x3fff00ff)) ^ RTE_BE32(IPPROTO_UDP);
	return (type | fragment) == 0;
}

/**
 * Take what nearly every packet is at once: a plain frame with right lengths and checksums, in a
 * writable buffer, to an owned port. Anything else gets no verdict here; parse_any looks at it.
 *
 * @return true when it was such a packet
 */
static bool
parse_plain(struct worker *worker, struct packet *packet)
{
	const struct stw_media *media = worker->media;
	const struct rte_mbuf *mbuf = packet->mbuf;
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	const struct rte_ipv4_hdr *ip =
		(const struct rte_ipv4_hdr *)(frame + sizeof(struct rte_ether_hdr));
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	const struct plane_address *address;
	uint32_t found, ip_bytes, udp_bytes, port;

	if (mbuf->data_len < PLAIN_HEADER_BYTES || !mbuf_is_writable(mbuf) ||
	    !headers_are_plain(frame))
		return false;
	ip_bytes = rte_be_to_cpu_16(ip->total_length);
	udp_bytes = rte_be_to_cpu_16(udp->dgram_len);
	if (ip_bytes != sizeof(*ip) + udp_bytes || udp_bytes < sizeof(*udp) ||
	    ip_bytes + sizeof(struct rte_ether_hdr) > mbuf->data_len)
		return false;
	found = plane_address_find(media, ip->dst_addr);
	if (!found)
		return false;
	address = &media->addresses[found - 1];
	port = rte_be_to_cpu_16(udp->dst_port);
	/* No VLAN, the right port: one test. */
	if (((uint32_t)(address->port ^ worker->port) | address->vlan) != 0 ||
	    port < address->udp_first || port > address->udp_last)
		return false;
	if ((mbuf->ol_flags & CHECKSUMS_MASK) != CHECKSUMS_GOOD && plain_checksum_is_wrong(mbuf))
		return false;
	packet->address = (uint8_t)(found - 1);
	packet->ip_offset = sizeof(struct rte_ether_hdr);
	packet->udp_offset = PLAIN_HEADER_BYTES - sizeof(*udp);
	parse_packet_is_udp(address, packet, (uint16_t)port,
			    leg_remote_word(ip->src_addr, udp->src_port), udp_bytes);
	return true;
}

/** Look at a packet of any kind from the beginning. */
static __rte_noinline void
parse_any(struct worker *worker, struct packet *packet)
{
	if (packet_own(worker, packet))
		parse_frame(worker, packet);
}

/** Ask for the frame of a packet that is parsed a little later. */
static void
frame_prefetch(const struct rte_mbuf *mbuf)
{
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);

	rte_prefetch0(frame);
	if ((mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		return;
	/* The checksum reads all of it; a media packet has four lines. */
	rte_prefetch0(frame + STW_CACHE_LINE);
	rte_prefetch0(frame + 2 * STW_CACHE_LINE);
	rte_prefetch0(frame + 3 * STW_CACHE_LINE);
}

void
stage_parse(struct worker *worker, struct packet *packets, unsigned count)
{
	unsigned ahead = count < PARSE_AHEAD ? count : PARSE_AHEAD;

	for (unsigned i = 0; i < ahead; i++)
		frame_prefetch(packets[i].mbuf);
	for (unsigned i = 0; i < count; i++) {
		if (i + PARSE_AHEAD < count)
			frame_prefetch(packets[i + PARSE_AHEAD].mbuf);
		if (STW_UNLIKELY(!parse_plain(worker, &packets[i])))
			parse_any(worker, &packets[i]);
	}
}
