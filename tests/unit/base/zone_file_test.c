/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Zones from files and rules of our own: what they say, and what may not be in them.
 */
#include "support/random.h"
#include "zone_libc.h"

/* A file of our own: header, block, header, block, rule. */
struct file {
	uint8_t bytes[1024];
	size_t count;
};

static void
put_32(struct file *file, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		file->bytes[file->count++] = (uint8_t)(value >> shift);
}

static void
put_header(struct file *file, char version, uint32_t leaps, uint32_t times)
{
	memcpy(file->bytes + file->count, "TZif", 4);
	memset(file->bytes + file->count + 4, 0, 16);
	file->bytes[file->count + 4] = (uint8_t)version;
	file->count += 20;
	put_32(file, 0);
	put_32(file, 0);
	put_32(file, leaps);
	put_32(file, times);
	put_32(file, 2);
	put_32(file, 4);
}

static void
put_types(struct file *file, int32_t first_s, int32_t second_s)
{
	put_32(file, (uint32_t)first_s);
	memcpy(file->bytes + file->count, "\0\0", 2);
	file->count += 2;
	put_32(file, (uint32_t)second_s);
	memcpy(file->bytes + file->count, "\1\0", 2);
	file->count += 2;
	memcpy(file->bytes + file->count, "ABC", 4);
	file->count += 4;
}

/* Type 0 (3600) until 1000, then type 1 (7200) until 2000, then type 0; and the rule. */
static struct file
file_make(const char *rule, int32_t first_s)
{
	struct file file = {.count = 0};
	size_t length = strlen(rule);

	put_header(&file, '2', 0, 0);
	put_types(&file, 0, 0);
	put_header(&file, '2', 0, 2);
	put_32(&file, 0);
	put_32(&file, 1000);
	put_32(&file, 0);
	put_32(&file, 2000);
	memcpy(file.bytes + file.count, "\1\0", 2);
	file.count += 2;
	put_types(&file, first_s, 7200);
	file.bytes[file.count++] = '\n';
	memcpy(file.bytes + file.count, rule, length);
	file.count += length;
	file.bytes[file.count++] = '\n';
	return file;
}

static int
rule_parse(const char *rule, struct zone **zone)
{
	struct file file = file_make(rule, 3600);

	return zone_create(zone, file.bytes, file.count);
}

Test(zone, table_holds_until_its_end_and_the_rule_after)
{
	struct zone *zone;
	int64_t until_s;

	cr_assert_eq(rule_parse("<+05>-5:30", &zone), 0);
	cr_assert_eq(zone_offset(zone, 999, &until_s), 3600);
	cr_assert_eq(until_s, 1000);
	cr_assert_eq(zone_offset(zone, 1000, &until_s), 7200);
	cr_assert_eq(until_s, 2000);
	cr_assert_eq(zone_offset(zone, 2000, &until_s), 19800);
	cr_assert_eq(until_s, INT64_MAX);
	zone_free(zone);
	cr_assert_eq(rule_parse("", &zone), 0);
	cr_assert_eq(zone_offset(zone, 2000, &until_s), 3600);
	cr_assert_eq(until_s, INT64_MAX);
	zone_free(zone);
}

/* libc reads the same rule from TZ. */
Test(zone, rules_agree_with_libc)
{
	static const char *rules[] = {
		"CET-1CEST,M3.5.0,M10.5.0/3",
		"AEST-10AEDT,M10.1.0,M4.1.0/3",
		"XYZ-3ABC,J60,J300",
		"XYZ3ABC1:30:15,J2/0,J363/23:59:59",
		"XYZ-3ABC,1/1,363/2",
		"XYZ-3ABC,59,300",
		"NST3:30NDT,M3.2.0/0:01,M11.1.0/0:01",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
		"EET-2EEST,M3.4.4/50,M10.4.4/50",
		"IST-1GMT0,M10.5.0,M3.5.0/1",
		"AAA24BBB,M2.5.6,M12.1.3",
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct random random = {.state = i};
		struct zone *zone;

		cr_assert_eq(rule_parse(rules[i], &zone), 0, "%s", rules[i]);
		libc_zone(rules[i]);
		for (int j = 0; j < 3000; j++) {
			int64_t at_s = (int64_t)random_below(&random, 300) * YEAR_S +
				       random_below(&random, YEAR_S) + 2000;
			int64_t until_s;

			cr_assert(agree(rules[i], zone, at_s), "%s", problem);
			zone_offset(zone, at_s, &until_s);
			cr_assert(agree(rules[i], zone, until_s - 1), "%s", problem);
			cr_assert(agree(rules[i], zone, until_s), "%s", problem);
		}
		zone_free(zone);
	}
}

