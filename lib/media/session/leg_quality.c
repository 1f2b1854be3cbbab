/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Quality of a leg: what is known of its two directions, from what it receives and from what its party
 * tells by RTCP, and what that sounds like.
 */
#include "session.h"

#include <string.h>

#include "media/plane.h"
#include "rtp/mos.h"

/** A packet, and the least depth of a jitter buffer, milliseconds. */
#define PACKET_MS 20.0

/** Values that are told as "not known", RFC 3611 4.7.5. */
#define RATING_UNKNOWN 127

static uint32_t
mos_x100(double loss, double burstiness, uint32_t rtt_us, uint32_t jitter_us)
{
	double buffer_ms = 2 * jitter_us / 1000.0;
	struct rtp_path path = {
		.delay_ms = rtt_us / 2000.0 + PACKET_MS +
			    (buffer_ms > PACKET_MS ? buffer_ms : PACKET_MS),
		.loss = loss,
		.burstiness = burstiness,
		.concealed = true,
	};

	return (uint32_t)(100 * rtp_mos(rtp_rating(&path)) + 0.5);
}

/**
 * Copy a reception that its worker may be changing. Its words are whole, and numbers of a leg are
 * true give or take a packet, so no more is needed. ThreadSanitizer would tell of it.
 */
void leg_reception_read(struct stw_media *media, uint32_t leg, struct rtp_reception *to)
	__attribute__((no_sanitize("thread")));

void
leg_reception_read(struct stw_media *media, uint32_t leg, struct rtp_reception *to)
{
	_Atomic uint64_t *words = (_Atomic uint64_t *)&media->intakes[leg].reception;
	uint64_t copy[sizeof(*to) / sizeof(uint64_t)];

	for (unsigned i = 0; i < STW_ARRAY_COUNT(copy); i++)
		copy[i] = atomic_load_explicit(&words[i], memory_order_relaxed);
	memcpy(to, copy, sizeof(*to));
}

/** What the party sends. */
static void
heard_read(const struct leg_intake *intake, const struct rtp_reception *reception,
	   struct stw_leg_stats *stats)
{
	uint64_t expected = rtp_reception_expected(reception);
	uint64_t missing = rtp_reception_missing(reception);
	uint32_t gaps = atomic_load_explicit(&intake->gaps, memory_order_relaxed);

	stats->packets_expected = expected;
	stats->packets_lost = rtp_reception_lost(reception);
	stats->jitter_us = rtp_reception_jitter_us(reception);
	stats->packets_missing = missing;
	stats->packets_duplicate = reception->packets_duplicate;
	stats->packets_late = atomic_load_explicit(&intake->packets_late, memory_order_relaxed);
	stats->gap_max = atomic_load_explicit(&intake->gap_max, memory_order_relaxed);
	stats->ssrc_received = reception->ssrc;
	stats->ssrc_changes = reception->sources ? reception->sources - 1 : 0;
	stats->mos_x100 = 0;
	if (expected)
		stats->mos_x100 = mos_x100((double)(missing < expected ? missing : expected) /
						   (double)expected,
					   rtp_burstiness(expected, missing, gaps), stats->rtt_us,
					   rtp_reception_jitter_us(reception));
}

/** A rating as told; 0 when it is not known or none. */
static uint8_t
rating(uint8_t told, uint8_t first, uint8_t last)
{
	return told >= first && told <= last && told != RATING_UNKNOWN ? told : 0;
}

/** What the party tells. */
static void
told_read(const struct leg_report *report, struct stw_leg_stats *stats)
{
	union leg_ratings ratings = {atomic_load_explicit(&report->ratings, memory_order_relaxed)};
	uint32_t jitter = atomic_load_explicit(&report->jitter, memory_order_relaxed);

	stats->told_blocks = atomic_load_explicit(&report->told, memory_order_relaxed);
	stats->told_lost = (int32_t)atomic_load_explicit(&report->lost, memory_order_relaxed);
	stats->told_jitter_us = (uint32_t)((uint64_t)jitter * (RTP_TICK_NS / 1000));
	stats->told_fraction_lost = ratings.fraction_lost;
	stats->told_r_factor = rating(ratings.r_factor, 1, 100);
	stats->told_mos_lq_x10 = rating(ratings.mos_lq_x10, 10, 50);
	stats->told_mos_cq_x10 = rating(ratings.mos_cq_x10, 10, 50);
	stats->told_mos_x100 = 0;
	if (stats->told_blocks)
		stats->told_mos_x100 = mos_x100(ratings.fraction_lost / 256.0, 1, stats->rtt_us,
						stats->told_jitter_us);
	stats->rtcp_received = atomic_load_explicit(&report->received, memory_order_relaxed);
	stats->rtcp_sent = atomic_load_explicit(&report->sent, memory_order_relaxed);
	stats->rtcp_malformed = atomic_load_explicit(&report->malformed, memory_order_relaxed);
}

void
leg_quality_read(struct stw_media *media, uint32_t leg, const struct rtp_reception *reception,
		 struct stw_leg_stats *stats)
{
	const struct leg_report *report = &media->reports[leg];

	stats->rtt_us = atomic_load_explicit(&report->rtt_us, memory_order_relaxed);
	heard_read(&media->intakes[leg], reception, stats);
	told_read(report, stats);
}
