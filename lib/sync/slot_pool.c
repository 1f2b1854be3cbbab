/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slot pool: a stack of indices, its head one word with a tag that counts every change.
 *
 * Source: R. K. Treiber, "Systems programming: coping with parallelism", IBM RJ 5118, 1986.
 *
 * I1  The slots reachable from head over next are free, each is there once, and no others are.
 * I2  next[s] is only written by who holds s, before s is published by the head.
 *
 * take and give may overlap in any way. Both retry only when the head's compare-exchange failed, so
 * when another thread's take or give succeeded: lock-free. A thread stopped in between holds at most
 * the one slot that it took or is giving.
 *
 * Reuse: take reads next[s] of a head that another may take meanwhile; then the tag has moved on and
 * the compare-exchange fails. It could only wrongly succeed after a multiple of 2^36 changes, with
 * the same slot on top, while the thread was stopped between two instructions: at 10 million changes
 * a second that is a stop of 1.9 hours, to the very change.
 *
 *  label  where            order    pairs with  without it
 *  P1     give: head       release  P2          next[s], and the last user's writes, come late
 *  P2     take: head       acquire  P1          reads a next[s] that is not written yet
 */
#include "slot_pool.h"

#include <errno.h>

#define INDEX_BITS 28
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)
#define TAG_ONE    (UINT64_C(1) << INDEX_BITS)
#define NONE       ((uint32_t)INDEX_MASK)

static uint64_t
head_with(uint64_t old, uint32_t index)
{
	return ((old & ~INDEX_MASK) + TAG_ONE) | index;
}

size_t
slot_pool_bytes(uint32_t count)
{
	return (size_t)count * sizeof(_Atomic uint32_t);
}

void
slot_pool_init(struct slot_pool *pool, void *memory, uint32_t count)
{
	STW_ASSERT(count >= 1);
	STW_ASSERT(count <= SLOT_POOL_MAX);
	pool->next = memory;
	pool->count = count;
	for (uint32_t slot = 0; slot < count; slot++)
		atomic_init(&pool->next[slot], slot + 1 < count ? slot + 1 : NONE);
	atomic_init(&pool->head, 0);
}

int
slot_pool_take(struct slot_pool *pool, uint32_t *slot)
{
	/* P2, pairs with P1 */
	uint64_t head = atomic_load_explicit(&pool->head, memory_order_acquire);

	for (;;) {
		uint32_t top = head & INDEX_MASK;
		uint32_t below;

		if (top == NONE)
			return -ENOSPC;
		below = atomic_load_explicit(&pool->next[top], memory_order_relaxed);
		/* P2, pairs with P1 */
		if (atomic_compare_exchange_weak_explicit(
			    &pool->head, &head, head_with(head, below), memory_order_acquire,
			    memory_order_acquire)) {
			*slot = top;
			return 0;
		}
	}
}

void
slot_pool_give(struct slot_pool *pool, uint32_t slot)
{
	uint64_t head = atomic_load_explicit(&pool->head, memory_order_relaxed);

	STW_DEBUG_ASSERT(slot < pool->count);
	do {
		atomic_store_explicit(&pool->next[slot], (uint32_t)(head & INDEX_MASK),
				      memory_order_relaxed);
		/* P1, pairs with P2 */
	} while (!atomic_compare_exchange_weak_explicit(&pool->head, &head, head_with(head, slot),
							memory_order_release,
							memory_order_relaxed));
}

uint32_t
slot_pool_check(const struct slot_pool *pool)
{
	uint32_t slot = atomic_load_explicit(&pool->head, memory_order_relaxed) & INDEX_MASK;
	uint32_t count = 0;

	while (slot != NONE) {
		STW_ASSERT(slot < pool->count);
		STW_ASSERT(count < pool->count);
		slot = atomic_load_explicit(&pool->next[slot], memory_order_relaxed);
		count++;
	}
	return count;
}
