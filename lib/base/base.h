/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every module may use: asserts, sizes, cache lines.
 */
#ifndef STW_BASE_H
#define STW_BASE_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/error.h>
#include <strowger/log.h>

/** Bytes of a cache line: fields of different writers are this far apart. */
#define STW_CACHE_LINE 64

#define STW_ALIGNED_LINE __attribute__((aligned(STW_CACHE_LINE)))

#define STW_ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** Bytes rounded up to whole cache lines, as sizes that lie one behind the other are. */
#define STW_WHOLE_LINES(bytes) (((bytes) + STW_CACHE_LINE - 1) / STW_CACHE_LINE * STW_CACHE_LINE)

#define STW_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define STW_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/** Of a function that is rarely called: kept out of its caller's hot loop. */
#define STW_COLD __attribute__((cold, noinline))

/** Ends in the host's panic handler; stays in release builds. For control code. One fact each. */
#define STW_ASSERT(fact)                                                                           \
	do {                                                                                       \
		if (STW_UNLIKELY(!(fact)))                                                         \
			stw_panic(__FILE__, __LINE__, #fact);                                      \
	} while (0)

/** As STW_ASSERT, but only in debug builds. For code run per packet or per decision. */
#ifdef STW_DEBUG
#define STW_DEBUG_ASSERT(fact) STW_ASSERT(fact)
#else
#define STW_DEBUG_ASSERT(fact) ((void)sizeof(fact))
#endif

/**
 * Report a broken invariant to the host's handler; does not return. Exported, as both libraries
 * assert and the handler is one.
 */
STW_API void stw_panic(const char *file, int line, const char *fact) __attribute__((noreturn));

#endif
