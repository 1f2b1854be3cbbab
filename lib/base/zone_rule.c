/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rule of a zone.
 */
#include "zone_rule.h"

#include "civil.h"

#define HOUR_S 3600

/* What is left of a text. */
struct text {
	const char *at;
	const char *end;
};

static bool
text_take(struct text *text, char c)
{
	if (text->at == text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A number of one to three digits from least to most. */
static bool
take_number(struct text *text, int32_t least, int32_t most, int32_t *number)
{
	int digits = 0;

	*number = 0;
	for (; digits < 3 && text->at < text->end && is_digit(*text->at); digits++)
		*number = *number * 10 + (*text->at++ - '0');
	return digits && *number >= least && *number <= most;
}

/* An abbreviation, "CET" or "<+0330>": only passed over. */
static bool
take_name(struct text *text)
{
	const char *begin = text->at;

	if (text_take(text, '<')) {
		while (text->at < text->end && (is_letter(*text->at) || is_digit(*text->at) ||
						*text->at == '+' || *text->at == '-'))
			text->at++;
		return text->at - begin > 3 && text_take(text, '>');
	}
	while (text->at < text->end && is_letter(*text->at))
		text->at++;
	return text->at - begin >= 3;
}

/* [+-]hh[:mm[:ss]], in seconds. */
static bool
take_time(struct text *text, int32_t hours_max, int32_t *seconds)
{
	bool negative = text_take(text, '-');
	int32_t hours = 0;
	int32_t minutes = 0;
	int32_t rest = 0;

	if (!negative)
		text_take(text, '+');
	if (!take_number(text, 0, hours_max, &hours))
		return false;
	if (text_take(text, ':')) {
		if (!take_number(text, 0, 59, &minutes))
			return false;
		if (text_take(text, ':') && !take_number(text, 0, 59, &rest))
			return false;
	}
	*seconds = hours * HOUR_S + minutes * 60 + rest;
	if (negative)
		*seconds = -*seconds;
	return true;
}

/* An abbreviation and an offset, which POSIX counts to the west. */
static bool
take_offset(struct text *text, int32_t *ahead_s)
{
	if (!take_time(text, 24, ahead_s))
		return false;
	*ahead_s = -*ahead_s;
	return true;
}

/* ,date[/time] */
static bool
take_change(struct text *text, struct zone_change *change)
{
	*change = (struct zone_change){.time_s = 2 * HOUR_S};
	if (!text_take(text, ','))
		return false;
	if (text_take(text, 'J')) {
		change->kind = ZONE_DAY_JULIAN;
		if (!take_number(text, 1, 365, &change->day))
			return false;
	} else if (text_take(text, 'M')) {
		change->kind = ZONE_DAY_WEEKDAY;
		if (!take_number(text, 1, 12, &change->month) || !text_take(text, '.') ||
		    !take_number(text, 1, 5, &change->week) || !text_take(text, '.') ||
		    !take_number(text, 0, 6, &change->day))
			return false;
	} else {
		change->kind = ZONE_DAY_OF_YEAR;
		if (!take_number(text, 0, 365, &change->day))
			return false;
	}
	return !text_take(text, '/') || take_time(text, 167, &change->time_s);
}

bool
zone_rule_parse(struct zone_rule *rule, const char *string, size_t length)
{
	struct text text = {string, string + length};

	*rule = (struct zone_rule){.has_summer = false};
	if (!take_name(&text) || !take_offset(&text, &rule->standard_s))
		return false;
	if (text.at == text.end)
		return true;
	rule->has_summer = true;
	rule->summer_s = rule->standard_s + HOUR_S;
	if (!take_name(&text))
		return false;
	if (text.at < text.end && *text.at != ',' && !take_offset(&text, &rule->summer_s))
		return false;
	return take_change(&text, &rule->begin) && take_change(&text, &rule->end) &&
	       text.at == text.end;
}

/* Day of a change, counted from 1970-01-01. */
static int64_t
change_day(const struct zone_change *change, int64_t year)
{
	int64_t first = civil_days(year, 1, 1);
	int32_t day;

	if (change->kind == ZONE_DAY_OF_YEAR)
		return first + change->day;
	if (change->kind == ZONE_DAY_JULIAN)
		return first + change->day - 1 + (change->day >= 60 && civil_leap(year));
	first = civil_days(year, change->month, 1);
	day = (change->day - civil_weekday(first) + 7) % 7 + 7 * (change->week - 1);
	if (day >= civil_month_days(year, change->month))
		day -= 7;
	return first + day;
}

/*
 * The changes of the year and of two on either side, in order of time; the last one that is not after the
 * instant says what holds. Two, because a change may be told to come a week before or after its year. Where a summer ends at the very instant at which the next one begins, it does
 * not end: a rule may ask for summer time all the year (RFC 8536 3.3.1).
 */
int32_t
zone_rule_offset(const struct zone_rule *rule, int64_t unix_s, int64_t *until_s)
{
	int64_t year = civil_date_of(civil_day_of_second(unix_s)).year;
	int64_t last_s = INT64_MIN;
	int32_t offset_s = rule->standard_s;

	*until_s = INT64_MAX;
	if (!rule->has_summer)
		return offset_s;
	for (int64_t y = year - 2; y <= year + 2; y++) {
		int64_t end_s =
			change_day(&rule->end, y) * CIVIL_DAY_S + rule->end.time_s - rule->summer_s;
		int64_t begin_s = change_day(&rule->begin, y) * CIVIL_DAY_S + rule->begin.time_s -
				  rule->standard_s;

		if (end_s <= unix_s && end_s > last_s) {
			last_s = end_s;
			offset_s = rule->standard_s;
		}
		if (begin_s <= unix_s && begin_s >= last_s) {
			last_s = begin_s;
			offset_s = rule->summer_s;
		}
		if (end_s > unix_s && end_s < *until_s)
			*until_s = end_s;
		if (begin_s > unix_s && begin_s < *until_s)
			*until_s = begin_s;
	}
	return offset_s;
}
