/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relay inside the kernel: what is sent for what comes, byte by byte, and what is counted of it.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "kernel_case.h"
#include "media/session/leg.h"
#include "rtp/reception.h"

static struct kernel_case relayed;

static void
open_case(void)
{
	case_open(&relayed);
}

static void
close_case(void)
{
	case_close(&relayed);
}

TestSuite(kernel_relay, .init = open_case, .fini = close_case);

static struct case_way
way_of(unsigned kind)
{
	return (struct case_way){.in6 = kind & 1,
				 .out6 = kind >> 1 & 1,
				 .vlan_in = kind & 4 ? 7 : 0,
				 .vlan_out = kind & 8 ? 9 : 0};
}

Test(kernel_relay, packets_are_sent_on_in_every_kind_of_frame)
{
	for (unsigned kind = 0; kind < 16; kind++) {
		case_fill(&relayed, way_of(kind));
		for (unsigned i = 0; i < 20; i++) {
			cr_assert_eq(case_run(&relayed), BPF_SENT, "kind %u, packet %u", kind, i);
			case_next(&relayed);
		}
	}
	cr_assert_eq(bpf_run_count(&relayed.run, KERNEL_COUNT_RELAYED), 16 * 20);
}

/* One variety of many. */
static void
vary(unsigned number)
{
	static const uint16_t payloads[] = {160, 0, 1, 33, 1200};
	static const uint8_t classes[] = {0, 0xff, 0xb8, 3};
	uint8_t class = classes[number % 4];
	bool is_mapped = number & 4, has_marker = number & 8;

	relayed.in.traffic_class = class;
	relayed.out.traffic_class = (uint8_t)((number * 5 % 64) << 2 | (class & 3));
	relayed.out.tag = (uint16_t)((relayed.out.traffic_class >> 5) << 13 | relayed.way.vlan_out);
	relayed.in.type = has_marker ? 0x88 : 8;
	relayed.out.type = (uint8_t)((has_marker ? 0x80 : 0) | (is_mapped ? 113 : 8));
	relayed.in.payload_bytes = relayed.out.payload_bytes = payloads[number % 5];
	relayed.in.ip_padding = number % 3 == 1 ? 5 : 0;
	relayed.in.frame_padding = number % 7 < 3 ? (uint16_t)(number % 11) : 0;
	relayed.in.hops = (uint8_t)(1 + number % 255);
	relayed.in.tag |= (uint16_t)(number % 8 << 13);
	case_row_write(&relayed);
}

Test(kernel_relay, each_field_of_the_headers_is_as_the_row_says)
{
	for (unsigned kind = 0; kind < 16; kind++) {
		case_fill(&relayed, way_of(kind));
		for (unsigned number = 0; number < 200; number++) {
			vary(number);
			cr_assert_eq(case_run(&relayed), BPF_SENT, "kind %u, number %u", kind,
				     number);
			case_next(&relayed);
		}
	}
}

Test(kernel_relay, other_types_than_the_mapped_one_stay)
{
	case_fill(&relayed, way_of(0));
	relayed.out.type = 113;
	case_row_write(&relayed);
	cr_assert_eq(case_run(&relayed), BPF_SENT);
	case_next(&relayed);
	relayed.in.type = relayed.out.type = 13;
	cr_assert_eq(case_run(&relayed), BPF_SENT);
}

Test(kernel_relay, datagrams_without_a_checksum_stay_so)
{
	for (unsigned kind = 0; kind < 16; kind++) {
		struct case_way way = way_of(kind);

		if (way.in6 || way.out6)
			continue;
		case_fill(&relayed, way);
		relayed.in.unsigned_udp = relayed.out.unsigned_udp = true;
		cr_assert_eq(case_run(&relayed), BPF_SENT, "kind %u", kind);
	}
}

Test(kernel_relay, checksum_that_comes_out_as_none_is_written_the_other_way)
{
	for (unsigned kind = 0; kind < 16; kind++) {
		uint32_t tries = 0;

		case_fill(&relayed, way_of(kind));
		for (;; tries++) {
			struct bpf_frame out = case_frame_bytes(&relayed.out);
			const uint8_t *checksum = &out.data[out.bytes - 160 - 12 - 2];

			if (checksum[0] == 0xff && checksum[1] == 0xff)
				break;
			relayed.in.timestamp++;
			relayed.out.timestamp++;
			cr_assert_lt(tries, 70000);
		}
		cr_assert_eq(case_run(&relayed), BPF_SENT, "kind %u", kind);
	}
}

Test(kernel_relay, damaged_datagrams_go_on_damaged)
{
	struct bpf_frame frame, expected;

	case_fill(&relayed, way_of(0));
	frame = case_frame_bytes(&relayed.in);
	expected = case_frame_bytes(&relayed.out);
	frame.data[100] ^= 0x10;
	expected.data[100] ^= 0x10;
	cr_assert_eq(bpf_run_frame(&relayed.run, &frame), BPF_SENT);
	cr_assert_eq(memcmp(frame.data, expected.data, expected.bytes), 0);
}

