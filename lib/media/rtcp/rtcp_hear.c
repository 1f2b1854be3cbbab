/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a leg's party tells: its sender reports, and of what we send to it, blocks and VoIP metrics. The
 * round trip is between this relay and the party, whoever made the sender report that it answers.
 */
#include "rtcp_hear.h"

#include "media/session/session.h"
#include "media/stream/egress.h"
#include "rtp/rtcp_read.h"
#include "rtp/rtcp_time.h"

static bool
is_whole(const uint8_t *rtcp, size_t bytes)
{
	struct rtp_rtcp_walk walk = rtp_rtcp_walk(rtcp, bytes);
	struct rtp_rtcp_part part;
	int found;

	do {
		found = rtp_rtcp_next(&walk, &part);
	} while (found > 0);
	return found == 0;
}

/** Note a sender report of the source that the leg receives. */
static void
sender_hear(struct worker *worker, uint32_t leg, const struct rtp_rtcp_part *part)
{
	struct rtp_sender_report sender;
	struct rtp_reception reception;

	if (rtp_sender_report_read(part, &sender) < 0)
		return;
	leg_reception_read(worker->media, leg, &reception);
	if (reception.sources && sender.ssrc != reception.ssrc)
		return;
	atomic_store_explicit(&worker->media->reports[leg].heard,
			      (uint64_t)rtp_ntp_middle(sender.ntp) << 32 |
				      rtp_rtcp_ticks(worker->now_ns),
			      memory_order_relaxed);
}

static void
round_trip_hear(struct worker *worker, struct leg_report *report,
		const struct rtp_report_block *block)
{
	for (unsigned i = 0; block->last_sr && i < LEG_REPORTS_KNOWN; i++) {
		uint64_t given = atomic_load_explicit(&report->given[i], memory_order_relaxed);
		uint32_t ticks;

		if (!given || given >> 32 != block->last_sr)
			continue;
		ticks = rtp_round_trip_ticks((uint32_t)given, rtp_rtcp_ticks(worker->now_ns),
					     block->delay_sr);
		/* A trip of no time is told as the shortest that is not "not known". */
		atomic_store_explicit(&report->rtt_us, ticks ? rtp_rtcp_ticks_us(ticks) : 1,
				      memory_order_relaxed);
		return;
	}
}

static void
block_hear(struct worker *worker, uint32_t leg, const struct rtp_report_block *block)
{
	struct leg_report *report = &worker->media->reports[leg];
	union leg_ratings ratings = {atomic_load_explicit(&report->ratings, memory_order_relaxed)};

	if (block->ssrc != rte_be_to_cpu_32(egress_ssrc(worker->media, leg)))
		return;
	ratings.fraction_lost = block->fraction_lost;
	atomic_store_explicit(&report->ratings, ratings.word, memory_order_relaxed);
	atomic_store_explicit(&report->lost, (uint32_t)block->lost, memory_order_relaxed);
	atomic_store_explicit(&report->jitter, block->jitter, memory_order_relaxed);
	atomic_fetch_add_explicit(&report->told, 1, memory_order_relaxed);
	round_trip_hear(worker, report, block);
}

static void
metrics_hear(struct worker *worker, uint32_t leg, const struct rtp_rtcp_part *part)
{
	struct leg_report *report = &worker->media->reports[leg];
	union leg_ratings ratings = {atomic_load_explicit(&report->ratings, memory_order_relaxed)};
	struct rtp_voip_metrics metrics;

	if (rtp_voip_metrics_read(part, &metrics) < 0 ||
	    metrics.ssrc != rte_be_to_cpu_32(egress_ssrc(worker->media, leg)))
		return;
	ratings.r_factor = metrics.r_factor;
	ratings.mos_lq_x10 = metrics.mos_lq_x10;
	ratings.mos_cq_x10 = metrics.mos_cq_x10;
	atomic_store_explicit(&report->ratings, ratings.word, memory_order_relaxed);
}

bool
rtcp_hear(struct worker *worker, uint32_t leg, const uint8_t *rtcp, size_t bytes)
{
	struct rtp_rtcp_walk walk = rtp_rtcp_walk(rtcp, bytes);
	struct rtp_report_block block;
	struct rtp_rtcp_part part;

	if (!is_whole(rtcp, bytes))
		return false;
	while (rtp_rtcp_next(&walk, &part) > 0) {
		sender_hear(worker, leg, &part);
		for (unsigned i = 0; rtp_report_block_read(&part, i, &block) == 0; i++)
			block_hear(worker, leg, &block);
		metrics_hear(worker, leg, &part);
	}
	return true;
}
