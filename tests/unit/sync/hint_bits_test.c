/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include "sync/hint_bits.h"

Test(hint_bits, set_bit_is_read)
{
	_Atomic uint64_t word = 0;

	hint_bits_set(&word, 0);
	hint_bits_set(&word, 31);
	cr_assert_eq((uint32_t)hint_bits_read(&word), 0x80000001u);
}

Test(hint_bits, bit_is_cleared_when_nothing_was_set_since_the_look)
{
	_Atomic uint64_t word = 0;
	uint64_t seen;

	hint_bits_set(&word, 3);
	hint_bits_set(&word, 4);
	seen = hint_bits_read(&word);
	cr_assert(hint_bits_clear(&word, 3, seen));
	cr_assert_eq((uint32_t)hint_bits_read(&word), 1u << 4);
}

Test(hint_bits, bit_set_again_since_the_look_stays)
{
	_Atomic uint64_t word = 0;
	uint64_t seen;

	hint_bits_set(&word, 3);
	seen = hint_bits_read(&word);
	hint_bits_set(&word, 3);
	cr_assert_not(hint_bits_clear(&word, 3, seen));
	cr_assert_eq((uint32_t)hint_bits_read(&word), 1u << 3);
}

Test(hint_bits, count_wraps_without_touching_bits)
{
	_Atomic uint64_t word = (UINT64_C(0xffffffff) << 32) | 2;

	hint_bits_set(&word, 0);
	cr_assert_eq(hint_bits_read(&word), 3);
}

Test(hint_bits, words_cover_all_things)
{
	cr_assert_eq(HINT_BITS_WORDS(1), 1);
	cr_assert_eq(HINT_BITS_WORDS(32), 1);
	cr_assert_eq(HINT_BITS_WORDS(33), 2);
}
