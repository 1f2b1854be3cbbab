/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Legs: added, changed and removed while packets flow. All under the mutex of control.
 *
 * A removed leg's slot waits in a ring, with a token of rcu, until every worker has passed a
 * quiescent state; its port pair rests in quarantine meanwhile and longer.
 *
 *  label  where                             order    pairs with  without it
 *  L1     address->legs: entry published    release  L2          (lookup.c) an unfilled leg is met
 *  G1     remote: written                   release  G2          (guard.c) a new remote is held to an
 *                                                                old window
 *  F1     fork_first: written               release  F2          (copy.c) an unfilled fork is met
 *  C1     peer: written                     release  C2          (guard.c) an unfilled leg is sent to
 */
#include "leg.h"

#include <errno.h>

#include "media/plane.h"
#include "session.h"

/** Removed legs freed, and rests ended, in one call: a bound for who holds the mutex. */
#define LEG_RECLAIM_BURST 4096

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
remote_is_valid(const struct stw_endpoint *remote)
{
	if (remote->ip.family == 0)
		return remote->port == 0;
	return remote->ip.family == 4 && remote->port != 0 && remote->ip.bytes[0] != 0 &&
	       remote->ip.bytes[0] < 224;
}

static bool
config_is_valid(const struct stw_media *media, const struct stw_leg_config *config)
{
	return config->struct_size >= sizeof(*config) && (unsigned)config->side < STW_SIDE_COUNT &&
	       config->address < media->addresses_count && remote_is_valid(&config->remote) &&
	       config->source_any_ip <= 1 && (unsigned)config->codec < RTP_CODEC_COUNT &&
	       config->audio_pt <= 127 && config->event_pt <= 127 && config->dscp <= 63 &&
	       (config->event_pt == 0 || config->event_pt != config->audio_pt);
}

static uint64_t
remote_word(const struct stw_endpoint *remote)
{
	rte_be32_t ip = 0;

	if (remote->ip.family == 4)
		memcpy(&ip, remote->ip.bytes, sizeof(ip));
	return leg_remote_word(ip, rte_cpu_to_be_16(remote->port));
}

static uint64_t
window_end(const struct stw_leg_config *config, uint64_t now_ns)
{
	if (config->learning_ns == 0 || config->learning_ns > UINT64_MAX - now_ns)
		return UINT64_MAX;
	return now_ns + config->learning_ns;
}

/** Bits of enum leg_feature that a description asks for. */
static uint16_t
route_features(const struct stw_leg_config *config)
{
	uint16_t features = 0;

	if (config->source_any_ip)
		features |= LEG_SOURCE_ANY_IP;
	return features;
}

/** What may change in a leg's life, but for the remote word. */
static void
route_describe(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config)
{
	struct leg_route *route = &media->routes[leg];
	uint64_t silent_before = atomic_load_explicit(&route->silent_ns, memory_order_relaxed);
	union leg_traits traits = {0};

	traits.audio_pt = config->audio_pt;
	traits.event_pt = config->event_pt;
	traits.codec = (uint8_t)config->codec;
	traits.side = (uint8_t)config->side;
	traits.dscp = config->dscp;
	traits.features = route_features(config);
	atomic_store_explicit(&route->traits, traits.word, memory_order_relaxed);
	if (config->silent_ns && !silent_before)
		atomic_fetch_add_explicit(&media->legs_silence, 1, memory_order_relaxed);
	else if (!config->silent_ns && silent_before)
		atomic_fetch_sub_explicit(&media->legs_silence, 1, memory_order_relaxed);
	atomic_store_explicit(&route->silent_ns, config->silent_ns, memory_order_relaxed);
}

/** A new remote endpoint: the window opens, the latched source is forgotten. */
static void
remote_set(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config,
	   uint64_t now_ns)
{
	struct leg_route *route = &media->routes[leg];
	struct hops *hops = &media->addresses[config->address].hops;
	uint64_t word = remote_word(&config->remote);
	uint32_t hop;

	atomic_store_explicit(&route->learning_until_ns, window_end(config, now_ns),
			      memory_order_relaxed);
	media->cards[leg].remote_word = word;
	/* G1, pairs with G2: who sees the new remote sees the window and the payload types. */
	atomic_store_explicit(&route->remote, word, memory_order_release);
	if (!word)
		return;
	hop = hops_next(hops, rte_be_to_cpu_32(leg_remote_ip(word)));
	if (hop && hops_ask(hops, hop, now_ns))
		plane_want(media, config->address, hop);
}

