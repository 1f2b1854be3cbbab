/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker that has too much to do. One poll is what one core can do in a tick of a virtual clock: a burst
 * from each port. More than that gathers in the receive queue and is dropped there, as a device does.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/overload.h"
#include "media/plane.h"
#include "wire_suite.h"

#define STREAMS 24
#define TICK_NS UINT64_C(200000)
#define BURSTS  16

static struct wire wire;
static struct call calls[STREAMS];
static struct stw_fork recording;
static char path[] = "/tmp/stw-overload-XXXXXX";

struct stream {
	uint16_t next;  /* to be sent */
	uint16_t heard; /* last one on the far side */
	uint16_t first; /* what the far side calls number 0 */
	uint32_t lost;
	uint32_t count;
};

static struct stream streams[STREAMS];
static uint64_t offered, missed;

static struct party
party_of(unsigned n, unsigned side)
{
	struct party party = side ? wire_agent : wire_caller;

	party.udp_port = (uint16_t)(party.udp_port + 2 * n);
	return party;
}

static void
call_make(unsigned n)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct call *call = &calls[n];

	cr_assert_eq(stw_session_add(wire.media, &session, &call->session), 0);
	for (unsigned side = 0; side < 2; side++) {
		struct party party = party_of(n, side);
		struct stw_leg_config leg =
			wire_leg_config(&party, side ? STW_SIDE_AGENT : STW_SIDE_CALLER);

		cr_assert_eq(stw_leg_add(wire.media, call->session, &leg, wire.now_ns,
					 side ? &call->agent : &call->caller,
					 side ? &call->agent_local : &call->caller_local),
			     0);
	}
	cr_assert_eq(stw_leg_connect(wire.media, call->caller, call->agent), 0);
	cr_assert_eq(stw_leg_connect(wire.media, call->agent, call->caller), 0);
}

/* What the queue has no room for is the device's loss. */
static void
offer(uint8_t port, const struct frame *frame)
{
	struct rte_mbuf *mbuf = wire_mbuf(&wire, frame);

	offered++;
	if (rte_ring_enqueue(wire.in[port], mbuf) == 0)
		return;
	missed++;
	rte_pktmbuf_free(mbuf);
}

static void
offer_rtp(unsigned n, unsigned side, uint16_t sequence)
{
	struct party party = party_of(n, side);
	struct frame frame;

	wire_rtp(&frame, &party, side ? &calls[n].agent_local : &calls[n].caller_local, 0, sequence,
		 160u * sequence);
	offer((uint8_t)side, &frame);
}

/* Callers speak, agents' side hears: the next of a stream, or how many are missing. */
static void
hear(void)
{
	struct frame frame;

	wire_drop_all(&wire, 0);
	while (wire_take(&wire, 1, &frame)) {
		unsigned n = (unsigned)(wire_u16(&frame, 36) - wire_agent.udp_port) / 2;
		uint16_t sequence = wire_u16(&frame, 44);

		if (wire_u16(&frame, 12) != 0x0800 || n >= STREAMS || frame.bytes != 42 + 172)
			continue;
		if (streams[n].count == 0)
			streams[n].first = sequence;
		sequence = (uint16_t)(sequence - streams[n].first);
		streams[n].lost += (uint16_t)(sequence - streams[n].heard - 1);
		streams[n].heard = sequence;
		streams[n].count++;
	}
}

static void
speak(unsigned packets)
{
	static unsigned turn;

	for (unsigned i = 0; i < packets; i++) {
		unsigned n = turn++ % STREAMS;

		offer_rtp(n, 0, streams[n].next++);
	}
}

static void
tick(unsigned packets)
{
	speak(packets);
	wire_poll(&wire);
	hear();
	wire.now_ns += TICK_NS;
}

static struct stw_worker_stats
worker_stats(void)
{
	struct stw_worker_stats stats = {.struct_size = sizeof(stats)};

	cr_assert_eq(stw_media_worker_stats(wire.media, 0, wire.now_ns, &stats), 0);
	return stats;
}

static uint64_t
verdict(enum stw_verdict which)
{
	return wire_stats(&wire).verdicts[which];
}

