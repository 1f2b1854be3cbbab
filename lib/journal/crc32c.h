/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CRC-32C (Castagnoli), the checksum of each record.
 */
#ifndef STW_JOURNAL_CRC32C_H
#define STW_JOURNAL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * Go on with a checksum over more bytes.
 *
 * @param crc    of the bytes before; 0 at the beginning
 * @param bytes  borrowed
 * @param count  how many
 *
 * Threads:  any.
 * Progress: wait-free (bound: count).
 * Order:    none needed.
 * Source:   RFC 3720, appendix B.4, for the polynomial.
 */
uint32_t journal_crc32c(uint32_t crc, const uint8_t *bytes, size_t count);

#endif
