/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the big tables: zeroed, aligned to a cache line, in huge pages where the kernel has
 * them. It is not DPDK's memory: no device reads it, and what is never touched costs nothing.
 */
#ifndef STW_MEDIA_MEMORY_H
#define STW_MEDIA_MEMORY_H

#include <stddef.h>

/**
 * Map zeroed memory.
 *
 * @param bytes  1 or more
 * @return memory, free with memory_unmap and the same bytes; NULL when there is none
 *
 * Threads: any. Progress: blocking (waits for the kernel). Order: none.
 */
void *memory_map(size_t bytes);

/** Give it back; NULL is fine. Threads: any. Progress: blocking (waits for the kernel). */
void memory_unmap(void *memory, size_t bytes);

/**
 * Zero a row. One that is zero already is only read, so that rows which nobody has used take no memory.
 *
 * Threads: who owns the row.
 */
void memory_clear(void *row, size_t bytes);

#endif
