/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Restoring: a snapshot's state is put into an engine that nobody uses yet. First everything is
 * looked at, so that what is refused has changed nothing; then everything is put in, which cannot
 * fail; then it is announced, which sets the timers, too, and matched.
 *
 * Words get the versions and stamps that follow the snapshot's, so that handles of offers stay right
 * and the numbers of events go on.
 */
#include "restore.h"

#include <errno.h>
#include <stdlib.h>

static int64_t
rank_shifted(const struct acd_plan *plan, const struct snapshot_contact *contact)
{
	/* A rank is the enqueue time and what does not depend on it. */
	return (int64_t)((uint64_t)contact->rank_ns + acd_plan_time(plan, contact->enqueue_ns) -
			 contact->enqueue_ns);
}

/* The snapshot's agent who has the contact, or missed it; ACD_NOBODY: none. Of several who were rung
 * none has missed it. */
static uint32_t
contact_agent(const struct acd_plan *plan, const struct snapshot_contact *from)
{
	if (from->state == SNAPSHOT_FREE || acd_plan_state(from) != from->state)
		return ACD_NOBODY;
	return acd_plan_agent(plan->snapshot, from->agent);
}

/* How it stands in its queue, but for the rank; of older files it came there when it was enqueued. */
static void
stay_put(struct acd_plan *plan, struct acd_contact *contact, const struct snapshot_contact *from)
{
	uint32_t q = plan->queues[(uint32_t)from->queue];
	uint32_t preferred = acd_plan_agent(plan->snapshot, from->preferred);
	uint64_t until_ns = from->preferred_until_ns;

	acd_field_write(
		&contact->entered_ns[0],
		acd_plan_time(plan, from->entered_ns ? from->entered_ns : from->enqueue_ns));
	acd_field_write(&contact->partner, from->partner);
	acd_field_write(&contact->customer, acd_customer_key(plan->acd, q, from->customer));
	acd_field_write(&contact->callback, from->id >> 32 << 1 | from->callback);
	/* Its host is to renew it anew. */
	acd_field_write(&contact->renewed_ns, plan->now_ns);
	preferred = preferred == ACD_NOBODY ? NAMES_NONE : plan->agents[preferred];
	if (preferred == NAMES_NONE)
		return;
	acd_field_write(
		&contact->preferred[0],
		acd_handle(preferred, acd_agent_description(plan->acd, preferred)->generation));
	acd_field_write(&contact->preferred_until_ns[0],
			until_ns == UINT64_MAX ? ACD_NEVER : acd_plan_time(plan, until_ns));
}

static void
fields_put(struct acd_plan *plan, uint32_t c, const struct snapshot_contact *from)
{
	struct acd_contact *contact = &plan->acd->contacts[c];
	uint32_t missed = contact_agent(plan, from);

	acd_field_write(&contact->enqueue_ns, acd_plan_time(plan, from->enqueue_ns));
	acd_field_write(&contact->arrival, from->arrival);
	acd_field_write(&contact->holders, from->id >> 32 << ACD_HOLDERS_BITS);
	acd_field_write_32(&contact->queue[0], plan->queues[(uint32_t)from->queue]);
	acd_field_write((_Atomic uint64_t *)&contact->rank_ns[0],
			(uint64_t)rank_shifted(plan, from));
	acd_field_write_32(&contact->class[0], from -> class);
	acd_field_write(&contact->credit_ns, from->credit_ns);
	acd_field_write(&contact->cookie, from->cookie);
	acd_field_write(&contact->connect_ns, acd_plan_time(plan, from->connect_ns));
	acd_field_write(&contact->told_count, from->id >> 32 << 32);
	stay_put(plan, contact, from);
	atomic_store_explicit(&contact->timer_position, ACD_NO_POSITION, memory_order_relaxed);
	if (missed != ACD_NOBODY && plan->agents[missed] != NAMES_NONE)
		acd_field_write_32(
			&contact->missed_generation,
			acd_agent_description(plan->acd, plan->agents[missed])->generation);
	if (from->arrival >=
	    atomic_load_explicit(&plan->acd->arrival_numbers, memory_order_relaxed))
		atomic_store_explicit(&plan->acd->arrival_numbers, from->arrival + 1,
				      memory_order_relaxed);
}

/* The step of a contact, in a queue that may have fewer than it had. Who rings at one in person does
 * so; who waits for one is looked at when the agents are there (waiting_put). */
static uint32_t
contact_step(const struct acd_plan *plan, const struct snapshot_contact *from)
{
	uint32_t last;

	if (from->state == SNAPSHOT_FREE)
		return 0;
	if (from->step == ACD_STEP_PREFERRED)
		return acd_plan_state(from) == SNAPSHOT_WAITING ||
				       (acd_plan_state(from) == SNAPSHOT_OFFERED &&
					from->preferred == from->agent)
			       ? ACD_STEP_PREFERRED
			       : 0;
	last = acd_queue_description(plan->acd, plan->queues[(uint32_t)from->queue])->steps_count -
	       1;
	return from->step < last ? from->step : last;
}

