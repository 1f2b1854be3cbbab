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

#include <errno.h>

/* What is due and cannot be done, as another thread is just changing the contact's class or queue, is
 * tried again after so long. */
#define RETRY_NS UINT64_C(1000000)

static uint64_t
earlier(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* When a contact has waited for the longest time that its queue allows. */
static uint64_t
wait_end_ns(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t c,
	    uint64_t word)
{
	/* Who is called back does not wait on the line. */
	if (!queue->wait_max_ns || acd_contact_is_callback(acd, c))
		return ACD_NEVER;
	return acd_field_read(&acd->contacts[c].entered_ns[word_side(word)]) + queue->wait_max_ns;
}

/* When a contact has waited for its preferred agent for long enough. */
static uint64_t
preferred_end_ns(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	if (word_step(word) != ACD_STEP_PREFERRED)
		return ACD_NEVER;
	return acd_field_read(&acd->contacts[c].preferred_until_ns[word_side(word)]);
}

/* When the host of a contact that rings or talks has been silent for too long. */
static uint64_t
lease_end_ns(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t c,
	     uint64_t word)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint64_t renewed_ns = acd_field_read(&contact->renewed_ns);
	uint64_t since_ns =
		acd_field_read(word_state(word) == ACD_CONTACT_CONNECTED ? &contact->connect_ns
									 : &contact->offer_ns);

	if (!queue->lease_ns)
		return ACD_NEVER;
	return (since_ns > renewed_ns ? since_ns : renewed_ns) + queue->lease_ns;
}

/* Whether a timer goes with the word for how long it rings. Several have the one of their ring's first word. */
static bool
begins_to_ring(uint64_t word)
{
	return word_state(word) == ACD_CONTACT_OFFERED ||
	       (word_state(word) == ACD_CONTACT_RINGING && word == ring_first_word(word));
}

/* When something of a contact at this word has to be looked at; ACD_NEVER: nothing. The offer's ring
 * time is not in it. */
