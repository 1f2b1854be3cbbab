/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "sync/slot_pool.h"

#define SLOTS 40

static struct slot_pool pool;
static void *memory;

static void
open_pool(void)
{
	memory = aligned_alloc(STW_CACHE_LINE, 256);
	slot_pool_init(&pool, memory, SLOTS);
}

static void
close_pool(void)
{
	free(memory);
}

TestSuite(slot_pool, .init = open_pool, .fini = close_pool);

Test(slot_pool, hands_out_each_slot_once_then_none)
{
	bool seen[SLOTS] = {false};
	uint32_t slot = 0;

	cr_assert_leq(slot_pool_bytes(SLOTS), 256);
	for (int i = 0; i < SLOTS; i++) {
		cr_assert_eq(slot_pool_take(&pool, &slot), 0);
		cr_assert_lt(slot, SLOTS);
		cr_assert_not(seen[slot]);
		seen[slot] = true;
	}
	slot = 77;
	cr_assert_eq(slot_pool_take(&pool, &slot), -ENOSPC);
	cr_assert_eq(slot, 77);
	cr_assert_eq(slot_pool_check(&pool), 0);
}

Test(slot_pool, begins_with_the_lowest)
{
	uint32_t slot;

	for (uint32_t i = 0; i < SLOTS; i++) {
		cr_assert_eq(slot_pool_take(&pool, &slot), 0);
		cr_assert_eq(slot, i);
	}
}

Test(slot_pool, given_slot_comes_out_again)
{
	uint32_t slot;

	for (int i = 0; i < SLOTS; i++)
		slot_pool_take(&pool, &slot);
	slot_pool_give(&pool, 17);
	cr_assert_eq(slot_pool_check(&pool), 1);
	cr_assert_eq(slot_pool_take(&pool, &slot), 0);
	cr_assert_eq(slot, 17);
}

Test(slot_pool, every_change_of_the_head_changes_its_tag)
{
	uint64_t before = atomic_load(&pool.head);
	uint32_t slot;

	slot_pool_take(&pool, &slot);
	slot_pool_give(&pool, slot);
	cr_assert_eq(atomic_load(&pool.head) & 0xfffffff, before & 0xfffffff);
	cr_assert_eq(atomic_load(&pool.head) >> 28, (before >> 28) + 2);
}

static _Atomic uint32_t holders[SLOTS];
static _Atomic uint32_t clashes;

static void *
take_and_give(void *argument)
{
	for (int i = 0; i < 100000; i++) {
		uint32_t slots[3];
		uint32_t count = 0;

		while (count < 3 && !slot_pool_take(&pool, &slots[count]))
			clashes += atomic_fetch_add(&holders[slots[count++]], 1) != 0;
		while (count--) {
			atomic_fetch_sub(&holders[slots[count]], 1);
			slot_pool_give(&pool, slots[count]);
		}
	}
	return NULL;
}

Test(slot_pool, threads_never_hold_the_same_slot)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, take_and_give, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(clashes, 0);
	cr_assert_eq(slot_pool_check(&pool), SLOTS);
}
