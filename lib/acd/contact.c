/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contacts: coming, going, changing class.
 *
 * A handle is right for a word if the generation, read after the word, is the handle's. The generation is
 * written before a life's first word is published, so a word of that life or a later one is what
 * the holder of the handle reads; if a later life has begun, the generation read after it is a later one.
 * If the word belongs to an earlier moment than the generation, the word has changed since, and the compare-exchange
 * from it fails: no call changes a contact of another life.
 *
 * Queue, class and rank are there twice. Who re-prioritises owns the set that is not valid (ACD_RANKING; one thread at
 * a time, a second one is told so rather than made to wait), and the change of the word makes it valid. The contact
 * can be offered, cancelled and so on at any moment in between. Its slot is not given to another contact while
 * the owner might still write: who is last, the one that ends the contact or the owner, gives it back.
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
	return word_version_after(word_version(ref), word_version(word)) ? LOWER_BOUND_TREE_FUTURE
									 : LOWER_BOUND_TREE_STALE;
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

static int
request_check(const struct stw_contact_request *request, uint64_t now_ns)
{
	if (request->struct_size < sizeof(*request) || request->value >= STW_CLASS_COUNT ||
	    request->urgency >= STW_CLASS_COUNT || request->red_channel > 1 ||
	    request->credit_ns > ACD_DURATION_MAX || !now_ns || now_ns > ACD_NOW_MAX)
		return -EINVAL;
	return 0;
}

/* Count a contact in: into the queue's known and waiting ones. */
static int
queue_enter(struct stw_acd *acd, uint32_t q, const struct acd_queue_description *description)
{
	struct acd_queue *queue = &acd->queues[q];
	uint64_t known = atomic_load_explicit(&queue->known, memory_order_relaxed);
	int64_t waiting = atomic_load_explicit(&queue->waiting, memory_order_relaxed);

	do {
		if (known & ACD_QUEUE_FLAGS)
			return known & ACD_QUEUE_CLOSED ? -ESTALE : -ESHUTDOWN;
	} while (!atomic_compare_exchange_weak_explicit(
		&queue->known, &known, known + 1, memory_order_relaxed, memory_order_relaxed));
	if (!acd_tenant_contact_enter(acd, description->tenant)) {
		/* Not acd_queue_known_drop, which would uncount it from the tenant's. */
		atomic_fetch_sub_explicit(&queue->known, 1, memory_order_relaxed);
		return -ENOSPC;
	}
	do {
		if (description->length_max && waiting >= (int64_t)description->length_max) {
			acd_queue_known_drop(acd, q);
			return -ENOSPC;
		}
	} while (!atomic_compare_exchange_weak_explicit(&queue->waiting, &waiting, waiting + 1,
							memory_order_relaxed,
							memory_order_relaxed));
	return 0;
}

static void
queue_leave(struct stw_acd *acd, uint32_t q)
{
	atomic_fetch_sub_explicit(&acd->queues[q].waiting, 1, memory_order_relaxed);
	acd_queue_known_drop(acd, q);
}

/* Fill a free slot; nobody else writes it. Returns the rank. */
static int64_t
contact_fill(struct stw_acd *acd, uint32_t c, uint32_t q, const struct acd_queue_description *queue,
	     const struct stw_contact_request *request, uint64_t now_ns)
{
	struct acd_contact *contact = &acd->contacts[c];
	unsigned side = word_side(acd_word_read(&contact->word));
	uint32_t generation = acd_field_read_32(&contact->generation) + 1;
	uint32_t class = request->value * (uint32_t)STW_CLASS_COUNT + request->urgency;
	uint64_t credit_ns = request->red_channel ? UINT64_MAX : request->credit_ns;
	int64_t rank_ns =
		acd_rank(now_ns, queue->target_ns[request->value][request->urgency], credit_ns);

	generation += !generation;
	acd_field_write(&contact->enqueue_ns, now_ns);
	acd_field_write(&contact->arrival,
			atomic_fetch_add_explicit(&acd->arrival_numbers, 1, memory_order_relaxed));
	acd_field_write(&contact->holders, (uint64_t)generation << ACD_HOLDERS_BITS);
	acd_field_write_32(&contact->queue[side], q);
	acd_field_write_32(&contact->reason, 0);
	acd_field_write((_Atomic uint64_t *)&contact->rank_ns[side], (uint64_t)rank_ns);
	acd_field_write_32(&contact->class[side], class);
	acd_field_write(&contact->credit_ns, credit_ns);
	acd_field_write(&contact->entered_ns[side], now_ns);
	atomic_store_explicit(&contact->timer_position, ACD_NO_POSITION, memory_order_relaxed);
	acd_field_write(&contact->cookie, request->cookie);
	acd_field_write(&contact->told_count, (uint64_t)generation << 32);
	acd_field_write_32(&contact->generation, generation);
	return rank_ns;
}

