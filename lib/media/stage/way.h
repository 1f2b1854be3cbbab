/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way to a leg's party: for what is relayed to it and what is played to it.
 */
#ifndef STW_MEDIA_WAY_H
#define STW_MEDIA_WAY_H

#include "media/plane.h"

/** Time to live, or hop limit, of what is sent. */
#define WAY_TTL 64

/** Write the Ethernet header of an IPv4 packet: the second word overwrites what the first has too much. */
static inline void
way_ether_write(uint8_t *frame, uint64_t mac, uint64_t ether_source)
{
	__builtin_memcpy(frame, &mac, sizeof(mac));
	__builtin_memcpy(frame + RTE_ETHER_ADDR_LEN, &ether_source, sizeof(ether_source));
}

/** Where a packet goes, and from where. */
struct way {
	uint64_t mac; /**< link address in the first 6 bytes */
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
 * Find the link address of a way whose addresses and ports are known. One that is not known is asked for.
 *
 * @return PACKET_PENDING when it was found, else STW_DROP_NO_REMOTE or STW_DROP_NO_NEXT_HOP
 *
 * Threads: the worker. Progress: wait-free (bound 1).
 */
static inline uint8_t
way_resolve(struct worker *worker, uint32_t local, struct way *way)
{
	struct plane_address *address = &worker->media->addresses[local];
	uint32_t hop;

	if (STW_UNLIKELY(!way->ip || !way->port))
		return STW_DROP_NO_REMOTE;
	hop = hops_next(&address->hops, rte_be_to_cpu_32(way->ip));
	way->mac = hops_find_word(&address->hops, hop);
	if (STW_LIKELY(way->mac))
		return PACKET_PENDING;
	if (hop && hops_ask(&address->hops, hop, worker->now_ns))
		plane_want(worker->media, local, hop);
	return STW_DROP_NO_NEXT_HOP;
}

/**
 * Ports of RTCP: those of RTP with rtcp-mux; else our next one, and the party's where its RTCP comes from or
 * where it said, or its next one.
 */
static inline void
way_rtcp(const struct stw_media *media, const struct leg_route *to, rte_be16_t *port,
	 rte_be16_t *local_port)
{
	union leg_traits traits = {atomic_load_explicit(&to->traits, memory_order_relaxed)};
	rte_be16_t told;

	if (traits.features & LEG_RTCP_MUX)
		return;
	told = (rte_be16_t)atomic_load_explicit(&media->intakes[to - media->routes].rtcp_source,
						memory_order_relaxed);
	*port = told ? told : way_port_next(*port);
	*local_port = way_port_next(*local_port);
}

/** Find the way to a leg's party, of RTCP if rtcp. Otherwise as way_resolve. */
static inline uint8_t
way_find(struct worker *worker, const struct leg_route *to, bool rtcp, struct way *way)
{
	uint64_t remote = atomic_load_explicit(&to->remote, memory_order_relaxed);

	way->ip = leg_remote_ip(remote);
	way->port = leg_remote_port(remote);
	way->local_ip = to->local_ip;
	way->local_port = to->local_port;
	if (rtcp && way->port)
		way_rtcp(worker->media, to, &way->port, &way->local_port);
	return way_resolve(worker, to->address, way);
}

#endif
