/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A house and its threads: what they do.
 */
#include "stress/house.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/stepper.h"

#define MS 1000000

uint64_t
house_now(struct house *house, struct random *random)
{
	return atomic_fetch_add_explicit(&house->clock_ns, 1 + random_below(random, 1000),
					 memory_order_relaxed);
}

/* What each call may return beside 0, as its header lists it. */
static bool
is_listed(enum step_kind kind, int result)
{
	if (result >= 0)
		return result == 0 || kind == STEP_ADVANCE;
	switch (kind) {
	case STEP_ENQUEUE:
		return result == -ENOSPC;
	case STEP_CANCEL:
	case STEP_END:
	case STEP_REPRIORITISE:
	case STEP_MOVE:
	case STEP_TRANSFER:
		return result == -ESTALE || result == -EBUSY;
	case STEP_ACCEPT:
		return result == -ESTALE || result == -EALREADY;
	case STEP_DECLINE:
		return result == -ESTALE;
	case STEP_READY:
		return result == -EINVAL || result == -EALREADY;
	case STEP_NOT_READY:
	case STEP_EXTEND:
		return result == -EINVAL;
	case STEP_LOGIN:
	case STEP_LOGOUT:
		return result == -EALREADY;
	default:
		return false;
	}
}

static void
keep_success(struct house_thread *thread, const struct step *step)
{
	struct house_box *box = &thread->house->boxes[(uint32_t)step->id % HOUSE_CONTACTS_MAX];
	_Atomic uint64_t *counter = step->kind == STEP_ACCEPT     ? &thread->accepted
				    : step->kind == STEP_DECLINE  ? &thread->declined
				    : step->kind == STEP_CANCEL   ? &thread->cancelled
				    : step->kind == STEP_END      ? &thread->ended
				    : step->kind == STEP_ENQUEUE  ? &thread->enqueued
				    : step->kind == STEP_MOVE     ? &thread->moved
				    : step->kind == STEP_TRANSFER ? &thread->transferred
								  : NULL;

	if (step->kind == STEP_ENQUEUE)
		atomic_store_explicit(&box->waiting, step->id, memory_order_relaxed);
	if (!counter)
		return;
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
	/* A contact is moved and transferred any number of times. */
	if (step->kind == STEP_MOVE || step->kind == STEP_TRANSFER)
		return;
	if (thread->log_count < HOUSE_LOG_MAX)
		thread->log[thread->log_count++] = (struct house_success){
			step->kind, step->kind == STEP_ENQUEUE ? step->id : step->contact,
			step->number};
}

uint32_t
house_ring_max(const struct house *house)
{
	return house->plan.rings ? house->plan.rings : 1;
}

/* A box that is not empty, from a random one on; most often it is emptied, so others find another. */
static uint32_t
find_box(struct house_thread *thread, enum step_kind kind, struct step *step)
{
	struct house *house = thread->house;
	uint32_t slot = random_below(&thread->random, house->plan.contacts_max);
	int takes = random_happens(&thread->random, 800);

	for (uint32_t i = 0; i < house->plan.contacts_max; i++) {
		struct house_box *box = &house->boxes[slot];
		uint32_t place = random_below(&thread->random, house_ring_max(house));
		_Atomic uint64_t *handle =
			kind == STEP_END || kind == STEP_TRANSFER ? &box->talking
			: kind == STEP_CANCEL || kind == STEP_REPRIORITISE || kind == STEP_MOVE
				? &box->waiting
				: &box->ringing[place];

		if (atomic_load_explicit(handle, memory_order_relaxed)) {
			step->number =
				atomic_load_explicit(&box->number[place], memory_order_relaxed);
			step->contact =
				takes && kind != STEP_REPRIORITISE && kind != STEP_MOVE
					? atomic_exchange_explicit(handle, 0, memory_order_relaxed)
					: atomic_load_explicit(handle, memory_order_relaxed);
			if (step->contact)
				return 1;
		}
		slot = slot + 1 < house->plan.contacts_max ? slot + 1 : 0;
	}
	return 0;
}

