/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet indices that were seen, of one SSRC: the roll-over counter and the replay window.
 *
 * A word stands for 16 consecutive indices: bits 16 - 63 which 16 (index / 16), bits 0 - 15 those
 * that were seen. 16-index groups lie in the words in turn, and a younger group takes the word of
 * the one 8 before it. So each word changes by one compare-and-swap and stands for itself, the
 * highest index is the greatest word, and several workers may send to or receive from one SSRC:
 * of two that mark the same index one gets true. All accesses are relaxed: nothing else is published by
 * them. The window is 113 to 128 packets.
 *
 * SRTCP has 32 indices to a word and 4 words: 97 to 128 packets. Its index is in each packet.
 *
 * Source: RFC 3711 3.3.1 (index), 3.3.2 (replay).
 */
#ifndef STW_MEDIA_REPLAY_H
#define STW_MEDIA_REPLAY_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

#define REPLAY_WORDS      8
#define REPLAY_RTCP_WORDS 4

/** First index that there is not: 32 bits of roll-over counter, 16 of sequence number. */
#define REPLAY_INDEX_END (UINT64_C(1) << 48)

/** First SRTCP index that there is not. */
#define REPLAY_RTCP_END (UINT32_C(1) << 31)

/** Of a packet before the first turn of the roll-over counter: there is no such index. */
#define REPLAY_NO_INDEX UINT64_MAX

/** Indices of RTP. Zeroed: none was seen. */
struct replay {
	_Atomic uint64_t words[REPLAY_WORDS];
} STW_ALIGNED_LINE;
static_assert(sizeof(struct replay) == STW_CACHE_LINE, "one line for each packet's sake");

/** Indices of RTCP. Zeroed: none was seen. */
struct replay_rtcp {
	_Atomic uint64_t words[REPLAY_RTCP_WORDS];
};

/** The greatest of some words; 0: nothing was seen. */
static inline uint64_t
replay_top(const _Atomic uint64_t *words, unsigned count)
{
	uint64_t top = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t word = atomic_load_explicit(&words[i], memory_order_relaxed);

		top = word > top ? word : top;
	}
	return top;
}

/** Highest index that was seen; only when any was (top is not 0). */
static inline uint64_t
replay_highest(uint64_t top)
{
	return (top >> 16 << 4) + (63 - (unsigned)__builtin_clzll(top & 0xffff));
}

/**
 * Estimate a packet's index from its sequence number: the one that is nearest to the highest.
 *
 * @param roc  roll-over counter of the first packet
 * @return index, or REPLAY_NO_INDEX
 */
static inline uint64_t
replay_estimate(const struct replay *replay, uint16_t sequence, uint32_t roc)
{
	uint64_t top = replay_top(replay->words, REPLAY_WORDS), highest, near;

	if (top == 0)
		return (uint64_t)roc << 16 | sequence;
	highest = replay_highest(top);
	near = highest + (uint64_t)(int64_t)(int16_t)(sequence - (uint16_t)highest);
	/* Half a turn away is taken for earlier, as the RFC does below 32,768, or later above. */
	if ((uint16_t)(sequence - (uint16_t)highest) == 0x8000 && (uint16_t)highest < 0x8000)
		near += 0x10000;
	return near < REPLAY_INDEX_END ? near : REPLAY_NO_INDEX;
}

/** Whether an index is inside or beyond the window, and was not seen. */
static inline bool
replay_is_fresh(const struct replay *replay, uint64_t index)
{
	uint64_t group = index >> 4, word;

	if (index >= REPLAY_INDEX_END ||
	    group + REPLAY_WORDS <= replay_top(replay->words, REPLAY_WORDS) >> 16)
		return false;
	word = atomic_load_explicit(&replay->words[group % REPLAY_WORDS], memory_order_relaxed);
	return word >> 16 < group || (word >> 16 == group && !(word >> (index & 15) & 1));
}

/**
 * Mark a number in its word.
 *
 * @param bits    of the word that are marks: 16 or 32
 * @param shared  other threads may mark, too; if not, there is no need of a locked instruction, which
 *                waits for every store before it
 * @return false when it was marked before, or the word is a later group's
 *
 * Progress: lock-free; a retry means that another worker has marked a packet of the same SSRC.
 */
static inline bool
replay_mark_word(_Atomic uint64_t *word, uint64_t group, unsigned bits, unsigned place, bool shared)
{
	uint64_t seen = atomic_load_explicit(word, memory_order_relaxed), marked;

	do {
		if (seen >> bits > group || (seen >> bits == group && seen >> place & 1))
			return false;
		marked = UINT64_C(1) << place;
		marked |= seen >> bits == group ? seen : group << bits;
		if (!shared) {
			atomic_store_explicit(word, marked, memory_order_relaxed);
			return true;
		}
	} while (!atomic_compare_exchange_weak_explicit(word, &seen, marked, memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

/** Mark an index as seen; false when it is not fresh (any more). */
static inline bool
replay_mark(struct replay *replay, uint64_t index, bool shared)
{
	uint64_t group = index >> 4;

	if (index >= REPLAY_INDEX_END ||
	    group + REPLAY_WORDS <= replay_top(replay->words, REPLAY_WORDS) >> 16)
		return false;
	return replay_mark_word(&replay->words[group % REPLAY_WORDS], group, 16, index & 15,
				shared);
}

/** replay_is_fresh for SRTCP. */
static inline bool
replay_rtcp_is_fresh(const struct replay_rtcp *replay, uint32_t index)
{
	uint64_t group = index >> 5, word;

	if (group + REPLAY_RTCP_WORDS <= replay_top(replay->words, REPLAY_RTCP_WORDS) >> 32)
		return false;
	word = atomic_load_explicit(&replay->words[group % REPLAY_RTCP_WORDS],
				    memory_order_relaxed);
	return word >> 32 < group || (word >> 32 == group && !(word >> (index & 31) & 1));
}

/** replay_mark for SRTCP. */
static inline bool
replay_rtcp_mark(struct replay_rtcp *replay, uint32_t index, bool shared)
{
	uint64_t group = index >> 5;

	if (group + REPLAY_RTCP_WORDS <= replay_top(replay->words, REPLAY_RTCP_WORDS) >> 32)
		return false;
	return replay_mark_word(&replay->words[group % REPLAY_RTCP_WORDS], group, 32, index & 31,
				shared);
}

#endif
