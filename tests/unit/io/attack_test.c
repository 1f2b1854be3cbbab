/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks on a call by who is no party of it, or says to be one: what each gets, and that the call
 * goes on and loses nothing. Source: RFC 7362 5, RFC 3550 A.1, RFC 5764 5.1.2; "RTP bleed" is CVE-2017-14099
 * and its kin: a relay that sends a call's audio to whoever speaks to its port.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "talk.h"
#include "wire_suite.h"

static struct wire wire;
static struct talk talk;

static void
open_wire(void)
{
	wire_eal_start();
	talk_open(&wire, 8);
	talk_begin(&wire, &talk, 0);
}

static void
close_wire(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(attack, .init = open_wire, .fini = close_wire);

/* Somebody on the caller's network. */
static struct party
stranger(void)
{
	return (struct party){0, {10, 0, 0, 66}, 40000, {2, 0, 0, 0, 0, 0x66}};
}

static struct party
other_port(const struct party *party)
{
	struct party other = *party;

	other.udp_port += 2;
	return other;
}

/* What an attacker sends gets this verdict, and nobody gets anything for it. */
static void
strike(uint8_t port, const struct frame *frame, int verdict)
{
	int got = wire_verdict(&wire, port, frame);

	cr_assert_eq(got, verdict, "%s instead of %s", got < 0 ? "none" : stw_verdict_name(got),
		     stw_verdict_name(verdict));
	cr_assert_eq(talk_listen(&wire, &talk, 1), 0);
}

static void
strike_rtp(const struct party *from, const struct stw_endpoint *to, uint8_t payload_type,
	   int verdict)
{
	struct frame frame;

	wire_rtp(&frame, from, to, payload_type, 7, 1120);
	strike(from->port, &frame, verdict);
}

/* What a stranger may send to a port: every kind of packet. */
static void
strike_all(const struct party *from, const struct stw_endpoint *to, int verdict)
{
	struct frame frame;

	for (unsigned type = 0; type < 128; type++) {
		/* These look like RTCP (RFC 5761 4). */
		if (type < 64 || type > 95)
			strike_rtp(from, to, (uint8_t)type, verdict);
	}
	wire_event(&frame, from, to, 9, 1440, 5, true, 800);
	strike(from->port, &frame, verdict);
	wire_rtcp(&frame, from, to);
	strike(from->port, &frame, verdict);
}

static void
event_none(void)
{
	struct stw_media_event event;

	cr_assert_eq(wire_event_take(&wire, &event), 0, "event %d", event.type);
}

static void
events_forget(void)
{
	struct stw_media_event event;

	while (wire_event_take(&wire, &event) > 0)
		continue;
}

Test(attack, injection_from_another_address_reaches_nobody)
{
	struct party party = stranger(), far = wire_agent;

	talk_lives(&wire, &talk);
	events_forget();
	far.ip[3] = 66;
	for (unsigned i = 0; i < 5; i++) {
		strike_all(&party, &talk.call.caller_local, STW_DROP_SOURCE);
		strike_all(&far, &talk.call.agent_local, STW_DROP_SOURCE);
		talk_lives(&wire, &talk);
	}
	event_none();
	cr_assert_eq(talk_stats(&wire, talk.call.caller).packets_foreign, 5 * 98);
	cr_assert_eq(talk_stats(&wire, talk.call.caller).packets_received, 12);
	cr_assert_eq(talk_stats(&wire, talk.call.caller).packets_lost, 0);
	cr_assert_eq(talk_stats(&wire, talk.call.caller).digits, 0);
	cr_assert_eq(talk_stats(&wire, talk.call.agent).packets_foreign, 5 * 98);
}

Test(attack, injection_from_the_right_address_and_another_port_reaches_nobody)
{
	struct party party = other_port(&wire_caller);
	struct frame frame;

	talk_lives(&wire, &talk);
	events_forget();
	wire_rtcp(&frame, &wire_caller, &talk.call.caller_local);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED_RTCP);
	cr_assert_eq(wire_drop_all(&wire, 1), 1);
	strike_all(&party, &talk.call.caller_local, STW_DROP_SOURCE);
	for (uint16_t port = 1; port < 60000; port = (uint16_t)(port + 997)) {
		party.udp_port = port;
		strike_rtp(&party, &talk.call.caller_local, 0, STW_DROP_SOURCE);
	}
	talk_lives(&wire, &talk);
	event_none();
}

