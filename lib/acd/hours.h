/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Business hours: openings of a week and of holidays, in a zone. Pure: time is an argument.
 */
#ifndef STW_ACD_HOURS_H
#define STW_ACD_HOURS_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/calendar.h>

#include "base/zone.h"

/** Hours of one day. */
struct hours_entry {
	uint16_t key;  /**< weekday, or month * 32 + day */
	uint16_t year; /**< 0: every */
	uint32_t from_s;
	uint32_t to_s; /**< not above from_s: none */
};

/** Entries are sorted by their keys. */
struct hours {
	struct zone *zone;
	struct hours_entry *week;
	struct hours_entry *holidays;
	uint32_t week_count;
	uint32_t holidays_count;
};

/** Instants that may be asked for, seconds of Unix time, either way. */
#define HOURS_SECOND_MAX (INT64_C(1) << 38)

/** Whether the config's openings and holidays are within their ranges: 0 or -EINVAL. */
int hours_config_check(const struct stw_calendar_config *config);

/** Take over what a checked config says: 0, -ENOMEM, or what zone_open returns. */
int hours_init(struct hours *hours, const struct stw_calendar_config *config);

/** Give its memory back; hours of zeroes are fine. */
void hours_free(struct hours *hours);

/** Whether it is open. */
bool hours_open(const struct hours *hours, int64_t unix_s);

/** First instant after unix_s at which that is different; INT64_MAX: none within
 * STW_CALENDAR_DAYS_AHEAD days. */
int64_t hours_change(const struct hours *hours, int64_t unix_s);

#endif
