/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Roles, legs and mixes change on one thread as fast as they can while another receives and mixes: never is a
 * whisper in what the caller hears, no stream breaks, and nothing that was taken is not given back.
 *
 * Everybody sends one constant: the whisperer's alone is negative.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "media/plane.h"
#include "rtp/g711.h"
#include "wire.h"

enum { CALLER, AGENT, WHISPERER, GUEST, PARTIES };

#define FRAME       160
#define ROUNDS      20000
#define SOAK_ROUNDS 2000000

struct talker {
	struct party party;
	struct stw_leg leg;
	struct stw_endpoint local;
	uint8_t code;
	uint16_t sequence;
	uint32_t ssrc;
	uint64_t got;
};

static struct wire wire;
static struct stw_session session;
static struct talker talkers[PARTIES];
static pthread_t thread;
static bool churning;
static _Atomic int over;
static _Atomic uint64_t churned;
static _Atomic uint64_t churn_errors;
static _Atomic uint64_t now;

static struct stw_mix_leg_config
leg_of(unsigned n, enum stw_mix_role role)
{
	struct stw_mix_leg_config config = STW_MIX_LEG_CONFIG_INIT;

	config.leg = talkers[n].leg;
	config.role = role;
	return config;
}

static int
mix_make(struct stw_mix *mix)
{
	struct stw_mix_config config = STW_MIX_CONFIG_INIT;
	const struct stw_mix_leg_config legs[] = {leg_of(CALLER, STW_MIX_PARTY),
						  leg_of(AGENT, STW_MIX_PARTY)};

	config.legs = legs;
	config.legs_count = 2;
	return stw_mix_add(wire.media, session, &config,
			   atomic_load_explicit(&now, memory_order_relaxed), mix);
}

/* The first error counts: when a place was not to be had, nobody can be taken from it. */
static int
first_of(int error, int next)
{
	return error ? error : next;
}

/* The whisperer and the guest take turns in what may be one place, in all roles that are theirs. */
static int
churn_once(struct stw_mix mix, unsigned round)
{
	const enum stw_mix_role secret[] = {STW_MIX_WHISPERER, STW_MIX_LISTENER, STW_MIX_HELD};
	const enum stw_mix_role open[] = {STW_MIX_PARTY, STW_MIX_BARGE, STW_MIX_HELD};
	struct stw_mix_leg_config config = leg_of(WHISPERER, secret[round % 3]);
	int error;

	if (round % 2 && config.role == STW_MIX_WHISPERER)
		config.to = talkers[AGENT].leg;
	error = stw_mix_leg(wire.media, mix, &config);
	config = leg_of(WHISPERER, secret[(round + 1) % 3]);
	error = first_of(error, stw_mix_leg(wire.media, mix, &config));
	/* Now and then the other thread gets a turn meanwhile, however few cores there are. */
	if (round % 4 == 0)
		sched_yield();
	error = first_of(error, stw_mix_leg_remove(wire.media, mix, talkers[WHISPERER].leg));
	config = leg_of(GUEST, open[round % 3]);
	error = first_of(error, stw_mix_leg(wire.media, mix, &config));
	config = leg_of(GUEST, open[(round + 2) % 3]);
	error = first_of(error, stw_mix_leg(wire.media, mix, &config));
	if (round % 4 == 2)
		sched_yield();
	error = first_of(error, stw_mix_leg_remove(wire.media, mix, talkers[GUEST].leg));
	return error;
}

static void *
churn(void *argument)
{
	struct stw_mix mix = {0};
	struct stw_mix_stats stats;

	for (unsigned round = 0; !atomic_load_explicit(&over, memory_order_relaxed); round++) {
		int error = 0;

		if (!mix.id)
			error = mix_make(&mix);
		/* Full pools are no error: the worker may be slow to let go. */
		if (error == 0 && mix.id)
			error = churn_once(mix, round);
		if (error && error != -ENOSPC)
			atomic_fetch_add_explicit(&churn_errors, 1, memory_order_relaxed);
		if (error == -ENOSPC)
			sched_yield();
		if (mix.id && (error || round % 64 == 0)) {
			stw_mix_stats(wire.media, mix, &stats);
			stw_mix_remove(wire.media, mix);
			mix.id = 0;
		}
		stw_media_advance(wire.media, atomic_load_explicit(&now, memory_order_relaxed));
		atomic_fetch_add_explicit(&churned, 1, memory_order_relaxed);
		if (round % 8 == 0)
			sched_yield();
	}
	if (mix.id)
		stw_mix_remove(wire.media, mix);
	return NULL;
}

static void
talker_add(unsigned n)
{
	struct talker *talker = &talkers[n];
	struct stw_leg_config config;

	talker->party = n == AGENT ? wire_agent : wire_caller;
	talker->party.udp_port = (uint16_t)(talker->party.udp_port + 2 * n);
	/* mu law: bit 7 is set of what is above 0. */
	talker->code = (uint8_t)(n == WHISPERER ? 0x10 : 0xb0 + n);
	config = wire_leg_config(&talker->party, n == CALLER  ? STW_SIDE_CALLER
						 : n == AGENT ? STW_SIDE_AGENT
							      : STW_SIDE_OTHER);
	cr_assert_eq(stw_leg_add(wire.media, session, &config, wire.now_ns, &talker->leg,
				 &talker->local),
		     0);
}

