/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a contact stands in its queue and how long it will wait: on demand, and told every so often.
 *
 * The telling is a timer of its own, an entry for (contact, life, how many times told). Whoever finds it due
 * first puts in the next one, then moves the contact's count on by compare-exchange, and who wins that
 * sends the event. So each is told once, and a thread that is stopped in between leaves the next entry
 * behind: a contact that waits is told of again. An entry that another thread put in for the same number is
 * found to be late, and goes.
 *
 * An event's position may be out of date when it is taken; one that was sent as the contact was just being
 * offered or cancelled may come after that event. Nothing is decided by it.
 *
 * Everything may overlap everything. A retry means that the contact has changed: lock-free.
 *
 *  label  where             order    pairs with  without it
 *  none   told_count: all   relaxed  none        one event more or less in a race
 */
#include "engine.h"

#include <errno.h>

/* Contacts of the queue, at whatever step, that come before a rank. */
static uint32_t
ahead_in(struct stw_acd *acd, const struct acd_queue_description *queue, int64_t rank_ns,
	 uint64_t order)
{
	uint32_t ahead = 0;

	for (uint32_t k = 0; queue && k < queue->steps_count; k++)
		for (uint32_t lane = 0; lane < queue->steps[k].lanes_count; lane++)
			ahead += lower_bound_tree_count_before(
				&acd->waiting, queue->steps[k].lanes[lane].set, rank_ns, order);
	return ahead;
}

/* Contacts of the contact's queue that come before it. */
static uint32_t
ahead_of(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	struct acd_contact *contact = &acd->contacts[c];
	int64_t rank_ns =
		(int64_t)acd_field_read((_Atomic uint64_t *)&contact->rank_ns[word_side(word)]);

	return ahead_in(acd, acd_queue_description(acd, acd_contact_queue(acd, c, word)), rank_ns,
			acd_field_read(&contact->arrival));
}

/* Find a contact that waits, and how many are before it. */
static int
waiting_find(struct stw_acd *acd, struct stw_contact handle, uint32_t *q, uint32_t *ahead)
{
	for (;;) {
		uint64_t word, seen;
		uint32_t c;
		int error = acd_contact_find(acd, handle, &c, &word);

		if (error)
			return error;
		if (word_contact_over(word))
			return -ESTALE;
		seen = word;
		/* On its way to another queue it stands where it will wait. */
		if (word_state(word) == ACD_CONTACT_MOVING)
			word ^= ACD_SIDE_BIT;
		else if (word_state(word) != ACD_CONTACT_WAITING)
			return -EBUSY;
		*q = acd_contact_queue(acd, c, word);
		*ahead = ahead_of(acd, c, word);
		if (acd_word_read(&acd->contacts[c].word) == seen)
			return 0;
	}
}

int
stw_contact_position(struct stw_acd *acd, struct stw_contact contact, uint32_t *position)
{
	uint32_t q, ahead;
	int error;

	reclaim_enter();
	error = waiting_find(acd, contact, &q, &ahead);
	reclaim_exit();
	if (!error)
		*position = ahead + 1;
	return error;
}

int
stw_contact_ewt(struct stw_acd *acd, struct stw_contact contact, uint64_t now_ns, uint64_t *ewt_ns)
{
	uint32_t q, ahead;
	int error;

	reclaim_enter();
	error = waiting_find(acd, contact, &q, &ahead);
	if (!error)
		error = acd_pace_wait(acd, q, ahead, now_ns, ewt_ns);
	reclaim_exit();
	return error;
}

int
stw_queue_ewt(struct stw_acd *acd, struct stw_queue handle, uint8_t value, uint8_t urgency,
	      uint64_t now_ns, uint64_t *ewt_ns)
{
	const struct acd_queue_description *queue;
	uint32_t ahead;
	int error = -ESTALE;

	if (value >= STW_CLASS_COUNT || urgency >= STW_CLASS_COUNT || !now_ns ||
	    now_ns > ACD_NOW_MAX)
		return -EINVAL;
	reclaim_enter();
	queue = acd_queue_named(acd, handle);
	if (!queue)
		goto out;
	ahead = ahead_in(acd, queue, acd_rank(now_ns, queue->target_ns[value][urgency], 0),
			 UINT64_MAX);
	error = 0;
	if (!ahead && acd_idle_longest_but(acd, queue->channel, queue->steps[0].members, NULL, 0) !=
			      ACD_NOBODY)
		*ewt_ns = 0;
	else
		error = acd_pace_wait(acd, (uint32_t)handle.id, ahead, now_ns, ewt_ns);
out:
	reclaim_exit();
	return error;
}

