/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a fuzz target is: one function that reads bytes and breaks when they break the library.
 * libFuzzer calls it with what it finds; replay.c calls it with the files of a corpus.
 */
#ifndef STW_TEST_FUZZ_H
#define STW_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/** The property that a target states; a false one ends the process. */
#define FUZZ_ASSERT(fact)                                                                          \
	do {                                                                                       \
		if (!(fact))                                                                       \
			abort();                                                                   \
	} while (0)

/** One input; 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#endif
