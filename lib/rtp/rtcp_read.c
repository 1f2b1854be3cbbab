/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading RTCP. A part is handed out only when its length holds what its count promises, so readers
 * of its fields need no more checks.
 */
#include "rtcp_read.h"

#include <errno.h>

#include "base/bytes.h"

/** Bytes of a feedback or application packet before what is its own: header and two words. */
#define TWO_WORDS_BYTES (RTP_RTCP_HEADER_BYTES + 8)

/** An extended report's VoIP metrics block, and its length in words after the first. */
#define XR_VOIP_METRICS 7
#define XR_VOIP_WORDS   8

static size_t
report_head_bytes(uint8_t type)
{
	return type == RTP_RTCP_SR ? RTP_RTCP_SENDER_BYTES + RTP_RTCP_INFO_BYTES
				   : RTP_RTCP_SENDER_BYTES;
}

static bool
is_report(const struct rtp_rtcp_part *part)
{
	return part->type == RTP_RTCP_SR || part->type == RTP_RTCP_RR;
}

/** Bytes of the chunk of a source description that begins at offset; 0: it is not whole. */
static size_t
chunk_bytes(const struct rtp_rtcp_part *part, size_t offset)
{
	size_t at = offset + 4;

	while (at < part->bytes && part->at[at]) {
		if (at + 1 >= part->bytes)
			return 0;
		at += 2 + (size_t)part->at[at + 1];
	}
	if (at >= part->bytes)
		return 0;
	/* An end mark, and up to the next word. */
	return (at / 4 + 1) * 4 - offset;
}

static bool
sdes_is_whole(const struct rtp_rtcp_part *part)
{
	size_t offset = RTP_RTCP_HEADER_BYTES;

	for (unsigned i = 0; i < part->count; i++) {
		size_t bytes = chunk_bytes(part, offset);

		if (!bytes)
			return false;
		offset += bytes;
	}
	return true;
}

static bool
bye_is_whole(const struct rtp_rtcp_part *part)
{
	size_t reason = RTP_RTCP_HEADER_BYTES + 4 * (size_t)part->count;

	if (part->bytes < reason)
		return false;
	return part->bytes == reason || part->bytes >= reason + 1 + part->at[reason];
}

static bool
xr_is_whole(const struct rtp_rtcp_part *part)
{
	size_t at = RTP_RTCP_SENDER_BYTES;

	while (at < part->bytes) {
		if (part->bytes - at < 4)
			return false;
		at += 4 * ((size_t)bytes_read16(part->at + at + 2) + 1);
	}
	return at == part->bytes;
}

/** True when the part's length holds what its count says; types that are not known may be anything. */
static bool
part_is_whole(const struct rtp_rtcp_part *part)
{
	switch (part->type) {
	case RTP_RTCP_SR:
	case RTP_RTCP_RR:
		return part->bytes >=
		       report_head_bytes(part->type) + (size_t)part->count * RTP_RTCP_BLOCK_BYTES;
	case RTP_RTCP_SDES:
		return sdes_is_whole(part);
	case RTP_RTCP_BYE:
		return bye_is_whole(part);
	case RTP_RTCP_APP:
	case RTP_RTCP_RTPFB:
	case RTP_RTCP_PSFB:
		return part->bytes >= TWO_WORDS_BYTES;
	case RTP_RTCP_XR:
		return xr_is_whole(part);
	default:
		return true;
	}
}

