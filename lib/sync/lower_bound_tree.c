/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lower-bound tree: root (one word per set) over chunks (one word each, of 64 entries), all in flat
 * arrays. A word holds a bound, 45 bits, and a version, 19 bits. A bound is a key made coarser by a
 * monotone map, so comparing bounds prunes and comparing keys decides. Sets share the chunks: a chunk
 * is filled by one set while there are empty ones, and by several when memory runs short, so every
 * entry promised fits whatever the sets do. Each set has hint bits for the chunks it may be in.
 *
 * Insert: take a position, write the entry, its stay last; then lower the chunk's bound, set the chunk's
 * bit, lower the root, set the set's bit. Each of these four always moves the version on.
 * Minimum: read the root's word; visit the set's chunks whose bound does not exclude them; if the
 * true minimum is above what a word says, raise the word by compare-exchange from what was read before
 * the visit. So the next search is cheap; a bound that is too low only costs time.
 *
 * I1  A chunk's bound is at most the bound of each entry in it whose insert has passed the chunk step.
 * I2  A root's bound is at most the bound of each entry of its set whose insert has passed the root step.
 * I3  An entry in set s, chunk k, whose insert has passed the bit step has bit k set for s.
 * I4  stay is written last at insert and leaves by one compare-exchange, so an entry is taken out once,
 *     and its position is free for another only after that. It counts up with every insert and remove
 *     at its position and never repeats, so who is late cannot take out a later entry, even one of
 *     another item with the same ref.
 *
 * I1 and I2 hold as a raise succeeds only from the word read before the visit: an insert that passed
 * its step before that read was seen by the visit (its stay is written before the step); one that
 * passed in between has moved the version on, and the raise fails; one that passes later lowers it
 * again. I3 is hint_bits' I1. A raiser or inserter that is stopped for ever thus hides no other's entry.
 *
 * Versions wrap after 2^19 inserts. A raise could be wrong only if a thread is stopped between its read
 * and its raise for exactly a multiple of 524,288 inserts into that very set or chunk, and the bound is
 * the same again; bounds are times in steps of 2 microseconds, and the next insert into the set with a
 * smaller key mends it. At 10,000 inserts a second into one queue: a stop of 52 s, hit to the insert.
 *
 * Torn entries: a finder reads stay, then the fields, then stay again. A writer stores the fields (T5)
 * after the position was freed (stay even), so if stay is odd and the same again the fields are this
 * entry's. Who removes compares item and ref in between, and the compare-exchange looks at stay again.
 *
 * insert, remove and min may overlap in any way. A retry of any of them means that another thread's
 * insert, remove or raise succeeded, or that this call has just taken out a stale entry: lock-free.
 * A thread stopped in between holds at most one position.
 *
 *  label  where                      order    pairs with  without it
 *  T1     insert: stay               release  T2          a finder reads an unwritten entry
 *  T2     visit, remove: stay        acquire  T1          same, seen from the finder
 *  T3     lower, raise: word         acq_rel  T4          root is seen lowered, the chunk is not
 *  T4     min, visit: word           acquire  T3          same, seen from the finder
 *  T5     insert: key, order, ...    release  T6          a new key is taken for the old entry's
 *  T6     visit, remove: fields      acquire  T5          same, seen from the finder
 *  T7     remove: used bit           release  T8          the next holder's key comes before stay is even
 *  T8     position: used bit         acquire  T7          same, seen from the next holder
 *  T9     remove: stay               acq_rel  T1          two think they took the entry out
 */
#include "lower_bound_tree.h"

#include <errno.h>

#define VERSION_BITS LOWER_BOUND_TREE_VERSION_BITS
#define VERSION_MASK ((UINT64_C(1) << VERSION_BITS) - 1)
#define EMPTY        LOWER_BOUND_TREE_EMPTY
#define CHUNK        LOWER_BOUND_TREE_CHUNK

/* What a search knows so far. */
struct search {
	uint32_t set;
	bool found;
	uint32_t position;
	uint64_t bound; /* of the best so far; EMPTY: none */
	uint64_t floor; /* at most the bound of every entry of the set */
	struct lower_bound_tree_entry best;
};

uint64_t
lower_bound_tree_bound_of(int64_t key)
{
	const int64_t near = INT64_C(1) << 54;
	int64_t bound;

	/* 2 microseconds a step within 208 days of 0, a millisecond beyond. */
	if (key >= near)
		bound = (INT64_C(1) << 43) + ((key - near) >> 20);
	else if (key >= -near)
		bound = key >> 11;
	else
		bound = -(INT64_C(1) << 43) + ((key + near) >> 20);
	return (uint64_t)(bound + (INT64_C(1) << 44));
}

