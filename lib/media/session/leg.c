/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Legs: added, changed and removed while packets flow. All under the mutex of control.
 *
 * A removed leg's slot waits in a ring, with a token of rcu, until every worker has passed a
 * quiescent state; its ports rest in quarantine meanwhile and longer.
 *
 *  label  where                             order    pairs with  without it
 *  L1     address->legs: entry published    release  L2          (lookup.c) an unfilled leg is met
 *  F1     fork_first: written               release  F2          (copy.c) an unfilled fork is met
 */
#include "leg.h"

#include <errno.h>

#include "media/memory.h"
#include "media/plane.h"
#include "media/rtcp/report.h"
#include "media/stage/stages.h"
#include "media/stream/egress.h"
#include "media/stream/pt_map.h"
#include "options.h"
#include "remote.h"
#include "session.h"

/** Removed legs freed, and rests ended, in one call: a bound for who holds the mutex. */
#define LEG_RECLAIM_BURST 4096

/** So long a BPF program may use a leg that it has found: it runs for a microsecond, on a processor that may be
 * taken away meanwhile. */
#define LEG_PROGRAM_NS UINT64_C(100000000)

uint32_t
leg_find(const struct stw_media *media, struct stw_leg leg)
{
	uint32_t slot = handle_slot(leg.id);

	if (slot == 0 || slot >= media->legs_slots || leg.id >> 32 == 0 ||
	    atomic_load_explicit(&media->cards[slot].handle, memory_order_relaxed) != leg.id)
		return 0;
	return slot;
}

static bool
config_is_valid(const struct stw_media *media, const struct stw_leg_config *config)
{
	return config->struct_size >= sizeof(*config) && (unsigned)config->side < STW_SIDE_COUNT &&
	       remote_is_valid(media, config) && config->source_any_ip <= 1 &&
	       (unsigned)config->codec < RTP_CODEC_COUNT && config->audio_pt <= 127 &&
	       config->event_pt <= 127 && config->dscp <= 63 &&
	       (config->event_pt == 0 || config->event_pt != config->audio_pt) &&
	       (unsigned)config->rtcp <= STW_RTCP_END && options_are_valid(config) &&
	       quiet_is_valid(config);
}

/** Bits of enum leg_feature that a description asks for. */
static uint16_t
route_features(const struct stw_media *media, const struct stw_leg_config *config)
{
	uint16_t features = options_features(config);

	if (media->addresses[config->address].family == 6)
		features |= LEG_V6;
	if (media->addresses[config->address].vlan)
		features |= LEG_VLAN;
	if (config->source_any_ip)
		features |= LEG_SOURCE_ANY_IP;
	if (config->srtp_in || config->srtp_out)
		features |= LEG_SRTP;
	if (config->rtcp == STW_RTCP_END)
		features |= LEG_RTCP_END;
	if (config->silent_audio_ns)
		features |= LEG_QUIET;
	return features;
}

/** What may change in a leg's life, but for the remote word. */
static void
route_describe(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config,
	       uint8_t pt_map)
{
	struct leg_route *route = &media->routes[leg];
	uint64_t silent_before = atomic_load_explicit(&route->silent_ns, memory_order_relaxed);
	union leg_traits traits = {atomic_load_explicit(&route->traits, memory_order_relaxed)};

	options_set(media, leg, config);
	traits.audio_pt = config->audio_pt;
	traits.event_pt = config->event_pt;
	traits.codec = (uint8_t)config->codec;
	traits.side = (uint8_t)config->side;
	traits.dscp = config->dscp;
	traits.pt_map = pt_map;
	traits.features &= LEG_FEATURES_KEPT;
	traits.features |= route_features(media, config);
	atomic_store_explicit(&route->traits, traits.word, memory_order_relaxed);
	if (config->silent_ns && !silent_before)
		atomic_fetch_add_explicit(&media->legs_silence, 1, memory_order_relaxed);
	else if (!config->silent_ns && silent_before)
		atomic_fetch_sub_explicit(&media->legs_silence, 1, memory_order_relaxed);
	atomic_store_explicit(&route->silent_ns, config->silent_ns, memory_order_relaxed);
}

