/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relay inside the kernel: which packets it leaves to the worker, which it drops, and what of a leg's changes with
 * that.
 */
#include <criterion/criterion.h>

#include <string.h>
#include <time.h>

#include "kernel_case.h"
#include "media/session/leg.h"

#define QUEUE (2 * KERNEL_QUEUES_A_PORT) /* of port 2, the first */

static struct kernel_case relayed;

static void
open_case(void)
{
	case_open(&relayed);
	case_fill(&relayed, (struct case_way){0});
}

static void
close_case(void)
{
	case_close(&relayed);
}

TestSuite(kernel_guard, .init = open_case, .fini = close_case);

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct kernel_queue *
queue(void)
{
	return &relayed.run.memory->queues[QUEUE];
}

static uint64_t
counted(enum kernel_count which)
{
	return bpf_run_count(&relayed.run, which);
}

static uint64_t
ticket_of(uint64_t count)
{
	return (uint64_t)QUEUE << KERNEL_TICKET_QUEUE_SHIFT | count;
}

/* The frame makes the leg leave, and is the worker's; so is what follows. */
static void
leaves(const struct bpf_frame *odd, const char *why)
{
	uint64_t left = counted(KERNEL_COUNT_LEFT), steered = queue()->steered, begin = now_ns();
	struct bpf_frame frame = *odd;
	struct leg_intake intake;

	memcpy(&intake, case_intake(&relayed), sizeof(intake));
	cr_assert_eq(bpf_run_frame(&relayed.run, &frame), BPF_STEERED, "%s", why);
	cr_assert_eq(case_row(&relayed)->state, KERNEL_WORKER, "%s", why);
	cr_assert_eq(counted(KERNEL_COUNT_LEFT), left + 1, "%s", why);
	cr_assert(case_row(&relayed)->left_ns >= begin && case_row(&relayed)->left_ns <= now_ns());
	cr_assert_eq(queue()->steered, steered + 1, "%s", why);
	cr_assert_eq(case_row(&relayed)->ticket, ticket_of(steered + 1), "%s", why);
	cr_assert_eq(memcmp(&intake, case_intake(&relayed), sizeof(intake)), 0, "%s", why);
	cr_assert_eq(case_run(&relayed), BPF_STEERED, "%s", why);
	cr_assert_eq(case_row(&relayed)->ticket, ticket_of(steered + 2), "%s", why);
	cr_assert_eq(counted(KERNEL_COUNT_LEFT), left + 1, "%s", why);
	/* Ready for another. */
	queue()->handled = queue()->steered;
	case_row(&relayed)->state = KERNEL_KERNEL;
	cr_assert_eq(case_run(&relayed), BPF_SENT, "%s", why);
	case_next(&relayed);
}

static void
leaves_frame(struct case_frame odd, const char *why)
{
	struct bpf_frame frame = case_frame_bytes(&odd);

	leaves(&frame, why);
}

/* The frame is the worker's, and changes nothing. */
static void
is_steered(const struct bpf_frame *other, const char *why)
{
	uint64_t steered = queue()->steered, ticket = case_row(&relayed)->ticket;
	struct bpf_frame frame = *other;

	cr_assert_eq(bpf_run_frame(&relayed.run, &frame), BPF_STEERED, "%s", why);
	cr_assert_eq(case_row(&relayed)->state, KERNEL_KERNEL, "%s", why);
	cr_assert_eq(queue()->steered, steered + 1, "%s", why);
	cr_assert_eq(case_row(&relayed)->ticket, ticket, "%s", why);
	cr_assert_eq(case_run(&relayed), BPF_SENT, "%s", why);
	case_next(&relayed);
}

static void
is_steered_frame(struct case_frame other, const char *why)
{
	struct bpf_frame frame = case_frame_bytes(&other);

	is_steered(&frame, why);
}

Test(kernel_guard, rtcp_and_stun_are_the_workers)
{
	struct case_frame frame;

	for (unsigned type = 0; type < 256; type++) {
		if ((type & 0x60) != 0x40)
			continue;
		frame = relayed.in;
		frame.type = (uint8_t)type;
		is_steered_frame(frame, "RTCP's second byte");
	}
	for (unsigned first = 0; first < 256; first++) {
		if (first >> 6 == 2)
			continue;
		frame = relayed.in;
		frame.first = (uint8_t)first;
		is_steered_frame(frame, "another version");
	}
	frame = relayed.in;
	frame.port_to = CASE_PORT + 1;
	is_steered_frame(frame, "the port of RTCP");
	frame.port_to = CASE_PORT + 2;
	is_steered_frame(frame, "a port of no leg");
	cr_assert_eq(counted(KERNEL_COUNT_LEFT), 0);
}

