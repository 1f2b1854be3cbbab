/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relay inside the kernel beside the worker's own relay, which is its oracle: same packet in, same packet out. The
 * program runs a packet (BPF_PROG_TEST_RUN); what it wrote is taken back; then the worker gets the same packet in
 * the same state. What both send must be the same bytes, and what both have counted and numbered the same
 * words, but for times. Legs of random kinds between all local addresses; packets that go on, that begin
 * something, that are none of ours. A failure names its seed.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bpf_run.h"
#include "media/plane.h"
#include "media/session/remote.h"
#include "wire6.h"
#include "wire_suite.h"

#define SEEDS        150
#define SOAK_SEEDS   5000
#define SEED_PACKETS 120
#define PAYLOAD_MAX  600
#define PAUSE_NS     UINT64_C(100000000000) /* longer than any leg stays out */
#define EVENT_PT     101

/* What the program and a worker write of a leg and of the one that it is relayed to. */
struct state {
	struct leg_intake intake;
	struct leg_egress egress;
	struct leg_options options;
};

/* A session between two local addresses; numbers of both parties' next packets. */
struct talk {
	struct mixed call;
	uint32_t leg[2];
	uint16_t sequence[2];
	uint32_t ssrc[2];
	uint64_t random;
};

static struct wire wire;
static struct bpf_run run;
static uint64_t fates[BPF_SENT + 1];

static void
open_both(void)
{
	struct stw_media_config config = wire_config();
	struct stw_address_config addresses[WIRE6_ADDRESSES];

	for (unsigned i = 0; i < WIRE6_ADDRESSES; i++)
		addresses[i] = (struct stw_address_config){.udp_port_first = 20000,
							   .udp_port_last = 20099};
	config.addresses = addresses;
	bpf_run_open(&run, plane_legs_slots(&config),
		     WIRE6_ADDRESSES * kernel_entries_lines(addresses), 0);
	wire_eal_start();
	wire_relay = run.relay;
	wire6_open(&wire);
	for (unsigned i = 0; i < WIRE6_ADDRESSES; i++) {
		struct stw_endpoint local;

		remote_local_make(wire.media, i, 0, &local);
		bpf_run_own(&run, &local.ip, wire.media->addresses[i].vlan, 20000, 20099,
			    kernel_entries_first(&config, i));
	}
}

static void
close_both(void)
{
	if (wire.media)
		wire_end(&wire);
	bpf_run_close(&run);
}

TestSuite(kernel_oracle, .init = open_both, .fini = close_both);

static uint32_t
draw(struct talk *talk, uint32_t below)
{
	talk->random = talk->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(talk->random >> 33) % below;
}

/* Both legs' descriptions, at random. */
static void
legs_vary(struct talk *talk, const enum wire6_address addresses[2])
{
	for (unsigned i = 0; i < 2; i++) {
		struct stw_leg_config config = wire6_leg_config(addresses[i], &talk->call.host[i]);

		config.event_pt = draw(talk, 3) ? EVENT_PT : 0;
		config.dscp = (uint8_t)draw(talk, 64);
		config.audio_pt = draw(talk, 3) ? 0 : 96;
		if (draw(talk, 3) == 0) {
			config.pt_map_count = 1;
			config.pt_map[0] = (struct stw_pt_pair){.from = 8, .to = 97};
		}
		if (draw(talk, 3) == 0) {
			config.relatch = STW_RELATCH_SILENT;
			config.relatch_after_ns = 3600 * UINT64_C(1000000000);
		}
		cr_assert_eq(stw_leg_update(wire.media, talk->call.leg[i], &config, wire.now_ns),
			     0);
	}
}

static void
talk_open(struct talk *talk, uint64_t seed)
{
	enum wire6_address addresses[2];

	*talk = (struct talk){.random = seed};
	for (unsigned i = 0; i < 8; i++)
		draw(talk, 2);
	addresses[0] = (enum wire6_address)draw(talk, WIRE6_ADDRESSES);
	addresses[1] = (enum wire6_address)draw(talk, WIRE6_ADDRESSES);
	wire6_call(&wire, &talk->call, addresses[0], addresses[1]);
	legs_vary(talk, addresses);
	for (unsigned i = 0; i < 2; i++) {
		talk->leg[i] = (uint32_t)talk->call.leg[i].id;
		talk->sequence[i] = (uint16_t)draw(talk, 65536);
		talk->ssrc[i] = draw(talk, UINT32_MAX);
	}
}

static void
put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Numbers of the next packet: mostly one more, or a gap, one again, one late, a jump. */
static uint16_t
sequence_next(struct talk *talk, unsigned from)
{
	uint16_t late = (uint16_t)(talk->sequence[from] - draw(talk, 90));

	switch (draw(talk, 24)) {
	case 0:
		return late;
	case 1:
		talk->sequence[from] = (uint16_t)(talk->sequence[from] + 1 + draw(talk, 60));
		break;
	case 2:
		if (draw(talk, 6) == 0)
			talk->sequence[from] = (uint16_t)(talk->sequence[from] + 5000);
		break;
	default:
		break;
	}
	return ++talk->sequence[from];
}

