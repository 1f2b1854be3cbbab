/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sync/lower_bound_tree.h"

#define SETS    5
#define ENTRIES 200

static struct lower_bound_tree tree;
static void *memory;
static enum lower_bound_tree_verdict verdicts[2000]; /* by item; 0 is LIVE */

static enum lower_bound_tree_verdict
verdict_of(void *context, uint32_t item, uint64_t ref)
{
	return verdicts[item];
}

static void
open_tree(void)
{
	size_t bytes = lower_bound_tree_bytes(SETS, ENTRIES);

	memory = aligned_alloc(STW_CACHE_LINE, bytes);
	memset(memory, 0, bytes);
	memset(verdicts, 0, sizeof(verdicts));
	lower_bound_tree_init(&tree, memory, SETS, ENTRIES, verdict_of, NULL);
}

static void
close_tree(void)
{
	free(memory);
}

TestSuite(lower_bound_tree, .init = open_tree, .fini = close_tree);

static uint32_t
put(uint32_t set, int64_t key, uint64_t order, uint32_t item)
{
	struct lower_bound_tree_entry entry = {key, order, 1000 + item, item};
	uint32_t position;

	cr_assert_eq(lower_bound_tree_insert(&tree, set, &entry, &position), 0);
	lower_bound_tree_check(&tree, NULL);
	return position;
}

/* The item of a set's minimum; UINT32_MAX if there is none. */
static uint32_t
least(uint32_t set)
{
	struct lower_bound_tree_entry entry = {.item = UINT32_MAX};
	uint32_t position;

	if (!lower_bound_tree_min(&tree, set, &entry, &position))
		return UINT32_MAX;
	lower_bound_tree_check(&tree, NULL);
	return entry.item;
}

Test(lower_bound_tree, empty_set_has_no_minimum)
{
	cr_assert_eq(least(0), UINT32_MAX);
	cr_assert_eq(lower_bound_tree_root(&tree, 0), LOWER_BOUND_TREE_EMPTY);
}

Test(lower_bound_tree, minimum_is_the_smallest_key_then_the_smallest_order)
{
	put(1, 50, 3, 0);
	put(1, 50, 2, 1);
	put(1, 51, 1, 2);
	cr_assert_eq(least(1), 1);
	put(1, -7, 9, 3);
	cr_assert_eq(least(1), 3);
	cr_assert_eq(least(0), UINT32_MAX);
}

Test(lower_bound_tree, removed_entry_is_gone_and_removed_once)
{
	uint32_t first = put(0, 1, 0, 0);

	put(0, 2, 0, 1);
	cr_assert_not(lower_bound_tree_remove(&tree, first, 0, 999));
	cr_assert(lower_bound_tree_remove(&tree, first, 0, 1000));
	cr_assert_not(lower_bound_tree_remove(&tree, first, 0, 1000));
	cr_assert_not(lower_bound_tree_remove(&tree, UINT32_MAX, 0, 1000));
	cr_assert_eq(least(0), 1);
}

Test(lower_bound_tree, late_removal_spares_another_item_with_the_same_ref)
{
	struct lower_bound_tree_entry entry = {.key = 1, .ref = 1000, .item = 1};
	uint32_t first = put(0, 1, 0, 0);
	uint32_t second;

	cr_assert(lower_bound_tree_remove(&tree, first, 0, 1000));
	cr_assert_eq(lower_bound_tree_insert(&tree, 0, &entry, &second), 0);
	cr_assert_eq(second, first, "the place was not used again");
	cr_assert_not(lower_bound_tree_remove(&tree, first, 0, 1000));
	cr_assert_eq(least(0), 1);
}

Test(lower_bound_tree, stale_entry_is_taken_out_when_met)
{
	uint32_t live;

	put(0, 1, 0, 0);
	put(0, 2, 0, 1);
	verdicts[0] = LOWER_BOUND_TREE_STALE;
	cr_assert_eq(least(0), 1);
	verdicts[0] = LOWER_BOUND_TREE_LIVE;
	cr_assert_eq(least(0), 1);
	lower_bound_tree_check(&tree, &live);
	cr_assert_eq(live, 1);
}

Test(lower_bound_tree, future_entry_is_passed_over_and_kept)
{
	put(0, 1, 0, 0);
	put(0, 2, 0, 1);
	verdicts[0] = LOWER_BOUND_TREE_FUTURE;
	cr_assert_eq(least(0), 1);
	verdicts[1] = LOWER_BOUND_TREE_FUTURE;
	cr_assert_eq(least(0), UINT32_MAX);
	verdicts[0] = LOWER_BOUND_TREE_LIVE;
	cr_assert_eq(least(0), 0);
}

