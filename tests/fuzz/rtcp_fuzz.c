/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP: a compound packet that passes is one for whoever walks it by its lengths, too. What is read of
 * its parts lies inside of them, and rewriting changes neither its shape nor what it is about.
 */
#include "fuzz.h"

#include <string.h>

#include "rtp/demux.h"
#include "rtp/rtcp.h"
#include "rtp/rtcp_read.h"
#include "rtp/rtcp_rewrite.h"

static void
walk_by_lengths(const uint8_t *bytes, size_t count, int packets)
{
	size_t place = 0;

	FUZZ_ASSERT(packets > 0 && count % 4 == 0);
	FUZZ_ASSERT(rtp_demux(bytes, count) == RTP_KIND_RTCP);
	for (; packets > 0; packets--) {
		FUZZ_ASSERT(place + 4 <= count && bytes[place] >> 6 == 2);
		place += 4 + 4 * ((size_t)bytes[place + 2] << 8 | bytes[place + 3]);
	}
	FUZZ_ASSERT(place == count);
}

static void
part_read(const struct rtp_rtcp_part *part)
{
	struct rtp_sender_report report;
	struct rtp_voip_metrics metrics;
	struct rtp_report_block block;
	unsigned blocks = 0, chunks = 0;
	size_t offset = 0, bytes;

	rtp_sender_report_read(part, &report);
	rtp_voip_metrics_read(part, &metrics);
	while (rtp_report_block_read(part, blocks, &block) == 0)
		blocks++;
	if (part->type == RTP_RTCP_SR || part->type == RTP_RTCP_RR)
		FUZZ_ASSERT(blocks == part->count);
	else
		FUZZ_ASSERT(blocks == 0);
	if (part->type == RTP_RTCP_XR)
		while ((bytes = rtp_xr_next(part, &offset)) != 0)
			FUZZ_ASSERT(offset + bytes <= part->bytes);
	if (part->type != RTP_RTCP_SDES)
		return;
	for (; (bytes = rtp_sdes_next(part, &offset)) != 0; chunks++)
		FUZZ_ASSERT(offset + bytes <= part->bytes);
	FUZZ_ASSERT(chunks == part->count);
}

/* Parts of a packet; types and lengths of them go into shape. -1: not whole. */
static int
parts_read(const uint8_t *bytes, size_t count, uint64_t *shape)
{
	struct rtp_rtcp_walk walk = rtp_rtcp_walk(bytes, count);
	struct rtp_rtcp_part part;
	int found, parts = 0;

	while ((found = rtp_rtcp_next(&walk, &part)) > 0) {
		FUZZ_ASSERT(part.at >= bytes && part.at + part.bytes <= bytes + count);
		part_read(&part);
		*shape = *shape * 31 + part.bytes * 256 + part.type;
		parts++;
	}
	return found < 0 ? -1 : parts;
}

static uint32_t
word_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static void
rewrite(const uint8_t *bytes, size_t count)
{
	/* The first source, and what follows it, are likely to be met in the packet. */
	struct rtp_rtcp_mapping mapping = {.own_to = 0x0a0a0a0a,
					   .peer_to = 0x0b0b0b0b,
					   .own_timestamp = 77,
					   .peer_sequence = 60000,
					   .own_from_is_known = count & 4,
					   .peer_to_is_known = true};
	uint64_t shape = 0, shape_after = 0;
	uint8_t *copy = malloc(count);
	int parts = parts_read(bytes, count, &shape);

	memcpy(copy, bytes, count);
	if (count >= 16) {
		mapping.own_from = word_at(bytes + 4);
		mapping.peer_from = word_at(bytes + 8);
	}
	FUZZ_ASSERT(rtp_rtcp_rewrite(copy, count, &mapping) == (parts > 0 ? parts : -22));
	if (parts > 0)
		FUZZ_ASSERT(parts_read(copy, count, &shape_after) == parts && shape == shape_after);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	int packets = rtp_rtcp_check(bytes, count);
	int reduced = rtp_rtcp_check_reduced(bytes, count);

	FUZZ_ASSERT(packets < 0 || packets == reduced);
	if (reduced > 0)
		walk_by_lengths(bytes, count, reduced);
	if (count > 0)
		rewrite(bytes, count);
	return 0;
}
