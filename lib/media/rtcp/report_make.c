/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a report of our own says: of what we send to the party, and of what it sends to us.
 */
#include "report.h"

#include "media/session/session.h"
#include "media/session/streams.h"
#include "media/stream/egress.h"
#include "rtp/rtcp_time.h"

/** Extended sequence numbers of a reception begin here (reception.c); those of a report at 0. */
#define SEQUENCE_BASE UINT32_C(0x10000)

/** Say what we send; true when we did so since the report before the last. */
static bool
sender_make(struct worker *worker, uint32_t leg, struct rtp_sender_report *sender)
{
	struct stw_media *media = worker->media;
	struct leg_reporter *reporter = &media->reporters[leg];
	int64_t offset_ns = atomic_load_explicit(&media->wall_offset_ns, memory_order_relaxed);
	uint32_t packets = (uint32_t)atomic_load_explicit(&reporter->packets, memory_order_relaxed);
	bool sends = packets != reporter->packets_before;

	*sender = (struct rtp_sender_report){
		.ssrc = rte_be_to_cpu_32(egress_ssrc(media, leg)),
		.ntp = rtp_ntp_time(worker->now_ns + (uint64_t)offset_ns),
		.timestamp = egress_timestamp(media, leg, worker->now_ns),
		.packets = packets,
		.octets = (uint32_t)atomic_load_explicit(&reporter->octets, memory_order_relaxed),
	};
	reporter->packets_before = reporter->packets_told;
	reporter->packets_told = packets;
	return sends;
}

/** A new source begins its numbers at 0: what came before it is left out. */
static void
source_follow(struct stw_media *media, uint32_t leg, const struct rtp_reception *reception)
{
	struct leg_reporter *reporter = &media->reporters[leg];

	if (reporter->sources == reception->sources)
		return;
	reporter->sources = reception->sources;
	if (reception->sources > 1)
		stream_totals_before(media, leg, reception->sources - 1, &reporter->expected_first,
				     &reporter->received_first);
	reporter->expected_told = reporter->expected_first;
	reporter->received_told = reporter->received_first;
}

/** Share of packets lost since the last report, in 256ths. Source: RFC 3550 A.3. */
static uint8_t
fraction_lost(uint64_t expected, uint64_t received)
{
	if (expected == 0 || received >= expected)
		return 0;
	return (uint8_t)(expected - received == expected ? 255
							 : (expected - received) * 256 / expected);
}

/** When the party's last sender report came, as it is told. */
static void
last_sr_make(struct worker *worker, uint32_t leg, struct rtp_report_block *block)
{
	uint64_t heard =
		atomic_load_explicit(&worker->media->reports[leg].heard, memory_order_relaxed);

	if (!heard)
		return;
	block->last_sr = (uint32_t)(heard >> 32);
	block->delay_sr = rtp_rtcp_ticks(worker->now_ns) - (uint32_t)heard;
}

/** Say what we hear; false when nothing came since the last report. */
static bool
block_make(struct worker *worker, uint32_t leg, struct rtp_report_block *block)
{
	struct stw_media *media = worker->media;
	struct leg_reporter *reporter = &media->reporters[leg];
	struct rtp_reception reception;
	uint64_t expected, told;

	leg_reception_read(media, leg, &reception);
	source_follow(media, leg, &reception);
	told = reporter->received_told;
	if (reception.sources == 0 || reception.packets == told)
		return false;
	expected = rtp_reception_expected(&reception);
	*block = (struct rtp_report_block){
		.ssrc = reception.ssrc,
		.fraction_lost =
			fraction_lost(expected - reporter->expected_told, reception.packets - told),
		.lost = (int32_t)(expected - reporter->expected_first -
				  (reception.packets - reporter->received_first)),
		.sequence_max = reception.sequence_max - SEQUENCE_BASE,
		.jitter = reception.jitter_q4 >> 4,
	};
	last_sr_make(worker, leg, block);
	reporter->expected_told = expected;
	reporter->received_told = reception.packets;
	return true;
}

void
report_make(struct worker *worker, uint32_t leg, bool leaves, struct rtp_rtcp_report *report)
{
	const struct leg_reporter *reporter = &worker->media->reporters[leg];
	uint32_t name[STW_ARRAY_COUNT(reporter->name)];

	for (unsigned i = 0; i < STW_ARRAY_COUNT(name); i++)
		name[i] = atomic_load_explicit(&reporter->name[i], memory_order_relaxed);
	*report = (struct rtp_rtcp_report){.leaves = leaves};
	rtp_cname_make(report->cname, name);
	report->is_sender = sender_make(worker, leg, &report->sender);
	report->hears = block_make(worker, leg, &report->block);
}

void
report_given(struct worker *worker, uint32_t leg, uint32_t giver, uint32_t last_sr)
{
	struct leg_report *report = &worker->media->reports[leg];
	uint64_t before = atomic_load_explicit(&report->given[0], memory_order_relaxed);
	uint64_t given = (uint64_t)last_sr << 32 | rtp_rtcp_ticks(worker->now_ns);

	if (atomic_exchange_explicit(&report->giver, giver, memory_order_relaxed) != giver)
		before = 0;
	atomic_store_explicit(&report->given[1], before, memory_order_relaxed);
	atomic_store_explicit(&report->given[0], given, memory_order_relaxed);
}
