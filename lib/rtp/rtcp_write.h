/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing RTCP: the compound packet of one participant that hears at most one other.
 */
#ifndef STW_RTP_RTCP_WRITE_H
#define STW_RTP_RTCP_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtcp_read.h"

/** Bytes of a canonical name: 96 bits in base 64 (RFC 7022 4.2), and the end. */
#define RTP_CNAME_BYTES 17

/** Most bytes that rtp_rtcp_write writes: sender report, block, description, goodbye. */
#define RTP_RTCP_WRITTEN_MAX                                                                       \
	(RTP_RTCP_SENDER_BYTES + RTP_RTCP_INFO_BYTES + RTP_RTCP_BLOCK_BYTES + 28 + 8)

/** What a participant tells. */
struct rtp_rtcp_report {
	struct rtp_sender_report sender; /**< ssrc always; the rest when it is one */
	struct rtp_report_block block;   /**< of whom it hears */
	bool is_sender;                  /**< false: a receiver report */
	bool hears;                      /**< false: no block */
	bool leaves;                     /**< true: a goodbye at the end */
	char cname[RTP_CNAME_BYTES];     /**< 1 to 16 characters */
};

/**
 * Write a report, a source description with the canonical name, and a goodbye when it leaves.
 *
 * @param packet  filled; room for RTP_RTCP_WRITTEN_MAX bytes
 * @param report  borrowed; its cname ends with 0; a loss outside of 24 bits is cut to them
 * @return bytes written
 *
 * Threads:  any.
 * Progress: wait-free (bound: RTP_RTCP_WRITTEN_MAX).
 * Order:    none needed.
 * Source:   RFC 3550 6.1 (what a compound packet holds), 6.4.1, 6.4.2, 6.5.1, 6.6.
 */
size_t rtp_rtcp_write(uint8_t *packet, const struct rtp_rtcp_report *report);

/**
 * Make a canonical name out of random bits.
 *
 * Threads: any. Progress: wait-free (bound 1). Order: none needed.
 * Source:  RFC 7022 4.2, 5 (short-term name of 96 random bits), RFC 4648 4.
 */
void rtp_cname_make(char cname[RTP_CNAME_BYTES], const uint32_t random[3]);

#endif