/* Make a filled contact visible: entry, word, arrival, in this order. */
static int
contact_publish(struct stw_acd *acd, uint32_t c, uint32_t set, int64_t rank_ns, uint64_t now_ns)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint64_t free_word = acd_word_read(&contact->word);
	uint64_t word = word_contact_at_step(
		word_contact_next(free_word, ACD_CONTACT_WAITING, ACD_AGENT_NONE), 0);
	struct lower_bound_tree_entry entry = {
		.key = rank_ns,
		.order = acd_field_read(&contact->arrival),
		.ref = word,
		.item = c,
	};
	uint32_t position;

	if (lower_bound_tree_insert(&acd->waiting, set, &entry, &position))
		return -ENOSPC;
	atomic_store_explicit(&contact->entry_position, position, memory_order_relaxed);
	acd_word_change(&contact->word, free_word, word);
	acd_arrivals_add(acd);
	acd_announce_contact(acd, c, word, now_ns);
	return 0;
}

/* Put a contact into this queue. */
int
acd_contact_put(struct stw_acd *acd, struct stw_queue where,
		const struct stw_contact_request *request, uint64_t now_ns,
		struct stw_contact *handle)
{
	uint32_t q = (uint32_t)where.id;
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	struct acd_todo todo = {.count = 0};
	int64_t rank_ns;
	uint32_t c;
	int error;

	if (!queue || queue->generation != where.id >> 32)
		return -ESTALE;
	error = acd_calendar_open(acd, queue->calendar, now_ns) ? queue_enter(acd, q, queue)
								: -ESHUTDOWN;
	if (error == -ESTALE)
		return error;
	acd_count(acd, q, ACD_COUNT_OFFERED, 1);
	if (error)
		goto refused;
	error = slot_pool_take(&acd->contact_slots, &c);
	if (error)
		goto left;
	rank_ns = contact_fill(acd, c, q, queue, request, now_ns);
	*handle = (struct stw_contact){
		acd_handle(c, acd_field_read_32(&acd->contacts[c].generation))};
	error = contact_publish(acd, c, acd_step_set(queue, 0, request->value), rank_ns, now_ns);
	if (error)
		goto given;
	if (queue->announce_ns)
		acd_position_timer_set(acd, c, handle->id & ~(uint64_t)UINT32_MAX, now_ns);
	acd_todo_contact(&todo, c);
	acd_match_run(acd, &todo, now_ns);
	return 0;

given:
	slot_pool_give(&acd->contact_slots, c);
left:
	queue_leave(acd, q);
refused:
	acd_count(acd, q, ACD_COUNT_REFUSED, 1);
	return error;
}

static int
contact_enqueue(struct stw_acd *acd, const struct stw_contact_request *request, uint64_t now_ns,
		struct stw_contact *handle)
{
	uint32_t q = (uint32_t)request->queue.id;
	const struct acd_queue_description *queue;
	const struct stw_surge_rule *rule;

	if (q >= acd->config.queues_max || !request->queue.id)
		return -ESTALE;
	queue = acd_queue_description(acd, q);
	if (!queue || queue->generation != request->queue.id >> 32)
		return -ESTALE;
	rule = acd_surge_rule(acd, q, queue, request, now_ns);
	return rule ? acd_surge_apply(acd, q, rule, request, now_ns, handle)
		    : acd_contact_put(acd, request->queue, request, now_ns, handle);
}

