/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads enqueue and advance time while another changes a calendar's hours and the time of day. A call that
 * begins and ends between two changes goes by what holds between them, whatever notes of earlier hours other
 * threads are about to write.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <strowger/acd.h>

#include "support/random.h"

#define WORKERS    3
#define CHANGES    4000
#define SOAK_TIMES 50
#define TURNS      100 /* of all workers between two changes */
#define DAY_S      UINT32_C(86400)
#define SECOND     UINT64_C(1000000000)

static struct stw_acd *acd;
static struct stw_calendar calendar;
static struct stw_queue queue;
static _Atomic uint64_t era; /* version << 2 | CHANGING | OPEN */
static _Atomic uint64_t clock_ns = SECOND;
static _Atomic int stop;
static _Atomic int wrong; /* line of what went wrong first */
static _Atomic uint64_t certain[2];
static _Atomic uint64_t turns;
static _Atomic uint64_t turns_allowed; /* so that whoever changes things is not starved */

#define OPEN     1u
#define CHANGING 2u

static const struct stw_opening always[] = {
	{0, 0, 2 * DAY_S}, {2, 0, 2 * DAY_S}, {4, 0, 2 * DAY_S}, {6, 0, DAY_S}};
/* Sunday to Wednesday, in UTC. */
static const struct stw_opening half[] = {{0, 0, 2 * DAY_S}, {2, 0, 2 * DAY_S}};

static void
expect(bool holds, int line)
{
	int none = 0;

	if (!holds)
		atomic_compare_exchange_strong(&wrong, &none, line);
}

static void
come_and_go(uint64_t now)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;
	uint64_t before = atomic_load(&era);
	int error;

	request.queue = queue;
	error = stw_contact_enqueue(acd, &request, now, &contact);
	expect(!error || error == -ESHUTDOWN, __LINE__);
	if (before == atomic_load(&era) && !(before & CHANGING)) {
		expect((error == 0) == (before & OPEN), __LINE__);
		atomic_fetch_add_explicit(&certain[before & OPEN], 1, memory_order_relaxed);
	}
	if (!error)
		expect(!stw_contact_cancel(acd, contact, now), __LINE__);
}

static void *
work(void *context)
{
	struct random random = {.state = (uint64_t)(uintptr_t)context};
	uint64_t now;

	while (!atomic_load(&stop)) {
		if (atomic_load(&turns) >= atomic_load(&turns_allowed)) {
			sched_yield();
			continue;
		}
		now = atomic_fetch_add_explicit(&clock_ns, 1000, memory_order_relaxed);
		if (random_happens(&random, 300))
			stw_acd_advance(acd, now, 4, NULL);
		else
			come_and_go(now);
		atomic_fetch_add(&turns, 1);
	}
	return NULL;
}

static void
change(bool by_clock, bool open)
{
	struct stw_calendar_config config = STW_CALENDAR_CONFIG_INIT;
	/* 1970-01-04 was a Sunday, 1970-01-01 a Thursday. */
	int64_t day = open ? 3 : 0;

	config.openings = by_clock ? half : always;
	config.openings_count = by_clock ? 2 : open ? 4 : 0;
	atomic_fetch_or(&era, CHANGING);
	if (by_clock)
		expect(!stw_acd_clock_set(acd, day * DAY_S * (int64_t)SECOND), __LINE__);
	if (!by_clock || open)
		expect(!stw_calendar_update(acd, calendar, &config), __LINE__);
	atomic_store(&era, ((atomic_load(&era) >> 2) + 1) << 2 | (open ? OPEN : 0));
}

Test(acd_calendar, hours_and_clock_hold_from_the_return_on)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_calendar_config calendar_config = STW_CALENDAR_CONFIG_INIT;
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	pthread_t threads[WORKERS];
	uint64_t changes = soak_or(CHANGES, CHANGES * SOAK_TIMES);

	config.calendars_max = 1;
	cr_assert_eq(stw_acd_create(&acd, &config), 0);
	calendar_config.name = queue_config.name = "q";
	cr_assert_eq(stw_calendar_define(acd, &calendar_config, &calendar), 0);
	queue_config.calendar = calendar;
	cr_assert_eq(stw_queue_define(acd, &queue_config, &queue), 0);
	for (uintptr_t i = 0; i < WORKERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
	for (uint64_t i = 0; i < changes; i++) {
		atomic_fetch_add(&turns_allowed, TURNS);
		/* Open and closed by hours, then open and closed by the clock. */
		change(i & 2, !(i & 1));
		while (atomic_load(&turns) < atomic_load(&turns_allowed))
			sched_yield();
	}
	atomic_store(&stop, 1);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(wrong, 0, "line %d", wrong);
	stw_acd_check(acd);
	cr_log_info("%lu calls certainly open, %lu closed", (unsigned long)certain[1],
		    (unsigned long)certain[0]);
	cr_expect_gt(certain[0], 0);
	cr_expect_gt(certain[1], 0);
	stw_acd_destroy(acd);
}
