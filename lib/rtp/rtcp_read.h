/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading RTCP: the parts of a compound packet, and the fields of reports. Nothing outside of a
 * packet is touched, whatever its lengths and counts say.
 */
#ifndef STW_RTP_RTCP_READ_H
#define STW_RTP_RTCP_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtcp.h"

/** Where a walk over a compound packet is. */
struct rtp_rtcp_walk {
	const uint8_t *at; /**< borrowed; the next part */
	size_t left;       /**< bytes from there on */
};

/** One RTCP packet of a compound one; as many blocks, chunks and sources as its count says. */
struct rtp_rtcp_part {
	const uint8_t *at; /**< borrowed; its header */
	size_t bytes;      /**< header included, padding not */
	uint8_t type;      /**< RTP_RTCP_SR and so on */
	uint8_t count; /**< of blocks, chunks or sources; format or subtype of others; 0 to 31 */
};

/** A sender report but for its blocks. */
struct rtp_sender_report {
	uint64_t ntp;  /**< its moment: seconds since 1900 in the high, fraction in the low half */
	uint32_t ssrc; /**< sender */
	uint32_t timestamp; /**< its moment on the RTP clock */
	uint32_t packets;   /**< sent since the stream began; wraps */
	uint32_t octets;    /**< payload of those; wraps */
};

/** What a receiver tells of one source. */
struct rtp_report_block {
	uint32_t ssrc;         /**< source */
	uint32_t sequence_max; /**< highest sequence number, extended by cycles */
	uint32_t jitter;       /**< ticks of the RTP clock */
	uint32_t last_sr;      /**< middle half of the last sender report's ntp; 0: none came */
	uint32_t delay_sr;     /**< since that came, 1/65536 seconds */
	int32_t lost;          /**< since the stream began; -2^23 to 2^23 - 1 */
	uint8_t fraction_lost; /**< since the last report, in 256ths */
};

/** VoIP metrics that are kept; 127 as a rating or opinion: not known. */
struct rtp_voip_metrics {
	uint32_t ssrc;          /**< source */
	uint16_t round_trip_ms; /**< between RTP interfaces; 0: not known */
	uint8_t loss_256;       /**< fraction of packets lost, in 256ths */
	uint8_t discarded_256;  /**< fraction come too late or early, in 256ths */
	uint8_t r_factor;       /**< 0 to 100; 127 */
	uint8_t mos_lq_x10;     /**< listening quality, 10 to 50; 127 */
	uint8_t mos_cq_x10;     /**< conversational quality, 10 to 50; 127 */
};

/** Middle half of an NTP time, as reports quote it. */
static inline uint32_t
rtp_ntp_middle(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

/** Begin at a packet's first part. */
static inline struct rtp_rtcp_walk
rtp_rtcp_walk(const uint8_t *packet, size_t packet_bytes)
{
	return (struct rtp_rtcp_walk){packet, packet_bytes};
}

/**
 * Go to the next part.
 *
 * @param walk  borrowed, changed
 * @param part  set when there is one
 * @return 1        there is one: its header is valid and its length holds what its count says
 * @return 0        the packet is over
 * @return -EINVAL  it is not whole; the walk is over
 *
 * Threads:  one for each walk.
 * Progress: wait-free (bound: bytes of the part).
 * Order:    none needed.
 * Source:   RFC 3550 6.4 to 6.7, RFC 4585 6.1, RFC 3611 2, 3.
 */
int rtp_rtcp_next(struct rtp_rtcp_walk *walk, struct rtp_rtcp_part *part);

/**
 * Read a sender report.
 *
 * @return 0
 * @return -EINVAL  the part is something else
 *
 * Threads: any. Progress: wait-free (bound 1). Order: none needed. Source: RFC 3550 6.4.1.
 */
int rtp_sender_report_read(const struct rtp_rtcp_part *part, struct rtp_sender_report *report);

/** Bytes from a part's start to a report block of it; 0 when it has none of that index. */
size_t rtp_report_block_offset(const struct rtp_rtcp_part *part, unsigned index);

/**
 * Read a report block.
 *
 * @return 0
 * @return -EINVAL  the part is no report, or has fewer blocks
 *
 * Threads: any. Progress: wait-free (bound 1). Order: none needed. Source: RFC 3550 6.4.1, 6.4.2.
 */
int rtp_report_block_read(const struct rtp_rtcp_part *part, unsigned index,
			  struct rtp_report_block *block);

/**
 * Go to the next block of an extended report; begin with *offset 0.
 *
 * @param part    of RTP_RTCP_XR
 * @param offset  in: of the block before, 0: none; out: of this one, from the part's start
 * @return bytes of the block, its header included; 0: there is none any more
 *
 * Threads: any. Progress: wait-free (bound 1). Order: none needed. Source: RFC 3611 3.
 */
size_t rtp_xr_next(const struct rtp_rtcp_part *part, size_t *offset);

/**
 * Read the first VoIP metrics block of an extended report.
 *
 * @return 0
 * @return -EINVAL  the part has none
 *
 * Threads: any. Progress: wait-free (bound: blocks). Order: none needed. Source: RFC 3611 4.7.
 */
int rtp_voip_metrics_read(const struct rtp_rtcp_part *part, struct rtp_voip_metrics *metrics);

/**
 * Go to the next chunk of a source description; begin with *offset 0.
 *
 * @param part    of RTP_RTCP_SDES
 * @param offset  in: of the chunk before, 0: none; out: of this one, from the part's start
 * @return bytes of the chunk, its source, end mark and filling included; 0: none any more
 *
 * Threads: any. Progress: wait-free (bound: bytes of the chunk). Order: none needed.
 * Source:  RFC 3550 6.5.
 */
size_t rtp_sdes_next(const struct rtp_rtcp_part *part, size_t *offset);

#endif
