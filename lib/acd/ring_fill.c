/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filling a ring: who is rung beside the first. The thread that gave the contact to the first agent asks the others,
 * one after the other in the order in which they would have been chosen, until the step's ring_count ring or
 * nobody is left. A ring is filled once, when it forms; who becomes ready later does not join.
 *
 * An agent is passed over who missed the contact last, who is or was in this ring, and for whom another contact
 * waits: that one is served by an agent, this one would only be rung a little louder.
 *
 * May overlap everything; the protocol is ring.c's. Progress: each round asks another agent, or finds
 * that another thread has changed one's word or bit: lock-free. At most SKIPS_MAX are passed over.
 */
#include "ring.h"

/* Agents passed over before a ring stays as it is. */
#define SKIPS_MAX 16

/* A ring being filled. */
struct filling {
	uint32_t c;
	uint64_t k;
	uint64_t word; /* as last read */
	const struct acd_queue_description *queue;
	uint32_t skips[SKIPS_MAX];
	uint32_t skips_count;
};

static bool
is_in_ring(const struct stw_acd *acd, const struct filling *filling, uint32_t a)
{
	for (uint32_t place = 0; place < ACD_RING_MAX; place++)
		if (acd_ring_agent(acd, filling->c, place, filling->k) == a)
			return true;
	return false;
}

/* Step 1 of ring.c for place `place`, and what follows. The agent's word was read before the contact's, and that
 * before the entries (R3, R4). */
static bool
place_claim(struct stw_acd *acd, const struct filling *filling, uint32_t place, uint32_t a,
	    uint64_t agent_word, uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t hold = word_agent_hold(filling->c, filling->k, ACD_AFTER_NOTHING, place);

	acd_announce_agent(acd, a, agent_word, now_ns);
	if (!acd_word_change(&acd->agents[a].word, agent_word, hold))
		return false;
	acd_count_engine(acd, ACD_COUNT_READY, (uint64_t)-1);
	acd_agent_settle(acd, a, now_ns, todo);
	acd_idle_unlist(acd, a);
	return true;
}

/* Whether the contact rings still, from the same base. */
static bool
is_ringing(uint64_t word, uint64_t k)
{
	return word_state(word) == ACD_CONTACT_RINGING && ring_base(word) == k;
}

/* Who is asked next: by the first open step that has somebody left. */
static uint32_t
next_agent(struct stw_acd *acd, const struct filling *filling, uint64_t now_ns)
{
	uint32_t c = filling->c;
	uint32_t q = acd_contact_queue(acd, c, filling->word);
	uint32_t value = acd_contact_value(acd, c, filling->word);

	for (uint32_t k = 0; k <= word_step(filling->word) && k < filling->queue->steps_count;
	     k++) {
		const struct acd_step *step = &filling->queue->steps[k];
		uint32_t a = ACD_NOBODY;

		if (acd_step_asks(acd, step, value))
			a = acd_select_but(acd, q, step, k, c, filling->word, filling->skips,
					   filling->skips_count, now_ns);
		if (a != ACD_NOBODY)
			return a;
	}
	return ACD_NOBODY;
}

/* Ring somebody in a place; false: the ring is over, or nobody is left. */
static bool
place_fill(struct stw_acd *acd, struct filling *filling, uint32_t place, uint64_t now_ns,
	   struct acd_todo *todo)
{
	while (filling->skips_count < SKIPS_MAX) {
		uint32_t a = next_agent(acd, filling, now_ns);
		uint64_t agent_word;
		uint64_t word;

		if (a == ACD_NOBODY)
			return false;
		agent_word = acd_agent_settle(acd, a, now_ns, todo);
		word = acd_word_read(&acd->contacts[filling->c].word);
		if (!is_ringing(word, filling->k))
			return false;
		filling->word = word;
		if (ring_joined(word) >> place & 1)
			return true;
		/* What is open to him stays so while his word does (S4 in seats.c). */
		if (word_state(agent_word) != ACD_AGENT_READY ||
		    !(acd_agent_channels(acd, a) >> filling->queue->channel & 1))
			acd_idle_unlist(acd, a);
		else if (is_in_ring(acd, filling, a) || acd_agent_is_waited_for(acd, a))
			filling->skips[filling->skips_count++] = a;
		else if (place_claim(acd, filling, place, a, agent_word, now_ns, todo))
			return true;
	}
	return false;
}

/* Fill the ring of the contact that was just claimed by this entry, if it is one. */
void
acd_ring_fill(struct stw_acd *acd, const struct lower_bound_tree_entry *entry, uint64_t now_ns,
	      struct acd_todo *todo)
{
	uint32_t c = entry->item;
	struct filling filling = {.c = c, .k = word_version(entry->ref)};
	uint64_t word = acd_word_read(&acd->contacts[c].word);
	uint32_t missed;
	uint32_t count;

	if (!is_ringing(word, filling.k))
		return;
	filling.queue = acd_queue_description(acd, acd_contact_queue(acd, c, word));
	if (!filling.queue)
		return;
	filling.word = word;
	count = acd_ring_count(filling.queue, word);
	missed = acd_missed_by(acd, c, entry->ref);
	if (missed != ACD_AGENT_NONE)
		filling.skips[filling.skips_count++] = missed;
	for (uint32_t place = 1; place < count; place++)
		if (!place_fill(acd, &filling, place, now_ns, todo))
			return;
}
