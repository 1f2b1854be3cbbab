/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "rtp/rtcp_rewrite.h"

/* The sender sends as 01010101 and receives 02020202; the receiver knows it as 0a0a0a0a and sends as 0b0b0b0b. */
#define OWN  1, 1, 1, 1
#define PEER 2, 2, 2, 2
#define A    10, 10, 10, 10
#define B    11, 11, 11, 11
#define ELSE 9, 9, 9, 9

static const struct rtp_rtcp_mapping mapping = {
	.own_from = 0x01010101,
	.own_to = 0x0a0a0a0a,
	.own_timestamp = 0x100,
	.peer_from = 0x02020202,
	.peer_to = 0x0b0b0b0b,
	.peer_sequence = 0xfff0,
	.own_from_is_known = true,
	.peer_to_is_known = true,
	.reports_known = 2,
	.reports = {0x11111111, 0x22222222},
};

static void
expect(const uint8_t *in, const uint8_t *out, size_t bytes, const struct rtp_rtcp_mapping *by)
{
	uint8_t packet[256];

	memcpy(packet, in, bytes);
	cr_assert_gt(rtp_rtcp_rewrite(packet, bytes, by), 0);
	for (size_t i = 0; i < bytes; i++)
		cr_assert_eq(packet[i], out[i], "byte %zu: %02x, not %02x", i, packet[i], out[i]);
}

#define EXPECT(by, ...) /* two packets of one size */                                              \
	do {                                                                                       \
		static const uint8_t pair[][sizeof(                                                \
			(const uint8_t[][PAIR_BYTES]){__VA_ARGS__}[0])] = {__VA_ARGS__};           \
		expect(pair[0], pair[1], sizeof(pair[0]), by);                                     \
	} while (0)

#define PAIR_BYTES 52
Test(rtcp_rewrite, sender_report_names_and_numbers_the_receivers_streams)
{
	EXPECT(&mapping, {0x81, 200,  0, 12, OWN, 1, 2,    3,    4,    5,    6,  7, 8, 0, 1, 0xff,
			  1,    0,    0, 0,  5,   0, 0,    3,    32,   PEER, 64, 0, 0, 7, 0, 2,
			  0,    0x20, 0, 0,  0,   8, 0x22, 0x22, 0x22, 0x22, 0,  1, 0, 0},
	       {0x81, 200,  0, 12, A, 1, 2,    3,    4,    5,    6,  7, 8, 0, 2, 0,
		1,    0,    0, 0,  5, 0, 0,    3,    32,   B,    64, 0, 0, 7, 0, 3,
		0,    0x10, 0, 0,  0, 8, 0x22, 0x22, 0x22, 0x22, 0,  1, 0, 0});
}

#undef PAIR_BYTES

#define PAIR_BYTES 48
Test(rtcp_rewrite, former_source_of_the_sender_is_not_the_stream_that_goes_on)
{
	EXPECT(&mapping,
	       {0x80, 200, 0, 6, ELSE, 1, 2,  3,    4,   5, 6, 7,    8,   0,    1,   0xff, 1, 0,
		0,    0,   5, 0, 0,    3, 32, 0x82, 203, 0, 2, ELSE, OWN, 0x80, 201, 0,    1, ELSE},
	       {0x80, 200, 0, 6, ELSE, 1, 2,  3,    4,   5, 6, 7,    8, 0,    1,   0xff, 1, 0,
		0,    0,   5, 0, 0,    3, 32, 0x82, 203, 0, 2, ELSE, A, 0x80, 201, 0,    1, A});
}
#undef PAIR_BYTES

#define PAIR_BYTES 60
Test(rtcp_rewrite, blocks_of_others_and_reports_of_others_are_told_apart)
{
	EXPECT(&mapping,
	       {0x82, 201, 0, 14, OWN, ELSE, 64, 0, 0, 7,    0,  2, 0, 0x20, 0,    0,    0,
		8,    9,   9, 9,  9,   0,    1,  0, 0, PEER, 64, 0, 0, 7,    0,    2,    0,
		0x20, 0,   0, 0,  8,   9,    9,  9, 9, 0,    1,  0, 0, 0xde, 0xad, 0xbe, 0xef},
	       {0x82, 201, 0, 14, A, ELSE, 64, 0, 0, 7, 0,  2, 0, 0x20, 0,    0,    0,
		8,    9,   9, 9,  9, 0,    1,  0, 0, B, 64, 0, 0, 7,    0,    3,    0,
		0x10, 0,   0, 0,  8, 0,    0,  0, 0, 0, 0,  0, 0, 0xde, 0xad, 0xbe, 0xef});
}
#undef PAIR_BYTES

