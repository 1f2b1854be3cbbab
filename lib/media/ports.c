/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP port pairs of one local address.
 *
 * Idea: a bit for each pair in a row of words. Taking clears the first set bit after a cursor by
 * compare-and-swap; releasing sets it, or first sends the pair through a ring in which it rests.
 * The ring has room for every pair, and a pair is in it at most once, so it never overflows.
 *
 * Invariants, whenever no call is under way:
 *  I1  a pair is exactly one of: vacant (its bit is set), resting (its index is in the ring once),
 *      taken (neither)
 *  I2  taken + resting + number of set bits = pairs
 *
 * Overlap: take with everything; release with everything, each pair by its owner; rests_end with
 * take and release, never with itself.
 *
 * Progress: take is lock-free: its compare-and-swap fails only when another thread changed the word.
 * release is wait-free. A thread stopped in release between its ticket and its entry holds back the
 * ends of later rests, no call.
 *
 *  label  where                     order    pairs with  without it
 *  P1     vacant: bit set           release  P2          the next owner's packets meet old contents
 *  P2     vacant: bit cleared       acquire  P1          same, seen from the taker
 *  P3     rests: entry filled       release  P4          the rest ends by an old time
 *  P4     rests: entry read         acquire  P3          same, seen from the reader
 *  P5     rests: entry emptied      release  P6          a release overwrites an entry not yet read
 *  P6     rests_tail: ticket        acquire  P5          same, seen from the releaser
 */
#include "ports.h"

#include <errno.h>

#include "base/base.h"
#include "memory.h"

static uint32_t
words_of(const struct ports *ports)
{
	return (ports->pairs + 63) / 64;
}

static size_t
rests_bytes(const struct ports *ports)
{
	return sizeof(*ports->rests) * ((size_t)ports->rests_mask + 1);
}

static void
pair_vacate(struct ports *ports, uint32_t pair)
{
	/* P1, pairs with P2: the next owner sees all that was done to the pair. */
	atomic_fetch_or_explicit(&ports->vacant[pair / 64], UINT64_C(1) << pair % 64,
				 memory_order_release);
}

int
ports_init(struct ports *ports, uint16_t first, uint16_t last)
{
	uint32_t pairs = ((uint32_t)last - first + 1) / 2, rests = 1;

	while (rests < pairs)
		rests *= 2;
	*ports = (struct ports){.first = first, .pairs = pairs, .rests_mask = rests - 1};
	ports->vacant = memory_map(sizeof(*ports->vacant) * words_of(ports));
	ports->rests = memory_map(rests_bytes(ports));
	ports->rest_until_ns = memory_map(sizeof(*ports->rest_until_ns) * pairs);
	if (!ports->vacant || !ports->rests || !ports->rest_until_ns) {
		ports_destroy(ports);
		return -ENOMEM;
	}
	for (uint32_t pair = 0; pair < pairs; pair++)
		pair_vacate(ports, pair);
	return 0;
}

void
ports_destroy(struct ports *ports)
{
	if (!ports->pairs)
		return;
	memory_unmap(ports->vacant, sizeof(*ports->vacant) * words_of(ports));
	memory_unmap(ports->rests, rests_bytes(ports));
	memory_unmap(ports->rest_until_ns, sizeof(*ports->rest_until_ns) * ports->pairs);
	*ports = (struct ports){0};
}

/** Take a pair out of one word, of those in `allowed`; its number in the word, or -1. */
static int
word_take(_Atomic uint64_t *word, uint64_t allowed)
{
	uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);

	while (seen & allowed) {
		uint64_t bit = (seen & allowed) & -(seen & allowed);

		/* P2, pairs with P1: we see what the former owner did. */
		if (atomic_compare_exchange_weak_explicit(
			    word, &seen, seen & ~bit, memory_order_acquire, memory_order_relaxed))
			return __builtin_ctzll(bit);
	}
	return -1;
}

