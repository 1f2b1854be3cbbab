/* SPDX-License-Identifier: BSD-3-Clause */
/* Only a leg's own party gets through: learning, strictness, attacks. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "wire_suite.h"

static struct wire wire;
static struct stw_session session;
static struct stw_leg leg;
static struct stw_endpoint local;

static void
open_wire(void)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;

	wire_begin(&wire);
	session_config.cookie = 5;
	cr_assert_eq(stw_session_add(wire.media, &session_config, &session), 0);
}

static void
close_wire(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(guard, .init = open_wire, .fini = close_wire);

static struct stw_leg_config
blank(void)
{
	struct stw_leg_config config = STW_LEG_CONFIG_INIT;

	config.event_pt = 101;
	return config;
}

static void
add(const struct stw_leg_config *config)
{
	cr_assert_eq(stw_leg_add(wire.media, session, config, wire.now_ns, &leg, &local), 0);
}

static int
hear(const struct party *from, uint8_t payload_type)
{
	struct frame frame;

	wire_rtp(&frame, from, &local, payload_type, 1, 160);
	return wire_verdict(&wire, 0, &frame);
}

static struct party
other_ip(void)
{
	struct party party = wire_caller;

	party.ip[3] = 66;
	return party;
}

static struct party
other_port(void)
{
	struct party party = wire_caller;

	party.udp_port += 2;
	return party;
}

Test(guard, first_valid_source_is_latched_and_told)
{
	struct stw_leg_config config = blank();
	struct stw_media_event event;
	struct stw_leg_stats stats;

	add(&config);
	stw_leg_stats(wire.media, leg, &stats);
	cr_assert_eq(stats.latched, 0);
	cr_assert_eq(stats.remote.ip.family, 0);
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_LATCHED);
	cr_assert_eq(event.leg.id, leg.id);
	cr_assert_eq(event.session.id, session.id);
	cr_assert_eq(event.session_cookie, 5);
	cr_assert_eq(event.time_ns, wire.now_ns);
	cr_assert_eq(event.remote.port, wire_caller.udp_port);
	cr_assert_arr_eq(event.remote.ip.bytes, wire_caller.ip, 4);
	cr_assert_eq(wire_event_take(&wire, &event), 0, "told once");
	stw_leg_stats(wire.media, leg, &stats);
	cr_assert_eq(stats.latched, 1);
}

Test(guard, after_latching_no_other_ip_or_port_gets_through)
{
	struct stw_leg_config config = blank();
	struct party ip = other_ip(), port = other_port();
	struct stw_leg_stats stats;

	add(&config);
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	cr_assert_eq(hear(&ip, 0), STW_DROP_SOURCE);
	cr_assert_eq(hear(&port, 0), STW_DROP_SOURCE);
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	stw_leg_stats(wire.media, leg, &stats);
	cr_assert_eq(stats.packets_foreign, 2);
	cr_assert_eq(stats.packets_received, 2);
}

Test(guard, known_remote_lets_only_its_ip_latch)
{
	struct stw_leg_config config = blank();
	struct party ip = other_ip(), port = other_port();

	config.remote = wire_endpoint(&wire_caller);
	add(&config);
	cr_assert_eq(hear(&ip, 0), STW_DROP_SOURCE);
	cr_assert_eq(hear(&port, 0), STW_PASS_CONSUMED, "a NAT may change the port");
	cr_assert_eq(hear(&wire_caller, 0), STW_DROP_SOURCE, "strict from then on");
}

Test(guard, party_behind_nat_latches_from_any_ip)
{
	struct stw_leg_config config = blank();
	struct party ip = other_ip();

	config.remote = wire_endpoint(&wire_caller);
	config.source_any_ip = 1;
	add(&config);
	cr_assert_eq(hear(&ip, 0), STW_PASS_CONSUMED);
	cr_assert_eq(hear(&wire_caller, 0), STW_DROP_SOURCE);
}

Test(guard, other_payload_types_do_not_latch_but_pass_afterwards)
{
	struct stw_leg_config config = blank();

	add(&config);
	cr_assert_eq(hear(&wire_caller, 8), STW_DROP_SOURCE);
	cr_assert_eq(hear(&wire_caller, 101), STW_PASS_CONSUMED, "a digit may be first");
	cr_assert_eq(hear(&wire_caller, 13), STW_PASS_CONSUMED);
}

Test(guard, closed_window_lets_nobody_latch)
{
	struct stw_leg_config config = blank();

	config.learning_ns = 100 * WIRE_MS;
	add(&config);
	wire.now_ns += 100 * WIRE_MS;
	cr_assert_eq(hear(&wire_caller, 0), STW_DROP_SOURCE);
}

Test(guard, last_moment_of_the_window_lets_latch)
{
	struct stw_leg_config config = blank();

	config.learning_ns = 100 * WIRE_MS;
	add(&config);
	wire.now_ns += 100 * WIRE_MS - 1;
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
}

Test(guard, after_the_window_only_the_very_remote_endpoint_latches)
{
	struct stw_leg_config config = blank();
	struct party port = other_port();

	config.learning_ns = 100 * WIRE_MS;
	config.remote = wire_endpoint(&wire_caller);
	add(&config);
	wire.now_ns += 200 * WIRE_MS;
	cr_assert_eq(hear(&port, 0), STW_DROP_SOURCE);
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
}

Test(guard, new_remote_opens_the_window_and_forgets_an_equal_one_does_not)
{
	struct stw_leg_config config = blank();
	struct party ip = other_ip();

	config.learning_ns = 100 * WIRE_MS;
	config.remote = wire_endpoint(&wire_caller);
	add(&config);
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	config.audio_pt = 8;
	cr_assert_eq(stw_leg_update(wire.media, leg, &config, wire.now_ns), 0);
	cr_assert_eq(hear(&ip, 8), STW_DROP_SOURCE, "still latched");
	cr_assert_eq(hear(&wire_caller, 8), STW_PASS_CONSUMED);
	wire.now_ns += 1000 * WIRE_MS;
	config.remote = wire_endpoint(&ip);
	cr_assert_eq(stw_leg_update(wire.media, leg, &config, wire.now_ns), 0);
	cr_assert_eq(hear(&wire_caller, 8), STW_DROP_SOURCE, "the old one is foreign now");
	cr_assert_eq(hear(&ip, 8), STW_PASS_CONSUMED);
}

Test(guard, rtcp_passes_from_the_latched_ip_only_and_does_not_latch)
{
	struct stw_leg_config config = blank();
	struct party ip = other_ip();
	struct frame frame;

	add(&config);
	wire_rtcp(&frame, &wire_caller, &local);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_SOURCE, "not latched yet");
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_CONSUMED);
	wire_rtcp(&frame, &ip, &local);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_SOURCE);
}

Test(guard, rtcp_of_a_known_remote_waits_for_its_rtp)
{
	struct stw_leg_config config = blank();
	struct frame frame;

	config.remote = wire_endpoint(&wire_caller);
	add(&config);
	wire_rtcp(&frame, &wire_caller, &local);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_SOURCE);
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_CONSUMED);
}

Test(guard, impossible_sources_do_not_latch)
{
	struct stw_leg_config config = blank();
	struct party party = wire_caller;

	add(&config);
	party.udp_port = 0;
	cr_assert_eq(hear(&party, 0), STW_DROP_SOURCE, "port 0");
	party = wire_caller;
	party.ip[0] = 0;
	cr_assert_eq(hear(&party, 0), STW_DROP_SOURCE, "this network");
	party.ip[0] = 224;
	cr_assert_eq(hear(&party, 0), STW_DROP_SOURCE, "multicast");
	party.ip[0] = 255;
	cr_assert_eq(hear(&party, 0), STW_DROP_SOURCE, "reserved");
}

Test(guard, late_packets_of_a_removed_leg_reach_nobody)
{
	struct stw_leg_config config = blank();
	struct stw_leg first;

	add(&config);
	first = leg;
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	cr_assert_eq(stw_leg_remove(wire.media, leg, wire.now_ns), 0);
	cr_assert_eq(hear(&wire_caller, 0), STW_DROP_NO_LEG);
	cr_assert_eq(stw_leg_remove(wire.media, first, wire.now_ns), -ESTALE);
	cr_assert_eq(stw_leg_update(wire.media, first, &config, wire.now_ns), -ESTALE);
}

Test(guard, old_source_does_not_reach_the_next_leg_of_the_port)
{
	struct stw_leg_config config = blank();
	struct party next = other_ip();
	struct stw_endpoint old;

	add(&config);
	old = local;
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	cr_assert_eq(stw_leg_remove(wire.media, leg, wire.now_ns), 0);
	wire.now_ns += 3000 * WIRE_MS;
	stw_media_advance(wire.media, wire.now_ns);
	config.remote = wire_endpoint(&next);
	for (unsigned i = 0; i < 50; i++) {
		add(&config);
		if (local.port == old.port)
			break;
		cr_assert_eq(stw_leg_remove(wire.media, leg, wire.now_ns), 0);
	}
	cr_assert_eq(local.port, old.port, "used again after its rest");
	cr_assert_eq(hear(&wire_caller, 0), STW_DROP_SOURCE);
	cr_assert_eq(hear(&next, 0), STW_PASS_CONSUMED);
}

Test(guard, flood_of_foreign_packets_takes_nothing_from_the_party)
{
	struct stw_leg_config config = blank();
	struct party attacker = other_ip();
	struct stw_leg_stats stats;
	struct frame frame;

	add(&config);
	for (uint16_t sequence = 0; sequence < 100; sequence++) {
		wire_rtp(&frame, &wire_caller, &local, 0, sequence, 160u * sequence);
		wire_give(&wire, 0, &frame);
		for (unsigned i = 0; i < 9; i++) {
			attacker.udp_port++;
			wire_rtp(&frame, &attacker, &local, 0, (uint16_t)(sequence + i), 0);
			wire_give(&wire, 0, &frame);
		}
		wire_poll(&wire);
	}
	stw_leg_stats(wire.media, leg, &stats);
	cr_assert_eq(stats.packets_received, 100);
	cr_assert_eq(stats.packets_lost, 0);
	cr_assert_eq(stats.packets_foreign, 900);
}

/* A leg that takes another source after 500 ms of silence, latched to the caller. */
static struct stw_leg_config
relatching(uint8_t any_ip)
{
	struct stw_leg_config config = blank();
	struct stw_media_event event;

	config.relatch = STW_RELATCH_SILENT;
	config.relatch_after_ns = 500 * WIRE_MS;
	config.source_any_ip = any_ip;
	add(&config);
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	return config;
}

