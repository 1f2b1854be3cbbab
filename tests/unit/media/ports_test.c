/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP port pairs: each to one holder, none before its rest is over. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "media/ports.h"

#define PAIRS 70

static struct ports ports;

static void
make(void)
{
	cr_assert_eq(ports_init(&ports, 30000, 30000 + 2 * PAIRS - 1), 0);
}

static void
unmake(void)
{
	ports_check(&ports);
	ports_destroy(&ports);
}

TestSuite(ports, .init = make, .fini = unmake);

Test(ports, each_pair_is_given_once_and_no_more_than_there_are)
{
	uint8_t seen[PAIRS] = {0};
	uint32_t pair;

	for (unsigned i = 0; i < PAIRS; i++) {
		cr_assert_eq(ports_take(&ports, &pair), 0);
		cr_assert(pair < PAIRS);
		cr_assert_eq(seen[pair]++, 0);
		ports_check(&ports);
	}
	cr_assert_eq(ports_take(&ports, &pair), -ENOSPC);
	for (unsigned i = 0; i < PAIRS; i++)
		ports_release(&ports, i, 0);
	cr_assert_eq(ports.taken, 0);
}

Test(ports, pair_released_last_is_taken_last)
{
	uint32_t first, pair;

	cr_assert_eq(ports_take(&ports, &first), 0);
	ports_release(&ports, first, 0);
	for (unsigned i = 0; i < PAIRS - 1; i++) {
		cr_assert_eq(ports_take(&ports, &pair), 0);
		cr_assert_neq(pair, first);
	}
	cr_assert_eq(ports_take(&ports, &pair), 0);
	cr_assert_eq(pair, first);
}

Test(ports, rests_end_in_their_order_and_not_before_their_time)
{
	uint32_t pair;

	for (unsigned i = 0; i < PAIRS; i++)
		cr_assert_eq(ports_take(&ports, &pair), 0);
	for (unsigned i = 0; i < PAIRS; i++)
		ports_release(&ports, i, 1000 + i);
	ports_check(&ports);
	cr_assert_eq(ports.resting, PAIRS);
	cr_assert_eq(ports_rests_end(&ports, 999, 100), 0);
	cr_assert_eq(ports_rests_end(&ports, 1004, 3), 3);
	cr_assert_eq(ports_rests_end(&ports, 1004, 100), 2);
	cr_assert_eq(ports_take(&ports, &pair), 0);
	cr_assert(pair < 5);
	ports_check(&ports);
	cr_assert_eq(ports_rests_end(&ports, 5000, 100), PAIRS - 5);
}

Test(ports, ring_of_rests_goes_round_for_ever)
{
	uint32_t pair;

	for (uint64_t i = 1; i < 1000; i++) {
		cr_assert_eq(ports_take(&ports, &pair), 0);
		ports_release(&ports, pair, i);
		if (i % 3 == 0)
			ports_rests_end(&ports, i, 10);
		ports_check(&ports);
	}
}

Test(ports, whole_range_of_udp_can_be_owned)
{
	struct ports all;
	uint32_t pair;

	cr_assert_eq(ports_init(&all, 1024, 65535), 0);
	cr_assert_eq(all.pairs, (65536 - 1024) / 2);
	for (uint32_t i = 0; i < all.pairs; i++)
		cr_assert_eq(ports_take(&all, &pair), 0);
	cr_assert_eq(ports_number(&all, all.pairs - 1), 65534);
	cr_assert_eq(ports_take(&all, &pair), -ENOSPC);
	ports_check(&all);
	ports_destroy(&all);
}
