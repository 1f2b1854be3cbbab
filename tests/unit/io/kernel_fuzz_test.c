/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relay inside the kernel: malformed frames by the thousand, from fixed seeds. Whatever comes, what is sent is
 * the leg's own and whole, only its rows change, and each frame is counted once.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "kernel_case.h"

#define KINDS 16

static struct kernel_case relayed;
static uint64_t seed;

/* Rows of legs that no packet is for. */
static struct {
	struct kernel_row rows[CASE_SLOTS];
	struct leg_intake intakes[CASE_SLOTS];
	struct leg_egress egresses[CASE_SLOTS];
	struct leg_options options[CASE_SLOTS];
	struct kernel_entries entries[CASE_LINES];
} before;

static uint64_t
draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

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

TestSuite(kernel_fuzz, .init = open_case, .fini = close_case);

/* Other legs' rows are full of what none has; only the first port's entry names a leg. */
static void
others_fill(unsigned kind)
{
	struct kernel_memory *memory = relayed.run.memory;

	memset(memory->rows, 0xa5, sizeof(before.rows));
	memset(memory->intakes, 0xa5, sizeof(before.intakes));
	memset(memory->egresses, 0xa5, sizeof(before.egresses));
	memset(memory->options, 0xa5, sizeof(before.options));
	memset(memory->options + CASE_LEG, 0, sizeof(*memory->options));
	case_fill(&relayed, (struct case_way){.in6 = kind & 1,
					      .out6 = kind >> 1 & 1,
					      .vlan_in = kind & 4 ? 7 : 0,
					      .vlan_out = kind & 8 ? 9 : 0});
	memcpy(before.rows, memory->rows, sizeof(before.rows));
	memcpy(before.intakes, memory->intakes, sizeof(before.intakes));
	memcpy(before.egresses, memory->egresses, sizeof(before.egresses));
	memcpy(before.options, memory->options, sizeof(before.options));
	memcpy(before.entries, memory->entries, sizeof(before.entries));
}

static void
others_check(void)
{
	const struct kernel_memory *memory = relayed.run.memory;
	const struct kernel_row *row = case_row(&relayed);

	for (unsigned i = 0; i < CASE_SLOTS; i++) {
		if (i != CASE_LEG) {
			cr_assert_eq(memcmp(&before.rows[i], &memory->rows[i], sizeof(*row)), 0);
			cr_assert_eq(memcmp(&before.intakes[i], &memory->intakes[i],
					    sizeof(*memory->intakes)),
				     0);
			cr_assert_eq(memcmp(&before.options[i], &memory->options[i],
					    sizeof(*memory->options)),
				     0);
		}
		if (i != CASE_PEER)
			cr_assert_eq(memcmp(&before.egresses[i], &memory->egresses[i],
					    sizeof(*memory->egresses)),
				     0);
	}
	cr_assert_eq(memcmp(before.entries, memory->entries, sizeof(before.entries)), 0);
	/* Of the leg's own, nothing that control has filled in. */
	cr_assert_eq(memcmp((const uint8_t *)&before.rows[CASE_LEG] + 16, (const uint8_t *)row + 16,
			    offsetof(struct kernel_row, left_ns) - 16),
		     0);
	cr_assert_eq(memcmp(before.rows[CASE_LEG].mac_to, row->mac_to,
			    sizeof(*row) - offsetof(struct kernel_row, mac_to)),
		     0);
}

static uint32_t
sum_of(const uint8_t *bytes, uint32_t count)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Sum of all that a UDP checksum covers, with the checksum: 0xffff when it is right. */
static uint32_t
udp_sum(const uint8_t *ip, const uint8_t *udp, bool v6)
{
	uint32_t bytes = (uint32_t)udp[4] << 8 | udp[5];
	uint32_t sum = sum_of(ip + (v6 ? 8 : 12), v6 ? 32 : 8) + sum_of(udp, bytes) + 17 + bytes;

	return (sum & 0xffff) + (sum >> 16);
}

/*
 * What was sent for a frame: the row's headers, all right, the payload as it came. Where the frame's UDP checksum
 * was right it is right still.
 */