/* Put in the timer for telling a contact's position, in this queue, for the nth time in its life. */
void
acd_position_timer_set(struct stw_acd *acd, uint32_t c, uint32_t q, uint64_t told, uint64_t now_ns)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	struct lower_bound_tree_entry entry = {
		.ref = told,
		.order = c,
		.item = c | ACD_TIMER_POSITION,
	};
	uint32_t position;

	if (!queue || !queue->announce_ns)
		return;
	entry.key = (int64_t)(now_ns + queue->announce_ns);
	/* There is room for one per contact, and stale ones are taken out before it fails. */
	(void)lower_bound_tree_insert(&acd->timers, 0, &entry, &position);
}

/* A contact comes into this queue from another: from now on it is told of as this one says. The timer of
 * before is late then. */
void
acd_position_move(struct stw_acd *acd, uint32_t c, uint32_t q, uint64_t now_ns)
{
	_Atomic uint64_t *count = &acd->contacts[c].told_count;
	uint64_t told = atomic_load_explicit(count, memory_order_relaxed);

	acd_position_timer_set(acd, c, q, told + 1, now_ns);
	atomic_compare_exchange_strong_explicit(count, &told, told + 1, memory_order_relaxed,
						memory_order_relaxed);
}

/* Whether a contact of that life is not connected, and this not told yet. */
enum lower_bound_tree_verdict
acd_position_timer_check(struct stw_acd *acd, uint32_t c, uint64_t told)
{
	uint64_t word = acd_word_read(&acd->contacts[c].word);

	return acd_field_read_32(&acd->contacts[c].generation) == told >> 32 &&
			       atomic_load_explicit(&acd->contacts[c].told_count,
						    memory_order_relaxed) <= told &&
			       word_state(word) != ACD_CONTACT_FREE &&
			       word_state(word) != ACD_CONTACT_CONNECTED &&
			       word_state(word) != ACD_CONTACT_ENDING && !word_contact_over(word)
		       ? LOWER_BOUND_TREE_LIVE
		       : LOWER_BOUND_TREE_STALE;
}

static void
position_tell(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t told, uint64_t now_ns)
{
	struct stw_event event = {.type = STW_EVENT_POSITION, .time_ns = now_ns};
	uint32_t q = acd_contact_queue(acd, c, word);
	uint32_t ahead = ahead_of(acd, c, word);

	acd_event_contact_fill(acd, &event, c, word);
	event.agent.id = 0;
	event.agent_cookie = 0;
	event.position = ahead + 1;
	if (acd_pace_wait(acd, q, ahead, now_ns, &event.ewt_ns))
		event.ewt_ns = UINT64_MAX;
	if (acd_word_read(&acd->contacts[c].word) != word)
		return;
	if (!event_queue_push(&acd->events, acd->config.contacts_max + acd->config.agents_max + c,
			      told + 1, &event))
		event_queue_lose(&acd->events, 1);
}

/* A timer is due; who called takes its entry out. */
bool
acd_position_fire(struct stw_acd *acd, uint32_t c, uint64_t told, uint64_t now_ns)
{
	_Atomic uint64_t *count = &acd->contacts[c].told_count;
	uint64_t old = atomic_load_explicit(count, memory_order_relaxed);
	uint64_t word = acd_word_read(&acd->contacts[c].word);

	if (old > told || acd_position_timer_check(acd, c, told) != LOWER_BOUND_TREE_LIVE)
		return false;
	acd_position_timer_set(acd, c, acd_contact_queue(acd, c, word), told + 1, now_ns);
	if (!atomic_compare_exchange_strong_explicit(count, &old, told + 1, memory_order_relaxed,
						     memory_order_relaxed))
		return false;
	/* While it rings there is nothing to tell. */
	if (word_state(word) == ACD_CONTACT_WAITING)
		position_tell(acd, c, word, told, now_ns);
	return true;
}
