/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Business hours.
 *
 * An opening belongs to the local day on which it begins and lasts into the next one at most. So whether it is open at
 * a local time follows from the hours of that day and of the day before. The next change is found by going from
 * edge to edge in local time, day by day, stopping whenever the zone's offset changes: between two stops the
 * local clock runs evenly, so nothing is passed over.
 */
#include "hours.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/civil.h"

#define TO_S_MAX (2 * CIVIL_DAY_S)

/* The hours of one day: entries from first to end that are of any or of this year. */
struct day {
	const struct hours_entry *first;
	const struct hours_entry *end;
	int64_t year;
};

/* A place in local time. */
struct place {
	int64_t day; /* from 1970-01-01 */
	int64_t s;   /* from midnight */
};

static bool
span_valid(uint32_t from_s, uint32_t to_s)
{
	return from_s < CIVIL_DAY_S && to_s > from_s && to_s <= TO_S_MAX;
}

static bool
holiday_valid(const struct stw_holiday *holiday)
{
	/* Of every year: a leap year has all days. */
	int64_t year = holiday->year ? holiday->year : 2000;

	if (holiday->year && (holiday->year < 1970 || holiday->year > 9999))
		return false;
	if (holiday->month < 1 || holiday->month > 12 || holiday->day < 1 ||
	    holiday->day > civil_month_days(year, holiday->month))
		return false;
	return (!holiday->from_s && !holiday->to_s) || span_valid(holiday->from_s, holiday->to_s);
}

int
hours_config_check(const struct stw_calendar_config *config)
{
	if (config->openings_count > STW_CALENDAR_OPENINGS_MAX ||
	    config->holidays_count > STW_CALENDAR_HOLIDAYS_MAX ||
	    (config->openings_count && !config->openings) ||
	    (config->holidays_count && !config->holidays))
		return -EINVAL;
	for (uint32_t i = 0; i < config->openings_count; i++)
		if (config->openings[i].weekday > 6 ||
		    !span_valid(config->openings[i].from_s, config->openings[i].to_s))
			return -EINVAL;
	for (uint32_t i = 0; i < config->holidays_count; i++)
		if (!holiday_valid(&config->holidays[i]))
			return -EINVAL;
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	const struct hours_entry *first = a;
	const struct hours_entry *second = b;

	return first->key - second->key;
}

int
hours_init(struct hours *hours, const struct stw_calendar_config *config)
{
	int error;

	*hours = (struct hours){
		.week = calloc((size_t)config->openings_count + 1, sizeof(*hours->week)),
		.holidays = calloc((size_t)config->holidays_count + 1, sizeof(*hours->holidays)),
		.week_count = config->openings_count,
		.holidays_count = config->holidays_count,
	};
	error = hours->week && hours->holidays ? zone_open(&hours->zone, config->zone) : -ENOMEM;
	if (error) {
		hours_free(hours);
		return error;
	}
	for (uint32_t i = 0; i < config->openings_count; i++) {
		const struct stw_opening *opening = &config->openings[i];

		hours->week[i] = (struct hours_entry){
			.key = opening->weekday, .from_s = opening->from_s, .to_s = opening->to_s};
	}
	for (uint32_t i = 0; i < config->holidays_count; i++) {
		const struct stw_holiday *holiday = &config->holidays[i];

		hours->holidays[i] = (struct hours_entry){
			.key = (uint16_t)(holiday->month * 32 + holiday->day),
			.year = holiday->year,
			.from_s = holiday->from_s,
			.to_s = holiday->to_s,
		};
	}
	qsort(hours->week, hours->week_count, sizeof(*hours->week), by_key);
	qsort(hours->holidays, hours->holidays_count, sizeof(*hours->holidays), by_key);
	return 0;
}

void
hours_free(struct hours *hours)
{
	zone_free(hours->zone);
	free(hours->week);
	free(hours->holidays);
	*hours = (struct hours){.zone = NULL};
}

