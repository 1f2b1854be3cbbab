/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the ACD benches do when a call fails that cannot fail: they say which, and end.
 */
#ifndef BENCH_ACD_MUST_H
#define BENCH_ACD_MUST_H

#include <stdint.h>
#include <stdlib.h>

#include <strowger/error.h>

#include "rounds.h"

/** A result of either engine: 0 or a count, or a negative errno. */
static inline void
must(int result, const char *what)
{
	if (result < 0)
		rounds_die("%s: %s", what, stw_error_text(result));
}

/** Zeroed memory; the caller frees it. */
static inline void *
array(uint32_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		rounds_die("no memory");
	return memory;
}

#endif
