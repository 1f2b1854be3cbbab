/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contacts: coming, going, ending. Changing class and queue is in move.c.
 *
 * A handle is right for a word if the generation, read after the word, is the handle's. The generation is
 * written before a life's first word is published, so a word of that life or a later one is what
 * the holder of the handle reads; if a later life has begun, the generation read after it is a later one.
 * If the word belongs to an earlier moment than the generation, the word has changed since, and the compare-exchange
 * from it fails: no call changes a contact of another life.
 */
#include "ring.h"

#include <errno.h>

enum lower_bound_tree_verdict
acd_contact_entry_check(void *context, uint32_t item, uint64_t ref)
{
	struct stw_acd *acd = context;
	uint64_t word = acd_word_read(&acd->contacts[item].word);

	if (word == ref)
		return LOWER_BOUND_TREE_LIVE;
	if (word_version_after(word_version(ref), word_version(word)))
		return LOWER_BOUND_TREE_FUTURE;
	acd_entry_passed(acd, item);
	return LOWER_BOUND_TREE_STALE;
}

int
acd_contact_find(struct stw_acd *acd, struct stw_contact handle, uint32_t *c, uint64_t *word)
{
	uint32_t slot = (uint32_t)handle.id;

	if (slot >= acd->config.contacts_max || !handle.id)
		return -ESTALE;
	*c = slot;
	__builtin_prefetch(&acd->contacts[slot].rank_ns);
	*word = acd_word_read(&acd->contacts[slot].word);
	if (word_slot(*word) != ACD_AGENT_NONE && !ring_is(*word)) {
		__builtin_prefetch(&acd->agents[word_slot(*word)].word);
		__builtin_prefetch(&acd->agents[word_slot(*word)].description);
	}
	if (acd_field_read_32(&acd->contacts[slot].generation) != handle.id >> 32 ||
	    word_state(*word) == ACD_CONTACT_FREE)
		return -ESTALE;
	return 0;
}

/*
 * Find a contact, and finish it first if another thread has decided it and not come further: who has
 * seen a decision also sees all that follows from it. What that makes matchable goes to todo.
 */
int
acd_contact_settle(struct stw_acd *acd, struct stw_contact handle, uint32_t *c, uint64_t *word,
		   uint64_t now_ns, struct acd_todo *todo)
{
	for (;;) {
		int error = acd_contact_find(acd, handle, c, word);

		if (error || !word_contact_closing(*word))
			return error;
		acd_contact_finish(acd, *c, *word, now_ns, todo);
	}
}

int
acd_contact_request_check(const struct stw_contact_request *request, uint64_t now_ns)
{
	if (request->struct_size < sizeof(*request) || request->value >= STW_CLASS_COUNT ||
	    request->urgency >= STW_CLASS_COUNT || request->red_channel > 1 ||
	    request->last_agent > 1 || request->credit_ns > ACD_DURATION_MAX || !now_ns ||
	    now_ns > ACD_NOW_MAX ||
	    (request->preferred_wait_ns > ACD_DURATION_MAX &&
	     request->preferred_wait_ns != UINT64_MAX))
		return -EINVAL;
	return 0;
}

/* Fill a free slot; nobody else writes it. */
static void
contact_fill(struct stw_acd *acd, uint32_t c, uint32_t q, const struct stw_contact_request *request,
	     const struct acd_origin *origin, uint64_t now_ns)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint32_t generation = acd_field_read_32(&contact->generation) + 1;
	struct acd_stay stay = {
		.q = q,
		.class = request->value * (uint32_t)STW_CLASS_COUNT + request->urgency,
		.entered_ns = now_ns,
		.preferred = request->preferred.id,
		.preferred_until_ns = acd_later(now_ns, request->preferred_wait_ns),
	};

	generation += !generation;
	acd_field_write(&contact->enqueue_ns, origin->enqueue_ns);
	acd_field_write(&contact->partner, origin->partner);
	acd_field_write(&contact->customer, request->customer_key);
	acd_field_write(&contact->arrival,
			atomic_fetch_add_explicit(&acd->arrival_numbers, 1, memory_order_relaxed));
	acd_field_write(&contact->holders, (uint64_t)generation << ACD_HOLDERS_BITS);
	acd_field_write_32(&contact->reason, 0);
	acd_field_write(&contact->credit_ns,
			request->red_channel ? UINT64_MAX : request->credit_ns);
	acd_field_write(&contact->cookie, request->cookie);
	acd_field_write(&contact->told_count, (uint64_t)generation << 32);
	atomic_store_explicit(&contact->timer_position, ACD_NO_POSITION, memory_order_relaxed);
	acd_contact_stay_write(acd, c, word_side(acd_word_read(&contact->word)), &stay);
	acd_field_write_32(&contact->generation, generation);
}