static uint64_t
word_bound(uint64_t word)
{
	return word >> VERSION_BITS;
}

static uint64_t
word_make(uint64_t bound, uint64_t version)
{
	return bound << VERSION_BITS | (version & VERSION_MASK);
}

/* Lower a word's bound if needed, and move its version on in any case. */
static void
word_lower(_Atomic uint64_t *word, uint64_t bound)
{
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed);
	uint64_t new;

	do {
		uint64_t low = word_bound(old) < bound ? word_bound(old) : bound;

		new = word_make(low, old + 1);
		/* T3, pairs with T4 */
	} while (!atomic_compare_exchange_weak_explicit(word, &old, new, memory_order_acq_rel,
							memory_order_relaxed));
}

/* Raise a word's bound if nothing was put in since `seen` was read. */
static bool
word_raise(_Atomic uint64_t *word, uint64_t seen, uint64_t bound)
{
	/* T3, pairs with T4 */
	return atomic_compare_exchange_strong_explicit(word, &seen, word_make(bound, seen),
						       memory_order_acq_rel, memory_order_relaxed);
}

static _Atomic uint64_t *
member_word(struct lower_bound_tree *tree, uint32_t set, uint32_t chunk)
{
	return &tree->members[(size_t)set * tree->members_words + chunk / HINT_BITS_WIDTH];
}

static bool
position_take_in(struct lower_bound_tree *tree, uint32_t chunk, uint32_t *position)
{
	uint64_t used = atomic_load_explicit(&tree->used[chunk], memory_order_relaxed);

	while (~used) {
		uint32_t bit = (uint32_t)__builtin_ctzll(~used);

		/* T8, pairs with T7 */
		if (atomic_compare_exchange_weak_explicit(
			    &tree->used[chunk], &used, used | UINT64_C(1) << bit,
			    memory_order_acquire, memory_order_relaxed)) {
			*position = chunk * CHUNK + bit;
			return true;
		}
	}
	return false;
}

/* A position in a chunk where the set is already. */
static bool
position_take_own(struct lower_bound_tree *tree, uint32_t set, uint32_t *position)
{
	uint32_t roomy = atomic_load_explicit(&tree->roomy[set], memory_order_relaxed);

	if (roomy != LOWER_BOUND_TREE_NO_CHUNK) {
		uint64_t seen = hint_bits_read(member_word(tree, set, roomy));

		if ((seen >> roomy % HINT_BITS_WIDTH & 1) &&
		    position_take_in(tree, roomy, position))
			return true;
	}
	for (uint32_t w = 0; w < tree->members_words; w++) {
		uint32_t bits =
			(uint32_t)hint_bits_read(member_word(tree, set, w * HINT_BITS_WIDTH));

		for (; bits; bits &= bits - 1) {
			uint32_t chunk = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);

			if (position_take_in(tree, chunk, position))
				return true;
		}
	}
	return false;
}

/* A position in an empty chunk, or else in any. */
static bool
position_take_new(struct lower_bound_tree *tree, bool must_be_empty, uint32_t *position)
{
	uint32_t first = atomic_load_explicit(&tree->empty_hint, memory_order_relaxed);

	for (uint32_t i = 0; i < tree->chunks_count; i++) {
		uint32_t chunk = (first + i) % tree->chunks_count;

		if (must_be_empty && atomic_load_explicit(&tree->used[chunk], memory_order_relaxed))
			continue;
		if (!position_take_in(tree, chunk, position))
			continue;
		if (must_be_empty)
			atomic_store_explicit(&tree->empty_hint, (chunk + 1) % tree->chunks_count,
					      memory_order_relaxed);
		return true;
	}
	return false;
}

/* Take out the entry of this stay; false: it is out already. */
static bool
entry_remove(struct lower_bound_tree *tree, uint32_t position, uint64_t stay)
{
	struct lower_bound_tree_chunk *chunk = &tree->chunks[position / CHUNK];
	uint32_t i = position % CHUNK;
	uint32_t set;

	/* T9, pairs with T1 */
	if (!atomic_compare_exchange_strong_explicit(&chunk->stay[i], &stay, stay + 1,
						     memory_order_acq_rel, memory_order_relaxed))
		return false;
	set = atomic_load_explicit(&chunk->set[i], memory_order_relaxed);
	/* T7, pairs with T8 */
	atomic_fetch_and_explicit(&tree->used[position / CHUNK], ~(UINT64_C(1) << i),
				  memory_order_release);
	atomic_store_explicit(&tree->roomy[set], position / CHUNK, memory_order_relaxed);
	return true;
}