Test(kernel_guard, malformed_datagrams_are_the_workers)
{
	struct bpf_frame whole = case_frame_bytes(&relayed.in), frame;

	for (frame = whole; frame.bytes > 42; frame.bytes--) {
		if (frame.bytes < whole.bytes)
			is_steered(&frame, "cut");
		whole = case_frame_bytes(&relayed.in);
		memcpy(frame.data, whole.data, sizeof(frame.data));
	}
	for (uint32_t bytes = 0; bytes < 300; bytes++) {
		frame = case_frame_bytes(&relayed.in);
		frame.data[38] = (uint8_t)(bytes >> 8);
		frame.data[39] = (uint8_t)bytes;
		if (bytes < 20 || bytes > 180)
			is_steered(&frame, "length of UDP");
	}
	for (unsigned byte = 14; byte < 34; byte++) {
		/* Version and header length, fragments, protocol and the leg's address decide before. */
		if (byte == 14 || byte == 20 || byte == 21 || byte == 23 || byte >= 30)
			continue;
		frame = case_frame_bytes(&relayed.in);
		frame.data[byte] ^= 1;
		is_steered(&frame, "checksum of IPv4");
	}
}

Test(kernel_guard, malformed_datagrams_of_ipv6_are_the_workers)
{
	struct bpf_frame frame;

	case_fill(&relayed, (struct case_way){.in6 = true});
	for (uint32_t bytes = 0; bytes < 300; bytes++) {
		frame = case_frame_bytes(&relayed.in);
		frame.data[18] = (uint8_t)(bytes >> 8);
		frame.data[19] = (uint8_t)bytes;
		if (bytes != 180)
			is_steered(&frame, "length of IPv6");
	}
	frame = case_frame_bytes(&relayed.in);
	frame.data[60] = frame.data[61] = 0;
	is_steered(&frame, "no checksum");
}

/* Bytes amidst a frame, which has room for them. */
static void
insert(struct bpf_frame *frame, uint32_t at, const uint8_t *bytes, uint32_t count)
{
	memmove(frame->data + at + count, frame->data + at, frame->bytes - at);
	memcpy(frame->data + at, bytes, count);
	frame->bytes += count;
}

Test(kernel_guard, headers_with_options_make_the_leg_leave)
{
	static const uint8_t none[8] = {17, 0, 1, 4}, no_operation[4] = {1, 1, 1, 0};
	struct bpf_frame frame = case_frame_bytes(&relayed.in);

	insert(&frame, 34, no_operation, 4);
	frame.data[14] = 0x46;
	frame.data[17] += 4;
	leaves(&frame, "IPv4 options");
	case_fill(&relayed, (struct case_way){.in6 = true});
	frame = case_frame_bytes(&relayed.in);
	insert(&frame, 54, none, 8);
	frame.data[20] = 60;
	frame.data[19] += 8;
	leaves(&frame, "extension header");
}

Test(kernel_guard, rtp_that_is_not_plain_makes_the_leg_leave)
{
	for (unsigned first = 0x81; first < 0xc0; first++) {
		struct case_frame frame = relayed.in;

		frame.first = (uint8_t)first;
		leaves_frame(frame, "padding, extension or sources");
	}
}

Test(kernel_guard, payload_types_that_are_the_workers_make_the_leg_leave)
{
	struct case_frame frame = relayed.in;

	frame.type = 101;
	leaves_frame(frame, "event");
	frame.sequence = relayed.in.sequence;
	frame.type = 0x80 | 101;
	leaves_frame(frame, "event with the marker");
	case_row(&relayed)->flags |= KERNEL_AUDIO_ONLY;
	frame.type = 13;
	leaves_frame(frame, "not the audio");
	case_row(&relayed)->event_pt = 0;
	relayed.in.type = relayed.out.type = 0;
	case_row(&relayed)->audio_pt_in = case_row(&relayed)->audio_pt_to = 0;
	cr_assert_eq(case_run(&relayed), BPF_SENT, "type 0 is no event");
}

