/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rule at the end of a TZif file, for all years that its table does not list: a POSIX TZ string.
 */
#ifndef STW_BASE_ZONE_RULE_H
#define STW_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How the day of a change is told. */
enum zone_day_kind {
	ZONE_DAY_JULIAN,  /**< Jn: 1 to 365, 29 February is never counted */
	ZONE_DAY_OF_YEAR, /**< n: 0 to 365, 29 February counts */
	ZONE_DAY_WEEKDAY, /**< Mm.w.d: weekday d of week w of month m; week 5 is the last */
};

/** When clocks are changed, each year. */
struct zone_change {
	enum zone_day_kind kind;
	int32_t month, week, day;
	int32_t time_s; /**< local time of the change, from midnight: -167 to 167 hours */
};

/** Standard time, and summer time if there is any. */
struct zone_rule {
	int32_t standard_s; /**< ahead of UTC, seconds */
	int32_t summer_s;   /**< likewise */
	bool has_summer;
	struct zone_change begin, end; /**< of summer time */
};

/** Read a rule; false: it is none. Source: RFC 8536 3.3.1; POSIX.1-2017 8.3, TZ. */
bool zone_rule_parse(struct zone_rule *rule, const char *text, size_t length);

/** Offset by the rule; as zone_offset. */
int32_t zone_rule_offset(const struct zone_rule *rule, int64_t unix_s, int64_t *until_s);

#endif
