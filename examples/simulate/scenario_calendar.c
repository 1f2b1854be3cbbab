/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Business hours, and the date of the day that is simulated: without it, hours would be those of no
 * day in particular.
 */
#include "scenario_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "document_fields.h"

#define EVERY_DAY 0x7f

struct date {
	unsigned year; /* 0: every year */
	unsigned month;
	unsigned day;
};

static const char *const weekday_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

/* ---- readers */

static void
read_weekday(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field field = {"days", DOCUMENT_WORD, 0,   true, 0,
						    0,      weekday_words, NULL};

	document_value(document, node, &field, target);
}

static void
read_weekdays(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_opening *opening = target;
	uint32_t *days = NULL, count;

	document_sequence(document, node, sizeof(*days), read_weekday, (void **)&days, &count);
	opening->days = 0;
	for (uint32_t i = 0; i < count; i++)
		opening->days |= 1u << days[i];
	free(days);
}

static void
check_hours(struct document *document, const yaml_node_t *node, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns >= PLAN_DAY_NS || to_ns > 2 * PLAN_DAY_NS || to_ns <= from_ns)
		document_error(document, document_line(node),
			       "hours begin before 24:00 and end after that, up to 48:00");
}

static void
read_opening(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		PART("days", false, read_weekdays),
		CLOCK("from", struct scenario_opening, from_ns, true),
		CLOCK("to", struct scenario_opening, to_ns, true),
		{NULL},
	};
	struct scenario_opening *opening = target;

	opening->days = EVERY_DAY;
	document_mapping(document, node, fields, opening);
	check_hours(document, node, opening->from_ns, opening->to_ns);
}

static bool
parse_date(const char *text, struct date *date)
{
	static const unsigned lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int bytes = 0, all = (int)strlen(text);

	if (text[0] < '0' || text[0] > '9' || strspn(text, "0123456789-") != (size_t)all)
		return false;
	if (sscanf(text, "%4u-%2u-%2u%n", &date->year, &date->month, &date->day, &bytes) != 3 ||
	    bytes != all) {
		date->year = 0;
		if (sscanf(text, "%2u-%2u%n", &date->month, &date->day, &bytes) != 2 ||
		    bytes != all)
			return false;
	} else if (date->year < 1970) {
		return false;
	}
	return date->month >= 1 && date->month <= 12 && date->day >= 1 &&
	       date->day <= lengths[date->month - 1];
}

static void
read_holiday(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("date", struct scenario_holiday, date, true),
		CLOCK("from", struct scenario_holiday, from_ns, false),
		CLOCK("to", struct scenario_holiday, to_ns, false),
		{NULL},
	};
	struct scenario_holiday *holiday = target;
	struct date date;

	document_mapping(document, node, fields, holiday);
	if (holiday->date.text && !parse_date(holiday->date.text, &date))
		document_error(document, holiday->date.line,
			       "'date' is YYYY-MM-DD, or MM-DD of every year");
	if (holiday->from_ns || holiday->to_ns)
		check_hours(document, node, holiday->from_ns, holiday->to_ns);
}

static void
read_openings(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_calendar *calendar = target;

	document_sequence(document, node, sizeof(*calendar->openings), read_opening,
			  (void **)&calendar->openings, &calendar->openings_count);
}

static void
read_holidays(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_calendar *calendar = target;

	document_sequence(document, node, sizeof(*calendar->holidays), read_holiday,
			  (void **)&calendar->holidays, &calendar->holidays_count);
}

void
scenario_read_calendar(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("name", struct scenario_calendar, name, true),
		TEXT("zone", struct scenario_calendar, zone, false),
		PART("open", false, read_openings),
		PART("holidays", false, read_holidays),
		{NULL},
	};
	struct scenario_calendar *calendar = target;

	document_mapping(document, node, fields, calendar);
	if (calendar->openings_count > STW_CALENDAR_OPENINGS_MAX / 7 ||
	    calendar->holidays_count > STW_CALENDAR_HOLIDAYS_MAX)
		document_error(document, document_line(node),
			       "a calendar has at most %d openings "
			       "and %d holidays",
			       STW_CALENDAR_OPENINGS_MAX / 7, STW_CALENDAR_HOLIDAYS_MAX);
}

