/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Days of calls on a clock that runs as fast as it can: calls come and go, each with two streams of 50 packets a
 * second, some with forks, music, SRTP, a mix, a transfer. Of plain calls each packet is heard once and by its
 * own party; each minute everything adds up; each round ends with nothing left: no buffer, port, slot, file;
 * and the process is no larger in the last round than in the second one.
 *
 * Usually ten rounds of a minute; with STW_SOAK=1 48 of an hour. A failure names the seed and the tick.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ip.h>

#include "media/plane.h"
#include "support/random.h"
#include "wire.h"

#define CALLS        12
#define SEED         UINT64_C(20261122)
#define ROUNDS       10
#define SOAK_ROUNDS  48
#define MINUTE_TICKS 3000
#define TICK_NS      (20 * WIRE_MS)
#define PARTY_PORTS  16
#define PAYLOAD      160
#define FRAME_BYTES  (42 + 12 + PAYLOAD)
#define LIFE_TICKS   (90 * 50) /* longest call */
#define BEGIN_ODDS   15        /* of a thousand, each tick and free line */
#define RSS_SLACK    (512 * 1024)
#define RSS_PER_CENT 3

/* What a call has that others have not; one of these. */
enum extra { PLAIN, FORKED, MUSIC, SECURE, MIXED, TRANSFER, EXTRAS };

/* A line that calls use one after the other. */
struct line {
	bool busy;
	enum extra extra;
	uint32_t serial;             /* of the call, in each packet's payload */
	uint64_t begin, end, middle; /* ticks */
	struct call call;
	struct party parties[2];
	uint16_t sequence[2];
	uint32_t heard[2];
	struct frame frames[2];
};

static struct wire wire;
static struct line lines[CALLS];
static struct random chance = {SEED};
static struct stw_consumer *consumer;
static struct stw_playout music;
static uint64_t tick;
static uint32_t calls_begun;
static uint64_t forked_packets; /* that the parties of calls with forks said */
static uint64_t files_packets, frames_taken;
static uint32_t extras_begun[EXTRAS];

static struct stw_media_config
config_make(void)
{
	struct stw_media_config config = wire_config();

	config.sessions_max = 2 * CALLS;
	config.legs_max = 6 * CALLS;
	config.forks_max = 6 * CALLS;
	config.packets_max = 2048;
	config.fork_packets_max = 1024;
	config.srtp_max = 4 * CALLS;
	config.mixes_max = CALLS;
	return config;
}

/* Half a second of a mu-law ramp. */
static void
music_load(void)
{
	struct stw_playout_config config = STW_PLAYOUT_CONFIG_INIT;
	uint8_t wav[44 + 4000] =
		"RIFF....WAVEfmt \x10\0\0\0\7\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\10\0data";
	uint32_t data_bytes = 4000, riff_bytes = 4036;
	char path[] = "/tmp/stw-soak-XXXXXX";
	int file = mkstemp(path);

	memcpy(wav + 4, &riff_bytes, 4);
	memcpy(wav + 40, &data_bytes, 4);
	for (unsigned i = 0; i < data_bytes; i++)
		wav[44 + i] = (uint8_t)i;
	cr_assert_eq(write(file, wav, sizeof(wav)), sizeof(wav));
	close(file);
	config.path = path;
	config.loop = 1;
	cr_assert_eq(stw_playout_load(wire.media, &config, &music), 0);
	unlink(path);
}

static void
open_wire(void)
{
	struct stw_consumer_config frames = STW_CONSUMER_CONFIG_INIT;
	struct stw_media_config config = config_make();

	wire_eal_start();
	wire_open(&wire, &config);
	for (unsigned side = 0; side < 2; side++) {
		const struct party *party = side ? &wire_agent : &wire_caller;
		struct rte_ether_addr mac;

		memcpy(mac.addr_bytes, party->mac, sizeof(mac.addr_bytes));
		hops_learn(&wire.media->addresses[side].hops,
			   RTE_IPV4(party->ip[0], party->ip[1], party->ip[2], party->ip[3]), &mac);
	}
	frames.frames_max = 256;
	cr_assert_eq(stw_consumer_open(wire.media, &frames, &consumer), 0);
	music_load();
	/* What the plane has when nothing is under way. */
	wire_poll(&wire);
	wire_drop_all(&wire, 0);
	wire_drop_all(&wire, 1);
}

