/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads come and go in a queue whose surge rules go on and off all the while. Each switch is told once and
 * in order, and everybody who came is counted as just one thing.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <strowger/acd.h>

#include "support/random.h"

#define THREADS 4
#define HELD    50

static struct stw_acd *acd;
static struct stw_queue queue, other;
static _Atomic uint64_t clock_ns;
static _Atomic int wrong_result;
static _Atomic uint32_t running;
static _Atomic uint64_t results[STW_ENQUEUE_DEFLECTED + 2]; /* the last: refused */

static uint64_t
later(void)
{
	return atomic_fetch_add_explicit(&clock_ns, 1000, memory_order_relaxed);
}

static bool
come(struct random *random, struct stw_contact *contact)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	int result;

	request.queue = queue;
	request.value = (uint8_t)random_below(random, STW_CLASS_COUNT);
	result = stw_contact_enqueue(acd, &request, later(), contact);
	if (result != -EAGAIN && (result < 0 || result > STW_ENQUEUE_DEFLECTED))
		atomic_store(&wrong_result, result);
	atomic_fetch_add(&results[result < 0 ? STW_ENQUEUE_DEFLECTED + 1 : result], 1);
	return result >= 0 && result != STW_ENQUEUE_DEFLECTED;
}

/* Fill up and empty again, at random between. */
static void *
come_and_go(void *argument)
{
	struct random random = {.state = (uint64_t)(uintptr_t)argument};
	struct stw_contact held[HELD];
	uint32_t count = 0;

	for (uint64_t i = 0; i < soak_or(6000, 600000); i++) {
		bool filling = i / 200 % 2;

		if (count < HELD && random_happens(&random, filling ? 800 : 200)) {
			count += come(&random, &held[count]);
		} else if (count) {
			count--;
			if (stw_contact_cancel(acd, held[count], later()))
				atomic_store(&wrong_result, 1);
		}
		if (random_happens(&random, 20))
			stw_acd_advance(acd, later(), 4, NULL);
	}
	while (count)
		stw_contact_cancel(acd, held[--count], later());
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static void
open_house(void)
{
	struct stw_surge_rule rules[] = {
		{STW_SURGE_LENGTH, STW_SURGE_REFUSE, 42, 32, 15, 15, {0}},
		{STW_SURGE_LENGTH, STW_SURGE_OVERFLOW, 20, 12, 5, 15, {0}},
		{STW_SURGE_LENGTH, STW_SURGE_DEFLECT, 30, 20, 9, 15, {0}},
		{STW_SURGE_LENGTH, STW_SURGE_CALLBACK, 15, 5, 15, 15, {0}},
	};
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;

	config.agents_max = 4;
	config.queues_max = 2;
	config.contacts_max = THREADS * HELD + 8;
	cr_assert_eq(stw_acd_create(&acd, &config), 0);
	queue_config.name = "other";
	cr_assert_eq(stw_queue_define(acd, &queue_config, &other), 0);
	rules[1].overflow = other;
	queue_config.name = "queue";
	queue_config.surge_rules = rules;
	queue_config.surge_rules_count = 4;
	cr_assert_eq(stw_queue_define(acd, &queue_config, &queue), 0);
	atomic_store(&clock_ns, 1000);
	atomic_store(&running, THREADS);
}

/* Take events; returns how many switches were told, or -1 when one was out of order. */
static int
take(bool on[STW_SURGE_RULES_MAX])
{
	struct stw_event events[64];
	int switches = 0;
	int count;

	while ((count = stw_events_take(acd, events, 64)) > 0) {
		for (int i = 0; i < count; i++) {
			if (events[i].type == STW_EVENT_LOST)
				return -1;
			if (events[i].type != STW_EVENT_SURGE)
				continue;
			if (on[events[i].reason] == events[i].surge_on)
				return -1;
			on[events[i].reason] = events[i].surge_on;
			switches++;
		}
	}
	return switches;
}

Test(acd_surge_stress, every_switch_is_told_in_order_and_everybody_is_counted)
{
	bool on[STW_SURGE_RULES_MAX] = {false};
	struct stw_queue_stats stats, others;
	pthread_t threads[THREADS];
	int switches = 0, told = 0;

	open_house();
	for (uintptr_t t = 0; t < THREADS; t++)
		pthread_create(&threads[t], NULL, come_and_go, (void *)(t + 91));
	while (atomic_load(&running) && told >= 0) {
		told = take(on);
		switches += told;
	}
	for (int t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	told = told < 0 ? told : take(on);
	switches += told;
	stw_acd_check(acd);
	cr_assert_geq(told, 0, "a switch was told twice, or one is missing");
	cr_expect_gt(switches, 20, "%d", switches);
	cr_expect_eq(atomic_load(&wrong_result), 0);
	cr_assert_eq(stw_queue_stats(acd, queue, &stats), 0);
	cr_assert_eq(stw_queue_stats(acd, other, &others), 0);
	cr_expect_eq(stats.refused, atomic_load(&results[STW_ENQUEUE_DEFLECTED + 1]));
	cr_expect_eq(stats.deflected, atomic_load(&results[STW_ENQUEUE_DEFLECTED]));
	cr_expect_eq(stats.overflowed, atomic_load(&results[STW_ENQUEUE_OVERFLOWED]));
	cr_expect_eq(stats.callbacks_offered, atomic_load(&results[STW_ENQUEUE_CALLBACK]));
	cr_expect_eq(others.offered, stats.overflowed);
	cr_expect_eq(stats.offered,
		     stats.abandoned + stats.refused + stats.deflected + stats.overflowed);
	cr_expect_gt(stats.deflected, 0);
	cr_expect_gt(stats.overflowed, 0);
	cr_expect_gt(stats.callbacks_offered, 0);
	stw_acd_destroy(acd);
}