/* Make a filled contact visible: entry, word, arrival, in this order. */
static void
contact_publish(struct stw_acd *acd, uint32_t c, uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t free_word = acd_word_read(&acd->contacts[c].word);
	uint64_t word = word_contact_next(free_word, ACD_CONTACT_WAITING, ACD_AGENT_NONE);
	uint32_t step = acd_preferred_step(acd, c, word_side(word));

	/* The slot is this thread's own, so its word does not change. */
	acd_contact_place(acd, c, free_word, word_contact_at_step(word, step), now_ns, todo);
}

/*
 * Put a contact into this queue, which is the request's unless a surge rule sends it elsewhere; the request
 * is in order. It takes its slot first and its place in the queue last: at that moment there is room in the engine,
 * too, for this very contact. The other way round others might fill the queue (by a decline, which is never
 * refused) before a slot is free, and there would be room in both at no moment.
 */
int
acd_contact_put(struct stw_acd *acd, struct stw_queue where,
		const struct stw_contact_request *request, const struct acd_origin *origin,
		uint64_t now_ns, struct stw_contact *handle)
{
	struct stw_contact_request known = *request;
	struct acd_origin place = *origin;
	struct acd_todo todo = {.count = 0};
	uint32_t c, q;
	int full = slot_pool_take(&acd->contact_slots, &c);
	int error = acd_queue_enter(acd, where, now_ns, &q);

	if (error)
		goto outside;
	error = full;
	if (error)
		goto left;
	acd_count(acd, q, ACD_COUNT_OFFERED, 1);
	known.customer_key = acd_customer_key(acd, q, known.customer_key);
	acd_history_apply(acd, acd_queue_description(acd, q), q, &known, &place, now_ns);
	contact_fill(acd, c, q, &known, &place, now_ns);
	*handle = (struct stw_contact){
		acd_handle(c, acd_field_read_32(&acd->contacts[c].generation))};
	contact_publish(acd, c, now_ns, &todo);
	acd_position_timer_set(acd, c, q, handle->id & ~(uint64_t)UINT32_MAX, now_ns);
	acd_match_run(acd, &todo, now_ns);
	return 0;

left:
	acd_queue_leave(acd, q);
outside:
	if (!full)
		slot_pool_give(&acd->contact_slots, c);
	if (error == -ESTALE)
		return error;
	acd_count(acd, q, ACD_COUNT_OFFERED, 1);
	acd_count(acd, q, ACD_COUNT_REFUSED, 1);
	if (error == -EHOSTDOWN)
		acd_count(acd, q, ACD_COUNT_REFUSED_UNSTAFFED, 1);
	return error;
}

static int
contact_enqueue(struct stw_acd *acd, const struct stw_contact_request *request, uint64_t now_ns,
		struct stw_contact *handle)
{
	struct acd_origin origin = {.enqueue_ns = now_ns};
	uint32_t q = (uint32_t)request->queue.id;
	const struct acd_queue_description *queue = acd_queue_named(acd, request->queue);
	const struct stw_surge_rule *rule;

	if (!queue)
		return -ESTALE;
	rule = acd_surge_rule(acd, q, queue, request, now_ns);
	return rule ? acd_surge_apply(acd, q, rule, request, now_ns, handle)
		    : acd_contact_put(acd, request->queue, request, &origin, now_ns, handle);
}

int
stw_contact_enqueue(struct stw_acd *acd, const struct stw_contact_request *request, uint64_t now_ns,
		    struct stw_contact *contact)
{
	struct stw_contact handle;
	int error = acd_contact_request_check(request, now_ns);

	if (error)
		return error;
	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	error = contact_enqueue(acd, request, now_ns, &handle);
	reclaim_exit();
	if (error >= 0 && error != STW_ENQUEUE_DEFLECTED)
		*contact = handle;
	return error;
}

/* Count a contact that has left a queue before it was connected, after so long there. */
void
acd_leave_count(struct stw_acd *acd, uint32_t q, enum stw_cause cause, uint64_t wait_ns)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);

	if (queue && wait_ns > queue->service_level_ns)
		acd_surge_served(acd, q, false);
	if (cause != STW_CAUSE_HOST) {
		acd_count(acd, q, ACD_COUNT_EXPIRED, 1);
		if (cause == STW_CAUSE_UNSTAFFED)
			acd_count(acd, q, ACD_COUNT_LEFT_UNSTAFFED, 1);
		return;
	}
	acd_count(acd, q, ACD_COUNT_ABANDONED, 1);
	acd_count(acd, q, ACD_COUNT_ABANDONED_WAIT_NS, wait_ns);
	if (queue && wait_ns <= queue->short_abandon_ns)
		acd_count(acd, q, ACD_COUNT_ABANDONED_SHORT, 1);
}