static void
sent_check(const struct bpf_frame *in, const struct bpf_frame *out)
{
	struct case_way way = relayed.way;
	struct bpf_frame pattern;
	/* A tag may come with a priority only. */
	uint32_t ip_in = in->data[12] == 0x81 ? 18 : 14, ip_out = way.vlan_out ? 18 : 14;
	const uint8_t *udp_in = in->data + ip_in + (way.in6 ? 40 : 20);
	const uint8_t *ip = out->data + ip_out, *udp = ip + (way.out6 ? 40 : 20);
	uint32_t udp_bytes = (uint32_t)udp_in[4] << 8 | udp_in[5];

	pattern = case_frame_bytes(&relayed.out);
	cr_assert_geq(udp_bytes, 20);
	cr_assert_eq(out->bytes, (uint32_t)(udp - out->data) + udp_bytes);
	cr_assert_eq(memcmp(out->data, pattern.data, 14), 0, "link addresses and type");
	if (way.out6) {
		cr_assert_eq((uint32_t)ip[4] << 8 | ip[5], udp_bytes);
		cr_assert(ip[0] >> 4 == 6 && ip[6] == 17 && ip[7] == 64);
		cr_assert_eq(memcmp(ip + 8, pattern.data + ip_out + 8, 32), 0);
	} else {
		cr_assert_eq((uint32_t)ip[2] << 8 | ip[3], 20 + udp_bytes);
		cr_assert(ip[0] == 0x45 && ip[9] == 17 && ip[8] == 64);
		cr_assert_eq(sum_of(ip, 20), 0xffff);
		cr_assert_eq(memcmp(ip + 12, pattern.data + ip_out + 12, 8), 0);
	}
	cr_assert_eq(memcmp(udp, pattern.data + (udp - out->data), 4), 0, "ports");
	cr_assert_eq(memcmp(udp + 4, udp_in + 4, 2), 0, "length");
	cr_assert_eq(udp[8], 0x80);
	cr_assert_eq(memcmp(udp + 16, pattern.data + (udp - out->data) + 16, 4), 0, "SSRC");
	cr_assert_eq(memcmp(udp + 20, udp_in + 20, udp_bytes - 20), 0, "payload");
	if (udp_in[6] | udp_in[7]) {
		uint32_t right = udp_sum(in->data + ip_in, udp_in, way.in6);
		uint32_t still = udp_sum(ip, udp, way.out6);

		cr_assert_eq(right % 0xffff, still % 0xffff, "%04x, now %04x", right, still);
		cr_assert(udp[6] | udp[7]);
	} else {
		cr_assert(!way.in6 && !way.out6 && !(udp[6] | udp[7]));
	}
}

static uint64_t
counts_of_all(void)
{
	static const enum kernel_count drops[] = {KERNEL_COUNT_RELAYED, KERNEL_COUNT_FOREIGN,
						  KERNEL_COUNT_RATE, KERNEL_COUNT_NO_BUFFER};
	uint64_t sum = bpf_run_steer_count(&relayed.run, STEER_COUNT_STEERED) +
		       bpf_run_steer_count(&relayed.run, STEER_COUNT_PASSED) +
		       bpf_run_steer_count(&relayed.run, STEER_COUNT_UNSERVED);

	for (unsigned i = 0; i < STW_ARRAY_COUNT(drops); i++)
		sum += bpf_run_count(&relayed.run, drops[i]);
	return sum;
}

/* Run a frame against a leg amidst its stream. @return whether it was sent */
static bool
run_checked(const struct bpf_frame *in)
{
	struct bpf_frame frame = *in;
	enum bpf_fate fate;

	case_row(&relayed)->state = KERNEL_KERNEL;
	case_row(&relayed)->ticket = 0;
	memcpy(case_intake(&relayed), &before.intakes[CASE_LEG], sizeof(struct leg_intake));
	memcpy(case_egress(&relayed), &before.egresses[CASE_PEER], sizeof(struct leg_egress));
	fate = bpf_run_frame(&relayed.run, &frame);
	if (fate == BPF_SENT)
		sent_check(in, &frame);
	else
		cr_assert_eq(case_intake(&relayed)->relayed, before.intakes[CASE_LEG].relayed);
	return fate == BPF_SENT;
}

