/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions come, change and go on one thread, 50,000 adds and removes of them, recordings are written on
 * another, consumers read on a third, while packets flow through a worker of its own: of the calls that
 * stay, nothing is lost, doubled or changed. Once with a worker that polls, once with one that sleeps and
 * waits.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/clock.h"
#include "media/plane.h"
#include "wire.h"

#define CALLS        8
#define ROUNDS       4000
#define SOAK_ROUNDS  400000
#define CHANGES      50000
#define FLIGHT_MAX   200
#define FORKED_CALLS 3
#define GIVE_UP_NS   UINT64_C(240000000000)
#define PATH_MAX_LEN 64

struct party_stream {
	uint16_t sent;
	uint16_t seen;
	uint16_t first; /* number of the first one seen: a leg's stream has its own */
	uint8_t begun;
};

static struct wire wire;
static struct call calls[CALLS];
static struct stw_fork forks[FORKED_CALLS];
static struct stw_playout music;
static struct stw_consumer *listener; /* of forks that stay */
static struct stw_fork heard[FORKED_CALLS];
static _Atomic uint64_t frames_heard;
static _Atomic uint64_t frames_wrong;
static pthread_t threads[3];
static unsigned threads_count;
static _Atomic int over;
static _Atomic uint64_t churned;
static _Atomic uint64_t churn_errors;
static char directory[] = "/tmp/stw-churn-XXXXXX";

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
	uint64_t now_ns = clock_now_ns();
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

/* Forks of all kinds on a session that stays or goes; a consumer that comes and goes with them. */
static int
forks_churn(unsigned round, struct stw_session session)
{
	static const uint8_t key[STW_FORK_KEY_BYTES] = "key";
	struct stw_consumer_config consumer_config = STW_CONSUMER_CONFIG_INIT;
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct stw_consumer *consumer = NULL;
	struct stw_fork forked[3];
	char path[PATH_MAX_LEN];
	int error = 0;

	snprintf(path, sizeof(path), "%s/%u-sealed", directory, round);
	consumer_config.frames_max = 64;
	config.path = path;
	config.key = key;
	config.address = 1;
	config.remote = (struct stw_endpoint){{4, {10, 0, 1, 77}}, 6000};
	if (stw_consumer_open(wire.media, &consumer_config, &consumer) < 0)
		consumer = NULL;
	config.consumer = consumer ? consumer : listener;
	for (unsigned i = 0; i < 3; i++) {
		config.kind = i == 0 ? STW_FORK_RING : i == 1 ? STW_FORK_UDP : STW_FORK_PCAPNG;
		forked[i].id = 0;
		if (stw_fork_add(wire.media, session, &config, clock_now_ns(), &forked[i]) == 0 &&
		    config.kind == STW_FORK_PCAPNG)
			unlink(path);
		if (forked[i].id)
			error |= stw_fork_pause(wire.media, forked[i], (uint8_t)(round & 1));
		sched_yield();
	}
	for (unsigned i = 0; i < 3; i++) {
		if (forked[i].id)
			error |= stw_fork_remove(wire.media, forked[i]);
	}
	/* It never took what waits for it. */
	return consumer ? error | stw_consumer_close(consumer) : error;
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
		stw_session_remove(wire.media, call.session, clock_now_ns());
		return error;
	}
	snprintf(path, sizeof(path), "%s/%u", directory, round);
	fork_config.path = path;
	fork_config.kind = round % 2 ? STW_FORK_WAV : STW_FORK_PCAPNG;
	if (round % 16 == 0 &&
	    stw_fork_add(wire.media, call.session, &fork_config, clock_now_ns(), &fork) == 0) {
		unlink(path);
		if (round % 32 == 0)
			error |= stw_fork_remove(wire.media, fork);
	}
	if (round % 16 == 8)
		error |= forks_churn(round, round % 32 == 8 ? call.session : calls[0].session);
	error |= stw_leg_suppress(wire.media, call.caller, round % 4);
	error |= stw_playout_attach(wire.media, call.caller, music, clock_now_ns());
	config.remote.port = (uint16_t)(1000 + round % 30000);
	error |= stw_leg_update(wire.media, call.caller, &config, clock_now_ns());
	error |= stw_leg_connect(wire.media, call.caller, nobody);
	if (round % 3 == 0)
		error |= stw_leg_remove(wire.media, call.caller, clock_now_ns());
	if (round % 3 == 1)
		error |= stw_playout_attach(wire.media, call.agent, music, clock_now_ns());
	error |= stw_session_remove(wire.media, call.session, clock_now_ns());
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
		stw_media_advance(wire.media, clock_now_ns());
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