Test(lower_bound_tree, bounds_rise_only_in_a_search_and_never_above_an_entry)
{
	uint32_t position = put(0, 0, 0, 0);
	uint64_t low = lower_bound_tree_root(&tree, 0);

	put(0, 1 << 20, 0, 1);
	lower_bound_tree_remove(&tree, position, 0, 1000);
	cr_assert_eq(lower_bound_tree_root(&tree, 0), low);
	cr_assert_eq(least(0), 1);
	cr_assert_eq(lower_bound_tree_root(&tree, 0), lower_bound_of(1 << 20));
}

Test(lower_bound_tree, raise_fails_after_an_insert)
{
	uint64_t before;
	uint64_t after;

	put(0, 1000000, 0, 0);
	before = atomic_load(&tree.roots[0]);
	put(0, 2000000, 0, 1);
	after = atomic_load(&tree.roots[0]);
	cr_assert_eq(before >> LOWER_BOUND_VERSION_BITS, after >> LOWER_BOUND_VERSION_BITS);
	cr_assert_neq(before, after);
}

Test(lower_bound_tree, coarse_bounds_follow_the_order_of_keys)
{
	static const int64_t keys[] = {INT64_MIN,
				       INT64_MIN + 1,
				       -(INT64_C(1) << 62),
				       -(INT64_C(1) << 54) - 1,
				       -(INT64_C(1) << 54),
				       -5000,
				       -1,
				       0,
				       1,
				       5000,
				       (INT64_C(1) << 54) - 1,
				       INT64_C(1) << 54,
				       INT64_C(1) << 62,
				       INT64_MAX};

	for (size_t i = 1; i < STW_ARRAY_COUNT(keys); i++)
		cr_assert_leq(lower_bound_of(keys[i - 1]), lower_bound_of(keys[i]));
	cr_assert_lt(lower_bound_of(INT64_MAX), LOWER_BOUND_TREE_EMPTY);
}

Test(lower_bound_tree, everything_promised_fits_whatever_the_sets)
{
	for (uint32_t i = 0; i < ENTRIES; i++)
		put(i % 3 ? 4 : i % SETS, (int64_t)((i * 7919) % 1000), i, i);
	for (uint32_t set = 0; set < SETS; set++)
		cr_assert_neq(least(set), UINT32_MAX);
}

Test(lower_bound_tree, sets_share_chunks_when_memory_runs_short)
{
	struct lower_bound_tree_entry entry = {.key = 5, .ref = 7, .item = 0};
	uint32_t position;
	uint32_t count = 0;

	while (!lower_bound_tree_insert(&tree, count % SETS, &entry, &position)) {
		entry.key = 5 + ++count;
		entry.item = count % 2000;
		entry.ref = 7 + count;
	}
	cr_assert_eq(count, tree.chunks_count * LOWER_BOUND_TREE_CHUNK);
	cr_assert_geq(count, ENTRIES);
	lower_bound_tree_check(&tree, NULL);
	for (uint32_t set = 0; set < SETS; set++)
		cr_assert_eq(least(set), set);
	verdicts[3] = LOWER_BOUND_TREE_STALE;
	cr_assert_eq(lower_bound_tree_insert(&tree, 0, &entry, &position), 0);
}

Test(lower_bound_tree, agrees_with_a_plain_search_over_many_changes)
{
	static struct {
		bool in;
		uint32_t set;
		uint32_t position;
		int64_t key;
	} plain[ENTRIES];
	uint32_t random = 12345;

	memset(plain, 0, sizeof(plain));
	for (uint32_t step = 0; step < 20000; step++) {
		uint32_t i;
		uint32_t set;
		uint32_t best = UINT32_MAX;

		random = random * 1103515245 + 12345;
		i = (random >> 8) % ENTRIES;
		set = (random >> 20) % SETS;
		if (plain[i].in) {
			cr_assert(lower_bound_tree_remove(&tree, plain[i].position, i, 1000 + i));
			plain[i].in = false;
		} else {
			struct lower_bound_tree_entry entry = {
				(int64_t)(random >> 4) << (step % 30), i, 1000 + i, i};

			cr_assert_eq(
				lower_bound_tree_insert(&tree, set, &entry, &plain[i].position), 0);
			plain[i].in = true;
			plain[i].set = set;
			plain[i].key = entry.key;
		}
		for (uint32_t n = 0; n < ENTRIES; n++)
			if (plain[n].in && plain[n].set == set &&
			    (best == UINT32_MAX || plain[n].key < plain[best].key))
				best = n;
		cr_assert_eq(least(set), best, "step %u", step);
	}
}

/* A tree of one set in so many chunks that a search cannot note them all at once. */
static void
open_large_tree(struct lower_bound_tree *large, uint32_t chunks)
{
	uint32_t entries = chunks * LOWER_BOUND_TREE_CHUNK;
	size_t bytes = lower_bound_tree_bytes(1, entries);

	free(memory);
	memory = aligned_alloc(STW_CACHE_LINE, bytes);
	memset(memory, 0, bytes);
	lower_bound_tree_init(large, memory, 1, entries, verdict_of, NULL);
}

