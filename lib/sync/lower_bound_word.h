/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lower-bound word: at most the key of everything below it, made coarser, and a version.
 *
 * Who puts something below the word publishes that first and lowers the word then, which always moves the
 * version on. Who looks reads the word first, looks at everything below, and may raise the word to what
 * was found by a compare-exchange from what was read: it fails if anything was put in meanwhile.
 *
 * I1  The bound is at most that of each thing below whose lowering has been done.
 *
 * Proof: a thing whose lowering came before the word was read is seen by who looks (B1, B2). One whose
 * lowering came in between has moved the version on, and the raise fails. A later one lowers again.
 *
 * The version wraps after 2^19 lowerings: see lower_bound_tree.c. lower and raise may overlap in any way.
 * lower retries only after another thread's change: lock-free. raise is one step.
 *
 *  label  where         order    pairs with  without it
 *  B1     lower, raise  acq_rel  B2          the bound is seen, what it is about is not
 *  B2     read          acquire  B1          same, seen from who looks
 */
#ifndef STW_SYNC_LOWER_BOUND_WORD_H
#define STW_SYNC_LOWER_BOUND_WORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Bits of a word: a bound above, and below it a version of so many bits. */
#define LOWER_BOUND_VERSION_BITS 19
#define LOWER_BOUND_VERSION_MASK ((UINT64_C(1) << LOWER_BOUND_VERSION_BITS) - 1)

/** The bound of nothing, above that of every key. */
#define LOWER_BOUND_EMPTY ((UINT64_C(1) << 45) - 1)

/** A word with nothing below it. */
#define LOWER_BOUND_EMPTY_WORD (LOWER_BOUND_EMPTY << LOWER_BOUND_VERSION_BITS)

/** The bound of a key: coarser, and never the other way round for two keys. */
static inline uint64_t
lower_bound_of(int64_t key)
{
	const int64_t near = INT64_C(1) << 54;
	int64_t bound;

	/* 2 microseconds a step within 208 days of 0, a millisecond beyond. */
	if (key >= near)
		bound = (INT64_C(1) << 43) + ((key - near) >> 20);
	else if (key >= -near)
		bound = key >> 11;
	else
		bound = -(INT64_C(1) << 43) + ((key + near) >> 20);
	return (uint64_t)(bound + (INT64_C(1) << 44));
}

/** The highest word that does not exclude this bound: a word above it has a higher bound. */
static inline uint64_t
lower_bound_word_limit(uint64_t bound)
{
	return bound << LOWER_BOUND_VERSION_BITS | LOWER_BOUND_VERSION_MASK;
}

/** The bound in a word. */
static inline uint64_t
lower_bound_word_bound(uint64_t word)
{
	return word >> LOWER_BOUND_VERSION_BITS;
}

/** Read a word: for its bound, or as the ticket for a raise. */
static inline uint64_t
lower_bound_word_read(const _Atomic uint64_t *word)
{
	/* B2, pairs with B1 */
	return atomic_load_explicit(word, memory_order_acquire);
}

/** Lower a word's bound if needed, and move its version on in any case. */
static inline void
lower_bound_word_lower(_Atomic uint64_t *word, uint64_t bound)
{
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed);
	uint64_t new;

	do {
		uint64_t low =
			lower_bound_word_bound(old) < bound ? lower_bound_word_bound(old) : bound;

		new = low << LOWER_BOUND_VERSION_BITS | ((old + 1) & LOWER_BOUND_VERSION_MASK);
		/* B1, pairs with B2 */
	} while (!atomic_compare_exchange_weak_explicit(word, &old, new, memory_order_acq_rel,
							memory_order_relaxed));
}

/** Raise a word's bound if nothing was put in since `seen` was read. */
static inline bool
lower_bound_word_raise(_Atomic uint64_t *word, uint64_t seen, uint64_t bound)
{
	uint64_t new = bound << LOWER_BOUND_VERSION_BITS | (seen & LOWER_BOUND_VERSION_MASK);

	/* B1, pairs with B2 */
	return atomic_compare_exchange_strong_explicit(word, &seen, new, memory_order_acq_rel,
						       memory_order_relaxed);
}

#endif
