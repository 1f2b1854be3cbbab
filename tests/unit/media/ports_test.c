/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP ports, in pairs and single: each to one holder, none before its rest is over. */
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
		cr_assert_eq(ports_take(&ports, false, &pair), 0);
		cr_assert(pair < 2 * PAIRS && pair % 2 == 0);
		cr_assert_eq(seen[pair / 2]++, 0);
		ports_check(&ports);
	}
	cr_assert_eq(ports_take(&ports, false, &pair), -ENOSPC);
	for (unsigned i = 0; i < PAIRS; i++)
		ports_release(&ports, 2 * i, false, 0);
	cr_assert_eq(ports.taken, 0);
}

Test(ports, pair_released_last_is_taken_last)
{
	uint32_t first, pair;

	cr_assert_eq(ports_take(&ports, false, &first), 0);
	ports_release(&ports, first, false, 0);
	for (unsigned i = 0; i < PAIRS - 1; i++) {
		cr_assert_eq(ports_take(&ports, false, &pair), 0);
		cr_assert_neq(pair, first);
	}
	cr_assert_eq(ports_take(&ports, false, &pair), 0);
	cr_assert_eq(pair, first);
}

Test(ports, rests_end_in_their_order_and_not_before_their_time)
{
	uint32_t pair;

	for (unsigned i = 0; i < PAIRS; i++)
		cr_assert_eq(ports_take(&ports, false, &pair), 0);
	for (unsigned i = 0; i < PAIRS; i++)
		ports_release(&ports, 2 * i, false, 1000 + i);
	ports_check(&ports);
	cr_assert_eq(ports.resting, PAIRS);
	cr_assert_eq(ports_rests_end(&ports, 999, 100), 0);
	cr_assert_eq(ports_rests_end(&ports, 1004, 3), 3);
	cr_assert_eq(ports_rests_end(&ports, 1004, 100), 2);
	cr_assert_eq(ports_take(&ports, false, &pair), 0);
	cr_assert(pair < 2 * 5);
	ports_check(&ports);
	cr_assert_eq(ports_rests_end(&ports, 5000, 100), PAIRS - 5);
}

Test(ports, ring_of_rests_goes_round_for_ever)
{
	uint32_t pair;

	for (uint64_t i = 1; i < 1000; i++) {
		cr_assert_eq(ports_take(&ports, false, &pair), 0);
		ports_release(&ports, pair, false, i);
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
	cr_assert_eq(all.count, 65536 - 1024);
	for (uint32_t i = 0; i < all.count / 2; i++)
		cr_assert_eq(ports_take(&all, false, &pair), 0);
	cr_assert_eq(ports_number(&all, all.count - 2), 65534);
	cr_assert_eq(ports_take(&all, false, &pair), -ENOSPC);
	ports_check(&all);
	ports_destroy(&all);
}

Test(ports, single_ports_break_no_pair_while_a_half_is_vacant)
{
	uint32_t place, whole;

	/* Each two of them share one pair, so pairs last twice as long. */
	for (unsigned i = 0; i < 10; i++) {
		cr_assert_eq(ports_take(&ports, true, &place), 0);
		cr_assert_eq(ports.odd, (i + 1) % 2, "%u", i);
		ports_check(&ports);
	}
	for (unsigned i = 0; i < PAIRS - 5; i++)
		cr_assert_eq(ports_take(&ports, false, &place), 0, "%u", i);
	cr_assert_eq(ports_take(&ports, false, &place), -ENOSPC);
	cr_assert_eq(ports_take(&ports, true, &place), -ENOSPC);
	ports_check(&ports);
	/* A half alone is no pair. */
	ports_release(&ports, 3, true, 0);
	ports_release(&ports, 4, true, 0);
	cr_assert_eq(ports_take(&ports, false, &place), -ENOSPC);
	ports_release(&ports, 5, true, 0);
	cr_assert_eq(ports_take(&ports, false, &place), 0);
	cr_assert_eq(place, 4);
	ports_check(&ports);
	/* With a broken pair and a whole one, the broken one is taken. */
	whole = 20;
	ports_release(&ports, whole, false, 0);
	cr_assert_eq(ports_take(&ports, true, &place), 0);
	cr_assert_eq(place, 3);
	cr_assert_eq(ports_take(&ports, true, &place), 0);
	cr_assert_eq(place / 2, whole / 2);
}

Test(ports, single_ports_use_every_port_once)
{
	uint8_t seen[2 * PAIRS] = {0};
	uint32_t place;

	for (unsigned i = 0; i < 2 * PAIRS; i++) {
		cr_assert_eq(ports_take(&ports, true, &place), 0);
		cr_assert(place < 2 * PAIRS);
		cr_assert_eq(seen[place]++, 0);
		cr_assert_eq(ports_number(&ports, place), 30000 + place);
	}
	cr_assert_eq(ports_take(&ports, true, &place), -ENOSPC);
	cr_assert_eq(ports.taken, 2 * PAIRS);
	cr_assert_eq(ports.taken_single, 2 * PAIRS);
}

Test(ports, single_ports_rest_beside_pairs)
{
	uint32_t pair, single, place;

	cr_assert_eq(ports_take(&ports, false, &pair), 0);
	cr_assert_eq(ports_take(&ports, true, &single), 0);
	ports_release(&ports, single, true, 10);
	ports_release(&ports, pair, false, 20);
	ports_check(&ports);
	cr_assert_eq(ports.resting, 2);
	cr_assert_eq(ports.resting_single, 1);
	for (unsigned i = 0; i < 2 * PAIRS - 3; i++) {
		cr_assert_eq(ports_take(&ports, true, &place), 0);
		cr_assert(place / 2 != pair / 2 && place != single);
	}
	cr_assert_eq(ports_take(&ports, true, &place), -ENOSPC);
	cr_assert_eq(ports_rests_end(&ports, 10, 10), 1);
	cr_assert_eq(ports_take(&ports, true, &place), 0);
	cr_assert_eq(place, single);
	cr_assert_eq(ports_rests_end(&ports, 20, 10), 1);
	cr_assert_eq(ports_take(&ports, false, &place), 0);
	cr_assert_eq(place, pair);
}
