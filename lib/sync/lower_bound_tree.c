/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lower-bound tree: root (one word per set) over chunks (one word each, of 64 entries), all in flat
 * arrays. A word holds a bound, 45 bits, and a version, 19 bits. A bound is a key made coarser by a
 * monotone map, so comparing bounds prunes and comparing keys decides. Sets share the chunks: a chunk
 * is filled by one set while there are empty ones, and by several when memory runs short, so every
 * entry promised fits whatever the sets do. Each set has hint bits for the chunks it may be in, and
 * above them hint bits for the words of these that may have one set.
 *
 * Insert: take a position, write the entry, its stay last; then lower the chunk's bound, set the chunk's
 * bit, set the bit of that bit's word, lower the root, set the set's bit. Each of these always moves the
 * version on.
 * Minimum: read the root's word; visit the set's chunks, lowest bound first, until the bounds exclude the
 * rest; if the true minimum is above what a word says, raise the word by compare-exchange from what was
 * read before the visit. So the next search is cheap; a bound that is too low only costs time.
 *
 * I1  A chunk's bound is at most the bound of each entry in it whose insert has passed the chunk step.
 * I2  A root's bound is at most the bound of each entry of its set whose insert has passed the root step.
 * I3  An entry in set s, chunk k, whose insert has passed the bit steps has bit k set for s, and the bit
 *     of its word.
 * I4  stay is written last at insert and leaves by one compare-exchange, so an entry is taken out once,
 *     and its position is free for another only after that. It counts up with every insert and remove
 *     at its position and never repeats, so who is late cannot take out a later entry, even one of
 *     another item with the same ref.
 *
 * I1 and I2 hold as a raise succeeds only from the word read before the visit: an insert that passed
 * its step before that read was seen by the visit (its stay is written before the step); one that
 * passed in between has moved the version on, and the raise fails; one that passes later lowers it
 * again (lower_bound_word.h). I3 is hint_bits' I1, twice: a word's bit is cleared by who saw the word
 * empty after reading its ticket. A raiser or inserter that is stopped for ever thus hides no other's entry.
 *
 * Who removes a chunk's lowest entry by its position raises the chunk's word likewise, at once: it reads the word after
 * the entry is out, then the keys of all positions taken, without looking at stay. An insert that passed
 * its step before that read has its position taken and its key written, and these stay while it stays; a
 * key of no entry only makes the bound lower. So I1 holds as for any raise, and needs no more of the keys.
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
 * A visit first looks for the lowest key among the positions taken, without looking at stay, then reads
 * that entry as above and drops its position when it is no entry or has another key by now. An entry
 * that passed the chunk step before the visit and stays is found in its place with its key, and passes;
 * so what is dropped is an entry taken out, or one whose insert comes to its steps after the visit began.
 * A key of no entry that stands before the true lowest costs one more look; 64 are the most.
 *
 * insert, remove and min may overlap in any way. A retry of any of them means that another thread's
 * insert, remove or raise succeeded, or that this call has just taken out a stale entry: lock-free.
 * A thread stopped in between holds at most one position.
 *
 * T2 and T6 are the reader's side, in lower_bound_tree_parts.h.
 *
 *  label  where                      order    pairs with  without it
 *  T1     insert: stay               release  T2          a finder reads an unwritten entry
 *  T5     insert: key, order, ...    release  T6          a new key is taken for the old entry's
 *  T7     remove: used bit           release  T8          the next holder's key comes before stay is even
 *  T8     position: used bit         acquire  T7          same, seen from the next holder
 *  T9     remove: stay               acq_rel  T1          two think they took the entry out
 */
#include "lanes.h"
#include "lower_bound_tree_parts.h"

#include <errno.h>

