/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Business hours against a plain reading of the config by libc's local time.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "acd/hours.h"
#include "base/civil.h"
#include "support/random.h"

#define HOUR 3600
#define DAY  86400

static struct stw_calendar_config config = STW_CALENDAR_CONFIG_INIT;

/* The oracle: is it open by the hours that begin on the local day so many days ago? */
static bool
open_since(struct tm tm, int days_ago)
{
	int64_t number = civil_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) - days_ago;
	struct civil_date date = civil_date_of(number);
	uint32_t s = (uint32_t)(tm.tm_hour * HOUR + tm.tm_min * 60 + tm.tm_sec + days_ago * DAY);
	bool holiday = false;
	bool open = false;

	for (uint32_t i = 0; i < config.holidays_count; i++) {
		const struct stw_holiday *h = &config.holidays[i];

		if (h->month != date.month || h->day != date.day ||
		    (h->year && h->year != date.year))
			continue;
		holiday = true;
		open = open || (s >= h->from_s && s < h->to_s);
	}
	for (uint32_t i = 0; i < config.openings_count && !holiday; i++)
		open = open || (config.openings[i].weekday == civil_weekday(number) &&
				s >= config.openings[i].from_s && s < config.openings[i].to_s);
	return open;
}

static bool
oracle_open(int64_t unix_s)
{
	time_t instant = unix_s;
	struct tm tm;

	localtime_r(&instant, &tm);
	return open_since(tm, 0) || open_since(tm, 1);
}

static void
hours_of(struct hours *hours)
{
	setenv("TZ", config.zone ? config.zone : "UTC0", 1);
	tzset();
	cr_assert_eq(hours_config_check(&config), 0);
	cr_assert_eq(hours_init(hours, &config), 0);
}

/* From change to change, with a look every so often in between. */
static void
compare(int64_t from_s, int64_t to_s)
{
	struct hours hours;
	int64_t s = from_s;
	int changes = 0;

	hours_of(&hours);
	while (s < to_s) {
		bool open = oracle_open(s);
		int64_t change_s = hours_change(&hours, s);
		int64_t end_s = change_s < to_s ? change_s : to_s;

		for (int64_t look_s = s; look_s < end_s; look_s += 599) {
			cr_assert_eq(oracle_open(look_s), open, "%s at %ld", config.zone,
				     (long)look_s);
			cr_assert_eq(hours_open(&hours, look_s), open, "%s at %ld", config.zone,
				     (long)look_s);
		}
		cr_assert_eq(oracle_open(end_s - 1), open);
		cr_assert_eq(hours_open(&hours, end_s - 1), open);
		cr_assert(end_s == to_s || oracle_open(end_s) != open, "%s at %ld", config.zone,
			  (long)end_s);
		s = end_s;
		changes++;
	}
	cr_assert_gt(changes, 10);
	hours_free(&hours);
}

static const struct stw_opening office[] = {
	{1, 9 * HOUR, 17 * HOUR},  {2, 9 * HOUR, 17 * HOUR},        {3, 9 * HOUR, 12 * HOUR},
	{3, 13 * HOUR, 18 * HOUR}, {4, 9 * HOUR, 17 * HOUR},        {5, 9 * HOUR, 14 * HOUR + 1},
	{6, 22 * HOUR, 30 * HOUR}, {0, 3 * HOUR / 2, 7 * HOUR / 2},
};

static const struct stw_holiday feasts[] = {
	{0, 12, 25, 0, 0},
	{0, 12, 31, 9 * HOUR, 12 * HOUR},
	{0, 1, 1, 0, 0},
	{0, 2, 29, 10 * HOUR, 11 * HOUR},
	{2024, 3, 31, 0, DAY},
	{2024, 10, 27, 2 * HOUR, 3 * HOUR},
	{2023, 5, 1, 0, 0},
	{2024, 5, 1, 8 * HOUR, 9 * HOUR},
	{2024, 5, 1, 20 * HOUR, 26 * HOUR},
};

static const char *const zones[] = {"Europe/Berlin",       "America/New_York", "Australia/Sydney",
				    "Australia/Lord_Howe", "Asia/Kolkata",     "America/St_Johns",
				    "Pacific/Chatham",     "Pacific/Apia",     NULL};

static void
compare_all(int64_t from_year, int64_t to_year)
{
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		config.zone = zones[i];
		compare(civil_days(from_year, 1, 1) * DAY, civil_days(to_year, 1, 1) * DAY);
	}
}

Test(hours, week_and_holidays_agree_with_libc)
{
	config.openings = office;
	config.openings_count = sizeof(office) / sizeof(office[0]);
	config.holidays = feasts;
	config.holidays_count = sizeof(feasts) / sizeof(feasts[0]);
	compare_all(2023, 2026);
}

Test(hours, years_beyond_the_table_agree_with_libc)
{
	config.openings = office;
	config.openings_count = sizeof(office) / sizeof(office[0]);
	config.holidays = feasts;
	config.holidays_count = sizeof(feasts) / sizeof(feasts[0]);
	compare_all(2099, 2101);
}

Test(hours, day_that_a_zone_left_out_agrees_with_libc)
{
	config.openings = office;
	config.openings_count = sizeof(office) / sizeof(office[0]);
	config.zone = "Pacific/Apia";
	compare(civil_days(2011, 12, 1) * DAY, civil_days(2012, 2, 1) * DAY);
}

