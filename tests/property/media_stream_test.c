/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whoever speaks to a leg, in whatever way it changes: its party hears one stream. Two agents speak at
 * once, with losses, overtaking, duplicates, new SSRCs and jumps, numbers wrap around; control connects
 * now one and now the other or nobody, puts legs on hold, and plays announcements and music. A model of
 * the receiver follows each packet. Seeds are named by a failure.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/plane.h"
#include "wire_suite.h"

#define SEEDS      60
#define SOAK_SEEDS 5000
#define STEPS      400
#define SPEAKERS   2
#define PLAYOUT    SPEAKERS /* as a source of the model */
#define PACKET_MS  20

static struct wire wire;
static char path[] = "/tmp/stw-streams-XXXXXX";
static const struct party second_agent = {1, {10, 0, 1, 51}, 50002, {2, 0, 0, 0, 1, 0x51}};

/* An agent: what it sends next. */
struct speaker {
	const struct party *party;
	struct stw_leg leg;
	struct stw_endpoint local;
	struct stw_leg_config config;
	uint32_t ssrc;
	uint32_t timestamp;
	uint16_t sequence;
	bool connected;
	bool late_kept; /* a packet waits to be overtaken */
	uint16_t late_sequence;
	uint32_t late_timestamp;
	uint32_t late_ssrc;
	bool begins; /* what it sends next begins a turn */
};

/* What the caller has heard. */
struct ear {
	bool any;
	uint32_t ssrc;
	uint32_t source;        /* who was heard last: a speaker, or PLAYOUT */
	uint16_t sequence;      /* highest in order */
	uint32_t timestamp;     /* of that packet */
	uint64_t time_ns;       /* when it came */
	uint16_t sent_sequence; /* of that packet, as its source numbered it */
	uint32_t sent_timestamp;
	unsigned turns;
};

struct world {
	uint64_t seed;
	uint64_t random;
	struct stw_session session;
	struct stw_leg caller;
	struct stw_leg_config caller_config;
	struct stw_endpoint caller_local;
	struct speaker speakers[SPEAKERS];
	struct ear ear;
	struct stw_playout music, speech;
	uint32_t heard_leg; /* speaker connected last; SPEAKERS: none */
	bool may_play;      /* a playout is attached, or was a moment ago */
	uint64_t free_ns;   /* when a detached one is surely gone */
};

static void
file_make(void)
{
	const uint8_t head[44] = "RIFF\x64\1\0\0WAVEfmt "
				 "\x10\0\0\0\7\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\10\0data\x40\1\0";
	uint8_t samples[320] = {0};
	FILE *file = fdopen(mkstemp(path), "wb");

	fwrite(head, 1, sizeof(head), file);
	fwrite(samples, 1, sizeof(samples), file);
	fclose(file);
}

static void
open_wire(void)
{
	wire_begin(&wire);
	file_make();
}

static void
close_wire(void)
{
	wire_close(&wire);
	stw_eal_stop();
	unlink(path);
}

TestSuite(streams, .init = open_wire, .fini = close_wire);

static uint32_t
draw(struct world *world, uint32_t below)
{
	world->random =
		world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(world->random >> 33) % below;
}

static struct stw_playout
load(uint8_t loop)
{
	struct stw_playout_config config = STW_PLAYOUT_CONFIG_INIT;
	struct stw_playout playout;

	config.path = path;
	config.loop = loop;
	cr_assert_eq(stw_playout_load(wire.media, &config, &playout), 0);
	return playout;
}

