/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reclaim, on liburcu's "bulletproof" flavour. Why that one: hot calls come from any of the host's
 * threads, and only this flavour registers a thread by itself, at its first section, and forgets it
 * when the thread ends. Its read side is a few loads and stores (with sys_membarrier the readers
 * have no fence), so wait-free. The first section of a thread takes liburcu's registry lock, which a
 * configuring thread also holds for moments; a thread stopped in there holds up the first calls of new
 * threads and the configuration, never a thread that has called before.
 *
 * Source: M. Desnoyers, P. McKenney et al., "User-level implementations of read-copy update", IEEE TPDS
 * 23(2), 2012.
 *
 * I1  A description is freed only after reclaim_wait() since it was unpublished.
 *
 * enter and exit may overlap everything; a thread must not wait inside of its own section.
 *
 *  label  where                    order    pairs with  without it
 *  R1     publish (the users')     release  R2          a reader sees a half-written description
 *  R2     read (the users')        acquire  R1          same, seen from the reader
 *  R3     exit                     release  R4          freed while a reader still reads
 *  R4     wait                     acquire  R3          same, seen from who frees
 *
 * ThreadSanitizer cannot see into liburcu's shared library, so R3 and R4 are told to it here.
 */
#include "reclaim.h"

#include <urcu/urcu-bp.h>

#include "fence.h"

#if SYNC_TSAN
unsigned _Atomic sync_fence_word;
static char reclaim_gate;
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#endif

void
reclaim_enter(void)
{
	urcu_bp_read_lock();
}

void
reclaim_exit(void)
{
#if SYNC_TSAN
	/* R3, pairs with R4 */
	__tsan_release(&reclaim_gate);
#endif
	urcu_bp_read_unlock();
}

void
reclaim_wait(void)
{
	urcu_bp_synchronize_rcu();
#if SYNC_TSAN
	/* R4, pairs with R3 */
	__tsan_acquire(&reclaim_gate);
#endif
}
