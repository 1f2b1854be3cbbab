/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any packet of IPv4 or IPv6, with or without tag, options, extension headers and checksum, of any size:
 * towards any leg it arrives with the right headers, right checksums and its payload. Then the same packets
 * changed at random: each has one verdict, nothing leaks, and what goes out is whole. A failure names its
 * seed.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "media/plane.h"
#include "wire6.h"
#include "wire_suite.h"

#define SEEDS        60
#define SOAK_SEEDS   3000
#define SEED_PACKETS 200
#define PAYLOAD_MAX  1200

static struct wire wire;

static void
open_wire(void)
{
	wire_eal_start();
	wire6_open(&wire);
}

static void
close_wire(void)
{
	wire_close(&wire);
	stw_eal_stop();
}

TestSuite(mixed, .init = open_wire, .fini = close_wire);

static uint32_t
draw(uint64_t *random, uint32_t below)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*random >> 33) % below;
}

/* RTP of any size and number from a party, with any congestion bits; now and then without checksum. */
static void
packet_make(uint64_t *random, const struct mixed *call, unsigned from, struct frame *frame)
{
	uint32_t bytes = 12 + draw(random, draw(random, 4) ? 200 : PAYLOAD_MAX);
	const struct host *host = &call->host[from];
	uint8_t rtp[12 + PAYLOAD_MAX] = {0x80};
	uint32_t ip = host->vlan ? 18 : 14;

	for (uint32_t i = 2; i < bytes; i++)
		rtp[i] = (uint8_t)draw(random, draw(random, 3) ? 256 : 1);
	/* One source: one that comes back at once is a late one. */
	memset(rtp + 8, 7, 4);
	wire6_udp(frame, host, &call->local[from], rtp, bytes);
	if (host->ip.family == 6) {
		frame->data[ip + 1] = (uint8_t)draw(random, 256);
		frame->data[ip + 2] = (uint8_t)draw(random, 256);
	} else {
		frame->data[ip + 1] = (uint8_t)draw(random, 256);
		wire6_sign(frame);
		if (draw(random, 4) == 0)
			memset(frame->data + ip + 26, 0, 2);
	}
}

/* What does not change what arrives: padding, a priority, extension headers. */
static void
packet_dress(uint64_t *random, const struct mixed *call, unsigned from, struct frame *frame)
{
	const uint8_t priority[4] = {0x81, 0, (uint8_t)(draw(random, 8) << 5), 0};
	const uint8_t padding[8] = {0, 0, 1, 4};
	const uint8_t types[2] = {60, 43};
	uint32_t headers = draw(random, 6);

	if (call->host[from].ip.family == 6 && !call->host[from].vlan && draw(random, 4) == 0) {
		for (uint32_t i = 0; i < headers; i++) {
			bool routing = draw(random, 2);
			const uint8_t done[8] = {0, 0, (uint8_t)draw(random, 256), 0};

			wire6_extend(frame, types[routing], routing ? done : padding, 8);
		}
		if (draw(random, 2))
			wire6_extend(frame, 0, padding, 8);
	}
	if (!call->host[from].vlan && draw(random, 4) == 0)
		wire6_insert(frame, 12, priority, sizeof(priority));
	if (draw(random, 4) == 0)
		frame->bytes += draw(random, 20);
}

static void
call_open(uint64_t *random, struct mixed *call)
{
	wire6_call(&wire, call, draw(random, WIRE6_ADDRESSES), draw(random, WIRE6_ADDRESSES));
	wire6_call_latch(&wire, call);
}

static void
call_close(const struct mixed *call)
{
	cr_assert_eq(stw_session_remove(wire.media, call->session, wire.now_ns), 0);
	wire.now_ns += 3000 * WIRE_MS;
	stw_media_advance(wire.media, wire.now_ns);
	wire_poll(&wire);
	stw_media_advance(wire.media, wire.now_ns);
	wire_drop_sent(&wire);
	plane_check(wire.media);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base);
}