Test(kernel_guard, numbers_that_begin_anew_make_the_leg_leave)
{
	struct case_frame frame = relayed.in;

	frame.ssrc++;
	leaves_frame(frame, "another source");
	frame = relayed.in;
	frame.sequence += 3000;
	leaves_frame(frame, "ahead");
	frame = relayed.in;
	frame.sequence -= 110;
	leaves_frame(frame, "behind");
	frame = relayed.in;
	case_intake(&relayed)->reception.sequence_bad = 5;
	case_row(&relayed)->state = KERNEL_KERNEL;
	cr_assert_eq(case_run_frame(&relayed, &frame), BPF_STEERED, "astray");
	cr_assert_eq(case_row(&relayed)->state, KERNEL_WORKER);
	case_fill(&relayed, (struct case_way){0});
	case_intake(&relayed)->reception.sources = 0;
	cr_assert_eq(case_run(&relayed), BPF_STEERED, "nothing heard");
	cr_assert_eq(case_row(&relayed)->state, KERNEL_WORKER);
}

Test(kernel_guard, leg_that_has_not_the_turn_leaves)
{
	union egress_map map = {case_egress(&relayed)->map};
	uint64_t voice = case_intake(&relayed)->voice;

	map.turn++;
	case_egress(&relayed)->map = map.word;
	cr_assert_eq(case_run(&relayed), BPF_STEERED);
	cr_assert_eq(case_row(&relayed)->state, KERNEL_WORKER);
	map.turn--;
	case_egress(&relayed)->map = map.word;
	case_intake(&relayed)->voice = 0;
	case_row(&relayed)->state = KERNEL_KERNEL;
	queue()->handled = queue()->steered;
	cr_assert_eq(case_run(&relayed), BPF_STEERED);
	cr_assert_eq(case_row(&relayed)->state, KERNEL_WORKER);
	/* A turn at another leg. */
	case_intake(&relayed)->voice = voice ^ 1 << 16;
	case_row(&relayed)->state = KERNEL_KERNEL;
	queue()->handled = queue()->steered;
	cr_assert_eq(case_run(&relayed), BPF_STEERED);
}

Test(kernel_guard, datagrams_without_a_checksum_are_the_workers_towards_ipv6)
{
	struct case_frame frame;

	case_fill(&relayed, (struct case_way){.out6 = true});
	frame = relayed.in;
	frame.unsigned_udp = true;
	leaves_frame(frame, "no checksum");
}

Test(kernel_guard, foreign_packets_are_dropped_and_counted)
{
	struct case_frame frame;
	uint64_t dropped = 0;

	for (unsigned v6 = 0; v6 < 2; v6++) {
		case_fill(&relayed, (struct case_way){.in6 = v6});
		for (unsigned byte = 0; byte < (v6 ? 16 : 4); byte++) {
			frame = relayed.in;
			frame.from[byte] ^= 1;
			cr_assert_eq(case_run_frame(&relayed, &frame), BPF_DROPPED, "byte %u",
				     byte);
			cr_assert_eq(counted(KERNEL_COUNT_FOREIGN), ++dropped);
		}
		frame = relayed.in;
		frame.port_from ^= 0x100;
		cr_assert_eq(case_run_frame(&relayed, &frame), BPF_DROPPED);
		cr_assert_eq(counted(KERNEL_COUNT_FOREIGN), ++dropped);
		cr_assert_eq(case_intake(&relayed)->packets_foreign, v6 ? 17 : 5);
		frame.first = 0x81;
		cr_assert_eq(case_run_frame(&relayed, &frame), BPF_DROPPED, "none that leaves");
		cr_assert_eq(counted(KERNEL_COUNT_FOREIGN), ++dropped);
		cr_assert_eq(case_row(&relayed)->state, KERNEL_KERNEL);
		cr_assert_eq(case_row(&relayed)->ticket, 0);
		cr_assert_eq(queue()->steered, 0);
		cr_assert_eq(case_run(&relayed), BPF_SENT);
	}
}

Test(kernel_guard, foreign_packets_are_the_workers_where_it_may_latch_anew)
{
	struct case_frame frame = relayed.in;

	case_row(&relayed)->flags |= KERNEL_FOREIGN_STEERED;
	frame.from[3]++;
	is_steered_frame(frame, "address");
	frame = relayed.in;
	frame.port_from++;
	is_steered_frame(frame, "port");
	cr_assert_eq(case_intake(&relayed)->packets_foreign, 0);
	cr_assert_eq(counted(KERNEL_COUNT_FOREIGN), 0);
}

