/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who hears whom in a mix, from the roles of its legs.
 */
#ifndef STW_MEDIA_MIX_ROLES_H
#define STW_MEDIA_MIX_ROLES_H

#include <stdint.h>

#include <strowger/mix.h>

/** Places of a mix: one for each leg of a session. A matrix of them is one word: byte i is whom place i hears. */
#define MIX_PLACES STW_SESSION_LEGS_MAX

/** What decides who hears whom. */
struct mix_seat {
	uint64_t leg; /**< handle; 0: nobody sits here */
	uint64_t to;  /**< WHISPERER: handle of who hears it; 0: each PARTY on the agent's side */
	enum stw_mix_role role; /**< */
	enum stw_side side;     /**< */
};

/** The matrix of a mix. Threads: any. Progress: wait-free (bound: MIX_PLACES squared). */
uint64_t roles_matrix(const struct mix_seat seats[MIX_PLACES]);

#endif
