/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP ports of one local address.
 *
 * Idea: a bit for each port in a row of words; a pair is two bits of one word, the first of them at an
 * even place. Taking clears the first fitting bits after a cursor by compare-and-swap; releasing sets
 * them, or first sends the lot through a ring in which it rests. The ring has room for every port, and
 * a port is in it at most once, so it never overflows.
 *
 * A single port comes from a pair that is broken already, as long as there is one: `odd` says about how
 * many such halves are vacant, so that nobody looks for one in vain. It is changed after the bits, so it may be
 * behind by a thread's step: then a pair is broken too early, or a word looked at for nothing.
 *
 * Invariants, whenever no call is under way:
 *  I1  a port is exactly one of: vacant (its bit is set), resting (its lot is in the ring once),
 *      taken (neither)
 *  I2  ports of lots taken + ports of lots resting + number of set bits = count
 *  I3  odd = number of set bits whose other half's bit is clear
 *
 * Overlap: take with everything; release with everything, each lot by its owner; rests_end with
 * take and release, never with itself.
 *
 * Progress: take is lock-free: its compare-and-swap fails only when another thread changed the word.
 * release is wait-free. A thread stopped in release between its ticket and its entry holds back the
 * ends of later rests, no call.
 *
 *  label  where                     order    pairs with  without it
 *  P1     vacant: bits set          release  P2          the next owner's packets meet old contents
 *  P2     vacant: bits cleared      acquire  P1          same, seen from the taker
 *  P3     rests: entry filled       release  P4          the rest ends by an old time
 *  P4     rests: entry read         acquire  P3          same, seen from the reader
 *  P5     rests: entry emptied      release  P6          a release overwrites an entry not yet read
 *  P6     rests_tail: ticket        acquire  P5          same, seen from the releaser
 */
#include "ports.h"

#include <errno.h>

#include "base/base.h"
#include "memory.h"

/** First halves of pairs. */
#define PORTS_EVEN UINT64_C(0x5555555555555555)

/** Entry of the ring of rests: place and one, and that. */
#define REST_SINGLE UINT32_C(0x80000000)

/** Which bits of a word to take. */
enum ports_choice {
	CHOICE_PAIR, /**< a whole pair */
	CHOICE_ODD,  /**< half of a broken pair */
	CHOICE_ANY,  /**< any port */
};

static uint32_t
words_of(const struct ports *ports)
{
	return (ports->count + 63) / 64;
}

static size_t
rests_bytes(const struct ports *ports)
{
	return sizeof(*ports->rests) * ((size_t)ports->rests_mask + 1);
}

/** First halves of the pairs that are whole. */
static uint64_t
pairs_in(uint64_t word)
{
	return word & word >> 1 & PORTS_EVEN;
}

/** Halves of broken pairs. */
static uint64_t
odd_in(uint64_t word)
{
	return word & ~(pairs_in(word) * 3);
}

/** Say that a word has changed. */
static void
odd_count(struct ports *ports, uint64_t before, uint64_t after)
{
	int change = __builtin_popcountll(odd_in(after)) - __builtin_popcountll(odd_in(before));

	if (change)
		atomic_fetch_add_explicit(&ports->odd, (uint32_t)change, memory_order_relaxed);
}

static void
lot_vacate(struct ports *ports, uint32_t place, bool single)
{
	uint64_t bits = (single ? UINT64_C(1) : UINT64_C(3)) << place % 64;
	/* P1, pairs with P2: the next owner sees all that was done to the lot. */
	uint64_t before =
		atomic_fetch_or_explicit(&ports->vacant[place / 64], bits, memory_order_release);

	odd_count(ports, before, before | bits);
}

