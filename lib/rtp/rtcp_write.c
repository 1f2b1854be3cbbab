/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing RTCP.
 */
#include "rtcp_write.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

/** The item of a source description that holds the canonical name (RFC 3550 6.5.1). */
#define SDES_CNAME 1

/** Loss since the beginning as a report can say it (RFC 3550 6.4.1). */
#define LOST_MIN (-0x800000)
#define LOST_MAX 0x7fffff

static_assert(RTP_RTCP_WRITTEN_MAX <= 96, "fits any buffer");

static void
header_write(uint8_t *at, uint8_t type, unsigned count, size_t bytes)
{
	at[0] = (uint8_t)(2 << 6 | count);
	at[1] = type;
	bytes_write16(at + 2, (uint16_t)(bytes / 4 - 1));
}

static size_t
block_write(uint8_t *at, const struct rtp_report_block *block)
{
	int32_t lost = block->lost;

	if (lost < LOST_MIN)
		lost = LOST_MIN;
	if (lost > LOST_MAX)
		lost = LOST_MAX;
	bytes_write32(at, block->ssrc);
	bytes_write32(at + 4, (uint32_t)block->fraction_lost << 24 | ((uint32_t)lost & 0xffffff));
	bytes_write32(at + 8, block->sequence_max);
	bytes_write32(at + 12, block->jitter);
	bytes_write32(at + 16, block->last_sr);
	bytes_write32(at + 20, block->delay_sr);
	return RTP_RTCP_BLOCK_BYTES;
}

static size_t
report_write(uint8_t *at, const struct rtp_rtcp_report *report)
{
	const struct rtp_sender_report *sender = &report->sender;
	size_t bytes = RTP_RTCP_SENDER_BYTES;

	bytes_write32(at + 4, sender->ssrc);
	if (report->is_sender) {
		bytes_write32(at + 8, (uint32_t)(sender->ntp >> 32));
		bytes_write32(at + 12, (uint32_t)sender->ntp);
		bytes_write32(at + 16, sender->timestamp);
		bytes_write32(at + 20, sender->packets);
		bytes_write32(at + 24, sender->octets);
		bytes += RTP_RTCP_INFO_BYTES;
	}
	if (report->hears)
		bytes += block_write(at + bytes, &report->block);
	header_write(at, report->is_sender ? RTP_RTCP_SR : RTP_RTCP_RR, report->hears, bytes);
	return bytes;
}

static size_t
description_write(uint8_t *at, const struct rtp_rtcp_report *report)
{
	size_t length = strnlen(report->cname, RTP_CNAME_BYTES - 1);
	/* The text, its head, and at least one 0 that ends the chunk. */
	size_t bytes = RTP_RTCP_SENDER_BYTES + (2 + length) / 4 * 4 + 4;

	memset(at, 0, bytes);
	header_write(at, RTP_RTCP_SDES, 1, bytes);
	bytes_write32(at + 4, report->sender.ssrc);
	at[8] = SDES_CNAME;
	at[9] = (uint8_t)length;
	memcpy(at + 10, report->cname, length);
	return bytes;
}

static size_t
goodbye_write(uint8_t *at, const struct rtp_rtcp_report *report)
{
	header_write(at, RTP_RTCP_BYE, 1, RTP_RTCP_SENDER_BYTES);
	bytes_write32(at + 4, report->sender.ssrc);
	return RTP_RTCP_SENDER_BYTES;
}

size_t
rtp_rtcp_write(uint8_t *packet, const struct rtp_rtcp_report *report)
{
	size_t bytes = report_write(packet, report);

	bytes += description_write(packet + bytes, report);
	if (report->leaves)
		bytes += goodbye_write(packet + bytes, report);
	return bytes;
}

void
rtp_cname_make(char cname[RTP_CNAME_BYTES], const uint32_t random[3])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (unsigned i = 0; i < RTP_CNAME_BYTES - 1; i++) {
		unsigned bit = 6 * i, word = bit / 32, shift = bit % 32;
		uint64_t two = random[word];

		if (word + 1 < 3)
			two |= (uint64_t)random[word + 1] << 32;
		cname[i] = digits[two >> shift & 63];
	}
	cname[RTP_CNAME_BYTES - 1] = 0;
}
