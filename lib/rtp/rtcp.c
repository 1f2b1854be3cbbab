/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP: header checks of a compound packet (RFC 3550 A.2).
 */
#include "rtcp.h"

#include <errno.h>

/** Bytes of the header that all RTCP packets have. */
#define RTCP_HEADER_BYTES 4

/* Bytes of padding at the packet's end are a multiple of 4 and leave the header (RFC 3550 6.4.1). */
static int
padding_is_valid(const uint8_t *packet, size_t bytes)
{
	uint8_t padding = packet[bytes - 1];

	return padding > 0 && padding % 4 == 0 && padding <= bytes - RTCP_HEADER_BYTES;
}

int
rtp_rtcp_check(const uint8_t *packet, size_t packet_bytes)
{
	size_t left = packet_bytes;
	int packets = 0;

	if (left < RTCP_HEADER_BYTES || packet[0] & 0x20)
		return -EINVAL;
	if (packet[1] != RTP_RTCP_SR && packet[1] != RTP_RTCP_RR)
		return -EINVAL;
	while (left > 0) {
		size_t bytes;

		if (left < RTCP_HEADER_BYTES || packet[0] >> 6 != 2)
			return -EINVAL;
		bytes = 4 * (((size_t)packet[2] << 8 | packet[3]) + 1);
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