static void
close_wire(void)
{
	wire_close(&wire);
	stw_eal_stop();
}

TestSuite(soak, .init = open_wire, .fini = close_wire);

static struct stw_endpoint *
local_of(struct line *line, unsigned side)
{
	return side ? &line->call.agent_local : &line->call.caller_local;
}

static struct stw_leg *
leg_of(struct line *line, unsigned side)
{
	return side ? &line->call.agent : &line->call.caller;
}

static void
leg_begin(struct line *line, unsigned side)
{
	struct stw_leg_config config;
	static struct stw_srtp_keys keys = STW_SRTP_KEYS_INIT;

	config = wire_leg_config(&line->parties[side], side ? STW_SIDE_AGENT : STW_SIDE_CALLER);
	if (line->extra == SECURE && side == 0) {
		memset(keys.key, (int)line->serial, sizeof(keys.key));
		keys.suite = (enum stw_srtp_suite)(line->serial % STW_SRTP_SUITE_COUNT);
		config.srtp_out = &keys;
	}
	cr_assert_eq(stw_leg_add(wire.media, line->call.session, &config, wire.now_ns,
				 leg_of(line, side), local_of(line, side)),
		     0, "seed %lu tick %lu", SEED, tick);
	wire_rtp(&line->frames[side], &line->parties[side], local_of(line, side), 0, 0, 0);
	/* No UDP checksum, as it changes with each packet. */
	line->frames[side].data[40] = line->frames[side].data[41] = 0;
}

static void
legs_connect(struct line *line)
{
	cr_assert_eq(stw_leg_connect(wire.media, line->call.caller, line->call.agent), 0);
	cr_assert_eq(stw_leg_connect(wire.media, line->call.agent, line->call.caller), 0);
}

/* A fork of each kind. */
static void
forks_begin(struct line *line)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct stw_fork fork;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/stw-soak-%d-%u", (int)getpid(), line->serial);
	config.path = path;
	config.consumer = consumer;
	config.address = 1;
	config.remote = (struct stw_endpoint){{4, {10, 0, 1, 50}}, 9000};
	for (enum stw_fork_kind kind = STW_FORK_PCAPNG; kind <= STW_FORK_RING; kind++) {
		config.kind = kind;
		cr_assert_eq(
			stw_fork_add(wire.media, line->call.session, &config, wire.now_ns, &fork),
			0);
		unlink(path);
	}
}

static void
mix_begin(struct line *line)
{
	struct stw_mix_leg_config legs[2] = {STW_MIX_LEG_CONFIG_INIT, STW_MIX_LEG_CONFIG_INIT};
	struct stw_mix_config config = STW_MIX_CONFIG_INIT;
	struct stw_mix mix;

	legs[0].leg = line->call.caller;
	legs[1].leg = line->call.agent;
	config.legs = legs;
	config.legs_count = 2;
	cr_assert_eq(stw_mix_add(wire.media, line->call.session, &config, wire.now_ns, &mix), 0);
}

static void
call_begin(unsigned n)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct line *line = &lines[n];

	memset(line, 0, sizeof(*line));
	line->busy = true;
	line->extra =
		(enum extra)(random_below(&chance, 3) ? PLAIN : random_below(&chance, EXTRAS));
	line->serial = ++calls_begun;
	extras_begun[line->extra]++;
	line->begin = tick;
	line->end = tick + 50 + random_below(&chance, LIFE_TICKS - 50);
	session.cookie = line->serial;
	line->middle = tick + (line->end - tick) / 2;
	cr_assert_eq(stw_session_add(wire.media, &session, &line->call.session), 0);
	for (unsigned side = 0; side < 2; side++) {
		line->parties[side] = side ? wire_agent : wire_caller;
		/* Not where the line's last call had its parties. */
		line->parties[side].udp_port =
			(uint16_t)(line->parties[side].udp_port + PARTY_PORTS * n +
				   2 * (line->serial % (PARTY_PORTS / 4)));
		leg_begin(line, side);
	}
	legs_connect(line);
	if (line->extra == FORKED)
		forks_begin(line);
	if (line->extra == MIXED)
		mix_begin(line);
}

