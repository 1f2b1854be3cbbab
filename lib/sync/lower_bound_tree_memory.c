/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lower-bound tree: its memory, and the tree of empty sets in it.
 */
#include "lower_bound_tree.h"

#define CHUNK LOWER_BOUND_TREE_CHUNK

static uint32_t
chunks_needed(uint32_t sets, uint32_t entries)
{
	uint32_t full = (entries + CHUNK - 1) / CHUNK;

	/* Twice what the entries need, and one begun chunk per set, before sets must share. */
	return 2 * full + (sets < entries ? sets : entries);
}

size_t
lower_bound_tree_bytes(uint32_t sets, uint32_t entries)
{
	size_t chunks = chunks_needed(sets, entries);

	return chunks * sizeof(struct lower_bound_tree_chunk) +
	       2 * STW_WHOLE_LINES(chunks * sizeof(uint64_t)) +
	       STW_WHOLE_LINES(sets * sizeof(uint64_t)) +
	       STW_WHOLE_LINES(sets * HINT_BITS_WORDS(chunks) * sizeof(uint64_t)) +
	       STW_WHOLE_LINES(sets * HINT_BITS_WORDS(HINT_BITS_WORDS(chunks)) * sizeof(uint64_t)) +
	       STW_WHOLE_LINES(HINT_BITS_WORDS((size_t)sets) * sizeof(uint64_t)) +
	       STW_WHOLE_LINES(sets * sizeof(uint32_t));
}

static void *
carve(char **memory, size_t bytes)
{
	void *part = *memory;

	*memory += STW_WHOLE_LINES(bytes);
	return part;
}

void
lower_bound_tree_init(struct lower_bound_tree *tree, void *memory, uint32_t sets, uint32_t entries,
		      lower_bound_tree_check_fn check, void *context)
{
	uint32_t chunks = chunks_needed(sets, entries);
	char *rest = memory;

	tree->chunks_count = chunks;
	tree->sets_count = sets;
	tree->members_words = HINT_BITS_WORDS(chunks);
	tree->summary_words = HINT_BITS_WORDS(tree->members_words);
	tree->chunks = carve(&rest, chunks * sizeof(struct lower_bound_tree_chunk));
	tree->used = carve(&rest, chunks * sizeof(uint64_t));
	tree->bounds = carve(&rest, chunks * sizeof(uint64_t));
	tree->roots = carve(&rest, sets * sizeof(uint64_t));
	tree->members = carve(&rest, (size_t)sets * tree->members_words * sizeof(uint64_t));
	tree->summaries = carve(&rest, (size_t)sets * tree->summary_words * sizeof(uint64_t));
	tree->occupied = carve(&rest, HINT_BITS_WORDS((size_t)sets) * sizeof(uint64_t));
	tree->roomy = carve(&rest, sets * sizeof(uint32_t));
	tree->check = check;
	tree->context = context;
	atomic_init(&tree->empty_hint, 0);
	for (uint32_t k = 0; k < chunks; k++)
		atomic_init(&tree->bounds[k], LOWER_BOUND_EMPTY_WORD);
	for (uint32_t set = 0; set < sets; set++) {
		atomic_init(&tree->roots[set], LOWER_BOUND_EMPTY_WORD);
		atomic_init(&tree->roomy[set], LOWER_BOUND_TREE_NO_CHUNK);
	}
}