/* RTP of a party: mostly plain audio. */
static void
packet_make(struct talk *talk, unsigned from, struct frame *frame)
{
	const struct host *host = &talk->call.host[from];
	uint32_t bytes = 12 + draw(talk, PAYLOAD_MAX), ip = host->vlan ? 18 : 14;
	uint16_t sequence = sequence_next(talk, from);
	struct host stranger = *host;
	uint8_t rtp[12 + PAYLOAD_MAX];

	for (uint32_t i = 0; i < bytes; i++)
		rtp[i] = (uint8_t)draw(talk, 256);
	if (draw(talk, 60) == 0)
		talk->ssrc[from]++;
	rtp[0] = draw(talk, 40) ? 0x80 : (uint8_t)draw(talk, 256);
	rtp[1] = draw(talk, 30) ? 0 : draw(talk, 2) ? 8 : (uint8_t)draw(talk, 256);
	if (draw(talk, 3) == 0)
		rtp[1] |= 0x80;
	put16(rtp + 2, sequence);
	put16(rtp + 4, sequence / 400u);
	put16(rtp + 6, 160u * sequence);
	put16(rtp + 8, talk->ssrc[from] >> 16);
	put16(rtp + 10, talk->ssrc[from]);
	if (draw(talk, 30) == 0)
		stranger.udp_port++;
	wire6_udp(frame, &stranger, &talk->call.local[from], rtp, bytes);
	frame->data[ip + 1] = (uint8_t)draw(talk, 256);
	if (host->ip.family == 4) {
		put16(frame->data + ip + 4, draw(talk, 65536));
		wire6_sign(frame);
		if (draw(talk, 12) == 0)
			put16(frame->data + ip + 26, 0);
	}
}

/* What does not change what is sent, or makes it the worker's: padding, priorities, extension headers. */
static void
packet_dress(struct talk *talk, unsigned from, struct frame *frame)
{
	const uint8_t padding[8] = {0, 0, 1, 4};
	const struct host *host = &talk->call.host[from];

	if (host->vlan)
		frame->data[14] |= (uint8_t)(draw(talk, 8) << 5);
	else if (host->ip.family == 6 && draw(talk, 20) == 0)
		wire6_extend(frame, 60, padding, sizeof(padding));
	if (draw(talk, 8) == 0)
		frame->bytes += draw(talk, 20);
}

static void
state_read(uint32_t leg, uint32_t peer, struct state *state)
{
	/* There is room between the parts, and they are compared as bytes. */
	memset(state, 0, sizeof(*state));
	state->intake = run.memory->intakes[leg];
	state->egress = run.memory->egresses[peer];
	state->options = run.memory->options[leg];
}

static void
state_write(uint32_t leg, uint32_t peer, const struct state *state)
{
	run.memory->intakes[leg] = state->intake;
	run.memory->egresses[peer] = state->egress;
	run.memory->options[leg] = state->options;
}

/* Without what depends on the time. */
static void
times_clear(struct state *state)
{
	union egress_last last = {state->egress.last};

	state->intake.reception.transit = 0;
	state->intake.reception.jitter_q4 = 0;
	state->intake.heard_ns = 0;
	/* A key that was pressed before, and that its worker tells of in its turn. */
	state->intake.digits = 0;
	last.clock = 0;
	state->egress.last = last.word;
}

/* A frame as the program has it, and back. */
static enum bpf_fate
program_run(struct frame *frame)
{
	struct bpf_frame data = {.bytes = frame->bytes};
	enum bpf_fate fate;

	memcpy(data.data, frame->data, frame->bytes);
	fate = bpf_run_frame(&run, &data);
	frame->bytes = data.bytes;
	memcpy(frame->data, data.data, data.bytes);
	return fate;
}

/* Both have sent: the same bytes, and the same words are left. */
static void
same_is_sent(const struct talk *talk, unsigned from, const struct frame *sent,
	     const struct state *ours, int verdict)
{
	struct state theirs, left = *ours;
	struct frame frame;

	cr_assert_eq(verdict, STW_PASS_RELAYED, "the worker: %s",
		     stw_verdict_name((enum stw_verdict)verdict));
	cr_assert(wire_take(&wire, talk->call.host[!from].port, &frame));
	cr_assert_eq(frame.bytes, sent->bytes);
	for (uint32_t i = 0; i < frame.bytes; i++)
		cr_assert_eq(frame.data[i], sent->data[i], "byte %u of %u", i, frame.bytes);
	state_read(talk->leg[from], talk->leg[!from], &theirs);
	times_clear(&theirs);
	times_clear(&left);
	cr_assert_eq(memcmp(&left, &theirs, sizeof(left)), 0, "what is left");
}