Test(mixed, any_packet_arrives_whole_whatever_the_legs_speak, .timeout = 300)
{
	uint64_t seeds = getenv("STW_SOAK") ? SOAK_SEEDS : SEEDS;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		uint64_t random = seed;
		struct mixed call;

		call_open(&random, &call);
		for (unsigned i = 0; i < SEED_PACKETS; i++) {
			unsigned from = draw(&random, 2);
			struct frame plain, frame;
			struct seen was;
			int verdict;

			packet_make(&random, &call, from, &plain);
			cr_assert(wire6_read(&plain, &was));
			frame = plain;
			packet_dress(&random, &call, from, &frame);
			verdict = wire_verdict(&wire, call.host[from].port, &frame);
			cr_assert_eq(verdict, STW_PASS_RELAYED, "seed %lu packet %u: %s", seed, i,
				     stw_verdict_name(verdict));
			cr_assert(wire6_arrives(&wire, &call, from, &was), "seed %lu packet %u",
				  seed, i);
		}
		call_close(&call);
	}
}

/* Change a frame: bits, bytes, its length; make its checksums right again now and then. */
static void
frame_change(uint64_t *random, struct frame *frame)
{
	uint32_t changes = draw(random, 4);

	for (uint32_t i = 0; i < changes; i++) {
		uint32_t at = draw(random, draw(random, 4) ? 90 : frame->bytes);

		if (draw(random, 2))
			frame->data[at] ^= (uint8_t)(1u << draw(random, 8));
		else
			frame->data[at] = (uint8_t)draw(random, 256);
	}
	if (draw(random, 10) == 0)
		frame->bytes = 1 + draw(random, frame->bytes);
	if (frame->bytes > 90 && draw(random, 2))
		wire6_sign(frame);
}

static void
sent_check(uint64_t seed)
{
	struct frame frame;
	struct seen seen;

	for (uint8_t port = 0; port < WIRE_PORTS; port++) {
		while (wire_take(&wire, port, &frame)) {
			uint32_t type = wire_u16(&frame, wire_u16(&frame, 12) == 0x8100 ? 16 : 12);

			if (type == 0x0806)
				continue;
			cr_assert(wire6_read(&frame, &seen), "seed %lu", seed);
			cr_assert(wire6_checksums_are_right(&frame), "seed %lu", seed);
		}
	}
}

Test(mixed, changed_packets_have_one_verdict_and_leave_nothing_behind, .timeout = 300)
{
	uint64_t seeds = getenv("STW_SOAK") ? SOAK_SEEDS : SEEDS;
	struct stw_media_event event;
	struct stw_media_stats stats;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		uint64_t random = seed;
		struct mixed call;

		call_open(&random, &call);
		for (unsigned i = 0; i < SEED_PACKETS; i++) {
			unsigned from = draw(&random, 2);
			struct frame frame;

			packet_make(&random, &call, from, &frame);
			packet_dress(&random, &call, from, &frame);
			frame_change(&random, &frame);
			wire_give(&wire,
				  draw(&random, 8) ? call.host[from].port
						   : (uint8_t)draw(&random, 2),
				  &frame);
			if (draw(&random, 4) == 0) {
				wire_poll(&wire);
				sent_check(seed);
				cr_assert(wire_counters_add_up(&wire), "seed %lu", seed);
			}
		}
		wire_poll(&wire);
		while (wire_event_take(&wire, &event) > 0)
			continue;
		call_close(&call);
	}
	/* The changes reach what they are meant to reach. */
	stats = wire_stats(&wire);
	cr_assert_gt(stats.verdicts[STW_PASS_RELAYED], 0);
	cr_assert_gt(stats.verdicts[STW_DROP_NOT_OURS], 0);
	cr_assert_gt(stats.verdicts[STW_DROP_MALFORMED], 0);
	cr_assert_gt(stats.verdicts[STW_DROP_CHECKSUM], 0);
	cr_assert_gt(stats.verdicts[STW_DROP_FRAGMENT], 0);
	cr_assert_gt(stats.verdicts[STW_DROP_SOURCE], 0);
}
