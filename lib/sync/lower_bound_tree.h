/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lower-bound tree: many sets of keyed references in one fixed memory, each with an exact minimum.
 */
#ifndef STW_SYNC_LOWER_BOUND_TREE_H
#define STW_SYNC_LOWER_BOUND_TREE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "hint_bits.h"
#include "lower_bound_word.h"

/** In roomy: no chunk is known to have had room. */
#define LOWER_BOUND_TREE_NO_CHUNK UINT32_MAX

/** Entries of a chunk: one bit each in a word. */
#define LOWER_BOUND_TREE_CHUNK 64

/** An entry, as put in and as found. */
struct lower_bound_tree_entry {
	int64_t key;    /**< the smallest is the minimum */
	uint64_t order; /**< decides between equal keys, smallest first */
	uint64_t
		ref; /**< with the item, names a stay in the tree; never used again for that item */
	uint32_t item; /**< what it is about; handed to the check */
};

/** Whether entry a comes before b: by key, of equal keys by order. */
static inline bool
lower_bound_tree_before(const struct lower_bound_tree_entry *a,
			const struct lower_bound_tree_entry *b)
{
	return a->key != b->key ? a->key < b->key : a->order < b->order;
}

/** What a check says of an entry. */
enum lower_bound_tree_verdict {
	LOWER_BOUND_TREE_LIVE,   /**< it counts */
	LOWER_BOUND_TREE_FUTURE, /**< put in, not yet committed: leave it, pass over it */
	LOWER_BOUND_TREE_STALE,  /**< over for ever: take it out */
};

/** Says whether an entry counts, before a stale one is taken out by anybody but its owner; lock-free itself. */
typedef enum lower_bound_tree_verdict (*lower_bound_tree_check_fn)(void *context, uint32_t item,
								   uint64_t ref);

/** All of an entry but its key: on one cache line. */
struct lower_bound_tree_slot {
	_Atomic uint64_t stay; /**< odd: an entry; even: none; only grows */
	_Atomic uint64_t ref;
	_Atomic uint64_t order;
	_Atomic uint32_t set;
	_Atomic uint32_t item;
};

static_assert(STW_CACHE_LINE % sizeof(struct lower_bound_tree_slot) == 0, "slots lie in one line");

/** 64 entries, the keys together: a search looks at all keys, and at few of the slots. */
struct lower_bound_tree_chunk {
	_Atomic int64_t key[LOWER_BOUND_TREE_CHUNK];
	struct lower_bound_tree_slot slots[LOWER_BOUND_TREE_CHUNK];
};

static_assert(sizeof(struct lower_bound_tree_chunk) % STW_CACHE_LINE == 0,
	      "chunks do not share lines");

struct lower_bound_tree {
	struct lower_bound_tree_chunk *chunks;
	_Atomic uint64_t *used;    /**< per chunk: positions taken */
	_Atomic uint64_t *bounds;  /**< per chunk: bound of all its entries, and a version */
	_Atomic uint64_t *roots;   /**< per set: bound of the set's entries, and a version */
	_Atomic uint64_t *members; /**< per set: hint bits, in which chunks it may have entries */
	_Atomic uint64_t
		*summaries; /**< per set: hint bits, which of its words in members have any */
	_Atomic uint64_t *occupied; /**< hint bits: which sets may have entries */
	_Atomic uint32_t *roomy;    /**< per set: chunk that had room lately */
	uint32_t chunks_count;
	uint32_t members_words; /**< words per set in members */
	uint32_t summary_words; /**< words per set in summaries */
	uint32_t sets_count;
	lower_bound_tree_check_fn check;
	void *context;
	_Atomic uint32_t empty_hint STW_ALIGNED_LINE; /**< where to look for an empty chunk */
};

static_assert(offsetof(struct lower_bound_tree, empty_hint) % STW_CACHE_LINE == 0,
	      "the only written field has a line of its own");

