/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a waiting contact stands: an entry in the tree of its queue, or, while it waits for one agent in
 * person, in that agent's set of the tree `preferred`. The word's step says which, the copies of the
 * word's side say the rest.
 *
 * A contact goes to another place by putting in the new entry, then changing the word, then taking out the old entry:
 * an entry counts only while the word is its ref, so it stands in one place at any instant. A search
 * may pass the new entry before the change and the old one after it; `arrivals` makes it look again.
 *
 * Progress: each round fails only because another thread has changed the contact: lock-free.
 */
#include "engine.h"

#include <errno.h>

static struct lower_bound_tree *
tree_of(struct stw_acd *acd, uint64_t word)
{
	return word_step(word) == ACD_STEP_PREFERRED ? &acd->preferred : &acd->waiting;
}

/* Write the copies of one side, which its writer owns; the contact's enqueue time and credit are set.
 * -EAGAIN: the queue has gone; never when the writer or the contact at its word is counted in there. */
int
acd_contact_stay_write(struct stw_acd *acd, uint32_t c, unsigned side, const struct acd_stay *stay)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, stay->q);
	struct acd_contact *contact = &acd->contacts[c];
	int64_t rank_ns;

	if (!queue)
		return -EAGAIN;
	rank_ns = acd_rank(
		acd_field_read(&contact->enqueue_ns),
		queue->target_ns[stay->class / STW_CLASS_COUNT][stay->class % STW_CLASS_COUNT],
		acd_field_read(&contact->credit_ns));
	acd_field_write((_Atomic uint64_t *)&contact->rank_ns[side], (uint64_t)rank_ns);
	acd_field_write_32(&contact->class[side], stay -> class);
	acd_field_write_32(&contact->queue[side], stay->q);
	acd_field_write(&contact->entered_ns[side], stay->entered_ns);
	acd_field_write(&contact->preferred[side], stay->preferred);
	acd_field_write(&contact->preferred_until_ns[side], stay->preferred_until_ns);
	return 0;
}

/* Read the copies of a word's side. */
struct acd_stay
acd_contact_stay(const struct stw_acd *acd, uint32_t c, uint64_t word)
{
	const struct acd_contact *contact = &acd->contacts[c];
	unsigned side = word_side(word);

	return (struct acd_stay){
		.q = acd_field_read_32(&contact->queue[side]),
		.class = acd_field_read_32(&contact->class[side]),
		.entered_ns = acd_field_read(&contact->entered_ns[side]),
		.preferred = acd_field_read(&contact->preferred[side]),
		.preferred_until_ns = acd_field_read(&contact->preferred_until_ns[side]),
	};
}

/* Put in the entry of a WAITING word that is about to be published. */
int
acd_entry_insert(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t *position)
{
	struct acd_contact *contact = &acd->contacts[c];
	unsigned side = word_side(word);
	struct lower_bound_tree_entry entry = {
		.key = (int64_t)acd_field_read((_Atomic uint64_t *)&contact->rank_ns[side]),
		.order = acd_field_read(&contact->arrival),
		.ref = word,
		.item = c,
	};
	const struct acd_queue_description *queue =
		acd_queue_description(acd, acd_contact_queue(acd, c, word));
	uint32_t set;

	/* Without one the contact is over, and with it its queue. */
	if (!queue)
		return -ENOSPC;
	if (word_step(word) == ACD_STEP_PREFERRED)
		set = (uint32_t)acd_field_read(&contact->preferred[side]) * STW_CHANNEL_COUNT +
		      queue->channel;
	else
		set = acd_step_set(queue, word_step(word), acd_contact_value(acd, c, word));
	if (set >= tree_of(acd, word)->sets_count)
		return -ENOSPC;
	return lower_bound_tree_insert(tree_of(acd, word), set, &entry, position);
}

/*
 * Before the entry of a word that has passed goes, by another thread than the one that changed the word: when the
 * contact waits on with another word, that is counted, as who changed it may not have come to it (match.c).
 */
void
acd_entry_passed(struct stw_acd *acd, uint32_t c)
{
	if (word_state(acd_word_read(&acd->contacts[c].word)) == ACD_CONTACT_WAITING)
		acd_arrivals_add(acd);
}

/* Take out the entry of a WAITING word. */
void
acd_entry_remove(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t position)
{
	lower_bound_tree_remove(tree_of(acd, word), position, c, word);
}

/*
 * Change a contact's word to a WAITING one, with its entry and timer, from one that waits elsewhere or that is closing.
 * todo may be NULL: the caller sees to a match. -EAGAIN: the word is not `from` any more. There is an entry for every contact slot in the tree of the
 * queues, so when it is full it is full of stale entries that other threads are just taking out. In
 * the other tree there may be no room; then the contact goes to the steps.
 */
int
acd_contact_place(struct stw_acd *acd, uint32_t c, uint64_t from, uint64_t to, uint64_t now_ns,
		  struct acd_todo *todo)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint32_t old = atomic_load_explicit(&contact->entry_position, memory_order_relaxed);
	uint32_t position;

	while (acd_entry_insert(acd, c, to, &position)) {
		if (word_step(to) == ACD_STEP_PREFERRED) {
			acd_count_engine(acd, ACD_COUNT_PREFERRED_FULL, 1);
			to = word_contact_at_step(to, 0);
		}
		if (acd_word_read(&contact->word) != from)
			return -EAGAIN;
	}
	if (word_state(from) == ACD_CONTACT_WAITING)
		acd_announce_waiting(acd, c, from, now_ns);
	if (!acd_word_change(&contact->word, from, to)) {
		acd_entry_remove(acd, c, to, position);
		return -EAGAIN;
	}
	atomic_store_explicit(&contact->entry_position, position, memory_order_relaxed);
	/* Counted before the old entry goes (match.c). */
	acd_arrivals_add(acd);
	if (word_state(from) == ACD_CONTACT_WAITING) {
		acd_entry_remove(acd, c, from, old);
		acd_contact_disarm(acd, c, from);
	}
	acd_announce_contact(acd, c, to, now_ns);
	if (todo)
		acd_todo_contact(todo, c);
	return 0;
}

/* Let a waiting contact go on to another step. */
int
acd_contact_step(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t step, uint64_t now_ns,
		 struct acd_todo *todo)
{
	uint64_t next = word_contact_next(word, ACD_CONTACT_WAITING, word_slot(word));

	return acd_contact_place(acd, c, word, word_contact_at_step(next, step), now_ns, todo);
}
