/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions come, change and go on one thread, recordings are written on another, while packets
 * flow through a worker of its own: of the calls that stay, nothing is lost, doubled or changed.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "media/plane.h"
#include "wire.h"

#define CALLS        8
#define ROUNDS       4000
#define SOAK_ROUNDS  400000
#define FLIGHT_MAX   200
#define FORKED_CALLS 3
#define GIVE_UP_NS   UINT64_C(60000000000)
#define PATH_MAX_LEN 64

struct party_stream {
	uint16_t sent;
	uint16_t seen;
};

static struct wire wire;
static struct call calls[CALLS];
static struct stw_fork forks[FORKED_CALLS];
static struct stw_playout music;
static pthread_t threads[2];
static unsigned threads_count;
static _Atomic int over;
static _Atomic uint64_t churned;
static _Atomic uint64_t churn_errors;
static char directory[] = "/tmp/stw-churn-XXXXXX";

static uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Parties of call n have UDP ports of their own. */
static struct party
party_of(unsigned n, unsigned side)
{
	struct party party = side ? wire_agent : wire_caller;

	party.udp_port = (uint16_t)(party.udp_port + 2 * n);
	return party;
}

static struct stw_leg_config
config_of(unsigned n, unsigned side)
{
	struct party party = party_of(n, side);

	return wire_leg_config(&party, side ? STW_SIDE_AGENT : STW_SIDE_CALLER);
}

static int
call_add(unsigned n, struct call *call)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config caller = config_of(n, 0), agent = config_of(n, 1);
	uint64_t now_ns = clock_ns();
	int error;

	error = stw_session_add(wire.media, &session_config, &call->session);
	if (error == 0)
		error = stw_leg_add(wire.media, call->session, &caller, now_ns, &call->caller,
				    &call->caller_local);
	if (error == 0)
		error = stw_leg_add(wire.media, call->session, &agent, now_ns, &call->agent,
				    &call->agent_local);
	if (error == 0)
		error = stw_leg_connect(wire.media, call->caller, call->agent);
	if (error == 0)
		error = stw_leg_connect(wire.media, call->agent, call->caller);
	return error;
}

/* One call's whole life, with all that can happen in it. Its parties are those of a call that
 * stays, so their packets are foreign or late for each other's ports. */
static int
churn_once(unsigned round)
{
	struct stw_fork_config fork_config = STW_FORK_CONFIG_INIT;
	struct stw_leg_config config = config_of(20, 0);
	struct stw_leg nobody = {0};
	struct stw_fork fork;
	struct call call;
	char path[PATH_MAX_LEN];
	int error;

	call.session.id = 0;
	error = call_add(20 + round % 5, &call);
	if (error < 0) {
		stw_session_remove(wire.media, call.session, clock_ns());
		return error;
	}
	snprintf(path, sizeof(path), "%s/%u", directory, round);
	fork_config.path = path;
	fork_config.kind = round % 2 ? STW_FORK_WAV : STW_FORK_PCAPNG;
	if (round % 16 == 0 &&
	    stw_fork_add(wire.media, call.session, &fork_config, clock_ns(), &fork) == 0) {
		unlink(path);
		if (round % 32 == 0)
			error |= stw_fork_remove(wire.media, fork);
	}
	error |= stw_playout_attach(wire.media, call.caller, music, clock_ns());
	config.remote.port = (uint16_t)(1000 + round % 30000);
	error |= stw_leg_update(wire.media, call.caller, &config, clock_ns());
	error |= stw_leg_connect(wire.media, call.caller, nobody);
	if (round % 3 == 0)
		error |= stw_leg_remove(wire.media, call.caller, clock_ns());
	if (round % 3 == 1)
		error |= stw_playout_attach(wire.media, call.agent, music, clock_ns());
	error |= stw_session_remove(wire.media, call.session, clock_ns());
	return error;
}

static void *
churn(void *argument)
{
	for (unsigned round = 0; !atomic_load_explicit(&over, memory_order_relaxed); round++) {
		int error = churn_once(round);

		/* Full tables are no error: the worker may be slow to let go. */
		if (error < 0 && error != -ENOSPC)
			atomic_fetch_add_explicit(&churn_errors, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&churned, 1, memory_order_relaxed);
		stw_media_advance(wire.media, clock_ns());
		if (round % 64 == 0)
			sched_yield();
	}
	return NULL;
}

static void *
record(void *argument)
{
	struct stw_media_event events[64];
	struct stw_media_stats stats;

	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		stw_media_record(wire.media, 32);
		stw_media_events_take(wire.media, events, 64);
		stw_media_stats(wire.media, &stats);
		sched_yield();
	}
	return NULL;
}