/**
 * Say how much memory a tree takes.
 *
 * @param sets     number of sets, 1 or more
 * @param entries  entries that must fit whatever sets they are in
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
size_t lower_bound_tree_bytes(uint32_t sets, uint32_t entries);

/**
 * Make a tree of empty sets.
 *
 * @param tree     borrowed
 * @param memory   borrowed for the tree's life, zeroed, lower_bound_tree_bytes() bytes on a line
 * @param sets     number of sets
 * @param entries  entries that must fit
 * @param check    borrowed; says whether an entry counts
 * @param context  borrowed; handed to check
 *
 * Threads:  one.
 * Progress: wait-free (bound: the tree's size).
 * Order:    the caller hands the tree to other threads.
 */
void lower_bound_tree_init(struct lower_bound_tree *tree, void *memory, uint32_t sets,
			   uint32_t entries, lower_bound_tree_check_fn check, void *context);

/**
 * Put an entry in.
 *
 * @param tree      borrowed
 * @param set       below sets_count
 * @param entry     borrowed; copied
 * @param position  set on success only; where it is, for lower_bound_tree_remove
 * @return 0
 * @return -ENOSPC  no room even after taking out all stale entries; never while no more than the
 *                  promised entries are in
 *
 * Threads:  any.
 * Progress: lock-free; a retry means another thread put in or took out an entry.
 * Order:    T1: what was written before is seen by who finds the entry.
 */
int lower_bound_tree_insert(struct lower_bound_tree *tree, uint32_t set,
			    const struct lower_bound_tree_entry *entry, uint32_t *position);

/**
 * Take an entry out.
 *
 * @param tree      borrowed
 * @param position  where it was; may be out of date
 * @param item      its item
 * @param ref       its ref
 * @return true: this call took it out. false: it was not there (any more)
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
bool lower_bound_tree_remove(struct lower_bound_tree *tree, uint32_t position, uint32_t item,
			     uint64_t ref);

/**
 * Find the smallest live entry of a set. Exact if no entry of the set became live during the call.
 *
 * @param tree      borrowed
 * @param set       below sets_count
 * @param entry     set when found
 * @param position  set when found
 * @return true: found. false: the set had no live entry at one instant of the call
 *
 * Threads:  any.
 * Progress: lock-free; a retry means another thread put in or took out an entry.
 * Order:    T2: what was written before the entry was put in is seen.
 */
bool lower_bound_tree_min(struct lower_bound_tree *tree, uint32_t set,
			  struct lower_bound_tree_entry *entry, uint32_t *position);

/**
 * Count the live entries of a set that come before a key and order. Exact if none is put in or taken
 * out during the call; else each of those may be counted or not.
 *
 * @param tree   borrowed
 * @param set    below sets_count
 * @param key    entries with a smaller key count
 * @param order  and those with the same key and a smaller order
 *
 * Threads:  any.
 * Progress: wait-free (bound: the tree's size).
 * Order:    T2: what was written before an entry was put in is seen.
 */
uint32_t lower_bound_tree_count_before(struct lower_bound_tree *tree, uint32_t set, int64_t key,
				       uint64_t order);

/**
 * Tell a bound of all keys of a set, cheaply; LOWER_BOUND_TREE_EMPTY when it has none. The number
 * only compares with lower_bound_of.
 *
 * @param tree  borrowed
 * @param set   below sets_count
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    B2, pairs with B1.
 */
static inline uint64_t
lower_bound_tree_root(const struct lower_bound_tree *tree, uint32_t set)
{
	return lower_bound_word_bound(lower_bound_word_read(&tree->roots[set]));
}

/** What lower_bound_tree_root tells for a set without entries. */
#define LOWER_BOUND_TREE_EMPTY LOWER_BOUND_EMPTY

/**
 * Verify every bound, bit and entry.
 *
 * @param tree   borrowed
 * @param live   set to the number of live entries; NULL: not wanted
 * @return 0, or ends in the panic handler
 *
 * Threads:  one, while nobody changes the tree.
 * Progress: blocking (walks everything).
 * Order:    the caller has synchronised with the others.
 */
int lower_bound_tree_check(struct lower_bound_tree *tree, uint32_t *live);

#endif
