/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The row of a reception: how a packet's numbers are counted. For reception.c and for the relay inside the
 * kernel, which counts in the same memory; no other headers than the compiler's own.
 *
 * A *row* is a run of sequence numbers of one source: it begins with the first packet of an SSRC, or where
 * the sequence number jumps and the next packet confirms the jump. What a row expected is added up when
 * the next one begins.
 *
 * Extended sequence numbers begin at 65536 plus the first, so that packets that were overtaken by
 * the row's first one can lower its beginning.
 */
#ifndef STW_RTP_RECEPTION_ROW_H
#define STW_RTP_RECEPTION_ROW_H

#include <stdint.h>

#include "base/base.h"
#include "base/shared.h"

/** Clock of every payload in this release, Hz; nanoseconds of one of its ticks. */
#define RTP_CLOCK_HZ 8000
#define RTP_TICK_NS  125000

/** A sequence number this far ahead, or this far behind, still belongs to the row (RFC 3550 A.1). */
#define RTP_DROPOUT_MAX  3000
#define RTP_MISORDER_MAX 100

/** What became of a packet's sequence number. */
enum rtp_reception_fate {
	RTP_RECEPTION_FIRST,     /**< begins a row: a new source, or a jump confirmed by two */
	RTP_RECEPTION_NEXT,      /**< ahead of all before: the next one, or after a gap */
	RTP_RECEPTION_LATE,      /**< behind a later one, not seen before */
	RTP_RECEPTION_DUPLICATE, /**< seen before */
	RTP_RECEPTION_STRAY,     /**< far off; counted if its successor follows, as a jump then */
};

/** Statistics of a leg. All bytes 0: nothing received yet. One cache line. */
struct rtp_reception {
	uint64_t packets;           /**< received, duplicates included, strays not */
	uint64_t expected_before;   /**< packets expected in rows that have ended */
	uint64_t seen;              /**< bit n: sequence_max - n has come */
	uint32_t packets_duplicate; /**< of `packets`: seen before, as far as 64 back */
	uint32_t packets_stray;     /**< far off and not confirmed; one may be pending */
	uint32_t ssrc;              /**< source of the row */
	uint32_t sequence_first;    /**< first sequence number of the row, extended (65536 added) */
	uint32_t sequence_max;      /**< highest sequence number of the row, extended */
	uint32_t sequence_bad;      /**< successor that would confirm a jump; above 65535: none */
	uint32_t timestamp;         /**< RTP timestamp of the last packet that moved `transit` */
	uint32_t transit;           /**< its arrival less its timestamp, ticks, wraps */
	uint32_t jitter_q4;         /**< 16 times the interarrival jitter, ticks */
	uint32_t sources;           /**< rows begun by a new SSRC; 0: nothing received yet */
};

/** True after a packet that was far off, until a later one says whether it was a jump. Threads: as counting. */
static inline int
rtp_reception_is_astray(const struct rtp_reception *reception)
{
	return reception->sequence_bad <= UINT16_MAX;
}

/** Of a packet, what is counted. */
struct rtp_numbers {
	uint32_t ssrc;
	uint32_t timestamp;
	uint16_t sequence;
};

/** Value of sequence_bad that no sequence number confirms. */
#define SEQUENCE_NONE UINT32_C(0x10000)

/** Above this a row's numbers are folded into expected_before, long before 32 bits wrap. */
#define SEQUENCE_FOLD UINT32_C(0xffff0000)

/** Packets back that duplicates are known for: bits of `seen`. */
#define SEEN_PACKETS 64

/** A step of transit above this is the sender's clock being set, not jitter. */
#define JITTER_STEP_TICKS_MAX (2 * RTP_CLOCK_HZ)

STW_SHARED_INLINE uint64_t
reception_row_expected(const struct rtp_reception *reception)
{
	return reception->sources ? reception->sequence_max - reception->sequence_first + 1 : 0;
}

STW_SHARED_INLINE void
reception_row_begin(struct rtp_reception *reception, uint16_t sequence)
{
	reception->expected_before += reception_row_expected(reception);
	reception->sequence_first = UINT32_C(0x10000) + sequence;
	reception->sequence_max = reception->sequence_first;
	reception->sequence_bad = SEQUENCE_NONE;
	reception->seen = 1;
}