int
ports_init(struct ports *ports, uint16_t first, uint16_t last)
{
	uint32_t count = (uint32_t)last - first + 1, rests = 1;

	while (rests < count)
		rests *= 2;
	*ports = (struct ports){.first = first, .count = count, .rests_mask = rests - 1};
	ports->vacant = memory_map(sizeof(*ports->vacant) * words_of(ports));
	ports->rests = memory_map(rests_bytes(ports));
	ports->rest_until_ns = memory_map(sizeof(*ports->rest_until_ns) * count);
	if (!ports->vacant || !ports->rests || !ports->rest_until_ns) {
		ports_destroy(ports);
		return -ENOMEM;
	}
	for (uint32_t place = 0; place < count; place += 2)
		lot_vacate(ports, place, false);
	return 0;
}

void
ports_destroy(struct ports *ports)
{
	if (!ports->count)
		return;
	memory_unmap(ports->vacant, sizeof(*ports->vacant) * words_of(ports));
	memory_unmap(ports->rests, rests_bytes(ports));
	memory_unmap(ports->rest_until_ns, sizeof(*ports->rest_until_ns) * ports->count);
	*ports = (struct ports){0};
}

/** What of a word can be chosen: of pairs their first halves. */
static uint64_t
word_choices(uint64_t word, enum ports_choice choice)
{
	if (choice == CHOICE_PAIR)
		return pairs_in(word);
	return choice == CHOICE_ODD ? odd_in(word) : word;
}

/** Take a lot out of one word, of those in `allowed`; its place in the word, or -1. */
static int
word_take(struct ports *ports, uint32_t word, uint64_t allowed, enum ports_choice choice)
{
	uint64_t seen = atomic_load_explicit(&ports->vacant[word], memory_order_relaxed);
	uint64_t choices;

	while ((choices = word_choices(seen, choice) & allowed)) {
		int bit = __builtin_ctzll(choices);
		uint64_t left =
			seen & ~((choice == CHOICE_PAIR ? UINT64_C(3) : UINT64_C(1)) << bit);

		/* P2, pairs with P1: we see what the former owner did. */
		if (!atomic_compare_exchange_weak_explicit(&ports->vacant[word], &seen, left,
							   memory_order_acquire,
							   memory_order_relaxed))
			continue;
		odd_count(ports, seen, left);
		return bit;
	}
	return -1;
}

/** Look through all words, from a cursor on. */
static bool
words_take(struct ports *ports, enum ports_choice choice, _Atomic uint32_t *cursor, uint32_t *place)
{
	uint32_t start = atomic_load_explicit(cursor, memory_order_relaxed);
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
		bit = word_take(ports, word, allowed, choice);
		if (bit < 0)
			continue;
		*place = word * 64 + (uint32_t)bit;
		atomic_store_explicit(cursor,
				      (*place + (choice == CHOICE_PAIR ? 2 : 1)) % ports->count,
				      memory_order_relaxed);
		return true;
	}
	return false;
}

int
ports_take(struct ports *ports, bool single, uint32_t *place)
{
	bool found = false;

	if (single) {
		if (atomic_load_explicit(&ports->odd, memory_order_relaxed))
			found = words_take(ports, CHOICE_ODD, &ports->cursor_single, place);
		if (!found)
			found = words_take(ports, CHOICE_ANY, &ports->cursor_single, place);
	} else {
		found = words_take(ports, CHOICE_PAIR, &ports->cursor, place);
	}
	if (!found)
		return -ENOSPC;
	atomic_fetch_add_explicit(&ports->taken, 1, memory_order_relaxed);
	if (single)
		atomic_fetch_add_explicit(&ports->taken_single, 1, memory_order_relaxed);
	return 0;
}