/** A new port of RTCP, 0: the one after RTP's. The one latched is forgotten. */
static void
rtcp_set(struct stw_media *media, uint32_t leg, uint16_t port)
{
	media->cards[leg].remote_rtcp = port;
	atomic_store_explicit(&media->intakes[leg].rtcp_source, rte_cpu_to_be_16(port),
			      memory_order_relaxed);
}

void
leg_reclaim(struct stw_media *media, uint64_t now_ns)
{
	for (unsigned i = 0; i < LEG_RECLAIM_BURST && media->legs_retired_count; i++) {
		const struct plane_retired *oldest =
			&media->legs_retired[media->legs_retired_first];

		if (!plane_passed(media, oldest->token) || now_ns < oldest->rest_until_ns ||
		    report_is_leaving(media, oldest->slot))
			return;
		srtp_leg_remove(media, oldest->slot);
		media->legs_free[media->legs_free_count++] = oldest->slot;
		media->legs_retired_first = (media->legs_retired_first + 1) % media->legs_slots;
		media->legs_retired_count--;
	}
}

/** Take a slot and a pair of ports, or a single one. */
static int
leg_take(struct stw_media *media, const struct stw_leg_config *config, uint64_t now_ns,
	 uint32_t *leg, uint32_t *port)
{
	struct ports *ports = &media->address_ports[config->address];
	bool single = config->rtcp_mux;

	if (media->legs_count == media->legs_max)
		return plane_refuse(media, STW_LIMIT_LEGS);
	if (media->legs_free_count == 0)
		leg_reclaim(media, now_ns);
	if (media->legs_free_count == 0)
		return plane_refuse(media, STW_LIMIT_LEGS);
	if (ports_take(ports, single, port) < 0) {
		ports_rests_end(ports, now_ns, LEG_RECLAIM_BURST);
		if (ports_take(ports, single, port) < 0)
			return plane_refuse(media, STW_LIMIT_UDP_PORTS);
	}
	*leg = media->legs_free[--media->legs_free_count];
	return 0;
}

/** Fill all rows of a new leg; nobody sees them yet. */
static void
leg_fill(struct stw_media *media, uint32_t leg, uint32_t session, uint32_t port,
	 const struct stw_leg_config *config, uint64_t now_ns)
{
	struct plane_address *address = &media->addresses[config->address];
	struct leg_route *route = &media->routes[leg];
	struct leg_intake *intake = &media->intakes[leg];
	struct leg_card *card = &media->cards[leg];
	const struct session *of = &media->sessions[session];

	card->generation++;
	card->port = (uint16_t)port;
	card->relayed_counted = 0;
	card->sent_before = 0;
	card->played_before =
		atomic_load_explicit(&media->plays[leg].packets, memory_order_relaxed);
	atomic_store_explicit(&card->session, handle_make(session, of->generation),
			      memory_order_relaxed);
	atomic_store_explicit(&card->cookie, of->cookie, memory_order_relaxed);
	atomic_store_explicit(&card->handle, handle_make(leg, card->generation),
			      memory_order_relaxed);
	memset(intake, 0, sizeof(*intake));
	atomic_store_explicit(&intake->heard_ns, now_ns, memory_order_relaxed);
	memory_clear(&media->keypads[leg], sizeof(media->keypads[leg]));
	report_leg_init(media, leg);
	route->local_ip = address->ip;
	route->local_port =
		rte_cpu_to_be_16(ports_number(&media->address_ports[config->address], port));
	route->address = (uint8_t)config->address;
	route->single = config->rtcp_mux;
	atomic_store_explicit(&route->traits, 0, memory_order_relaxed);
	atomic_store_explicit(&route->peer, 0, memory_order_relaxed);
	atomic_store_explicit(&route->traits, 0, memory_order_relaxed);
	/* F1, pairs with F2: who finds the fork finds it filled. */
	atomic_store_explicit(&route->fork_first, of->fork_first, memory_order_release);
	options_clear(media, leg);
	egress_init(media, leg, now_ns);
	kernel_leg_init(media, leg);
}

/** Show a leg to who looks for ports, or take it away: 0. */
static void
entries_set(struct stw_media *media, const struct leg_route *route, uint32_t port, uint32_t leg)
{
	_Atomic uint32_t *entries = &media->addresses[route->address].legs[port];

	/* L1, pairs with L2: a worker that finds the leg finds it filled. */
	atomic_store_explicit(&entries[0], leg, memory_order_release);
	if (!route->single)
		/* L1, as above. */
		atomic_store_explicit(&entries[1], leg ? leg | LEG_ENTRY_RTCP : 0,
				      memory_order_release);
}

