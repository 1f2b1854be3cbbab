/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reception statistics of one leg: sequence numbers, loss, jitter, over all sources (SSRC) that
 * the leg has had. One writer; plain memory.
 */
#ifndef STW_RTP_RECEPTION_H
#define STW_RTP_RECEPTION_H

#include <stdint.h>

#include <strowger/rtp.h>

#include "reception_row.h"

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
