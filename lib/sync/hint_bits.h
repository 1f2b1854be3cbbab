/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hint bits: one bit per thing says "worth a look". A set bit may be out of date, a clear bit never
 * is: a bit is cleared only if nothing was set in its word since its owner was seen to be gone.
 */
#ifndef STW_SYNC_HINT_BITS_H
#define STW_SYNC_HINT_BITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/** Things per word: the low half has the bits, the high half counts the settings. */
#define HINT_BITS_WIDTH 32

/** Words for so many things. */
#define HINT_BITS_WORDS(things) (((things) + HINT_BITS_WIDTH - 1) / HINT_BITS_WIDTH)

/**
 * Read a word: to look at its bits, or as the ticket for hint_bits_clear.
 *
 * @param word  borrowed
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    H2: what was written before a set bit was set is seen.
 */
static inline uint64_t
hint_bits_read(const _Atomic uint64_t *word)
{
	/* H2, pairs with H1 */
	return atomic_load_explicit(word, memory_order_acquire);
}

/**
 * Set bit `bit` (0 to 31) of a word, after having published what it stands for.
 *
 * @param word  borrowed
 * @param bit   0 to HINT_BITS_WIDTH - 1
 *
 * Threads:  any.
 * Progress: lock-free; a retry means another thread set or cleared a bit of the word.
 * Order:    H1: what was written before is seen by who reads the bit as set.
 */
void hint_bits_set(_Atomic uint64_t *word, unsigned bit);

/**
 * Clear a bit whose thing was seen to be gone after `seen` was read.
 *
 * @param word  borrowed
 * @param bit   0 to HINT_BITS_WIDTH - 1
 * @param seen  what hint_bits_read gave before the thing was looked at
 * @return true: cleared. false: the word has changed; look again
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed beyond the word's own.
 */
bool hint_bits_clear(_Atomic uint64_t *word, unsigned bit, uint64_t seen);

#endif