/* Both drop: a stranger's packet, which the worker reads before it looks where it comes from. */
static void
none_is_sent(uint32_t leg, const struct state *ours, int verdict)
{
	if (verdict == STW_DROP_MALFORMED)
		return;
	cr_assert_eq(verdict, STW_DROP_SOURCE, "the worker: %s",
		     stw_verdict_name((enum stw_verdict)verdict));
	cr_assert_eq(run.memory->intakes[leg].packets_foreign, ours->intake.packets_foreign);
}

/* A packet by the program, then by the worker. */
static void
packet_run(struct talk *talk, unsigned from, const struct frame *frame)
{
	uint32_t leg = talk->leg[from], peer = talk->leg[!from];
	struct frame sent = *frame;
	struct state before, after;
	enum bpf_fate fate;
	int verdict;

	state_read(leg, peer, &before);
	fate = program_run(&sent);
	fates[fate]++;
	state_read(leg, peer, &after);
	state_write(leg, peer, &before);
	wire.now_ns += 20 * WIRE_MS;
	verdict = wire_verdict(&wire, talk->call.host[from].port, frame);
	run.memory->queues[0].handled = run.memory->queues[0].steered;
	if (fate == BPF_SENT)
		same_is_sent(talk, from, &sent, &after, verdict);
	else if (fate == BPF_DROPPED)
		none_is_sent(leg, &after, verdict);
	else
		cr_assert_eq(memcmp(&before, &after, sizeof(before)), 0,
			     "what it does not send it does not count");
	wire_drop_sent(&wire);
}

static void
talk_run(struct talk *talk)
{
	struct stw_media_event event;

	for (unsigned i = 0; i < SEED_PACKETS; i++) {
		unsigned from = draw(talk, 2);
		struct frame frame;

		packet_make(talk, from, &frame);
		packet_dress(talk, from, &frame);
		packet_run(talk, from, &frame);
		if (!kernel_leg_is_inside(wire.media, talk->leg[from]) && draw(talk, 3) == 0) {
			wire.now_ns += PAUSE_NS;
			stw_media_advance(wire.media, wire.now_ns);
		}
		while (wire_event_take(&wire, &event) > 0)
			continue;
	}
}

static void
talk_close(const struct talk *talk)
{
	cr_assert_eq(stw_session_remove(wire.media, talk->call.session, wire.now_ns), 0);
	wire.now_ns += 3000 * WIRE_MS;
	stw_media_advance(wire.media, wire.now_ns);
	wire_poll(&wire);
	stw_media_advance(wire.media, wire.now_ns);
	wire_drop_sent(&wire);
	plane_check(wire.media);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base);
}

Test(kernel_oracle, the_program_sends_what_the_worker_sends, .timeout = 300)
{
	uint64_t seeds = getenv("STW_SOAK") ? SOAK_SEEDS : SEEDS, all = 0;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct talk talk;

		cr_log_info("seed %lu", seed);
		talk_open(&talk, seed);
		talk_run(&talk);
		talk_close(&talk);
	}
	for (unsigned i = 0; i <= BPF_SENT; i++)
		all += fates[i];
	cr_log_info("sent %lu, dropped %lu, steered %lu of %lu", fates[BPF_SENT],
		    fates[BPF_DROPPED], fates[BPF_STEERED], all);
	cr_assert_eq(all, seeds * SEED_PACKETS);
	cr_assert_gt(fates[BPF_SENT], all / 4, "too few to show anything");
	cr_assert_gt(fates[BPF_DROPPED], 10);
	cr_assert_gt(fates[BPF_STEERED], all / 10);
}

/* Packets that a full socket drops are never finished: who waits for them would wait for ever. */
Test(kernel_oracle, packets_that_never_come_are_given_up)
{
	struct kernel_queue *queue = &run.memory->queues[0];

	queue->steered += 5;
	for (unsigned i = 0; i < 9; i++) {
		wire_poll(&wire);
		wire.now_ns += WIRE_MS;
	}
	cr_assert_eq(queue->handled + 5, queue->steered, "not before 10 ms");
	queue->steered += 2;
	wire_poll(&wire);
	queue->handled += 2;
	for (unsigned i = 0; i < 3; i++) {
		wire.now_ns += WIRE_MS;
		wire_poll(&wire);
	}
	cr_assert_eq(queue->handled, queue->steered);
	wire_poll(&wire);
	queue->steered++;
	wire_poll(&wire);
	cr_assert_eq(queue->handled + 1, queue->steered, "a packet under way is waited for");
	queue->handled++;
	wire_poll(&wire);
	wire.now_ns += 1000 * WIRE_MS;
	for (unsigned i = 0; i < 20; i++)
		wire_poll(&wire);
	cr_assert_eq(queue->handled, queue->steered);
}