Test(hours, random_hours_agree_with_libc)
{
	struct random random = {.state = 5};

	for (int round = 0; round < 30; round++) {
		struct stw_opening week[12];
		struct stw_holiday days[6];

		for (int i = 0; i < 12; i++) {
			week[i].weekday = (uint8_t)random_below(&random, 7);
			week[i].from_s = random_below(&random, DAY);
			week[i].to_s = week[i].from_s + 1 + random_below(&random, DAY);
		}
		for (int i = 0; i < 6; i++) {
			uint32_t from_s = random_below(&random, DAY);
			bool closed = random_happens(&random, 300);

			days[i] = (struct stw_holiday){
				.year = random_happens(&random, 500) ? 2024 : 0,
				.month = (uint8_t)(3 + random_below(&random, 2)),
				.day = (uint8_t)(1 + random_below(&random, 30)),
				.from_s = closed ? 0 : from_s,
				.to_s = closed ? 0 : from_s + 1 + random_below(&random, DAY),
			};
		}
		config.openings = week;
		config.openings_count = 1 + random_below(&random, 12);
		config.holidays = days;
		config.holidays_count = random_below(&random, 7);
		config.zone = zones[random_below(&random, 8)];
		compare(civil_days(2024, 2, 20) * DAY, civil_days(2024, 6, 1) * DAY);
	}
}

Test(hours, clocks_put_forward_shorten_the_night_and_back_lengthen_it)
{
	static const struct stw_opening nights[] = {{6, 22 * HOUR, 30 * HOUR}};
	struct hours hours;
	int64_t from_s;

	config.openings = nights;
	config.openings_count = 1;
	config.zone = "Europe/Berlin";
	hours_of(&hours);
	from_s = hours_change(&hours, civil_days(2024, 3, 28) * DAY);
	cr_assert_eq(from_s, civil_days(2024, 3, 30) * DAY + 21 * HOUR);
	cr_assert_eq(hours_change(&hours, from_s) - from_s, 7 * HOUR);
	from_s = hours_change(&hours, civil_days(2024, 10, 24) * DAY);
	cr_assert_eq(from_s, civil_days(2024, 10, 26) * DAY + 20 * HOUR);
	cr_assert_eq(hours_change(&hours, from_s) - from_s, 9 * HOUR);
	hours_free(&hours);
}

Test(hours, no_change_is_told_after_400_days)
{
	static const struct stw_holiday leap_day[] = {{0, 2, 29, 0, DAY}};
	static const struct stw_opening always[] = {
		{0, 0, 2 * DAY}, {2, 0, 2 * DAY}, {4, 0, 2 * DAY}, {6, 0, DAY}};
	struct hours hours;

	hours_of(&hours);
	cr_assert_eq(hours_change(&hours, 0), INT64_MAX);
	cr_assert(!hours_open(&hours, 0));
	hours_free(&hours);
	config.holidays = leap_day;
	config.holidays_count = 1;
	hours_of(&hours);
	cr_assert_eq(hours_change(&hours, civil_days(2021, 1, 1) * DAY), INT64_MAX);
	cr_assert_eq(hours_change(&hours, civil_days(2023, 3, 1) * DAY),
		     civil_days(2024, 2, 29) * DAY);
	hours_free(&hours);
	config.holidays_count = 0;
	config.openings = always;
	config.openings_count = 4;
	hours_of(&hours);
	cr_assert(hours_open(&hours, 123456789));
	cr_assert_eq(hours_change(&hours, 123456789), INT64_MAX);
	hours_free(&hours);
}

Test(hours, fields_outside_their_ranges_are_refused)
{
	static const struct stw_opening bad_openings[] = {
		{7, 0, 1}, {0, 0, 0}, {0, 5, 5}, {0, DAY, DAY + 1}, {0, 0, 2 * DAY + 1}, {1, 6, 5}};
	static const struct stw_holiday bad_holidays[] = {
		{1969, 1, 1, 0, 0}, {10000, 1, 1, 0, 0}, {0, 0, 1, 0, 0},        {0, 13, 1, 0, 0},
		{0, 1, 0, 0, 0},    {0, 4, 31, 0, 0},    {2023, 2, 29, 0, 0},    {0, 2, 30, 0, 0},
		{0, 1, 1, 5, 5},    {0, 1, 1, 5, 0},     {0, 1, 1, DAY, DAY + 1}};
	static const struct stw_holiday leap_day = {0, 2, 29, 0, 0};

	config.openings_count = 1;
	cr_assert_eq(hours_config_check(&config), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_openings) / sizeof(bad_openings[0]); i++) {
		config.openings = &bad_openings[i];
		cr_expect_eq(hours_config_check(&config), -EINVAL, "%zu", i);
	}
	config.openings = office;
	cr_assert_eq(hours_config_check(&config), 0);
	config.openings_count = STW_CALENDAR_OPENINGS_MAX + 1;
	cr_assert_eq(hours_config_check(&config), -EINVAL);
	config.openings_count = 0;
	config.holidays_count = 1;
	cr_assert_eq(hours_config_check(&config), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_holidays) / sizeof(bad_holidays[0]); i++) {
		config.holidays = &bad_holidays[i];
		cr_expect_eq(hours_config_check(&config), -EINVAL, "%zu", i);
	}
	config.holidays = &leap_day;
	cr_assert_eq(hours_config_check(&config), 0);
	config.holidays_count = STW_CALENDAR_HOLIDAYS_MAX + 1;
	cr_assert_eq(hours_config_check(&config), -EINVAL);
}