/* The word of a contact. An offer's handle has its version; others go on from there. */
static uint64_t
contact_word(const struct acd_plan *plan, const struct snapshot_contact *from)
{
	static const enum acd_contact_state states[] = {
		[SNAPSHOT_FREE] = ACD_CONTACT_FREE,
		[SNAPSHOT_WAITING] = ACD_CONTACT_WAITING,
		[SNAPSHOT_OFFERED] = ACD_CONTACT_OFFERED,
		[SNAPSHOT_CONNECTED] = ACD_CONTACT_CONNECTED,
	};
	uint32_t a = contact_agent(plan, from);
	uint64_t version = word_version_of_sequence(from->sequence);
	enum snapshot_state state = acd_plan_state(from);

	a = a == ACD_NOBODY ? ACD_AGENT_NONE : plan->agents[a];
	a = a == NAMES_NONE ? ACD_AGENT_NONE : a;
	version += state == SNAPSHOT_FREE || state == SNAPSHOT_WAITING;
	return word_contact_at_step((uint64_t)states[state] << ACD_STATE_SHIFT |
					    (uint64_t)a << ACD_VERSION_BITS |
					    (version & ACD_VERSION_MASK),
				    contact_step(plan, from));
}

/* When the agents are there: who waited for one in person goes on to do so, if that one is at work. */
static void
waiting_put(struct acd_plan *plan, uint32_t c)
{
	struct stw_acd *acd = plan->acd;
	struct acd_contact *contact = &acd->contacts[c];
	uint64_t word = acd_word_read(&contact->word);
	uint32_t position;
	int error;

	if (word_state(word) != ACD_CONTACT_WAITING)
		return;
	if (word_step(word) == ACD_STEP_PREFERRED)
		word = word_contact_at_step(word, acd_preferred_step(acd, c, 0));
	error = acd_entry_insert(acd, c, word, &position);
	if (error && word_step(word) == ACD_STEP_PREFERRED) {
		acd_count_engine(acd, ACD_COUNT_PREFERRED_FULL, 1);
		word = word_contact_at_step(word, 0);
		error = acd_entry_insert(acd, c, word, &position);
	}
	/* There is an entry for every contact slot. */
	STW_ASSERT(!error);
	acd_word_change(&contact->word, acd_word_read(&contact->word), word);
	atomic_store_explicit(&contact->entry_position, position, memory_order_relaxed);
	atomic_fetch_add_explicit(&acd->queues[acd_contact_queue(acd, c, word)].waiting, 1,
				  memory_order_relaxed);
	acd_arrivals_add(acd);
}

static void
contact_put(struct acd_plan *plan, uint32_t c)
{
	const struct snapshot_contact *from = &plan->snapshot->contacts[c];
	struct acd_contact *contact = &plan->acd->contacts[c];
	uint64_t word = contact_word(plan, from);
	uint64_t before = (word_version(word) - 1) & ACD_VERSION_MASK;

	if (!from->id)
		return;
	acd_field_write_32(&contact->generation, (uint32_t)(from->id >> 32));
	/* Its event is still to come, whatever the numbers of before were. */
	atomic_store_explicit(&contact->told, before, memory_order_relaxed);
	event_queue_resume(&plan->acd->events, c, before << (64 - ACD_VERSION_BITS));
	if (from->state != SNAPSHOT_FREE) {
		fields_put(plan, c, from);
		atomic_fetch_add_explicit(
			&plan->acd->queues[acd_contact_queue(plan->acd, c, word)].known, 1,
			memory_order_relaxed);
	}
	acd_word_change(&contact->word, acd_word_read(&contact->word), word);
}

/* A contact that an agent with several slots has goes into a seat of his (seats.c). */
static void
seat_put(struct acd_plan *plan, uint32_t c)
{
	uint64_t word = acd_word_read(&plan->acd->contacts[c].word);
	uint32_t a = word_slot(word), q;
	struct acd_seats *seats;

	if (word_state(word) != ACD_CONTACT_CONNECTED)
		return;
	seats = acd_agent_description(plan->acd, a)->seats;
	if (!seats)
		return;
	q = acd_contact_queue(plan->acd, c, word);
	atomic_store_explicit(
		&seats->words[--plan->seated[a]],
		seat_taken(word_agent_hold(c, (word_version(word) - 2) & ACD_VERSION_MASK,
					   ACD_AFTER_NOTHING, 0),
			   acd_queue_description(plan->acd, q)->channel),
		memory_order_relaxed);
}

