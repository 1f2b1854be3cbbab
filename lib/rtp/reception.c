/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reception statistics; how a packet is counted is in reception_row.h.
 */
#include "reception.h"

#include <assert.h>

#include "base/base.h"

static_assert(sizeof(struct rtp_reception) == STW_CACHE_LINE, "one cache line");

enum rtp_reception_fate
rtp_reception_count(struct rtp_reception *reception, const struct stw_rtp_header *header,
		    uint64_t arrival_ns)
{
	const struct rtp_numbers numbers = {
		.ssrc = header->ssrc, .timestamp = header->timestamp, .sequence = header->sequence};

	return rtp_reception_count_at(reception, &numbers, (uint32_t)(arrival_ns / RTP_TICK_NS));
}

uint64_t
rtp_reception_expected(const struct rtp_reception *reception)
{
	return reception->expected_before + reception_row_expected(reception);
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
