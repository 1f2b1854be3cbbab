/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum, against a sum byte by byte. */
#include <criterion/criterion.h>

#include <string.h>

#include "media/checksum.h"

static uint16_t
slow(const uint8_t *bytes, size_t count)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		sum += i % 2 ? (uint32_t)bytes[i] << 8 : bytes[i];
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)sum;
}

Test(checksum, sum_of_any_length_is_right)
{
	uint8_t bytes[300];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * i * 31 + 200);
	for (size_t count = 0; count < sizeof(bytes); count++)
		cr_assert_eq(checksum_fold(checksum_add(0, bytes, count)), slow(bytes, count),
			     "%zu bytes", count);
	memset(bytes, 0xff, sizeof(bytes));
	cr_assert_eq(checksum_fold(checksum_add(0, bytes, sizeof(bytes))), 0xffff);
}

Test(checksum, sum_can_be_added_in_parts)
{
	uint8_t bytes[64];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(255 - i);
	cr_assert_eq(checksum_fold(checksum_add(checksum_add(0, bytes, 18), bytes + 18, 46)),
		     slow(bytes, 64));
}

Test(checksum, changed_words_change_it_as_a_new_sum_would)
{
	uint8_t bytes[40];
	uint32_t random = 1;

	for (unsigned round = 0; round < 20000; round++) {
		uint16_t checksum, wanted;
		uint64_t before, after;

		for (unsigned i = 0; i < sizeof(bytes); i++) {
			random = random * 1103515245 + 12345;
			bytes[i] = round % 7 ? (uint8_t)(random >> 16) : 0;
		}
		bytes[39] |= 1;
		checksum = (uint16_t)~slow(bytes, sizeof(bytes));
		before = checksum_add(0, bytes + 8, 12);
		for (unsigned i = 8; i < 20; i++) {
			random = random * 1103515245 + 12345;
			bytes[i] = round % 5 ? (uint8_t)(random >> 16) : 0xff;
		}
		after = checksum_add(0, bytes + 8, 12);
		wanted = (uint16_t)~slow(bytes, sizeof(bytes));
		cr_assert_eq(checksum_update(checksum, before, after), wanted, "round %u", round);
	}
}