static void
open_wire(void)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_media_config config;

	wire_eal_start();
	config = wire_config();
	config.mixes_max = 8;
	config.mix_legs_max = 64;
	wire_open(&wire, &config);
	atomic_store_explicit(&now, wire.now_ns, memory_order_relaxed);
	cr_assert_eq(stw_session_add(wire.media, &session_config, &session), 0);
	for (unsigned n = 0; n < PARTIES; n++)
		talker_add(n);
	cr_assert_eq(stw_leg_connect(wire.media, talkers[CALLER].leg, talkers[AGENT].leg), 0);
	cr_assert_eq(stw_leg_connect(wire.media, talkers[AGENT].leg, talkers[CALLER].leg), 0);
}

static void
close_wire(void)
{
	atomic_store_explicit(&over, 1, memory_order_relaxed);
	if (churning)
		pthread_join(thread, NULL);
	wire_close(&wire);
	stw_eal_stop();
}

TestSuite(mix_churn, .init = open_wire, .fini = close_wire);

static void
talker_send(unsigned n, unsigned round)
{
	struct talker *talker = &talkers[n];
	uint8_t packet[12 + FRAME] = {0x80, 0, (uint8_t)(round >> 8), (uint8_t)round};
	uint32_t timestamp = round * FRAME;
	struct frame frame;

	for (unsigned i = 0; i < 4; i++)
		packet[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
	packet[11] = (uint8_t)(n + 1);
	memset(packet + 12, talker->code, FRAME);
	wire_udp(&frame, &talker->party, &talker->local, packet, sizeof(packet));
	wire_give(&wire, talker->party.port, &frame);
}

/* One stream, and in the caller's and the guest's nothing below 0. */
static void
talker_get(unsigned n, const struct frame *frame)
{
	struct talker *talker = &talkers[n];
	int16_t samples[FRAME];

	cr_assert_eq(frame->bytes, 54 + FRAME);
	if (talker->got++) {
		cr_assert_eq(wire_u32(frame, 50), talker->ssrc);
		cr_assert_eq(wire_u16(frame, 44), (uint16_t)(talker->sequence + 1),
			     "party %u: packet %" PRIu64 " has number %u, the one before had %u", n,
			     talker->got, wire_u16(frame, 44), talker->sequence);
	}
	talker->sequence = wire_u16(frame, 44);
	talker->ssrc = wire_u32(frame, 50);
	rtp_g711_decode(STW_CODEC_PCMU, frame->data + 54, FRAME, samples);
	for (unsigned i = 0; n != AGENT && i < FRAME; i++)
		cr_assert_geq(samples[i], 0, "party %u heard a whisper", n);
}

static void
parties_get(void)
{
	struct frame frame;

	for (uint8_t port = 0; port < WIRE_PORTS; port++) {
		while (wire_take(&wire, port, &frame)) {
			for (unsigned n = 0; n < PARTIES; n++) {
				if (talkers[n].party.port == port &&
				    wire_u16(&frame, 12) == 0x0800 &&
				    wire_u16(&frame, 36) == talkers[n].party.udp_port)
					talker_get(n, &frame);
			}
		}
	}
}

Test(mix_churn, no_whisper_reaches_the_caller_whatever_changes, .timeout = 300)
{
	unsigned rounds = getenv("STW_SOAK") ? SOAK_ROUNDS : ROUNDS;

	for (unsigned round = 0; round < rounds; round++) {
		if (round == 2) {
			cr_assert_eq(pthread_create(&thread, NULL, churn, NULL), 0);
			churning = true;
		}
		for (unsigned n = 0; n < PARTIES; n++)
			talker_send(n, round);
		for (unsigned i = 0; i < 2; i++) {
			wire_poll(&wire);
			wire.now_ns += 10 * WIRE_MS;
			atomic_store_explicit(&now, wire.now_ns, memory_order_relaxed);
		}
		parties_get();
		if (round % 16 == 0)
			sched_yield();
	}
	atomic_store_explicit(&over, 1, memory_order_relaxed);
	pthread_join(thread, NULL);
	churning = false;
	cr_assert_eq(atomic_load_explicit(&churn_errors, memory_order_relaxed), 0);
	cr_assert_geq(atomic_load_explicit(&churned, memory_order_relaxed), 100);
	cr_assert_geq(talkers[CALLER].got, rounds / 2);
	cr_assert_geq(talkers[WHISPERER].got, 1);
	/* All is given back. */
	for (unsigned i = 0; i < 3; i++) {
		wire_poll(&wire);
		wire.now_ns += 20 * WIRE_MS;
	}
	parties_get();
	stw_media_advance(wire.media, wire.now_ns);
	plane_check(wire.media);
	cr_assert_eq(wire_stats(&wire).mixes, 0);
	cr_assert_eq(wire.media->mixes.mixes_free_count, 8);
	cr_assert_eq(wire.media->mixes.inputs_free_count, 64);
	cr_assert(wire_counters_add_up(&wire));
}
