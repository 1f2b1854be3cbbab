/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/rtcp_read.h"

/* A sender report with one block, a description of two chunks, an extended report, a goodbye. */
static const uint8_t
	compound
		[] =
			{
				0x81, 200,  0,    12,   0x11, 0x22, 0x33, 0x44, /* sender */
				0xe5, 0x01, 0x02, 0x03, 0x80, 0x00, 0x00, 0x00, /* NTP */
				0x00, 0x01, 0x00, 0x02, 0,    0,    0,    50,   0,    0,   0x1f,
				0x40, /* RTP time, packets, octets */
				0xaa, 0xbb, 0xcc, 0xdd, 0x40, 0xff, 0xff, 0xfe, /* about whom, 1/4, -2 */
				0x00, 0x01, 0x00, 0x09, 0,    0,    0,    80, /* highest, jitter */
				0x02, 0x03, 0x80, 0x00, 0x00, 0x01, 0x80, 0x00, /* last report, 1.5 s */
				0x82, 202,  0,    6,    0x11, 0x22, 0x33, 0x44, 1,    4,   'a',
				'@',  'b',  'c',  0,    0,    0x55, 0x66, 0x77, 0x88, 1,   1,
				'x',  0,    0,    0,    0,    0, /* description: filling after the last */
				0x80, 207,  0,    15,   0x11, 0x22, 0x33, 0x44, /* extended: its sender */
				4,    0,    0,    2,    1,    2,    3,    4,    5,    6,   7,
				8, /* receiver's time */
				7,    0,    0,    8,    0xaa, 0xbb, 0xcc, 0xdd, 12,   3,   0,
				0, /* metrics: about whom, loss, discards */
				0,    0,    0,    0,    0,    120,  0,    60,   0,    0,   0,
				16,   88,   127,  41,   40,   0,    0,    0,    0,    0,   0,
				0,    0,    0,    0,    0,    0,    0,    0,    0,    0, /* a block of length 0, twice */
				0x81, 203,  0,    2,    0x11, 0x22, 0x33, 0x44, 3,    'b', 'y',
				'e',
};

static struct rtp_rtcp_part
part_at(unsigned index)
{
	struct rtp_rtcp_walk walk = rtp_rtcp_walk(compound, sizeof(compound));
	struct rtp_rtcp_part part;

	for (unsigned i = 0; i <= index; i++)
		cr_assert_eq(rtp_rtcp_next(&walk, &part), 1);
	return part;
}

/* Walk a copy that ends where its memory ends; number of parts, or the error. */
static int
walk_exact(const uint8_t *packet, size_t bytes)
{
	uint8_t *copy = malloc(bytes ? bytes : 1);
	struct rtp_rtcp_walk walk = rtp_rtcp_walk(copy, bytes);
	struct rtp_rtcp_part part;
	int found, parts = 0;

	memcpy(copy, packet, bytes);
	while ((found = rtp_rtcp_next(&walk, &part)) > 0)
		parts++;
	cr_assert_eq(rtp_rtcp_next(&walk, &part), 0, "a walk that is over stays so");
	free(copy);
	return found < 0 ? found : parts;
}

Test(rtcp_read, parts_come_in_order)
{
	const uint8_t types[] = {200, 202, 207, 203};

	for (unsigned i = 0; i < sizeof(types); i++)
		cr_assert_eq(part_at(i).type, types[i]);
	cr_assert_eq(walk_exact(compound, sizeof(compound)), 4);
}

Test(rtcp_read, packet_cut_anywhere_is_refused_or_ends_at_a_part)
{
	for (size_t bytes = 0; bytes < sizeof(compound); bytes++) {
		int whole = bytes == 0     ? 0
			    : bytes == 52  ? 1
			    : bytes == 80  ? 2
			    : bytes == 144 ? 3
					   : -EINVAL;

		cr_assert_eq(walk_exact(compound, bytes), whole, "%zu", bytes);
	}
}

Test(rtcp_read, sender_report_is_read)
{
	struct rtp_rtcp_part part = part_at(0);
	struct rtp_sender_report report;

	cr_assert_eq(rtp_sender_report_read(&part, &report), 0);
	cr_assert_eq(report.ssrc, 0x11223344);
	cr_assert_eq(report.ntp, UINT64_C(0xe501020380000000));
	cr_assert_eq(rtp_ntp_middle(report.ntp), 0x02038000);
	cr_assert_eq(report.timestamp, 0x00010002);
	cr_assert_eq(report.packets, 50);
	cr_assert_eq(report.octets, 8000);
	part = part_at(1);
	cr_assert_eq(rtp_sender_report_read(&part, &report), -EINVAL);
}

