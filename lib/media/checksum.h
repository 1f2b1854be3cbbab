/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum: sums of 32-bit words in 64 bits, folded at the end.
 */
#ifndef STW_MEDIA_CHECKSUM_H
#define STW_MEDIA_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "checksum_fold.h"

/** Add bytes, which begin at an even place of the sum. Source: RFC 1071. */
static inline uint64_t
checksum_add(uint64_t sum, const uint8_t *bytes, size_t count)
{
	size_t words = count / 4;
	uint32_t word;
	uint16_t half;

	for (size_t i = 0; i < words; i++) {
		memcpy(&word, bytes + 4 * i, sizeof(word));
		sum += word;
	}
	bytes += 4 * words;
	if (count & 2) {
		memcpy(&half, bytes, sizeof(half));
		sum += half;
		bytes += 2;
	}
	if (count & 1) {
		half = 0;
		memcpy(&half, bytes, 1);
		sum += half;
	}
	return sum;
}

/**
 * Change a checksum for words of the sum that were replaced.
 *
 * @param checksum  as in the packet
 * @param before    sum of the words as they were, below 2 to the 50th
 * @param after     sum of the words as they are
 * @return as it goes into the packet
 *
 * The words replaced are taken away by adding a multiple of 65535 less them, so that the sum stays
 * positive and is folded once.
 *
 * Source: RFC 1624 3, equation 3: ~(~C + ~m + m').
 */
static inline uint16_t
checksum_update(uint16_t checksum, uint64_t before, uint64_t after)
{
	return (uint16_t)~checksum_fold((uint16_t)~checksum + after +
					((UINT64_C(0xffff) << 40) - before));
}

#endif
