/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lower-bound tree: the search for a set's minimum. The invariants are told in lower_bound_tree.c.
 */
#include "lanes.h"
#include "lower_bound_tree_parts.h"

#define EMPTY LOWER_BOUND_TREE_EMPTY
#define CHUNK LOWER_BOUND_TREE_CHUNK

/* Chunks whose bounds are looked at together. */
#define NEAR_MAX 32

static_assert(CHUNK == LANES_KEYS, "one look for the keys of a chunk");

/* What a search knows so far. */
struct search {
	uint32_t set;
	bool found;
	uint32_t position;
	uint64_t bound; /* of the best so far; EMPTY: none */
	uint64_t floor; /* at most the bound of every entry of the set in chunks done with */
	struct lower_bound_tree_entry best;
	uint32_t near_count; /* chunks to be visited or excluded */
	uint32_t near[NEAR_MAX];
	uint64_t near_bounds[NEAR_MAX];
};

/* Those of the positions that are of the set now. */
static uint64_t
positions_of(struct lower_bound_tree_chunk *chunk, uint64_t among, uint32_t set)
{
	uint64_t own = 0;

	for (; among; among &= among - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(among);

		if (atomic_load_explicit(&chunk->slots[i].set, memory_order_relaxed) == set)
			own |= UINT64_C(1) << i;
	}
	return own;
}

/* What a look at a chunk gives. */
struct look {
	uint64_t all; /* bound of all entries */
	uint64_t own; /* bound of the set's entries */
	struct lower_bound_tree_entry best;
	uint64_t best_stay;
	uint32_t best_i; /* the set's smallest, not passed over; CHUNK: none */
};

/* Read these entries, of this key: note their bounds, and the set's smallest; false: none is of a set
 * other than `set`. */
static bool
entries_look(struct lower_bound_tree_chunk *chunk, uint64_t at, int64_t key, uint32_t set,
	     bool pass_over, struct look *look)
{
	uint64_t bound = lower_bound_of(key);
	bool foreign = false;

	for (; at; at &= at - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(at);
		struct lower_bound_tree_entry entry;
		uint32_t entry_set;
		uint64_t stay = lower_bound_tree_entry_read(chunk, i, &entry, &entry_set);

		if (!stay || entry.key != key)
			continue;
		look->all = bound < look->all ? bound : look->all;
		if (entry_set != set) {
			foreign = true;
			continue;
		}
		look->own = bound < look->own ? bound : look->own;
		if (!pass_over &&
		    (look->best_i == CHUNK || lower_bound_tree_before(&entry, &look->best))) {
			look->best = entry;
			look->best_stay = stay;
			look->best_i = i;
		}
	}
	return foreign;
}

/* One look at chunk k, passing over `skip`. */
static void
chunk_scan(struct lower_bound_tree *tree, uint32_t k, uint32_t set, uint64_t skip,
	   struct look *look)
{
	struct lower_bound_tree_chunk *chunk = &tree->chunks[k];
	uint64_t used = atomic_load_explicit(&tree->used[k], memory_order_relaxed);
	uint64_t among = used & ~skip;
	bool narrowed = false;

	*look = (struct look){.all = EMPTY, .own = EMPTY, .best_i = CHUNK};
	for (skip &= used; skip; skip &= skip - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(skip);

		entries_look(chunk, skip & -skip,
			     atomic_load_explicit(&chunk->key[i], memory_order_relaxed), set, true,
			     look);
	}
	while (among && look->best_i == CHUNK) {
		int64_t key;
		uint64_t at = lanes_lowest(chunk->key, among, &key);

		among &= ~at;
		if (entries_look(chunk, at, key, set, false, look) && !narrowed) {
			/* What another set has tells no more once its lowest is known. */
			among = positions_of(chunk, among, set);
			narrowed = true;
		}
	}
}

