/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All that is around a datagram of any kind: link addresses, a VLAN's tag, IPv4 or IPv6, UDP. What most
 * packets are, IPv4 without a tag, has a shorter way (way.h).
 */
#ifndef STW_MEDIA_ENVELOPE_H
#define STW_MEDIA_ENVELOPE_H

#include "datagram.h"
#include "media/plane.h"

/** Where a datagram goes, and from where. */
struct envelope {
	uint64_t mac;       /**< link address in the first 6 bytes */
	uint64_t ips_sum;   /**< Internet sum of both addresses */
	struct ip6 ips6[2]; /**< IPv6: from, to */
	rte_be32_t ips[2];  /**< IPv4: from, to */
	rte_be16_t local_port;
	rte_be16_t port;
	uint16_t vlan;  /**< 0: no tag */
	uint16_t out;   /**< index of the port to send it to */
	uint8_t family; /**< 4 or 6 */
	uint8_t dscp;   /**< differentiated services code point */
};

/**
 * Address a datagram to a leg's party, of RTCP if rtcp.
 *
 * @return PACKET_PENDING when there is a way, else STW_DROP_NO_REMOTE or STW_DROP_NO_NEXT_HOP
 *
 * Threads: the worker. Progress: wait-free (bound HOPS6_PLACES).
 */
uint8_t envelope_to_leg(struct worker *worker, uint32_t leg, bool rtcp, struct envelope *envelope);

/** Address a datagram to any endpoint, from a local address. Else as envelope_to_leg. */
uint8_t envelope_to(struct worker *worker, uint32_t address, const struct datagram_target *target,
		    struct envelope *envelope);

/** Bytes in front of the UDP header. */
static inline uint32_t
envelope_bytes(const struct envelope *envelope)
{
	return (uint32_t)(sizeof(struct rte_ether_hdr) + (envelope->vlan ? 4 : 0) +
			  (envelope->family == 6 ? 40 : 20));
}

/** Internet sum of what changes and a UDP checksum covers: addresses and ports. */
static inline uint64_t
envelope_sum(const struct envelope *envelope)
{
	return envelope->ips_sum + envelope->local_port + envelope->port;
}

/**
 * Write Ethernet, tag and IP in front of a UDP header.
 *
 * @param udp        the UDP header; envelope_bytes of room are in front of it
 * @param congestion the two bits of explicit congestion notification
 * @param udp_bytes  UDP header and payload
 */
void envelope_write(const struct envelope *envelope, const struct plane_port *port, uint8_t *udp,
		    uint8_t congestion, uint16_t udp_bytes);

/**
 * Make the checksum of a datagram whose other headers are written: by the device where it can, else
 * from the payload's sum, which is not 0, or from the payload of the buffer's one segment.
 */
void envelope_sign(const struct envelope *envelope, const struct plane_port *port,
		   struct rte_mbuf *mbuf, uint16_t udp_bytes, uint64_t payload_sum);

#endif