Test(attack, right_source_on_the_wrong_interface_is_not_ours)
{
	struct party party = wire_caller;

	talk_lives(&wire, &talk);
	party.port = 1;
	strike_rtp(&party, &talk.call.caller_local, 0, STW_DROP_NOT_OURS);
	party = wire_caller;
	/* The caller's own packets for the agent's port, from where they may come and where not. */
	strike_rtp(&party, &talk.call.agent_local, 0, STW_DROP_NOT_OURS);
	party.port = 1;
	strike_rtp(&party, &talk.call.agent_local, 0, STW_DROP_SOURCE);
	talk_lives(&wire, &talk);
}

/*
 * Who can forge address and port and knows both can speak in a plain call; only SRTP is proof against
 * that (attack_srtp_test.c). What remains to be promised: the party that is spoken to hears one stream
 * all the same, and one forged packet silences the true source for 60 ms at most.
 */
Test(attack, forged_ssrc_silences_the_true_one_for_60_ms_at_most)
{
	struct heard before = {0}, heard;
	struct frame frame;
	unsigned superseded = 0;

	for (unsigned i = 0; i < 4; i++) {
		wire.now_ns += 20 * WIRE_MS;
		talk_make(&talk, 0, &frame);
		cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED);
		cr_assert(wire_hear(&wire, 1, &before));
	}
	wire_rtp(&frame, &wire_caller, &talk.call.caller_local, 0, 30000, 99);
	wire_ssrc(&frame, 0x66666666);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED);
	cr_assert(wire_hear(&wire, 1, &heard));
	cr_assert_eq(heard.ssrc, before.ssrc);
	cr_assert_eq(heard.sequence, (uint16_t)(before.sequence + 1));
	for (unsigned i = 0; i < 20; i++) {
		int verdict;

		wire.now_ns += 20 * WIRE_MS;
		talk_make(&talk, 0, &frame);
		verdict = wire_verdict(&wire, 0, &frame);
		superseded += verdict == STW_DROP_SUPERSEDED;
		if (verdict != STW_PASS_RELAYED)
			continue;
		before = heard;
		cr_assert(wire_hear(&wire, 1, &heard));
		cr_assert_eq(heard.ssrc, before.ssrc);
		cr_assert_eq(heard.sequence, (uint16_t)(before.sequence + 1));
	}
	cr_assert_leq(superseded, 2);
	cr_assert_eq(talk_stats(&wire, talk.call.caller).ssrc_changes, 2);
}

/* Take what the agent hears next: the next number, and a time that has gone on by no more than two packets. */
static void
next_hear(struct heard *heard)
{
	struct heard before = *heard;

	cr_assert(wire_hear(&wire, 1, heard));
	cr_assert_eq(heard->ssrc, before.ssrc);
	cr_assert_eq(heard->sequence, (uint16_t)(before.sequence + 1));
	cr_assert_gt(heard->timestamp - before.timestamp, 0);
	cr_assert_leq(heard->timestamp - before.timestamp, 320);
}

/* A number that its successor does not confirm moves neither the stream nor the statistics (RFC 3550 A.1). */
Test(attack, single_forged_sequence_numbers_do_not_break_the_stream)
{
	struct stw_leg_stats stats;
	struct heard heard;
	struct frame frame;

	talk_lives(&wire, &talk);
	talk_make(&talk, 0, &frame);
	wire_give(&wire, 0, &frame);
	wire_poll(&wire);
	cr_assert(wire_hear(&wire, 1, &heard));
	for (uint16_t i = 0; i < 50; i++) {
		wire_rtp(&frame, &wire_caller, &talk.call.caller_local, 0,
			 (uint16_t)(20000 + 611 * i), 160);
		wire_give(&wire, 0, &frame);
		wire_poll(&wire);
		next_hear(&heard);
		wire.now_ns += 20 * WIRE_MS;
		talk_make(&talk, 0, &frame);
		wire_give(&wire, 0, &frame);
		wire_poll(&wire);
		next_hear(&heard);
	}
	stats = talk_stats(&wire, talk.call.caller);
	cr_assert_eq(stats.packets_lost, 0);
	cr_assert_eq(stats.packets_received, 53 + 50);
}

Test(attack, prober_of_a_port_whose_party_is_known_gets_nothing)
{
	struct party party = stranger();

	strike_all(&party, &talk.call.caller_local, STW_DROP_SOURCE);
	/* The agent speaks first: to the caller, who has not spoken yet, and to nobody else. */
	for (unsigned i = 0; i < 10; i++) {
		talk_say(&wire, &talk, 1);
		wire_poll(&wire);
		cr_assert_eq(talk_listen(&wire, &talk, 1), 1);
		strike_rtp(&party, &talk.call.caller_local, 0, STW_DROP_SOURCE);
	}
	talk_lives(&wire, &talk);
}