/* Slots in use are taken, the others are free, the lowest on top. */
static void
slots_put(struct acd_plan *plan)
{
	struct slot_pool *slots = &plan->acd->contact_slots;
	uint32_t slot;

	while (!slot_pool_take(slots, &slot)) {
	}
	for (uint32_t c = plan->snapshot->contacts_max; c-- > 0;)
		if (plan->snapshot->contacts[c].state == SNAPSHOT_FREE)
			slot_pool_give(slots, c);
}

static uint64_t
agent_word(const struct acd_plan *plan, uint32_t a, const struct snapshot_agent *from)
{
	static const enum acd_agent_state states[] = {
		[STW_AGENT_LOGGED_OUT] = ACD_AGENT_LOGGED_OUT,
		[STW_AGENT_NOT_READY] = ACD_AGENT_NOT_READY,
		[STW_AGENT_READY] = ACD_AGENT_READY,
		[STW_AGENT_WRAP_UP] = ACD_AGENT_WRAP_UP,
	};
	uint32_t c = plan->holders[a];
	enum acd_agent_state state = states[from->state];

	if (c != ACD_NOBODY) {
		uint64_t word = acd_word_read(&plan->acd->contacts[c].word);
		uint64_t back = word_state(word) == ACD_CONTACT_OFFERED ? 1 : 2;

		return word_agent_hold(c, (word_version(word) - back) & ACD_VERSION_MASK,
				       ACD_AFTER_NOTHING, 0);
	}
	/* He logs out with his last contact, which may have ended just before. */
	if (state == ACD_AGENT_NOT_READY && from->reason == STW_REASON_LOGOUT &&
	    !acd_seats_busy(plan->acd, a))
		return word_agent_make(ACD_AGENT_LOGGED_OUT, 0, 0, from->sequence + 1);
	if (state == ACD_AGENT_NOT_READY && from->reason == STW_REASON_PENALTY)
		state = ACD_AGENT_PAUSED;
	return word_agent_make(state, from->reason,
			       state == ACD_AGENT_LOGGED_OUT ? ACD_QUIET_BIT : 0,
			       from->sequence + 1);
}

static void
agent_put(struct acd_plan *plan, uint32_t a, const struct snapshot_agent *from)
{
	struct stw_acd *acd = plan->acd;
	struct acd_agent *agent = &acd->agents[a];
	uint64_t word = agent_word(plan, a, from);
	bool in = word_state(word) != ACD_AGENT_LOGGED_OUT;

	atomic_store_explicit(&agent->stamps, from->sequence + 1, memory_order_relaxed);
	atomic_store_explicit(&agent->told, from->sequence, memory_order_relaxed);
	event_queue_resume(&acd->events, acd->config.contacts_max + a, from->sequence);
	atomic_store_explicit(&agent->misses, (uint64_t)from->misses << ACD_MISS_SHIFT,
			      memory_order_relaxed);
	atomic_store_explicit(&agent->until_ns, acd_plan_time(plan, from->until_ns),
			      memory_order_relaxed);
	atomic_store_explicit(&agent->since_ns, acd_plan_time(plan, from->since_ns),
			      memory_order_relaxed);
	atomic_store_explicit(&acd->idle_since_ns[a], acd_plan_time(plan, from->idle_since_ns),
			      memory_order_relaxed);
	atomic_store_explicit(&agent->contacts, from->contacts, memory_order_relaxed);
	atomic_store_explicit(&agent->busy_ns, from->busy_ns, memory_order_relaxed);
	atomic_store_explicit(&agent->login_ns, acd_plan_time(plan, from->login_ns),
			      memory_order_relaxed);
	atomic_store_explicit(&agent->busy_login_ns, from->busy_login_ns, memory_order_relaxed);
	atomic_store_explicit(&agent->contacts_today, from->contacts_today, memory_order_relaxed);
	acd_word_change(&agent->word, acd_word_read(&agent->word), word);
	acd_count_engine(acd, ACD_COUNT_LOGGED_IN, in);
	acd_count_engine(acd, ACD_COUNT_NOT_READY,
			 word_state(word) == ACD_AGENT_NOT_READY ||
				 word_state(word) == ACD_AGENT_PAUSED);
	acd_agent_cells_put(acd, a, from->numbers);
	if (word_state(word) == ACD_AGENT_READY) {
		acd_count_engine(acd, ACD_COUNT_READY, 1);
		acd_idle_list(acd, a);
	}
}