static unsigned
session_place(const struct session *session, uint32_t leg)
{
	unsigned place = 0;

	while (place < STW_SESSION_LEGS_MAX && session->legs[place] != leg)
		place++;
	return place;
}

static int
leg_add(struct stw_media *media, struct stw_session session, const struct stw_leg_config *config,
	uint64_t now_ns, uint32_t *leg)
{
	struct srtp_pair srtp = {0};
	uint32_t of = session_find(media, session), port;
	uint8_t pt_map;
	unsigned place;
	int error;

	if (!of)
		return -ESTALE;
	place = session_place(&media->sessions[of], 0);
	if (place == STW_SESSION_LEGS_MAX)
		return plane_refuse(media, STW_LIMIT_SESSION_LEGS);
	if (pt_map_take(media, config, &pt_map) < 0)
		return plane_refuse(media, STW_LIMIT_PT_MAPS);
	error = srtp_pair_make(media, 0, config, &srtp);
	if (error < 0) {
		error = error == -ENOSPC ? plane_refuse(media, STW_LIMIT_SRTP) : error;
		goto leave_map;
	}
	error = leg_take(media, config, now_ns, leg, &port);
	if (error < 0)
		goto free_srtp;
	leg_fill(media, *leg, of, port, config, now_ns);
	srtp_leg_reset(media, *leg);
	srtp_leg_set(media, *leg, &srtp, now_ns);
	route_describe(media, *leg, config, pt_map);
	rtcp_set(media, *leg, config->remote_rtcp_port);
	quiet_describe(media, *leg, config, now_ns);
	remote_set(media, *leg, config, now_ns);
	media->sessions[of].legs[place] = *leg;
	media->legs_count++;
	if (*leg > atomic_load_explicit(&media->legs_top, memory_order_relaxed))
		atomic_store_explicit(&media->legs_top, *leg, memory_order_relaxed);
	entries_set(media, &media->routes[*leg], port, *leg);
	report_leg_follow(media, *leg, config->rtcp);
	kernel_leg_follow(media, *leg);
	return 0;
free_srtp:
	srtp_pair_free(media, &srtp);
leave_map:
	pt_map_leave(media, pt_map);
	return error;
}

int
stw_leg_add(struct stw_media *media, struct stw_session session,
	    const struct stw_leg_config *config, uint64_t now_ns, struct stw_leg *leg,
	    struct stw_endpoint *local)
{
	uint32_t slot;
	int error;

	if (!config_is_valid(media, config))
		return -EINVAL;
	error = srtp_config_check(media, config);
	if (error < 0)
		return error;
	plane_lock(media);
	error = leg_add(media, session, config, now_ns, &slot);
	if (error == 0) {
		leg->id = atomic_load_explicit(&media->cards[slot].handle, memory_order_relaxed);
		remote_local_read(media, slot, local);
	}
	plane_unlock(media);
	return error;
}

static int
leg_update(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config,
	   uint64_t now_ns)
{
	const struct leg_route *route = &media->routes[leg];
	union leg_traits before = {atomic_load_explicit(&route->traits, memory_order_relaxed)};
	struct srtp_pair srtp;
	uint8_t pt_map;
	int error;

	if (before.side != (uint8_t)config->side || route->address != config->address ||
	    (route->single && !config->rtcp_mux))
		return -EINVAL;
	if (pt_map_take(media, config, &pt_map) < 0)
		return plane_refuse(media, STW_LIMIT_PT_MAPS);
	error = srtp_pair_make(media, leg, config, &srtp);
	if (error < 0) {
		pt_map_leave(media, pt_map);
		return error == -ENOSPC ? plane_refuse(media, STW_LIMIT_SRTP) : error;
	}
	srtp_leg_set(media, leg, &srtp, now_ns);
	route_describe(media, leg, config, pt_map);
	quiet_describe(media, leg, config, now_ns);
	pt_map_leave(media, before.pt_map);
	options_ways(media, leg);
	report_leg_follow(media, leg, config->rtcp);
	if (remote_is_new(media, leg, config) ||
	    config->remote_rtcp_port != media->cards[leg].remote_rtcp)
		rtcp_set(media, leg, config->remote_rtcp_port);
	if (remote_is_new(media, leg, config))
		remote_set(media, leg, config, now_ns);
	kernel_leg_follow(media, leg);
	return 0;
}