/* A leg of a party behind a NAT, of whom nothing is known: the first valid RTP is its. */
static struct stw_leg_config
caller_forget(void)
{
	struct stw_leg_config config = talk_config(&talk, 0);

	memset(&config.remote, 0, sizeof(config.remote));
	cr_assert_eq(stw_leg_update(wire.media, talk.call.caller, &config, wire.now_ns), 0);
	return config;
}

Test(attack, prober_of_a_port_whose_party_is_unknown_needs_its_payload_types)
{
	struct party party = stranger();
	struct stw_media_event event;
	struct frame frame;

	caller_forget();
	for (unsigned type = 1; type < 128; type++) {
		if (type != 101 && (type < 64 || type > 95))
			strike_rtp(&party, &talk.call.caller_local, (uint8_t)type, STW_DROP_SOURCE);
	}
	wire_rtcp(&frame, &party, &talk.call.caller_local);
	strike(0, &frame, STW_DROP_SOURCE);
	talk_make(&talk, 1, &frame);
	strike(1, &frame, STW_DROP_NO_REMOTE);
	talk.due[0] = talk.spoken[1];
	events_forget();
	talk_lives(&wire, &talk);
	/* The caller was first; a prober is too late for ever, and the host knows who it was. */
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_LATCHED);
	cr_assert_arr_eq(event.remote.ip.bytes, wire_caller.ip, 4);
	for (unsigned i = 0; i < 3; i++) {
		strike_all(&party, &talk.call.caller_local, STW_DROP_SOURCE);
		wire.now_ns += 60000 * WIRE_MS;
		talk_lives(&wire, &talk);
	}
	event_none();
}

Test(attack, prober_after_the_learning_window_gets_nothing)
{
	struct stw_leg_config config = talk_config(&talk, 0);
	struct party party = stranger();
	struct frame frame;

	memset(&config.remote, 0, sizeof(config.remote));
	config.learning_ns = 1000 * WIRE_MS;
	cr_assert_eq(stw_leg_update(wire.media, talk.call.caller, &config, wire.now_ns), 0);
	wire.now_ns += 1000 * WIRE_MS;
	strike_all(&party, &talk.call.caller_local, STW_DROP_SOURCE);
	talk_make(&talk, 1, &frame);
	strike(1, &frame, STW_DROP_NO_REMOTE);
	cr_assert_eq(talk_stats(&wire, talk.call.caller).latched, 0);
}

/* Else the relay would be made to send to itself. */
Test(attack, the_planes_own_addresses_are_nobodys_source)
{
	struct stw_leg_config config = caller_forget();
	struct party party = stranger();
	struct frame frame;

	config.source_any_ip = 1;
	cr_assert_eq(stw_leg_update(wire.media, talk.call.caller, &config, wire.now_ns), 0);
	memcpy(party.ip, talk.call.caller_local.ip.bytes, 4);
	party.udp_port = talk.call.caller_local.port;
	strike_rtp(&party, &talk.call.caller_local, 0, STW_DROP_SOURCE);
	memcpy(party.ip, talk.call.agent_local.ip.bytes, 4);
	party.udp_port = talk.call.agent_local.port;
	strike_rtp(&party, &talk.call.caller_local, 0, STW_DROP_SOURCE);
	talk_lives(&wire, &talk);
	/* But the host may know better. */
	config.remote = talk.call.agent_local;
	cr_assert_eq(stw_leg_update(wire.media, talk.call.caller, &config, wire.now_ns), 0);
	wire_rtp(&frame, &party, &talk.call.caller_local, 0, 7, 1120);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED);
	cr_assert_eq(wire_drop_all(&wire, 1), 1);
}

