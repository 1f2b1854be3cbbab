/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions: slots, handles, and which leg's packets go where. All under the mutex of control.
 */
#include "session.h"

#include <errno.h>

#include "media/plane.h"

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

	if (config->struct_size < sizeof(*config))
		return -EINVAL;
	plane_lock(media);
	if (media->sessions_free_count == 0) {
		media->refused++;
		plane_unlock(media);
		return -ENOSPC;
	}
	slot = media->sessions_free[--media->sessions_free_count];
	added = &media->sessions[slot];
	*added = (struct session){
		.cookie = config->cookie, .generation = added->generation + 1, .used = 1};
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
	while (removed->fork_first)
		fork_unlink(media, removed->fork_first);
	removed->used = 0;
	media->sessions_count--;
	media->sessions_free[media->sessions_free_count++] = slot;
	plane_unlock(media);
	return 0;
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
		leg_connect(media, from_slot, to_slot);
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
