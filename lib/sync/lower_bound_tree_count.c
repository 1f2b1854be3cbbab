/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lower-bound tree: how many entries of a set come before a key. Every chunk in which the set may have such
 * an entry is walked; one whose bound is above the key's is passed over. An entry put in or taken out during
 * the walk may be counted or not; all others are counted exactly. The invariants are told in
 * lower_bound_tree.c, the labels in lower_bound_tree_parts.h.
 */
#include "lower_bound_tree_parts.h"

#define CHUNK LOWER_BOUND_TREE_CHUNK

static uint32_t
chunk_count(struct lower_bound_tree *tree, uint32_t k, uint32_t set,
	    const struct lower_bound_tree_entry *before)
{
	struct lower_bound_tree_chunk *chunk = &tree->chunks[k];
	uint64_t used = atomic_load_explicit(&tree->used[k], memory_order_relaxed);
	uint32_t count = 0;

	for (; used; used &= used - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(used);
		struct lower_bound_tree_entry entry;
		uint32_t entry_set;

		if (atomic_load_explicit(&chunk->key[i], memory_order_relaxed) > before->key ||
		    !lower_bound_tree_entry_read(chunk, i, &entry, &entry_set) || entry_set != set)
			continue;
		if (lower_bound_tree_before(&entry, before))
			count += tree->check(tree->context, entry.item, entry.ref) ==
				 LOWER_BOUND_TREE_LIVE;
	}
	return count;
}

uint32_t
lower_bound_tree_count_before(struct lower_bound_tree *tree, uint32_t set, int64_t key,
			      uint64_t order)
{
	const struct lower_bound_tree_entry before = {.key = key, .order = order};
	uint64_t limit = lower_bound_of(key);
	uint32_t count = 0;

	for (uint32_t s = 0; s < tree->summary_words; s++) {
		uint64_t summary =
			hint_bits_read(lower_bound_tree_summary(tree, set, s * HINT_BITS_WIDTH));

		for (uint32_t words = (uint32_t)summary; words; words &= words - 1) {
			uint32_t w = s * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(words);
			uint32_t bits = lower_bound_tree_member_bits(tree, set, w, summary);

			for (; bits; bits &= bits - 1) {
				uint32_t k = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);
				uint64_t bound = lower_bound_word_bound(
					lower_bound_word_read(&tree->bounds[k]));

				if (bound <= limit)
					count += chunk_count(tree, k, set, &before);
			}
		}
	}
	return count;
}