static void
world_open(struct world *world, uint64_t seed)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct frame frame;

	*world = (struct world){.seed = seed, .random = seed, .heard_leg = SPEAKERS};
	cr_assert_eq(stw_session_add(wire.media, &session, &world->session), 0);
	world->caller_config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	cr_assert_eq(stw_leg_add(wire.media, world->session, &world->caller_config, wire.now_ns,
				 &world->caller, &world->caller_local),
		     0);
	for (unsigned i = 0; i < SPEAKERS; i++) {
		struct speaker *speaker = &world->speakers[i];

		speaker->party = i ? &second_agent : &wire_agent;
		speaker->config = wire_leg_config(speaker->party, STW_SIDE_AGENT);
		speaker->ssrc = draw(world, UINT32_MAX);
		speaker->sequence = (uint16_t)(65536 - draw(world, 300));
		speaker->timestamp = UINT32_MAX - draw(world, 40000);
		speaker->begins = true;
		cr_assert_eq(stw_leg_add(wire.media, world->session, &speaker->config, wire.now_ns,
					 &speaker->leg, &speaker->local),
			     0);
	}
	world->music = load(1);
	world->speech = load(0);
	/* The way to the caller is known from its first packet on. */
	wire_rtp(&frame, &wire_caller, &world->caller_local, 0, 1, 1);
	wire_give(&wire, 0, &frame);
	wire_poll(&wire);
	wire_drop_all(&wire, 0);
}

static void
world_close(struct world *world)
{
	cr_assert_eq(stw_session_remove(wire.media, world->session, wire.now_ns), 0);
	wire_poll(&wire);
	cr_assert_eq(stw_playout_unload(wire.media, world->music), 0);
	cr_assert_eq(stw_playout_unload(wire.media, world->speech), 0);
	wire_drop_sent(&wire);
	wire.now_ns += 3000 * WIRE_MS;
	wire_poll(&wire);
	stw_media_advance(wire.media, wire.now_ns);
	plane_check(wire.media);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base, "seed %lu", world->seed);
}

/* A packet that begins a turn: the next number, later by the time that passed, with the marker. */
static void
turn_check(struct world *world, const struct heard *heard)
{
	struct ear *ear = &world->ear;
	uint32_t passed = (uint32_t)((wire.now_ns - ear->time_ns) / 125000);

	cr_assert(heard->marker, "seed %lu", world->seed);
	ear->turns++;
	if (!ear->any)
		return;
	cr_assert_eq(heard->sequence, (uint16_t)(ear->sequence + 1), "seed %lu", world->seed);
	cr_assert_eq(heard->timestamp - ear->timestamp, passed < 160 ? 160 : passed, "seed %lu",
		     world->seed);
}

/* The caller hears a packet that its source has numbered so. */
static void
ear_hear(struct world *world, uint32_t source, const struct heard *heard, uint16_t sequence,
	 uint32_t timestamp, bool begins)
{
	struct ear *ear = &world->ear;
	uint16_t ahead = (uint16_t)(heard->sequence - ear->sequence);

	if (begins || source != ear->source || !ear->any) {
		turn_check(world, heard);
		ahead = 1;
	} else {
		cr_assert_eq(ahead, (uint16_t)(sequence - ear->sent_sequence), "seed %lu",
			     world->seed);
		cr_assert_eq(heard->timestamp - ear->timestamp, timestamp - ear->sent_timestamp,
			     "seed %lu", world->seed);
	}
	if (ear->any)
		cr_assert_eq(heard->ssrc, ear->ssrc, "seed %lu", world->seed);
	ear->any = true;
	ear->ssrc = heard->ssrc;
	if (ahead == 0 || ahead >= 3000)
		return;
	ear->source = source;
	ear->sequence = heard->sequence;
	ear->timestamp = heard->timestamp;
	ear->time_ns = wire.now_ns;
	ear->sent_sequence = sequence;
	ear->sent_timestamp = timestamp;
}

/* Take what was sent to the caller: at most one relayed packet, and what is played. */
static bool
caller_take(struct world *world, struct heard *relayed)
{
	struct frame frame;
	bool found = false;

	while (wire_take(&wire, 0, &frame)) {
		struct heard heard = {.marker = frame.data[43] >> 7,
				      .sequence = wire_u16(&frame, 44),
				      .timestamp = wire_u32(&frame, 46),
				      .ssrc = wire_u32(&frame, 50)};

		cr_assert(wire_checksums_are_right(&frame), "seed %lu", world->seed);
		if (frame.data[54] != 0 || frame.data[55] != 0) {
			cr_assert(!found, "seed %lu", world->seed);
			found = true;
			*relayed = heard;
			continue;
		}
		/* Played: numbered one by one, and later by what passed. */
		ear_hear(world, PLAYOUT, &heard, (uint16_t)(world->ear.sent_sequence + 1),
			 world->ear.sent_timestamp +
				 (uint32_t)((wire.now_ns - world->ear.time_ns) / 125000),
			 false);
		for (unsigned i = 0; i < SPEAKERS; i++)
			world->speakers[i].begins = true;
	}
	return found;
}

