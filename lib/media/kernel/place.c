/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where sessions are relayed, as the host says and asks. All under the mutex of control.
 */
#include <errno.h>

#include "kernel.h"
#include "media/plane.h"

int
kernel_place_check(const struct stw_media *media, enum stw_place place)
{
	if ((unsigned)place > STW_PLACE_KERNEL)
		return -EINVAL;
	return place == STW_PLACE_KERNEL && !kernel_is_there(media) ? -ENOTSUP : 0;
}

int
stw_session_place_set(struct stw_media *media, struct stw_session session, enum stw_place place)
{
	int error = kernel_place_check(media, place);
	struct session *of;
	uint32_t slot;

	if (error < 0)
		return error;
	plane_lock(media);
	slot = session_find(media, session);
	of = &media->sessions[slot];
	if (slot) {
		of->place = (uint8_t)place;
		for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
			if (of->legs[i])
				kernel_leg_follow(media, of->legs[i]);
		}
	}
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}

/** Count a leg. */
static void
place_add(const struct stw_media *media, uint32_t leg, struct stw_session_place *place)
{
	uint32_t reasons;

	place->legs++;
	if (kernel_leg_is_inside(media, leg)) {
		place->legs_kernel++;
		return;
	}
	reasons = kernel_reasons(media, leg);
	/* Nothing is in the way: it waits for its next packet, or until the pause is over. */
	place->reasons |= reasons ? reasons : STW_PLACE_JUST_CHANGED;
}

int
stw_session_place(struct stw_media *media, struct stw_session session,
		  struct stw_session_place *place)
{
	uint32_t slot;

	plane_lock(media);
	slot = session_find(media, session);
	if (slot) {
		const struct session *of = &media->sessions[slot];

		*place = (struct stw_session_place){.asked = (enum stw_place)of->place};
		for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
			if (of->legs[i])
				place_add(media, of->legs[i], place);
		}
	}
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}