/* Of a queue that is not defined any more, the counters go to the row of the removed ones. */
static void
counters_put(struct acd_plan *plan, uint32_t from)
{
	const struct snapshot_queue *queue = &plan->snapshot->queues[from];
	const struct snapshot_census *census = &plan->contacts[from];
	uint32_t removed = plan->acd->config.queues_max;
	uint32_t row =
		from == removed || plan->queues[from] == NAMES_NONE ? removed : plan->queues[from];

	for (uint32_t i = 0; i < ACD_COUNTERS; i++)
		acd_count(plan->acd, row, (enum acd_counter)i, queue->counters[i]);
	/* Rings of several are over. */
	acd_count(plan->acd, row, ACD_COUNT_WITHDRAWN, census->rings + census->beside);
	acd_count(plan->acd, row, ACD_COUNT_OFFERS_BESIDE, 0 - census->beside);
	acd_time_raise(&plan->acd->queues[row].wait_ns_max, queue->wait_ns_max);
	if (row != removed)
		acd_queue_numbers_begin(plan->acd, row, plan->acd->queues[row].channel);
}

static void
all_put(struct acd_plan *plan)
{
	const struct stw_snapshot *snapshot = plan->snapshot;

	acd_interval_tick(plan->acd, plan->now_ns);
	slots_put(plan);
	for (uint32_t t = 0; t <= plan->acd->config.tenants_max; t++)
		if (plan->acd->tenants[t].contacts_max)
			atomic_store_explicit(&plan->acd->tenants[t].contacts, plan->tenants[t],
					      memory_order_relaxed);
	for (uint32_t c = 0; c < snapshot->contacts_max; c++)
		contact_put(plan, c);
	for (uint32_t c = 0; c < snapshot->contacts_max; c++)
		seat_put(plan, c);
	for (uint32_t a = 0; a < snapshot->agents_max; a++)
		if (plan->agents[a] != NAMES_NONE)
			agent_put(plan, plan->agents[a], &snapshot->agents[a]);
	for (uint32_t c = 0; c < snapshot->contacts_max; c++)
		waiting_put(plan, c);
	for (uint32_t q = 0; q <= snapshot->queues_max; q++)
		counters_put(plan, q);
	acd_numbers_restored(plan->acd);
}

/* Of a contact that is not connected, the position is told from now on. */
static void
contact_begin(struct stw_acd *acd, uint32_t c, uint64_t now_ns)
{
	uint64_t word = acd_word_read(&acd->contacts[c].word);

	acd_announce_contact(acd, c, word, now_ns);
	if (word_state(word) == ACD_CONTACT_WAITING || word_state(word) == ACD_CONTACT_OFFERED)
		acd_position_timer_set(acd, c, acd_contact_queue(acd, c, word),
				       acd_field_read(&acd->contacts[c].told_count), now_ns);
}

/* Tell what there is, set the timers, match. */
static void
all_begin(struct acd_plan *plan)
{
	struct stw_acd *acd = plan->acd;
	struct acd_todo todo = {.overflow = true};

	reclaim_enter();
	for (uint32_t a = 0; a < acd->config.agents_max; a++)
		acd_announce_agent(acd, a, acd_word_read(&acd->agents[a].word), plan->now_ns);
	for (uint32_t c = 0; c < acd->config.contacts_max; c++)
		contact_begin(acd, c, plan->now_ns);
	acd_match_run(acd, &todo, plan->now_ns);
	reclaim_exit();
}

static bool
plan_alloc(struct acd_plan *plan)
{
	const struct stw_snapshot *snapshot = plan->snapshot;

	plan->queues = calloc(snapshot->queues_max, sizeof(*plan->queues));
	plan->agents = calloc(snapshot->agents_max, sizeof(*plan->agents));
	plan->holders = calloc(snapshot->agents_max, sizeof(*plan->holders));
	plan->contacts = calloc((size_t)snapshot->queues_max + 1, sizeof(*plan->contacts));
	plan->seated = calloc(snapshot->agents_max, sizeof(*plan->seated));
	plan->tenants = calloc((size_t)plan->acd->config.tenants_max + 1, sizeof(*plan->tenants));
	return plan->queues && plan->agents && plan->holders && plan->contacts && plan->seated &&
	       plan->tenants;
}

static void
plan_free(struct acd_plan *plan)
{
	free(plan->queues);
	free(plan->agents);
	free(plan->holders);
	free(plan->contacts);
	free(plan->seated);
	free(plan->tenants);
}

int
stw_acd_restore(struct stw_acd *acd, const struct stw_snapshot *snapshot, int64_t shift_ns,
		uint64_t now_ns, const char **reason)
{
	struct acd_plan plan = {
		.acd = acd,
		.snapshot = snapshot,
		.shift_ns = shift_ns,
		.now_ns = now_ns,
		.why = "there is no memory",
	};
	int error = -ENOMEM;

	control_lock_take(&acd->lock);
	if (plan_alloc(&plan))
		error = acd_plan_check(&plan);
	if (!error) {
		all_put(&plan);
		all_begin(&plan);
	}
	control_lock_leave(&acd->lock);
	plan_free(&plan);
	if (error && reason)
		*reason = plan.why;
	return error;
}
