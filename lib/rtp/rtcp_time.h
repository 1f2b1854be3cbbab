/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Times of RTCP: when the next report is due, NTP's clock, and round trips.
 */
#ifndef STW_RTP_RTCP_TIME_H
#define STW_RTP_RTCP_TIME_H

#include <stdbool.h>
#include <stdint.h>

/** Interval between reports before it is varied, nanoseconds (RFC 3550 6.2). */
#define RTP_RTCP_INTERVAL_NS UINT64_C(5000000000)

/** Seconds from 1900, where NTP's clock begins, to 1970. */
#define RTP_NTP_UNIX_SECONDS UINT64_C(2208988800)

/**
 * Nanoseconds to the next report: the interval times 0.5 to 1.5 at random, half of that before the
 * first. With two members the share of the bandwidth gives less than the least interval, always; their
 * number does not change, so there is nothing to reconsider and no factor to make up for that.
 *
 * @param random  any 32 random bits
 * @param first   true: nothing was sent yet
 *
 * Source: RFC 3550 6.2, 6.3.1, for two members.
 */
static inline uint64_t
rtp_rtcp_interval_ns(uint32_t random, bool first)
{
	uint64_t interval_ns =
		RTP_RTCP_INTERVAL_NS / 2 + (RTP_RTCP_INTERVAL_NS / 256 * random >> 24);

	return first ? interval_ns / 2 : interval_ns;
}

/** NTP time of a moment since 1970, nanoseconds. Source: RFC 3550 4. */
static inline uint64_t
rtp_ntp_time(uint64_t unix_ns)
{
	uint64_t seconds = unix_ns / 1000000000 + RTP_NTP_UNIX_SECONDS;
	uint64_t rest_ns = unix_ns % 1000000000;

	return seconds << 32 | (rest_ns << 32) / 1000000000;
}

/** A clock's nanoseconds in units of 1/65536 second, as delays in reports; wraps after 18 hours. */
static inline uint32_t
rtp_rtcp_ticks(uint64_t now_ns)
{
	return (uint32_t)((now_ns / 1000000000 << 16) + (now_ns % 1000000000 << 16) / 1000000000);
}

/** Microseconds of such units. */
static inline uint32_t
rtp_rtcp_ticks_us(uint32_t ticks)
{
	return (uint32_t)((uint64_t)ticks * 1000000 >> 16);
}

/**
 * Round trip from a report to its answer.
 *
 * @param sent_ticks   when the report that the answer speaks of was sent
 * @param now_ticks    when the answer came
 * @param delay_ticks  between, at the other end, as the answer says
 * @return units of 1/65536 second; 0 when the answer claims a longer delay than there was
 *
 * Source: RFC 3550 6.4.1 (figure 2).
 */
static inline uint32_t
rtp_round_trip_ticks(uint32_t sent_ticks, uint32_t now_ticks, uint32_t delay_ticks)
{
	uint32_t passed = now_ticks - sent_ticks;

	return passed > delay_ticks ? passed - delay_ticks : 0;
}

#endif
