/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From class to class, from queue to queue: re-prioritised, moved, overflowed, transferred.
 *
 * Queue, class and rank are there twice. Who re-prioritises owns the set that is not valid (ACD_RANKING; one thread at
 * a time, a second one is told so rather than made to wait), and the change of the word makes it valid. The contact
 * can be offered, cancelled and so on at any moment in between. Its slot is not given to another contact while
 * the owner might still write: who is last, the one that ends the contact or the owner, gives it back.
 *
 * A move to another queue goes by the closing word MOVING, which anyone may finish (finish.c): its event, its agent,
 * if it had one, and then WAITING with the other side. What the owner has written there stays until then: the
 * next owner finishes what he meets before he writes. Before the word is changed the contact is let into the
 * new queue, and it is known to the old one until the move is finished, so neither queue goes.
 *
 * An owner that is stopped for ever keeps that one contact from further changes of class and queue (-EBUSY), and from
 * its overflow; it can be offered, answered, cancelled and ended as ever.
 */
#include "engine.h"

#include <errno.h>

/* Own the side that is not valid. A retry means that another owner has finished. */
int
acd_contact_own(struct stw_acd *acd, uint32_t c, uint64_t generation)
{
	uint64_t free_of = generation << ACD_HOLDERS_BITS;
	uint64_t holders;

	do {
		if (acd_word_change(&acd->contacts[c].holders, free_of, free_of | ACD_RANKING))
			return 0;
		holders = acd_word_read(&acd->contacts[c].holders);
	} while (holders == free_of);
	return holders == (free_of | ACD_RANKING) ? -EBUSY : -ESTALE;
}

/* Give a waiting contact the class, from this word; the caller owns the other side. */
static int
contact_rerank(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t value, uint32_t urgency,
	       uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t next =
		word_contact_next(word, ACD_CONTACT_WAITING, word_slot(word)) ^ ACD_SIDE_BIT;
	struct acd_stay stay = acd_contact_stay(acd, c, word);

	if (acd_word_read(&acd->contacts[c].word) != word)
		return -EAGAIN;
	stay.class = value * STW_CLASS_COUNT + urgency;
	if (acd_contact_stay_write(acd, c, word_side(next), &stay))
		return -EAGAIN;
	return acd_contact_place(acd, c, word, next, now_ns, todo);
}

int
stw_contact_reprioritise(struct stw_acd *acd, struct stw_contact contact, uint8_t value,
			 uint8_t urgency, uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	uint64_t word;
	uint32_t c;
	int error;

	if (value >= STW_CLASS_COUNT || urgency >= STW_CLASS_COUNT)
		return -EINVAL;
	reclaim_enter();
	error = acd_contact_settle(acd, contact, &c, &word, now_ns, &todo);
	if (!error)
		error = acd_contact_own(acd, c, contact.id >> 32);
	if (error)
		goto out;
	do {
		error = acd_contact_settle(acd, contact, &c, &word, now_ns, &todo);
		if (!error && word_state(word) != ACD_CONTACT_WAITING)
			error = -EBUSY;
		if (!error)
			error = contact_rerank(acd, c, word, value, urgency, now_ns, &todo);
	} while (error == -EAGAIN);
	acd_contact_slot_leave(acd, c, 0, ACD_RANKING);
out:
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error;
}

/* Count a contact out of the queue where it waited or talked, and into the other. */
static void
move_count(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t to, uint64_t now_ns)
{
	uint32_t from = acd_contact_queue(acd, c, word);

	acd_count(acd, to, ACD_COUNT_OFFERED, 1);
	if (word_state(word) == ACD_CONTACT_WAITING) {
		atomic_fetch_sub_explicit(&acd->queues[from].waiting, 1, memory_order_relaxed);
		acd_count(acd, from, ACD_COUNT_OVERFLOWED, 1);
		return;
	}
	acd_count(acd, from, ACD_COUNT_ENDED, 1);
	acd_count(acd, from, ACD_COUNT_TRANSFERS, 1);
	acd_agent_count(acd, word_slot(word), ACD_AGENT_ENDED, 1);
	acd_agent_count(acd, word_slot(word), ACD_AGENT_TRANSFERS, 1);
	acd_count(acd, from, ACD_COUNT_TALK_NS,
		  acd_elapsed(acd_field_read(&acd->contacts[c].connect_ns), now_ns));
}

/*
 * Move a contact from this word, WAITING or CONNECTED, to the stay's queue, which has let it in; its class stays. The
 * caller owns the other side. -EAGAIN: the word has changed.
 */
static int
contact_move(struct stw_acd *acd, uint32_t c, uint64_t word, struct acd_stay stay, uint64_t now_ns,
	     struct acd_todo *todo)
{
	struct acd_contact *contact = &acd->contacts[c];
	bool waits = word_state(word) == ACD_CONTACT_WAITING;
	uint64_t next = word_contact_next(word, ACD_CONTACT_MOVING,
					  waits ? ACD_AGENT_NONE : word_slot(word));
	uint32_t position = atomic_load_explicit(&contact->entry_position, memory_order_relaxed);