static enum step_kind
pick_kind(struct house_thread *thread)
{
	const struct house_mix *mix = &thread->house->plan.mix;
	const uint32_t parts[] = {mix->enqueue, mix->accept,       mix->decline,   mix->end,
				  mix->cancel,  mix->reprioritise, mix->ready,     mix->not_ready,
				  mix->login,   mix->logout,       mix->configure, mix->extend,
				  mix->move,    mix->transfer};
	static const enum step_kind kinds[] = {
		STEP_ENQUEUE,      STEP_ACCEPT, STEP_DECLINE,   STEP_END,     STEP_CANCEL,
		STEP_REPRIORITISE, STEP_READY,  STEP_NOT_READY, STEP_LOGIN,   STEP_LOGOUT,
		STEP_AGENT_UPDATE, STEP_EXTEND, STEP_MOVE,      STEP_TRANSFER};
	uint32_t dice = random_below(&thread->random, 1000);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (dice < parts[i])
			return kinds[i];
		dice -= parts[i];
	}
	return STEP_ADVANCE;
}

/* Every third agent has one slot, until he is taught more. */
static void
make_slots(struct house *house, struct random *random, uint32_t a, bool teach)
{
	struct oracle_agent_rule *rule = &house->agent_rules[a];

	if (!house->plan.channels)
		return;
	memset(rule->slots, 0, sizeof(rule->slots));
	for (uint32_t i = 0; i < house->plan.channels; i++) {
		rule->slots[i] = (uint8_t)(1 + random_below(random, 3));
		rule->interrupts[i] = (uint8_t)random_below(random, 256);
	}
	if (a % 3 == 2 && !(teach && random_happens(random, 300))) {
		memset(rule->slots, 0, sizeof(rule->slots));
		rule->slots[random_below(random, house->plan.channels)] = 1;
	}
}

/* Only thread 0 changes descriptions, so that the rules kept here are what the engine was told. */
static bool
make_configure(struct house_thread *thread, struct step *step)
{
	struct house *house = thread->house;
	uint32_t a = random_below(&thread->random, house->plan.agents);
	uint32_t q = random_below(&thread->random, house->plan.queues);

	if (thread->index)
		return false;
	if (random_happens(&thread->random, 500)) {
		struct oracle_agent_rule *rule = &house->agent_rules[a];

		for (uint32_t i = 0; i < house->plan.skills; i++)
			rule->level[i] = (uint8_t)random_below(&thread->random, 3);
		make_slots(house, &thread->random, a, true);
		step->agent = house->agents[a].id;
		step->agent_rule = *rule;
	} else {
		struct oracle_queue_rule *rule = &house->queue_rules[q];

		for (uint32_t i = 0; i < house->plan.skills; i++)
			rule->step[0].level[i] = (uint8_t)random_below(&thread->random, 3);
		/* More steps or fewer, so that those who wait are moved. */
		rule->steps_count = 1 + random_below(&thread->random, ORACLE_STEPS_MAX);
		for (uint32_t k = 0; house->plan.rings && k < ORACLE_STEPS_MAX; k++)
			rule->step[k].ring_count =
				random_below(&thread->random, house->plan.rings + 1);
		step->kind = STEP_QUEUE_UPDATE;
		step->queue = house->queues[q].id;
		step->queue_rule = *rule;
	}
	return true;
}

static bool
make_step(struct house_thread *thread, struct step *step)
{
	struct house *house = thread->house;
	struct random *random = &thread->random;

	memset(step, 0, sizeof(*step));
	step->kind = pick_kind(thread);
	if (step->kind <= STEP_END && step->kind != STEP_ENQUEUE &&
	    !find_box(thread, step->kind, step))
		step->kind = STEP_ENQUEUE;
	if ((step->kind == STEP_REPRIORITISE || step->kind == STEP_MOVE ||
	     step->kind == STEP_TRANSFER) &&
	    !find_box(thread, step->kind, step))
		step->kind = STEP_ADVANCE;
	if (step->kind == STEP_AGENT_UPDATE && !make_configure(thread, step))
		step->kind = STEP_ADVANCE;
	if (step->kind == STEP_ENQUEUE) {
		step->request =
			(struct stw_contact_request){.struct_size = sizeof(step->request),
						     .value = random_below(random, STW_CLASS_COUNT),
						     .cookie = random_next(random)};
		step->request.queue = house->queues[random_below(random, house->plan.queues)];
		if (house->plan.customers) {
			step->request.customer_key = random_below(random, house->plan.customers);
			step->request.last_agent = random_happens(random, 500);
			step->request.preferred_wait_ns = random_below(random, 50000);
		}
		if (random_happens(random, house->plan.in_person)) {
			step->request.preferred =
				house->agents[random_below(random, house->plan.agents)];
			step->request.preferred_wait_ns = random_below(random, 50000);
		}
	} else if (step->kind >= STEP_READY && step->kind <= STEP_EXTEND) {
		step->agent = house->agents[random_below(random, house->plan.agents)].id;
	}
	step->by_ns = 1 + random_below(random, 20000);
	if (step->kind == STEP_MOVE || step->kind == STEP_TRANSFER)
		step->queue = house->queues[random_below(random, house->plan.queues)].id;
	if (step->kind == STEP_TRANSFER && random_happens(random, house->plan.in_person)) {
		step->agent = house->agents[random_below(random, house->plan.agents)].id;
		step->agent_wait_ns = random_below(random, 50000);
	}
	step->value = (uint8_t)random_below(random, STW_CLASS_COUNT);
	step->budget = 1 + random_below(random, 8);
	step->now_ns = house_now(house, random);
	return true;
}

