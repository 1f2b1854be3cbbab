/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include "capture.h"
#include "rtp/reception.h"

/** Nanoseconds and ticks of a packet. */
#define PACKET_NS    UINT64_C(20000000)
#define PACKET_TICKS 160

/* Count a packet that comes on time by its sequence number. */
static enum rtp_reception_fate
count(struct rtp_reception *reception, uint32_t ssrc, uint16_t sequence)
{
	struct stw_rtp_header header = {
		.ssrc = ssrc, .sequence = sequence, .timestamp = sequence * UINT32_C(160)};
	enum rtp_reception_fate fate =
		rtp_reception_count(reception, &header, sequence * PACKET_NS);

	rtp_reception_check(reception);
	return fate;
}

static void
expect(const struct rtp_reception *reception, uint64_t packets, uint64_t expected, int64_t lost,
       uint64_t missing)
{
	cr_assert_eq(reception->packets, packets, "packets %lu", reception->packets);
	cr_assert_eq(rtp_reception_expected(reception), expected, "expected %lu",
		     rtp_reception_expected(reception));
	cr_assert_eq(rtp_reception_lost(reception), lost, "lost %ld",
		     rtp_reception_lost(reception));
	cr_assert_eq(rtp_reception_missing(reception), missing, "missing %lu",
		     rtp_reception_missing(reception));
}

Test(reception, nothing_received_is_nothing_expected)
{
	struct rtp_reception reception = {0};

	rtp_reception_check(&reception);
	expect(&reception, 0, 0, 0, 0);
}

Test(reception, row_across_the_wrap_has_no_loss)
{
	struct rtp_reception reception = {0};

	for (uint32_t i = 0; i < 200000; i++)
		cr_assert_eq(count(&reception, 7, (uint16_t)(65000 + i)),
			     i ? RTP_RECEPTION_NEXT : RTP_RECEPTION_FIRST);
	expect(&reception, 200000, 200000, 0, 0);
	cr_assert_eq(reception.sources, 1);
}

Test(reception, gap_is_loss)
{
	struct rtp_reception reception = {0};

	count(&reception, 7, 65534);
	count(&reception, 7, 2);
	expect(&reception, 2, 5, 3, 3);
}

Test(reception, late_packet_fills_its_gap)
{
	struct rtp_reception reception = {0};

	count(&reception, 7, 10);
	count(&reception, 7, 12);
	cr_assert_eq(count(&reception, 7, 11), RTP_RECEPTION_LATE);
	expect(&reception, 3, 3, 0, 0);
}

Test(reception, packet_overtaken_by_the_first_begins_the_row)
{
	struct rtp_reception reception = {0};

	count(&reception, 7, 0);
	cr_assert_eq(count(&reception, 7, 65534), RTP_RECEPTION_LATE);
	cr_assert_eq(count(&reception, 7, 65535), RTP_RECEPTION_LATE);
	expect(&reception, 3, 3, 0, 0);
}

Test(reception, duplicate_makes_loss_negative_but_hides_no_gap)
{
	struct rtp_reception reception = {0};

	count(&reception, 7, 1);
	cr_assert_eq(count(&reception, 7, 1), RTP_RECEPTION_DUPLICATE);
	expect(&reception, 2, 1, -1, 0);
	count(&reception, 7, 3);
	cr_assert_eq(count(&reception, 7, 1), RTP_RECEPTION_DUPLICATE);
	expect(&reception, 4, 3, -1, 1);
	cr_assert_eq(reception.packets_duplicate, 2);
}

Test(reception, duplicates_are_known_64_packets_back)
{
	struct rtp_reception reception = {0};

	for (uint16_t i = 100; i < 300; i++)
		count(&reception, 7, i);
	cr_assert_eq(count(&reception, 7, 299 - 63), RTP_RECEPTION_DUPLICATE);
	cr_assert_eq(count(&reception, 7, 299 - 64), RTP_RECEPTION_LATE);
}

Test(reception, new_source_starts_a_new_base_and_adds_up)
{
	struct rtp_reception reception = {0};

	count(&reception, 1, 100);
	count(&reception, 1, 102);
	cr_assert_eq(count(&reception, 2, 50000), RTP_RECEPTION_FIRST);
	count(&reception, 2, 50001);
	cr_assert_eq(count(&reception, 1, 60000), RTP_RECEPTION_FIRST);
	expect(&reception, 5, 6, 1, 1);
	cr_assert_eq(reception.sources, 3);
}

Test(reception, source_zero_is_a_source)
{
	struct rtp_reception reception = {0};

	cr_assert_eq(count(&reception, 0, 9), RTP_RECEPTION_FIRST);
	cr_assert_eq(count(&reception, 0, 10), RTP_RECEPTION_NEXT);
	expect(&reception, 2, 2, 0, 0);
}

Test(reception, jump_is_confirmed_by_its_successor_and_costs_nothing)
{
	struct rtp_reception reception = {0};

	count(&reception, 7, 100);
	cr_assert_eq(count(&reception, 7, 30000), RTP_RECEPTION_STRAY);
	expect(&reception, 1, 1, 0, 0);
	cr_assert_eq(reception.packets_stray, 1);
	cr_assert_eq(count(&reception, 7, 30001), RTP_RECEPTION_FIRST);
	expect(&reception, 3, 3, 0, 0);
	cr_assert_eq(reception.packets_stray, 0);
	cr_assert_eq(reception.sources, 1);
}

