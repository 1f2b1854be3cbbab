/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way to a leg's party: for what is relayed to it and what is played to it.
 */
#ifndef STW_MEDIA_WAY_H
#define STW_MEDIA_WAY_H

#include <rte_ether.h>

#include "plane.h"

/** Where a packet goes, and from where. */
struct way {
	struct rte_ether_addr mac;
	rte_be32_t ip;
	rte_be16_t port;
	rte_be32_t local_ip;
	rte_be16_t local_port;
};

static inline rte_be16_t
way_port_next(rte_be16_t port)
{
	return rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(port) + 1));
}

/**
 * Find the way to a leg's party, of RTCP if rtcp. A link address that is not known is asked for.
 *
 * @return PACKET_PENDING when it was found, else STW_DROP_NO_REMOTE or STW_DROP_NO_NEXT_HOP
 *
 * Threads: the worker. Progress: wait-free (bound 1).
 */
static inline uint8_t
way_find(struct worker *worker, const struct leg_route *to, bool rtcp, struct way *way)
{
	struct plane_address *address = &worker->media->addresses[to->address];
	uint64_t remote = atomic_load_explicit(&to->remote, memory_order_relaxed);
	uint32_t hop;

	way->ip = leg_remote_ip(remote);
	way->port = leg_remote_port(remote);
	way->local_ip = to->local_ip;
	way->local_port = to->local_port;
	if (rtcp) {
		way->port = way_port_next(way->port);
		way->local_port = way_port_next(way->local_port);
	}
	if (STW_UNLIKELY(!way->ip || !way->port))
		return STW_DROP_NO_REMOTE;
	hop = hops_next(&address->hops, rte_be_to_cpu_32(way->ip));
	if (STW_LIKELY(hops_find(&address->hops, hop, &way->mac)))
		return PACKET_PENDING;
	if (hop && hops_ask(&address->hops, hop, worker->now_ns))
		plane_want(worker->media, to->address, hop);
	return STW_DROP_NO_NEXT_HOP;
}

#endif
