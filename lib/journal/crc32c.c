/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CRC-32C, half a byte at a time: the table has 16 words, and a record is a few dozen bytes.
 */
#include "crc32c.h"

/* Of each half byte: its remainder by the reversed polynomial 0x82f63b78. */
static const uint32_t remainders[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t
journal_crc32c(uint32_t crc, const uint8_t *bytes, size_t count)
{
	uint32_t sum = ~crc;

	for (size_t i = 0; i < count; i++) {
		sum ^= bytes[i];
		sum = sum >> 4 ^ remainders[sum & 15];
		sum = sum >> 4 ^ remainders[sum & 15];
	}
	return ~sum;
}
