/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slot pool: hands out indices 0 to count - 1, each to one holder at a time.
 */
#ifndef STW_SYNC_SLOT_POOL_H
#define STW_SYNC_SLOT_POOL_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/** Most slots of a pool; the index of the head has 28 bits and one value means "none". */
#define SLOT_POOL_MAX 0x0ffffffeu

struct slot_pool {
	_Atomic uint64_t head STW_ALIGNED_LINE; /**< tag in the high 36, index in the low 28 bits */
	_Atomic uint32_t *next STW_ALIGNED_LINE; /**< of each free slot: the one below it */
	uint32_t count;                          /**< slots in all */
};

static_assert(offsetof(struct slot_pool, next) - offsetof(struct slot_pool, head) >= STW_CACHE_LINE,
	      "the head is written by everybody, the rest by nobody");

/**
 * Say how much memory a pool's links take.
 *
 * @param count  slots, 1 to SLOT_POOL_MAX
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
size_t slot_pool_bytes(uint32_t count);

/**
 * Make a pool with all slots free; the lowest comes out first.
 *
 * @param pool    borrowed
 * @param memory  borrowed for the pool's life, slot_pool_bytes(count) bytes on a cache line
 * @param count   slots, 1 to SLOT_POOL_MAX
 *
 * Threads:  one.
 * Progress: wait-free (bound: count).
 * Order:    the caller hands the pool to other threads.
 */
void slot_pool_init(struct slot_pool *pool, void *memory, uint32_t count);

/**
 * Take a slot.
 *
 * @param pool  borrowed
 * @param slot  set on success only
 * @return 0
 * @return -ENOSPC  all are taken
 *
 * Threads:  any.
 * Progress: lock-free; a retry means another thread took or gave a slot.
 * Order:    what the giver of this slot wrote before giving it is seen.
 */
int slot_pool_take(struct slot_pool *pool, uint32_t *slot);

/**
 * Give a slot back.
 *
 * @param pool  borrowed
 * @param slot  taken before and not given back since
 *
 * Threads:  any.
 * Progress: lock-free; a retry means another thread took or gave a slot.
 * Order:    what was written before is seen by the next taker.
 */
void slot_pool_give(struct slot_pool *pool, uint32_t slot);

/**
 * Verify that the free slots are a list without a loop, and count them.
 *
 * @param pool  borrowed
 * @return number of free slots, or ends in the panic handler
 *
 * Threads:  one, while nobody takes or gives.
 * Progress: wait-free (bound: count).
 * Order:    the caller has synchronised with the others.
 */
uint32_t slot_pool_check(const struct slot_pool *pool);

#endif
