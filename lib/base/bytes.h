/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers in network byte order, at any place.
 */
#ifndef STW_BASE_BYTES_H
#define STW_BASE_BYTES_H

#include <stdint.h>

static inline uint16_t
bytes_read16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t
bytes_read32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void
bytes_write16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void
bytes_write32(uint8_t *at, uint32_t value)
{
	bytes_write16(at, (uint16_t)(value >> 16));
	bytes_write16(at + 2, (uint16_t)value);
}

#endif
