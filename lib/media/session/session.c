/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions: slots, handles, and which leg's packets go where. All under the mutex of control.
 *
 *  label  where                             order    pairs with  without it
 *  C1     peer: written                     release  C2          (guard.c) an unfilled leg is sent to, or
 *                                                                who relays there is not heard
 */
#include "session.h"

#include <errno.h>

#include "media/plane.h"
#include "options.h"

uint32_t
session_find(const struct stw_media *media, struct stw_session session)
{
	uint32_t slot = handle_slot(session.id);

	if (slot == 0 || slot > media->sessions_max || !media->sessions[slot].used ||
	    media->sessions[slot].generation != session.id >> 32)
		return 0;
	return slot;
}

int
stw_session_add(struct stw_media *media, const struct stw_session_config *config,
		struct stw_session *session)
{
	struct session *added;
	uint32_t slot;
	int error = 0;

	if (config->struct_size < sizeof(*config))
		return -EINVAL;
	error = kernel_place_check(media, config->place);
	if (error < 0)
		return error;
	plane_lock(media);
	if (media->draining) {
		plane_refuse(media, STW_LIMIT_DRAIN);
		error = -ESHUTDOWN;
	} else if (media->sessions_free_count == 0) {
		error = plane_refuse(media, STW_LIMIT_SESSIONS);
	}
	if (error < 0) {
		plane_unlock(media);
		return error;
	}
	slot = media->sessions_free[--media->sessions_free_count];
	added = &media->sessions[slot];
	*added = (struct session){.cookie = config->cookie,
				  .generation = added->generation + 1,
				  .used = 1,
				  .place = (uint8_t)config->place};
	media->sessions_count++;
	session->id = handle_make(slot, added->generation);
	plane_unlock(media);
	return 0;
}

int
stw_session_remove(struct stw_media *media, struct stw_session session, uint64_t now_ns)
{
	struct session *removed;
	uint32_t slot;

	plane_lock(media);
	slot = session_find(media, session);
	removed = &media->sessions[slot];
	if (!slot) {
		plane_unlock(media);
		return -ESTALE;
	}
	for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
		if (removed->legs[i])
			leg_remove(media, removed->legs[i], now_ns);
	}
	mix_session_leave(media, slot);
	while (removed->fork_first)
		fork_unlink(media, removed->fork_first);
	removed->used = 0;
	media->sessions_count--;
	media->sessions_free[media->sessions_free_count++] = slot;
	plane_unlock(media);
	return 0;
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

/** A leg that is connected to another one, not counting `but`; 0: none. */
static uint32_t
session_connected_to(const struct stw_media *media, uint32_t to, uint32_t but)
{
	const struct session *of = &media->sessions[handle_slot(media->cards[to].session)];

	for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
		uint32_t from = of->legs[i];

		if (from && from != but &&
		    atomic_load_explicit(&media->routes[from].peer, memory_order_relaxed) == to)
			return from;
	}
	return 0;
}

void
session_connect(struct stw_media *media, uint32_t from, uint32_t to)
{
	uint32_t before = atomic_load_explicit(&media->routes[from].peer, memory_order_relaxed);

	/* Before the credit: what the kernel relays from here on is not the former peer's. */
	kernel_leave(media, from);
	if (to)
		kernel_leave_speakers(media, to);
	relayed_credit(media, from);
	options_way(media, from, to);
	if (to)
		atomic_store_explicit(&media->routes[to].speaker, from, memory_order_relaxed);
	/* C1, pairs with C2: who relays to the leg finds it filled, and itself its speaker. */
	atomic_store_explicit(&media->routes[from].peer, to, memory_order_release);
	if (before && before != to &&
	    atomic_load_explicit(&media->routes[before].speaker, memory_order_relaxed) == from)
		atomic_store_explicit(&media->routes[before].speaker,
				      session_connected_to(media, before, from),
				      memory_order_relaxed);
	kernel_leg_follow(media, from);
}

int
stw_leg_connect(struct stw_media *media, struct stw_leg from, struct stw_leg to)
{
	uint32_t from_slot, to_slot;
	int error = 0;

	plane_lock(media);
	from_slot = leg_find(media, from);
	to_slot = to.id ? leg_find(media, to) : 0;
	if (!from_slot || (to.id && !to_slot))
		error = -ESTALE;
	else if (from_slot == to_slot ||
		 (to_slot && media->cards[from_slot].session != media->cards[to_slot].session))
		error = -EINVAL;
	else
		session_connect(media, from_slot, to_slot);
	plane_unlock(media);
	return error;
}

void
session_check(struct stw_media *media)
{
	uint32_t sessions = 0, legs = 0;

	for (uint32_t slot = 1; slot <= media->sessions_max; slot++) {
		const struct session *session = &media->sessions[slot];

		sessions += session->used;
		for (unsigned i = 0; session->used && i < STW_SESSION_LEGS_MAX; i++) {
			if (!session->legs[i])
				continue;
			legs++;
			STW_ASSERT(media->cards[session->legs[i]].session ==
				   handle_make(slot, session->generation));
			STW_ASSERT(media->routes[session->legs[i]].fork_first ==
				   session->fork_first);
		}
	}
	STW_ASSERT(sessions == media->sessions_count);
	STW_ASSERT(sessions + media->sessions_free_count == media->sessions_max);
	STW_ASSERT(legs == media->legs_count);
	STW_ASSERT(legs + media->legs_free_count + media->legs_retired_count ==
		   media->legs_slots - 1);
}
