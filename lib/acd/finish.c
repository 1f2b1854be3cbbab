/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finishing a decided contact: its event, then its agent, then its own next word (steps 4 and 5 of
 * claim.c). Any thread may do it for any other; each step is one compare-exchange that one wins.
 */
#include "ring.h"

/*
 * Count the end of the claim that `hold` is about among the agent's misses, once whoever does it; returns the
 * misses in a row. The tag says which claim was counted last. If the agent still holds after the
 * count was read, the count has not gone on to a later claim; so the compare-exchange counts this one
 * once. In the tag, the contact's slot is cut to 20 and the version to 28 bits: the next claim of the
 * same agent with the same tag is the same contact slot 2^28 changes later.
 */
uint32_t
acd_misses_count(struct acd_agent *agent, uint64_t hold, bool missed)
{
	uint64_t tag =
		((uint64_t)word_slot(hold) << 28 | (word_version(hold) & 0xfffffff)) & ACD_MISS_TAG;

	for (;;) {
		uint64_t old = acd_word_read(&agent->misses);
		uint64_t count = old >> ACD_MISS_SHIFT;

		if ((old & ACD_MISS_TAG) == tag || (!missed && !count) ||
		    acd_word_read(&agent->word) != hold)
			return (uint32_t)count;
		count = !missed ? 0 : count < 0xffff ? count + 1 : count;
		if (acd_word_change(&agent->misses, old, count << ACD_MISS_SHIFT | tag))
			return (uint32_t)count;
	}
}

/* What an agent does after a contact of queue q. */
static enum acd_agent_state
agent_next(struct stw_acd *acd, uint32_t a, uint64_t hold, uint32_t q, enum acd_outcome outcome,
	   uint64_t now_ns, uint32_t *reason)
{
	struct acd_agent *agent = &acd->agents[a];
	const struct acd_agent_description *description = acd_agent_description(acd, a);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	bool missed = outcome == ACD_OUTCOME_MISSED;
	bool ended = outcome == ACD_OUTCOME_ENDED;
	uint32_t misses = missed || ended ? acd_misses_count(agent, hold, missed) : 0;
	uint64_t pause_ns = 0;

	*reason = 0;
	if (word_after(hold) == ACD_AFTER_LOGOUT) {
		*reason = acd_seats_busy(acd, a) ? STW_REASON_LOGOUT : 0;
		return *reason ? ACD_AGENT_NOT_READY : ACD_AGENT_LOGGED_OUT;
	}
	if (word_after(hold) != ACD_AFTER_NOTHING) {
		*reason = atomic_load_explicit(&agent->after_reasons[word_after_side(hold)],
					       memory_order_relaxed);
		return ACD_AGENT_NOT_READY;
	}
	if (missed && description && description->misses_max && misses >= description->misses_max) {
		*reason = STW_REASON_MISSES;
		return ACD_AGENT_NOT_READY;
	}
	if (ended && queue)
		pause_ns = queue->wrap_up_ns;
	else if (missed && description)
		pause_ns = description->penalty_ns;
	if (!pause_ns)
		return ACD_AGENT_READY;
	acd_until_set(&agent->until_ns, &agent->word, hold, now_ns + pause_ns);
	if (ended)
		return ACD_AGENT_WRAP_UP;
	*reason = STW_REASON_PENALTY;
	return ACD_AGENT_PAUSED;
}

/* Step 4 for an agent whose claim it is, whatever he is to do after it; returns true if this call made
 * the agent ready, logged him out or may have freed a slot of his: he is to be looked at. */
bool
acd_agent_release(struct stw_acd *acd, uint32_t a, uint64_t claim, uint64_t word,
		  enum acd_outcome outcome, uint64_t now_ns)
{
	uint32_t q = acd_contact_queue(acd, word_slot(claim), word);
	bool parked = false;

	for (;;) {
		uint64_t hold = acd_word_read(&acd->agents[a].word);
		enum acd_agent_state state;
		uint32_t reason;

		if (word_state(hold) != ACD_AGENT_HOLD || !claim_is_same(hold, claim)) {
			acd_idle_ensure(acd, a);
			return acd_seats_release(acd, a, claim, word, now_ns) || parked;
		}
		if (outcome == ACD_OUTCOME_ENDED && acd_seats_park(acd, a, hold, true, now_ns)) {
			parked = true;
			continue;
		}
		state = agent_next(acd, a, hold, q, outcome, now_ns, &reason);
		atomic_store_explicit(&acd->agents[a].last_contact, word_slot(hold),
				      memory_order_relaxed);
		if (acd_agent_move(acd, a, hold, state, reason, false, now_ns))
			return state == ACD_AGENT_READY || state == ACD_AGENT_LOGGED_OUT ||
			       reason == STW_REASON_LOGOUT;
	}
}

