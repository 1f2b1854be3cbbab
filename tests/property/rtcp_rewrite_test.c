/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever compound packet comes in, what goes out is the same but for sources, sequence numbers and
 * times that are to be mapped. The packet and what it has to become are written side by side, field by
 * field, from a seed that a failure names.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "rtp/rtcp.h"
#include "rtp/rtcp_rewrite.h"

#define SEEDS      20000
#define SOAK_SEEDS 2000000
#define PARTS_MAX  6

/* A packet as it comes and as it has to go. */
struct pair {
	uint8_t in[2048], out[2048];
	size_t bytes;
	uint64_t random;
	struct rtp_rtcp_mapping mapping;
};

static uint32_t
draw(struct pair *pair, uint32_t below)
{
	pair->random = pair->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(((pair->random >> 32) * below) >> 32);
}

static uint32_t
draw_word(struct pair *pair)
{
	return draw(pair, 65536) << 16 | draw(pair, 65536);
}

static void
put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void
add32(struct pair *pair, uint32_t in, uint32_t out)
{
	put32(pair->in + pair->bytes, in);
	put32(pair->out + pair->bytes, out);
	pair->bytes += 4;
}

static void
add_words(struct pair *pair, unsigned words)
{
	while (words--) {
		uint32_t word = draw_word(pair);

		add32(pair, word, word);
	}
}

/* A source of the sender's own; true when it is the stream that goes on. */
static bool
add_own(struct pair *pair)
{
	const struct rtp_rtcp_mapping *mapping = &pair->mapping;
	uint32_t ssrc = draw(pair, 3) ? mapping->own_from : draw_word(pair);
	bool mapped = !mapping->own_from_is_known || ssrc == mapping->own_from;

	add32(pair, ssrc, mapped ? mapping->own_to : ssrc);
	return mapped;
}

static void
add_sender(struct pair *pair)
{
	add32(pair, draw_word(pair), pair->mapping.own_to);
}

/* What is told about; true when it is the receiver's stream. */
static bool
add_peer(struct pair *pair)
{
	const struct rtp_rtcp_mapping *mapping = &pair->mapping;
	uint32_t ssrc = draw(pair, 3) ? mapping->peer_from : draw_word(pair);
	bool mapped = mapping->peer_to_is_known && ssrc == mapping->peer_from;

	add32(pair, ssrc, mapped ? mapping->peer_to : ssrc);
	return mapped;
}

static void
add_sequences(struct pair *pair, bool mapped)
{
	uint32_t first = draw(pair, 65536), last = draw(pair, 65536);
	uint16_t add = mapped ? pair->mapping.peer_sequence : 0;

	add32(pair, first << 16 | last,
	      (uint32_t)(uint16_t)(first + add) << 16 | (uint16_t)(last + add));
}

static void
add_blocks(struct pair *pair, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		bool mapped = add_peer(pair);
		uint32_t highest, known = draw(pair, 4), last_sr;

		add_words(pair, 1);
		highest = draw_word(pair);
		add32(pair, highest, highest + (mapped ? pair->mapping.peer_sequence : 0));
		add_words(pair, 1);
		last_sr = known < 2 ? pair->mapping.reports[known] : draw_word(pair);
		if (mapped && known >= pair->mapping.reports_known) {
			add32(pair, last_sr, 0);
			add32(pair, draw_word(pair), 0);
		} else {
			add32(pair, last_sr, last_sr);
			add_words(pair, 1);
		}
	}
}

static void
add_sender_report(struct pair *pair, unsigned count)
{
	bool mapped = add_own(pair);
	uint32_t timestamp;

	add_words(pair, 2);
	timestamp = draw_word(pair);
	add32(pair, timestamp, timestamp + (mapped ? pair->mapping.own_timestamp : 0));
	add_words(pair, 2);
	add_blocks(pair, count);
	add_words(pair, draw(pair, 3));
}

static void
add_description(struct pair *pair, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned length = draw(pair, 20), start;

		add_own(pair);
		start = (unsigned)pair->bytes;
		memset(pair->in + start, 0, 28);
		pair->in[start] = 1;
		pair->in[start + 1] = (uint8_t)length;
		memset(pair->in + start + 2, 'n', length);
		memcpy(pair->out + start, pair->in + start, 28);
		pair->bytes += (2 + length) / 4 * 4 + 4;
	}
}

