/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of a leg, put together for who asks. Under the mutex of control; workers count meanwhile.
 *
 *  label  where                             order    pairs with  without it
 *  R1     (remote6.c) remote: published     release  R2          -
 *  R2     remote: read                      acquire  R1          an address of the version before
 */
#include "leg.h"

#include <errno.h>

#include "media/plane.h"
#include "media/srtp/srtp.h"
#include "remote.h"
#include "session.h"

/** RTP packets sent to a leg: by former peers and mixes, by present ones, and played. */
static uint64_t
packets_sent(const struct stw_media *media, uint32_t leg)
{
	const struct leg_card *card = &media->cards[leg];
	const struct session *of = &media->sessions[handle_slot(card->session)];
	uint64_t sent = card->sent_before - card->played_before;

	sent += atomic_load_explicit(&media->plays[leg].packets, memory_order_relaxed);
	sent += mix_leg_sent(media, leg);
	for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
		uint32_t from = of->legs[i];

		if (from &&
		    atomic_load_explicit(&media->routes[from].peer, memory_order_relaxed) == leg)
			sent += atomic_load_explicit(&media->intakes[from].relayed,
						     memory_order_relaxed) -
				media->cards[from].relayed_counted;
	}
	return sent;
}

static void
leg_stats_read(struct stw_media *media, uint32_t leg, struct stw_leg_stats *stats)
{
	const struct leg_route *route = &media->routes[leg];
	struct leg_intake *intake = &media->intakes[leg];
	/* R2, pairs with R1: the row of an IPv6 address is seen. */
	uint64_t remote = atomic_load_explicit(&route->remote, memory_order_acquire);
	struct rtp_reception reception;

	leg_reception_read(media, leg, &reception);
	remote_local_read(media, leg, &stats->local);
	remote_read(media, leg, remote, &stats->remote);
	stats->latched = remote & LEG_LATCHED && leg_remote_port(remote) ? 1 : 0;
	stats->packets_received = reception.packets + reception.packets_stray;
	stats->bytes_received = atomic_load_explicit(&intake->bytes, memory_order_relaxed);
	stats->packets_sent = packets_sent(media, leg);
	stats->packets_foreign =
		atomic_load_explicit(&intake->packets_foreign, memory_order_relaxed);
	stats->digits = atomic_load_explicit(&intake->digits, memory_order_relaxed);
	stats->packets_capped =
		atomic_load_explicit(&media->options[leg].packets_capped, memory_order_relaxed);
	stats->relatches =
		atomic_load_explicit(&media->options[leg].relatches, memory_order_relaxed);
	stats->ssrc = rte_be_to_cpu_32(route->ssrc);
	srtp_leg_stats(media, leg, stats);
	leg_quality_read(media, leg, &reception, stats);
}

int
stw_leg_stats(struct stw_media *media, struct stw_leg leg, struct stw_leg_stats *stats)
{
	uint32_t slot;

	plane_lock(media);
	slot = leg_find(media, leg);
	if (slot)
		leg_stats_read(media, slot, stats);
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}