/* Read what the calls that stay say; keep some of it for a while. */
static void *
listen_in(void *argument)
{
	const struct stw_frame *frames[32];

	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		int taken = stw_consumer_take(listener, frames, 32);

		for (int i = 0; i < taken; i++) {
			bool right = frames[i]->payload_bytes == 160;

			for (unsigned at = 0; right && at < 160; at++)
				right = frames[i]->payload[at] ==
					(uint8_t)(frames[i]->sequence * 7 + (at + 12) * 13);
			if (!right)
				atomic_fetch_add_explicit(&frames_wrong, 1, memory_order_relaxed);
		}
		if (taken > 0)
			atomic_fetch_add_explicit(&frames_heard, (uint64_t)taken,
						  memory_order_relaxed);
		sched_yield();
		if (taken > 0 && stw_consumer_give(listener, frames, (uint32_t)taken) < 0)
			atomic_fetch_add_explicit(&frames_wrong, 1, memory_order_relaxed);
	}
	return NULL;
}

/* Forks to a consumer for calls that stay. */
static void
listener_open(void)
{
	struct stw_consumer_config config = STW_CONSUMER_CONFIG_INIT;
	struct stw_fork_config fork = STW_FORK_CONFIG_INIT;

	config.frames_max = 128;
	cr_assert_eq(stw_consumer_open(wire.media, &config, &listener), 0);
	fork.kind = STW_FORK_RING;
	fork.consumer = listener;
	for (unsigned n = 0; n < FORKED_CALLS; n++)
		cr_assert_eq(stw_fork_add(wire.media, calls[n].session, &fork, clock_now_ns(),
					  &heard[n]),
			     0);
}

static void
open_wire_with(enum stw_idle_mode idle)
{
	struct stw_eal_config eal = STW_EAL_CONFIG_INIT;
	struct stw_playout_config playout = STW_PLAYOUT_CONFIG_INIT;
	struct stw_fork_config fork = STW_FORK_CONFIG_INIT;
	struct stw_worker_config worker = STW_WORKER_CONFIG_INIT;
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
	config.forks_max = 32;
	config.quarantine_ns = 1000;
	worker.idle = idle;
	config.worker_configs = &worker;
	config.worker_configs_count = 1;
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
		cr_assert_eq(stw_fork_add(wire.media, calls[n].session, &fork, clock_now_ns(),
					  &forks[n]),
			     0);
	}
	listener_open();
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

static void
open_wire(void)
{
	open_wire_with(STW_IDLE_POLL);
}

static void
open_idle_wire(void)
{
	open_wire_with(STW_IDLE_ADAPTIVE);
}

