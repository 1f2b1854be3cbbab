/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Zones of the system against libc's, and finding them.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/random.h"
#include "zone_libc.h"

#define FOLDER       "/usr/share/zoneinfo"
#define RANDOM_TIMES 300

static uint32_t zones_seen;

/* At random times, and around every change from 1800 to 2500. */
static void
compare(const char *name, const struct zone *zone)
{
	struct random random = {.state = zones_seen};
	int64_t at_s = -170 * YEAR_S;

	for (int i = 0; i < RANDOM_TIMES; i++) {
		int64_t years = (int64_t)random_below(&random, 700) - 170;

		if (!agree(name, zone, years * YEAR_S + random_below(&random, YEAR_S)))
			return;
	}
	while (at_s < 530 * YEAR_S) {
		int64_t until_s;

		zone_offset(zone, at_s, &until_s);
		if (until_s > 530 * YEAR_S)
			break;
		if (!agree(name, zone, until_s - 1) || !agree(name, zone, until_s))
			return;
		/* And nothing has changed in between. */
		if (offset_at(zone, until_s - 1) != offset_at(zone, at_s))
			snprintf(problem, sizeof(problem), "%s: changes before %ld", name,
				 (long)until_s);
		at_s = until_s;
	}
}

static int
visit(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	const char *name = path + sizeof(FOLDER);
	struct zone *zone;
	char magic[4] = {0};
	FILE *file;

	(void)status;
	(void)ftw;
	/* Zones with leap seconds, and other names for the same files. */
	if (type != FTW_F || !strncmp(name, "right/", 6) || !strncmp(name, "posix/", 6))
		return 0;
	file = fopen(path, "rb");
	if (!file || fread(magic, 1, 4, file) != 4)
		magic[0] = 0;
	if (file)
		fclose(file);
	if (memcmp(magic, "TZif", 4))
		return 0;
	if (zone_open(&zone, name)) {
		snprintf(problem, sizeof(problem), "%s cannot be loaded", name);
		return 1;
	}
	libc_zone(name);
	zones_seen++;
	compare(name, zone);
	zone_free(zone);
	return problem[0] != 0;
}

Test(zone, every_zone_of_the_system_agrees_with_libc)
{
	nftw(FOLDER, visit, 16, FTW_PHYS);
	cr_assert(!problem[0], "%s", problem);
	cr_assert_gt(zones_seen, 300, "tzdata is not installed");
}

Test(zone, known_changes_are_where_they_are_known_to_be)
{
	static const struct {
		const char *name;
		int64_t change[5]; /* UTC: year, month, day, hour, minute */
		int32_t before_s, after_s;
	} known[] = {
		{"Europe/Berlin", {2024, 3, 31, 1, 0}, 3600, 7200},
		{"Europe/Berlin", {2024, 10, 27, 1, 0}, 7200, 3600},
		{"Europe/Berlin", {2124, 3, 26, 1, 0}, 3600, 7200},
		{"America/New_York", {2023, 11, 5, 6, 0}, -14400, -18000},
		{"America/New_York", {2007, 3, 11, 7, 0}, -18000, -14400},
		{"Australia/Sydney", {2024, 4, 6, 16, 0}, 39600, 36000},
		{"Australia/Sydney", {2099, 10, 3, 16, 0}, 36000, 39600},
		{"Australia/Lord_Howe", {2024, 10, 5, 15, 30}, 37800, 39600},
		{"Asia/Kathmandu", {1985, 12, 31, 18, 30}, 19800, 20700},
		{"Pacific/Apia", {2011, 12, 30, 10, 0}, -36000, 50400},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const int64_t *c = known[i].change;
		int64_t at_s = civil_second(c[0], (int32_t)c[1], (int32_t)c[2], (int32_t)c[3],
					    (int32_t)c[4]);
		struct zone *zone;
		int64_t until_s;

		cr_assert_eq(zone_open(&zone, known[i].name), 0);
		cr_expect_eq(zone_offset(zone, at_s - 1, &until_s), known[i].before_s, "%s",
			     known[i].name);
		cr_expect_eq(until_s, at_s, "%s", known[i].name);
		cr_expect_eq(offset_at(zone, at_s), known[i].after_s, "%s", known[i].name);
		zone_free(zone);
	}
}

Test(zone, no_name_is_utc_for_ever)
{
	struct zone *zone;
	int64_t until_s;

	cr_assert_eq(zone_open(&zone, NULL), 0);
	cr_assert_eq(zone_offset(zone, -ZONE_SECOND_MAX, &until_s), 0);
	cr_assert_eq(until_s, INT64_MAX);
	zone_free(zone);
	zone_free(NULL);
}

Test(zone, names_that_are_no_zones_are_refused)
{
	static const char *bad[] = {"",
				    "/etc/passwd",
				    "../../../etc/passwd",
				    "Europe/../UTC",
				    "Europe/",
				    "Europe//Berlin",
				    ".hidden"};
	struct zone *zone = NULL;
	char name[300];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(zone_open(&zone, bad[i]), -EINVAL, "%s", bad[i]);
	memset(name, 'a', sizeof(name));
	name[255] = 0;
	cr_assert_eq(zone_open(&zone, name), -ENOENT);
	name[255] = 'a';
	name[256] = 0;
	cr_assert_eq(zone_open(&zone, name), -EINVAL);
	cr_assert_eq(zone_open(&zone, "Europe/Atlantis"), -ENOENT);
	cr_assert_eq(zone_open(&zone, "Europe/Berlin/Mitte"), -ENOENT);
	cr_assert_eq(zone_open(&zone, "Europe"), -ENOENT);
	cr_assert_eq(zone_open(&zone, "zone.tab"), -EBADMSG);
	cr_assert_null(zone);
}

Test(zone, folder_is_taken_from_the_environment)
{
	char folder[] = "/tmp/zone-test-XXXXXX";
	char path[64];
	struct zone *zone;
	FILE *file;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/Here", folder);
	cr_assert_eq(symlink(FOLDER "/Asia/Kolkata", path), 0);
	setenv("TZDIR", folder, 1);
	cr_assert_eq(zone_open(&zone, "Here"), 0);
	cr_assert_eq(offset_at(zone, 0), 19800);
	zone_free(zone);
	cr_assert_eq(zone_open(&zone, "Europe/Berlin"), -ENOENT);
	unlink(path);
	file = fopen(path, "wb");
	fputs("TZif", file);
	fclose(file);
	cr_assert_eq(zone_open(&zone, "Here"), -EBADMSG);
	unlink(path);
	rmdir(folder);
}

Test(civil, days_and_dates_agree_with_libc)
{
	libc_zone("UTC0");
	for (int64_t day = civil_days(1583, 1, 1); day < civil_days(2801, 1, 1); day++) {
		struct civil_date date = civil_date_of(day);
		time_t instant = day * CIVIL_DAY_S;
		struct tm tm;

		gmtime_r(&instant, &tm);
		cr_assert(date.year == tm.tm_year + 1900 && date.month == tm.tm_mon + 1 &&
				  date.day == tm.tm_mday && civil_weekday(day) == tm.tm_wday,
			  "day %ld", (long)day);
		cr_assert_eq(civil_days(date.year, date.month, date.day), day);
	}
	cr_assert_eq(civil_day_of_second(-1), -1);
	cr_assert_eq(civil_day_of_second(-86400), -1);
	cr_assert_eq(civil_day_of_second(86399), 0);
	cr_assert_eq(civil_month_days(2100, 2), 28);
	cr_assert_eq(civil_month_days(2000, 2), 29);
}