Test(kernel_relay, tag_that_is_only_a_priority_is_no_vlan)
{
	case_fill(&relayed, way_of(0));
	relayed.in.tagged = true;
	relayed.in.tag = 0xa000;
	cr_assert_eq(case_run(&relayed), BPF_SENT);
}

Test(kernel_relay, identification_and_do_not_fragment_stay_between_untagged_ipv4)
{
	case_fill(&relayed, way_of(0));
	relayed.in.fragment = relayed.out.fragment = 0x4000;
	relayed.in.identification = relayed.out.identification = 0xffff;
	cr_assert_eq(case_run(&relayed), BPF_SENT);
}

/* What stage receive counts, worked out beside. */
static void
shadow_count(struct leg_intake *shadow, uint64_t now_ns)
{
	struct stw_rtp_header header = {.ssrc = relayed.in.ssrc,
					.timestamp = relayed.in.timestamp,
					.sequence = relayed.in.sequence};
	uint32_t before = shadow->reception.sequence_max;
	enum rtp_reception_fate fate = rtp_reception_count(&shadow->reception, &header, now_ns);

	if (fate == RTP_RECEPTION_LATE)
		shadow->packets_late++;
	if (fate == RTP_RECEPTION_NEXT && shadow->reception.sequence_max != before + 1) {
		uint32_t missing = shadow->reception.sequence_max - before - 1;

		shadow->gaps++;
		if (missing > shadow->gap_max)
			shadow->gap_max = missing;
	}
	shadow->bytes += relayed.in.payload_bytes;
	shadow->relayed++;
	shadow->heard_ns = now_ns;
}

static void
shadow_note(struct leg_egress *shadow, uint64_t now_ns)
{
	union egress_last last = {shadow->last};
	uint16_t ahead = (uint16_t)(relayed.out.sequence - last.sequence);

	if (ahead == 0 || ahead > 3000)
		return;
	last.sequence = relayed.out.sequence;
	last.timestamp_low = (uint16_t)relayed.out.timestamp;
	last.clock = relayed.out.timestamp - (uint32_t)(now_ns / 125000);
	shadow->last = last.word;
}

Test(kernel_relay, what_is_counted_is_what_a_worker_counts)
{
	static const int16_t steps[] = {1,  1,    2, -1,   0,   1, 70, -66, 64, -63,
					-1, 2999, 1, -100, 100, 5, -3, 1,   1,  1};
	struct leg_intake *intake = case_intake(&relayed);
	struct leg_intake shadow;
	struct leg_egress egress;

	case_fill(&relayed, way_of(0));
	relayed.in.payload_bytes = relayed.out.payload_bytes = 33;
	memcpy(&shadow, intake, sizeof(shadow));
	memcpy(&egress, case_egress(&relayed), sizeof(egress));
	for (unsigned i = 0; i < 1000; i++) {
		int step = steps[i % STW_ARRAY_COUNT(steps)];

		cr_assert_eq(case_run(&relayed), BPF_SENT, "packet %u", i);
		shadow_count(&shadow, intake->heard_ns);
		shadow_note(&egress, intake->heard_ns);
		cr_assert_eq(memcmp(&shadow, intake, sizeof(shadow)), 0, "packet %u", i);
		cr_assert_eq(memcmp(&egress, case_egress(&relayed), sizeof(egress)), 0, "packet %u",
			     i);
		relayed.in.sequence = (uint16_t)(relayed.in.sequence + step);
		relayed.out.sequence = (uint16_t)(relayed.out.sequence + step);
		relayed.in.timestamp += 160u * (uint32_t)step;
		relayed.out.timestamp += 160u * (uint32_t)step;
	}
	cr_assert_gt(shadow.gaps, 0);
	cr_assert_gt(shadow.packets_late, 0);
	cr_assert_gt(shadow.reception.packets_duplicate, 0);
	cr_assert_eq(bpf_run_count(&relayed.run, KERNEL_COUNT_RELAYED), 1000);
	cr_assert_eq(bpf_run_count(&relayed.run, KERNEL_COUNT_LEFT), 0);
}

Test(kernel_relay, memory_is_accounted_for)
{
	struct kernel_relay *small, *large;
	uint64_t more;

	cr_assert_eq(kernel_relay_open(&small, 4096, 4096), 0);
	cr_assert_eq(kernel_relay_open(&large, 8192, 4096), 0);
	more = kernel_relay_bytes(large) - kernel_relay_bytes(small);
	cr_assert_eq(more, 4096 * (sizeof(struct kernel_row) + sizeof(struct leg_intake) +
				   sizeof(struct leg_egress) + sizeof(struct leg_options)));
	memset(kernel_relay_memory(large)->rows, 0xff, 8192 * sizeof(struct kernel_row));
	kernel_relay_close(small);
	kernel_relay_close(large);
	kernel_relay_close(NULL);
}
