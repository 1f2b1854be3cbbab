/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sync/event_queue.h"

#define NODES   64
#define SOURCES 8

static struct event_queue queue;
static void *memory;

static void
open_queue(void)
{
	size_t bytes = event_queue_bytes(NODES, SOURCES, sizeof(uint64_t));

	memory = aligned_alloc(STW_CACHE_LINE, (bytes + 63) / 64 * 64);
	memset(memory, 0, bytes);
	event_queue_init(&queue, memory, NODES, SOURCES, sizeof(uint64_t));
}

static void
close_queue(void)
{
	free(memory);
}

TestSuite(event_queue, .init = open_queue, .fini = close_queue);

static bool
push(uint32_t source, uint64_t sequence, uint64_t payload)
{
	return event_queue_push(&queue, source, sequence, &payload);
}

/* The next payload; 0 if none, UINT64_MAX for a gap. */
static uint64_t
take(void)
{
	uint64_t payload = 0;
	uint64_t lost;
	int what = event_queue_take(&queue, &payload, &lost);

	return what == 2 ? UINT64_MAX : what ? payload : 0;
}

Test(event_queue, events_come_out_in_the_order_of_pushing)
{
	for (uint64_t i = 1; i <= 10; i++)
		cr_assert(push(i % SOURCES, i, i));
	for (uint64_t i = 1; i <= 5; i++)
		cr_assert_eq(take(), i);
	cr_assert(push(0, 11, 11));
	for (uint64_t i = 6; i <= 11; i++)
		cr_assert_eq(take(), i);
	cr_assert_eq(take(), 0);
	cr_assert_eq(event_queue_check(&queue), 0);
}

Test(event_queue, repeats_are_dropped)
{
	cr_assert(push(1, 5, 50));
	cr_assert(push(1, 5, 51));
	cr_assert(push(1, 6, 60));
	cr_assert(push(1, 5, 52));
	cr_assert(push(2, 5, 70));
	cr_assert_eq(take(), 50);
	cr_assert_eq(take(), 60);
	cr_assert_eq(take(), 70);
	cr_assert_eq(take(), 0);
	cr_assert_eq(event_queue_check(&queue), 0);
}

Test(event_queue, sequences_may_wrap)
{
	cr_assert(push(1, UINT64_C(1) << 62, 1));
	cr_assert(push(1, UINT64_C(1) << 63, 2));
	cr_assert(push(1, UINT64_C(3) << 62, 3));
	cr_assert(push(1, 5, 4));
	cr_assert(push(1, UINT64_C(3) << 62, 5));
	for (uint64_t i = 1; i <= 4; i++)
		cr_assert_eq(take(), i);
	cr_assert_eq(take(), 0);
}

Test(event_queue, full_queue_refuses_and_tells_the_gap_after_what_was_in)
{
	for (uint64_t i = 1; i <= NODES; i++)
		cr_assert(push(0, i, i));
	cr_assert_not(push(0, NODES + 1, 1));
	event_queue_lose(&queue, 1);
	for (uint64_t i = 1; i <= NODES; i++)
		cr_assert_eq(take(), i);
	cr_assert(push(0, NODES + 2, 100));
	cr_assert_eq(take(), UINT64_MAX);
	cr_assert_eq(take(), 100);
	cr_assert_eq(take(), 0);
}

Test(event_queue, has_one_taker_at_a_time)
{
	cr_assert(event_queue_take_begin(&queue));
	cr_assert_not(event_queue_take_begin(&queue));
	event_queue_take_end(&queue);
	cr_assert(event_queue_take_begin(&queue));
}

static void *
push_many(void *argument)
{
	uint32_t source = (uint32_t)(uintptr_t)argument;

	for (uint64_t i = 1; i <= 50000;)
		i += push(source, i, (uint64_t)source << 32 | i);
	return NULL;
}

Test(event_queue, each_pushers_order_is_kept)
{
	uint64_t last[4] = {0};
	pthread_t threads[4];
	uint64_t taken = 0;
	bool ordered = true;

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, push_many, (void *)i);
	while (taken < 4 * 50000) {
		uint64_t payload = take();

		if (!payload)
			continue;
		ordered &= (uint32_t)payload == ++last[payload >> 32];
		taken++;
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	cr_assert(ordered);
	cr_assert_eq(event_queue_check(&queue), 0);
}

Test(event_queue, events_of_no_source_come_out_in_any_case)
{
	cr_assert(push(2, 0, 5));
	cr_assert(push(2, 0, 6));
	cr_assert(push(2, 1, 7));
	cr_assert(push(2, 0, 8));
	for (uint64_t i = 5; i <= 8; i++)
		cr_assert_eq(take(), i);
	cr_assert_eq(take(), 0);
}

Test(event_queue, a_source_goes_on_with_the_numbers_of_an_earlier_queue)
{
	const uint64_t high = (UINT64_C(1) << 63) + 5;

	event_queue_resume(&queue, 3, high);
	cr_assert(push(3, high, 1));
	cr_assert(push(3, high + 1, 2));
	cr_assert_eq(take(), 2, "the other one was handed out before");
	cr_assert_eq(take(), 0);
}