#define EMPTY LOWER_BOUND_TREE_EMPTY
#define CHUNK LOWER_BOUND_TREE_CHUNK

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
		uint64_t seen = hint_bits_read(lower_bound_tree_member(tree, set, roomy));

		if ((seen >> roomy % HINT_BITS_WIDTH & 1) &&
		    position_take_in(tree, roomy, position))
			return true;
	}
	for (uint32_t s = 0; s < tree->summary_words; s++) {
		uint64_t summary =
			hint_bits_read(lower_bound_tree_summary(tree, set, s * HINT_BITS_WIDTH));

		for (uint32_t words = (uint32_t)summary; words; words &= words - 1) {
			uint32_t w = s * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(words);
			uint32_t bits = lower_bound_tree_member_bits(tree, set, w, summary);

			for (; bits; bits &= bits - 1) {
				uint32_t chunk =
					w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);

				if (position_take_in(tree, chunk, position))
					return true;
			}
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

bool
lower_bound_tree_entry_remove(struct lower_bound_tree *tree, uint32_t position, uint64_t stay)
{
	struct lower_bound_tree_chunk *chunk = &tree->chunks[position / CHUNK];
	uint32_t i = position % CHUNK;
	uint32_t set;

	/* T9, pairs with T1 */
	if (!atomic_compare_exchange_strong_explicit(&chunk->slots[i].stay, &stay, stay + 1,
						     memory_order_acq_rel, memory_order_relaxed))
		return false;
	set = atomic_load_explicit(&chunk->slots[i].set, memory_order_relaxed);
	/* T7, pairs with T8 */
	atomic_fetch_and_explicit(&tree->used[position / CHUNK], ~(UINT64_C(1) << i),
				  memory_order_release);
	atomic_store_explicit(&tree->roomy[set], position / CHUNK, memory_order_relaxed);
	return true;
}

/* Take out every stale entry: those whose remover was stopped before it could. */
static uint32_t
stale_sweep(struct lower_bound_tree *tree)
{
	uint32_t swept = 0;

	for (uint32_t position = 0; position < tree->chunks_count * CHUNK; position++) {
		struct lower_bound_tree_entry entry;
		uint32_t set;
		uint64_t stay = lower_bound_tree_entry_read(&tree->chunks[position / CHUNK],
							    position % CHUNK, &entry, &set);

		if (stay &&
		    tree->check(tree->context, entry.item, entry.ref) == LOWER_BOUND_TREE_STALE)
			swept += lower_bound_tree_entry_remove(tree, position, stay);
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
	uint64_t bound = lower_bound_of(entry->key);
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
	atomic_store_explicit(&chunk->slots[i].order, entry->order, memory_order_release);
	/* T5, pairs with T6 */
	atomic_store_explicit(&chunk->slots[i].set, set, memory_order_release);
	/* T5, pairs with T6 */
	atomic_store_explicit(&chunk->slots[i].item, entry->item, memory_order_release);
	/* T5, pairs with T6 */
	atomic_store_explicit(&chunk->slots[i].ref, entry->ref, memory_order_release);
	stay = atomic_load_explicit(&chunk->slots[i].stay, memory_order_relaxed);
	/* T1, pairs with T2 */
	atomic_store_explicit(&chunk->slots[i].stay, stay + 1, memory_order_release);
	lower_bound_word_lower(&tree->bounds[k], bound);
	hint_bits_set(lower_bound_tree_member(tree, set, k), k % HINT_BITS_WIDTH);
	hint_bits_set(lower_bound_tree_summary(tree, set, k / HINT_BITS_WIDTH),
		      k / HINT_BITS_WIDTH % HINT_BITS_WIDTH);
	lower_bound_word_lower(&tree->roots[set], bound);
	hint_bits_set(&tree->occupied[set / HINT_BITS_WIDTH], set % HINT_BITS_WIDTH);
	return 0;
}

/*
 * The lowest entry of a chunk has gone, most likely: raise the bound now, while the keys are near at hand, and
 * not when the next search finds them far away. A key of no entry leaves the bound too low, no more.
 */
static void
bound_mend(struct lower_bound_tree *tree, uint32_t k, uint64_t gone)
{
	uint64_t seen = lower_bound_word_read(&tree->bounds[k]);
	uint64_t used;
	uint64_t bound;
	int64_t key;

	if (lower_bound_word_bound(seen) < gone)
		return;
	used = atomic_load_explicit(&tree->used[k], memory_order_relaxed);
	lanes_lowest(tree->chunks[k].key, used, &key);
	bound = used ? lower_bound_of(key) : EMPTY;
	if (bound > lower_bound_word_bound(seen))
		lower_bound_word_raise(&tree->bounds[k], seen, bound);
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
	stay = lower_bound_tree_entry_read(&tree->chunks[position / CHUNK], position % CHUNK,
					   &entry, &set);
	if (!stay || entry.item != item || entry.ref != ref ||
	    !lower_bound_tree_entry_remove(tree, position, stay))
		return false;
	bound_mend(tree, position / CHUNK, lower_bound_of(entry.key));
	return true;
}
