/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP: is a datagram a whole compound packet?
 */
#ifndef STW_RTP_RTCP_H
#define STW_RTP_RTCP_H

#include <stddef.h>
#include <stdint.h>

/** Packet types (RFC 3550 12.1). */
#define RTP_RTCP_SR  200
#define RTP_RTCP_RR  201
#define RTP_RTCP_BYE 203

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

#endif
