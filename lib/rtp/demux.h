/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a datagram on a media port is, by its first bytes.
 */
#ifndef STW_RTP_DEMUX_H
#define STW_RTP_DEMUX_H

#include <stddef.h>
#include <stdint.h>

/** Protocols that share a media port. */
enum rtp_kind {
	RTP_KIND_OTHER, /**< none of the below: empty, ZRTP, TURN channel, QUIC, garbage */
	RTP_KIND_RTP,   /**< RTP; stw_rtp_read says whether it is whole */
	RTP_KIND_RTCP,  /**< RTCP; rtp_rtcp_check says whether it is whole */
	RTP_KIND_STUN,  /**< STUN */
	RTP_KIND_DTLS,  /**< DTLS */
};

/**
 * Tell the protocol of a datagram. Nothing but the first two bytes is looked at.
 *
 * @param packet        borrowed; what UDP carried; may be NULL when packet_bytes is 0
 * @param packet_bytes  its length
 * @return which protocol
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 * Source:   RFC 7983 7 (first byte), RFC 5761 4 (RTCP: second byte 192 to 223).
 */
enum rtp_kind rtp_demux(const uint8_t *packet, size_t packet_bytes);

#endif