static void
call_middle(struct line *line)
{
	if (line->extra == MUSIC)
		cr_assert_eq(stw_playout_attach(wire.media, line->call.caller, music, wire.now_ns),
			     0);
	if (line->extra == TRANSFER) {
		cr_assert_eq(stw_leg_remove(wire.media, line->call.agent, wire.now_ns), 0);
		line->parties[1].udp_port = (uint16_t)(line->parties[1].udp_port + PARTY_PORTS / 2);
		leg_begin(line, 1);
		legs_connect(line);
	}
}

static void
call_end(struct line *line)
{
	uint32_t said = (uint32_t)(tick - line->begin);

	cr_assert_eq(stw_session_remove(wire.media, line->call.session, wire.now_ns), 0);
	line->busy = false;
	if (line->extra == PLAIN || line->extra == FORKED || line->extra == TRANSFER)
		cr_assert(line->heard[0] == said && line->heard[1] == said,
			  "seed %lu tick %lu call %u: %u and %u of %u", SEED, tick, line->serial,
			  line->heard[0], line->heard[1], said);
	if (line->extra == FORKED)
		forked_packets += 2 * said;
	if (line->extra == MUSIC || line->extra == SECURE || line->extra == MIXED)
		cr_assert_geq(line->heard[0] + line->heard[1], said);
}

/* Sequence number, timestamp, whose packet it is. */
static void
party_says(struct line *line, unsigned side)
{
	struct frame *frame = &line->frames[side];
	uint16_t sequence = line->sequence[side]++;
	uint32_t words[] = {0, rte_cpu_to_be_32(160u * sequence), 0, line->serial, side};

	frame->data[44] = (uint8_t)(sequence >> 8);
	frame->data[45] = (uint8_t)sequence;
	memcpy(frame->data + 46, &words[1], 4);
	memcpy(frame->data + 54, &words[3], 8);
	wire_give(&wire, (uint8_t)side, frame);
}

/* Count what a party hears; it must be of its own call. */
static void
frame_hear(unsigned side, const struct frame *frame)
{
	uint16_t port = wire_u16(frame, 36), base = (side ? &wire_agent : &wire_caller)->udp_port;
	unsigned n = (unsigned)(port - base) / PARTY_PORTS;
	uint32_t words[2];
	struct line *line;

	if (wire_u16(frame, 12) != 0x0800 || port == 9000)
		return;
	cr_assert(port >= base && n < CALLS);
	line = &lines[n];
	cr_assert(line->busy && port == line->parties[side].udp_port, "seed %lu tick %lu port %u",
		  SEED, tick, port);
	line->heard[side]++;
	if (line->extra != PLAIN && line->extra != FORKED && line->extra != TRANSFER)
		return;
	memcpy(words, frame->data + 54, sizeof(words));
	cr_assert_eq(frame->bytes, FRAME_BYTES);
	cr_assert(words[0] == line->serial && words[1] == !side,
		  "seed %lu tick %lu: call %u hears call %u", SEED, tick, line->serial, words[0]);
}

static void
ports_drain(void)
{
	struct frame frame;

	for (uint8_t side = 0; side < WIRE_PORTS; side++) {
		while (wire_take(&wire, side, &frame))
			frame_hear(side, &frame);
	}
}

/* Files, frames, events, housekeeping. */
static void
host_turn(void)
{
	const struct stw_frame *frames[64];
	struct stw_media_event events[64];
	int count = stw_consumer_take(consumer, frames, 64);

	cr_assert_geq(count, 0);
	for (int i = 0; i < count; i++) {
		uint32_t words[2];

		memcpy(words, frames[i]->payload, sizeof(words));
		cr_assert(words[0] == frames[i]->session_cookie && words[1] == frames[i]->side,
			  "seed %lu tick %lu: a frame of call %u is told as of %lu", SEED, tick,
			  words[0], frames[i]->session_cookie);
	}
	frames_taken += (uint64_t)count;
	cr_assert_eq(stw_consumer_give(consumer, frames, (uint32_t)count), 0);
	while (stw_media_record(wire.media, 64) > 0)
		continue;
	count = stw_media_events_take(wire.media, events, 64);
	for (int i = 0; i < count; i++) {
		const struct stw_fork_stats *stats = &events[i].fork_stats;

		cr_assert(events[i].type != STW_MEDIA_EVENT_LOST &&
			  events[i].type != STW_MEDIA_EVENT_FORK_FAILED);
		if (events[i].type != STW_MEDIA_EVENT_FORK_CLOSED)
			continue;
		cr_assert_eq(stats->packets_written, stats->packets);
		cr_assert_eq(stats->packets_dropped, 0);
		files_packets += stats->packets_written;
	}
	if (tick % 5 == 0)
		stw_media_advance(wire.media, wire.now_ns);
}