uint64_t
acd_contact_review_ns(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	const struct acd_queue_description *queue =
		acd_queue_description(acd, acd_contact_queue(acd, c, word));

	if (!queue)
		return ACD_NEVER;
	if (word_state(word) == ACD_CONTACT_WAITING)
		return earlier(
			earlier(preferred_end_ns(acd, c, word), acd_step_due_ns(acd, c, word)),
			wait_end_ns(acd, queue, c, word));
	/* A ring has one timer, of its first word. */
	return word_state(word) == ACD_CONTACT_RINGING && !begins_to_ring(word)
		       ? ACD_NEVER
		       : lease_end_ns(acd, queue, c, word);
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

/* Set the timer of a word that was published just now, if it needs one. */
void
acd_contact_arm(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint32_t position;

	if (begins_to_ring(word))
		acd_time_raise(&contact->offer_ns, now_ns);
	if (arm(acd, c, word, ring_end_ns(acd, c, word, now_ns), &position))
		atomic_store_explicit(&contact->timer_position, position, memory_order_relaxed);
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

/* A ring is over whose timer was set for this word. A retry means that somebody joined or declined. */
static bool
several_ring_out(struct stw_acd *acd, uint32_t c, uint64_t first, enum acd_ring_cause cause,
		 uint64_t now_ns, struct acd_todo *todo)
{
	for (;;) {
		uint64_t word = acd_word_read(&acd->contacts[c].word);

		if (word_state(word) != ACD_CONTACT_RINGING || ring_first_word(word) != first)
			return false;
		if (acd_ring_close(acd, c, word, cause, now_ns, todo))
			return true;
	}
}

static bool
ring_out(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t next = word_contact_next(word, ACD_CONTACT_TIMED_OUT, word_slot(word));
	uint32_t q = acd_contact_queue(acd, c, word);

	if (word_state(word) == ACD_CONTACT_RINGING)
		return several_ring_out(acd, c, word, ACD_RING_TIMED_OUT, now_ns, todo);
	acd_announce_contact(acd, c, word, now_ns);
	if (!acd_word_change(&acd->contacts[c].word, word, next))
		return false;
	acd_count(acd, q, ACD_COUNT_TIMED_OUT, 1);
	acd_agent_count(acd, word_slot(word), ACD_AGENT_TIMED_OUT, 1);
	acd_contact_finish(acd, c, next, now_ns, todo);
	return true;
}

/* A contact has waited for too long: it goes to the queue where such contacts go, or it leaves. */
static int
wait_out(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t c, uint64_t word,
	 uint64_t now_ns, struct acd_todo *todo)
{
	int error = -ESTALE;

	if (queue->overflow.id)
		error = acd_contact_overflow(acd, c, word, queue->overflow, now_ns, todo);
	if (error == -ESTALE || error == -ENOSPC || error == -ESHUTDOWN || error == -EHOSTDOWN)
		error = acd_contact_leave(acd, c, word, STW_CAUSE_WAIT_MAX, now_ns, todo);
	return error;
}

/* Open the steps that are due to a contact by its time in the queue. */
static int
steps_open(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t entered_ns = acd_field_read(&acd->contacts[c].entered_ns[word_side(word)]);

	/* When the description has changed meanwhile none may be due: look again. */
	if (!acd_contact_widen(acd, c, word, acd_elapsed(entered_ns, now_ns), now_ns))
		return -EBUSY;
	acd_todo_contact(todo, c);
	return 0;
}

/* Nobody has renewed a contact that rings or talks: its host has lost it. */
static int
reap(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns, struct acd_todo *todo)
{
	uint32_t q = acd_contact_queue(acd, c, word);
	int error;

	if (word_state(word) == ACD_CONTACT_RINGING)
		error = several_ring_out(acd, c, word, ACD_RING_LEASED, now_ns, todo) ? 0 : -EAGAIN;
	else if (word_state(word) == ACD_CONTACT_CONNECTED)
		error = acd_contact_end(acd, c, word, STW_CAUSE_LEASE, now_ns, todo);
	else
		error = acd_contact_leave(acd, c, word, STW_CAUSE_LEASE, now_ns, todo);
	if (!error)
		acd_count(acd, q, ACD_COUNT_REAPED, 1);
	return error;
}

/* Do what is due by now for a contact at this word. -EBUSY: it cannot be done now. */
static int
review(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns, struct acd_todo *todo)
{
	const struct acd_queue_description *queue =
		acd_queue_description(acd, acd_contact_queue(acd, c, word));

	if (!queue)
		return -EAGAIN;
	if (word_state(word) != ACD_CONTACT_WAITING)
		return reap(acd, c, word, now_ns, todo);
	/* By their order, as if each had fired at its time. */
	if (wait_end_ns(acd, queue, c, word) <
	    earlier(preferred_end_ns(acd, c, word), acd_step_due_ns(acd, c, word)))
		return wait_out(acd, queue, c, word, now_ns, todo);
	if (word_step(word) == ACD_STEP_PREFERRED)
		return acd_contact_step(acd, c, word, 0, now_ns, todo);
	return steps_open(acd, c, word, now_ns, todo);
}

/* Set a timer for a word anew, unless another thread has. */
static void
rearm(struct stw_acd *acd, const struct lower_bound_tree_entry *entry, uint32_t position,
      uint32_t next)
{
	if (lower_bound_tree_remove(&acd->timers, position, entry->item, entry->ref))
		atomic_store_explicit(&acd->contacts[entry->item].timer_position, next,
				      memory_order_relaxed);
	else
		lower_bound_tree_remove(&acd->timers, next, entry->item, entry->ref);
}

/* A contact's timer is due. Returns true if something came of it. */
bool
acd_contact_due(struct stw_acd *acd, const struct lower_bound_tree_entry *entry, uint32_t position,
		uint64_t now_ns, struct acd_todo *todo)
{
	uint32_t next = ACD_NO_POSITION;
	uint32_t c = entry->item;
	uint64_t word = entry->ref;
	uint64_t ring_ns;
	int error;

	if (entry->order >> 32 == ACD_TIMER_PLAIN)
		return ring_out(acd, c, word, now_ns, todo);
	ring_ns = ring_end_ns(acd, c, word, acd_field_read(&acd->contacts[c].offer_ns));
	if (acd_contact_review_ns(acd, c, word) <= now_ns) {
		error = review(acd, c, word, now_ns, todo);
		if (error != -EBUSY)
			return !error;
		acd_timer_set(acd, c, word, now_ns + RETRY_NS, ACD_TIMER_REVIEW, &next);
	} else if (ring_ns <= now_ns) {
		return ring_out(acd, c, word, now_ns, todo);
	} else {
		arm(acd, c, word, ring_ns, &next);
	}
	rearm(acd, entry, position, next);
	return false;
}