static void
open_wire(void)
{
	struct stw_media_config config = wire_config();
	struct stw_worker_config worker = STW_WORKER_CONFIG_INIT;
	struct stw_fork_config fork_config = STW_FORK_CONFIG_INIT;

	wire_eal_start();
	worker.overload_bursts = BURSTS;
	config.worker_configs = &worker;
	config.worker_configs_count = 1;
	config.sessions_max = 64;
	config.legs_max = 128;
	wire_open(&wire, &config);
	memset(streams, 0, sizeof(streams));
	for (unsigned n = 0; n < STREAMS; n++) {
		call_make(n);
		offer_rtp(n, 0, UINT16_MAX);
		offer_rtp(n, 1, UINT16_MAX);
		streams[n].heard = UINT16_MAX;
	}
	wire_poll(&wire);
	wire_drop_sent(&wire);
	cr_assert_geq(mkstemp(path), 0);
	unlink(path);
	fork_config.path = path;
	cr_assert_eq(
		stw_fork_add(wire.media, calls[0].session, &fork_config, wire.now_ns, &recording),
		0);
	offered = missed = 0;
}

static void
close_wire(void)
{
	cr_assert(wire_counters_add_up(&wire));
	cr_assert_eq(rte_ring_count(wire.in[0]), 0);
	stw_media_record(wire.media, 65536);
	wire_poll(&wire);
	hear();
	plane_check(wire.media);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base);
	wire_close(&wire);
	unlink(path);
	stw_eal_stop();
}

TestSuite(overload, .init = open_wire, .fini = close_wire);

/* Until the queue is empty. */
static void
drain(void)
{
	while (rte_ring_count(wire.in[0]) || rte_ring_count(wire.in[1]))
		tick(0);
}

Test(overload, levels_rise_with_the_run_of_full_bursts_and_fall_at_once)
{
	for (unsigned i = 1; i <= 40 * BURSTS; i++) {
		tick(PACKET_BURST);
		cr_assert_eq(worker_stats().overload_level,
			     i >= 4 * BURSTS   ? 3
			     : i >= 2 * BURSTS ? 2
			     : i >= BURSTS     ? 1
					       : 0,
			     "after %u", i);
	}
	tick(PACKET_BURST - 1);
	cr_assert_eq(worker_stats().overload_level, 2);
	tick(0);
	cr_assert_eq(worker_stats().overload_level, 1);
	tick(0);
	cr_assert_eq(worker_stats().overload_level, 0);
	/* Counters of turns without work are shown each millisecond. */
	for (unsigned i = 0; i < 6; i++)
		tick(0);
	cr_assert_eq(worker_stats().overloads, 1);
	cr_assert_eq(worker_stats().turns_overloaded, 39 * BURSTS + 3);
}

static struct stw_leg
stranger_add(unsigned n, struct stw_endpoint *local)
{
	struct party party = party_of(STREAMS + n, 0);
	struct stw_leg_config config = wire_leg_config(&party, STW_SIDE_CALLER);
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_session session;
	struct stw_leg leg;

	cr_assert_eq(stw_session_add(wire.media, &session_config, &session), 0);
	cr_assert_eq(stw_leg_add(wire.media, session, &config, wire.now_ns, &leg, local), 0);
	return leg;
}

