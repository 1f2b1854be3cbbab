/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hint bits.
 *
 * Who makes a thing findable publishes it first, then sets its bit, always adding one to the count
 * in the high half, also when the bit is set already. Who finds a bit whose thing is gone clears it
 * with the word that he read before he looked at the thing.
 *
 * I1  When a setter has returned and the thing has stayed, the bit is set.
 *
 * Proof: a clear succeeds only on the very word read before the look. A setting that comes between
 * changes the count, so the clear fails. A setting that came before the read was seen by the read
 * (H1, H2), and with it the thing. A setting after the clear sets the bit again. No step relies on
 * the clearing thread doing anything afterwards, so one that is stopped for ever hides nothing.
 *
 * The count wraps after 2^32 settings in one word (of 32 things): a clearer would have to be stopped
 * for exactly so many; at a million a second in one word, 72 minutes, to the very one.
 *
 * set and clear may overlap in any way. A set retries only after another thread's change: lock-free.
 *
 *  label  where                 order    pairs with  without it
 *  H1     set: compare-exchange release  H2          a finder looks at a thing not yet written
 *  H2     read                  acquire  H1          same, seen from the finder
 */
#include "hint_bits.h"

#define COUNT_ONE (UINT64_C(1) << HINT_BITS_WIDTH)

void
hint_bits_set(_Atomic uint64_t *word, unsigned bit)
{
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed);

	/* H1, pairs with H2 */
	while (!atomic_compare_exchange_weak_explicit(word, &old,
						      (old + COUNT_ONE) | (UINT64_C(1) << bit),
						      memory_order_release, memory_order_relaxed)) {
	}
}

bool
hint_bits_clear(_Atomic uint64_t *word, unsigned bit, uint64_t seen)
{
	uint64_t cleared = seen & ~(UINT64_C(1) << bit);

	/* Relaxed: a read-modify-write carries on what earlier settings in the word released. */
	return atomic_compare_exchange_strong_explicit(word, &seen, cleared, memory_order_relaxed,
						       memory_order_relaxed);
}
