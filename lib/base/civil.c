/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dates. The calendar repeats every 400 years, which are 146,097 days. Within such an era years are counted from
 * 1 March, so that the leap day is the last of its year and the days before a month follow from the
 * month's number alone: 31 30 31 30 31, and again, add up to 153 for 5 months.
 */
#include "civil.h"

#define ERA_YEARS 400
#define ERA_DAYS  146097

/* Days from 0000-03-01, the first day of an era, to 1970-01-01. */
#define EPOCH_DAYS 719468

static int64_t
floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

bool
civil_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t
civil_month_days(int64_t year, int32_t month)
{
	static const int8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && civil_leap(year));
}

int64_t
civil_days(int64_t year, int32_t month, int32_t day)
{
	int64_t march_year = month > 2 ? year : year - 1;
	int64_t era = floor_divide(march_year, ERA_YEARS);
	int64_t year_of_era = march_year - era * ERA_YEARS;
	int64_t months = month > 2 ? month - 3 : month + 9;
	int64_t day_of_year = (153 * months + 2) / 5 + day - 1;

	return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - EPOCH_DAYS;
}

struct civil_date
civil_date_of(int64_t days)
{
	int64_t shifted = days + EPOCH_DAYS;
	int64_t era = floor_divide(shifted, ERA_DAYS);
	int64_t day_of_era = shifted - era * ERA_DAYS;
	/* Leap days so far are taken out, so that every year has 365 days. */
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t months = (5 * day_of_year + 2) / 153;
	struct civil_date date = {
		.month = (int32_t)(months < 10 ? months + 3 : months - 9),
		.day = (int32_t)(day_of_year - (153 * months + 2) / 5 + 1),
	};

	date.year = era * ERA_YEARS + year_of_era + (date.month <= 2);
	return date;
}

int32_t
civil_weekday(int64_t days)
{
	/* 1970-01-01 was a Thursday. */
	return (int32_t)(days + 4 - floor_divide(days + 4, 7) * 7);
}

int64_t
civil_day_of_second(int64_t seconds)
{
	return floor_divide(seconds, CIVIL_DAY_S);
}