void
ports_release(struct ports *ports, uint32_t place, bool single, uint64_t until_ns)
{
	uint32_t ticket;

	atomic_fetch_sub_explicit(&ports->taken, 1, memory_order_relaxed);
	if (single)
		atomic_fetch_sub_explicit(&ports->taken_single, 1, memory_order_relaxed);
	if (until_ns == 0) {
		lot_vacate(ports, place, single);
		return;
	}
	atomic_fetch_add_explicit(&ports->resting, 1, memory_order_relaxed);
	if (single)
		atomic_fetch_add_explicit(&ports->resting_single, 1, memory_order_relaxed);
	atomic_store_explicit(&ports->rest_until_ns[place], until_ns, memory_order_relaxed);
	/* P6, pairs with P5 through the lot's own way round: the entry was emptied before. */
	ticket = atomic_fetch_add_explicit(&ports->rests_tail, 1, memory_order_acquire);
	/* P3, pairs with P4: the end of the rest is seen with the entry. */
	atomic_store_explicit(&ports->rests[ticket & ports->rests_mask],
			      (place + 1) | (single ? REST_SINGLE : 0), memory_order_release);
}

uint32_t
ports_rests_end(struct ports *ports, uint64_t now_ns, uint32_t budget)
{
	uint32_t ended = 0;

	while (ended < budget) {
		_Atomic uint32_t *entry = &ports->rests[ports->rests_head & ports->rests_mask];
		/* P4, pairs with P3: we see until when the lot rests. */
		uint32_t filled = atomic_load_explicit(entry, memory_order_acquire);
		uint32_t place = (filled & ~REST_SINGLE) - 1;
		bool single = filled & REST_SINGLE;

		if (!filled || atomic_load_explicit(&ports->rest_until_ns[place],
						    memory_order_relaxed) > now_ns)
			break;
		/* P5, pairs with P6: whoever fills the entry again finds it empty. */
		atomic_store_explicit(entry, 0, memory_order_release);
		ports->rests_head++;
		atomic_fetch_sub_explicit(&ports->resting, 1, memory_order_relaxed);
		if (single)
			atomic_fetch_sub_explicit(&ports->resting_single, 1, memory_order_relaxed);
		lot_vacate(ports, place, single);
		ended++;
	}
	return ended;
}

/** The ring holds each resting lot once, none of whose ports is vacant. */
static void
rests_check(const struct ports *ports)
{
	uint32_t in_ring = 0, single = 0;

	for (uint32_t i = 0; i <= ports->rests_mask; i++) {
		uint32_t filled = atomic_load_explicit(&ports->rests[i], memory_order_relaxed);
		uint32_t place = (filled & ~REST_SINGLE) - 1;
		uint64_t bits = filled & REST_SINGLE ? 1 : 3;

		if (!filled)
			continue;
		in_ring++;
		single += filled >> 31;
		STW_ASSERT(place < ports->count);
		STW_ASSERT(
			!(atomic_load_explicit(&ports->vacant[place / 64], memory_order_relaxed) >>
				  place % 64 &
			  bits));
	}
	STW_ASSERT(in_ring == atomic_load_explicit(&ports->resting, memory_order_relaxed));
	STW_ASSERT(single == atomic_load_explicit(&ports->resting_single, memory_order_relaxed));
	STW_ASSERT(in_ring == atomic_load_explicit(&ports->rests_tail, memory_order_relaxed) -
				      ports->rests_head);
}

void
ports_check(struct ports *ports)
{
	uint32_t vacant = 0, odd = 0, lots, single;

	for (uint32_t i = 0; i < words_of(ports); i++) {
		uint64_t word = atomic_load_explicit(&ports->vacant[i], memory_order_relaxed);

		vacant += (uint32_t)__builtin_popcountll(word);
		odd += (uint32_t)__builtin_popcountll(odd_in(word));
	}
	rests_check(ports);
	lots = atomic_load_explicit(&ports->taken, memory_order_relaxed) +
	       atomic_load_explicit(&ports->resting, memory_order_relaxed);
	single = atomic_load_explicit(&ports->taken_single, memory_order_relaxed) +
		 atomic_load_explicit(&ports->resting_single, memory_order_relaxed);
	STW_ASSERT(vacant + 2 * lots - single == ports->count);
	STW_ASSERT(odd == atomic_load_explicit(&ports->odd, memory_order_relaxed));
}