int
stw_contact_enqueue(struct stw_acd *acd, const struct stw_contact_request *request, uint64_t now_ns,
		    struct stw_contact *contact)
{
	struct stw_contact handle;
	int error = request_check(request, now_ns);

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

/* A contact has gone before it was answered. */
void
acd_abandon_count(struct stw_acd *acd, uint32_t q, uint64_t wait_ns)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);

	acd_count(acd, q, ACD_COUNT_ABANDONED, 1);
	acd_count(acd, q, ACD_COUNT_ABANDONED_WAIT_NS, wait_ns);
	if (queue && wait_ns <= queue->short_abandon_ns)
		acd_count(acd, q, ACD_COUNT_ABANDONED_SHORT, 1);
	if (queue && wait_ns > queue->service_level_ns)
		acd_surge_served(acd, q, false);
}

/* Cancel from this word; -EAGAIN: it has changed. */
static int
contact_cancel(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns,
	       struct acd_todo *todo)
{
	struct acd_contact *contact = &acd->contacts[c];
	bool offered = word_state(word) == ACD_CONTACT_OFFERED;
	uint32_t q = acd_contact_queue(acd, c, word);
	uint64_t wait_ns = acd_elapsed(acd_field_read(&contact->enqueue_ns), now_ns);
	uint64_t next = offered ? word_contact_next(word, ACD_CONTACT_WITHDRAWN, word_slot(word))
				: word_contact_next(word, ACD_CONTACT_CANCELLED, ACD_AGENT_NONE);

	if (word_state(word) == ACD_CONTACT_RINGING)
		return acd_ring_close(acd, c, word, ACD_RING_CANCELLED, now_ns, todo) ? 0 : -EAGAIN;
	acd_announce_contact(acd, c, word, now_ns);
	if (!acd_word_change(&contact->word, word, next))
		return -EAGAIN;
	acd_abandon_count(acd, q, wait_ns);
	acd_contact_disarm(acd, c, word);
	if (offered) {
		acd_count(acd, q, ACD_COUNT_WITHDRAWN, 1);
		acd_agent_count(acd, word_slot(word), ACD_AGENT_WITHDRAWN, 1);
	} else {
		atomic_fetch_sub_explicit(&acd->queues[q].waiting, 1, memory_order_relaxed);
		lower_bound_tree_remove(
			&acd->waiting,
			atomic_load_explicit(&contact->entry_position, memory_order_relaxed), c,
			word);
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
			error = contact_cancel(acd, c, word, now_ns, &todo);
	} while (error == -EAGAIN);
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error;
}

/* Give a waiting contact the class, from this word; the caller owns the other pair. */
static int
contact_rerank(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t value, uint32_t urgency,
	       uint64_t now_ns, struct acd_todo *todo)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint32_t q = acd_contact_queue(acd, c, word);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint64_t next =
		word_contact_next(word, ACD_CONTACT_WAITING, word_slot(word)) ^ ACD_SIDE_BIT;
	uint32_t old_position =
		atomic_load_explicit(&contact->entry_position, memory_order_relaxed);
	uint32_t position;
	struct lower_bound_tree_entry entry = {.ref = next, .item = c};

	if (!queue)
		return -EAGAIN;
	entry.key = acd_rank(acd_field_read(&contact->enqueue_ns), queue->target_ns[value][urgency],
			     acd_field_read(&contact->credit_ns));
	entry.order = acd_field_read(&contact->arrival);
	acd_field_write((_Atomic uint64_t *)&contact->rank_ns[word_side(next)],
			(uint64_t)entry.key);
	acd_field_write_32(&contact->class[word_side(next)], value * STW_CLASS_COUNT + urgency);
	acd_field_write_32(&contact->queue[word_side(next)], q);
	acd_field_write(&contact->entered_ns[word_side(next)],
			acd_field_read(&contact->entered_ns[word_side(word)]));
	if (lower_bound_tree_insert(&acd->waiting, acd_step_set(queue, word_step(word), value),
				    &entry, &position))
		return -EAGAIN;
	if (!acd_word_change(&contact->word, word, next)) {
		lower_bound_tree_remove(&acd->waiting, position, c, next);
		return -EAGAIN;
	}
	lower_bound_tree_remove(&acd->waiting, old_position, c, word);
	acd_contact_disarm(acd, c, word);
	atomic_store_explicit(&contact->entry_position, position, memory_order_relaxed);
	/* A search may have passed the new entry before the change and the old one after it. */
	acd_arrivals_add(acd);
	acd_announce_contact(acd, c, next, now_ns);
	acd_todo_contact(todo, c);
	return 0;
}

