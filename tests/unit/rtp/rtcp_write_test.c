/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <string.h>

#include "rtp/rtcp_time.h"
#include "rtp/rtcp_write.h"

Test(rtcp_write, sender_report_with_block_description_and_goodbye)
{
	static const uint8_t expected[] = {
		0x81, 200,  0,   12, 1, 2, 3, 4, 0xe5, 1,  2,  3,   0x80, 0,   0, 0,  0,
		0,    0,    160, 0,  0, 0, 7, 0, 0,    4,  96, 5,   6,    7,   8, 51, 0xff,
		0xff, 0xff, 0,   1,  0, 9, 0, 0, 0,    80, 2,  3,   0x80, 0,   0, 1,  0,
		0,    0x81, 202, 0,  3, 1, 2, 3, 4,    1,  3,  'a', '@',  'b', 0, 0,  0,
	};
	static const uint8_t goodbye[] = {0x81, 203, 0, 1, 1, 2, 3, 4};
	struct rtp_rtcp_report report = {
		.sender = {.ssrc = 0x01020304,
			   .ntp = UINT64_C(0xe501020380000000),
			   .timestamp = 160,
			   .packets = 7,
			   .octets = 1120},
		.block = {.ssrc = 0x05060708,
			  .fraction_lost = 51,
			  .lost = -1,
			  .sequence_max = 0x10009,
			  .jitter = 80,
			  .last_sr = 0x02038000,
			  .delay_sr = 0x10000},
		.is_sender = true,
		.hears = true,
		.cname = "a@b",
	};
	uint8_t packet[RTP_RTCP_WRITTEN_MAX];

	cr_assert_eq(rtp_rtcp_write(packet, &report), sizeof(expected));
	cr_assert_arr_eq(packet, expected, sizeof(expected));
	report.leaves = true;
	cr_assert_eq(rtp_rtcp_write(packet, &report), sizeof(expected) + 8);
	cr_assert_arr_eq(packet + sizeof(expected), goodbye, 8);
	cr_assert_eq(rtp_rtcp_check(packet, sizeof(expected) + 8), 3);
}

Test(rtcp_write, who_hears_nothing_and_sends_nothing_still_says_who_it_is)
{
	struct rtp_rtcp_report report = {.sender = {.ssrc = 0x01020304},
					 .cname = "0123456789abcdef"};
	uint8_t packet[RTP_RTCP_WRITTEN_MAX];

	cr_assert_eq(rtp_rtcp_write(packet, &report), 8 + 28);
	cr_assert_eq(packet[0], 0x80);
	cr_assert_eq(packet[1], RTP_RTCP_RR);
	cr_assert_arr_eq(packet + 8, "\x81\xca\0\x6\1\2\3\4\1\20", 10);
	cr_assert_arr_eq(packet + 18, "0123456789abcdef\0\0", 18);
	cr_assert_eq(rtp_rtcp_check(packet, 36), 2);
}

Test(rtcp_write, longest_packet_is_as_long_as_promised)
{
	struct rtp_rtcp_report report = {
		.is_sender = true, .hears = true, .leaves = true, .cname = "0123456789abcdef"};
	uint8_t packet[RTP_RTCP_WRITTEN_MAX];

	cr_assert_eq(rtp_rtcp_write(packet, &report), RTP_RTCP_WRITTEN_MAX);
}

Test(rtcp_write, names_of_every_length_end_in_a_zero)
{
	struct rtp_rtcp_report report = {.sender = {.ssrc = 1}};
	uint8_t packet[RTP_RTCP_WRITTEN_MAX];

	for (size_t length = 1; length < RTP_CNAME_BYTES; length++) {
		struct rtp_rtcp_walk walk;
		struct rtp_rtcp_part part;

		memset(report.cname, 'n', length);
		walk = rtp_rtcp_walk(packet, rtp_rtcp_write(packet, &report));
		cr_assert_eq(rtp_rtcp_next(&walk, &part), 1);
		cr_assert_eq(rtp_rtcp_next(&walk, &part), 1, "%zu", length);
		cr_assert_eq(part.at[9], length);
		cr_assert_eq(part.at[10 + length], 0);
		cr_assert_eq(rtp_rtcp_next(&walk, &part), 0);
	}
}

Test(rtcp_write, loss_is_held_to_24_bits)
{
	struct rtp_rtcp_report report = {.hears = true, .cname = "a", .block = {.lost = 0x1000000}};
	uint8_t packet[RTP_RTCP_WRITTEN_MAX];

	rtp_rtcp_write(packet, &report);
	cr_assert_arr_eq(packet + 12, "\0\x7f\xff\xff", 4);
	report.block.lost = -0x1000000;
	rtp_rtcp_write(packet, &report);
	cr_assert_arr_eq(packet + 12, "\0\x80\0\0", 4);
}

Test(rtcp_write, canonical_name_holds_all_random_bits)
{
	const uint32_t zero[3] = {0}, ones[3] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
	char name[RTP_CNAME_BYTES], other[RTP_CNAME_BYTES];

	rtp_cname_make(name, zero);
	cr_assert_str_eq(name, "AAAAAAAAAAAAAAAA");
	rtp_cname_make(name, ones);
	cr_assert_str_eq(name, "////////////////");
	for (unsigned bit = 0; bit < 96; bit++) {
		uint32_t random[3] = {0};

		random[bit / 32] = UINT32_C(1) << bit % 32;
		rtp_cname_make(other, random);
		rtp_cname_make(name, zero);
		cr_assert_str_neq(other, name, "bit %u", bit);
	}
}

Test(rtcp_time, intervals_are_half_to_one_and_a_half_of_five_seconds)
{
	cr_assert_eq(rtp_rtcp_interval_ns(0, false), UINT64_C(2500000000));
	cr_assert_eq(rtp_rtcp_interval_ns(UINT32_MAX, false), UINT64_C(7499999998));
	cr_assert_eq(rtp_rtcp_interval_ns(1u << 31, false), UINT64_C(5000000000));
	cr_assert_eq(rtp_rtcp_interval_ns(0, true), UINT64_C(1250000000));
	cr_assert_eq(rtp_rtcp_interval_ns(UINT32_MAX, true), UINT64_C(3749999999));
}

Test(rtcp_time, ntp_counts_from_1900)
{
	cr_assert_eq(rtp_ntp_time(0), UINT64_C(2208988800) << 32);
	cr_assert_eq(rtp_ntp_time(1500000000), (UINT64_C(2208988801) << 32) + 0x80000000);
	cr_assert_eq(rtp_ntp_time(999999999), (UINT64_C(2208988800) << 32) + 0xfffffffb);
}

/* The example of RFC 3550, figure 2. */
Test(rtcp_time, round_trip_of_the_rfcs_example)
{
	cr_assert_eq(rtp_round_trip_ticks(0xb7052000, 0xb7108000, 0x00054000), 0x00062000);
	cr_assert_eq(rtp_rtcp_ticks_us(0x00062000), 6125000);
	cr_assert_eq(rtp_round_trip_ticks(100, 200, 101), 0, "a delay that cannot be");
	cr_assert_eq(rtp_round_trip_ticks(0xfffffff0, 0x10, 0x10), 0x10, "across the wrap");
	cr_assert_eq(rtp_rtcp_ticks(UINT64_C(1250000000)), 0x14000);
	cr_assert_eq(rtp_rtcp_ticks(UINT64_C(65536500000000)), 0x8000, "wraps after 65,536 s");
}
