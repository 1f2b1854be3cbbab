/* SPDX-License-Identifier: BSD-3-Clause */
/* What a leg's party hears is one RTP stream, whoever speaks: SSRC, sequence numbers, timestamps, marker. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/plane.h"
#include "media/stream/egress.h"
#include "wire_suite.h"

#define SSRC_CALLER 0xca11e500u
#define SSRC_AGENT  0xa6e47000u

static struct wire wire;
static struct call call;
static struct stw_leg second; /* of another agent */
static struct stw_endpoint second_local;
static const struct party second_agent = {1, {10, 0, 1, 51}, 50002, {2, 0, 0, 0, 1, 0x51}};
static char path[] = "/tmp/stw-stream-XXXXXX";

static void
open_wire(void)
{
	struct stw_leg_config config = wire_leg_config(&second_agent, STW_SIDE_AGENT);

	wire_begin(&wire);
	wire_call_latched(&wire, &call);
	cr_assert_eq(
		stw_leg_add(wire.media, call.session, &config, wire.now_ns, &second, &second_local),
		0);
}

static void
close_wire(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
	unlink(path);
}

TestSuite(stream, .init = open_wire, .fini = close_wire);

static int
speak(const struct party *from, const struct stw_endpoint *to, uint32_t ssrc, uint16_t sequence,
      uint32_t timestamp)
{
	struct frame frame;

	wire_rtp(&frame, from, to, 0, sequence, timestamp);
	wire_ssrc(&frame, ssrc);
	return wire_verdict(&wire, from->port, &frame);
}

static int
agent_speaks(uint32_t ssrc, uint16_t sequence, uint32_t timestamp)
{
	return speak(&wire_agent, &call.agent_local, ssrc, sequence, timestamp);
}

static int
second_speaks(uint16_t sequence, uint32_t timestamp)
{
	return speak(&second_agent, &second_local, 0x5ec0d000u, sequence, timestamp);
}

/* What the caller hears next. */
static struct heard
caller_hears(void)
{
	struct heard heard = {0};

	cr_assert(wire_hear(&wire, 0, &heard));
	return heard;
}

/* The agent speaks from here on; what the caller heard of it. */
static struct heard
agent_begins(void)
{
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1000, 50000), STW_PASS_RELAYED);
	return caller_hears();
}

/* `now` follows `before` in the stream, so many milliseconds later, with a marker if another one speaks. */
static void
check_follows(struct heard before, struct heard now, unsigned ms, bool marker)
{
	cr_assert_eq(now.ssrc, before.ssrc);
	cr_assert_eq(now.sequence, (uint16_t)(before.sequence + 1));
	cr_assert_eq(now.timestamp - before.timestamp, 8 * ms);
	cr_assert_eq(now.marker, marker);
}

Test(stream, each_leg_hears_its_own_ssrc_and_the_packets_distances)
{
	struct heard first = agent_begins(), next;

	cr_assert_eq(first.ssrc, wire_leg_stats(&wire, call.caller).ssrc);
	cr_assert_neq(first.ssrc, wire_leg_stats(&wire, call.agent).ssrc);
	cr_assert_neq(first.ssrc, SSRC_AGENT);
	wire.now_ns += 20 * WIRE_MS;
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1001, 50160), STW_PASS_RELAYED);
	next = caller_hears();
	check_follows(first, next, 20, false);
	/* Two are lost, the second of them comes late, and a third one twice. */
	agent_speaks(SSRC_AGENT, 1004, 50640);
	cr_assert_eq(caller_hears().sequence, (uint16_t)(next.sequence + 3));
	agent_speaks(SSRC_AGENT, 1003, 50480);
	cr_assert_eq(caller_hears().sequence, (uint16_t)(next.sequence + 2));
	agent_speaks(SSRC_AGENT, 1004, 50640);
	first = caller_hears();
	cr_assert_eq(first.sequence, (uint16_t)(next.sequence + 3));
	cr_assert_eq(first.timestamp, next.timestamp + 480);
	agent_speaks(SSRC_AGENT, 1005, 50800);
	check_follows(first, caller_hears(), 20, false);
}

