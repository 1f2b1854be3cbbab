/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checking a lower-bound tree's invariants, while nobody changes it.
 */
#include "lower_bound_tree.h"

#define CHUNK LOWER_BOUND_TREE_CHUNK

static uint64_t
bound_in(const _Atomic uint64_t *word)
{
	return lower_bound_word_bound(atomic_load_explicit(word, memory_order_relaxed));
}

static bool
bit_in(const _Atomic uint64_t *words, size_t i)
{
	return atomic_load_explicit(&words[i / HINT_BITS_WIDTH], memory_order_relaxed) >>
		       i % HINT_BITS_WIDTH &
	       1;
}

/* I1, I2 and I3 for one entry. */
static void
entry_check(struct lower_bound_tree *tree, uint32_t k, uint32_t i)
{
	struct lower_bound_tree_chunk *chunk = &tree->chunks[k];
	uint32_t set = atomic_load_explicit(&chunk->slots[i].set, memory_order_relaxed);
	uint64_t bound = lower_bound_of(atomic_load_explicit(&chunk->key[i], memory_order_relaxed));

	STW_ASSERT(set < tree->sets_count);
	STW_ASSERT(bound >= bound_in(&tree->bounds[k]));
	STW_ASSERT(bound >= bound_in(&tree->roots[set]));
	STW_ASSERT(bit_in(tree->members + (size_t)set * tree->members_words, k));
	STW_ASSERT(
		bit_in(tree->summaries + (size_t)set * tree->summary_words, k / HINT_BITS_WIDTH));
	STW_ASSERT(bit_in(tree->occupied, set));
}

int
lower_bound_tree_check(struct lower_bound_tree *tree, uint32_t *live)
{
	uint32_t count = 0;

	for (uint32_t position = 0; position < tree->chunks_count * CHUNK; position++) {
		struct lower_bound_tree_chunk *chunk = &tree->chunks[position / CHUNK];
		uint32_t i = position % CHUNK;
		uint64_t used =
			atomic_load_explicit(&tree->used[position / CHUNK], memory_order_relaxed);
		uint64_t stay = atomic_load_explicit(&chunk->slots[i].stay, memory_order_relaxed);
		uint64_t ref = atomic_load_explicit(&chunk->slots[i].ref, memory_order_relaxed);
		uint32_t item = atomic_load_explicit(&chunk->slots[i].item, memory_order_relaxed);

		STW_ASSERT((used >> i & 1) == (stay & 1));
		if (!(stay & 1))
			continue;
		entry_check(tree, position / CHUNK, i);
		count += tree->check(tree->context, item, ref) == LOWER_BOUND_TREE_LIVE;
	}
	if (live)
		*live = count;
	return 0;
}
