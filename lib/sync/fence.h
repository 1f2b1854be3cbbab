/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The full fence between "I have published" and "I search". Two threads that both publish, fence and
 * search cannot both miss the other: one of the fences is the earlier one, and whoever passes the
 * later one sees what was written before the earlier.
 *
 *  label  where                order    pairs with  without it
 *  F1     sync_fence_full      seq_cst  F1          both parties miss each other for ever
 *                              (under TSan acq_rel)
 *
 * ThreadSanitizer does not know fences. Under it F1 is a read-modify-write of one common word, which
 * gives the same by the language's rules (each acquires what all earlier ones released), slower.
 */
#ifndef STW_SYNC_FENCE_H
#define STW_SYNC_FENCE_H

#include <stdatomic.h>

#if defined(__SANITIZE_THREAD__)
#define SYNC_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SYNC_TSAN 1
#endif
#endif
#ifndef SYNC_TSAN
#define SYNC_TSAN 0
#endif

#if SYNC_TSAN
extern _Atomic unsigned sync_fence_word;
#endif

/** Order everything before against everything after, also stores against later loads. */
static inline void
sync_fence_full(void)
{
#if SYNC_TSAN
	/* F1, pairs with F1 */
	atomic_fetch_add_explicit(&sync_fence_word, 1, memory_order_acq_rel);
#else
	/* F1, pairs with F1: keeps the caller's publication before its search. */
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

#endif