void
scenario_free_calendar(struct scenario_calendar *calendar)
{
	free(calendar->openings);
	free(calendar->holidays);
}

/* ---- the plan */

/* Whether the system knows the zone; to be told with a line, before the engine refuses it. */
static void
check_zone(struct scenario *scenario, const struct document_text *zone)
{
	const char *directory = getenv("TZDIR");
	char path[512];

	if (!zone->text)
		return;
	snprintf(path, sizeof(path), "%s/%s", directory ? directory : "/usr/share/zoneinfo",
		 zone->text);
	if (zone->text[0] == '/' || strstr(zone->text, "..") || access(path, R_OK) != 0)
		document_error(&scenario->document, zone->line, "there is no zone '%s'",
			       zone->text);
}

void
scenario_make_calendar(struct scenario *scenario, uint32_t index)
{
	const struct scenario_calendar *calendar = &scenario->calendars[index];
	struct stw_calendar_config *config = &scenario->plan.calendars[index];
	struct stw_opening *openings =
		scenario_array(scenario, 7 * (size_t)calendar->openings_count, sizeof(*openings));
	struct stw_holiday *holidays =
		scenario_array(scenario, calendar->holidays_count, sizeof(*holidays));

	*config = (struct stw_calendar_config)STW_CALENDAR_CONFIG_INIT;
	config->name = calendar->name.text;
	config->zone = calendar->zone.text;
	config->openings = openings;
	config->holidays = holidays;
	check_zone(scenario, &calendar->zone);
	for (uint32_t i = 0; openings && i < calendar->openings_count * 7; i++) {
		const struct scenario_opening *from = &calendar->openings[i / 7];

		if (from->days & 1u << i % 7)
			openings[config->openings_count++] = (struct stw_opening){
				.weekday = (uint8_t)(i % 7),
				.from_s = (uint32_t)(from->from_ns / PLAN_SECOND_NS),
				.to_s = (uint32_t)(from->to_ns / PLAN_SECOND_NS)};
	}
	for (uint32_t i = 0; holidays && i < calendar->holidays_count; i++) {
		const struct scenario_holiday *from = &calendar->holidays[i];
		struct date date = {0};

		parse_date(from->date.text, &date);
		holidays[config->holidays_count++] =
			(struct stw_holiday){.year = (uint16_t)date.year,
					     .month = (uint8_t)date.month,
					     .day = (uint8_t)date.day,
					     .from_s = (uint32_t)(from->from_ns / PLAN_SECOND_NS),
					     .to_s = (uint32_t)(from->to_ns / PLAN_SECOND_NS)};
	}
}

/* Unix time of a date's midnight in the zone that the environment names. */
static int64_t
midnight_ns(const struct date *date)
{
	struct tm tm = {.tm_year = (int)date->year - 1900,
			.tm_mon = (int)date->month - 1,
			.tm_mday = (int)date->day,
			.tm_isdst = -1};

	return (int64_t)mktime(&tm) * (int64_t)PLAN_SECOND_NS;
}

void
scenario_make_date(struct scenario *scenario)
{
	const char *environment = getenv("TZ");
	char *before = environment ? strdup(environment) : NULL;
	struct date date;

	if (!scenario->date.text) {
		if (scenario->calendars_count > 0)
			document_error(&scenario->document, scenario->calendars[0].name.line,
				       "calendars need the 'date' of the 'day'");
	} else if (!parse_date(scenario->date.text, &date) || date.year == 0) {
		document_error(&scenario->document, scenario->date.line,
			       "'date' is YYYY-MM-DD here");
	} else {
		check_zone(scenario, &scenario->zone);
		setenv("TZ", scenario->zone.text ? scenario->zone.text : "UTC0", 1);
		tzset();
		scenario->plan.midnight_unix_ns = midnight_ns(&date);
		if (before)
			setenv("TZ", before, 1);
		else
			unsetenv("TZ");
		tzset();
	}
	free(before);
}
