/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads enqueue for two tenants with small limits while another drains, removes and redefines their
 * queues. A tenant never has more contacts than its limit, nobody gets into a queue that was draining before he came, every
 * refusal is counted, and at the end nothing is left.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <strowger/acd.h>

#include "support/random.h"

#define WORKERS       3
#define TENANTS       2
#define QUEUES        4 /* queue q is of tenant q % TENANTS */
#define CONTACTS_MAX  4 /* per tenant */
#define HELD_MAX      3 /* contacts in one worker's hands */
#define TURNS         300000
#define SOAK_TIMES    50
#define EVENTS_AT_ONE 64

struct held {
	struct stw_contact contact;
	uint32_t queue;
};

struct worker {
	pthread_t thread;
	struct random random;
	struct held held[HELD_MAX];
	uint32_t held_count;
	uint64_t enqueued, refused;
};

static struct stw_acd *acd;
static struct stw_tenant tenants[TENANTS];
static _Atomic uint64_t queues[QUEUES];  /* handles */
static _Atomic uint64_t drained[QUEUES]; /* handle of the queue that was draining before */
static _Atomic int64_t inside[TENANTS];  /* at most as many as are known */
static _Atomic uint64_t clock_ns = 1;
static _Atomic int working;
static _Atomic int wrong; /* line of what went wrong first */
static uint64_t turns;

static void
expect(bool holds, int line)
{
	int none = 0;

	if (!holds)
		atomic_compare_exchange_strong(&wrong, &none, line);
}

static uint64_t
now(void)
{
	return atomic_fetch_add_explicit(&clock_ns, 1, memory_order_relaxed);
}

static void
come(struct worker *worker, uint32_t q)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;
	bool shut;
	int error;

	request.queue.id = atomic_load(&queues[q]);
	shut = atomic_load(&drained[q]) == request.queue.id;
	error = stw_contact_enqueue(acd, &request, now(), &contact);
	expect(!error || error == -ENOSPC || error == -ESHUTDOWN || error == -ESTALE, __LINE__);
	expect(error || !shut, __LINE__);
	worker->refused += error == -ENOSPC || error == -ESHUTDOWN;
	if (error)
		return;
	worker->enqueued++;
	worker->held[worker->held_count++] = (struct held){contact, q};
	expect(atomic_fetch_add(&inside[q % TENANTS], 1) < CONTACTS_MAX, __LINE__);
}

/* The oldest goes, so that every queue runs empty. */
static void
go(struct worker *worker)
{
	struct held oldest = worker->held[0];
	int error;

	for (uint32_t i = 1; i < worker->held_count; i++)
		worker->held[i - 1] = worker->held[i];
	worker->held_count--;
	atomic_fetch_sub(&inside[oldest.queue % TENANTS], 1);
	error = stw_contact_cancel(acd, oldest.contact, now());
	if (error == -EBUSY)
		error = stw_contact_end(acd, oldest.contact, now());
	expect(!error, __LINE__);
}

static void *
work(void *context)
{
	struct worker *worker = context;

	for (uint64_t turn = 0; turn < turns; turn++) {
		if (worker->held_count == HELD_MAX ||
		    (worker->held_count && random_below(&worker->random, 2)))
			go(worker);
		else
			come(worker, random_below(&worker->random, QUEUES));
	}
	while (worker->held_count)
		go(worker);
	atomic_fetch_sub(&working, 1);
	return NULL;
}

static void
define(uint32_t q)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = {0};
	char name[8];

	snprintf(name, sizeof(name), "%u", q / TENANTS);
	config.name = name;
	config.tenant = tenants[q % TENANTS];
	expect(!stw_queue_define(acd, &config, &queue), __LINE__);
	atomic_store(&queues[q], queue.id);
}

static void
serve(void)
{
	struct stw_event events[EVENTS_AT_ONE];
	int count = stw_events_take(acd, events, EVENTS_AT_ONE);

	for (int i = 0; i < count; i++)
		if (events[i].type == STW_EVENT_OFFER)
			(void)stw_offer_accept(acd, events[i].offer, now());
}

/* Drain a queue, remove it, define another in its place. */
static void
replace(uint32_t q)
{
	struct stw_queue queue = {atomic_load(&queues[q])};

	expect(!stw_queue_drain(acd, queue, 1), __LINE__);
	atomic_store(&drained[q], queue.id);
	while (stw_queue_remove(acd, queue) == -EBUSY) {
		serve();
		sched_yield();
	}
	expect(stw_queue_door(acd, queue, now()) == -ESTALE, __LINE__);
	define(q);
}

static void
open_house(void)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;

	config.tenants_max = TENANTS;
	config.queues_max = QUEUES;
	cr_assert_eq(stw_acd_create(&acd, &config), 0);
	for (uint32_t t = 0; t < TENANTS; t++) {
		struct stw_tenant_config tenant = STW_TENANT_CONFIG_INIT;
		struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;
		struct stw_agent ann;

		tenant.name = t ? "blue" : "red";
		tenant.contacts_max = CONTACTS_MAX;
		cr_assert_eq(stw_tenant_define(acd, &tenant, &tenants[t]), 0);
		agent.name = "ann";
		agent.tenant = tenants[t];
		cr_assert_eq(stw_agent_define(acd, &agent, &ann), 0);
		cr_assert_eq(stw_agent_login(acd, ann, now()), 0);
		cr_assert_eq(stw_agent_ready(acd, ann, now()), 0);
	}
	for (uint32_t q = 0; q < QUEUES; q++)
		define(q);
}

Test(acd_doors, tenants_keep_their_limits_while_queues_drain)
{
	static struct worker workers[WORKERS];
	struct stw_tenant_usage usage;
	struct stw_acd_stats stats;
	uint64_t replaced = 0, enqueued = 0, refused = 0;

	open_house();
	turns = soak_or(TURNS, TURNS * SOAK_TIMES);
	working = WORKERS;
	for (uint32_t i = 0; i < WORKERS; i++) {
		workers[i].random.state = i + 1;
		cr_assert_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (uint32_t turn = 0; atomic_load(&working); turn++) {
		replace(turn % QUEUES);
		replaced++;
		serve();
		sched_yield();
	}
	for (uint32_t i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		enqueued += workers[i].enqueued;
		refused += workers[i].refused;
	}
	cr_assert_eq(wrong, 0, "line %d", wrong);
	stw_acd_check(acd);
	stw_acd_stats(acd, &stats);
	cr_assert_eq(stats.contacts, 0);
	cr_assert_eq(stats.queues.offered, enqueued + refused);
	cr_assert_eq(stats.queues.refused, refused);
	for (uint32_t t = 0; t < TENANTS; t++) {
		cr_assert_eq(stw_tenant_usage(acd, tenants[t], &usage), 0);
		cr_assert_eq(usage.contacts, 0);
	}
	cr_expect_gt(enqueued, 0);
	cr_expect_gt(replaced, 0);
	cr_log_info("%lu enqueued, %lu refused, %lu queues replaced", (unsigned long)enqueued,
		    (unsigned long)refused, (unsigned long)replaced);
	stw_acd_destroy(acd);
}