TestSuite(churn, .init = open_wire, .fini = close_wire);
TestSuite(churn_idle, .init = open_idle_wire, .fini = close_wire);

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
	struct party_stream *stream;
	unsigned count = 0;

	for (uint8_t port = 0; port < WIRE_PORTS; port++) {
		while (wire_take(&wire, port, &frame)) {
			unsigned side = !port, n;
			uint16_t first = party_of(0, port).udp_port, to = wire_u16(&frame, 36);
			uint16_t sequence;

			/* Playout and questions for link addresses go to the others. */
			if (wire_u16(&frame, 12) != 0x0800 || to < first || to >= first + 2 * CALLS)
				continue;
			n = (to - first) / 2u;
			stream = &streams[n][side];
			frame_of(n, side, stream->seen, &wanted);
			if (!stream->begun)
				stream->first = wire_u16(&frame, 44);
			stream->begun = 1;
			sequence = (uint16_t)(wire_u16(&frame, 44) - stream->first);
			cr_assert_eq(sequence, stream->seen, "call %u side %u: %u after %u", n,
				     side, sequence, stream->seen - 1);
			cr_assert_arr_eq(frame.data + 54, wanted.data + 54, 160);
			stream->seen++;
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

static uint64_t
changes(void)
{
	return 2 * atomic_load_explicit(&churned, memory_order_relaxed);
}

/* Packets flow until there were as many rounds and changes as wanted, and all are through. */
static uint64_t
talk(void)
{
	struct party_stream streams[CALLS][2] = {0};
	unsigned rounds = getenv("STW_SOAK") ? SOAK_ROUNDS : ROUNDS;
	uint64_t sent = 0, seen = 0, deadline_ns = clock_now_ns() + GIVE_UP_NS;
	struct frame frame;

	for (unsigned round = 0; round < rounds || changes() < CHANGES || seen < sent;) {
		unsigned n = round % CALLS, side = round / CALLS % 2;
		unsigned came = sent_check(streams);

		seen += came;
		if ((round < rounds || changes() < CHANGES) && sent - seen < FLIGHT_MAX) {
			frame_of(n, side, streams[n][side].sent++, &frame);
			wire_give(&wire, (uint8_t)side, &frame);
			sent++;
			round++;
		} else if (!came) {
			cr_assert(clock_now_ns() < deadline_ns, "sent %lu seen %lu changes %lu",
				  sent, seen, changes());
			sched_yield();
		}
	}
	cr_assert_eq(sent, seen);
	return sent;
}

static void
nothing_is_lost(void)
{
	struct stw_fork_stats fork;
	uint64_t sent;

	cr_assert_eq(stw_media_start(wire.media), 0);
	calls_latch();
	cr_assert_eq(pthread_create(&threads[threads_count++], NULL, churn, NULL), 0);
	cr_assert_eq(pthread_create(&threads[threads_count++], NULL, record, NULL), 0);
	cr_assert_eq(pthread_create(&threads[threads_count++], NULL, listen_in, NULL), 0);
	sent = talk();
	atomic_store_explicit(&over, 1, memory_order_relaxed);
	while (threads_count)
		pthread_join(threads[--threads_count], NULL);
	cr_assert_eq(atomic_load_explicit(&churn_errors, memory_order_relaxed), 0);
	cr_assert_geq(changes(), CHANGES);
	for (unsigned n = 0; n < FORKED_CALLS; n++) {
		cr_assert_eq(stw_fork_stats(wire.media, forks[n], &fork), 0);
		cr_assert_geq(fork.packets + fork.packets_dropped, 2 * (sent / (2 * CALLS)));
		cr_assert_eq(stw_fork_stats(wire.media, heard[n], &fork), 0);
		cr_assert_geq(fork.packets + fork.packets_dropped, 2 * (sent / (2 * CALLS)));
	}
	cr_assert_eq(atomic_load_explicit(&frames_wrong, memory_order_relaxed), 0);
	cr_assert_gt(atomic_load_explicit(&frames_heard, memory_order_relaxed), 0);
	cr_assert_eq(wire_stats(&wire).legs, 2 * CALLS);
	cr_assert_eq(wire_stats(&wire).sessions, CALLS);
}

Test(churn, nothing_of_the_calls_that_stay_is_lost, .timeout = 300)
{
	nothing_is_lost();
}

Test(churn_idle, nothing_of_the_calls_that_stay_is_lost, .timeout = 300)
{
	struct stw_worker_stats worker = {.struct_size = sizeof(worker)};

	nothing_is_lost();
	cr_assert_eq(stw_media_worker_stats(wire.media, 0, clock_now_ns(), &worker), 0);
	cr_assert_gt(worker.sleeps + worker.waits, 0);
}
