/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Seats: where the contacts of an agent with several slots are once they are connected. What the words
 * mean; how they change is told in seats.c.
 *
 * seat      state 4 | channel 3 | 2 unused | contact 20 | version 35     TAKEN by a claim
 *           state 4 | channel 3 | 8 unused | stamp 49                    EMPTY, WRAP_UP
 *   contact, version: those of the hold that was parked here.
 *   stamp:   from the agent's own counter, never twice.
 * parking   seat 5 | 4 unused | contact 20 | version 35
 *   which seat the claim is parked in, or that it is not; said once for each claim.
 */
#ifndef STW_ACD_SEATS_H
#define STW_ACD_SEATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strowger/channel.h>

#include "base/base.h"
#include "word.h"

#define ACD_SEATS_MAX  STW_AGENT_SLOTS_MAX
#define ACD_CLAIM_MASK ((UINT64_C(1) << 55) - 1) /* contact and version of a hold */

#define ACD_SEAT_CHANNEL_SHIFT 57
#define ACD_PARKING_SHIFT      59
#define ACD_PARKING_NONE       UINT64_MAX /* before the first claim */
#define ACD_SEAT_DIRECT        16u        /* in parking: ended without a seat */

enum acd_seat_state {
	ACD_SEAT_EMPTY,
	ACD_SEAT_TAKEN,
	ACD_SEAT_WRAP_UP,
};

/* Of an agent who may have several slots; kept until he is removed. */
struct acd_seats {
	_Atomic uint64_t words[ACD_SEATS_MAX] STW_ALIGNED_LINE;
	_Atomic uint64_t parking;
	_Atomic uint32_t parks;                          /* 1: connected contacts are parked */
	_Atomic uint32_t timer_positions[ACD_SEATS_MAX]; /* of wrap-ups */
	_Atomic uint64_t until_ns[ACD_SEATS_MAX];        /* end of the wrap-up */
};

static inline enum acd_seat_state
seat_state(uint64_t word)
{
	return (enum acd_seat_state)(word >> ACD_STATE_SHIFT);
}

static inline unsigned
seat_channel(uint64_t word)
{
	return word >> ACD_SEAT_CHANNEL_SHIFT & 7;
}

static inline uint64_t
seat_taken(uint64_t hold, unsigned channel)
{
	return (uint64_t)ACD_SEAT_TAKEN << ACD_STATE_SHIFT |
	       (uint64_t)channel << ACD_SEAT_CHANNEL_SHIFT | (hold & ACD_CLAIM_MASK);
}

static inline uint64_t
seat_make(enum acd_seat_state state, unsigned channel, uint64_t stamp)
{
	return (uint64_t)state << ACD_STATE_SHIFT | (uint64_t)channel << ACD_SEAT_CHANNEL_SHIFT |
	       (stamp & ACD_STAMP_MASK);
}

/* Whether two words, of holds, of seats that are taken, or parking, are about the same claim. */
static inline bool
claim_is_same(uint64_t a, uint64_t b)
{
	return ((a ^ b) & ACD_CLAIM_MASK) == 0;
}

struct stw_acd;
struct acd_todo;
struct lower_bound_tree_entry;

/* seats.c: connected contacts of agents with several slots, with helping. */
uint64_t acd_stamp_take(struct stw_acd *acd, uint32_t a);
bool acd_seats_park(struct stw_acd *acd, uint32_t a, uint64_t hold, bool closing, uint64_t now_ns);
bool acd_seats_claim(struct stw_acd *acd, uint32_t a, uint32_t c, uint64_t *claim);
bool acd_seats_release(struct stw_acd *acd, uint32_t a, uint64_t hold, uint64_t contact_word,
		       uint64_t now_ns);
bool acd_seat_empty(struct stw_acd *acd, uint32_t a, uint32_t s, uint64_t seat, uint64_t now_ns);
bool acd_seats_busy(struct stw_acd *acd, uint32_t a);
bool acd_seats_settle(struct stw_acd *acd, uint32_t a, uint64_t word, uint64_t now_ns,
		      struct acd_todo *todo);
void acd_seats_connected(struct stw_acd *acd, uint32_t a, uint64_t now_ns, struct acd_todo *todo);
uint32_t acd_agent_channels(struct stw_acd *acd, uint32_t a);
uint32_t acd_seats_look(struct stw_acd *acd, uint32_t a);
bool acd_agent_is_open(struct stw_acd *acd, uint32_t a, uint32_t channel);

/* wrap_up.c: the ends of wrap-ups and pauses. */
bool acd_until_set(_Atomic uint64_t *until_ns, const _Atomic uint64_t *word, uint64_t seen,
		   uint64_t end_ns);
bool acd_wrap_up_begin(struct stw_acd *acd, uint32_t a, uint32_t s, uint64_t seat,
		       uint64_t contact_word, uint64_t now_ns);
uint32_t acd_wrap_ups_end(struct stw_acd *acd, uint32_t a, uint64_t now_ns);
void acd_wrap_ups_sweep(struct stw_acd *acd, uint32_t a, uint64_t word, uint64_t now_ns,
			struct acd_todo *todo);
bool acd_wrap_up_fire(struct stw_acd *acd, const struct lower_bound_tree_entry *entry,
		      uint64_t now_ns, struct acd_todo *todo);
bool acd_wrap_up_fire_seat(struct stw_acd *acd, const struct lower_bound_tree_entry *entry,
			   uint64_t now_ns, struct acd_todo *todo);
bool acd_wrap_up_timer_early(struct stw_acd *acd, uint32_t item, int64_t deadline_ns);
uint64_t acd_seat_timer_word(struct stw_acd *acd, uint32_t item);

#endif