/* Read entry i of a chunk; returns its stay. 0: there is none, or it changed under our eyes. */
static uint64_t
entry_read(struct lower_bound_tree_chunk *chunk, uint32_t i, struct lower_bound_tree_entry *entry,
	   uint32_t *set)
{
	/* T2, pairs with T1 */
	uint64_t stay = atomic_load_explicit(&chunk->stay[i], memory_order_acquire);

	if (!(stay & 1))
		return 0;
	/* T6, pairs with T5 */
	*set = atomic_load_explicit(&chunk->set[i], memory_order_acquire);
	/* T6, pairs with T5 */
	entry->key = atomic_load_explicit(&chunk->key[i], memory_order_acquire);
	/* T6, pairs with T5 */
	entry->order = atomic_load_explicit(&chunk->order[i], memory_order_acquire);
	/* T6, pairs with T5 */
	entry->item = atomic_load_explicit(&chunk->item[i], memory_order_acquire);
	/* T6, pairs with T5 */
	entry->ref = atomic_load_explicit(&chunk->ref[i], memory_order_acquire);
	return atomic_load_explicit(&chunk->stay[i], memory_order_relaxed) == stay ? stay : 0;
}

/* Take out every stale entry: those whose remover was stopped before it could. */
static uint32_t
stale_sweep(struct lower_bound_tree *tree)
{
	uint32_t swept = 0;

	for (uint32_t position = 0; position < tree->chunks_count * CHUNK; position++) {
		struct lower_bound_tree_entry entry;
		uint32_t set;
		uint64_t stay =
			entry_read(&tree->chunks[position / CHUNK], position % CHUNK, &entry, &set);

		if (stay &&
		    tree->check(tree->context, entry.item, entry.ref) == LOWER_BOUND_TREE_STALE)
			swept += entry_remove(tree, position, stay);
	}
	return swept;
}

static bool
position_take(struct lower_bound_tree *tree, uint32_t set, uint32_t *position)
{
	do {
		if (position_take_own(tree, set, position) ||
		    position_take_new(tree, true, position) ||
		    position_take_new(tree, false, position)) {
			atomic_store_explicit(&tree->roomy[set], *position / CHUNK,
					      memory_order_relaxed);
			return true;
		}
	} while (stale_sweep(tree));
	return false;
}

int
lower_bound_tree_insert(struct lower_bound_tree *tree, uint32_t set,
			const struct lower_bound_tree_entry *entry, uint32_t *position)
{
	uint64_t bound = lower_bound_tree_bound_of(entry->key);
	struct lower_bound_tree_chunk *chunk;
	uint64_t stay;
	uint32_t k;
	uint32_t i;

	if (!position_take(tree, set, position))
		return -ENOSPC;
	k = *position / CHUNK;
	i = *position % CHUNK;
	chunk = &tree->chunks[k];
	/* T5, pairs with T6 */
	atomic_store_explicit(&chunk->key[i], entry->key, memory_order_release);
	/* T5, pairs with T6 */
	atomic_store_explicit(&chunk->order[i], entry->order, memory_order_release);
	/* T5, pairs with T6 */
	atomic_store_explicit(&chunk->set[i], set, memory_order_release);
	/* T5, pairs with T6 */
	atomic_store_explicit(&chunk->item[i], entry->item, memory_order_release);
	/* T5, pairs with T6 */
	atomic_store_explicit(&chunk->ref[i], entry->ref, memory_order_release);
	stay = atomic_load_explicit(&chunk->stay[i], memory_order_relaxed);
	/* T1, pairs with T2 */
	atomic_store_explicit(&chunk->stay[i], stay + 1, memory_order_release);
	word_lower(&tree->bounds[k], bound);
	hint_bits_set(member_word(tree, set, k), k % HINT_BITS_WIDTH);
	word_lower(&tree->roots[set], bound);
	hint_bits_set(&tree->occupied[set / HINT_BITS_WIDTH], set % HINT_BITS_WIDTH);
	return 0;
}

bool
lower_bound_tree_remove(struct lower_bound_tree *tree, uint32_t position, uint32_t item,
			uint64_t ref)
{
	struct lower_bound_tree_entry entry;
	uint64_t stay;
	uint32_t set;

	if (position / CHUNK >= tree->chunks_count)
		return false;
	stay = entry_read(&tree->chunks[position / CHUNK], position % CHUNK, &entry, &set);
	return stay && entry.item == item && entry.ref == ref && entry_remove(tree, position, stay);
}

