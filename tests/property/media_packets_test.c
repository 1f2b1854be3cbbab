/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever comes in: every packet has exactly one verdict, the counters add up, nothing leaks, and
 * what goes out is whole. Packets are valid ones, changed at random from a seed that a failure names.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/media.h"
#include "wire.h"

#define SEEDS         40
#define SOAK_SEEDS    2000
#define SEED_PACKETS  1500
#define FORK_DRAINED  16
#define FORKS         3
#define PATH_TEMPLATE "/tmp/stw-property-XXXXXX"

static struct wire wire;
static int tap[2]; /* a pair of sockets stands for the exception interface of port 1 */

static void
open_wire(void)
{
	struct stw_worker_config worker = STW_WORKER_CONFIG_INIT;
	struct stw_media_config config;
	struct media_io *io;

	wire_eal_start();
	config = wire_config();
	/* Each full burst is an overload. */
	worker.overload_bursts = 1;
	config.worker_configs = &worker;
	config.worker_configs_count = 1;
	config.mixes_max = 4;
	wire_open(&wire, &config);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, tap), 0);
	io = (struct media_io *)wire.media;
	cr_assert_eq(exception_make(&io->exceptions[1], tap[0], 1), 0);
	io->exceptions_count = 1;
}

/* What the kernel gets is thrown away. */
static void
exceptions_take(void)
{
	char frame[WIRE_FRAME_MAX];

	stw_media_exceptions(wire.media, 1000);
	while (recv(tap[1], frame, sizeof(frame), 0) > 0)
		continue;
}

