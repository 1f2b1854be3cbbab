/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of stage parse have in common.
 */
#ifndef STW_MEDIA_PARSE_H
#define STW_MEDIA_PARSE_H

#include <rte_udp.h>

#include "media/plane.h"

/**
 * Look at an IPv6 datagram: whose it is, and what it carries.
 *
 * @param offset  of its header in the frame
 * @param vlan    identifier of the frame's VLAN; 0: none
 *
 * Threads: the worker. Progress: wait-free (bound: bytes of the frame).
 */
void parse_ipv6(struct worker *worker, struct packet *packet, size_t offset, uint16_t vlan);

/**
 * Take the extension headers of an IPv6 packet out: Ethernet and IP move up to what is at udp_offset.
 *
 * @param next  protocol of what is there
 *
 * Threads: the worker. Progress: wait-free (bound 1).
 */
void parse_extensions_remove(struct packet *packet, uint8_t next);

/** True when an address is where a packet came from: on that port, on that VLAN. */
static inline bool
parse_address_is_here(const struct worker *worker, uint32_t address, uint16_t vlan)
{
	return worker->media->addresses[address].port == worker->port &&
	       worker->media->addresses[address].vlan == vlan;
}

/**
 * Look at the UDP header at packet->udp_offset; ip_end is the datagram's end in the frame.
 *
 * @return its bytes, header included, when it is to an owned port; else 0, and the packet has its verdict
 */
static inline uint16_t
parse_udp_bytes(const struct plane_address *address, struct packet *packet, size_t ip_end)
{
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(
		packet->mbuf, const struct rte_udp_hdr *, packet->udp_offset);
	uint16_t udp_bytes, port;

	if (ip_end < packet->udp_offset + sizeof(*udp)) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return 0;
	}
	udp_bytes = rte_be_to_cpu_16(udp->dgram_len);
	if (udp_bytes < sizeof(*udp) || udp_bytes > ip_end - packet->udp_offset) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return 0;
	}
	port = rte_be_to_cpu_16(udp->dst_port);
	if (port < address->udp_first || port > address->udp_last) {
		packet_drop(packet, STW_DROP_NOT_OURS);
		return 0;
	}
	return udp_bytes;
}

/** Note what the next stages need of a datagram to an owned port. */
static inline void
parse_packet_is_udp(const struct plane_address *address, struct packet *packet, uint16_t port,
		    uint64_t source, size_t udp_bytes)
{
	struct rte_mbuf *mbuf = packet->mbuf;

	packet->kind = PACKET_UDP;
	packet->udp_port = port;
	packet->source = source;
	packet->payload_bytes = (uint16_t)(udp_bytes - sizeof(struct rte_udp_hdr));
	/* What Ethernet or IP have behind it is padding. */
	mbuf->data_len = (uint16_t)(packet->udp_offset + udp_bytes);
	mbuf->pkt_len = mbuf->data_len;
	rte_prefetch0(&address->legs[port - address->udp_first]);
}

#endif
