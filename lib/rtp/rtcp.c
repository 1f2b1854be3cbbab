/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP: header checks of a compound packet (RFC 3550 A.2).
 */
#include "rtcp.h"

#include <errno.h>
#include <stdbool.h>

#include "base/bytes.h"

/** Version 2 without padding, as the first byte has it in its three high bits. */
#define FIRST_PLAIN 0x80
#define FIRST_MASK  0xe0

/* Bytes of padding at the packet's end are a multiple of 4 and leave the header (RFC 3550 6.4.1). */
static bool
padding_is_valid(const uint8_t *packet, size_t bytes)
{
	uint8_t padding = packet[bytes - 1];

	return padding > 0 && padding % 4 == 0 && padding <= bytes - RTP_RTCP_HEADER_BYTES;
}

/** Count the packets of a datagram; -EINVAL when their headers do not lead to its end. */
static int
packets_count(const uint8_t *packet, size_t left)
{
	int packets = 0;

	while (left > 0) {
		size_t bytes;

		if (left < RTP_RTCP_HEADER_BYTES || packet[0] >> 6 != 2)
			return -EINVAL;
		bytes = 4 * ((size_t)bytes_read16(packet + 2) + 1);
		if (bytes > left)
			return -EINVAL;
		if (packet[0] & 0x20 && (bytes != left || !padding_is_valid(packet, bytes)))
			return -EINVAL;
		packet += bytes;
		left -= bytes;
		packets++;
	}
	return packets;
}

int
rtp_rtcp_check(const uint8_t *packet, size_t packet_bytes)
{
	if (packet_bytes < RTP_RTCP_HEADER_BYTES || (packet[0] & FIRST_MASK) != FIRST_PLAIN)
		return -EINVAL;
	if (packet[1] != RTP_RTCP_SR && packet[1] != RTP_RTCP_RR)
		return -EINVAL;
	return packets_count(packet, packet_bytes);
}

int
rtp_rtcp_check_reduced(const uint8_t *packet, size_t packet_bytes)
{
	if (packet_bytes < RTP_RTCP_HEADER_BYTES || packet[1] < 192 || packet[1] > 223)
		return -EINVAL;
	return packets_count(packet, packet_bytes);
}
