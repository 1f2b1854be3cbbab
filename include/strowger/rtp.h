/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTP headers: fields of one packet, read in place. Pure, per packet, inline.
 */
#ifndef STROWGER_RTP_H
#define STROWGER_RTP_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of an RTP header without contributing sources and extension. */
#define STW_RTP_HEADER_BYTES 12

/** Static payload types of G.711 (RFC 3551 table 4). */
#define STW_RTP_PT_PCMU 0
#define STW_RTP_PT_PCMA 8

/** Fields of one RTP packet. */
struct stw_rtp_header {
	uint8_t marker;          /**< 0 or 1 */
	uint8_t payload_type;    /**< 0 to 127 */
	uint16_t sequence;       /**< wraps after 65535 */
	uint32_t timestamp;      /**< in units of the payload's clock; wraps */
	uint32_t ssrc;           /**< synchronisation source */
	uint32_t payload_offset; /**< bytes from the packet's start to the payload */
	uint32_t payload_bytes;  /**< bytes of payload without padding; may be 0 */
};

/**
 * Read the header of an RTP packet; nothing outside of packet_bytes is touched.
 *
 * @param packet        borrowed; what UDP carried
 * @param packet_bytes  its length
 * @param header        filled on success only
 * @return 0
 * @return -EINVAL  not version 2, or shorter than its own header, extension or padding says
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 * Source:   RFC 3550 5.1, 5.3.1.
 */
static inline int
stw_rtp_read(const uint8_t *packet, size_t packet_bytes, struct stw_rtp_header *header)
{
	size_t offset, padding = 0;

	if (packet_bytes < STW_RTP_HEADER_BYTES || packet[0] >> 6 != 2)
		return -EINVAL;
	offset = STW_RTP_HEADER_BYTES + 4 * (size_t)(packet[0] & 0x0f);
	if (packet[0] & 0x10) {
		if (packet_bytes < offset + 4)
			return -EINVAL;
		offset += 4 + 4 * ((size_t)packet[offset + 2] << 8 | packet[offset + 3]);
	}
	if (packet_bytes < offset)
		return -EINVAL;
	if (packet[0] & 0x20) {
		if (packet_bytes == offset)
			return -EINVAL;
		padding = packet[packet_bytes - 1];
		if (padding == 0 || padding > packet_bytes - offset)
			return -EINVAL;
	}
	header->marker = packet[1] >> 7;
	header->payload_type = packet[1] & 0x7f;
	header->sequence = (uint16_t)(packet[2] << 8 | packet[3]);
	header->timestamp = (uint32_t)packet[4] << 24 | (uint32_t)packet[5] << 16 |
			    (uint32_t)packet[6] << 8 | packet[7];
	header->ssrc = (uint32_t)packet[8] << 24 | (uint32_t)packet[9] << 16 |
		       (uint32_t)packet[10] << 8 | packet[11];
	header->payload_offset = (uint32_t)offset;
	header->payload_bytes = (uint32_t)(packet_bytes - offset - padding);
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif
