/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP rewritten for another party. Places are found by the readers of rtcp_read.h, which hand out
 * whole parts only.
 */
#include "rtcp_rewrite.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "rtcp_read.h"

/** Feedback formats whose entries begin with a source, 8 bytes each (RFC 5104 4.2, 4.3). */
#define RTPFB_TMMBR 3
#define RTPFB_TMMBN 4
#define PSFB_FIR    4
#define PSFB_TSTR   5
#define PSFB_TSTN   6

/** Application layer feedback (RFC 4585 6.4), and where a bitrate estimate's sources are. */
#define PSFB_AFB          15
#define REMB_NAME_OFFSET  12
#define REMB_COUNT_OFFSET 16
#define REMB_LIST_OFFSET  20

#define FEEDBACK_MEDIA_OFFSET   8
#define FEEDBACK_ENTRIES_OFFSET 12
#define FEEDBACK_ENTRY_BYTES    8

/** Blocks of extended reports (RFC 3611 4). */
#define XR_LOSS_RLE      1
#define XR_DUPLICATE_RLE 2
#define XR_RECEIPT_TIMES 3
#define XR_DELAY_SR      5
#define XR_STATISTICS    6
#define XR_VOIP_METRICS  7

/** Bytes of a sub-block of XR_DELAY_SR. */
#define XR_DELAY_BYTES 12

/** A source of the sender's own: the stream that goes on, or one that was. */
static void
own_map(uint8_t *at, const struct rtp_rtcp_mapping *mapping)
{
	if (!mapping->own_from_is_known || bytes_read32(at) == mapping->own_from)
		bytes_write32(at, mapping->own_to);
}

/** A source that is told about; true when it is the receiver's. */
static bool
peer_map(uint8_t *at, const struct rtp_rtcp_mapping *mapping)
{
	if (!mapping->peer_to_is_known || bytes_read32(at) != mapping->peer_from)
		return false;
	bytes_write32(at, mapping->peer_to);
	return true;
}

static void
sequence_map(uint8_t *at, const struct rtp_rtcp_mapping *mapping)
{
	bytes_write16(at, (uint16_t)(bytes_read16(at) + mapping->peer_sequence));
}

/** Leave last_sr and delay_sr if they speak of a report that the receiver sent. */
static void
last_sr_map(uint8_t *at, const struct rtp_rtcp_mapping *mapping)
{
	uint32_t last_sr = bytes_read32(at);

	for (unsigned i = 0; i < mapping->reports_known; i++) {
		if (last_sr == mapping->reports[i])
			return;
	}
	memset(at, 0, 8);
}

static void
blocks_map(uint8_t *bytes, const struct rtp_rtcp_part *part, const struct rtp_rtcp_mapping *mapping)
{
	for (unsigned i = 0; i < part->count; i++) {
		uint8_t *at = bytes + rtp_report_block_offset(part, i);

		if (!peer_map(at, mapping))
			continue;
		/* The same is added to all, so differences and the number of cycles stay true. */
		bytes_write32(at + 8, bytes_read32(at + 8) + mapping->peer_sequence);
		last_sr_map(at + 16, mapping);
	}
}

static void
sender_report_map(uint8_t *bytes, const struct rtp_rtcp_part *part,
		  const struct rtp_rtcp_mapping *mapping)
{
	if (!mapping->own_from_is_known || bytes_read32(bytes + 4) == mapping->own_from) {
		bytes_write32(bytes + 4, mapping->own_to);
		bytes_write32(bytes + 16, bytes_read32(bytes + 16) + mapping->own_timestamp);
	}
	blocks_map(bytes, part, mapping);
}

static void
sdes_map(uint8_t *bytes, const struct rtp_rtcp_part *part, const struct rtp_rtcp_mapping *mapping)
{
	size_t offset = 0;

	while (rtp_sdes_next(part, &offset))
		own_map(bytes + offset, mapping);
}

static bool
entries_have_sources(const struct rtp_rtcp_part *part)
{
	if (part->type == RTP_RTCP_RTPFB)
		return part->count == RTPFB_TMMBR || part->count == RTPFB_TMMBN;
	return part->count == PSFB_FIR || part->count == PSFB_TSTR || part->count == PSFB_TSTN;
}

