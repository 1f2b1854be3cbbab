/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a datagram on a media port is: RFC 7983 divides the first byte's values among the
 * protocols, RFC 5761 tells RTCP from RTP by the second (payload types 64 to 95 are never RTP's).
 */
#include "demux.h"

enum rtp_kind
rtp_demux(const uint8_t *packet, size_t packet_bytes)
{
	if (packet_bytes == 0)
		return RTP_KIND_OTHER;
	if (packet[0] >= 128 && packet[0] <= 191) {
		if (packet_bytes > 1 && packet[1] >= 192 && packet[1] <= 223)
			return RTP_KIND_RTCP;
		return RTP_KIND_RTP;
	}
	if (packet[0] <= 3)
		return RTP_KIND_STUN;
	if (packet[0] >= 20 && packet[0] <= 63)
		return RTP_KIND_DTLS;
	return RTP_KIND_OTHER;
}
