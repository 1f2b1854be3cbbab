/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage guard: only a leg's own party gets through.
 *
 * A leg that has not latched takes the first RTP packet with one of its payload types, while its
 * learning window is open; if `remote` is configured and source_any_ip is 0, only from that
 * address. Afterwards only that IP address and port pass. A party that stays silent longer than the
 * window is still taken from exactly the configured remote endpoint: there is nothing to guess in
 * that. RTCP passes from the latched IP address, and does not latch.
 *
 * Two workers may meet packets of two sources at one time, when the device spreads them. The
 * remote word is changed by compare-and-swap, so one of them wins and the other's packet is foreign.
 *
 *  label  where                      order    pairs with  without it
 *  G1     (leg.c) remote: written      release  G2        -
 *  G2     remote: read               acquire  G1          a new remote is held to an old window
 *  G3     remote: latched            relaxed  none        the word stands for itself
 *  C1     (leg.c) peer: written        release  C2        -
 *  C2     peer: read                 acquire  C1          an unfilled leg is sent to
 *  F1     (fork.c) fork_first: written  release  F2       -
 *  F2     fork_first: read           acquire  F1          an unfilled fork is met
 *
 * Source: RFC 7362 (latching), RFC 3550 5.1.
 */
#include "stages.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include "media/plane.h"

static bool
ip_can_be_a_party(rte_be32_t ip)
{
	uint8_t first = (uint8_t)(rte_be_to_cpu_32(ip) >> 24);

	/* Not "this network", not multicast or reserved. */
	return first != 0 && first < 224;
}

/** Tell the host, and learn the way back from the frame. */
static void
source_latched(struct worker *worker, const struct packet *packet)
{
	struct plane_address *address = &worker->media->addresses[packet->address];
	const struct rte_ether_hdr *ether =
		rte_pktmbuf_mtod(packet->mbuf, const struct rte_ether_hdr *);
	rte_be32_t source_ip = leg_remote_ip(packet->source);
	uint32_t hop = hops_next(&address->hops, rte_be_to_cpu_32(leg_remote_ip(packet->source)));
	struct stw_media_event event = {.type = STW_MEDIA_EVENT_LATCHED};
	struct rte_ether_addr known;

	if (hop && !hops_find(&address->hops, hop, &known) &&
	    rte_is_unicast_ether_addr(&ether->src_addr))
		hops_learn(&address->hops, hop, &ether->src_addr);
	event.remote.ip.family = 4;
	__builtin_memcpy(event.remote.ip.bytes, &source_ip, 4);
	event.remote.port = rte_be_to_cpu_16(leg_remote_port(packet->source));
	events_tell_leg(worker, packet->leg, &event);
}

/** Latch if the leg may; true when the packet passes. */
static bool
source_learn(struct worker *worker, const struct packet *packet, struct leg_route *route,
	     uint64_t remote)
{
	union leg_traits traits = {atomic_load_explicit(&route->traits, memory_order_relaxed)};
	uint64_t source = packet->source;
	rte_be32_t source_ip = leg_remote_ip(source);

	if (leg_remote_port(source) == 0 || !ip_can_be_a_party(source_ip))
		return false;
	if (packet->rtp.payload_type != traits.audio_pt &&
	    (traits.event_pt == 0 || packet->rtp.payload_type != traits.event_pt))
		return false;
	if (source != remote) {
		if (worker->now_ns >=
		    atomic_load_explicit(&route->learning_until_ns, memory_order_relaxed))
			return false;
		if (leg_remote_ip(remote) && leg_remote_ip(remote) != source_ip &&
		    !(traits.features & LEG_SOURCE_ANY_IP))
			return false;
	}
	/* G3: the word stands for itself; losing means that another source or control was first. */
	if (!atomic_compare_exchange_strong_explicit(&route->remote, &remote, source | LEG_LATCHED,
						     memory_order_relaxed, memory_order_relaxed))
		return remote == (source | LEG_LATCHED);
	source_latched(worker, packet);
	return true;
}

static bool
source_passes(struct worker *worker, const struct packet *packet, struct leg_route *route)
{
	/* G2, pairs with G1: the window and the payload types are at least as new. */
	uint64_t remote = atomic_load_explicit(&route->remote, memory_order_acquire);

	if (STW_LIKELY(packet->kind == PACKET_RTP)) {
		if (STW_LIKELY(remote == (packet->source | LEG_LATCHED)))
			return true;
		if (remote & LEG_LATCHED)
			return false;
		return source_learn(worker, packet, route, remote);
	}
	return (remote & LEG_LATCHED) && leg_remote_ip(remote) == leg_remote_ip(packet->source);
}

/** Take from the route's line what the next stages need; they look at no other line of the leg. */
static void
packet_route(const struct worker *worker, struct packet *packet, struct leg_route *route)
{
	union leg_traits traits = {atomic_load_explicit(&route->traits, memory_order_relaxed)};

	/* C2, pairs with C1: the leg is seen as control filled it. */
	packet->peer = atomic_load_explicit(&route->peer, memory_order_acquire);
	rte_prefetch0(&worker->media->routes[packet->peer]);
	/* F2, pairs with F1: the fork is seen as control filled it. */
	packet->fork_first = atomic_load_explicit(&route->fork_first, memory_order_acquire);
	packet->event = packet->kind == PACKET_RTP && traits.event_pt &&
			packet->rtp.payload_type == traits.event_pt;
	packet->features = traits.features;
}

void
stage_guard(struct worker *worker, struct packet *packets, unsigned count)
{
	struct stw_media *media = worker->media;
	uint32_t forks = 0;
	uint16_t features = 0;
	uint8_t events = 0;

	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];
		struct leg_route *route = &media->routes[packet->leg];

		if (packet->verdict != PACKET_PENDING)
			continue;
		if (STW_UNLIKELY(!source_passes(worker, packet, route))) {
			worker_count(worker, &media->intakes[packet->leg].packets_foreign, 1);
			packet_drop(packet, STW_DROP_SOURCE);
			continue;
		}
		packet_route(worker, packet, route);
		forks |= packet->fork_first;
		events |= packet->event;
		features |= packet->features;
	}
	worker->burst_forks = forks;
	worker->burst_events = events;
	worker->burst_features = features;
}
