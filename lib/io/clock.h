/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading the system's clocks, which only this part of the library does.
 */
#ifndef STW_IO_CLOCK_H
#define STW_IO_CLOCK_H

#include <stdint.h>
#include <time.h>

/** A clock's time, ns. CLOCK_MONOTONIC and CLOCK_REALTIME never fail. Threads: any. */
static inline uint64_t
clock_read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/** Monotonic ns, as the library's calls take them for `now_ns`. Threads: any. */
static inline uint64_t
clock_now_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

#endif
