/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ringing several agents at once: what the contact's word says then, and what ring.c offers.
 *
 * The agent bits of a RINGING or RING_CLOSING word:   joined 8 | live 8 | last 3 | flag 1
 *   joined:  places whose agent was ever rung. live: of them, those that ring still.
 *   RINGING: the word tells one event, of place `last`: an offer (flag 0) or a decline (flag 1).
 *   RING_CLOSING, flag 0: place `last` has accepted. Flag 1: `last` is an acd_ring_cause.
 *
 * Each join and each decline is one version, so the version of the WAITING word that all were claimed
 * from follows from the word alone: ring_base().
 */
#ifndef STW_ACD_RING_H
#define STW_ACD_RING_H

#include "engine.h"

/* What the contact's word says of the claim that an agent holds. */
enum acd_stage {
	ACD_STAGE_OPEN,     /* the contact still waits: do step 2 */
	ACD_STAGE_HELD,     /* the agent has it */
	ACD_STAGE_DECLINED, /* he has declined, and others ring on: do step 4 for him */
	ACD_STAGE_CLOSING,  /* decided: do steps 4 and 5 */
	ACD_STAGE_OVER,     /* it came to nothing */
	ACD_STAGE_AGAIN,    /* the word has changed: read again */
};

/* One of the events that a contact's word tells. */
struct acd_told_event {
	enum stw_event_type type;
	enum stw_cause cause;
	uint32_t agent; /* ACD_AGENT_NONE: none */
	uint32_t reason;
	uint64_t offer; /* its number; 0: about no offer */
};

/* Most events of one word: eight places of a ring and the contact's end. */
#define ACD_TOLD_MAX (ACD_RING_MAX + 1)

static inline uint32_t
ring_bits(uint32_t joined, uint32_t live, uint32_t last, uint32_t flag)
{
	return joined << 12 | live << 4 | last << 1 | flag;
}

static inline uint32_t
ring_joined(uint64_t word)
{
	return word_slot(word) >> 12;
}

static inline uint32_t
ring_live(uint64_t word)
{
	return word_slot(word) >> 4 & 0xff;
}

static inline bool
ring_is(uint64_t word)
{
	return word_state(word) == ACD_CONTACT_RINGING ||
	       word_state(word) == ACD_CONTACT_RING_CLOSING;
}

/* Whether the word closes a ring that `cause` ended. */
static inline bool
ring_closed_by(uint64_t word, enum acd_ring_cause cause)
{
	return word_ring_flag(word) && word_ring_last(word) == (uint32_t)cause;
}

/* Why a contact has left whose ring this word closes. */
static inline enum stw_cause
ring_leave_cause(uint64_t word)
{
	return ring_closed_by(word, ACD_RING_LEASED) ? STW_CAUSE_LEASE : STW_CAUSE_HOST;
}

/* Version of the WAITING word before the first join. */
static inline uint64_t
ring_base(uint64_t word)
{
	uint64_t changes = (uint64_t)__builtin_popcount(ring_joined(word)) +
			   (uint64_t)__builtin_popcount(ring_joined(word) & ~ring_live(word)) +
			   (word_state(word) == ACD_CONTACT_RING_CLOSING);

	return (word_version(word) - changes) & ACD_VERSION_MASK;
}

/* First RINGING word of the ring that a word belongs to; the ring's timer is set for it. */
static inline uint64_t
ring_first_word(uint64_t word)
{
	uint64_t before = (word & ~ACD_VERSION_MASK) | ring_base(word);

	return word_contact_next(before, ACD_CONTACT_RINGING, ring_bits(1, 1, 0, 0));
}

/* Number of an offer: the version after the claimed one, and the agent's place. */
static inline uint64_t
offer_number(uint64_t k, uint32_t place)
{
	return ((k + 1) & ACD_VERSION_MASK) | (uint64_t)place << ACD_RING_PLACE_SHIFT;
}

/* ring.c: the protocol. */
enum acd_stage acd_ring_stage(const struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t a,
			      uint64_t hold);
uint32_t acd_ring_agent(const struct stw_acd *acd, uint32_t c, uint32_t place, uint64_t k);
uint32_t acd_ring_count(const struct acd_queue_description *queue, uint64_t word);
bool acd_ring_asked(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t hold);
bool acd_ring_join(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t place, uint32_t a,
		   uint64_t now_ns);
int acd_ring_accept(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t place, uint64_t now_ns,
		    struct acd_todo *todo);
int acd_ring_decline(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t place,
		     uint32_t reason, uint64_t now_ns, struct acd_todo *todo);
bool acd_ring_close(struct stw_acd *acd, uint32_t c, uint64_t word, enum acd_ring_cause cause,
		    uint64_t now_ns, struct acd_todo *todo);
void acd_ring_finish(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns,
		     struct acd_todo *todo);
void acd_ring_release_declined(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t a,
			       uint64_t hold, uint64_t now_ns, struct acd_todo *todo);

/* ring_fill.c: who is rung beside the first. */
void acd_ring_fill(struct stw_acd *acd, const struct lower_bound_tree_entry *entry, uint64_t now_ns,
		   struct acd_todo *todo);

/* announce.c */
struct acd_told_event acd_leave_event(enum stw_cause cause);

/* ring_tell.c: what a word tells. */
uint32_t acd_ring_events(struct stw_acd *acd, uint32_t c, uint64_t word,
			 struct acd_told_event *events);

#endif