#define PAIR_BYTES 36
Test(rtcp_rewrite, every_chunk_of_a_description_is_looked_at)
{
	EXPECT(&mapping, {0x80, 201, 0, 1, OWN, 0x82, 202, 0, 6, ELSE, 1, 4, 1, 1,
			  1,    1,   0, 0, OWN, 1,    2,   1, 1, 0,    0, 0, 0},
	       {0x80, 201, 0, 1, A, 0x82, 202, 0, 6, ELSE, 1, 4, 1, 1,
		1,    1,   0, 0, A, 1,    2,   1, 1, 0,    0, 0, 0});
}

Test(rtcp_rewrite, feedback_names_its_media_and_the_packets_lost)
{
	/* A negative acknowledgement, reduced-size; a full intra request; an application's packet. */
	EXPECT(&mapping, {0x81, 205, 0,   3, OWN, PEER, 0, 0x20, 0, 1, 0x84, 206,
			  0,    4,   OWN, 0, 0,   0,    0, PEER, 3, 0, 0,    0},
	       {0x81, 205, 0, 3, A, B, 0, 0x10, 0, 1, 0x84, 206,
		0,    4,   A, 0, 0, 0, 0, B,    3, 0, 0,    0});
	EXPECT(&mapping, {0x8f, 206, 0, 5,    OWN,  0,   0, 0, 0,   'R', 'E', 'M', 'B', 1,
			  0,    0,   0, PEER, 0x85, 204, 0, 2, OWN, 'a', 'p', 'p', 's'},
	       {0x8f, 206, 0, 5, A,    0,   0, 0, 0, 'R', 'E', 'M', 'B', 1,
		0,    0,   0, B, 0x85, 204, 0, 2, A, 'a', 'p', 'p', 's'});
	EXPECT(&mapping, {0x83, 205, 0,    6, OWN, 0, 0, 0,    0,   ELSE, 1, 1,
			  1,    1,   PEER, 2, 2,   2, 2, 0x80, 250, 0,    1, OWN},
	       {0x83, 205, 0, 6, A, 0, 0, 0,    0,   ELSE, 1, 1,
		1,    1,   B, 2, 2, 2, 2, 0x80, 250, 0,    1, OWN});
}
#undef PAIR_BYTES

#define PAIR_BYTES 88
Test(rtcp_rewrite, blocks_of_extended_reports_name_what_they_are_about)
{
	EXPECT(&mapping, {0x80, 207, 0, 21, OWN, 1, 0, 0, 3, PEER, 0, 0x20, 0, 0x40, 0xc0, 1, 0,
			  0,    4,   0, 0,  2,   1, 2, 3, 4, 5,    6, 7,    8, 5,    0,    0, 3,
			  PEER, 1,   1, 1,  1,   2, 2, 2, 2, 7,    0, 0,    8, PEER, 2,    2},
	       {0x80, 207, 0, 21, A, 1, 0, 0, 3, B, 0, 0x10, 0, 0x30, 0xc0, 1, 0,
		0,    4,   0, 0,  2, 1, 2, 3, 4, 5, 6, 7,    8, 5,    0,    0, 3,
		B,    1,   1, 1,  1, 2, 2, 2, 2, 7, 0, 0,    8, B,    2,    2});
}
#undef PAIR_BYTES

#define PAIR_BYTES 52
Test(rtcp_rewrite, what_is_not_known_is_left)
{
	struct rtp_rtcp_mapping other = mapping;

	other.peer_to_is_known = false;
	other.own_from_is_known = false;
	EXPECT(&other, {0x81, 200,  0, 12, ELSE, 1, 2, 3, 4,  5,    6,  7, 8, 0, 1, 0xff,
			1,    0,    0, 0,  5,    0, 0, 3, 32, PEER, 64, 0, 0, 7, 0, 2,
			0,    0x20, 0, 0,  0,    8, 9, 9, 9,  9,    0,  1, 0, 0},
	       {0x81, 200, 0,    12, A, 1, 2, 3, 4, 5, 6,    7, 8, 0, 2, 0, 1, 0, 0, 0, 5, 0, 0,
		3,    32,  PEER, 64, 0, 0, 7, 0, 2, 0, 0x20, 0, 0, 0, 8, 9, 9, 9, 9, 0, 1, 0, 0});
}
#undef PAIR_BYTES

Test(rtcp_rewrite, part_that_is_not_whole_is_refused)
{
	uint8_t packet[] = {0x80, 201, 0, 1, OWN, 0x81, 201, 0, 1, OWN};

	cr_assert_eq(rtp_rtcp_rewrite(packet, sizeof(packet), &mapping), -EINVAL);
	cr_assert_eq(rtp_rtcp_rewrite(packet, 0, &mapping), -EINVAL);
}