/*
 * Let go a contact that no agent has had, from this word, WAITING, OFFERED or RINGING: its caller has gone, or the engine
 * has a cause. -EAGAIN: the word has changed.
 */
int
acd_contact_leave(struct stw_acd *acd, uint32_t c, uint64_t word, enum stw_cause cause,
		  uint64_t now_ns, struct acd_todo *todo)
{
	struct acd_contact *contact = &acd->contacts[c];
	bool offered = word_state(word) == ACD_CONTACT_OFFERED;
	uint32_t q = acd_contact_queue(acd, c, word);
	uint32_t position = atomic_load_explicit(&contact->entry_position, memory_order_relaxed);
	struct acd_customer customer = {
		.key = acd_field_read(&contact->customer),
		.written_ns = now_ns,
		.gave_up_ns = now_ns,
		.place_ns = acd_field_read(&contact->enqueue_ns),
	};
	uint64_t wait_ns =
		acd_elapsed(acd_field_read(&contact->entered_ns[word_side(word)]), now_ns);
	uint64_t next =
		offered ? word_contact_last(word, ACD_CONTACT_WITHDRAWN, word_slot(word), cause)
			: word_contact_last(word, ACD_CONTACT_CANCELLED, ACD_AGENT_NONE, cause);

	if (word_state(word) == ACD_CONTACT_RINGING) {
		if (!acd_ring_close(acd, c, word,
				    cause == STW_CAUSE_HOST ? ACD_RING_CANCELLED : ACD_RING_LEASED,
				    now_ns, todo))
			return -EAGAIN;
		if (cause == STW_CAUSE_HOST)
			acd_history_write(acd, &customer, false);
		return 0;
	}
	acd_announce_contact(acd, c, word, now_ns);
	if (!acd_word_change(&contact->word, word, next))
		return -EAGAIN;
	acd_leave_count(acd, q, cause, wait_ns);
	if (cause == STW_CAUSE_HOST)
		acd_history_write(acd, &customer, false);
	acd_contact_disarm(acd, c, word);
	if (offered) {
		acd_count(acd, q, ACD_COUNT_WITHDRAWN, 1);
		acd_agent_count(acd, word_slot(word), ACD_AGENT_WITHDRAWN, 1);
	} else {
		atomic_fetch_sub_explicit(&acd->queues[q].waiting, 1, memory_order_relaxed);
		acd_entry_remove(acd, c, word, position);
	}
	acd_contact_finish(acd, c, next, now_ns, todo);
	return 0;
}

int
stw_contact_cancel(struct stw_acd *acd, struct stw_contact contact, uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	int error;

	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	do {
		uint64_t word;
		uint32_t c;

		error = acd_contact_settle(acd, contact, &c, &word, now_ns, &todo);
		if (!error && word_state(word) == ACD_CONTACT_CONNECTED)
			error = -EBUSY;
		if (!error)
			error = acd_contact_leave(acd, c, word, STW_CAUSE_HOST, now_ns, &todo);
	} while (error == -EAGAIN);
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error;
}

/* End a connected contact from this word; -EAGAIN: it has changed. */
int
acd_contact_end(struct stw_acd *acd, uint32_t c, uint64_t word, enum stw_cause cause,
		uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t next = word_contact_last(word, ACD_CONTACT_ENDING, word_slot(word), cause);
	uint32_t q = acd_contact_queue(acd, c, word);
	uint64_t since_ns = acd_field_read(&acd->contacts[c].connect_ns);
	const struct acd_agent_description *agent = acd_agent_description(acd, word_slot(word));
	struct acd_customer customer = {
		.key = acd_field_read(&acd->contacts[c].customer),
		.written_ns = now_ns,
		.agent = agent ? acd_handle(word_slot(word), agent->generation) : 0,
		.ended_ns = now_ns,
	};

	acd_announce_contact(acd, c, word, now_ns);
	if (!acd_word_change(&acd->contacts[c].word, word, next))
		return -EAGAIN;
	acd_history_write(acd, &customer, false);
	acd_contact_disarm(acd, c, word);
	acd_count(acd, q, ACD_COUNT_ENDED, 1);
	acd_agent_count(acd, word_slot(word), ACD_AGENT_ENDED, 1);
	if (cause == STW_CAUSE_TRANSFER) {
		acd_count(acd, q, ACD_COUNT_TRANSFERS, 1);
		acd_agent_count(acd, word_slot(word), ACD_AGENT_TRANSFERS, 1);
	}
	acd_count(acd, q, ACD_COUNT_TALK_NS, acd_elapsed(since_ns, now_ns));
	acd_contact_finish(acd, c, next, now_ns, todo);
	return 0;
}

