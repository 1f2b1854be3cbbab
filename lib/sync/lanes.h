/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanes: looks over rows of words, several at once where the processor can. What a look tells is known only
 * once its end has come, and a branch for each word would be guessed wrongly too often; so there is none.
 */
#ifndef STW_SYNC_LANES_H
#define STW_SYNC_LANES_H

#include <stdatomic.h>
#include <stdint.h>

/** Keys of one look at keys: a bit each in a word. */
#define LANES_KEYS 64

/** Words of one look at listed words, at most: a bit each in half a word. */
#define LANES_WORDS 32

/** Rows of words, one of each per 32 things, to be looked at together. */
struct lanes_rows {
	const _Atomic uint64_t *listed;  /**< hint bits: things listed */
	const _Atomic uint32_t *members; /**< bits: things that are asked for */
	const _Atomic uint64_t *bounds;  /**< lower-bound words over those listed */
};

/**
 * Find the lowest of some keys.
 *
 * @param keys    borrowed; LANES_KEYS of them, on a line
 * @param among   bits: the positions that count
 * @param lowest  set: the lowest key; INT64_MAX if none counts
 * @return the positions, of those that count, with that key
 *
 * Threads:  any. A key that changes meanwhile may be seen as any number.
 * Progress: wait-free (bound: LANES_KEYS).
 * Order:    after whatever was read with acquire order before.
 */
uint64_t lanes_lowest(const _Atomic int64_t *keys, uint64_t among, int64_t *lowest);

/**
 * Find the words with a bit both in listed and in members, and a bound word not above a limit.
 *
 * @param rows    borrowed; those in it borrowed, too
 * @param first   the first word, a multiple of LANES_WORDS
 * @param count   how many, up to LANES_WORDS
 * @param limit   see lower_bound_word_limit()
 * @param listed  set: the words with any bit in listed
 * @return a bit per word, from first on
 *
 * Threads:  any. Each word is read whole, once, in no order among them.
 * Progress: wait-free (bound: LANES_WORDS).
 * Order:    after whatever was read with acquire order before.
 */
uint32_t lanes_words(const struct lanes_rows *rows, uint32_t first, uint32_t count, uint64_t limit,
		     uint32_t *listed);

#endif