Test(stream, transfer_goes_on_where_the_former_agent_stopped)
{
	struct heard before = agent_begins(), now;

	wire.now_ns += 20 * WIRE_MS;
	agent_speaks(SSRC_AGENT, 1001, 50160);
	before = caller_hears();
	cr_assert_eq(stw_leg_connect(wire.media, second, call.caller), 0);
	/* The former agent is heard until the new one speaks, and no more from then on. */
	wire.now_ns += 20 * WIRE_MS;
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1002, 50320), STW_PASS_RELAYED);
	now = caller_hears();
	check_follows(before, now, 20, false);
	wire.now_ns += 30 * WIRE_MS;
	cr_assert_eq(second_speaks(7, 4000000000u), STW_PASS_RELAYED);
	before = caller_hears();
	check_follows(now, before, 30, true);
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1003, 50480), STW_DROP_SUPERSEDED);
	wire.now_ns += 20 * WIRE_MS;
	cr_assert_eq(second_speaks(8, 4000000160u), STW_PASS_RELAYED);
	check_follows(before, caller_hears(), 20, false);
	/* Back: the former agent is the one connected last. */
	cr_assert_eq(stw_leg_connect(wire.media, second, (struct stw_leg){0}), 0);
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1004, 50640), STW_PASS_RELAYED);
	cr_assert_eq(caller_hears().marker, 1);
	cr_assert_eq(second_speaks(9, 4000000320u), STW_PASS_CONSUMED);
}

Test(stream, removed_agent_leaves_the_word_to_another_one)
{
	struct heard before = agent_begins();

	cr_assert_eq(stw_leg_connect(wire.media, second, call.caller), 0);
	cr_assert_eq(second_speaks(1, 0), STW_PASS_RELAYED);
	before = caller_hears();
	cr_assert_eq(stw_leg_remove(wire.media, second, wire.now_ns), 0);
	wire.now_ns += 40 * WIRE_MS;
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1001, 50160), STW_PASS_RELAYED);
	check_follows(before, caller_hears(), 40, true);
}

Test(stream, new_ssrc_of_a_party_goes_on_and_its_old_one_does_not_come_back_between)
{
	struct heard before = agent_begins(), now;

	wire.now_ns += 25 * WIRE_MS;
	cr_assert_eq(agent_speaks(77, 3, 9), STW_PASS_RELAYED);
	now = caller_hears();
	check_follows(before, now, 25, true);
	/* Overtaken on the way: it would be heard after what came later. */
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1001, 50160), STW_DROP_SUPERSEDED);
	wire.now_ns += 20 * WIRE_MS;
	cr_assert_eq(agent_speaks(77, 4, 169), STW_PASS_RELAYED);
	before = caller_hears();
	check_follows(now, before, 20, false);
	wire.now_ns += 59 * WIRE_MS;
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1002, 50320), STW_DROP_SUPERSEDED);
	wire.now_ns += 1 * WIRE_MS;
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1003, 50480), STW_PASS_RELAYED);
	check_follows(before, caller_hears(), 60, true);
	cr_assert_eq(wire_leg_stats(&wire, call.agent).packets_lost, 0);
}

Test(stream, key_press_with_an_ssrc_of_its_own_amidst_audio_stays_whole)
{
	struct heard event, first = agent_begins();
	struct frame frame;

	for (unsigned press = 0; press < 2; press++) {
		for (unsigned i = 0; i < 5; i++) {
			wire.now_ns += 10 * WIRE_MS;
			wire_event(&frame, &wire_agent, &call.agent_local, (uint16_t)(7 + i), 9000,
				   5, i == 4, (uint16_t)(160 * i + 160));
			wire_ssrc(&frame, 0xd191u);
			cr_assert_eq(wire_verdict(&wire, 1, &frame), STW_PASS_RELAYED);
			event = caller_hears();
			if (i == 0)
				first = event;
			cr_assert_eq(event.sequence, (uint16_t)(first.sequence + i));
			cr_assert_eq(event.timestamp, first.timestamp);
			wire.now_ns += 10 * WIRE_MS;
			cr_assert_eq(
				agent_speaks(SSRC_AGENT, (uint16_t)(1001 + i), 50160 + 160 * i),
				STW_DROP_SUPERSEDED);
		}
		wire.now_ns += 60 * WIRE_MS;
		cr_assert_eq(agent_speaks(SSRC_AGENT, 1010, 51600), STW_PASS_RELAYED);
		cr_assert_eq(caller_hears().sequence, (uint16_t)(event.sequence + 1));
	}
	cr_assert_eq(wire_leg_stats(&wire, call.agent).digits, 1);
}