/* End a contact for the host; *q: the queue that it had, *a: who had it. */
static int
end_call(struct stw_acd *acd, struct stw_contact contact, uint64_t now_ns, uint32_t *q, uint32_t *a)
{
	struct acd_todo todo = {.count = 0};
	uint64_t word;
	uint32_t c;
	int error;

	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	do {
		error = acd_contact_settle(acd, contact, &c, &word, now_ns, &todo);
		if (!error && word_state(word) != ACD_CONTACT_CONNECTED)
			error = -EBUSY;
		if (!error) {
			*q = acd_contact_queue(acd, c, word);
			*a = word_slot(word);
			error = acd_contact_end(acd, c, word, STW_CAUSE_HOST, now_ns, &todo);
		}
	} while (error == -EAGAIN);
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error;
}

int
stw_contact_end(struct stw_acd *acd, struct stw_contact contact, uint64_t now_ns)
{
	uint32_t q, a;

	return end_call(acd, contact, now_ns, &q, &a);
}

int
stw_contact_end_with(struct stw_acd *acd, struct stw_contact contact, uint8_t resolved,
		     uint64_t now_ns)
{
	uint32_t q, a;
	int error;

	if (resolved > 1)
		return -EINVAL;
	/* Queue and agent stay, or their rows at least are nobody else's, while this section lasts. */
	reclaim_enter();
	error = end_call(acd, contact, now_ns, &q, &a);
	if (!error) {
		acd_count(acd, q, ACD_COUNT_REPORTED, 1);
		acd_count(acd, q, ACD_COUNT_RESOLVED, resolved);
		acd_agent_count(acd, a, ACD_AGENT_REPORTED, 1);
		acd_agent_count(acd, a, ACD_AGENT_RESOLVED, resolved);
	}
	reclaim_exit();
	return error;
}

/* Where a contact stands, and whose it is: of several who are rung, the first. */
static enum stw_contact_state
state_and_agent(const struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t *a)
{
	*a = word_slot(word);
	switch (word_state(word)) {
	case ACD_CONTACT_OFFERED:
		return STW_CONTACT_OFFERED;
	case ACD_CONTACT_CONNECTED:
		return STW_CONTACT_CONNECTED;
	case ACD_CONTACT_RINGING:
		*a = acd_ring_agent(acd, c, (uint32_t)__builtin_ctz(ring_live(word)),
				    ring_base(word));
		return STW_CONTACT_OFFERED;
	case ACD_CONTACT_RING_CLOSING:
		if (word_ring_flag(word))
			break;
		*a = acd_ring_agent(acd, c, word_ring_last(word), ring_base(word));
		return STW_CONTACT_CONNECTED;
	default:
		break;
	}
	*a = ACD_NOBODY;
	return STW_CONTACT_WAITING;
}

static bool
status_read(struct stw_acd *acd, uint32_t c, uint64_t word, struct stw_contact_status *status)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint32_t q = acd_contact_queue(acd, c, word);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	const struct acd_agent_description *agent = NULL;
	unsigned side = word_side(word);

	uint32_t a;

	*status = (struct stw_contact_status){.state = state_and_agent(acd, c, word, &a)};
	if (a != ACD_NOBODY)
		agent = acd_agent_description(acd, a);
	if (agent)
		status->agent.id = acd_handle(a, agent->generation);
	if (queue)
		status->queue.id = acd_handle(q, queue->generation);
	status->enqueue_ns = acd_field_read(&contact->enqueue_ns);
	status->callback = acd_contact_is_callback(acd, c);
	status->entered_ns = acd_field_read(&contact->entered_ns[side]);
	if (word_state(word) == ACD_CONTACT_WAITING && word_step(word) == ACD_STEP_PREFERRED)
		status->preferred.id = acd_field_read(&contact->preferred[side]);
	status->rank_ns = (int64_t)acd_field_read((_Atomic uint64_t *)&contact->rank_ns[side]);
	status->cookie = acd_field_read(&contact->cookie);
	status->step = word_step_open(word);
	return acd_word_read(&contact->word) == word;
}

int
stw_contact_status(struct stw_acd *acd, struct stw_contact contact,
		   struct stw_contact_status *status)
{
	struct stw_contact_status seen;
	int error;

	reclaim_enter();
	for (;;) {
		uint64_t word;
		uint32_t c;

		error = acd_contact_find(acd, contact, &c, &word);
		if (!error && word_contact_over(word))
			error = -ESTALE;
		if (error || status_read(acd, c, word, &seen))
			break;
	}
	reclaim_exit();
	if (!error)
		*status = seen;
	return error;
}