void
leg_reclaim(struct stw_media *media)
{
	for (unsigned i = 0; i < LEG_RECLAIM_BURST && media->legs_retired_count; i++) {
		const struct plane_retired *oldest =
			&media->legs_retired[media->legs_retired_first];

		if (!plane_passed(media, oldest->token))
			return;
		media->legs_free[media->legs_free_count++] = oldest->slot;
		media->legs_retired_first = (media->legs_retired_first + 1) % media->legs_slots;
		media->legs_retired_count--;
	}
}

/** Take a slot and a pair of ports. */
static int
leg_take(struct stw_media *media, struct ports *ports, uint64_t now_ns, uint32_t *leg,
	 uint32_t *pair)
{
	if (media->legs_count == media->legs_max)
		return -ENOSPC;
	if (media->legs_free_count == 0)
		leg_reclaim(media);
	if (media->legs_free_count == 0)
		return -ENOSPC;
	if (ports_take(ports, pair) < 0) {
		ports_rests_end(ports, now_ns, LEG_RECLAIM_BURST);
		if (ports_take(ports, pair) < 0)
			return -ENOSPC;
	}
	*leg = media->legs_free[--media->legs_free_count];
	return 0;
}

/** Fill all rows of a new leg; nobody sees them yet. */
static void
leg_fill(struct stw_media *media, uint32_t leg, uint32_t session, uint32_t pair,
	 const struct stw_leg_config *config, uint64_t now_ns)
{
	struct plane_address *address = &media->addresses[config->address];
	struct leg_route *route = &media->routes[leg];
	struct leg_intake *intake = &media->intakes[leg];
	struct leg_card *card = &media->cards[leg];
	const struct session *of = &media->sessions[session];

	card->generation++;
	card->pair = pair;
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
	memset(&media->keypads[leg], 0, sizeof(media->keypads[leg]));
	route->local_ip = address->ip;
	route->local_port =
		rte_cpu_to_be_16(ports_number(&media->address_ports[config->address], pair));
	route->address = (uint8_t)config->address;
	atomic_store_explicit(&route->peer, 0, memory_order_relaxed);
	/* F1, pairs with F2: who finds the fork finds it filled. */
	atomic_store_explicit(&route->fork_first, of->fork_first, memory_order_release);
	route_describe(media, leg, config);
	remote_set(media, leg, config, now_ns);
	playout_leg_init(media, leg);
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
	struct plane_address *address = &media->addresses[config->address];
	uint32_t of = session_find(media, session), pair;
	unsigned place;
	int error;

	if (!of)
		return -ESTALE;
	place = session_place(&media->sessions[of], 0);
	error = place < STW_SESSION_LEGS_MAX
			? leg_take(media, &media->address_ports[config->address], now_ns, leg,
				   &pair)
			: -ENOSPC;
	if (error < 0) {
		media->refused++;
		return error;
	}
	leg_fill(media, *leg, of, pair, config, now_ns);
	media->sessions[of].legs[place] = *leg;
	media->legs_count++;
	if (*leg > atomic_load_explicit(&media->legs_top, memory_order_relaxed))
		atomic_store_explicit(&media->legs_top, *leg, memory_order_relaxed);
	/* L1, pairs with L2: a worker that finds the leg finds it filled. */
	atomic_store_explicit(&address->legs[pair], *leg, memory_order_release);
	return 0;
}

static void
endpoint_set(struct stw_endpoint *endpoint, rte_be32_t ip, rte_be16_t port)
{
	*endpoint = (struct stw_endpoint){0};
	if (!ip)
		return;
	endpoint->ip.family = 4;
	memcpy(endpoint->ip.bytes, &ip, sizeof(ip));
	endpoint->port = rte_be_to_cpu_16(port);
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
	plane_lock(media);
	error = leg_add(media, session, config, now_ns, &slot);
	if (error == 0) {
		leg->id = atomic_load_explicit(&media->cards[slot].handle, memory_order_relaxed);
		endpoint_set(local, media->routes[slot].local_ip, media->routes[slot].local_port);
	}
	plane_unlock(media);
	return error;
}

int
stw_leg_update(struct stw_media *media, struct stw_leg leg, const struct stw_leg_config *config,
	       uint64_t now_ns)
{
	union leg_traits traits;
	uint32_t slot;
	int error = 0;

	if (!config_is_valid(media, config))
		return -EINVAL;
	plane_lock(media);
	slot = leg_find(media, leg);
	if (!slot) {
		plane_unlock(media);
		return -ESTALE;
	}
	traits.word = atomic_load_explicit(&media->routes[slot].traits, memory_order_relaxed);
	if (traits.side != (uint8_t)config->side ||
	    media->routes[slot].address != config->address) {
		error = -EINVAL;
	} else {
		route_describe(media, slot, config);
		if (remote_word(&config->remote) != media->cards[slot].remote_word)
			remote_set(media, slot, config, now_ns);
	}
	plane_unlock(media);
	return error;
}