Test(stream, jump_of_a_party_goes_on_from_its_first_packet)
{
	struct heard before = agent_begins(), now;

	for (unsigned i = 0; i < 3; i++) {
		wire.now_ns += 20 * WIRE_MS;
		agent_speaks(SSRC_AGENT, (uint16_t)(40000 + i), 800000 + 160 * i);
		now = caller_hears();
		/* The first two may be strays, for all that is known. */
		check_follows(before, now, 20, i < 2);
		before = now;
	}
}

Test(stream, stray_packet_of_a_party_leaves_no_gap)
{
	static const uint16_t sequences[] = {1001, 740, 1002, 1003, 30000, 1004};
	struct heard before = agent_begins(), now;

	for (unsigned i = 0; i < 6; i++) {
		wire.now_ns += 20 * WIRE_MS;
		agent_speaks(SSRC_AGENT, sequences[i], 50000 + 160u * (sequences[i] - 1000u));
		now = caller_hears();
		check_follows(before, now, 20, i == 1 || i == 2 || i == 4 || i == 5);
		before = now;
	}
}

Test(stream, numbers_wrap_around)
{
	struct heard before, now;

	agent_speaks(SSRC_AGENT, 65000, 4294900000u);
	before = caller_hears();
	for (unsigned i = 1; i < 70000; i++) {
		wire.now_ns += 20 * WIRE_MS;
		agent_speaks(SSRC_AGENT, (uint16_t)(65000 + i), 4294900000u + 160 * i);
		now = caller_hears();
		check_follows(before, now, 20, false);
		before = now;
	}
	wire.now_ns += 20 * WIRE_MS;
	agent_speaks(78, 1, 1);
	check_follows(before, caller_hears(), 20, true);
}

Test(stream, first_packet_of_a_source_lasts_no_less_than_one_before)
{
	struct heard before = agent_begins(), now;

	wire.now_ns += 3 * WIRE_MS;
	agent_speaks(79, 1, 1);
	now = caller_hears();
	check_follows(before, now, 20, true);
	/* Hours later the clock is still the leg's. */
	wire.now_ns += UINT64_C(3) * 3600 * 1000 * WIRE_MS;
	agent_speaks(80, 1, 1);
	check_follows(now, caller_hears(), 3 * 3600 * 1000, true);
}

Test(stream, hold_leaves_a_gap_in_time_and_none_in_numbers)
{
	struct heard before = agent_begins();

	cr_assert_eq(stw_leg_connect(wire.media, call.agent, (struct stw_leg){0}), 0);
	for (unsigned i = 1; i < 50; i++) {
		wire.now_ns += 20 * WIRE_MS;
		cr_assert_eq(agent_speaks(SSRC_AGENT, (uint16_t)(1000 + i), 50000 + 160 * i),
			     STW_PASS_CONSUMED);
	}
	cr_assert_eq(stw_leg_connect(wire.media, call.agent, call.caller), 0);
	wire.now_ns += 20 * WIRE_MS;
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1050, 58000), STW_PASS_RELAYED);
	check_follows(before, caller_hears(), 1000, true);
}

Test(stream, clock_goes_on_through_telephone_events)
{
	struct heard before = agent_begins(), event;
	struct frame frame;

	for (unsigned i = 1; i <= 10; i++) {
		wire.now_ns += 20 * WIRE_MS;
		wire_event(&frame, &wire_agent, &call.agent_local, (uint16_t)(1000 + i), 50160, 5,
			   false, (uint16_t)(160 * i));
		wire_ssrc(&frame, SSRC_AGENT);
		cr_assert_eq(wire_verdict(&wire, 1, &frame), STW_PASS_RELAYED);
		event = caller_hears();
		cr_assert_eq(event.sequence, (uint16_t)(before.sequence + i));
		cr_assert_eq(event.timestamp, before.timestamp + 160);
	}
	/* Another source: 220 ms after the audio, not 40 ms. */
	wire.now_ns += 20 * WIRE_MS;
	agent_speaks(81, 1, 1);
	event.timestamp = before.timestamp;
	check_follows(event, caller_hears(), 220, true);
}

