/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters: a table of rows and columns, striped over threads, added up by the reader.
 */
#ifndef STW_SYNC_COUNTERS_H
#define STW_SYNC_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/** Stripes of every table. */
#define COUNTERS_STRIPES 8

struct counters {
	_Atomic uint64_t *cells; /**< stripe by stripe, row by row */
	uint32_t rows;
	uint32_t columns; /**< rounded up to whole cache lines */
};

/**
 * Say how much memory a table takes.
 *
 * @param rows     1 or more
 * @param columns  1 or more
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
size_t counters_bytes(uint32_t rows, uint32_t columns);

/**
 * Make a table of zeroes.
 *
 * @param counters  borrowed
 * @param memory    borrowed for the table's life, zeroed, counters_bytes() bytes on a cache line
 * @param rows      1 or more
 * @param columns   1 or more
 *
 * Threads:  one.
 * Progress: wait-free (bound 1).
 * Order:    the caller hands the table to other threads.
 */
void counters_init(struct counters *counters, void *memory, uint32_t rows, uint32_t columns);

/**
 * Add to a counter.
 *
 * @param counters  borrowed
 * @param row       below rows
 * @param column    below columns
 * @param amount    what to add; two's complement for less
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none; the reader's number may lack what is under way.
 */
void counters_add(struct counters *counters, uint32_t row, uint32_t column, uint64_t amount);

/**
 * Read a counter.
 *
 * @param counters  borrowed
 * @param row       below rows
 * @param column    below columns
 *
 * Threads:  any.
 * Progress: wait-free (bound COUNTERS_STRIPES).
 * Order:    sees every addition that happened before the call.
 */
uint64_t counters_read(const struct counters *counters, uint32_t row, uint32_t column);

/**
 * Set a row to zero.
 *
 * @param counters  borrowed
 * @param row       below rows
 *
 * Threads:  one, while nobody adds to the row.
 * Progress: wait-free (bound COUNTERS_STRIPES).
 * Order:    the caller has synchronised with those who add.
 */
void counters_clear(struct counters *counters, uint32_t row);

#endif
