/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters. Each thread adds to the stripe of its own number; numbers are given out at a thread's first
 * addition by one fetch-and-add, so nothing is registered, locked or given back. Two threads may share
 * a stripe: the addition is atomic, so that costs time only.
 *
 * I1  A counter is the sum of its cells, modulo 2^64.
 *
 * Everything may overlap everything but clear. Wait-free: no loop depends on another thread.
 *
 *  label  where  order    pairs with  without it
 *  none   all    relaxed  none        a reader misses what is under way, which it may
 */
#include "counters.h"

#define CELLS_PER_LINE (STW_CACHE_LINE / sizeof(uint64_t))

static _Atomic uint32_t thread_numbers;
/* 0: none yet. Initial-exec: no call to find it; its 4 bytes fit in what glibc keeps for dlopen. */
static _Thread_local uint32_t thread_number __attribute__((tls_model("initial-exec")));

static uint32_t
columns_rounded(uint32_t columns)
{
	return (columns + CELLS_PER_LINE - 1) / CELLS_PER_LINE * CELLS_PER_LINE;
}

static _Atomic uint64_t *
cell(const struct counters *counters, uint32_t stripe, uint32_t row, uint32_t column)
{
	return &counters->cells[((size_t)stripe * counters->rows + row) * counters->columns +
				column];
}

size_t
counters_bytes(uint32_t rows, uint32_t columns)
{
	return (size_t)COUNTERS_STRIPES * rows * columns_rounded(columns) * sizeof(uint64_t);
}

void
counters_init(struct counters *counters, void *memory, uint32_t rows, uint32_t columns)
{
	counters->cells = memory;
	counters->rows = rows;
	counters->columns = columns_rounded(columns);
}

void
counters_add(struct counters *counters, uint32_t row, uint32_t column, uint64_t amount)
{
	if (STW_UNLIKELY(!thread_number))
		thread_number =
			atomic_fetch_add_explicit(&thread_numbers, 1, memory_order_relaxed) + 1;
	atomic_fetch_add_explicit(cell(counters, thread_number % COUNTERS_STRIPES, row, column),
				  amount, memory_order_relaxed);
}

uint64_t
counters_read(const struct counters *counters, uint32_t row, uint32_t column)
{
	uint64_t sum = 0;

	for (uint32_t stripe = 0; stripe < COUNTERS_STRIPES; stripe++)
		sum += atomic_load_explicit(cell(counters, stripe, row, column),
					    memory_order_relaxed);
	return sum;
}

void
counters_clear(struct counters *counters, uint32_t row)
{
	for (uint32_t stripe = 0; stripe < COUNTERS_STRIPES; stripe++)
		for (uint32_t column = 0; column < counters->columns; column++)
			atomic_store_explicit(cell(counters, stripe, row, column), 0,
					      memory_order_relaxed);
}
