/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reception statistics of one leg: sequence numbers, loss, jitter, over all sources (SSRC) that
 * the leg has had. One writer; plain memory.
 */
#ifndef STW_RTP_RECEPTION_H
#define STW_RTP_RECEPTION_H

#include <stdint.h>

#include <strowger/rtp.h>

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

/**
 * Count a packet.
 *
 * The estimate of jitter leaves out packets with the timestamp of the one before (RFC 4733 events
 * keep theirs while they last) and steps of more than two seconds (the sender's clock was set).
 *
 * @param reception   borrowed, changed
 * @param header      borrowed; the packet's
 * @param arrival_ns  when it came, nanoseconds of any steady clock
 * @return what became of its sequence number
 *
 * Threads:  one at a time for each reception.
 * Progress: wait-free (bound 1).
 * Order:    none.
 * Source:   RFC 3550 A.1 with a probation of one packet, as the leg's guard has chosen the source;
 *           a packet that turns out to begin a confirmed jump is counted, too. RFC 3550 A.8.
 */
enum rtp_reception_fate rtp_reception_count(struct rtp_reception *reception,
					    const struct stw_rtp_header *header,
					    uint64_t arrival_ns);

/**
 * Packets that were to come by their sequence numbers, over all sources.
 *
 * Threads: as rtp_reception_count, or on a copy. Progress: wait-free (bound 1). Order: none.
 * Source:  RFC 3550 A.3.
 */
uint64_t rtp_reception_expected(const struct rtp_reception *reception);

/**
 * Packets lost as RFC 3550 counts them: expected less received; negative with duplicates.
 *
 * Threads: as rtp_reception_count, or on a copy. Progress: wait-free (bound 1). Order: none.
 * Source:  RFC 3550 A.3.
 */
int64_t rtp_reception_lost(const struct rtp_reception *reception);

/**
 * Sequence numbers that never came: as lost, but a duplicate does not make up for a gap.
 *
 * Threads: as rtp_reception_count, or on a copy. Progress: wait-free (bound 1). Order: none.
 */
uint64_t rtp_reception_missing(const struct rtp_reception *reception);

/**
 * Interarrival jitter, microseconds.
 *
 * Threads: as rtp_reception_count, or on a copy. Progress: wait-free (bound 1). Order: none.
 * Source:  RFC 3550 A.8.
 */
uint32_t rtp_reception_jitter_us(const struct rtp_reception *reception);

/**
 * Verify the invariants; ends in the host's panic handler when one is broken.
 *
 * Threads: as rtp_reception_count. Progress: wait-free (bound 1). Order: none.
 */
void rtp_reception_check(const struct rtp_reception *reception);

#endif