/** Credit what a leg has relayed since it was last counted to the leg it is connected to. */
static void
relayed_credit(struct stw_media *media, uint32_t from)
{
	uint64_t relayed =
		atomic_load_explicit(&media->intakes[from].relayed, memory_order_relaxed);
	uint32_t to = atomic_load_explicit(&media->routes[from].peer, memory_order_relaxed);

	if (to)
		media->cards[to].sent_before += relayed - media->cards[from].relayed_counted;
	media->cards[from].relayed_counted = relayed;
}

void
leg_connect(struct stw_media *media, uint32_t from, uint32_t to)
{
	relayed_credit(media, from);
	/* C1, pairs with C2: who relays to the leg finds it filled. */
	atomic_store_explicit(&media->routes[from].peer, to, memory_order_release);
}

void
leg_remove(struct stw_media *media, uint32_t leg, uint64_t now_ns)
{
	struct leg_route *route = &media->routes[leg];
	struct leg_card *card = &media->cards[leg];
	struct plane_address *address = &media->addresses[route->address];
	struct session *of = &media->sessions[handle_slot(card->session)];
	uint64_t until_ns = 0;
	uint32_t last;

	/* From here on packets find no leg; a burst under way may still have it. */
	atomic_store_explicit(&address->legs[card->pair], 0, memory_order_relaxed);
	leg_connect(media, leg, 0);
	of->legs[session_place(of, leg)] = 0;
	for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
		uint32_t other = of->legs[i];

		if (other &&
		    atomic_load_explicit(&media->routes[other].peer, memory_order_relaxed) == leg)
			leg_connect(media, other, 0);
	}
	if (atomic_load_explicit(&route->silent_ns, memory_order_relaxed))
		atomic_fetch_sub_explicit(&media->legs_silence, 1, memory_order_relaxed);
	atomic_store_explicit(&route->silent_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&card->handle, 0, memory_order_relaxed);
	playout_detach(media, leg);
	if (media->quarantine_ns)
		until_ns = now_ns + media->quarantine_ns;
	ports_release(&media->address_ports[route->address], card->pair, until_ns);
	last = (media->legs_retired_first + media->legs_retired_count++) % media->legs_slots;
	media->legs_retired[last] =
		(struct plane_retired){.token = rte_rcu_qsbr_start(media->rcu), .slot = leg};
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

/**
 * Copy a reception that its worker may be changing. Its words are whole, and numbers of a leg are
 * true give or take a packet, so no more is needed. ThreadSanitizer would tell of it.
 */
static void reception_read(struct rtp_reception *from, struct rtp_reception *to)
	__attribute__((no_sanitize("thread")));

static void
reception_read(struct rtp_reception *from, struct rtp_reception *to)
{
	_Atomic uint64_t *words = (_Atomic uint64_t *)from;
	uint64_t copy[sizeof(*to) / sizeof(uint64_t)];

	for (unsigned i = 0; i < STW_ARRAY_COUNT(copy); i++)
		copy[i] = atomic_load_explicit(&words[i], memory_order_relaxed);
	memcpy(to, copy, sizeof(*to));
}

/** RTP packets sent to a leg: by former peers, by present ones, and played. */
static uint64_t
packets_sent(const struct stw_media *media, uint32_t leg)
{
	const struct leg_card *card = &media->cards[leg];
	const struct session *of = &media->sessions[handle_slot(card->session)];
	uint64_t sent = card->sent_before - card->played_before;

	sent += atomic_load_explicit(&media->plays[leg].packets, memory_order_relaxed);
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
leg_stats_read(const struct stw_media *media, uint32_t leg, struct stw_leg_stats *stats)
{
	const struct leg_route *route = &media->routes[leg];
	struct leg_intake *intake = &media->intakes[leg];
	uint64_t remote = atomic_load_explicit(&route->remote, memory_order_relaxed);
	struct rtp_reception reception;

	reception_read(&intake->reception, &reception);
	endpoint_set(&stats->local, route->local_ip, route->local_port);
	endpoint_set(&stats->remote, leg_remote_ip(remote), leg_remote_port(remote));
	stats->latched = remote & LEG_LATCHED ? 1 : 0;
	stats->packets_received = reception.packets + reception.packets_stray;
	stats->bytes_received = atomic_load_explicit(&intake->bytes, memory_order_relaxed);
	stats->packets_sent = packets_sent(media, leg);
	stats->packets_foreign =
		atomic_load_explicit(&intake->packets_foreign, memory_order_relaxed);
	stats->packets_expected = rtp_reception_expected(&reception);
	stats->packets_lost = rtp_reception_lost(&reception);
	stats->jitter_us = rtp_reception_jitter_us(&reception);
	stats->digits = atomic_load_explicit(&intake->digits, memory_order_relaxed);
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
