/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever comes in: every packet has exactly one verdict, the counters add up, nothing leaks, and
 * what goes out is whole. Packets are valid ones, changed at random from a seed that a failure names.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/plane.h"
#include "wire.h"

#define SEEDS         40
#define SOAK_SEEDS    2000
#define SEED_PACKETS  1500
#define FORK_DRAINED  16
#define PATH_TEMPLATE "/tmp/stw-property-XXXXXX"

static struct wire wire;

static void
open_wire(void)
{
	struct stw_media_config config;

	wire_eal_start();
	config = wire_config();
	wire_open(&wire, &config);
}

static void
close_wire(void)
{
	wire_close(&wire);
	stw_eal_stop();
}

TestSuite(packets, .init = open_wire, .fini = close_wire);

static uint32_t
draw(uint64_t *random, uint32_t below)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*random >> 33) % below;
}

/* A valid packet of some kind to some port of the call. */
static void
valid_make(uint64_t *random, const struct call *call, struct frame *frame)
{
	struct party from = draw(random, 2) ? wire_caller : wire_agent;
	struct stw_endpoint to = from.port ? call->agent_local : call->caller_local;
	uint16_t sequence = (uint16_t)draw(random, 65536);

	if (draw(random, 8) == 0)
		from.ip[3] = (uint8_t)draw(random, 256);
	if (draw(random, 8) == 0)
		to.port = (uint16_t)(to.port + draw(random, 200) - 100);
	switch (draw(random, 4)) {
	case 0:
		wire_rtcp(frame, &from, &to);
		break;
	case 1:
		wire_event(frame, &from, &to, sequence, draw(random, UINT32_MAX),
			   (uint8_t)draw(random, 32), draw(random, 2), (uint16_t)sequence);
		break;
	default:
		wire_rtp(frame, &from, &to, (uint8_t)(draw(random, 4) ? 0 : draw(random, 128)),
			 sequence, draw(random, UINT32_MAX));
		break;
	}
}

/* Change it: bits, bytes, its length; make its checksums right again now and then. */
static void
frame_change(uint64_t *random, struct frame *frame)
{
	uint32_t changes = draw(random, 4);

	for (uint32_t i = 0; i < changes; i++) {
		uint32_t at = draw(random, draw(random, 2) ? frame->bytes : 60);

		if (draw(random, 2))
			frame->data[at] ^= (uint8_t)(1u << draw(random, 8));
		else
			frame->data[at] = (uint8_t)draw(random, 256);
	}
	if (draw(random, 10) == 0)
		frame->bytes = 1 + draw(random, frame->bytes);
	if (frame->bytes > 60 && draw(random, 2))
		wire_sign(frame);
}

/* Give a frame as one buffer or in two pieces. */
static void
frame_give(uint64_t *random, const struct frame *frame)
{
	uint8_t port = (uint8_t)draw(random, 2);
	struct rte_mbuf *mbuf, *rest;
	uint32_t cut;

	if (frame->bytes < 2 || draw(random, 10)) {
		wire_give(&wire, port, frame);
		return;
	}
	cut = 1 + draw(random, frame->bytes - 1);
	mbuf = rte_pktmbuf_alloc(wire.pool);
	rest = rte_pktmbuf_alloc(wire.pool);
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)cut), frame->data, cut);
	memcpy(rte_pktmbuf_append(rest, (uint16_t)(frame->bytes - cut)), frame->data + cut,
	       frame->bytes - cut);
	rte_pktmbuf_chain(mbuf, rest);
	wire_give_mbuf(&wire, port, mbuf);
}

static void
sent_check(uint64_t seed)
{
	struct frame frame;

	for (uint8_t port = 0; port < WIRE_PORTS; port++) {
		while (wire_take(&wire, port, &frame)) {
			if (wire_u16(&frame, 12) == 0x0806 || frame.data[23] != 17)
				continue;
			cr_assert(wire_checksums_are_right(&frame), "seed %lu", seed);
			cr_assert_eq(wire_u16(&frame, 16) + 14, frame.bytes, "seed %lu", seed);
			cr_assert_eq(frame.data[30] << 8 | frame.data[32], 10 << 8 | port);
		}
	}
}

static void
run_seed(uint64_t seed)
{
	struct stw_fork_config fork_config = STW_FORK_CONFIG_INIT;
	char path[] = PATH_TEMPLATE;
	struct stw_media_event event;
	uint64_t random = seed;
	struct frame frame;
	struct stw_fork fork;
	struct call call;

	close(mkstemp(path));
	unlink(path);
	fork_config.path = path;
	fork_config.kind = draw(&random, 2) ? STW_FORK_PCAPNG : STW_FORK_WAV;
	wire_call(&wire, &call);
	cr_assert_eq(stw_fork_add(wire.media, call.session, &fork_config, wire.now_ns, &fork), 0);
	for (unsigned packet = 0; packet < SEED_PACKETS;) {
		uint32_t burst = 1 + draw(&random, 70);

		for (uint32_t i = 0; i < burst; i++, packet++) {
			valid_make(&random, &call, &frame);
			if (draw(&random, 3))
				frame_change(&random, &frame);
			frame_give(&random, &frame);
		}
		wire.now_ns += draw(&random, 30) * WIRE_MS;
		wire_poll(&wire);
		wire_poll(&wire);
		cr_assert(wire_counters_add_up(&wire), "seed %lu", seed);
		plane_check(wire.media);
		sent_check(seed);
		stw_media_record(wire.media, 1 + draw(&random, 2 * FORK_DRAINED));
		while (wire_event_take(&wire, &event) > 0)
			continue;
	}
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	while (stw_media_record(wire.media, 1000) > 0)
		continue;
	wire.now_ns += 5000 * WIRE_MS;
	stw_media_advance(wire.media, wire.now_ns);
	wire_poll(&wire);
	sent_check(seed);
	plane_check(wire.media);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base, "seed %lu", seed);
	cr_assert_eq(wire_stats(&wire).forks, 0);
	unlink(path);
}

Test(packets, any_packet_has_one_verdict_and_leaves_nothing_behind, .timeout = 600)
{
	uint64_t seeds = getenv("STW_SOAK") ? SOAK_SEEDS : SEEDS;
	struct stw_media_stats stats;

	for (uint64_t seed = 1; seed <= seeds; seed++)
		run_seed(seed);
	/* The changes reach what they are meant to reach. */
	stats = wire_stats(&wire);
	for (int i = 0; i < STW_VERDICT_COUNT; i++) {
		if (i == STW_PASS_HOST || i == STW_DROP_NO_BUFFER || i == STW_DROP_SEND_FULL ||
		    i == STW_DROP_NO_REMOTE || i == STW_PASS_CONSUMED)
			continue;
		cr_assert(stats.verdicts[i] > 0, "%s was never given", stw_verdict_name(i));
	}
}