/* Two packets of mu law. */
static struct stw_playout
load(uint8_t loop)
{
	const uint8_t head[44] = "RIFF\x64\1\0\0WAVEfmt "
				 "\x10\0\0\0\7\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\10\0data\x40\1\0";
	struct stw_playout_config config = STW_PLAYOUT_CONFIG_INIT;
	uint8_t samples[320] = {0};
	struct stw_playout playout;
	FILE *file = fdopen(mkstemp(path), "wb");

	fwrite(head, 1, sizeof(head), file);
	fwrite(samples, 1, sizeof(samples), file);
	fclose(file);
	config.path = path;
	config.loop = loop;
	cr_assert_eq(stw_playout_load(wire.media, &config, &playout), 0);
	return playout;
}

Test(stream, playout_is_heard_instead_of_the_peer_and_then_the_peer_again)
{
	struct stw_playout speech = load(0);
	struct heard before = agent_begins(), now;
	struct stw_media_event event;

	cr_assert_eq(
		stw_playout_attach(wire.media, call.caller, speech, wire.now_ns + 20 * WIRE_MS), 0);
	/* Not begun yet. */
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1001, 50160), STW_PASS_RELAYED);
	before = caller_hears();
	wire.now_ns += 20 * WIRE_MS;
	wire_poll(&wire);
	now = caller_hears();
	check_follows(before, now, 20, true);
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1002, 50320), STW_DROP_SUPERSEDED);
	wire.now_ns += 20 * WIRE_MS;
	wire_poll(&wire);
	before = caller_hears();
	check_follows(now, before, 20, false);
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1003, 50480), STW_DROP_SUPERSEDED);
	/* Over: the agent goes on. */
	wire.now_ns += 20 * WIRE_MS;
	wire_poll(&wire);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(agent_speaks(SSRC_AGENT, 1004, 50640), STW_PASS_RELAYED);
	check_follows(before, caller_hears(), 20, true);
}

Test(stream, detached_music_gives_way_to_the_peer)
{
	struct stw_playout music = load(1);
	struct heard before;
	struct frame frame;

	wire_rtp(&frame, &wire_agent, &call.agent_local, 0, 1, 1);
	cr_assert_eq(stw_playout_attach(wire.media, call.caller, music, wire.now_ns), 0);
	wire_poll(&wire);
	before = caller_hears();
	cr_assert_eq(
		stw_playout_attach(wire.media, call.caller, (struct stw_playout){0}, wire.now_ns),
		0);
	/* At once, before the worker has looked at the playout again. */
	wire.now_ns += 5 * WIRE_MS;
	wire_give(&wire, 1, &frame);
	wire_poll(&wire);
	check_follows(before, caller_hears(), 20, true);
}

Test(stream, leg_in_a_used_slot_has_a_stream_of_its_own)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	uint32_t ssrc = wire_leg_stats(&wire, call.caller).ssrc;
	uint32_t slots = wire.media->legs_slots;
	struct call next;

	(void)session;
	for (unsigned i = 0; i < slots; i++) {
		cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
		wire_poll(&wire);
		wire.now_ns += 3000 * WIRE_MS;
		stw_media_advance(wire.media, wire.now_ns);
		wire_call(&wire, &next);
		cr_assert_neq(wire_leg_stats(&wire, next.caller).ssrc, ssrc);
		call = next;
	}
}

Test(stream, rtcp_can_map_numbers_back)
{
	struct heard heard = agent_begins();
	uint32_t leg = (uint32_t)call.caller.id;
	union egress_map map = egress_offsets(wire.media, leg);

	cr_assert_eq((uint16_t)(heard.sequence - map.sequence), 1000);
	cr_assert_eq(heard.timestamp - map.timestamp, 50000);
	cr_assert_eq(egress_timestamp(wire.media, leg, wire.now_ns + 10 * WIRE_MS),
		     heard.timestamp + 80);
	cr_assert_eq(rte_be_to_cpu_32(egress_ssrc(wire.media, leg)), heard.ssrc);
}
