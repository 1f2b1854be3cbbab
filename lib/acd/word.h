/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two words on which everything is decided: one per contact, one per agent.
 *
 * contact   state 4 | side 1 | step 4 | agent 20 | version 35
 *   agent:   OFFERED and later: who has it. WAITING: who missed it last, or ACD_AGENT_NONE.
 *            RINGING, RING_CLOSING: who of several rings (ring.h).
 *   step:    the last routing step that is open to it, or ACD_STEP_PREFERRED: it waits for one agent.
 *            ENDING, WITHDRAWN, CANCELLED: why, an enum stw_cause.
 *   side:    which of the two copies of queue, class and rank is valid.
 *   version: one more at every change, over all lives of the slot: each value of the word is there
 *            once. It wraps after 3.4 * 10^10 changes of one slot: at 10,000 contacts a second, all
 *            in one slot, after 10 days, and a thread would have to be stopped between two
 *            instructions for exactly that many.
 *
 * agent, with a contact     HOLD 4 | after 2 | ring 3 | contact 20 | version 35
 *   ring:    his place among those whom the contact rings at once; 0 when he is alone.
 *   version: that of the contact's WAITING word that was claimed. What has become of the claim is
 *            said by the contact's word alone, so there is nothing to keep in step.
 * agent, without            state 4 | quiet 1 | reason 10 | stamp 49
 *   stamp:   from the agent's own counter, never twice (2^49 changes are 17 years at a million a
 *            second). quiet: no event tells of this word.
 */
#ifndef STW_ACD_WORD_H
#define STW_ACD_WORD_H

#include <stdbool.h>
#include <stdint.h>

#define ACD_AGENT_NONE 0xfffffu

#define ACD_VERSION_BITS   35
#define ACD_VERSION_MASK   ((UINT64_C(1) << ACD_VERSION_BITS) - 1)
#define ACD_SLOT_MASK      UINT64_C(0xfffff)
#define ACD_STATE_SHIFT    60
#define ACD_SIDE_BIT       (UINT64_C(1) << 59)
#define ACD_STEP_SHIFT     55
#define ACD_STEP_MASK      UINT64_C(0xf)
#define ACD_STEP_PREFERRED 15u
#define ACD_AFTER_SHIFT    58
#define ACD_RING_SHIFT     55
#define ACD_RING_MASK      UINT64_C(7)
#define ACD_QUIET_BIT      (UINT64_C(1) << 59)
#define ACD_REASON_SHIFT   49
#define ACD_REASON_MASK    UINT64_C(0x3ff)
#define ACD_STAMP_MASK     ((UINT64_C(1) << ACD_REASON_SHIFT) - 1)

/* Misses of an agent, a word of its own: how many in a row, and the claim that was counted last. */
#define ACD_MISS_SHIFT 48
#define ACD_MISS_TAG   ((UINT64_C(1) << ACD_MISS_SHIFT) - 1)

/* Places of a ring: who has one is said by a word (ring.c)   set 1 | version 35 | agent 20; and an
 * offer's number has its place above the version. */
#define ACD_RING_MAX            8
#define ACD_PLACE_VERSION_SHIFT 20
#define ACD_PLACE_SET           (UINT64_C(1) << ACD_VERSION_BITS)
#define ACD_RING_PLACE_SHIFT    60

enum acd_contact_state {
	ACD_CONTACT_FREE,
	ACD_CONTACT_WAITING,
	ACD_CONTACT_OFFERED,
	ACD_CONTACT_CONNECTED,
	ACD_CONTACT_RINGING, /* offered to several at once (ring.h) */
	/* Closing: decided, the agent not surely released yet. Anyone may finish them. */
	ACD_CONTACT_DECLINED,     /* then WAITING */
	ACD_CONTACT_TIMED_OUT,    /* then WAITING */
	ACD_CONTACT_WITHDRAWN,    /* cancelled while offered; then FREE */
	ACD_CONTACT_ENDING,       /* then FREE */
	ACD_CONTACT_CANCELLED,    /* left while waiting, no agent; then FREE */
	ACD_CONTACT_RING_CLOSING, /* then CONNECTED, WAITING or FREE */
	ACD_CONTACT_MOVING, /* to the queue of the other side, from an agent or not; then WAITING */
};

/* Why a ring is over that nobody has won, in its closing word; the events and releases of all live places follow
 * from it. */
enum acd_ring_cause {
	ACD_RING_CANCELLED,
	ACD_RING_LEASED,
	ACD_RING_TIMED_OUT,
	ACD_RING_DECLINED, /* one place is live: whose agent declined last */
};

enum acd_agent_state {
	ACD_AGENT_FREE, /* not defined */
	ACD_AGENT_LOGGED_OUT,
	ACD_AGENT_NOT_READY,
	ACD_AGENT_PAUSED, /* NOT_READY to the host, until the penalty ends */
	ACD_AGENT_READY,
	ACD_AGENT_HOLD,
	ACD_AGENT_WRAP_UP,
};

/* What was asked of an agent that has a contact. */
enum acd_after {
	ACD_AFTER_NOTHING,
	ACD_AFTER_NOT_READY,
	ACD_AFTER_LOGOUT,
	ACD_AFTER_NOT_READY_TOO, /* the same, with the other of two reasons */
};

static inline unsigned
word_state(uint64_t word)
{
	return (unsigned)(word >> ACD_STATE_SHIFT);
}

static inline uint64_t
word_version(uint64_t word)
{
	return word & ACD_VERSION_MASK;
}

