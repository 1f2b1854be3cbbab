/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unit tests of lanes: what the wide looks say is what a loop over the words says.
 */
#include <criterion/criterion.h>

#include "base/base.h"
#include "sync/lanes.h"

#define ROWS (3 * LANES_WORDS)

static uint64_t
random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static _Atomic int64_t keys[LANES_KEYS] STW_ALIGNED_LINE;
static _Atomic uint64_t listed[ROWS] STW_ALIGNED_LINE;
static _Atomic uint64_t bounds[ROWS] STW_ALIGNED_LINE;
static _Atomic uint32_t members[ROWS] STW_ALIGNED_LINE;

static void
lowest_expect(uint64_t among)
{
	int64_t low = INT64_MAX, found;
	uint64_t at = 0, positions;

	for (unsigned i = 0; i < LANES_KEYS; i++)
		if (among >> i & 1 && atomic_load(&keys[i]) < low)
			low = atomic_load(&keys[i]);
	for (unsigned i = 0; i < LANES_KEYS; i++)
		if (among >> i & 1 && atomic_load(&keys[i]) == low)
			at |= UINT64_C(1) << i;
	positions = lanes_lowest(keys, among, &found);
	cr_assert_eq(found, low);
	cr_assert_eq(positions, at);
}

Test(lanes, the_lowest_key_is_found_with_all_its_positions)
{
	uint64_t state = 1;

	for (unsigned round = 0; round < 20000; round++) {
		/* Few bits make equal keys. */
		unsigned shift = round % 64;

		for (unsigned i = 0; i < LANES_KEYS; i++)
			atomic_store(&keys[i], (int64_t)random_next(&state) >> shift);
		lowest_expect(random_next(&state));
		lowest_expect(random_next(&state) & random_next(&state) & random_next(&state));
		lowest_expect(UINT64_MAX);
	}
}

Test(lanes, each_single_position_is_found_alone)
{
	for (unsigned i = 0; i < LANES_KEYS; i++)
		atomic_store(&keys[i], (int64_t)i * (i % 2 ? 1 : -1));
	for (unsigned i = 0; i < LANES_KEYS; i++)
		lowest_expect(UINT64_C(1) << i);
}

Test(lanes, the_ends_of_the_range_of_keys_are_found)
{
	for (unsigned i = 0; i < LANES_KEYS; i++)
		atomic_store(&keys[i], i % 2 ? INT64_MAX : INT64_MIN);
	lowest_expect(UINT64_MAX);
	lowest_expect(UINT64_C(0xaaaaaaaaaaaaaaaa));
	lowest_expect(0);
}

static void
words_expect(uint32_t first, uint32_t count, uint64_t limit)
{
	struct lanes_rows rows = {listed, members, bounds};
	uint32_t any = 0, words = 0, found_any, found;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t bits = (uint32_t)atomic_load(&listed[first + i]);

		any |= (uint32_t)(bits != 0) << i;
		if (bits & atomic_load(&members[first + i]) &&
		    atomic_load(&bounds[first + i]) <= limit)
			words |= UINT32_C(1) << i;
	}
	found = lanes_words(&rows, first, count, limit, &found_any);
	cr_assert_eq(found, words);
	cr_assert_eq(found_any, any);
}

Test(lanes, words_with_a_listed_member_and_a_low_bound_are_found)
{
	uint64_t state = 2;

	for (unsigned round = 0; round < 20000; round++) {
		for (unsigned i = 0; i < ROWS; i++) {
			/* Settings are counted in the high half: they are no bits. */
			uint64_t bits = random_next(&state) & random_next(&state);

			atomic_store(&listed[i], i % 3 ? bits : bits >> 32 << 32);
			atomic_store(&members[i],
				     (uint32_t)(random_next(&state) & random_next(&state) &
						random_next(&state)));
			atomic_store(&bounds[i], random_next(&state));
		}
		words_expect(LANES_WORDS * (round % 3), 1 + round % LANES_WORDS,
			     random_next(&state));
		words_expect(0, LANES_WORDS, UINT64_MAX);
		words_expect(0, LANES_WORDS, atomic_load(&bounds[round % LANES_WORDS]));
	}
}

Test(lanes, no_words_are_none)
{
	words_expect(0, 0, UINT64_MAX);
}