static void
tick_once(bool calls_come)
{
	for (unsigned n = 0; n < CALLS; n++) {
		struct line *line = &lines[n];

		if (line->busy && tick == line->middle)
			call_middle(line);
		if (line->busy && (tick >= line->end || !calls_come))
			call_end(line);
		else if (!line->busy && calls_come && random_happens(&chance, BEGIN_ODDS))
			call_begin(n);
		for (unsigned side = 0; line->busy && side < 2; side++)
			party_says(line, side);
	}
	wire_poll(&wire);
	ports_drain();
	wire.now_ns += TICK_NS / 2;
	wire_poll(&wire);
	ports_drain();
	host_turn();
	wire.now_ns += TICK_NS / 2;
	tick++;
}

static void
minute_check(void)
{
	struct stw_media_stats stats = wire_stats(&wire);
	uint32_t busy = 0;

	for (unsigned n = 0; n < CALLS; n++)
		busy += lines[n].busy;
	cr_assert(wire_counters_add_up(&wire), "seed %lu tick %lu", SEED, tick);
	plane_check(wire.media);
	cr_assert_eq(stats.sessions, busy);
	cr_assert_eq(stats.legs, 2 * busy);
	cr_assert_eq(stats.fork_dropped, 0, "seed %lu tick %lu", SEED, tick);
	cr_assert_eq(stats.events_lost, 0);
	cr_assert_eq(stats.refused, 0);
	cr_assert_eq(stats.packets_play_dropped + stats.packets_mix_dropped, 0);
}

/* All calls end; nothing of them may be left. */
static void
round_end(void)
{
	struct stw_media_stats stats;
	struct stw_srtp_info srtp;

	for (unsigned i = 0; i < 500; i++)
		tick_once(false);
	minute_check();
	stats = wire_stats(&wire);
	cr_assert_eq(stats.packets_in_use, wire.base, "seed %lu tick %lu: %u buffers", SEED, tick,
		     stats.packets_in_use - wire.base);
	cr_assert_eq(rte_mempool_in_use_count(wire.pool), 0);
	cr_assert_eq(stats.forks, 0);
	/* A pcapng file and a WAV file of each. */
	cr_assert_eq(files_packets, 2 * forked_packets);
	cr_assert_eq(frames_taken, forked_packets);
	cr_assert_eq(stats.mixes, 0);
	cr_assert_eq(stats.udp_ports, 0);
	cr_assert_eq(stats.udp_ports_resting, 0);
	cr_assert_eq(stw_srtp_info(wire.media, &srtp), 0);
	cr_assert_eq(srtp.contexts, 0);
}

static uint64_t
resident_bytes(void)
{
	unsigned long total, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	cr_assert_not_null(file);
	cr_assert_eq(fscanf(file, "%lu %lu", &total, &resident), 2);
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

Test(soak, days_of_calls_leave_nothing_behind, .timeout = 7200)
{
	unsigned rounds = (unsigned)soak_or(ROUNDS, SOAK_ROUNDS);
	uint64_t round_ticks = soak_or(MINUTE_TICKS, 60 * MINUTE_TICKS);
	uint64_t early = 0, late = 0;

	for (unsigned round = 1; round <= rounds; round++) {
		for (uint64_t i = 1; i <= round_ticks; i++) {
			tick_once(true);
			if (i % MINUTE_TICKS == 0)
				minute_check();
		}
		round_end();
		late = resident_bytes();
		if (round == 2)
			early = late;
	}
	for (unsigned extra = 0; extra < EXTRAS; extra++)
		cr_assert_gt(extras_begun[extra], 0, "no call was of kind %u", extra);
	cr_assert_leq(late, early + early * RSS_PER_CENT / 100 + RSS_SLACK,
		      "%lu bytes after two rounds, %lu after %u", early, late, rounds);
	cr_log_info("%u calls, %lu packets, %lu bytes resident after two rounds, %lu at the end",
		    calls_begun, wire_stats(&wire).packets_received, early, late);
}