/* libc asks for the year in UTC, and is wrong for what is left of the old one. */
Test(zone, change_may_fall_into_the_next_year_in_utc)
{
	int64_t end_s = civil_second(2005, 1, 1, 1, 30) + 14;
	struct zone *zone;
	int64_t until_s;

	cr_assert_eq(rule_parse("XYZ3ABC1:30:15,J10/0,J365/23:59:59", &zone), 0);
	cr_assert_eq(zone_offset(zone, end_s - 1, &until_s), -5415);
	cr_assert_eq(until_s, end_s);
	cr_assert_eq(zone_offset(zone, end_s, &until_s), -10800);
	cr_assert_eq(until_s, civil_second(2005, 1, 10, 3, 0));
	zone_free(zone);
}

Test(zone, change_may_come_a_week_before_or_after_its_year)
{
	struct zone *zone;
	int64_t until_s;

	/* Summer begins on 25 December and ends on 7 January, or the other way round. */
	cr_assert_eq(rule_parse("ABC0DEF,0/-167,J365/167", &zone), 0);
	cr_assert_eq(zone_offset(zone, civil_second(2023, 12, 25, 0, 59), &until_s), 0);
	cr_assert_eq(until_s, civil_second(2023, 12, 25, 1, 0));
	cr_assert_eq(zone_offset(zone, until_s, &until_s), 3600);
	cr_assert_eq(until_s, civil_second(2024, 1, 6, 22, 0));
	cr_assert_eq(zone_offset(zone, until_s, &until_s), 0);
	cr_assert_eq(until_s, civil_second(2024, 12, 25, 1, 0));
	zone_free(zone);
	cr_assert_eq(rule_parse("ABC0DEF,J365/167,0/-167", &zone), 0);
	cr_assert_eq(zone_offset(zone, civil_second(2023, 12, 25, 0, 0), &until_s), 0);
	cr_assert_eq(until_s, civil_second(2024, 1, 6, 23, 0));
	cr_assert_eq(zone_offset(zone, until_s, &until_s), 3600);
	cr_assert_eq(until_s, civil_second(2024, 12, 25, 0, 0));
	zone_free(zone);
}

Test(zone, summer_time_may_last_all_the_year)
{
	struct zone *zone;

	/* RFC 8536 3.3.1 */
	cr_assert_eq(rule_parse("EST5EDT,0/0,J365/25", &zone), 0);
	for (int64_t at_s = civil_second(2023, 12, 30, 0, 0); at_s < civil_second(2024, 1, 3, 0, 0);
	     at_s += 600)
		cr_assert_eq(offset_at(zone, at_s), -14400);
	zone_free(zone);
}

Test(zone, what_is_no_rule_is_refused)
{
	static const char *bad[] = {
		"A1",
		"AB1",
		"ABC",
		"ABC25",
		"ABC1:60",
		"ABC1:00:60",
		"ABC1DEF",
		"ABC1DEF,M3.2.0",
		"ABC1DEF,J0,J1",
		"ABC1DEF,J366,J1",
		"ABC1DEF,366,1",
		"ABC1DEF,M0.1.1,J1",
		"ABC1DEF,M1.6.1,5",
		"ABC1DEF,M1.5.7,5",
		"ABC1DEF,1/168,5",
		"ABC1DEF,1,5x",
		"ABC1DEF2,",
		"<A>1",
		"<ABC1",
		"ABC1 ",
		"ABC1DEF,M13.1.1,5",
		"ABC0001",
		"<AB*D>1",
		"ABC+-1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct zone *zone = NULL;

		cr_expect_eq(rule_parse(bad[i], &zone), -EBADMSG, "%s", bad[i]);
		cr_expect_null(zone);
	}
}