int
stw_leg_update(struct stw_media *media, struct stw_leg leg, const struct stw_leg_config *config,
	       uint64_t now_ns)
{
	uint32_t slot;
	int error;

	if (!config_is_valid(media, config))
		return -EINVAL;
	error = srtp_config_check(media, config);
	if (error < 0)
		return error;
	plane_lock(media);
	slot = leg_find(media, leg);
	error = slot ? leg_update(media, slot, config, now_ns) : -ESTALE;
	plane_unlock(media);
	return error;
}

int
stw_leg_suppress(struct stw_media *media, struct stw_leg leg, uint32_t what)
{
	union leg_traits traits;
	uint32_t slot;

	if (what > (STW_SUPPRESS_DIGITS | STW_SUPPRESS_AUDIO))
		return -EINVAL;
	plane_lock(media);
	slot = leg_find(media, leg);
	if (slot) {
		struct leg_route *route = &media->routes[slot];

		traits.word = atomic_load_explicit(&route->traits, memory_order_relaxed);
		traits.features &= (uint16_t)~LEG_SUPPRESS;
		if (what & STW_SUPPRESS_DIGITS)
			traits.features |= LEG_SUPPRESS_DIGITS;
		if (what & STW_SUPPRESS_AUDIO)
			traits.features |= LEG_SUPPRESS_AUDIO;
		atomic_store_explicit(&route->traits, traits.word, memory_order_relaxed);
		kernel_leg_follow(media, slot);
	}
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}

void
leg_remove(struct stw_media *media, uint32_t leg, uint64_t now_ns)
{
	struct leg_route *route = &media->routes[leg];
	struct leg_card *card = &media->cards[leg];
	struct session *of = &media->sessions[handle_slot(card->session)];
	union leg_traits traits = {atomic_load_explicit(&route->traits, memory_order_relaxed)};
	uint64_t until_ns = 0;
	uint32_t last;

	/* From here on packets find no leg; a burst under way may still have it. */
	entries_set(media, route, card->port, 0);
	kernel_leave(media, leg);
	kernel_leave_speakers(media, leg);
	mix_leg_leave(media, leg);
	session_connect(media, leg, 0);
	of->legs[session_place(of, leg)] = 0;
	for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
		uint32_t other = of->legs[i];

		if (other &&
		    atomic_load_explicit(&media->routes[other].peer, memory_order_relaxed) == leg)
			session_connect(media, other, 0);
	}
	if (atomic_load_explicit(&route->silent_ns, memory_order_relaxed))
		atomic_fetch_sub_explicit(&media->legs_silence, 1, memory_order_relaxed);
	atomic_store_explicit(&route->silent_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&card->handle, 0, memory_order_relaxed);
	quiet_describe(media, leg, &(struct stw_leg_config){0}, now_ns);
	playout_detach(media, leg);
	report_leg_leave(media, leg);
	pt_map_leave(media, traits.pt_map);
	/* A goodbye is protected, too: its keys go when it is said. */
	if (!report_is_leaving(media, leg))
		srtp_leg_remove(media, leg);
	if (media->quarantine_ns)
		until_ns = now_ns + media->quarantine_ns;
	ports_release(&media->address_ports[route->address], card->port, route->single, until_ns);
	last = (media->legs_retired_first + media->legs_retired_count++) % media->legs_slots;
	media->legs_retired[last] =
		(struct plane_retired){.token = rte_rcu_qsbr_start(media->rcu), .slot = leg};
	if (kernel_leg_was_inside(media, leg))
		media->legs_retired[last].rest_until_ns = now_ns + LEG_PROGRAM_NS;
	media->legs_count--;
}

int
stw_leg_remove(struct stw_media *media, struct stw_leg leg, uint64_t now_ns)
{
	uint32_t slot;

	plane_lock(media);
	slot = leg_find(media, leg);
	if (slot)
		leg_remove(media, slot, now_ns);
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}