	acd_announce_contact(acd, c, word, now_ns);
	stay.class = acd_field_read_32(&contact->class[word_side(word)]);
	if (acd_word_read(&contact->word) != word)
		return -EAGAIN;
	if (acd_contact_stay_write(acd, c, !word_side(word), &stay) ||
	    !acd_word_change(&contact->word, word, next))
		return -EAGAIN;
	move_count(acd, c, word, stay.q, now_ns);
	acd_contact_disarm(acd, c, word);
	if (waits)
		acd_entry_remove(acd, c, word, position);
	acd_contact_finish(acd, c, next, now_ns, todo);
	return 0;
}

/* Whether a queue is of the contact's tenant. */
static bool
is_own(const struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t q)
{
	return acd->queues[q].tenant == acd->queues[acd_contact_queue(acd, c, word)].tenant;
}

/* Move a contact that has waited for too long. -EBUSY: another thread is changing its class or queue. */
int
acd_contact_overflow(struct stw_acd *acd, uint32_t c, uint64_t word, struct stw_queue to,
		     uint64_t now_ns, struct acd_todo *todo)
{
	uint32_t generation = acd_field_read_32(&acd->contacts[c].generation);
	struct acd_stay stay = {.entered_ns = now_ns, .preferred_until_ns = now_ns};
	int error = acd_queue_enter(acd, to, now_ns, &stay.q);

	if (error)
		return error;
	error = acd_contact_own(acd, c, generation);
	if (!error && !is_own(acd, c, word, stay.q)) {
		acd_contact_slot_leave(acd, c, 0, ACD_RANKING);
		error = -ESHUTDOWN;
	} else if (!error) {
		error = contact_move(acd, c, word, stay, now_ns, todo);
		acd_contact_slot_leave(acd, c, 0, ACD_RANKING);
	}
	if (error)
		acd_queue_leave(acd, stay.q);
	/* Its life was over, so the word has passed. */
	return error == -ESTALE ? -EAGAIN : error;
}

/* What a host's call of these asks for. */
struct move {
	enum acd_contact_state from; /* the state in which the contact must be */
	struct stw_queue to;
	struct stw_agent preferred;
	uint64_t preferred_wait_ns;
};

static int
move_owned(struct stw_acd *acd, struct stw_contact contact, const struct move *move,
	   uint64_t now_ns, struct acd_todo *todo)
{
	struct acd_stay stay = {
		.entered_ns = now_ns,
		.preferred = move->preferred.id,
		.preferred_until_ns = acd_later(now_ns, move->preferred_wait_ns),
	};
	int error = acd_queue_enter(acd, move->to, now_ns, &stay.q);

	if (error)
		return error == -ESTALE ? -ENOENT : error;
	do {
		uint64_t word;
		uint32_t c;

		error = acd_contact_settle(acd, contact, &c, &word, now_ns, todo);
		if (!error && word_state(word) != move->from)
			error = -EBUSY;
		if (!error && !is_own(acd, c, word, stay.q))
			error = -ENOENT;
		if (!error)
			error = contact_move(acd, c, word, stay, now_ns, todo);
	} while (error == -EAGAIN);
	if (error)
		acd_queue_leave(acd, stay.q);
	return error;
}

static int
move_call(struct stw_acd *acd, struct stw_contact contact, struct move *move, uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	struct stw_contact_status status;
	uint64_t word;
	uint32_t c;
	int error;

	if (!now_ns || now_ns > ACD_NOW_MAX ||
	    (move->preferred_wait_ns > ACD_DURATION_MAX && move->preferred_wait_ns != UINT64_MAX))
		return -EINVAL;
	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	error = acd_contact_settle(acd, contact, &c, &word, now_ns, &todo);
	if (!error && word_state(word) != move->from)
		error = -EBUSY;
	if (!error)
		error = acd_contact_own(acd, c, contact.id >> 32);
	if (!error) {
		/* Who owns the other side alone changes the queue. */
		if (!move->to.id)
			error = stw_contact_status(acd, contact, &status);
		if (!move->to.id && !error)
			move->to = status.queue;
		if (!error)
			error = move_owned(acd, contact, move, now_ns, &todo);
		acd_contact_slot_leave(acd, c, 0, ACD_RANKING);
	}
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error;
}

int
stw_contact_move(struct stw_acd *acd, struct stw_contact contact, struct stw_queue to,
		 uint64_t now_ns)
{
	struct move move = {.from = ACD_CONTACT_WAITING, .to = to};

	return to.id ? move_call(acd, contact, &move, now_ns) : -ENOENT;
}

int
stw_contact_transfer(struct stw_acd *acd, struct stw_contact contact, struct stw_queue to,
		     struct stw_agent agent, uint64_t agent_wait_ns, uint64_t now_ns)
{
	struct move move = {.from = ACD_CONTACT_CONNECTED,
			    .to = to,
			    .preferred = agent,
			    .preferred_wait_ns = agent_wait_ns};

	return move_call(acd, contact, &move, now_ns);
}
