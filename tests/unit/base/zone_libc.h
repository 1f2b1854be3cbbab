/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libc as the oracle of time zones: the zone that TZ names, in a test's own process.
 */
#ifndef TESTS_ZONE_LIBC_H
#define TESTS_ZONE_LIBC_H

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"
#include "base/zone.h"

#define YEAR_S INT64_C(31556952)

/* The first thing that libc sees otherwise. */
static char problem[200];

static inline int64_t
civil_second(int64_t year, int32_t month, int32_t day, int32_t hour, int32_t minute)
{
	return civil_days(year, month, day) * CIVIL_DAY_S + hour * 3600 + minute * 60;
}

/* The oracle: libc's offset, in the zone that TZ names. */
static inline int64_t
libc_offset(int64_t unix_s)
{
	time_t instant = unix_s;
	struct tm tm;

	cr_assert_not_null(localtime_r(&instant, &tm));
	return tm.tm_gmtoff;
}

static inline void
libc_zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static inline int32_t
offset_at(const struct zone *zone, int64_t unix_s)
{
	int64_t until_s;

	return zone_offset(zone, unix_s, &until_s);
}

static inline bool
agree(const char *name, const struct zone *zone, int64_t unix_s)
{
	int64_t until_s;
	int32_t ours = zone_offset(zone, unix_s, &until_s);
	int64_t theirs = libc_offset(unix_s);

	if (ours != theirs)
		snprintf(problem, sizeof(problem), "%s at %ld: %d, libc %ld", name, (long)unix_s,
			 ours, (long)theirs);
	if (until_s <= unix_s)
		snprintf(problem, sizeof(problem), "%s at %ld: until %ld", name, (long)unix_s,
			 (long)until_s);
	return !problem[0];
}

#endif