/* Find the set's smallest live entry in chunk k, mend the chunk's bound and bit. */
static void
chunk_visit(struct lower_bound_tree *tree, uint32_t k, struct search *search)
{
	_Atomic uint64_t *member = lower_bound_tree_member(tree, search->set, k);
	uint64_t skip = 0;
	uint64_t member_seen;
	uint64_t word_seen;
	struct look look;

	for (;;) {
		enum lower_bound_tree_verdict verdict;

		member_seen = hint_bits_read(member);
		word_seen = lower_bound_word_read(&tree->bounds[k]);
		chunk_scan(tree, k, search->set, skip, &look);
		if (look.best_i == CHUNK)
			break;
		verdict = tree->check(tree->context, look.best.item, look.best.ref);
		if (verdict == LOWER_BOUND_TREE_LIVE)
			break;
		if (verdict == LOWER_BOUND_TREE_FUTURE)
			skip |= UINT64_C(1) << look.best_i;
		else
			lower_bound_tree_entry_remove(tree, k * CHUNK + look.best_i,
						      look.best_stay);
	}
	if (look.all > lower_bound_word_bound(word_seen))
		lower_bound_word_raise(&tree->bounds[k], word_seen, look.all);
	if (look.own == EMPTY)
		hint_bits_clear(member, k % HINT_BITS_WIDTH, member_seen);
	search->floor = look.own < search->floor ? look.own : search->floor;
	if (look.best_i != CHUNK &&
	    (!search->found || lower_bound_tree_before(&look.best, &search->best))) {
		search->found = true;
		search->best = look.best;
		search->position = k * CHUNK + look.best_i;
		search->bound = lower_bound_of(look.best.key);
	}
}

/* Visit the chunks noted, lowest bound first, until what is found excludes the others. */
static void
near_visit(struct lower_bound_tree *tree, struct search *search)
{
	while (search->near_count) {
		uint32_t lowest = 0;
		uint32_t k;

		for (uint32_t i = 1; i < search->near_count; i++)
			if (search->near_bounds[i] < search->near_bounds[lowest])
				lowest = i;
		if (search->near_bounds[lowest] > search->bound) {
			if (search->near_bounds[lowest] < search->floor)
				search->floor = search->near_bounds[lowest];
			search->near_count = 0;
			return;
		}
		k = search->near[lowest];
		search->near_count--;
		search->near[lowest] = search->near[search->near_count];
		search->near_bounds[lowest] = search->near_bounds[search->near_count];
		chunk_visit(tree, k, search);
	}
}

/* Note a chunk where the set may have an entry. */
static void
near_note(struct lower_bound_tree *tree, uint32_t k, struct search *search)
{
	uint64_t bound = lower_bound_word_bound(lower_bound_word_read(&tree->bounds[k]));

	if (bound > search->bound) {
		search->floor = bound < search->floor ? bound : search->floor;
		return;
	}
	if (search->near_count == NEAR_MAX)
		near_visit(tree, search);
	search->near[search->near_count] = k;
	search->near_bounds[search->near_count++] = bound;
}

static void
set_visit(struct lower_bound_tree *tree, struct search *search)
{
	for (uint32_t s = 0; s < tree->summary_words; s++) {
		uint64_t summary = hint_bits_read(
			lower_bound_tree_summary(tree, search->set, s * HINT_BITS_WIDTH));

		for (uint32_t words = (uint32_t)summary; words; words &= words - 1) {
			uint32_t w = s * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(words);
			uint32_t bits = lower_bound_tree_member_bits(tree, search->set, w, summary);

			for (; bits; bits &= bits - 1)
				near_note(tree, w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits),
					  search);
		}
	}
	near_visit(tree, search);
}

bool
lower_bound_tree_min(struct lower_bound_tree *tree, uint32_t set,
		     struct lower_bound_tree_entry *entry, uint32_t *position)
{
	for (;;) {
		struct search search;
		uint64_t root = lower_bound_word_read(&tree->roots[set]);
		bool raised = true;

		if (lower_bound_word_bound(root) == EMPTY)
			return false;
		search.set = set;
		search.found = false;
		search.bound = EMPTY;
		search.floor = EMPTY;
		search.near_count = 0;
		set_visit(tree, &search);
		if (search.floor > lower_bound_word_bound(root))
			raised = lower_bound_word_raise(&tree->roots[set], root, search.floor);
		if (search.found) {
			*entry = search.best;
			*position = search.position;
			return true;
		}
		if (raised)
			return false;
	}
}