/* Give one packet of a speaker; `begins`: its numbers begin anew with it. */
static void
packet_give(struct world *world, uint32_t who, uint32_t ssrc, uint16_t sequence, uint32_t timestamp,
	    bool late)
{
	struct speaker *speaker = &world->speakers[who];
	struct heard heard;
	struct frame frame;
	int verdict;
	bool begins = speaker->begins;

	wire_rtp(&frame, speaker->party, &speaker->local, 0, sequence, timestamp);
	/* No payload of ours begins as a played one. */
	frame.data[54] |= 1;
	wire_ssrc(&frame, ssrc);
	verdict = wire_verdict(&wire, 1, &frame);
	if (caller_take(world, &heard)) {
		cr_assert_eq(verdict, STW_PASS_RELAYED, "seed %lu", world->seed);
		cr_assert(speaker->connected, "seed %lu", world->seed);
		cr_assert_eq(world->caller_config.mode, STW_LEG_SEND_RECEIVE);
		cr_assert_eq(speaker->config.mode, STW_LEG_SEND_RECEIVE);
		/* Who comes back without a word of control's is a stranger to the stream. */
		if (world->ear.any && world->ear.source != who && world->ear.source != PLAYOUT)
			cr_assert_eq(world->heard_leg, who, "seed %lu", world->seed);
		ear_hear(world, who, &heard, sequence, timestamp, begins && !late);
		if (!late)
			speaker->begins = false;
		return;
	}
	cr_assert_neq(verdict, STW_PASS_RELAYED, "seed %lu", world->seed);
	cr_assert_neq(verdict, STW_DROP_SOURCE, "seed %lu", world->seed);
	if (!world->may_play && speaker->connected && world->heard_leg == who && !late)
		cr_assert_eq(verdict, STW_DROP_DIRECTION, "seed %lu: %s", world->seed,
			     stw_verdict_name((enum stw_verdict)verdict));
	if (verdict != STW_DROP_SUPERSEDED)
		speaker->begins = true;
}

/* A speaker's packet of this moment, or what becomes of it. */
static void
speaker_speak(struct world *world, uint32_t who)
{
	struct speaker *speaker = &world->speakers[who];

	speaker->sequence++;
	speaker->timestamp += 160;
	switch (draw(world, 12)) {
	case 0: /* Lost. */
		return;
	case 1: /* Overtaken by the next one, or by a new source. */
		if (speaker->late_kept)
			break;
		speaker->late_kept = true;
		speaker->late_sequence = speaker->sequence;
		speaker->late_timestamp = speaker->timestamp;
		speaker->late_ssrc = speaker->ssrc;
		return;
	case 2: /* A new source at the party. */
		if (draw(world, 4) || speaker->late_kept)
			break;
		speaker->ssrc = draw(world, UINT32_MAX);
		speaker->sequence = (uint16_t)draw(world, 65536);
		speaker->timestamp = draw(world, UINT32_MAX);
		speaker->begins = true;
		break;
	default:
		break;
	}
	packet_give(world, who, speaker->ssrc, speaker->sequence, speaker->timestamp, false);
	if (draw(world, 20) == 0)
		packet_give(world, who, speaker->ssrc, speaker->sequence, speaker->timestamp,
			    !speaker->begins);
	if (!speaker->late_kept)
		return;
	/* What was overtaken while the source had another turn has no place in this one. */
	speaker->late_kept = false;
	if (speaker->late_ssrc == speaker->ssrc && !speaker->begins && world->ear.source == who)
		packet_give(world, who, speaker->late_ssrc, speaker->late_sequence,
			    speaker->late_timestamp, true);
}