int
rtp_rtcp_next(struct rtp_rtcp_walk *walk, struct rtp_rtcp_part *part)
{
	const uint8_t *at = walk->at;
	size_t left = walk->left, bytes, padding = 0;

	walk->left = 0;
	if (left == 0)
		return 0;
	if (left < RTP_RTCP_HEADER_BYTES || at[0] >> 6 != 2)
		return -EINVAL;
	bytes = 4 * ((size_t)bytes_read16(at + 2) + 1);
	if (bytes > left)
		return -EINVAL;
	if (at[0] & 0x20) {
		padding = at[bytes - 1];
		if (bytes != left || padding == 0 || padding % 4 ||
		    padding > bytes - RTP_RTCP_HEADER_BYTES)
			return -EINVAL;
	}
	*part = (struct rtp_rtcp_part){
		.at = at, .bytes = bytes - padding, .type = at[1], .count = at[0] & 0x1f};
	if (!part_is_whole(part))
		return -EINVAL;
	walk->at = at + bytes;
	walk->left = left - bytes;
	return 1;
}

int
rtp_sender_report_read(const struct rtp_rtcp_part *part, struct rtp_sender_report *report)
{
	const uint8_t *at = part->at;

	if (part->type != RTP_RTCP_SR)
		return -EINVAL;
	*report = (struct rtp_sender_report){
		.ssrc = bytes_read32(at + 4),
		.ntp = (uint64_t)bytes_read32(at + 8) << 32 | bytes_read32(at + 12),
		.timestamp = bytes_read32(at + 16),
		.packets = bytes_read32(at + 20),
		.octets = bytes_read32(at + 24),
	};
	return 0;
}

size_t
rtp_report_block_offset(const struct rtp_rtcp_part *part, unsigned index)
{
	if (!is_report(part) || index >= part->count)
		return 0;
	return report_head_bytes(part->type) + (size_t)index * RTP_RTCP_BLOCK_BYTES;
}

int
rtp_report_block_read(const struct rtp_rtcp_part *part, unsigned index,
		      struct rtp_report_block *block)
{
	size_t offset = rtp_report_block_offset(part, index);
	const uint8_t *at = part->at + offset;
	uint32_t lost;

	if (!offset)
		return -EINVAL;
	lost = bytes_read32(at + 4) & 0xffffff;
	*block = (struct rtp_report_block){
		.ssrc = bytes_read32(at),
		.fraction_lost = at[4],
		.lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost,
		.sequence_max = bytes_read32(at + 8),
		.jitter = bytes_read32(at + 12),
		.last_sr = bytes_read32(at + 16),
		.delay_sr = bytes_read32(at + 20),
	};
	return 0;
}

size_t
rtp_xr_next(const struct rtp_rtcp_part *part, size_t *offset)
{
	size_t at = RTP_RTCP_SENDER_BYTES;

	if (*offset)
		at = *offset + 4 * ((size_t)bytes_read16(part->at + *offset + 2) + 1);
	if (at >= part->bytes)
		return 0;
	*offset = at;
	return 4 * ((size_t)bytes_read16(part->at + at + 2) + 1);
}

int
rtp_voip_metrics_read(const struct rtp_rtcp_part *part, struct rtp_voip_metrics *metrics)
{
	size_t offset = 0;

	if (part->type != RTP_RTCP_XR)
		return -EINVAL;
	while (rtp_xr_next(part, &offset)) {
		const uint8_t *at = part->at + offset;

		if (at[0] != XR_VOIP_METRICS || bytes_read16(at + 2) != XR_VOIP_WORDS)
			continue;
		*metrics = (struct rtp_voip_metrics){
			.ssrc = bytes_read32(at + 4),
			.loss_256 = at[8],
			.discarded_256 = at[9],
			.round_trip_ms = bytes_read16(at + 16),
			.r_factor = at[24],
			.mos_lq_x10 = at[26],
			.mos_cq_x10 = at[27],
		};
		return 0;
	}
	return -EINVAL;
}

size_t
rtp_sdes_next(const struct rtp_rtcp_part *part, size_t *offset)
{
	size_t at = RTP_RTCP_HEADER_BYTES;
	unsigned before = 0;

	/* Chunks are counted, not marked: what follows the last one is nothing. */
	for (; before < part->count && at <= *offset; before++)
		at += chunk_bytes(part, at);
	if (before == part->count)
		return 0;
	*offset = at;
	return chunk_bytes(part, at);
}