Test(attack, forged_goodbye_and_reports_change_nothing)
{
	const uint8_t bye[] = {0x81, 203, 0, 1, 0xab, 0xcd, 0x9c, 0x40};
	const uint8_t report[28] = {0x80, 200, 0, 6, 0xab, 0xcd, 0x9c, 0x40, 0, 1, 0, 2};
	uint8_t compound[36];
	struct party from = stranger();
	struct stw_endpoint to = talk.call.caller_local;
	struct stw_leg_stats before, after;
	struct frame frame;

	talk_lives(&wire, &talk);
	events_forget();
	wire_rtcp(&frame, &wire_caller, &talk.call.caller_local);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED_RTCP);
	wire_drop_all(&wire, 1);
	before = talk_stats(&wire, talk.call.caller);
	memcpy(compound, report, 28);
	memcpy(compound + 28, bye, 8);
	to.port++;
	for (unsigned i = 0; i < 4; i++) {
		/* From elsewhere, and from the party's address and each port that is not its RTCP's. */
		if (i)
			from = wire_caller;
		from.udp_port = (uint16_t)(40001 + (i ? 2 * i : 0));
		wire_udp(&frame, &from, &to, bye, sizeof(bye));
		strike(0, &frame, STW_DROP_SOURCE);
		wire_udp(&frame, &from, &to, report, sizeof(report));
		strike(0, &frame, STW_DROP_SOURCE);
		wire_udp(&frame, &from, &to, compound, sizeof(compound));
		strike(0, &frame, STW_DROP_SOURCE);
	}
	after = talk_stats(&wire, talk.call.caller);
	cr_assert_eq(after.rtcp_received, before.rtcp_received);
	cr_assert_eq(after.rtt_us, before.rtt_us);
	cr_assert_eq(after.packets_foreign - before.packets_foreign, 12);
	/* RTP on the port of RTCP, and a goodbye of the party itself, end nothing either. */
	wire_rtp(&frame, &wire_caller, &to, 0, 9, 9);
	strike(0, &frame, STW_DROP_NOT_RTP);
	from = wire_caller;
	from.udp_port++;
	wire_udp(&frame, &from, &to, compound, sizeof(compound));
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED_RTCP);
	wire_drop_all(&wire, 1);
	talk_lives(&wire, &talk);
	event_none();
}

Test(attack, stun_and_dtls_are_counted_and_never_answered)
{
	const uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
	uint8_t dtls[60] = {22, 0xfe, 0xfd};
	struct party from = stranger();
	struct frame frame;

	dtls[12] = 47;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 2; i++) {
			const struct party *party = i ? &wire_caller : &from;

			wire_udp(&frame, party, &talk.call.caller_local, stun, sizeof(stun));
			strike(0, &frame, STW_DROP_STUN);
			wire_udp(&frame, party, &talk.call.caller_local, dtls, sizeof(dtls));
			strike(0, &frame, STW_DROP_DTLS);
		}
		/* Nobody has latched by it. */
		cr_assert_eq(talk_stats(&wire, talk.call.caller).latched, round);
		talk_lives(&wire, &talk);
	}
}

/* The sessions that were begun until one has the port again. */
static unsigned
port_have_again(struct talk *next, uint16_t port)
{
	for (unsigned n = 1; n < 100; n++) {
		talk_begin(&wire, next, n);
		if (next->call.caller_local.port == port)
			return n;
		cr_assert_eq(stw_session_remove(wire.media, next->call.session, wire.now_ns), 0);
		wire_poll(&wire);
		stw_media_advance(wire.media, wire.now_ns);
	}
	return 0;
}

Test(attack, released_port_rests_and_then_knows_only_its_next_party)
{
	struct talk former, next;
	struct frame late;

	talk_lives(&wire, &talk);
	former = talk;
	talk_make(&former, 0, &late);
	cr_assert_eq(stw_session_remove(wire.media, talk.call.session, wire.now_ns), 0);
	wire_drop_all(&wire, 1);
	/* Resting: 2 s in which the port is given to nobody, and what comes late meets nobody. */
	for (unsigned i = 0; i < 9; i++) {
		strike(0, &late, STW_DROP_NO_LEG);
		wire.now_ns += 200 * WIRE_MS;
		wire_poll(&wire);
		stw_media_advance(wire.media, wire.now_ns);
		talk_begin(&wire, &next, 1);
		cr_assert_neq(next.call.caller_local.port, former.call.caller_local.port);
		cr_assert_neq(next.call.agent_local.port, former.call.agent_local.port);
		cr_assert_eq(stw_session_remove(wire.media, next.call.session, wire.now_ns), 0);
	}
	wire.now_ns += 5000 * WIRE_MS;
	wire_poll(&wire);
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_gt(port_have_again(&next, former.call.caller_local.port), 0);
	/* The next call is of others, and of the same port. */
	talk = next;
	talk_lives(&wire, &talk);
	for (unsigned i = 0; i < 10; i++) {
		strike(0, &late, STW_DROP_SOURCE);
		strike_rtp(&former.parties[0], &talk.call.caller_local, 0, STW_DROP_SOURCE);
		talk_lives(&wire, &talk);
	}
	cr_assert_eq(talk_stats(&wire, talk.call.caller).packets_foreign, 20);
}
