/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loops over samples, compiled twice on x86-64: for every processor, and for those with AVX2. The loop
 * itself is plain C that the compiler makes wide; which of the two runs is asked of the processor.
 */
#ifndef STW_RTP_WIDE_H
#define STW_RTP_WIDE_H

#include <stdbool.h>

/** Of a static function: a loop's body, which becomes part of both. */
#define RTP_LOOP inline __attribute__((always_inline))

#if defined(__x86_64__)

/** Compiled for AVX2; called only where rtp_is_wide() says so. */
#define RTP_WIDE __attribute__((target("avx2")))

/** True when the processor has AVX2. Threads: any. Progress: wait-free (bound 1). */
static inline bool
rtp_is_wide(void)
{
	return __builtin_cpu_supports("avx2");
}

#else

#define RTP_WIDE

static inline bool
rtp_is_wide(void)
{
	return false;
}

#endif

#endif