/* In a tick with a full burst of established audio: a stranger's first packet, RTCP and an echo. */
Test(overload, what_goes_first_is_as_stated)
{
	static const uint64_t shed[] = {0, 1, 2, 2};
	struct stw_fork_stats before, after;
	struct stw_worker_stats stats;
	struct frame frame;

	for (unsigned level = 0; level <= 3; level++) {
		struct party party = party_of(STREAMS + level, 0);
		uint64_t shed_before = verdict(STW_DROP_OVERLOAD), copies;
		uint64_t rtcp_before = verdict(STW_PASS_RELAYED_RTCP);
		struct stw_endpoint local;
		struct stw_leg_stats leg_stats;
		struct stw_leg leg = stranger_add(level, &local);

		for (unsigned i = 0; i < 5 * BURSTS && worker_stats().overload_level < level; i++) {
			tick(PACKET_BURST);
			stw_media_record(wire.media, 1000);
		}
		cr_assert_eq(worker_stats().overload_level, level);
		cr_assert_eq(stw_fork_stats(wire.media, recording, &before), 0);
		copies = worker_stats().copies_shed;
		wire_rtp(&frame, &party, &local, 0, 1, 160);
		offer(0, &frame);
		party = party_of(1, 0);
		wire_rtcp(&frame, &party, &calls[1].caller_local);
		offer(0, &frame);
		tick(STREAMS);
		tick(0);
		cr_assert_eq(verdict(STW_DROP_OVERLOAD) - shed_before, shed[level]);
		cr_assert_eq(verdict(STW_PASS_RELAYED_RTCP) - rtcp_before, level < 2);
		cr_assert_eq(stw_leg_stats(wire.media, leg, &leg_stats), 0);
		cr_assert_eq(leg_stats.latched, level < 1);
		cr_assert_eq(leg_stats.packets_foreign, 0, "not held against it");
		cr_assert_eq(stw_fork_stats(wire.media, recording, &after), 0);
		cr_assert_eq(after.packets - before.packets, level < 3, "one of call 0");
		stats = worker_stats();
		cr_assert_eq(stats.copies_shed - copies, level == 3);
		cr_assert_eq(after.packets_dropped - before.packets_dropped, level == 3);
		for (unsigned i = 0; i < 4 && worker_stats().overload_level > 0; i++)
			tick(0);
		cr_assert_eq(worker_stats().overload_level, 0);
		/* It latches as soon as there is room. */
		party = party_of(STREAMS + level, 0);
		wire_rtp(&frame, &party, &local, 0, 2, 320);
		offer(0, &frame);
		tick(0);
		cr_assert_eq(stw_leg_stats(wire.media, leg, &leg_stats), 0);
		cr_assert_eq(leg_stats.latched, 1);
		while (stw_media_record(wire.media, 1000) > 0)
			continue;
		tick(0);
	}
	for (unsigned n = 0; n < STREAMS; n++)
		cr_assert_eq(streams[n].lost, 0, "established audio is never left out");
}

Test(overload, is_survived, .timeout = 300)
{
	uint64_t seconds = getenv("STW_SOAK") ? 15 : 1;
	uint64_t ticks = seconds * 1000 * WIRE_MS / TICK_NS;
	uint32_t lost_before[STREAMS], counted_before[STREAMS];
	struct stw_worker_stats stats;
	uint64_t handled = 0;

	/* Twice what a poll takes. */
	for (uint64_t i = 0; i < ticks; i++) {
		tick(2 * PACKET_BURST);
		if (i % 64 == 0)
			stw_media_record(wire.media, 64);
	}
	stats = worker_stats();
	cr_assert_eq(stats.overload_level, 3);
	cr_assert_eq(stats.overloads, 1);
	cr_assert_gt(stats.copies_shed, 0);
	/* What is not lost in the queue is relayed: the worker adds no loss of its own. */
	for (unsigned n = 0; n < STREAMS; n++)
		handled += streams[n].count;
	cr_assert_eq(handled + missed + rte_ring_count(wire.in[0]), offered);
	cr_assert_geq(handled, ticks * PACKET_BURST);
	/* A tenth of it: without loss after 100 ms at the latest. */
	for (uint64_t i = 0; i < 100 * WIRE_MS / TICK_NS; i++)
		tick(2 * PACKET_BURST / 10);
	for (unsigned n = 0; n < STREAMS; n++) {
		lost_before[n] = streams[n].lost;
		counted_before[n] = streams[n].count;
	}
	cr_assert_eq(worker_stats().overload_level, 0);
	for (uint64_t i = 0; i < 1000 * WIRE_MS / TICK_NS; i++) {
		tick(2 * PACKET_BURST / 10);
		if (i % 64 == 0)
			stw_media_record(wire.media, 1024);
	}
	drain();
	for (unsigned n = 0; n < STREAMS; n++) {
		cr_assert_eq(streams[n].lost, lost_before[n], "stream %u", n);
		cr_assert_gt(streams[n].count, counted_before[n], "stream %u flows", n);
		cr_assert_eq((uint16_t)(streams[n].heard + 1), streams[n].next);
	}
}

Test(overload, never_is_never)
{
	struct stw_media_config config = wire_config();
	struct stw_worker_config worker = STW_WORKER_CONFIG_INIT;

	worker.overload_bursts = STW_OVERLOAD_NEVER;
	config.worker_configs = &worker;
	config.worker_configs_count = 1;
	overload_configure(&wire.media->workers[0], &config);
	for (unsigned i = 0; i < 64 * BURSTS; i++)
		tick(PACKET_BURST);
	cr_assert_eq(worker_stats().overload_level, 0);
	drain();
}
