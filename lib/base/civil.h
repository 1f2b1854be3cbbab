/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dates of the Gregorian calendar, before its introduction too, and days since 1970-01-01.
 */
#ifndef STW_BASE_CIVIL_H
#define STW_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_DAY_S 86400

/** A date. */
struct civil_date {
	int64_t year;
	int32_t month; /**< 1 to 12 */
	int32_t day;   /**< 1 to 31 */
};

/** Whether a year has a 29 February. */
bool civil_leap(int64_t year);

/** Days of a month, 28 to 31; month 1 to 12. */
int32_t civil_month_days(int64_t year, int32_t month);

/** Days from 1970-01-01 to a date; the year within a million of 0. */
int64_t civil_days(int64_t year, int32_t month, int32_t day);

/** Date of a day, counted from 1970-01-01; within 300 million days of it. */
struct civil_date civil_date_of(int64_t days);

/** Day of the week, 0 Sunday to 6 Saturday, of a day counted from 1970-01-01. */
int32_t civil_weekday(int64_t days);

/** Day that a second since 1970-01-01 00:00 falls on: rounds down, for seconds before it too. */
int64_t civil_day_of_second(int64_t seconds);

#endif