Test(kernel_fuzz, frames_of_every_length)
{
	uint64_t frames = 0;

	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct bpf_frame whole;

		others_fill(kind);
		whole = case_frame_bytes(&relayed.in);
		for (uint32_t bytes = 14; bytes <= whole.bytes + 20; bytes++, frames++) {
			struct bpf_frame frame = whole;

			frame.bytes = bytes;
			cr_assert_eq(run_checked(&frame), bytes >= whole.bytes, "%u of %u bytes",
				     bytes, whole.bytes);
		}
		others_check();
	}
	cr_assert_eq(counts_of_all(), frames);
}

Test(kernel_fuzz, frames_with_flipped_bits)
{
	uint64_t frames = 0, sent = 0;

	seed = 0x5eed0001;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct bpf_frame whole;

		others_fill(kind);
		if (!relayed.in.v6 && !relayed.out.v6 && kind & 8)
			relayed.in.unsigned_udp = true;
		relayed.in.ip_padding = kind & 4;
		whole = case_frame_bytes(&relayed.in);
		for (unsigned i = 0; i < 1500; i++, frames++) {
			struct bpf_frame frame = whole;
			/* Mostly in the headers. */
			uint32_t bits = 8 * (draw() % 4 ? 78 : whole.bytes);

			for (uint64_t flips = 1 + draw() % 4; flips > 0; flips--) {
				uint64_t bit = draw() % bits;

				frame.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			}
			if (draw() % 8 == 0)
				frame.bytes = 14 + (uint32_t)(draw() % (whole.bytes - 13));
			sent += run_checked(&frame);
		}
		others_check();
	}
	cr_assert_eq(counts_of_all(), frames);
	cr_assert_gt(sent, frames / 20);
	cr_assert_lt(sent, frames);
}

Test(kernel_fuzz, frames_of_noise)
{
	uint64_t frames = 0;

	seed = 0x5eed0002;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct bpf_frame whole;

		others_fill(kind);
		whole = case_frame_bytes(&relayed.in);
		for (unsigned i = 0; i < 1000; i++, frames++) {
			struct bpf_frame frame = whole;
			uint32_t kept = (uint32_t)(draw() % 60);

			for (uint32_t at = kept; at < sizeof(frame.data); at++)
				frame.data[at] = (uint8_t)(draw() >> 32);
			frame.bytes = 14 + (uint32_t)(draw() % 1500);
			run_checked(&frame);
		}
		others_check();
	}
	cr_assert_eq(counts_of_all(), frames);
}

/* Where control has written nothing sensible, nothing worse comes of it than a packet that is sent wrongly. */
Test(kernel_fuzz, rows_of_noise)
{
	uint64_t frames = 0;

	seed = 0x5eed0003;
	for (unsigned i = 0; i < 3000; i++, frames++) {
		struct kernel_memory *memory = relayed.run.memory;
		struct bpf_frame frame;
		uint8_t *row;

		others_fill(i % KINDS);
		row = (uint8_t *)case_row(&relayed);
		for (size_t at = 0; at < sizeof(struct kernel_row); at++) {
			/* The source mostly stays, so that the rest is used. */
			if (draw() % 8 == 0 && (at < 16 || at > 33 || draw() % 16 == 0))
				row[at] = (uint8_t)(draw() >> 32);
		}
		((struct kernel_row *)row)->state = KERNEL_KERNEL;
		for (unsigned line = 0; line < CASE_LINES; line++)
			memory->entries[line].entry[draw() % 16] = (uint32_t)draw();
		memory->entries[CASE_ENTRY / 16].entry[CASE_ENTRY % 16] =
			draw() % 8 ? CASE_LEG : (uint32_t)draw();
		frame = case_frame_bytes(&relayed.in);
		bpf_run_frame(&relayed.run, &frame);
		cr_assert_eq(memcmp(&before.intakes[CASE_LEG + 1], &memory->intakes[CASE_LEG + 1],
				    sizeof(*memory->intakes)),
			     0);
	}
	cr_assert_eq(counts_of_all(), frames);
}