/** Sources that a receiver's estimate of the bit rate is for. */
static void
remb_map(uint8_t *bytes, const struct rtp_rtcp_part *part, const struct rtp_rtcp_mapping *mapping)
{
	if (part->bytes < REMB_LIST_OFFSET || memcmp(bytes + REMB_NAME_OFFSET, "REMB", 4) != 0)
		return;
	for (unsigned i = 0; i < bytes[REMB_COUNT_OFFSET]; i++) {
		size_t at = REMB_LIST_OFFSET + 4 * (size_t)i;

		if (at + 4 > part->bytes)
			return;
		peer_map(bytes + at, mapping);
	}
}

static void
feedback_map(uint8_t *bytes, const struct rtp_rtcp_part *part,
	     const struct rtp_rtcp_mapping *mapping)
{
	peer_map(bytes + FEEDBACK_MEDIA_OFFSET, mapping);
	if (part->type == RTP_RTCP_PSFB && part->count == PSFB_AFB)
		remb_map(bytes, part, mapping);
	if (!entries_have_sources(part))
		return;
	for (size_t at = FEEDBACK_ENTRIES_OFFSET; at + FEEDBACK_ENTRY_BYTES <= part->bytes;
	     at += FEEDBACK_ENTRY_BYTES)
		peer_map(bytes + at, mapping);
}

/** Lost packets by number in generic feedback: each entry begins with one (RFC 4585 6.2.1). */
static void
nack_map(uint8_t *bytes, const struct rtp_rtcp_part *part, const struct rtp_rtcp_mapping *mapping)
{
	if (!peer_map(bytes + FEEDBACK_MEDIA_OFFSET, mapping))
		return;
	for (size_t at = FEEDBACK_ENTRIES_OFFSET; at + 4 <= part->bytes; at += 4)
		sequence_map(bytes + at, mapping);
}

static void
xr_block_map(uint8_t *bytes, size_t block_bytes, const struct rtp_rtcp_mapping *mapping)
{
	switch (bytes[0]) {
	case XR_LOSS_RLE:
	case XR_DUPLICATE_RLE:
	case XR_RECEIPT_TIMES:
	case XR_STATISTICS:
		/* A source, the first sequence number and the one after the last. */
		if (block_bytes >= 12 && peer_map(bytes + 4, mapping)) {
			sequence_map(bytes + 8, mapping);
			sequence_map(bytes + 10, mapping);
		}
		break;
	case XR_DELAY_SR:
		for (size_t at = 4; at + XR_DELAY_BYTES <= block_bytes; at += XR_DELAY_BYTES)
			peer_map(bytes + at, mapping);
		break;
	case XR_VOIP_METRICS:
		if (block_bytes >= 8)
			peer_map(bytes + 4, mapping);
		break;
	default:
		break;
	}
}

static void
xr_map(uint8_t *bytes, const struct rtp_rtcp_part *part, const struct rtp_rtcp_mapping *mapping)
{
	size_t offset = 0, block_bytes;

	while ((block_bytes = rtp_xr_next(part, &offset)) != 0)
		xr_block_map(bytes + offset, block_bytes, mapping);
}

static void
part_map(uint8_t *bytes, const struct rtp_rtcp_part *part, const struct rtp_rtcp_mapping *mapping)
{
	switch (part->type) {
	case RTP_RTCP_SR:
		sender_report_map(bytes, part, mapping);
		return;
	case RTP_RTCP_SDES:
		sdes_map(bytes, part, mapping);
		return;
	case RTP_RTCP_BYE:
		for (unsigned i = 0; i < part->count; i++)
			own_map(bytes + RTP_RTCP_HEADER_BYTES + 4 * (size_t)i, mapping);
		return;
	case RTP_RTCP_RR:
		blocks_map(bytes, part, mapping);
		break;
	case RTP_RTCP_RTPFB:
		if (part->count == 1)
			nack_map(bytes, part, mapping);
		else
			feedback_map(bytes, part, mapping);
		break;
	case RTP_RTCP_PSFB:
		feedback_map(bytes, part, mapping);
		break;
	case RTP_RTCP_XR:
		xr_map(bytes, part, mapping);
		break;
	case RTP_RTCP_APP:
		break;
	default:
		return;
	}
	bytes_write32(bytes + 4, mapping->own_to);
}

int
rtp_rtcp_rewrite(uint8_t *packet, size_t packet_bytes, const struct rtp_rtcp_mapping *mapping)
{
	struct rtp_rtcp_walk walk = rtp_rtcp_walk(packet, packet_bytes);
	struct rtp_rtcp_part part;
	int found, parts = 0;

	while ((found = rtp_rtcp_next(&walk, &part)) > 0) {
		part_map(packet + (part.at - packet), &part, mapping);
		parts++;
	}
	return found < 0 || parts == 0 ? -EINVAL : parts;
}
