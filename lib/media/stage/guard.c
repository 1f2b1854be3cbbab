/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage guard: only a leg's own party gets through.
 *
 * A leg that has not latched takes the first RTP packet with one of its payload types, while its
 * learning window is open; if `remote` is configured and source_any_ip is 0, only from that
 * address. Afterwards only that IP address and port pass. A party that stays silent longer than the
 * window is still taken from exactly the configured remote endpoint: there is nothing to guess in
 * that. One of our own endpoints is taken only so: learnt, it would make a leg send to a leg.
 *
 * A latched leg takes another source only when control gives it a new remote endpoint; or, with LEG_RELATCH,
 * when its source has been silent for as long as its description says, and then from the same IP address
 * unless source_any_ip is 1, and RTP only that has one of its payload types or the SSRC heard last. So who
 * wants to take over a call has to silence its party first, and to know it.
 *
 * RTCP does not latch a leg. With rtcp-mux it passes from exactly the latched source. Without, it passes from
 * the latched IP address, and is held to the port that it first came from: a NAT gives it any.
 *
 * What passes may be too much: with LEG_RATE_CAP a leg has a share of each second, and a burst beyond it.
 * Only what its own source sends counts, so a stranger cannot use the share up.
 *
 *  label  where                      order    pairs with  without it
 *  G1     (leg.c) remote: written      release  G2        -
 *  G2     remote: read               acquire  G1          a new remote is held to an old window
 *  R1     (remote6.c) remote: published  release  R2       -
 *  R2     remote: read               acquire  R1          a row of the version before is taken for none
 *  C1     (session.c) peer: written    release  C2        -
 *  C2     peer: read                 acquire  C1          an unfilled leg is sent to
 *  F1     (fork.c) fork_first: written  release  F2       -
 *  F2     fork_first: read           acquire  F1          an unfilled fork is met
 *
 * Source: RFC 7362 (latching, and what an attacker makes of it: 5), RFC 3550 5.1, RFC 5761 5.1.1. The cap
 * is the virtual scheduling algorithm of ITU-T I.371 (a leaky bucket without a timer).
 */
#include "stages.h"

#include "media/overload.h"
#include "media/plane.h"
#include "source.h"

static bool
payload_is_known(const struct packet *packet, union leg_traits traits)
{
	return packet->rtp.payload_type == traits.audio_pt ||
	       (traits.event_pt && packet->rtp.payload_type == traits.event_pt);
}

/** Latch if the leg may; true when the packet passes. */
static bool
source_learn(struct worker *worker, struct packet *packet, struct leg_route *route, uint64_t remote)
{
	union leg_traits traits = {atomic_load_explicit(&route->traits, memory_order_relaxed)};

	if (!source_can_be_a_party(packet) || !payload_is_known(packet, traits))
		return false;
	if (!source_is(worker, packet, remote)) {
		if (worker->now_ns >=
		    atomic_load_explicit(&route->learning_until_ns, memory_order_relaxed))
			return false;
		if (leg_remote_port(remote) && !source_has_ip(worker, packet, remote) &&
		    !(traits.features & LEG_SOURCE_ANY_IP))
			return false;
		if (source_is_ours(worker, packet))
			return false;
	}
	if (traits.features & LEG_SRTP) {
		/* Anybody may have sent it; stage_unprotect finds out who, and latches. */
		packet->marks |= PACKET_LEARN;
		return true;
	}
	return source_latch(worker, packet, remote);
}

void
guard_latch(struct worker *worker, struct packet *packet)
{
	/* G2 and R2, pair with G1 and R1. */
	uint64_t remote = atomic_load_explicit(&worker->media->routes[packet->leg].remote,
					       memory_order_acquire);

	if (remote & LEG_LATCHED ? source_is(worker, packet, remote)
				 : source_latch(worker, packet, remote))
		return;
	worker_count(worker, &worker->media->intakes[packet->leg].packets_foreign, 1);
	packet_drop(packet, STW_DROP_SOURCE);
}

/** Take another source instead of one that has fallen silent; true when the packet passes. */
static STW_COLD bool
source_learn_again(struct worker *worker, const struct packet *packet, struct leg_route *route,
		   uint64_t remote)
{
	union leg_traits traits = {atomic_load_explicit(&route->traits, memory_order_relaxed)};
	struct leg_intake *intake = &worker->media->intakes[packet->leg];
	struct leg_options *options = &worker->media->options[packet->leg];
	uint64_t heard_ns = atomic_load_explicit(&intake->heard_ns, memory_order_relaxed);

	if (!(traits.features & LEG_RELATCH) || worker->now_ns < heard_ns ||
	    worker->now_ns - heard_ns <
		    atomic_load_explicit(&options->relatch_ns, memory_order_relaxed))
		return false;
	if (!source_has_ip(worker, packet, remote) && !(traits.features & LEG_SOURCE_ANY_IP))
		return false;
	if (!source_can_be_a_party(packet) || source_is_ours(worker, packet) ||
	    (!payload_is_known(packet, traits) && packet->rtp.ssrc != intake->reception.ssrc))
		return false;
	if (!source_latch(worker, packet, remote))
		return false;
	/* Its RTCP comes from elsewhere, too. */
	atomic_store_explicit(&intake->rtcp_source, 0, memory_order_relaxed);
	worker_count(worker, &options->relatches, 1);
	return true;
}

/** Hold RTCP of a latched party to one port; true when the packet passes. */
static bool
rtcp_passes(struct worker *worker, const struct packet *packet, const struct leg_route *route,
	    uint64_t remote)
{
	union leg_traits traits = {atomic_load_explicit(&route->traits, memory_order_relaxed)};
	_Atomic uint32_t *source = &worker->media->intakes[packet->leg].rtcp_source;
	uint32_t latched = leg_remote_port(packet->source) | LEG_RTCP_LATCHED, word;

	if (!(remote & LEG_LATCHED))
		return false;
	if (source_is(worker, packet, remote))
		return true;
	if (traits.features & LEG_RTCP_MUX || !source_has_ip(worker, packet, remote))
		return false;
	word = atomic_load_explicit(source, memory_order_relaxed);
	if (word & LEG_RTCP_LATCHED)
		return word == latched;
	/* The word stands for itself. */
	return atomic_compare_exchange_strong_explicit(source, &word, latched, memory_order_relaxed,
						       memory_order_relaxed) ||
	       word == latched;
}

static bool
source_passes(struct worker *worker, struct packet *packet, struct leg_route *route)
{
	/* G2 and R2, pairs with G1 and R1: window, payload types and an IPv6 address are at least as
	 * new. */
	uint64_t remote = atomic_load_explicit(&route->remote, memory_order_acquire);

	if (STW_LIKELY(packet->kind == PACKET_RTP)) {
		/* Never so with IPv6, whose words have a version, and packets' have none. */
		if (STW_LIKELY(remote == (packet->source | LEG_LATCHED)))
			return true;
		if (remote & LEG_LATCHED)
			return (packet->source & REMOTE_V6 && source_is(worker, packet, remote)) ||
			       source_learn_again(worker, packet, route, remote);
		if (overload_sheds(worker, OVERLOAD_NEW)) {
			packet_drop(packet, STW_DROP_OVERLOAD);
			return false;
		}
		return source_learn(worker, packet, route, remote);
	}
	return rtcp_passes(worker, packet, route, remote);
}

/** Take a packet's share of the second; false when there is none left. */
static STW_COLD bool
rate_allows(struct worker *worker, uint32_t leg)
{
	struct leg_options *options = &worker->media->options[leg];

	if (options_share_take(options, worker->now_ns))
		return true;
	worker_count(worker, &options->packets_capped, 1);
	return false;
}

/** Take from the route's line what the next stages need; they look at no other line of the leg. */
static void
packet_route(const struct worker *worker, struct packet *packet, struct leg_route *route)
{
	union leg_traits traits = {atomic_load_explicit(&route->traits, memory_order_relaxed)};

	/* C2, pairs with C1: the leg is seen as control filled it. */
	packet->peer = atomic_load_explicit(&route->peer, memory_order_acquire);
	rte_prefetch0(&worker->media->routes[packet->peer]);
	rte_prefetch0(&worker->media->egresses[packet->peer]);
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
			if (packet->verdict == STW_DROP_OVERLOAD)
				continue;
			worker_count(worker, &media->intakes[packet->leg].packets_foreign, 1);
			packet_drop(packet, STW_DROP_SOURCE);
			continue;
		}
		packet_route(worker, packet, route);
		if (STW_UNLIKELY(packet->features & LEG_RATE_CAP) &&
		    !rate_allows(worker, packet->leg)) {
			packet_drop(packet, STW_DROP_RATE);
			continue;
		}
		forks |= packet->fork_first;
		events |= packet->event;
		features |= packet->features;
	}
	worker->burst_forks = forks;
	worker->burst_events = events;
	worker->burst_features = features;
}
