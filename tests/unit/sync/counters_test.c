/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sync/counters.h"
#include "sync/fence.h"
#include "sync/reclaim.h"

#define ROWS 3

static struct counters counters;
static void *memory;

static void
open_counters(void)
{
	memory = aligned_alloc(STW_CACHE_LINE, counters_bytes(ROWS, 5));
	memset(memory, 0, counters_bytes(ROWS, 5));
	counters_init(&counters, memory, ROWS, 5);
}

static void
close_counters(void)
{
	free(memory);
}

TestSuite(counters, .init = open_counters, .fini = close_counters);

Test(counters, rows_take_whole_cache_lines_per_stripe)
{
	cr_assert_eq(counters_bytes(1, 5), COUNTERS_STRIPES * STW_CACHE_LINE);
	cr_assert_eq(counters_bytes(1, 9), COUNTERS_STRIPES * 2 * STW_CACHE_LINE);
}

Test(counters, additions_and_subtractions_are_read_back)
{
	counters_add(&counters, 1, 2, 10);
	counters_add(&counters, 1, 2, (uint64_t)-3);
	counters_add(&counters, 2, 2, 1);
	cr_assert_eq(counters_read(&counters, 1, 2), 7);
	cr_assert_eq(counters_read(&counters, 2, 2), 1);
	cr_assert_eq(counters_read(&counters, 1, 3), 0);
	counters_clear(&counters, 1);
	cr_assert_eq(counters_read(&counters, 1, 2), 0);
	cr_assert_eq(counters_read(&counters, 2, 2), 1);
}

static void *
add_many(void *argument)
{
	for (int i = 0; i < 100000; i++)
		counters_add(&counters, 0, i % 5, 1);
	return NULL;
}

Test(counters, no_threads_addition_is_lost)
{
	pthread_t threads[12];

	for (int i = 0; i < 12; i++)
		pthread_create(&threads[i], NULL, add_many, NULL);
	for (int i = 0; i < 12; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < 5; i++)
		cr_assert_eq(counters_read(&counters, 0, i), 12 * 20000);
}

/* Reclaim and fence, by what they promise to two threads. */

static _Atomic int published;
static _Atomic int in_section;
static _Atomic int left_section;

static void *
read_slowly(void *argument)
{
	reclaim_enter();
	reclaim_enter();
	reclaim_exit();
	atomic_store(&in_section, 1);
	while (!atomic_load(&published))
		;
	atomic_store(&left_section, 1);
	reclaim_exit();
	return NULL;
}

Test(reclaim, wait_returns_only_after_a_section_under_way)
{
	pthread_t thread;

	pthread_create(&thread, NULL, read_slowly, NULL);
	while (!atomic_load(&in_section))
		;
	atomic_store(&published, 1);
	reclaim_wait();
	cr_assert_eq(atomic_load(&left_section), 1);
	pthread_join(thread, NULL);
}

static _Atomic int flags[2];
static _Atomic int saw[2];
static pthread_barrier_t barrier;

static void *
publish_and_search(void *argument)
{
	int me = (int)(uintptr_t)argument;

	for (int i = 0; i < 20000; i++) {
		pthread_barrier_wait(&barrier);
		atomic_store_explicit(&flags[me], 1, memory_order_relaxed);
		sync_fence_full();
		atomic_store_explicit(&saw[me],
				      atomic_load_explicit(&flags[!me], memory_order_relaxed),
				      memory_order_relaxed);
		pthread_barrier_wait(&barrier);
		if (!me && !saw[0] && !saw[1])
			atomic_fetch_add(&left_section, 1);
		pthread_barrier_wait(&barrier);
		atomic_store(&flags[me], 0);
	}
	return NULL;
}

Test(fence, one_of_two_sees_the_other)
{
	pthread_t threads[2];

	pthread_barrier_init(&barrier, NULL, 2);
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, publish_and_search, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(left_section, 0);
}