/* First entry whose key is not below. */
static const struct hours_entry *
first_of(const struct hours_entry *entries, uint32_t count, uint32_t key)
{
	uint32_t low = 0;

	while (low < count) {
		uint32_t middle = low + (count - low) / 2;

		if (entries[middle].key < key)
			low = middle + 1;
		else
			count = middle;
	}
	return &entries[low];
}

static bool
of_year(const struct hours_entry *entry, int64_t year)
{
	return !entry->year || entry->year == year;
}

static struct day
day_of(const struct hours *hours, int64_t number)
{
	struct civil_date date = civil_date_of(number);
	uint32_t key = (uint32_t)(date.month * 32 + date.day);
	uint32_t weekday = (uint32_t)civil_weekday(number);
	struct day day = {.year = date.year};

	day.first = first_of(hours->holidays, hours->holidays_count, key);
	day.end = first_of(hours->holidays, hours->holidays_count, key + 1);
	for (const struct hours_entry *entry = day.first; entry < day.end; entry++)
		if (of_year(entry, day.year))
			return day;
	day.first = first_of(hours->week, hours->week_count, weekday);
	day.end = first_of(hours->week, hours->week_count, weekday + 1);
	return day;
}

/* Whether a second, from this day's midnight, is in one of its openings. */
static bool
day_open(const struct day *day, int64_t s)
{
	for (const struct hours_entry *entry = day->first; entry < day->end; entry++)
		if (of_year(entry, day->year) && s >= entry->from_s && s < entry->to_s)
			return true;
	return false;
}

/* First edge of this day's openings after a second, or what is earlier. */
static int64_t
day_edge(const struct day *day, int64_t s, int64_t edge)
{
	for (const struct hours_entry *entry = day->first; entry < day->end; entry++) {
		if (!of_year(entry, day->year))
			continue;
		if (entry->from_s > s && entry->from_s < edge)
			edge = entry->from_s;
		if (entry->to_s > s && entry->to_s < edge)
			edge = entry->to_s;
	}
	return edge;
}

/* Local time; until when, in Unix time, the local clock runs evenly. */
static struct place
place_of(const struct hours *hours, int64_t unix_s, int64_t *until_s)
{
	int64_t local_s = unix_s + zone_offset(hours->zone, unix_s, until_s);
	int64_t day = civil_day_of_second(local_s);

	return (struct place){day, local_s - day * CIVIL_DAY_S};
}

bool
hours_open(const struct hours *hours, int64_t unix_s)
{
	int64_t until_s;
	struct place place = place_of(hours, unix_s, &until_s);
	struct day today = day_of(hours, place.day);
	struct day yesterday = day_of(hours, place.day - 1);

	return day_open(&today, place.s) || day_open(&yesterday, place.s + CIVIL_DAY_S);
}

/* An instant after unix_s before which nothing changes. */
static int64_t
next_edge(const struct hours *hours, int64_t unix_s)
{
	int64_t until_s;
	struct place place = place_of(hours, unix_s, &until_s);
	struct day today = day_of(hours, place.day);
	struct day yesterday = day_of(hours, place.day - 1);
	int64_t edge = day_edge(&today, place.s, CIVIL_DAY_S);
	int64_t edge_s;

	edge = day_edge(&yesterday, place.s + CIVIL_DAY_S, edge + CIVIL_DAY_S) - CIVIL_DAY_S;
	edge_s = unix_s + edge - place.s;
	return edge_s < until_s ? edge_s : until_s;
}

int64_t
hours_change(const struct hours *hours, int64_t unix_s)
{
	bool open = hours_open(hours, unix_s);
	int64_t last_s = unix_s + (int64_t)STW_CALENDAR_DAYS_AHEAD * CIVIL_DAY_S;

	for (int64_t s = next_edge(hours, unix_s); s <= last_s; s = next_edge(hours, s))
		if (hours_open(hours, s) != open)
			return s;
	return INT64_MAX;
}
