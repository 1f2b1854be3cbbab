/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who hears whom in a mix.
 */
#include "roles.h"

#include <stdbool.h>

static bool
whisper_is_for(const struct mix_seat *speaker, const struct mix_seat *listener)
{
	if (speaker->to)
		return speaker->to == listener->leg;
	return listener->role == STW_MIX_PARTY && listener->side == STW_SIDE_AGENT;
}

static bool
seat_hears(const struct mix_seat *listener, const struct mix_seat *speaker)
{
	if (!listener->leg || !speaker->leg || listener == speaker ||
	    listener->role == STW_MIX_HELD)
		return false;
	switch (speaker->role) {
	case STW_MIX_LISTENER:
	case STW_MIX_HELD:
		return false;
	case STW_MIX_WHISPERER:
		return whisper_is_for(speaker, listener);
	default:
		return true;
	}
}

uint64_t
roles_matrix(const struct mix_seat seats[MIX_PLACES])
{
	uint64_t matrix = 0;

	for (unsigned listener = 0; listener < MIX_PLACES; listener++) {
		for (unsigned speaker = 0; speaker < MIX_PLACES; speaker++) {
			if (seat_hears(&seats[listener], &seats[speaker]))
				matrix |= UINT64_C(1) << (8 * listener + speaker);
		}
	}
	return matrix;
}