STW_SHARED_INLINE void
reception_row_advance(struct rtp_reception *reception, uint16_t ahead)
{
	reception->sequence_max += ahead;
	reception->seen = ahead < SEEN_PACKETS ? reception->seen << ahead | 1 : 1;
	reception->sequence_bad = SEQUENCE_NONE;
	if (STW_UNLIKELY(reception->sequence_max > SEQUENCE_FOLD)) {
		reception->expected_before += reception_row_expected(reception) - 1;
		reception->sequence_max = UINT32_C(0x10000) + (uint16_t)reception->sequence_max;
		reception->sequence_first = reception->sequence_max;
	}
}

STW_SHARED_INLINE enum rtp_reception_fate
reception_row_straggle(struct rtp_reception *reception, uint16_t behind)
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
STW_SHARED_INLINE enum rtp_reception_fate
reception_row_jump(struct rtp_reception *reception, uint16_t sequence)
{
	if (sequence != reception->sequence_bad) {
		reception->packets_stray++;
		reception->sequence_bad = (uint16_t)(sequence + 1);
		return RTP_RECEPTION_STRAY;
	}
	reception_row_begin(reception, (uint16_t)(sequence - 1));
	reception_row_advance(reception, 1);
	reception->packets_stray--;
	reception->packets++;
	return RTP_RECEPTION_FIRST;
}

STW_SHARED_INLINE enum rtp_reception_fate
reception_sequence_count(struct rtp_reception *reception, const struct rtp_numbers *numbers)
{
	uint16_t ahead = (uint16_t)(numbers->sequence - reception->sequence_max);
	uint16_t behind = (uint16_t)-ahead;

	if (STW_UNLIKELY(reception->sources == 0 || numbers->ssrc != reception->ssrc)) {
		reception_row_begin(reception, numbers->sequence);
		reception->ssrc = numbers->ssrc;
		reception->sources++;
		return RTP_RECEPTION_FIRST;
	}
	if (STW_LIKELY(ahead > 0 && ahead < RTP_DROPOUT_MAX)) {
		reception_row_advance(reception, ahead);
		return RTP_RECEPTION_NEXT;
	}
	if (behind <= RTP_MISORDER_MAX)
		return reception_row_straggle(reception, behind);
	return reception_row_jump(reception, numbers->sequence);
}

STW_SHARED_INLINE void
reception_jitter_count(struct rtp_reception *reception, const struct rtp_numbers *numbers,
		       uint32_t ticks, int first)
{
	uint32_t transit = ticks - numbers->timestamp;
	int32_t change = (int32_t)(transit - reception->transit);
	uint32_t step = change < 0 ? -(uint32_t)change : (uint32_t)change;

	if (!first && numbers->timestamp == reception->timestamp)
		return;
	reception->transit = transit;
	reception->timestamp = numbers->timestamp;
	if (!first && step <= JITTER_STEP_TICKS_MAX)
		reception->jitter_q4 += step - ((reception->jitter_q4 + 8) >> 4);
}

/** True when a packet goes on in the row: it neither begins one, nor is it astray, nor was the one before. */
STW_SHARED_INLINE int
rtp_reception_goes_on(const struct rtp_reception *reception, const struct rtp_numbers *numbers)
{
	uint16_t ahead = (uint16_t)(numbers->sequence - reception->sequence_max);

	return reception->sources != 0 && numbers->ssrc == reception->ssrc &&
	       !rtp_reception_is_astray(reception) &&
	       (ahead < RTP_DROPOUT_MAX || (uint16_t)-ahead <= RTP_MISORDER_MAX);
}

/** rtp_reception_count, at a time in ticks. */
STW_SHARED_INLINE enum rtp_reception_fate
rtp_reception_count_at(struct rtp_reception *reception, const struct rtp_numbers *numbers,
		       uint32_t ticks)
{
	enum rtp_reception_fate fate = reception_sequence_count(reception, numbers);

	if (STW_UNLIKELY(fate == RTP_RECEPTION_STRAY))
		return fate;
	reception->packets++;
	if (STW_LIKELY(fate != RTP_RECEPTION_DUPLICATE))
		reception_jitter_count(reception, numbers, ticks, fate == RTP_RECEPTION_FIRST);
	return fate;
}

#endif