static uint64_t
relatches(void)
{
	struct stw_leg_stats stats;

	cr_assert_eq(stw_leg_stats(wire.media, leg, &stats), 0);
	return stats.relatches;
}

Test(guard, other_port_is_taken_after_silence_and_told)
{
	struct party port = other_port();
	struct stw_media_event event;

	relatching(0);
	wire.now_ns += 499 * WIRE_MS;
	cr_assert_eq(hear(&port, 0), STW_DROP_SOURCE, "not silent for long enough");
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	wire.now_ns += 499 * WIRE_MS;
	cr_assert_eq(hear(&port, 0), STW_DROP_SOURCE, "each packet begins it anew");
	wire.now_ns += 1 * WIRE_MS;
	cr_assert_eq(hear(&port, 0), STW_PASS_CONSUMED);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_LATCHED);
	cr_assert_eq(event.remote.port, port.udp_port);
	cr_assert_eq(relatches(), 1);
	cr_assert_eq(hear(&wire_caller, 0), STW_DROP_SOURCE, "the former one is foreign now");
	cr_assert_eq(wire_event_take(&wire, &event), 0);
}

Test(guard, flood_beside_a_party_that_speaks_takes_nothing_over)
{
	struct party port = other_port();

	relatching(1);
	for (unsigned i = 0; i < 200; i++) {
		wire.now_ns += 20 * WIRE_MS;
		cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
		for (unsigned n = 0; n < 10; n++)
			cr_assert_eq(hear(&port, 0), STW_DROP_SOURCE);
	}
	cr_assert_eq(relatches(), 0);
}