int
ports_take(struct ports *ports, uint32_t *pair)
{
	uint32_t start = atomic_load_explicit(&ports->cursor, memory_order_relaxed);
	uint32_t words = words_of(ports);

	/* The first word is looked at twice: after the cursor, and at last before it. */
	for (uint32_t i = 0; i <= words; i++) {
		uint32_t word = (start / 64 + i) % words;
		uint64_t allowed = UINT64_MAX;
		int bit;

		if (i == 0)
			allowed <<= start % 64;
		else if (i == words)
			allowed = ~(allowed << start % 64);
		bit = word_take(&ports->vacant[word], allowed);
		if (bit < 0)
			continue;
		*pair = word * 64 + (uint32_t)bit;
		atomic_store_explicit(&ports->cursor, (*pair + 1) % ports->pairs,
				      memory_order_relaxed);
		atomic_fetch_add_explicit(&ports->taken, 1, memory_order_relaxed);
		return 0;
	}
	return -ENOSPC;
}

void
ports_release(struct ports *ports, uint32_t pair, uint64_t until_ns)
{
	uint32_t ticket;

	atomic_fetch_sub_explicit(&ports->taken, 1, memory_order_relaxed);
	if (until_ns == 0) {
		pair_vacate(ports, pair);
		return;
	}
	atomic_fetch_add_explicit(&ports->resting, 1, memory_order_relaxed);
	atomic_store_explicit(&ports->rest_until_ns[pair], until_ns, memory_order_relaxed);
	/* P6, pairs with P5 through the pair's own way round: the entry was emptied before. */
	ticket = atomic_fetch_add_explicit(&ports->rests_tail, 1, memory_order_acquire);
	/* P3, pairs with P4: the end of the rest is seen with the entry. */
	atomic_store_explicit(&ports->rests[ticket & ports->rests_mask], pair + 1,
			      memory_order_release);
}

uint32_t
ports_rests_end(struct ports *ports, uint64_t now_ns, uint32_t budget)
{
	uint32_t ended = 0;

	while (ended < budget) {
		_Atomic uint32_t *entry = &ports->rests[ports->rests_head & ports->rests_mask];
		/* P4, pairs with P3: we see until when the pair rests. */
		uint32_t filled = atomic_load_explicit(entry, memory_order_acquire);

		if (!filled || atomic_load_explicit(&ports->rest_until_ns[filled - 1],
						    memory_order_relaxed) > now_ns)
			break;
		/* P5, pairs with P6: whoever fills the entry again finds it empty. */
		atomic_store_explicit(entry, 0, memory_order_release);
		ports->rests_head++;
		atomic_fetch_sub_explicit(&ports->resting, 1, memory_order_relaxed);
		pair_vacate(ports, filled - 1);
		ended++;
	}
	return ended;
}

void
ports_check(struct ports *ports)
{
	uint32_t tail = atomic_load_explicit(&ports->rests_tail, memory_order_relaxed);
	uint32_t resting = atomic_load_explicit(&ports->resting, memory_order_relaxed);
	uint32_t taken = atomic_load_explicit(&ports->taken, memory_order_relaxed);
	uint32_t vacant = 0, in_ring = 0;

	for (uint32_t i = 0; i < words_of(ports); i++)
		vacant += (uint32_t)__builtin_popcountll(
			atomic_load_explicit(&ports->vacant[i], memory_order_relaxed));
	for (uint32_t i = 0; i <= ports->rests_mask; i++) {
		uint32_t filled = atomic_load_explicit(&ports->rests[i], memory_order_relaxed);
		uint64_t word;

		if (!filled)
			continue;
		in_ring++;
		STW_ASSERT(filled <= ports->pairs);
		word = atomic_load_explicit(&ports->vacant[(filled - 1) / 64],
					    memory_order_relaxed);
		STW_ASSERT(!(word >> (filled - 1) % 64 & 1));
	}
	STW_ASSERT(in_ring == resting);
	STW_ASSERT(in_ring == tail - ports->rests_head);
	STW_ASSERT(vacant + resting + taken == ports->pairs);
}