Test(zone, version_1_has_one_block_and_no_rule)
{
	struct file file = {.count = 0};
	struct zone *zone;
	int64_t until_s;

	put_header(&file, 0, 0, 1);
	put_32(&file, (uint32_t)-1000);
	file.bytes[file.count++] = 1;
	put_types(&file, 60, 120);
	cr_assert_eq(zone_create(&zone, file.bytes, file.count), 0);
	cr_assert_eq(zone_offset(zone, -1001, &until_s), 60);
	cr_assert_eq(until_s, -1000);
	cr_assert_eq(zone_offset(zone, -1000, &until_s), 120);
	zone_free(zone);
	file.bytes[file.count++] = '\n';
	cr_assert_eq(zone_create(&zone, file.bytes, file.count), -EBADMSG);
}

Test(zone, every_cut_of_a_file_is_refused)
{
	struct file file = file_make("CET-1CEST,M3.5.0,M10.5.0/3", 3600);
	struct zone *zone = NULL;

	for (size_t cut = 0; cut < file.count; cut++)
		cr_assert_eq(zone_create(&zone, file.bytes, cut), -EBADMSG, "%zu", cut);
	cr_assert_eq(zone_create(&zone, file.bytes, file.count), 0);
	zone_free(zone);
}

Test(zone, broken_counts_types_and_times_are_refused)
{
	struct file good = file_make("", 3600);
	const size_t second = 44 + 16; /* the second header */
	const struct {
		size_t at;
		uint8_t byte;
	} broken[] = {
		{0, 'X'},                     /* magic */
		{4, '1'},                     /* version */
		{4, '5'},                     /* version */
		{second + 4, 0},              /* version of the second header */
		{second + 23, 1},             /* flags for one of two types */
		{second + 27, 1},             /* likewise */
		{second + 32, 1},             /* 2^24 times */
		{second + 36, 255},           /* types */
		{second + 39, 0},             /* no type */
		{second + 43, 0},             /* no name */
		{second + 44 + 14, 0},        /* second time before the first */
		{second + 44 + 16, 2},        /* type of a change */
		{second + 44 + 18, 0x80},     /* offset of the first type */
		{second + 44 + 18 + 4, 2},    /* summer or not */
		{second + 44 + 18 + 5, 4},    /* place of the name */
		{second + 44 + 18 + 16, 'x'}, /* line before the rule */
	};
	struct zone *zone = NULL;

	cr_assert_eq(zone_create(&zone, good.bytes, good.count), 0);
	zone_free(zone);
	zone = NULL;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct file file = good;

		cr_assert_neq(file.bytes[broken[i].at], broken[i].byte);
		file.bytes[broken[i].at] = broken[i].byte;
		cr_expect_eq(zone_create(&zone, file.bytes, file.count), -EBADMSG, "%zu", i);
		cr_expect_null(zone);
	}
	good = file_make("", 93600);
	cr_assert_eq(zone_create(&zone, good.bytes, good.count), -EBADMSG);
	good = file_make("", 93599);
	cr_assert_eq(zone_create(&zone, good.bytes, good.count), 0);
	zone_free(zone);
	good = file_make("", -90000);
	cr_assert_eq(zone_create(&zone, good.bytes, good.count), -EBADMSG);
}

Test(zone, leap_seconds_are_not_for_unix_time)
{
	struct file file = {.count = 0};
	struct zone *zone;

	put_header(&file, 0, 1, 0);
	put_types(&file, 0, 0);
	put_32(&file, 78796800);
	put_32(&file, 1);
	cr_assert_eq(zone_create(&zone, file.bytes, file.count), -ENOTSUP);
}