/* Step 4 for the agent of a closing word. */
static bool
contact_release(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns)
{
	uint32_t a = word_slot(word);
	uint64_t k = (word_version(word) - 2) & ACD_VERSION_MASK;
	uint64_t claim = word_agent_hold(c, k, ACD_AFTER_NOTHING, 0);

	if (word_state(word) == ACD_CONTACT_WITHDRAWN)
		return acd_agent_release(acd, a, claim, word, ACD_OUTCOME_WITHDRAWN, now_ns);
	if (word_state(word) != ACD_CONTACT_ENDING && word_state(word) != ACD_CONTACT_MOVING)
		return acd_agent_release(acd, a, claim, word, ACD_OUTCOME_MISSED, now_ns);
	/* He may have won it in a ring, so the version says nothing; but while the contact is ENDING or
	 * MOVING, his claim of it is the right one (R5 in ring.c). */
	if (!acd_seats_claim(acd, a, c, &claim) || acd_word_read(&acd->contacts[c].word) != word) {
		acd_idle_ensure(acd, a);
		return false;
	}
	return acd_agent_release(acd, a, claim, word, ACD_OUTCOME_ENDED, now_ns);
}

/* Step 5 after a miss: the contact waits again, with its rank, and remembers who missed it. Who was to
 * have it in person has had his chance. */
void
acd_contact_requeue(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t missed_by,
		    uint64_t now_ns, struct acd_todo *todo)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, missed_by);
	uint64_t waiting = word_contact_next(word, ACD_CONTACT_WAITING, missed_by);
	uint32_t q = acd_contact_queue(acd, c, word);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint32_t k = word_step(word);

	/* Without one the contact is over, and with it its queue. */
	if (!queue)
		return;
	if (k == ACD_STEP_PREFERRED)
		k = 0;
	waiting =
		word_contact_at_step(waiting, k < queue->steps_count ? k : queue->steps_count - 1);
	acd_field_write_32(&acd->contacts[c].missed_generation, agent ? agent->generation : 0);
	/* Before it waits, so that who sees it wait finds it counted. */
	atomic_fetch_add_explicit(&acd->queues[q].waiting, 1, memory_order_relaxed);
	if (acd_contact_place(acd, c, word, waiting, now_ns, todo))
		atomic_fetch_sub_explicit(&acd->queues[q].waiting, 1, memory_order_relaxed);
}

/* Step 5 of a move: the contact waits in the queue of the other side, where it was let in before. */
static void
contact_arrive(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns,
	       struct acd_todo *todo)
{
	uint64_t waiting =
		word_contact_next(word, ACD_CONTACT_WAITING, ACD_AGENT_NONE) ^ ACD_SIDE_BIT;
	uint32_t from = acd_contact_queue(acd, c, word);

	waiting = word_contact_at_step(waiting, acd_preferred_step(acd, c, word_side(waiting)));
	acd_position_move(acd, c, acd_contact_queue(acd, c, waiting), now_ns);
	if (acd_contact_place(acd, c, word, waiting, now_ns, todo))
		return;
	acd_queue_known_drop(acd, from);
	acd_contact_widen_early(acd, c, now_ns);
}

/* Set and clear flags in a contact's holders; who leaves it closed and not held gives the slot back. */
void
acd_contact_slot_leave(struct stw_acd *acd, uint32_t c, uint64_t flags_set, uint64_t flags_cleared)
{
	_Atomic uint64_t *holders = &acd->contacts[c].holders;
	uint64_t old;
	uint64_t new;

	do {
		old = acd_word_read(holders);
		new = (old | flags_set) & ~flags_cleared;
	} while (!acd_word_change(holders, old, new));
	if ((new &(ACD_CLOSED | ACD_RANKING)) == ACD_CLOSED)
		slot_pool_give(&acd->contact_slots, c);
}

/* Step 5 at the end of a life. */
void
acd_contact_free(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint32_t q = acd_contact_queue(acd, c, word);

	if (!acd_word_change(&contact->word, word,
			     word_contact_next(word, ACD_CONTACT_FREE, ACD_AGENT_NONE)))
		return;
	acd_contact_slot_leave(acd, c, ACD_CLOSED, 0);
	acd_queue_known_drop(acd, q);
}

/*
 * Do what is left for a contact whose word, read before, is closing. What becomes matchable goes to todo:
 * the contact before its agent, so that others are asked first.
 */
void
acd_contact_finish(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns,
		   struct acd_todo *todo)
{
	bool ready = false;

	if (word_state(word) == ACD_CONTACT_RING_CLOSING) {
		acd_ring_finish(acd, c, word, now_ns, todo);
		return;
	}
	acd_announce_contact(acd, c, word, now_ns);
	if (word_slot(word) != ACD_AGENT_NONE)
		ready = contact_release(acd, c, word, now_ns);
	/* If that logged him out: before anybody is matched, and again after a fence (match.c). */
	if (ready)
		acd_preferred_leave(acd, word_slot(word), now_ns, todo);
	if (word_state(word) == ACD_CONTACT_DECLINED || word_state(word) == ACD_CONTACT_TIMED_OUT)
		acd_contact_requeue(acd, c, word, word_slot(word), now_ns, todo);
	else if (word_state(word) == ACD_CONTACT_MOVING)
		contact_arrive(acd, c, word, now_ns, todo);
	else
		acd_contact_free(acd, c, word);
	if (ready)
		acd_todo_agent(todo, word_slot(word));
}