/* Agent of a contact's word, contact of an agent's. */
static inline uint32_t
word_slot(uint64_t word)
{
	return (uint32_t)(word >> ACD_VERSION_BITS & ACD_SLOT_MASK);
}

static inline unsigned
word_side(uint64_t word)
{
	return !!(word & ACD_SIDE_BIT);
}

/* Last routing step open to a contact. */
static inline uint32_t
word_step(uint64_t word)
{
	return (uint32_t)(word >> ACD_STEP_SHIFT & ACD_STEP_MASK);
}

/* Place of an agent who holds among those who are rung. */
static inline uint32_t
word_ring(uint64_t word)
{
	return (uint32_t)(word >> ACD_RING_SHIFT & ACD_RING_MASK);
}

static inline enum acd_after
word_after(uint64_t word)
{
	return (enum acd_after)(word >> ACD_AFTER_SHIFT & 3);
}

/* Which of an agent's two reasons goes with his hold. */
static inline unsigned
word_after_side(uint64_t hold)
{
	return word_after(hold) == ACD_AFTER_NOT_READY_TOO;
}

static inline uint32_t
word_reason(uint64_t word)
{
	return (uint32_t)(word >> ACD_REASON_SHIFT & ACD_REASON_MASK);
}

static inline uint64_t
word_stamp(uint64_t word)
{
	return word & ACD_STAMP_MASK;
}

/* The contact's word after `old`: another state and agent, the same side and step, the next
 * version. */
static inline uint64_t
word_contact_next(uint64_t old, enum acd_contact_state state, uint32_t agent)
{
	return (uint64_t)state << ACD_STATE_SHIFT |
	       (old & (ACD_SIDE_BIT | ACD_STEP_MASK << ACD_STEP_SHIFT)) |
	       (uint64_t)agent << ACD_VERSION_BITS | ((old + 1) & ACD_VERSION_MASK);
}

/* The same word with another step; a closing word's cause is in the step's place. */
static inline uint64_t
word_contact_at_step(uint64_t word, uint32_t step)
{
	return (word & ~(ACD_STEP_MASK << ACD_STEP_SHIFT)) | (uint64_t)step << ACD_STEP_SHIFT;
}

static inline uint64_t
word_agent_hold(uint32_t contact, uint64_t version, enum acd_after after, uint32_t ring)
{
	return (uint64_t)ACD_AGENT_HOLD << ACD_STATE_SHIFT | (uint64_t)after << ACD_AFTER_SHIFT |
	       (uint64_t)ring << ACD_RING_SHIFT | (uint64_t)contact << ACD_VERSION_BITS | version;
}

static inline uint64_t
word_agent_make(enum acd_agent_state state, uint32_t reason, uint64_t quiet_bit, uint64_t stamp)
{
	return (uint64_t)state << ACD_STATE_SHIFT | quiet_bit |
	       (uint64_t)reason << ACD_REASON_SHIFT | (stamp & ACD_STAMP_MASK);
}

/* Whether version a is newer than b, over the wrap. */
static inline bool
word_version_after(uint64_t a, uint64_t b)
{
	uint64_t ahead = (a - b) & ACD_VERSION_MASK;

	return ahead != 0 && ahead < UINT64_C(1) << (ACD_VERSION_BITS - 1);
}

/* Version of the word that an event's sequence tells of: its highest bits. */
static inline uint64_t
word_version_of_sequence(uint64_t sequence)
{
	return sequence >> (64 - ACD_VERSION_BITS);
}

static inline bool
word_contact_closing(uint64_t word)
{
	return word_state(word) >= ACD_CONTACT_DECLINED;
}

/* The closing word that a contact's life ends with: why, in the step's place. */
static inline uint64_t
word_contact_last(uint64_t old, enum acd_contact_state state, uint32_t agent, uint32_t cause)
{
	return word_contact_at_step(word_contact_next(old, state, agent), cause);
}

/* Place that a ring's word is about, or an acd_ring_cause. */
static inline uint32_t
word_ring_last(uint64_t word)
{
	return word_slot(word) >> 1 & 7;
}

/* Of a closing ring: nobody has won it. */
static inline bool
word_ring_flag(uint64_t word)
{
	return word_slot(word) & 1;
}

/* Whether the contact is over: decided, and it will not wait again. */
static inline bool
word_contact_over(uint64_t word)
{
	if (word_state(word) == ACD_CONTACT_RING_CLOSING)
		return word_ring_flag(word) && word_ring_last(word) <= ACD_RING_LEASED;
	return word_state(word) == ACD_CONTACT_WITHDRAWN ||
	       word_state(word) == ACD_CONTACT_ENDING || word_state(word) == ACD_CONTACT_CANCELLED;
}

/* The last routing step that is open, as the host is told it. */
static inline uint32_t
word_step_open(uint64_t word)
{
	return word_contact_over(word) || word_step(word) == ACD_STEP_PREFERRED ? 0
										: word_step(word);
}

/* Whether the contact waits for one agent in person, or his phone rings for it, or it goes to where it
 * may wait for one. */
static inline bool
word_contact_in_person(uint64_t word)
{
	return word_state(word) == ACD_CONTACT_MOVING ||
	       (word_step(word) == ACD_STEP_PREFERRED && (word_state(word) == ACD_CONTACT_WAITING ||
							  word_state(word) == ACD_CONTACT_OFFERED));
}

/* A word whose side is where the contact stands when what is decided is done. */
static inline uint64_t
word_contact_settled(uint64_t word)
{
	return word_state(word) == ACD_CONTACT_MOVING ? word ^ ACD_SIDE_BIT : word;
}

#endif
