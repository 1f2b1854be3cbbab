/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clocks of the switch: the monotonic one for everything that is measured, the calendar for
 * what people read.
 */
#ifndef SWITCH_CLOCK_H
#define SWITCH_CLOCK_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define CLOCK_SECOND_NS      UINT64_C(1000000000)
#define CLOCK_MILLISECOND_NS UINT64_C(1000000)

/* Bytes of "2026-11-21T21:00:26.123Z" with the closing NUL, and room for a longer year. */
#define CLOCK_TEXT_BYTES 40

static inline uint64_t
clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * CLOCK_SECOND_NS + (uint64_t)now.tv_nsec;
}

/* The calendar now, RFC 3339 in UTC with milliseconds. */
static inline const char *
clock_text(char text[CLOCK_TEXT_BYTES])
{
	struct timespec now;
	struct tm parts;
	char date[24];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text, CLOCK_TEXT_BYTES, "%s.%03ldZ", date, now.tv_nsec / 1000000);
	return text;
}

#endif