static void
open_wire(void)
{
	struct stw_eal_config eal = STW_EAL_CONFIG_INIT;
	struct stw_playout_config playout = STW_PLAYOUT_CONFIG_INIT;
	struct stw_fork_config fork = STW_FORK_CONFIG_INIT;
	struct stw_media_config config = wire_config();
	uint8_t wav[44 + 1600] =
		"RIFF....WAVEfmt \x10\0\0\0\7\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\10\0data";
	uint32_t data_bytes = 1600, riff_bytes = 1636, cpu = 0;
	char path[PATH_MAX_LEN];
	FILE *file;

	eal.huge_pages = 0;
	eal.memory_mib = 128;
	eal.worker_cpus = &cpu;
	eal.worker_cpus_count = 1;
	cr_assert_eq(stw_eal_start(&eal), 0);
	config.sessions_max = 64;
	config.legs_max = 128;
	config.forks_max = 16;
	config.quarantine_ns = 1000;
	wire_open(&wire, &config);
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/music.wav", directory);
	file = fopen(path, "wb");
	memcpy(wav + 4, &riff_bytes, 4);
	memcpy(wav + 40, &data_bytes, 4);
	fwrite(wav, 1, sizeof(wav), file);
	fclose(file);
	playout.path = path;
	playout.loop = 1;
	cr_assert_eq(stw_playout_load(wire.media, &playout, &music), 0);
	for (unsigned n = 0; n < CALLS; n++)
		cr_assert_eq(call_add(n, &calls[n]), 0);
	for (unsigned n = 0; n < FORKED_CALLS; n++) {
		snprintf(path, sizeof(path), "%s/stays%u", directory, n);
		fork.path = path;
		cr_assert_eq(
			stw_fork_add(wire.media, calls[n].session, &fork, clock_ns(), &forks[n]),
			0);
	}
}

static void
close_wire(void)
{
	char command[96];

	atomic_store_explicit(&over, 1, memory_order_relaxed);
	while (threads_count)
		pthread_join(threads[--threads_count], NULL);
	wire_close(&wire);
	stw_eal_stop();
	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(churn, .init = open_wire, .fini = close_wire);

static void
frame_of(unsigned n, unsigned side, uint16_t sequence, struct frame *frame)
{
	struct party party = party_of(n, side);

	wire_rtp(frame, &party, side ? &calls[n].agent_local : &calls[n].caller_local, 0, sequence,
		 160u * sequence);
}

/* Look at what came out: of the staying calls, each packet in its turn and byte by byte right. */
static unsigned
sent_check(struct party_stream streams[CALLS][2])
{
	struct frame frame, wanted;
	unsigned count = 0;

	for (uint8_t port = 0; port < WIRE_PORTS; port++) {
		while (wire_take(&wire, port, &frame)) {
			unsigned side = !port, n;
			uint16_t first = party_of(0, port).udp_port, to = wire_u16(&frame, 36);

			/* Playout and questions for link addresses go to the others. */
			if (wire_u16(&frame, 12) != 0x0800 || to < first || to >= first + 2 * CALLS)
				continue;
			n = (to - first) / 2u;
			frame_of(n, side, streams[n][side].seen, &wanted);
			cr_assert_eq(wire_u16(&frame, 44), streams[n][side].seen,
				     "call %u side %u: %u after %u", n, side, wire_u16(&frame, 44),
				     streams[n][side].seen - 1);
			cr_assert_arr_eq(frame.data + 42, wanted.data + 42, 172);
			streams[n][side].seen++;
			count++;
		}
	}
	return count;
}

/* Latch all parties and let link addresses be learnt. */
static void
calls_latch(void)
{
	struct frame frame;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned n = 0; n < CALLS; n++) {
			for (unsigned side = 0; side < 2; side++) {
				frame_of(n, side, UINT16_MAX, &frame);
				wire_give(&wire, (uint8_t)side, &frame);
			}
		}
		while (wire_stats(&wire).packets_received < (round + 1) * 2 * CALLS)
			sched_yield();
	}
	wire_drop_all(&wire, 0);
	wire_drop_all(&wire, 1);
}

Test(churn, nothing_of_the_calls_that_stay_is_lost, .timeout = 300)
{
	struct party_stream streams[CALLS][2] = {0};
	unsigned rounds = getenv("STW_SOAK") ? SOAK_ROUNDS : ROUNDS;
	uint64_t sent = 0, seen = 0, deadline_ns = clock_ns() + GIVE_UP_NS;
	struct stw_fork_stats fork;
	struct frame frame;

	cr_assert_eq(stw_media_start(wire.media), 0);
	calls_latch();
	cr_assert_eq(pthread_create(&threads[threads_count++], NULL, churn, NULL), 0);
	cr_assert_eq(pthread_create(&threads[threads_count++], NULL, record, NULL), 0);
	for (unsigned round = 0; round < rounds || seen < sent;) {
		unsigned n = round % CALLS, side = round / CALLS % 2;
		unsigned came = sent_check(streams);

		seen += came;
		if (round < rounds && sent - seen < FLIGHT_MAX) {
			frame_of(n, side, streams[n][side].sent++, &frame);
			wire_give(&wire, (uint8_t)side, &frame);
			sent++;
			round++;
		} else if (!came) {
			cr_assert(clock_ns() < deadline_ns, "sent %lu seen %lu", sent, seen);
			sched_yield();
		}
	}
	/* On a machine with much else to do the others may not have had their turn yet. */
	while (atomic_load_explicit(&churned, memory_order_relaxed) < ROUNDS / 8 &&
	       clock_ns() < deadline_ns)
		sched_yield();
	atomic_store_explicit(&over, 1, memory_order_relaxed);
	while (threads_count)
		pthread_join(threads[--threads_count], NULL);
	cr_assert_eq(sent, seen);
	cr_assert_eq(atomic_load_explicit(&churn_errors, memory_order_relaxed), 0);
	cr_assert_geq(atomic_load_explicit(&churned, memory_order_relaxed), ROUNDS / 8);
	for (unsigned n = 0; n < FORKED_CALLS; n++) {
		cr_assert_eq(stw_fork_stats(wire.media, forks[n], &fork), 0);
		cr_assert_geq(fork.packets + fork.packets_dropped, 2 * sent / (2 * CALLS));
	}
	cr_assert_eq(wire_stats(&wire).legs, 2 * CALLS);
	cr_assert_eq(wire_stats(&wire).sessions, CALLS);
}