static void
add_feedback(struct pair *pair, uint8_t type, unsigned format)
{
	bool entries =
		type == RTP_RTCP_RTPFB ? format == 3 || format == 4 : format >= 4 && format <= 6;
	bool mapped;

	add_sender(pair);
	mapped = add_peer(pair);
	for (unsigned i = draw(pair, 4); i > 0; i--) {
		if (type == RTP_RTCP_RTPFB && format == 1) {
			uint32_t sequence = draw(pair, 65536), mask = draw(pair, 65536);
			uint16_t add = mapped ? pair->mapping.peer_sequence : 0;

			add32(pair, sequence << 16 | mask,
			      (uint32_t)(uint16_t)(sequence + add) << 16 | mask);
		} else if (entries) {
			add_peer(pair);
			add_words(pair, 1);
		} else {
			add_words(pair, 1);
		}
	}
}

static void
add_extended(struct pair *pair)
{
	add_sender(pair);
	for (unsigned i = draw(pair, 5); i > 0; i--) {
		uint32_t type = draw(pair, 10), words = 2 + draw(pair, 6);

		if (type == 5)
			words = 3 * draw(pair, 3);
		if (type == 7)
			words = 8;
		add32(pair, type << 24 | words, type << 24 | words);
		if (type == 5) {
			for (uint32_t part = 0; part < words / 3; part++) {
				add_peer(pair);
				add_words(pair, 2);
			}
		} else if (type == 7) {
			add_peer(pair);
			add_words(pair, 7);
		} else if ((type >= 1 && type <= 3) || type == 6) {
			add_sequences(pair, add_peer(pair));
			add_words(pair, words - 2);
		} else {
			add_words(pair, words);
		}
	}
}

static void
part_make(struct pair *pair)
{
	uint8_t type = (uint8_t)(200 + draw(pair, 10));
	unsigned count = draw(pair, type == RTP_RTCP_RTPFB || type == RTP_RTCP_PSFB ? 15 : 4);
	size_t start = pair->bytes;

	pair->bytes += 4;
	if (type == RTP_RTCP_SR) {
		add_sender_report(pair, count);
	} else if (type == RTP_RTCP_RR) {
		add_sender(pair);
		add_blocks(pair, count);
	} else if (type == RTP_RTCP_SDES) {
		add_description(pair, count);
	} else if (type == RTP_RTCP_BYE) {
		for (unsigned i = 0; i < count; i++)
			add_own(pair);
	} else if (type == RTP_RTCP_APP) {
		add_sender(pair);
		add_words(pair, 1 + draw(pair, 4));
	} else if (type == RTP_RTCP_XR) {
		add_extended(pair);
	} else if (type == RTP_RTCP_RTPFB || type == RTP_RTCP_PSFB) {
		add_feedback(pair, type, count);
	} else {
		add_words(pair, draw(pair, 4));
	}
	put32(pair->in + start, (uint32_t)(0x80 | count) << 24 | (uint32_t)type << 16 |
					(uint32_t)((pair->bytes - start) / 4 - 1));
	memcpy(pair->out + start, pair->in + start, 4);
}

static void
run_seed(struct pair *pair, uint64_t seed)
{
	struct rtp_rtcp_mapping *mapping = &pair->mapping;
	unsigned parts;

	pair->random = seed;
	pair->bytes = 0;
	*mapping = (struct rtp_rtcp_mapping){.own_from = draw_word(pair),
					     .own_to = draw_word(pair),
					     .own_timestamp = draw_word(pair),
					     .peer_from = draw_word(pair),
					     .peer_to = draw_word(pair),
					     .peer_sequence = (uint16_t)draw(pair, 65536),
					     .own_from_is_known = draw(pair, 4),
					     .peer_to_is_known = draw(pair, 4),
					     .reports_known = (uint8_t)draw(pair, 3),
					     .reports = {draw_word(pair), draw_word(pair)}};
	parts = 1 + draw(pair, PARTS_MAX);
	for (unsigned i = 0; i < parts; i++)
		part_make(pair);
	cr_assert_eq(rtp_rtcp_rewrite(pair->in, pair->bytes, mapping), (int)parts, "seed %lu",
		     seed);
	cr_assert_eq(rtp_rtcp_check_reduced(pair->in, pair->bytes), (int)parts, "seed %lu", seed);
	for (size_t i = 0; i < pair->bytes; i++)
		cr_assert_eq(pair->in[i], pair->out[i], "seed %lu byte %zu", seed, i);
}

Test(rtcp_rewrite, any_compound_packet_becomes_what_its_fields_say, .timeout = 600)
{
	uint64_t seeds = getenv("STW_SOAK") ? SOAK_SEEDS : SEEDS;
	struct pair *pair = calloc(1, sizeof(*pair));

	for (uint64_t seed = 1; seed <= seeds; seed++)
		run_seed(pair, seed);
	free(pair);
}
