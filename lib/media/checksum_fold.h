/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of an Internet checksum, for workers and for the relay inside the kernel. No other headers than the
 * compiler's own.
 */
#ifndef STW_MEDIA_CHECKSUM_FOLD_H
#define STW_MEDIA_CHECKSUM_FOLD_H

#include "base/shared.h"

/** Fold a sum to 16 bits, in the order of memory. */
STW_SHARED_INLINE uint16_t
checksum_fold(uint64_t sum)
{
	uint32_t half;

	/* Both halves are added with the carry of their sum: in the high one that of the low one. */
	sum += sum << 32 | sum >> 32;
	half = (uint32_t)(sum >> 32);
	half += half << 16 | half >> 16;
	return (uint16_t)(half >> 16);
}

#endif
