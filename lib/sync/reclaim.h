/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reclaim: read-side sections of hot calls, and waiting for those under way, on liburcu.
 */
#ifndef STW_SYNC_RECLAIM_H
#define STW_SYNC_RECLAIM_H

/**
 * Enter a read-side section: what was published stays until the exit. Sections nest.
 *
 * Threads:  any; needs no registration by the host.
 * Progress: wait-free (bound 1), but for a thread's first call, which takes a lock of liburcu to
 *           register the thread.
 * Order:    R2: what is read from a published pointer was written before it.
 */
void reclaim_enter(void);

/**
 * Leave a read-side section.
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    R3, pairs with R4.
 */
void reclaim_exit(void);

/**
 * Wait until every section that was under way is over.
 *
 * Threads:  any, outside of a section.
 * Progress: blocking (waits for the sections under way).
 * Order:    R4: what was unpublished before is not used by anybody after the return.
 */
void reclaim_wait(void);

#endif