Test(kernel_guard, leg_of_the_other_family_is_not_met)
{
	case_row(&relayed)->flags |= KERNEL_SOURCE_V6;
	cr_assert_eq(case_run(&relayed), BPF_DROPPED);
	case_fill(&relayed, (struct case_way){.in6 = true});
	case_row(&relayed)->flags &= (uint16_t)~KERNEL_SOURCE_V6;
	cr_assert_eq(case_run(&relayed), BPF_DROPPED);
}

Test(kernel_guard, packets_wait_until_those_before_are_handled)
{
	case_row(&relayed)->state = KERNEL_WORKER;
	for (unsigned i = 1; i <= 3; i++) {
		cr_assert_eq(case_run(&relayed), BPF_STEERED);
		cr_assert_eq(case_row(&relayed)->ticket, ticket_of(i));
	}
	cr_assert_eq(counted(KERNEL_COUNT_WAITED), 0);
	case_row(&relayed)->state = KERNEL_KERNEL;
	queue()->handled = 2;
	cr_assert_eq(case_run(&relayed), BPF_STEERED);
	cr_assert_eq(case_row(&relayed)->ticket, ticket_of(4));
	cr_assert_eq(case_row(&relayed)->state, KERNEL_KERNEL);
	queue()->handled = 3;
	cr_assert_eq(case_run(&relayed), BPF_STEERED);
	cr_assert_eq(counted(KERNEL_COUNT_WAITED), 2);
	cr_assert_eq(counted(KERNEL_COUNT_LEFT), 0);
	queue()->handled = 5;
	cr_assert_eq(case_run(&relayed), BPF_SENT);
	cr_assert_eq(case_row(&relayed)->ticket, ticket_of(5), "not changed by what is sent");
	/* A ticket of another queue. */
	case_next(&relayed);
	case_row(&relayed)->ticket = (uint64_t)(QUEUE + 1) << 48 | 7;
	relayed.run.memory->queues[QUEUE + 1].handled = 6;
	cr_assert_eq(case_run(&relayed), BPF_STEERED);
	case_row(&relayed)->ticket = (uint64_t)(QUEUE + 1) << 48 | 7;
	relayed.run.memory->queues[QUEUE + 1].handled = 7;
	cr_assert_eq(case_run(&relayed), BPF_SENT);
}

Test(kernel_guard, what_no_socket_took_is_not_waited_for)
{
	case_row(&relayed)->state = KERNEL_WORKER;
	bpf_run_serve(&relayed.run, 0);
	cr_assert_eq(case_run(&relayed), BPF_UNSERVED);
	cr_assert_eq(queue()->steered, 0);
	cr_assert_eq(case_row(&relayed)->ticket, 0);
}

Test(kernel_guard, rate_cap_lets_a_burst_through)
{
	struct leg_options *options = &relayed.run.memory->options[CASE_LEG];
	struct leg_intake intake;
	uint64_t begin = now_ns();

	options->packet_ns = UINT64_C(1000000000000);
	options->ahead_ns = 2 * options->packet_ns;
	cr_assert_eq(case_run(&relayed), BPF_SENT);
	cr_assert_eq(options->due_ns, 0, "no cap without its flag");
	case_row(&relayed)->flags |= KERNEL_RATE_CAP;
	for (unsigned i = 0; i < 3; i++) {
		case_next(&relayed);
		cr_assert_eq(case_run(&relayed), BPF_SENT, "packet %u", i);
	}
	cr_assert(options->due_ns >= begin + 3 * options->packet_ns &&
		  options->due_ns <= now_ns() + 3 * options->packet_ns);
	memcpy(&intake, case_intake(&relayed), sizeof(intake));
	case_next(&relayed);
	cr_assert_eq(case_run(&relayed), BPF_DROPPED);
	cr_assert_eq(options->packets_capped, 1);
	cr_assert_eq(counted(KERNEL_COUNT_RATE), 1);
	cr_assert_eq(memcmp(&intake, case_intake(&relayed), sizeof(intake)), 0);
	options->due_ns = 0;
	cr_assert_eq(case_run(&relayed), BPF_SENT);
}