Test(reception, stray_packets_change_nothing)
{
	struct rtp_reception reception = {0};

	count(&reception, 7, 100);
	for (uint16_t i = 1; i < 50; i++) {
		cr_assert_eq(count(&reception, 7, (uint16_t)(20000 + 2 * i)), RTP_RECEPTION_STRAY);
		cr_assert_eq(count(&reception, 7, (uint16_t)(100 + i)), RTP_RECEPTION_NEXT);
	}
	expect(&reception, 50, 50, 0, 0);
	cr_assert_eq(reception.packets_stray, 49);
}

Test(reception, bounds_of_a_row_are_those_of_rfc_3550)
{
	struct rtp_reception reception = {0};

	count(&reception, 7, 1000);
	cr_assert_eq(count(&reception, 7, 1000 + RTP_DROPOUT_MAX), RTP_RECEPTION_STRAY);
	cr_assert_eq(count(&reception, 7, 1000 + RTP_DROPOUT_MAX - 1), RTP_RECEPTION_NEXT);
	cr_assert_eq(count(&reception, 7, 3999 - RTP_MISORDER_MAX - 1), RTP_RECEPTION_STRAY);
	cr_assert_eq(count(&reception, 7, 3999 - RTP_MISORDER_MAX), RTP_RECEPTION_LATE);
}

Test(reception, hostile_sequence_numbers_do_not_wrap_the_sum)
{
	struct rtp_reception reception = {0};
	uint64_t ahead = 0;

	count(&reception, 7, 0);
	for (int i = 0; i < 1600000; i++) {
		ahead += RTP_DROPOUT_MAX - 1;
		count(&reception, 7, (uint16_t)ahead);
	}
	cr_assert_gt(ahead, UINT32_MAX);
	expect(&reception, 1600001, ahead + 1, (int64_t)(ahead - 1600000), ahead - 1600000);
}

Test(reception, jitter_follows_the_formula_of_rfc_3550)
{
	struct rtp_reception reception = {0};
	double jitter = 0;
	int64_t transit_before = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		struct stw_rtp_header header = {.ssrc = 1,
						.sequence = (uint16_t)i,
						.timestamp = 0xffffff00 + i * PACKET_TICKS};
		int64_t late_ticks = i * 7919 % 64;
		uint64_t arrival_ns =
			i * PACKET_NS + (uint64_t)late_ticks * RTP_TICK_NS + 1000000000;
		int64_t step = llabs(late_ticks - transit_before);

		rtp_reception_count(&reception, &header, arrival_ns);
		if (i > 0)
			jitter += ((double)step - jitter) / 16;
		transit_before = late_ticks;
	}
	cr_assert_gt(jitter, 10);
	cr_assert_float_eq(rtp_reception_jitter_us(&reception), jitter * 125, 125);
}

Test(reception, steady_packets_have_no_jitter)
{
	struct rtp_reception reception = {0};

	for (uint16_t i = 0; i < 100; i++)
		count(&reception, 7, i);
	cr_assert_eq(rtp_reception_jitter_us(&reception), 0);
}

Test(reception, event_packets_with_one_timestamp_are_no_jitter)
{
	struct rtp_reception reception = {0};
	struct stw_rtp_header header = {.ssrc = 1};

	for (uint16_t i = 0; i < 100; i++) {
		header.sequence = i;
		header.timestamp = i / 10 * 10 * PACKET_TICKS;
		rtp_reception_count(&reception, &header, i * PACKET_NS);
	}
	cr_assert_eq(rtp_reception_jitter_us(&reception), 0);
}

Test(reception, clock_set_by_the_sender_is_no_jitter)
{
	struct rtp_reception reception = {0};
	struct stw_rtp_header header = {.ssrc = 1};

	for (uint16_t i = 0; i < 100; i++) {
		header.sequence = i;
		header.timestamp = i * PACKET_TICKS + (i >= 50 ? UINT32_C(0x40000000) : 0);
		rtp_reception_count(&reception, &header, i * PACKET_NS);
	}
	cr_assert_eq(rtp_reception_jitter_us(&reception), 0);
}

/* Speech, digits of two captures with a source of their own, speech again: no loss anywhere. */
Test(reception, captures_one_after_the_other_add_up)
{
	static struct capture speech, digit;
	struct rtp_reception reception = {0};
	const char *const order[] = {"g711a.pcap", "dtmf_2833_1.pcap", "g711a.pcap",
				     "dtmf_2833_star.pcap"};
	uint64_t end_ns = 0;

	for (int i = 0; i < 4; i++) {
		struct capture *capture = i % 2 ? &digit : &speech;
		char path[100] = CAPTURE_FOLDER;

		strcat(path, order[i]);
		cr_assert_eq(capture_read(capture, path), 0);
		for (size_t n = 0; n < capture->count; n++) {
			struct capture_packet *packet = &capture->packets[n];
			struct stw_rtp_header header;

			cr_assert_eq(stw_rtp_read(packet->payload, packet->payload_bytes, &header),
				     0);
			rtp_reception_count(&reception, &header,
					    end_ns + packet->time_ns - capture->packets[0].time_ns);
		}
		end_ns += UINT64_C(10000000000);
	}
	/* Each digit's last sequence number comes three times. */
	expect(&reception, 2 * 236 + 2 * 10, 2 * 236 + 2 * 8, -4, 0);
	cr_assert_eq(reception.sources, 4);
	cr_assert_lt(rtp_reception_jitter_us(&reception), 1000);
}
