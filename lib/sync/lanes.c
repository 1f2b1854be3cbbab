/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanes: plain loops, and on x86-64 the same by AVX2, if the processor has that when we run.
 *
 * The language has no atomic read of several words. What the wide reads rely on is the processor's: of a wide
 * read, each aligned 8 bytes are read whole, and reads stay in the order of the program. Of the
 * compiler they ask only that it does not move them before an earlier acquire. ThreadSanitizer would take them
 * for races, so under it the plain loops are used, and what is built on them is tested there.
 *
 * I1  A word that nobody changes during a look is seen as it is. Of one that changes, lanes_words sees the
 *     value from before or after; lanes_lowest needs not even that, as who asks reads the
 *     entry again.
 *
 * No loop depends on another thread: wait-free. Accesses are relaxed; who looks has read the word that
 * tells of what is looked at, with acquire order, before (B2, H2), and the plain loops of lanes_words
 * read as those do.
 */
#include "lanes.h"

#include "fence.h"
#include "hint_bits.h"
#include "lower_bound_word.h"

#if defined(__x86_64__) && !SYNC_TSAN
#define LANES_WIDE 1
#include <immintrin.h>
#else
#define LANES_WIDE 0
#endif

static uint64_t
lowest_plain(const _Atomic int64_t *keys, uint64_t among, int64_t *lowest)
{
	int64_t low = INT64_MAX;
	uint64_t at = 0;

	for (; among; among &= among - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(among);
		int64_t key = atomic_load_explicit(&keys[i], memory_order_relaxed);

		if (key > low)
			continue;
		at = key < low ? 0 : at;
		at |= UINT64_C(1) << i;
		low = key;
	}
	*lowest = low;
	return at;
}

static uint32_t
words_plain(const struct lanes_rows *rows, uint32_t first, uint32_t begin, uint32_t count,
	    uint64_t limit, uint32_t *listed)
{
	uint32_t words = 0;

	for (uint32_t i = begin; i < count; i++) {
		uint32_t list = (uint32_t)hint_bits_read(&rows->listed[first + i]);
		uint32_t bits = list & atomic_load_explicit(&rows->members[first + i],
							    memory_order_relaxed);
		uint64_t bound = lower_bound_word_read(&rows->bounds[first + i]);

		*listed |= (uint32_t)(list != 0) << i;
		words |= ((uint32_t)(bits != 0) & (uint32_t)(bound <= limit)) << i;
	}
	return words;
}

#if LANES_WIDE

/* Words of one wide read. */
#define WIDE 4

static __attribute__((target("avx2"))) uint64_t
lowest_wide(const _Atomic int64_t *keys, uint64_t among, int64_t *lowest)
{
	const __m256i bit = _mm256_set_epi64x(8, 4, 2, 1);
	const __m256i none = _mm256_set1_epi64x(INT64_MAX);
	__m256i key[LANES_KEYS / WIDE];
	__m256i low[2] = {none, none};
	int64_t lanes[WIDE];
	uint64_t at = 0;

	for (unsigned i = 0; i < LANES_KEYS / WIDE; i++) {
		__m256i in = _mm256_set1_epi64x((int64_t)(among >> WIDE * i));

		in = _mm256_cmpeq_epi64(_mm256_and_si256(in, bit), bit);
		key[i] = _mm256_load_si256((const __m256i *)(const void *)&keys[WIDE * i]);
		key[i] = _mm256_blendv_epi8(none, key[i], in);
		low[i % 2] = _mm256_blendv_epi8(low[i % 2], key[i],
						_mm256_cmpgt_epi64(low[i % 2], key[i]));
	}
	low[0] = _mm256_blendv_epi8(low[0], low[1], _mm256_cmpgt_epi64(low[0], low[1]));
	_mm256_storeu_si256((__m256i *)(void *)lanes, low[0]);
	for (unsigned i = 1; i < WIDE; i++)
		lanes[0] = lanes[i] < lanes[0] ? lanes[i] : lanes[0];
	low[0] = _mm256_set1_epi64x(lanes[0]);
	for (unsigned i = 0; i < LANES_KEYS / WIDE; i++) {
		__m256i same = _mm256_cmpeq_epi64(key[i], low[0]);

		at |= (uint64_t)(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(same)) << WIDE * i;
	}
	*lowest = lanes[0];
	return at & among;
}

static __attribute__((target("avx2"))) uint32_t
words_wide(const struct lanes_rows *rows, uint32_t first, uint32_t count, uint64_t limit,
	   uint32_t *listed)
{
	const __m256i zero = _mm256_setzero_si256();
	const __m256i half = _mm256_set1_epi64x(UINT32_MAX);
	/* Comparisons are of signed numbers. */
	const __m256i turn = _mm256_set1_epi64x(INT64_MIN);
	const __m256i most = _mm256_xor_si256(_mm256_set1_epi64x((int64_t)limit), turn);
	uint32_t out = 0, empty = 0;

	for (uint32_t i = 0; i < count; i += WIDE) {
		__m256i list =
			_mm256_load_si256((const __m256i *)(const void *)&rows->listed[first + i]);
		__m256i member = _mm256_cvtepu32_epi64(
			_mm_loadu_si128((const __m128i *)(const void *)&rows->members[first + i]));
		__m256i bound =
			_mm256_load_si256((const __m256i *)(const void *)&rows->bounds[first + i]);
		__m256i not = _mm256_cmpeq_epi64(_mm256_and_si256(list, member), zero);

		list = _mm256_cmpeq_epi64(_mm256_and_si256(list, half), zero);
		not = _mm256_or_si256(not, _mm256_cmpgt_epi64(_mm256_xor_si256(bound, turn), most));
		out |= (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(not )) << i;
		empty |= (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(list)) << i;
	}
	count = count < LANES_WORDS ? (UINT32_C(1) << count) - 1 : UINT32_MAX;
	*listed = ~empty & count;
	return ~out & count;
}

#endif

uint64_t
lanes_lowest(const _Atomic int64_t *keys, uint64_t among, int64_t *lowest)
{
#if LANES_WIDE
	if (__builtin_cpu_supports("avx2"))
		return lowest_wide(keys, among, lowest);
#endif
	return lowest_plain(keys, among, lowest);
}

uint32_t
lanes_words(const struct lanes_rows *rows, uint32_t first, uint32_t count, uint64_t limit,
	    uint32_t *listed)
{
	uint32_t words = 0, done = 0;

	*listed = 0;
#if LANES_WIDE
	done = count - count % WIDE;
	if (__builtin_cpu_supports("avx2"))
		words = words_wide(rows, first, done, limit, listed);
	else
		done = 0;
#endif
	return words | words_plain(rows, first, done, count, limit, listed);
}
