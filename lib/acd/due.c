/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a contact's one timer is for, and what happens when it is due. A timer belongs to one WAITING, OFFERED or
 * CONNECTED word; who announces the word sets it (announce.c), at the earliest of all that may come due
 * while the word stays. Where several are rung it belongs to the ring's first word, and stays right until the ring
 * closes (ring.c).
 *
 * An offer's ring time is fixed when it is set: such a timer fires as it is. All else is looked at again
 * when the timer is due, as descriptions and renewals may have moved it: what is due is done, or another timer
 * is set and then the old one taken out; who finds that another thread has taken it out takes out his
 * own. So the word is never without a timer, and has one more at most per thread stopped in between.
 *
 * Progress: what is due is done by one compare-exchange from the timer's word, and when that fails another
 * thread has changed the contact: lock-free.
 */
#include "ring.h"

static uint64_t
earlier(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* When something of a contact at this word has to be looked at; ACD_NEVER: nothing. The offer's ring
 * time is not in it. */
uint64_t
acd_contact_review_ns(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	return word_state(word) == ACD_CONTACT_WAITING ? acd_step_due_ns(acd, c, word) : ACD_NEVER;
}

/* Whether a timer goes with the word for how long it rings. Several have the one of their ring's first word. */
static bool
begins_to_ring(uint64_t word)
{
	return word_state(word) == ACD_CONTACT_OFFERED ||
	       (word_state(word) == ACD_CONTACT_RINGING && word == ring_first_word(word));
}

/* When an offer made at offer_ns has rung for long enough. */
static uint64_t
ring_end_ns(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t offer_ns)
{
	const struct acd_queue_description *queue;

	if (!begins_to_ring(word))
		return ACD_NEVER;
	queue = acd_queue_description(acd, acd_contact_queue(acd, c, word));
	return queue && queue->offer_timeout_ns ? offer_ns + queue->offer_timeout_ns : ACD_NEVER;
}

/* Set a timer for a word whose offer, if it is one, rings until ring_ns; false: nothing will be due. */
static bool
arm(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t ring_ns, uint32_t *position)
{
	uint64_t review_ns = acd_contact_review_ns(acd, c, word);
	uint64_t deadline_ns = earlier(ring_ns, review_ns);

	if (deadline_ns == ACD_NEVER)
		return false;
	acd_timer_set(acd, c, word, deadline_ns,
		      ring_ns <= review_ns ? ACD_TIMER_PLAIN : ACD_TIMER_REVIEW, position);
	return true;
}

/* Set the timer of a word that was published just now; false: it needs none. */
bool
acd_contact_arm(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint32_t position;

	if (begins_to_ring(word))
		acd_time_raise(&contact->offer_ns, now_ns);
	if (!arm(acd, c, word, ring_end_ns(acd, c, word, now_ns), &position))
		return false;
	atomic_store_explicit(&contact->timer_position, position, memory_order_relaxed);
	return true;
}

/* Take out the timer of a word that has passed. */
void
acd_contact_disarm(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	lower_bound_tree_remove(
		&acd->timers,
		atomic_load_explicit(&acd->contacts[c].timer_position, memory_order_relaxed), c,
		word);
}

/* A ring has rung for too long; its timer was set for this word. A retry means that somebody joined or declined. */
static bool
several_ring_out(struct stw_acd *acd, uint32_t c, uint64_t first, uint64_t now_ns,
		 struct acd_todo *todo)
{
	for (;;) {
		uint64_t word = acd_word_read(&acd->contacts[c].word);

		if (word_state(word) != ACD_CONTACT_RINGING || ring_first_word(word) != first)
			return false;
		if (acd_ring_close(acd, c, word, ACD_RING_TIMED_OUT, now_ns, todo))
			return true;
	}
}

static bool
ring_out(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t next = word_contact_next(word, ACD_CONTACT_TIMED_OUT, word_slot(word));
	uint32_t q = acd_contact_queue(acd, c, word);

	if (word_state(word) == ACD_CONTACT_RINGING)
		return several_ring_out(acd, c, word, now_ns, todo);
	acd_announce_contact(acd, c, word, now_ns);
	if (!acd_word_change(&acd->contacts[c].word, word, next))
		return false;
	acd_count(acd, q, ACD_COUNT_TIMED_OUT, 1);
	acd_agent_count(acd, word_slot(word), ACD_AGENT_TIMED_OUT, 1);
	acd_contact_finish(acd, c, next, now_ns, todo);
	return true;
}

/* Do what is due by now for a contact at this word; false: nothing was, or the word has passed. */
static bool
review(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t enqueue_ns = acd_field_read(&acd->contacts[c].enqueue_ns);

	if (word_state(word) != ACD_CONTACT_WAITING ||
	    !acd_contact_widen(acd, c, word, acd_elapsed(enqueue_ns, now_ns), now_ns))
		return false;
	acd_todo_contact(todo, c);
	return true;
}

/* A contact's timer is due. Returns true if something came of it. */
bool
acd_contact_due(struct stw_acd *acd, const struct lower_bound_tree_entry *entry, uint32_t position,
		uint64_t now_ns, struct acd_todo *todo)
{
	struct acd_contact *contact = &acd->contacts[entry->item];
	uint64_t offer_ns = atomic_load_explicit(&contact->offer_ns, memory_order_relaxed);
	uint32_t next = ACD_NO_POSITION;
	uint64_t ring_ns;
	bool armed;

	if (entry->order >> 32 == ACD_TIMER_PLAIN)
		return ring_out(acd, entry->item, entry->ref, now_ns, todo);
	ring_ns = ring_end_ns(acd, entry->item, entry->ref, offer_ns);
	if (acd_contact_review_ns(acd, entry->item, entry->ref) <= now_ns)
		return review(acd, entry->item, entry->ref, now_ns, todo);
	if (ring_ns <= now_ns)
		return ring_out(acd, entry->item, entry->ref, now_ns, todo);
	armed = arm(acd, entry->item, entry->ref, ring_ns, &next);
	if (lower_bound_tree_remove(&acd->timers, position, entry->item, entry->ref))
		atomic_store_explicit(&contact->timer_position, next, memory_order_relaxed);
	else if (armed)
		lower_bound_tree_remove(&acd->timers, next, entry->item, entry->ref);
	return false;
}
