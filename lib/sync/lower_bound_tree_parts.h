/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lower-bound tree: what its files share. T1 and T5 are the writer's side, in lower_bound_tree.c.
 *
 *  label  where                      order    pairs with  without it
 *  T2     visit, remove: stay        acquire  T1          a finder reads an unwritten entry
 *  T6     visit, remove: fields      acquire  T5          a new key is taken for the old entry's
 */
#ifndef STW_SYNC_LOWER_BOUND_TREE_PARTS_H
#define STW_SYNC_LOWER_BOUND_TREE_PARTS_H

#include "lower_bound_tree.h"

/* The set's word that has the bit of a chunk. */
static inline _Atomic uint64_t *
lower_bound_tree_member(struct lower_bound_tree *tree, uint32_t set, uint32_t chunk)
{
	return &tree->members[(size_t)set * tree->members_words + chunk / HINT_BITS_WIDTH];
}

/* The word above a set's word of chunk bits, and its bit there. */
static inline _Atomic uint64_t *
lower_bound_tree_summary(struct lower_bound_tree *tree, uint32_t set, uint32_t w)
{
	return &tree->summaries[(size_t)set * tree->summary_words + w / HINT_BITS_WIDTH];
}

/* The set's word w of chunk bits; mend the bit above it if it is empty. */
static inline uint32_t
lower_bound_tree_member_bits(struct lower_bound_tree *tree, uint32_t set, uint32_t w,
			     uint64_t summary_seen)
{
	uint32_t bits =
		(uint32_t)hint_bits_read(lower_bound_tree_member(tree, set, w * HINT_BITS_WIDTH));

	if (!bits)
		hint_bits_clear(lower_bound_tree_summary(tree, set, w), w % HINT_BITS_WIDTH,
				summary_seen);
	return bits;
}

/* Read entry i of a chunk; returns its stay. 0: there is none, or it changed under our eyes. */
static inline uint64_t
lower_bound_tree_entry_read(struct lower_bound_tree_chunk *chunk, uint32_t i,
			    struct lower_bound_tree_entry *entry, uint32_t *set)
{
	/* T2, pairs with T1 */
	uint64_t stay = atomic_load_explicit(&chunk->slots[i].stay, memory_order_acquire);

	if (!(stay & 1))
		return 0;
	/* T6, pairs with T5 */
	*set = atomic_load_explicit(&chunk->slots[i].set, memory_order_acquire);
	/* T6, pairs with T5 */
	entry->key = atomic_load_explicit(&chunk->key[i], memory_order_acquire);
	/* T6, pairs with T5 */
	entry->order = atomic_load_explicit(&chunk->slots[i].order, memory_order_acquire);
	/* T6, pairs with T5 */
	entry->item = atomic_load_explicit(&chunk->slots[i].item, memory_order_acquire);
	/* T6, pairs with T5 */
	entry->ref = atomic_load_explicit(&chunk->slots[i].ref, memory_order_acquire);
	return atomic_load_explicit(&chunk->slots[i].stay, memory_order_relaxed) == stay ? stay : 0;
}

/* Take out the entry of this stay; false: it is out already. */
bool lower_bound_tree_entry_remove(struct lower_bound_tree *tree, uint32_t position, uint64_t stay);

#endif