/* Who is heard when a speaker is disconnected: the other one, if connected. */
static void
connect_speaker(struct world *world, uint32_t who, bool connected)
{
	struct speaker *speaker = &world->speakers[who];
	struct stw_leg to = connected ? world->caller : (struct stw_leg){0};

	cr_assert_eq(stw_leg_connect(wire.media, speaker->leg, to), 0);
	speaker->connected = connected;
	if (connected)
		world->heard_leg = who;
	else if (world->heard_leg == who)
		world->heard_leg = world->speakers[1 - who].connected ? 1 - who : SPEAKERS;
}

static void
attach(struct world *world, struct stw_playout playout)
{
	/* From the next step on: what is due earlier would come in one piece. */
	cr_assert_eq(stw_playout_attach(wire.media, world->caller, playout,
					wire.now_ns + PACKET_MS * WIRE_MS),
		     0);
	world->may_play = true;
	world->free_ns =
		playout.id == world->music.id ? UINT64_MAX : wire.now_ns + 5 * PACKET_MS * WIRE_MS;
}

static enum stw_leg_mode
mode_draw(struct world *world)
{
	return draw(world, 3) ? STW_LEG_SEND_RECEIVE : STW_LEG_INACTIVE;
}

static void
control_act(struct world *world)
{
	uint32_t who = draw(world, SPEAKERS);
	struct speaker *speaker = &world->speakers[who];

	switch (draw(world, 40)) {
	case 0:
	case 1:
	case 2:
		connect_speaker(world, who, true);
		break;
	case 3:
		connect_speaker(world, who, false);
		break;
	case 4:
		speaker->config.mode = mode_draw(world);
		cr_assert_eq(
			stw_leg_update(wire.media, speaker->leg, &speaker->config, wire.now_ns), 0);
		break;
	case 5:
		world->caller_config.mode = mode_draw(world);
		cr_assert_eq(stw_leg_update(wire.media, world->caller, &world->caller_config,
					    wire.now_ns),
			     0);
		break;
	case 6:
		attach(world, world->music);
		break;
	case 7:
		attach(world, world->speech);
		break;
	case 8:
		attach(world, (struct stw_playout){0});
		break;
	default:
		break;
	}
	/* On hold nothing is played that could be heard; it would only leave gaps of its own. */
	if (world->caller_config.mode != STW_LEG_SEND_RECEIVE)
		attach(world, (struct stw_playout){0});
}

static void
run_seed(uint64_t seed, unsigned *turns)
{
	struct stw_media_event event;
	struct world world;
	struct heard heard;

	world_open(&world, seed);
	for (unsigned step = 0; step < STEPS; step++) {
		control_act(&world);
		wire.now_ns += PACKET_MS * WIRE_MS;
		wire_poll(&wire);
		cr_assert(!caller_take(&world, &heard));
		if (wire.now_ns >= world.free_ns)
			world.may_play = false;
		for (uint32_t who = 0; who < SPEAKERS; who++)
			speaker_speak(&world, who);
		wire_drop_all(&wire, 1);
		while (wire_event_take(&wire, &event) > 0)
			continue;
		cr_assert(wire_counters_add_up(&wire), "seed %lu", seed);
	}
	*turns += world.ear.turns;
	world_close(&world);
}

Test(streams, party_hears_one_stream_whatever_changes, .timeout = 600)
{
	uint64_t seeds = getenv("STW_SOAK") ? SOAK_SEEDS : SEEDS;
	unsigned turns = 0;

	for (uint64_t seed = 1; seed <= seeds; seed++)
		run_seed(seed, &turns);
	/* The changes happen. */
	cr_assert(turns > 10 * seeds);
	cr_assert(wire_stats(&wire).verdicts[STW_DROP_SUPERSEDED] > 10 * seeds);
	cr_assert(wire_stats(&wire).verdicts[STW_DROP_DIRECTION] > 10 * seeds);
}
