/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP: is a datagram a whole compound packet?
 */
#ifndef STW_RTP_RTCP_H
#define STW_RTP_RTCP_H

#include <stddef.h>
#include <stdint.h>

/** Packet types (RFC 3550 12.1, RFC 4585 6.1, RFC 3611 2). */
#define RTP_RTCP_SR    200
#define RTP_RTCP_RR    201
#define RTP_RTCP_SDES  202
#define RTP_RTCP_BYE   203
#define RTP_RTCP_APP   204
#define RTP_RTCP_RTPFB 205
#define RTP_RTCP_PSFB  206
#define RTP_RTCP_XR    207

/** Bytes of the header that all RTCP packets have. */
#define RTP_RTCP_HEADER_BYTES 4

/** Bytes of a report block, of sender information, and of what is before either. */
#define RTP_RTCP_BLOCK_BYTES  24
#define RTP_RTCP_INFO_BYTES   20
#define RTP_RTCP_SENDER_BYTES 8

/**
 * Check the headers of a compound RTCP packet: each of version 2, a report first, padding only in
 * the last, lengths that add up to the datagram's.
 *
 * @param packet        borrowed; what UDP carried
 * @param packet_bytes  its length
 * @return number of RTCP packets in it, 1 or more
 * @return -EINVAL  not a compound RTCP packet
 *
 * Threads:  any.
 * Progress: wait-free (bound: packet_bytes / 4).
 * Order:    none needed.
 * Source:   RFC 3550 A.2, 6.4.1 (padding).
 */
int rtp_rtcp_check(const uint8_t *packet, size_t packet_bytes);

/**
 * As rtp_rtcp_check, but the first may be of any of RTCP's types, 192 to 223: a reduced-size packet,
 * as two parties may have agreed to send. For who already knows whose packet it is.
 *
 * Threads: any. Progress: wait-free (bound: packet_bytes / 4). Order: none needed.
 * Source:  RFC 5506 3.4.1, 4.1.
 */
int rtp_rtcp_check_reduced(const uint8_t *packet, size_t packet_bytes);

#endif