static bool
entry_before(const struct lower_bound_tree_entry *a, const struct lower_bound_tree_entry *b)
{
	return a->key != b->key ? a->key < b->key : a->order < b->order;
}

/* One look at a chunk, passing over `skip`; returns the position of the set's smallest, or CHUNK. */
static uint32_t
chunk_scan(struct lower_bound_tree *tree, uint32_t k, uint32_t set, uint64_t skip, uint64_t *all,
	   uint64_t *own, struct lower_bound_tree_entry *best, uint64_t *best_stay)
{
	struct lower_bound_tree_chunk *chunk = &tree->chunks[k];
	uint64_t used = atomic_load_explicit(&tree->used[k], memory_order_relaxed);
	uint32_t best_i = CHUNK;

	*all = EMPTY;
	*own = EMPTY;
	for (; used; used &= used - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(used);
		struct lower_bound_tree_entry entry;
		uint32_t entry_set;
		uint64_t stay = entry_read(chunk, i, &entry, &entry_set);
		uint64_t bound;

		if (!stay)
			continue;
		bound = lower_bound_tree_bound_of(entry.key);
		*all = bound < *all ? bound : *all;
		if (entry_set != set)
			continue;
		*own = bound < *own ? bound : *own;
		if (skip >> i & 1)
			continue;
		if (best_i == CHUNK || entry_before(&entry, best)) {
			*best = entry;
			*best_stay = stay;
			best_i = i;
		}
	}
	return best_i;
}

/* Find the set's smallest live entry in chunk k, mend the chunk's bound and bit. */
static void
chunk_visit(struct lower_bound_tree *tree, uint32_t k, struct search *search)
{
	_Atomic uint64_t *member = member_word(tree, search->set, k);
	struct lower_bound_tree_entry best = {0};
	uint64_t skip = 0;
	uint64_t stay = 0;
	uint64_t member_seen;
	uint64_t word_seen;
	uint64_t all;
	uint64_t own;
	uint32_t i;

	for (;;) {
		enum lower_bound_tree_verdict verdict;

		member_seen = hint_bits_read(member);
		/* T4, pairs with T3 */
		word_seen = atomic_load_explicit(&tree->bounds[k], memory_order_acquire);
		i = chunk_scan(tree, k, search->set, skip, &all, &own, &best, &stay);
		if (i == CHUNK)
			break;
		verdict = tree->check(tree->context, best.item, best.ref);
		if (verdict == LOWER_BOUND_TREE_LIVE)
			break;
		if (verdict == LOWER_BOUND_TREE_FUTURE)
			skip |= UINT64_C(1) << i;
		else
			entry_remove(tree, k * CHUNK + i, stay);
	}
	if (all > word_bound(word_seen))
		word_raise(&tree->bounds[k], word_seen, all);
	if (own == EMPTY)
		hint_bits_clear(member, k % HINT_BITS_WIDTH, member_seen);
	search->floor = own < search->floor ? own : search->floor;
	if (i != CHUNK && (!search->found || entry_before(&best, &search->best))) {
		search->found = true;
		search->best = best;
		search->position = k * CHUNK + i;
		search->bound = lower_bound_tree_bound_of(best.key);
	}
}

static void
set_visit(struct lower_bound_tree *tree, struct search *search)
{
	for (uint32_t w = 0; w < tree->members_words; w++) {
		uint32_t bits = (uint32_t)hint_bits_read(
			member_word(tree, search->set, w * HINT_BITS_WIDTH));

		for (; bits; bits &= bits - 1) {
			uint32_t k = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);
			/* T4, pairs with T3 */
			uint64_t bound = word_bound(
				atomic_load_explicit(&tree->bounds[k], memory_order_acquire));

			if (bound <= search->bound)
				chunk_visit(tree, k, search);
			else if (bound < search->floor)
				search->floor = bound;
		}
	}
}

bool
lower_bound_tree_min(struct lower_bound_tree *tree, uint32_t set,
		     struct lower_bound_tree_entry *entry, uint32_t *position)
{
	for (;;) {
		struct search search = {.set = set, .bound = EMPTY, .floor = EMPTY};
		/* T4, pairs with T3 */
		uint64_t root = atomic_load_explicit(&tree->roots[set], memory_order_acquire);
		bool raised = true;

		if (word_bound(root) == EMPTY)
			return false;
		set_visit(tree, &search);
		if (search.floor > word_bound(root))
			raised = word_raise(&tree->roots[set], root, search.floor);
		if (search.found) {
			*entry = search.best;
			*position = search.position;
			return true;
		}
		if (raised)
			return false;
	}
}