Test(guard, other_ip_is_taken_after_silence_only_where_any_may_latch)
{
	struct party ip = other_ip();
	struct stw_leg_config config = relatching(0);

	wire.now_ns += 10000 * WIRE_MS;
	cr_assert_eq(hear(&ip, 0), STW_DROP_SOURCE);
	config.source_any_ip = 1;
	cr_assert_eq(stw_leg_update(wire.media, leg, &config, wire.now_ns), 0);
	cr_assert_eq(hear(&ip, 0), STW_PASS_CONSUMED);
	cr_assert_eq(relatches(), 1);
}

Test(guard, after_silence_only_known_types_or_the_ssrc_heard_last_are_taken)
{
	struct party port = other_port();
	struct frame frame;

	relatching(0);
	wire.now_ns += 1000 * WIRE_MS;
	cr_assert_eq(hear(&port, 33), STW_DROP_SOURCE);
	wire_rtp(&frame, &port, &local, 33, 2, 320);
	wire_ssrc(&frame, 0xabcd0000u | wire_caller.udp_port);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_CONSUMED);
}

Test(guard, without_the_policy_silence_changes_nothing)
{
	struct stw_leg_config config = blank();
	struct party port = other_port();

	config.source_any_ip = 1;
	add(&config);
	cr_assert_eq(hear(&wire_caller, 0), STW_PASS_CONSUMED);
	wire.now_ns += 3600 * 1000 * WIRE_MS;
	cr_assert_eq(hear(&port, 0), STW_DROP_SOURCE);
	cr_assert_eq(relatches(), 0);
}

Test(guard, rtcp_keeps_a_party_from_being_silent_and_does_not_take_over)
{
	struct party port = other_port();
	struct frame frame;

	relatching(0);
	wire.now_ns += 400 * WIRE_MS;
	wire_rtcp(&frame, &wire_caller, &local);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_CONSUMED);
	wire.now_ns += 400 * WIRE_MS;
	cr_assert_eq(hear(&port, 0), STW_DROP_SOURCE);
	wire.now_ns += 400 * WIRE_MS;
	wire_rtcp(&frame, &port, &local);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_SOURCE, "held to its first port");
	cr_assert_eq(relatches(), 0);
	cr_assert_eq(hear(&port, 0), STW_PASS_CONSUMED);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_CONSUMED, "learned anew");
}