/* Own the pair of class and rank that is not valid. A retry means that another owner has finished. */
static int
ranking_begin(struct stw_acd *acd, uint32_t c, uint64_t generation)
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
		error = ranking_begin(acd, c, contact.id >> 32);
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

/* End from this word; -EAGAIN: it has changed. */
static int
contact_end(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t next = word_contact_next(word, ACD_CONTACT_ENDING, word_slot(word));
	uint32_t q = acd_contact_queue(acd, c, word);
	uint64_t since_ns = acd_field_read(&acd->contacts[c].connect_ns);

	acd_announce_contact(acd, c, word, now_ns);
	if (!acd_word_change(&acd->contacts[c].word, word, next))
		return -EAGAIN;
	acd_count(acd, q, ACD_COUNT_ENDED, 1);
	acd_agent_count(acd, word_slot(word), ACD_AGENT_ENDED, 1);
	acd_count(acd, q, ACD_COUNT_TALK_NS, acd_elapsed(since_ns, now_ns));
	acd_contact_finish(acd, c, next, now_ns, todo);
	return 0;
}

int
stw_contact_end(struct stw_acd *acd, struct stw_contact contact, uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	uint64_t word;
	uint32_t c;
	int error;

	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	do {
		error = acd_contact_settle(acd, contact, &c, &word, now_ns, &todo);
		if (!error)
			error = word_state(word) == ACD_CONTACT_CONNECTED
					? contact_end(acd, c, word, now_ns, &todo)
					: -EBUSY;
	} while (error == -EAGAIN);
	acd_match_run(acd, &todo, now_ns);
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
		if (ring_flag(word))
			break;
		*a = acd_ring_agent(acd, c, ring_last(word), ring_base(word));
		return STW_CONTACT_CONNECTED;
	default:
		break;
	}
	*a = ACD_NOBODY;
	return STW_CONTACT_WAITING;
}

/* Whether a word is one of a contact that the host has no more. */
static bool
is_over(uint64_t word)
{
	return word_state(word) == ACD_CONTACT_RING_CLOSING
		       ? ring_closed_by(word, ACD_RING_CANCELLED)
		       : word_state(word) > ACD_CONTACT_TIMED_OUT;
}

static bool
status_read(struct stw_acd *acd, uint32_t c, uint64_t word, struct stw_contact_status *status)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint32_t q = acd_contact_queue(acd, c, word);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	const struct acd_agent_description *agent = NULL;

	uint32_t a;

	*status = (struct stw_contact_status){.state = state_and_agent(acd, c, word, &a)};
	if (a != ACD_NOBODY)
		agent = acd_agent_description(acd, a);
	if (agent)
		status->agent.id = acd_handle(a, agent->generation);
	if (queue)
		status->queue.id = acd_handle(q, queue->generation);
	status->enqueue_ns = acd_field_read(&contact->enqueue_ns);
	status->rank_ns =
		(int64_t)acd_field_read((_Atomic uint64_t *)&contact->rank_ns[word_side(word)]);
	status->cookie = acd_field_read(&contact->cookie);
	status->step = word_step(word);
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
		if (!error && is_over(word))
			error = -ESTALE;
		if (error || status_read(acd, c, word, &seen))
			break;
	}
	reclaim_exit();
	if (!error)
		*status = seen;
	return error;
}
