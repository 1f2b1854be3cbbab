/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reception statistics. A *row* is a run of sequence numbers of one source: it begins with the
 * first packet of an SSRC, or where the sequence number jumps and the next packet confirms the
 * jump. What a row expected is added up when the next one begins.
 *
 * Extended sequence numbers begin at 65536 plus the first, so that packets that were overtaken by
 * the row's first one can lower its beginning.
 */
#include "reception.h"

#include <assert.h>

#include "base/base.h"

/** Value of sequence_bad that no sequence number confirms. */
#define SEQUENCE_NONE UINT32_C(0x10000)

/** Above this a row's numbers are folded into expected_before, long before 32 bits wrap. */
#define SEQUENCE_FOLD UINT32_C(0xffff0000)

/** Packets back that duplicates are known for: bits of `seen`. */
#define SEEN_PACKETS 64

/** A step of transit above this is the sender's clock being set, not jitter. */
#define JITTER_STEP_TICKS_MAX (2 * RTP_CLOCK_HZ)

static_assert(sizeof(struct rtp_reception) == STW_CACHE_LINE, "one cache line");

static uint64_t
row_expected(const struct rtp_reception *reception)
{
	return reception->sources ? reception->sequence_max - reception->sequence_first + 1 : 0;
}

static void
row_begin(struct rtp_reception *reception, uint16_t sequence)
{
	reception->expected_before += row_expected(reception);
	reception->sequence_first = UINT32_C(0x10000) + sequence;
	reception->sequence_max = reception->sequence_first;
	reception->sequence_bad = SEQUENCE_NONE;
	reception->seen = 1;
}

static void
row_advance(struct rtp_reception *reception, uint16_t ahead)
{
	reception->sequence_max += ahead;
	reception->seen = ahead < SEEN_PACKETS ? reception->seen << ahead | 1 : 1;
	reception->sequence_bad = SEQUENCE_NONE;
	if (STW_UNLIKELY(reception->sequence_max > SEQUENCE_FOLD)) {
		reception->expected_before += row_expected(reception) - 1;
		reception->sequence_max = UINT32_C(0x10000) + (uint16_t)reception->sequence_max;
		reception->sequence_first = reception->sequence_max;
	}
}

static enum rtp_reception_fate
row_straggle(struct rtp_reception *reception, uint16_t behind)
{
	if (behind < SEEN_PACKETS) {
		uint64_t bit = UINT64_C(1) << behind;

		if (reception->seen & bit) {
			reception->packets_duplicate++;
			return RTP_RECEPTION_DUPLICATE;
		}
		reception->seen |= bit;
	}
	if (reception->sequence_max - behind < reception->sequence_first)
		reception->sequence_first = reception->sequence_max - behind;
	return RTP_RECEPTION_LATE;
}

/* A jump counts once its successor comes; then the packet that jumped was no stray. */
static enum rtp_reception_fate
row_jump(struct rtp_reception *reception, uint16_t sequence)
{
	if (sequence != reception->sequence_bad) {
		reception->packets_stray++;
		reception->sequence_bad = (uint16_t)(sequence + 1);
		return RTP_RECEPTION_STRAY;
	}
	row_begin(reception, (uint16_t)(sequence - 1));
	row_advance(reception, 1);
	reception->packets_stray--;
	reception->packets++;
	return RTP_RECEPTION_FIRST;
}

static enum rtp_reception_fate
sequence_count(struct rtp_reception *reception, const struct stw_rtp_header *header)
{
	uint16_t ahead = (uint16_t)(header->sequence - reception->sequence_max);
	uint16_t behind = (uint16_t)-ahead;

	if (STW_UNLIKELY(reception->sources == 0 || header->ssrc != reception->ssrc)) {
		row_begin(reception, header->sequence);
		reception->ssrc = header->ssrc;
		reception->sources++;
		return RTP_RECEPTION_FIRST;
	}
	if (STW_LIKELY(ahead > 0 && ahead < RTP_DROPOUT_MAX)) {
		row_advance(reception, ahead);
		return RTP_RECEPTION_NEXT;
	}
	if (behind <= RTP_MISORDER_MAX)
		return row_straggle(reception, behind);
	return row_jump(reception, header->sequence);
}

static void
jitter_count(struct rtp_reception *reception, const struct stw_rtp_header *header,
	     uint64_t arrival_ns, int first)
{
	uint32_t transit = (uint32_t)(arrival_ns / RTP_TICK_NS) - header->timestamp;
	int32_t change = (int32_t)(transit - reception->transit);
	uint32_t step = change < 0 ? -(uint32_t)change : (uint32_t)change;

	if (!first && header->timestamp == reception->timestamp)
		return;
	reception->transit = transit;
	reception->timestamp = header->timestamp;
	if (!first && step <= JITTER_STEP_TICKS_MAX)
		reception->jitter_q4 += step - ((reception->jitter_q4 + 8) >> 4);
}

enum rtp_reception_fate
rtp_reception_count(struct rtp_reception *reception, const struct stw_rtp_header *header,
		    uint64_t arrival_ns)
{
	enum rtp_reception_fate fate = sequence_count(reception, header);

	if (STW_UNLIKELY(fate == RTP_RECEPTION_STRAY))
		return fate;
	reception->packets++;
	if (STW_LIKELY(fate != RTP_RECEPTION_DUPLICATE))
		jitter_count(reception, header, arrival_ns, fate == RTP_RECEPTION_FIRST);
	return fate;
}

uint64_t
rtp_reception_expected(const struct rtp_reception *reception)
{
	return reception->expected_before + row_expected(reception);
}

int64_t
rtp_reception_lost(const struct rtp_reception *reception)
{
	return (int64_t)(rtp_reception_expected(reception) - reception->packets);
}

uint64_t
rtp_reception_missing(const struct rtp_reception *reception)
{
	int64_t missing = rtp_reception_lost(reception) + reception->packets_duplicate;

	return missing > 0 ? (uint64_t)missing : 0;
}

uint32_t
rtp_reception_jitter_us(const struct rtp_reception *reception)
{
	return (uint32_t)((uint64_t)reception->jitter_q4 * (RTP_TICK_NS / 1000) / 16);
}

void
rtp_reception_check(const struct rtp_reception *reception)
{
	if (reception->sources == 0) {
		STW_ASSERT(reception->packets == 0);
		STW_ASSERT(rtp_reception_expected(reception) == 0);
		return;
	}
	STW_ASSERT(reception->sequence_first <= reception->sequence_max);
	STW_ASSERT(reception->sequence_max <= SEQUENCE_FOLD);
	STW_ASSERT(reception->sequence_bad <= SEQUENCE_NONE);
	STW_ASSERT(reception->seen & 1);
	STW_ASSERT(reception->packets_duplicate < reception->packets);
	STW_ASSERT(reception->jitter_q4 <= 16 * JITTER_STEP_TICKS_MAX);
}