Test(lower_bound_tree, set_in_many_chunks_gives_its_keys_in_order)
{
	const uint32_t entries = 70 * LOWER_BOUND_TREE_CHUNK;
	uint32_t position;

	open_large_tree(&tree, 70);
	for (uint32_t n = 0; n < entries; n++) {
		/* Each key once, in an order that strews them over the chunks. */
		struct lower_bound_tree_entry entry = {
			.key = (int64_t)(n * 1237 % entries) << 12, .order = n, .ref = n + 1};

		cr_assert_eq(lower_bound_tree_insert(&tree, 0, &entry, &position), 0);
	}
	lower_bound_tree_check(&tree, NULL);
	for (uint32_t n = 0; n < entries; n++) {
		struct lower_bound_tree_entry entry;

		cr_assert(lower_bound_tree_min(&tree, 0, &entry, &position));
		cr_assert_eq(entry.key, (int64_t)n << 12);
		cr_assert(lower_bound_tree_remove(&tree, position, entry.item, entry.ref));
	}
	cr_assert_eq(least(0), UINT32_MAX);
	cr_assert_eq(lower_bound_tree_root(&tree, 0), LOWER_BOUND_TREE_EMPTY);
}

Test(lower_bound_tree, counts_what_comes_before_a_key)
{
	const uint32_t entries = 70 * LOWER_BOUND_TREE_CHUNK;
	uint32_t position;

	put(1, 100, 5, 1);
	put(1, 100, 7, 2);
	put(1, 90, 9, 3);
	put(2, 10, 1, 4);
	put(1, 101, 0, 5);
	cr_expect_eq(lower_bound_tree_count_before(&tree, 1, 100, 7), 2);
	cr_expect_eq(lower_bound_tree_count_before(&tree, 1, 100, 5), 1);
	cr_expect_eq(lower_bound_tree_count_before(&tree, 1, 90, 9), 0);
	cr_expect_eq(lower_bound_tree_count_before(&tree, 1, INT64_MAX, 0), 4);
	cr_expect_eq(lower_bound_tree_count_before(&tree, 3, INT64_MAX, 0), 0);
	verdicts[3] = LOWER_BOUND_TREE_FUTURE;
	cr_expect_eq(lower_bound_tree_count_before(&tree, 1, 100, 7), 1);
	verdicts[3] = LOWER_BOUND_TREE_LIVE;
	open_large_tree(&tree, 70);
	for (uint32_t n = 0; n < entries; n++) {
		struct lower_bound_tree_entry entry = {
			.key = (int64_t)(n * 1237 % entries) << 12, .order = n, .ref = n + 1};

		cr_assert_eq(lower_bound_tree_insert(&tree, 0, &entry, &position), 0);
	}
	for (uint32_t n = 0; n < entries; n += 97)
		cr_assert_eq(lower_bound_tree_count_before(&tree, 0, (int64_t)n << 12, 0), n);
}

Test(lower_bound_tree, words_without_a_chunk_are_passed_over_until_one_is_back)
{
	uint32_t position = put(2, 50, 0, 1);

	cr_assert(lower_bound_tree_remove(&tree, position, 1, 1001));
	cr_assert_eq(least(2), UINT32_MAX);
	/* Who lowered the root and no more would be looked for: the words are seen to be empty. */
	lower_bound_word_lower(&tree.roots[2], lower_bound_of(10));
	cr_assert_eq(least(2), UINT32_MAX);
	cr_assert_eq((uint32_t)hint_bits_read(&tree.summaries[2 * tree.summary_words]), 0);
	put(2, 60, 0, 2);
	cr_assert_eq(least(2), 2);
}

Test(lower_bound_tree, positions_that_are_taken_but_not_filled_hide_nothing)
{
	uint32_t first = put(0, 100 << 12, 0, 1);
	uint32_t second = put(0, 200 << 12, 0, 2);
	uint32_t third = put(0, 300 << 12, 0, 3);

	/* Two entries go, and others stop before they fill the positions; the old keys still stand there. */
	cr_assert(lower_bound_tree_remove(&tree, first, 1, 1001));
	cr_assert(lower_bound_tree_remove(&tree, second, 2, 1002));
	atomic_fetch_or(&tree.used[0], UINT64_C(1) << first | UINT64_C(1) << second);
	for (int round = 0; round < 2; round++) {
		struct lower_bound_tree_entry entry;
		uint32_t position;

		cr_assert(lower_bound_tree_min(&tree, 0, &entry, &position));
		cr_assert_eq(position, third);
		cr_assert_eq(lower_bound_tree_root(&tree, 0), lower_bound_of(300 << 12));
	}
}