static void
close_wire(void)
{
	wire_close(&wire);
	close(tap[1]);
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

/* Change what a leg is told, as a host does in mid-call. */
static void
leg_change(uint64_t *random, const struct call *call)
{
	bool agent = draw(random, 2);
	struct stw_leg_config config = wire_leg_config(agent ? &wire_agent : &wire_caller,
						       agent ? STW_SIDE_AGENT : STW_SIDE_CALLER);

	config.mode = draw(random, 3) ? STW_LEG_SEND_RECEIVE : (enum stw_leg_mode)draw(random, 4);
	config.packets_per_second_max = draw(random, 3) ? 0 : 1 + draw(random, 100);
	config.rtcp_mux = draw(random, 4) == 0;
	config.event_pt = draw(random, 2) ? 101 : 96;
	config.pt_map_count = (uint8_t)draw(random, 2);
	config.pt_map[0] = (struct stw_pt_pair){(uint8_t)draw(random, 128), 99};
	config.rtcp = draw(random, 2) ? STW_RTCP_END : STW_RTCP_PASS;
	config.remote_rtcp_port = draw(random, 4) ? 0 : 50009;
	config.silent_audio_ns = draw(random, 2) * 100 * WIRE_MS;
	if (draw(random, 2)) {
		config.relatch = STW_RELATCH_SILENT;
		config.relatch_after_ns = 40 * WIRE_MS;
	}
	cr_assert_eq(stw_leg_update(wire.media, agent ? call->agent : call->caller, &config,
				    wire.now_ns),
		     0);
}

/* Put legs into a mix of the call, change their roles, take them out, or the whole mix. */
static void
mix_change(uint64_t *random, const struct call *call, struct stw_mix *mix)
{
	struct stw_mix_config config = STW_MIX_CONFIG_INIT;
	struct stw_mix_leg_config leg = STW_MIX_LEG_CONFIG_INIT;

	leg.leg = draw(random, 2) ? call->caller : call->agent;
	leg.role = (enum stw_mix_role)draw(random, STW_MIX_ROLE_COUNT);
	if (!mix->id) {
		cr_assert_eq(stw_mix_add(wire.media, call->session, &config, wire.now_ns, mix), 0);
	} else if (draw(random, 3)) {
		cr_assert_eq(stw_mix_leg(wire.media, *mix, &leg), 0);
	} else if (draw(random, 2)) {
		stw_mix_leg_remove(wire.media, *mix, leg.leg);
	} else {
		cr_assert_eq(stw_mix_remove(wire.media, *mix), 0);
		mix->id = 0;
	}
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

/* A file, a consumer and an endpoint get copies. */
static void
forks_add(uint64_t *random, const struct call *call, const char *path,
	  struct stw_consumer *consumer, struct stw_fork forks[FORKS])
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;

	config.path = path;
	config.consumer = consumer;
	config.remote = wire_endpoint(&wire_agent);
	config.remote.port = 7777;
	config.address = 1;
	for (unsigned i = 0; i < FORKS; i++) {
		config.kind = i == 0   ? (draw(random, 2) ? STW_FORK_PCAPNG : STW_FORK_WAV)
			      : i == 1 ? STW_FORK_RING
				       : STW_FORK_UDP;
		cr_assert_eq(
			stw_fork_add(wire.media, call->session, &config, wire.now_ns, &forks[i]),
			0);
	}
}

/* Take frames and keep some for a while. */
static void
frames_take(uint64_t *random, struct stw_consumer *consumer)
{
	const struct stw_frame *frames[32];
	int taken = stw_consumer_take(consumer, frames, 1 + draw(random, 32));

	for (int i = 0; i < taken; i++)
		cr_assert(frames[i]->side < STW_SIDE_COUNT);
	if (draw(random, 4))
		cr_assert_eq(stw_consumer_give(consumer, frames, (uint32_t)taken), 0);
}

static void
run_seed(uint64_t seed)
{
	struct stw_consumer_config consumer_config = STW_CONSUMER_CONFIG_INIT;
	struct stw_consumer *consumer;
	struct stw_fork forks[FORKS];
	char path[] = PATH_TEMPLATE;
	struct stw_media_event event;
	uint64_t random = seed;
	struct stw_mix mix = {0};
	struct frame frame;
	struct call call;

	close(mkstemp(path));
	unlink(path);
	consumer_config.frames_max = 64;
	cr_assert_eq(stw_consumer_open(wire.media, &consumer_config, &consumer), 0);
	wire_call(&wire, &call);
	forks_add(&random, &call, path, consumer, forks);
	for (unsigned packet = 0; packet < SEED_PACKETS;) {
		uint32_t burst = 1 + draw(&random, draw(&random, 8) ? 70 : 600);

		for (uint32_t i = 0; i < burst; i++, packet++) {
			valid_make(&random, &call, &frame);
			if (draw(&random, 3))
				frame_change(&random, &frame);
			frame_give(&random, &frame);
		}
		if (draw(&random, 3) == 0)
			leg_change(&random, &call);
		if (draw(&random, 3) == 0)
			mix_change(&random, &call, &mix);
		wire.now_ns += draw(&random, 30) * WIRE_MS;
		for (unsigned polled = 0; polled < 2 + burst / 64; polled++)
			wire_poll(&wire);
		cr_assert(wire_counters_add_up(&wire), "seed %lu", seed);
		plane_check(wire.media);
		sent_check(seed);
		stw_media_record(wire.media, 1 + draw(&random, 2 * FORK_DRAINED));
		frames_take(&random, consumer);
		exceptions_take();
		cr_assert_eq(stw_leg_suppress(wire.media, call.caller, draw(&random, 4)), 0);
		cr_assert_eq(stw_fork_pause(wire.media, forks[draw(&random, FORKS)],
					    (uint8_t)draw(&random, 2)),
			     0);
		while (wire_event_take(&wire, &event) > 0)
			continue;
	}
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	while (stw_media_record(wire.media, 1000) > 0)
		continue;
	stw_consumer_recover(consumer);
	cr_assert_eq(stw_consumer_close(consumer), 0);
	for (unsigned i = 0; i < 3; i++) {
		wire.now_ns += 5000 * WIRE_MS;
		exceptions_take();
		wire_poll(&wire);
		stw_media_advance(wire.media, wire.now_ns);
	}
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
		/* Those of SRTP need parties that speak it: the suites srtp_* give them all. */
		if (i == STW_PASS_HOST || i == STW_DROP_NO_BUFFER || i == STW_DROP_SEND_FULL ||
		    i == STW_DROP_NO_REMOTE || i == STW_PASS_CONSUMED || i == STW_PASS_MIXED ||
		    (i >= STW_DROP_SRTP_MALFORMED && i <= STW_DROP_SRTP_EXPIRED))
			continue;
		cr_assert(stats.verdicts[i] > 0, "%s was never given", stw_verdict_name(i));
	}
}
