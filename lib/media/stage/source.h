/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The source of a packet, of either version of IP, beside what a leg knows of its party.
 */
#ifndef STW_MEDIA_SOURCE_H
#define STW_MEDIA_SOURCE_H

#include <rte_ip.h>

#include "media/plane.h"

/** Source address of an IPv6 packet whose headers are as it was received. */
static inline struct ip6
source_ip6(const struct packet *packet)
{
	return ip6_read(rte_pktmbuf_mtod_offset(packet->mbuf, const uint8_t *,
						packet->ip_offset +
							offsetof(struct rte_ipv6_hdr, src_addr)));
}

/** True when a source may be a party at all: an address of one host, and a port. */
bool source_can_be_a_party(const struct packet *packet);

/**
 * True when a source is one of our own addresses and ports: forged, unless the host says that calls are led
 * through the network from one leg to another. A leg that learnt it would send to another leg, or to itself.
 */
bool source_is_ours(const struct worker *worker, const struct packet *packet);

/**
 * True when a packet comes from the address of a remote word; not when none is known.
 *
 * @param remote  read with acquire (R2 in remote6.h)
 */
bool source_has_ip(const struct worker *worker, const struct packet *packet, uint64_t remote);

/** True when it comes from the address and the port of a remote word, latched or not. */
bool source_is(const struct worker *worker, const struct packet *packet, uint64_t remote);

/**
 * Latch a leg to the source of a packet, if its remote word is still as seen; the host is told, and the
 * way back is learnt from the frame.
 *
 * @return true when the leg has latched to this source, by this call or another at the same time
 *
 * Threads: the worker. Progress: wait-free (bound: a try for each worker).
 */
bool source_latch(struct worker *worker, const struct packet *packet, uint64_t remote);

#endif