static void
one_operation(struct house_thread *thread)
{
	struct house *house = thread->house;
	uint32_t after = atomic_exchange_explicit(&thread->park_after, 0, memory_order_relaxed);
	struct step step;

	make_step(thread, &step);
	atomic_store_explicit(&thread->inside, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (after)
		stepper_start(after);
	step_engine(house->acd, &house->skills, &step);
	after = after ? stepper_stop() : 0;
	if (after)
		atomic_store_explicit(&thread->park_after, after, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&thread->inside, 0, memory_order_relaxed);
	if (step.result == 0)
		keep_success(thread, &step);
	else if (step.kind == STEP_ENQUEUE)
		atomic_fetch_add_explicit(&thread->refused, 1, memory_order_relaxed);
	if (!is_listed(step.kind, step.result)) {
		atomic_store_explicit(&house->wrong_kind, (int)step.kind, memory_order_relaxed);
		atomic_store_explicit(&house->wrong_result, step.result, memory_order_relaxed);
	}
	atomic_fetch_add_explicit(&thread->operations, 1, memory_order_relaxed);
}

static void *
thread_main(void *argument)
{
	struct house_thread *thread = argument;
	struct house *house = thread->house;
	uint64_t tick = 0;
	uint32_t since = 0;
	struct stw_agent_status status;

	/* Its first call makes the thread known to liburcu, with signals blocked. */
	stw_agent_status(house->acd, (struct stw_agent){0}, &status);
	house_thread_begins(thread);
	while (!atomic_load_explicit(&house->stop, memory_order_relaxed)) {
		if (atomic_load_explicit(&house->pause, memory_order_acquire)) {
			atomic_fetch_add_explicit(&house->paused, 1, memory_order_acq_rel);
			while (atomic_load_explicit(&house->pause, memory_order_acquire))
				sched_yield();
			atomic_fetch_sub_explicit(&house->paused, 1, memory_order_acq_rel);
			continue;
		}
		/* The taker's turn now and then, or it would have to lose events. */
		if (atomic_load_explicit(&house->tick, memory_order_relaxed) != tick) {
			tick = atomic_load_explicit(&house->tick, memory_order_relaxed);
			since = 0;
		}
		if (since >= house->plan.credit || thread->log_count == HOUSE_LOG_MAX) {
			sched_yield();
			continue;
		}
		since++;
		one_operation(thread);
	}
	return NULL;
}

static int
define_agents(struct house *house, struct random *random)
{
	int error = 0;

	for (uint32_t a = 0; a < house->plan.agents && !error; a++) {
		struct step step = {.kind = STEP_AGENT_DEFINE};
		struct oracle_agent_rule *rule = &house->agent_rules[a];

		/* Every other agent has neither penalty nor limit of misses: always to be matched. */
		rule->penalty_ns = a & 1 ? house->plan.penalty_ns : 0;
		rule->misses_max = a & 1 ? house->plan.misses_max : 0;
		for (uint32_t i = 0; i < house->plan.skills; i++)
			rule->level[i] = (uint8_t)random_below(random, 3);
		make_slots(house, random, a, false);
		snprintf(step.name, sizeof(step.name), "agent-%u", a);
		step.agent_rule = *rule;
		step_engine(house->acd, &house->skills, &step);
		house->agents[a].id = step.id;
		error = step.result;
		if (!error)
			error = stw_agent_login(house->acd, house->agents[a], 1);
		if (!error)
			error = stw_agent_ready(house->acd, house->agents[a], 1);
	}
	return error;
}

/* Steps after the first, for anyone: by time soon, by time late, when nobody works. */
static void
make_steps(struct oracle_queue_rule *rule, struct random *random)
{
	rule->steps_count = 1 + random_below(random, ORACLE_STEPS_MAX);
	for (uint32_t k = 1; k < ORACLE_STEPS_MAX; k++) {
		rule->step[k].level[0] = (uint8_t)(ORACLE_STEPS_MAX - 1 - k);
		rule->step[k].after_ns = random_below(random, 2) ? k * 20000 : STW_STEP_NEVER;
		rule->step[k].when =
			(enum stw_step_when)random_below(random, STW_STEP_WHEN_ALL_NOT_READY + 1);
	}
}

static int
define_queues(struct house *house, struct random *random)
{
	int error = 0;

	for (uint32_t q = 0; q < house->plan.queues && !error; q++) {
		struct step step = {.kind = STEP_QUEUE_DEFINE};
		struct oracle_queue_rule *rule = &house->queue_rules[q];

		rule->offer_timeout_ns = house->plan.offer_timeout_ns;
		rule->lease_ns = house->plan.lease_ns;
		rule->resume_window_ns = house->plan.customers ? 100000 : 0;
		if (q & 1) {
			rule->wait_max_ns = house->plan.wait_max_ns;
			rule->overflow = house->queues[0].id;
		}
		rule->wrap_up_ns = q & 1 ? house->plan.wrap_up_ns : 0;
		rule->target_ns = house->target_ns;
		for (uint32_t i = 0; i < house->plan.skills; i++)
			rule->step[0].level[i] = (uint8_t)random_below(random, 2);
		make_steps(rule, random);
		rule->channel = (uint8_t)(house->plan.channels ? q % house->plan.channels : 0);
		for (uint32_t k = 0; k < ORACLE_STEPS_MAX; k++)
			rule->step[k].ring_count = house->plan.rings;
		snprintf(step.name, sizeof(step.name), "queue-%u", q);
		step.queue_rule = *rule;
		step_engine(house->acd, &house->skills, &step);
		house->queues[q].id = step.id;
		error = step.result;
	}
	return error;
}

void
house_open(struct house *house, const struct house_plan *plan, uint64_t seed)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct random random = {seed};
	int error;

	memset(house, 0, sizeof(*house));
	house->plan = *plan;
	atomic_store(&house->clock_ns, MS);
	atomic_store(&house->pause, 1);
	for (int v = 0; v < STW_CLASS_COUNT; v++) {
		for (int u = 0; u < STW_CLASS_COUNT; u++)
			house->target_ns[v][u] = -(int64_t)v * 2000;
	}
	config.agents_max = plan->agents;
	config.queues_max = plan->queues;
	config.contacts_max = plan->contacts_max;
	config.events_max = plan->events_max;
	config.threads_max = HOUSE_THREADS_MAX + 1;
	config.seed = seed;
	config.steps_max = plan->queues * ORACLE_STEPS_MAX;
	config.interval_ns = MS;
	config.intervals_max = 64;
	ledger_create(&house->ledger, plan->agents, plan->contacts_max);
	house->ledger.queue_rules = house->queue_rules;
	house->ledger.agent_rules = plan->mix.configure ? NULL : house->agent_rules;
	house->ledger.channels = plan->channels;
	house->ledger.ring_max = house_ring_max(house);
	house->ledger.has_gaps = plan->events_max < HOUSE_EVENTS_SAFE;
	error = stw_acd_create(&house->acd, &config);
	if (!error)
		error = step_skills_define(house->acd, &house->skills);
	if (!error)
		error = define_agents(house, &random);
	if (!error)
		error = define_queues(house, &random);
	if (error)
		snprintf(house->problem, sizeof(house->problem), "making the house: %d", error);
	for (uint32_t i = 0; i < plan->threads && !error; i++) {
		struct house_thread *thread = &house->threads[i];

		thread->house = house;
		thread->index = i;
		thread->random.state = seed * 1000 + i;
		thread->log = calloc(HOUSE_LOG_MAX, sizeof(*thread->log));
		pthread_create(&thread->thread, NULL, thread_main, thread);
	}
}

void
house_close(struct house *house)
{
	atomic_store(&house->stop, 1);
	atomic_store(&house->pause, 0);
	for (uint32_t i = 0; i < house->plan.threads; i++) {
		pthread_join(house->threads[i].thread, NULL);
		free(house->threads[i].log);
	}
	stw_acd_destroy(house->acd);
	ledger_destroy(&house->ledger);
}
