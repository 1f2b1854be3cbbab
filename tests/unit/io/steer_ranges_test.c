/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>

#include "io/steer_ranges.h"

Test(steer_ranges, ranges_are_kept_in_the_order_given)
{
	struct steer_ranges ranges = {0};

	cr_assert_eq(steer_ranges_add(&ranges, 20000, 20999), 0);
	cr_assert_eq(steer_ranges_add(&ranges, 10000, 10001), 0);
	cr_assert_eq(ranges.range[0].first, 20000);
	cr_assert_eq(ranges.range[0].last, 20999);
	cr_assert_eq(ranges.range[1].first, 10000);
	cr_assert_eq(ranges.range[1].last, 10001);
	cr_assert_eq(ranges.range[2].first, 0);
}

Test(steer_ranges, covered_range_changes_nothing)
{
	struct steer_ranges ranges = {0};

	cr_assert_eq(steer_ranges_add(&ranges, 20000, 20999), 0);
	cr_assert_eq(steer_ranges_add(&ranges, 20000, 20999), 0);
	cr_assert_eq(steer_ranges_add(&ranges, 20500, 20501), 0);
	cr_assert_eq(ranges.range[1].first, 0);
}

Test(steer_ranges, empty_and_reversed_ranges_are_refused)
{
	struct steer_ranges ranges = {0};

	cr_assert_eq(steer_ranges_add(&ranges, 0, 100), -EINVAL);
	cr_assert_eq(steer_ranges_add(&ranges, 101, 100), -EINVAL);
	cr_assert_eq(ranges.range[0].first, 0);
}

Test(steer_ranges, one_range_too_many_changes_nothing)
{
	struct steer_ranges ranges = {0};
	uint16_t i;

	for (i = 0; i < STEER_RANGES_MAX; i++)
		cr_assert_eq(steer_ranges_add(&ranges, 1000 + 10 * i, 1005 + 10 * i), 0);
	cr_assert_eq(steer_ranges_add(&ranges, 60000, 60001), -ENOSPC);
	cr_assert_eq(ranges.range[STEER_RANGES_MAX - 1].last, 1005 + 10 * (STEER_RANGES_MAX - 1));
}