Test(rtcp_read, report_block_is_read_with_negative_loss)
{
	struct rtp_rtcp_part part = part_at(0);
	struct rtp_report_block block;

	cr_assert_eq(rtp_report_block_read(&part, 0, &block), 0);
	cr_assert_eq(block.ssrc, 0xaabbccdd);
	cr_assert_eq(block.fraction_lost, 0x40);
	cr_assert_eq(block.lost, -2);
	cr_assert_eq(block.sequence_max, 0x10009);
	cr_assert_eq(block.jitter, 80);
	cr_assert_eq(block.last_sr, 0x02038000);
	cr_assert_eq(block.delay_sr, 0x00018000);
	cr_assert_eq(rtp_report_block_read(&part, 1, &block), -EINVAL);
	part = part_at(3);
	cr_assert_eq(rtp_report_block_read(&part, 0, &block), -EINVAL);
}

Test(rtcp_read, chunks_are_counted)
{
	struct rtp_rtcp_part part = part_at(1);
	size_t offset = 0;

	cr_assert_eq(rtp_sdes_next(&part, &offset), 12);
	cr_assert_eq(offset, 4);
	cr_assert_eq(rtp_sdes_next(&part, &offset), 8);
	cr_assert_eq(offset, 16);
	cr_assert_eq(rtp_sdes_next(&part, &offset), 0);
}

Test(rtcp_read, voip_metrics_are_found_behind_other_blocks)
{
	struct rtp_rtcp_part part = part_at(2);
	struct rtp_voip_metrics metrics;
	size_t offset = 0;

	cr_assert_eq(rtp_voip_metrics_read(&part, &metrics), 0);
	cr_assert_eq(metrics.ssrc, 0xaabbccdd);
	cr_assert_eq(metrics.loss_256, 12);
	cr_assert_eq(metrics.discarded_256, 3);
	cr_assert_eq(metrics.round_trip_ms, 120);
	cr_assert_eq(metrics.r_factor, 88);
	cr_assert_eq(metrics.mos_lq_x10, 41);
	cr_assert_eq(metrics.mos_cq_x10, 40);
	cr_assert_eq(rtp_xr_next(&part, &offset), 12);
	cr_assert_eq(rtp_xr_next(&part, &offset), 36);
	cr_assert_eq(rtp_xr_next(&part, &offset), 4);
	cr_assert_eq(rtp_xr_next(&part, &offset), 4);
	cr_assert_eq(rtp_xr_next(&part, &offset), 0);
	part = part_at(0);
	cr_assert_eq(rtp_voip_metrics_read(&part, &metrics), -EINVAL);
}

/* Each: one part whose length does not hold what it promises. */
Test(rtcp_read, counts_above_the_length_are_refused)
{
	static const uint8_t liars[][16] = {
		{0x81, 201, 0, 3},                                     /* a block in 8 bytes */
		{0x80, 200, 0, 3},                                     /* no sender information */
		{0x81, 202, 0, 3, 1, 2, 3, 4, 1, 7, 1, 1, 1, 1, 1, 1}, /* text beyond the end */
		{0x81, 202, 0, 3, 1, 2, 3, 4, 1, 6, 1, 1, 1, 1, 1, 1}, /* no end mark */
		{0x82, 202, 0, 3, 1, 2, 3, 4, 1, 1, 1, 0, 0, 0, 0},    /* second chunk is cut */
		{0x84, 203, 0, 3},                         /* four sources in 12 bytes */
		{0x81, 203, 0, 3, 1, 2, 3, 4, 8},          /* a reason beyond the end */
		{0x81, 207, 0, 3, 1, 2, 3, 4, 7, 0, 0, 2}, /* a block beyond the end */
	};

	for (unsigned i = 0; i < sizeof(liars) / sizeof(liars[0]); i++)
		cr_assert_eq(walk_exact(liars[i], 16), -EINVAL, "%u", i);
	cr_assert_eq(walk_exact((const uint8_t[]){0x81, 205, 0, 1, 1, 2, 3, 4}, 8), -EINVAL,
		     "feedback without its media source");
}

Test(rtcp_read, padding_is_no_part_of_a_part)
{
	const uint8_t padded[] = {0xa1, 203, 0, 3, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 8};
	struct rtp_rtcp_walk walk = rtp_rtcp_walk(padded, sizeof(padded));
	struct rtp_rtcp_part part;

	cr_assert_eq(rtp_rtcp_next(&walk, &part), 1);
	cr_assert_eq(part.bytes, 8);
	cr_assert_eq(rtp_rtcp_next(&walk, &part), 0);
}
