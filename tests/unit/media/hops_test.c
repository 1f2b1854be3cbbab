/* SPDX-License-Identifier: BSD-3-Clause */
/* Next hops: who is on the link, who is behind the gateway, who is asked for. */
#include <criterion/criterion.h>

#include <string.h>

#include "media/hops.h"

#define MS UINT64_C(1000000)

static const struct rte_ether_addr mac_one = {{2, 1, 2, 3, 4, 5}};
static const struct rte_ether_addr mac_two = {{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff}};

#define IP(a, b, c, d)                                                                             \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static bool
is(const struct hops *hops, uint32_t hop, const struct rte_ether_addr *mac)
{
	struct rte_ether_addr found;

	return hops_find(hops, hop, &found) && rte_is_same_ether_addr(&found, mac);
}

Test(hops, gateway_is_the_next_hop_of_all_that_is_not_on_the_link)
{
	struct hops hops;

	cr_assert_eq(hops_init(&hops, IP(10, 1, 2, 3), 24, IP(10, 1, 2, 254)), 0);
	cr_assert_eq(hops_next(&hops, IP(10, 1, 2, 77)), IP(10, 1, 2, 77));
	cr_assert_eq(hops_next(&hops, IP(10, 1, 3, 77)), IP(10, 1, 2, 254));
	hops_destroy(&hops);
	cr_assert_eq(hops_init(&hops, IP(10, 1, 2, 3), 24, 0), 0);
	cr_assert_eq(hops_next(&hops, IP(10, 1, 3, 77)), 0);
	hops_destroy(&hops);
}

Test(hops, learnt_address_is_found_for_its_hop_only)
{
	struct hops hops;

	cr_assert_eq(hops_init(&hops, IP(10, 1, 2, 3), 24, 0), 0);
	cr_assert(!is(&hops, IP(10, 1, 2, 7), &mac_one));
	hops_learn(&hops, IP(10, 1, 2, 7), &mac_one);
	hops_learn(&hops, IP(10, 1, 9, 8), &mac_two);
	cr_assert(is(&hops, IP(10, 1, 2, 7), &mac_one));
	cr_assert(!is(&hops, IP(10, 1, 2, 8), &mac_two), "not of this network");
	hops_learn(&hops, IP(10, 1, 2, 7), &mac_two);
	cr_assert(is(&hops, IP(10, 1, 2, 7), &mac_two));
	cr_assert_eq(hops_at(&hops, 7), IP(10, 1, 2, 7));
	cr_assert_eq(hops_at(&hops, 8), 0);
	hops_destroy(&hops);
}

Test(hops, hosts_of_a_large_network_that_share_a_word_are_told_apart)
{
	struct hops hops;

	cr_assert_eq(hops_init(&hops, IP(10, 0, 0, 1), 8, 0), 0);
	hops_learn(&hops, IP(10, 1, 2, 7), &mac_one);
	cr_assert(is(&hops, IP(10, 1, 2, 7), &mac_one));
	cr_assert(!is(&hops, IP(10, 2, 2, 7), &mac_one));
	cr_assert(hops_ask(&hops, IP(10, 2, 2, 7), 5 * MS));
	cr_assert(!is(&hops, IP(10, 1, 2, 7), &mac_one), "made room");
	hops_learn(&hops, IP(10, 2, 2, 7), &mac_two);
	cr_assert(is(&hops, IP(10, 2, 2, 7), &mac_two));
	cr_assert_eq(hops_at(&hops, 0x0207), IP(10, 2, 2, 7));
	hops_destroy(&hops);
}

Test(hops, unknown_one_is_asked_for_at_most_each_100_ms)
{
	uint32_t hop = IP(10, 1, 2, 9);
	struct hops hops;

	cr_assert_eq(hops_init(&hops, IP(10, 1, 2, 3), 24, 0), 0);
	cr_assert(hops_ask(&hops, hop, 0), "at time 0, too");
	cr_assert(hops_ask_pends(&hops, hop));
	cr_assert(!hops_ask(&hops, hop, 0));
	cr_assert(!hops_ask(&hops, hop, 99 * MS));
	cr_assert(hops_ask(&hops, hop, 100 * MS));
	cr_assert(hops_ask(&hops, IP(10, 1, 2, 10), 100 * MS), "each for itself");
	hops_learn(&hops, hop, &mac_one);
	cr_assert(!hops_ask(&hops, hop, 1000 * MS));
	cr_assert(!hops_ask_pends(&hops, hop));
	hops_destroy(&hops);
}
