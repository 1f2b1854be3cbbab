/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP that a relay passes on, put into terms of who gets it. Between two parties whose RTP streams
 * the relay renumbers, a report speaks of streams as its sender sees them; the receiver knows them
 * by other names and numbers.
 */
#ifndef STW_RTP_RTCP_REWRITE_H
#define STW_RTP_RTCP_REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Reports of a source that a party is reminded of: the last one and the one before. */
#define RTP_RTCP_REPORTS_KNOWN 2

/** What stands for what. *Own* is the sender's stream, *peer's* the one that it receives. */
struct rtp_rtcp_mapping {
	uint32_t own_from;      /**< source that the sender sends RTP as */
	uint32_t own_to;        /**< as the receiver knows it */
	uint32_t own_timestamp; /**< added to RTP timestamps of its sender reports */
	uint32_t peer_from;     /**< source that the sender receives */
	uint32_t peer_to;       /**< what the receiver sends RTP as */
	uint16_t peer_sequence; /**< added to sequence numbers of that stream */
	bool own_from_is_known; /**< false: it has sent no RTP; every source of its own is meant */
	bool peer_to_is_known;  /**< false: what it receives is not the receiver's: left as it is */
	uint8_t reports_known;  /**< of `reports`; others were not the receiver's */
	uint32_t reports
		[RTP_RTCP_REPORTS_KNOWN]; /**< sender reports that the receiver sent, as last_sr */
};

/**
 * Rewrite a compound packet in place; its length and its lengths stay.
 *
 * The sender of a report, of feedback or of an application's packet becomes own_to. So do sources of
 * sender reports, descriptions and goodbyes when they are own_from: a goodbye to a former source of
 * the sender is not one of the stream that goes on. What is told about peer_from becomes peer_to with
 * sequence numbers mapped back; a last_sr that is none of `reports` becomes 0, "none came", so that
 * nobody takes another's report for his own. Other sources and types stay.
 *
 * @param packet        borrowed, changed; checked by rtp_rtcp_check_reduced
 * @param packet_bytes  its length
 * @param mapping       borrowed
 * @return number of parts, 1 or more
 * @return -EINVAL  a part is not whole; parts before it may be rewritten
 *
 * Threads:  one for each packet.
 * Progress: wait-free (bound: packet_bytes).
 * Order:    none needed.
 * Source:   RFC 3550 6.4 to 6.7, 7.1; RFC 4585 6; RFC 5104 4 (sources in feedback); RFC 3611 4.
 */
int rtp_rtcp_rewrite(uint8_t *packet, size_t packet_bytes, const struct rtp_rtcp_mapping *mapping);

#endif
