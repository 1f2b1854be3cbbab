/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a session is relayed: what keeps a leg out of the kernel, what takes it out, and what lets it in again.
 * Maps are there, a program is not: whose turn it would be is looked at, not run.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <unistd.h>

#include "io/kernel_relay.h"
#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;
static struct kernel_relay *relay;
static struct call call;
static uint16_t sequence;

static void
open_wire(void)
{
	struct stw_address_config ports = {.udp_port_first = 1024, .udp_port_last = 65535};
	struct stw_media_config config = wire_config();

	config.srtp_max = 16;
	config.mixes_max = 2;
	config.quarantine_ns = 0;
	if (geteuid() != 0 ||
	    kernel_relay_open(&relay, plane_legs_slots(&config),
			      WIRE_PORTS * kernel_entries_lines(&ports)) == -EPERM)
		cr_skip_test("BPF maps need root");
	wire_eal_start();
	wire_relay = relay;
	wire_open(&wire, &config);
	wire_call_latched(&wire, &call);
	sequence = 2;
}

static void
close_wire(void)
{
	if (!relay)
		return;
	wire_end(&wire);
	kernel_relay_close(relay);
}

TestSuite(kernel_place, .init = open_wire, .fini = close_wire);

static struct stw_session_place
place(void)
{
	struct stw_session_place now;

	cr_assert_eq(stw_session_place(wire.media, call.session, &now), 0);
	return now;
}

/* Both talk, and control looks. */
static void
talk(void)
{
	struct frame sent;

	wire_caller_says(&wire, &call, sequence, &sent);
	wire_agent_says(&wire, &call, sequence++, &sent);
	wire_drop_sent(&wire);
	wire.now_ns += 200 * WIRE_MS;
	stw_media_advance(wire.media, wire.now_ns);
}

/* Both legs go in. */
static void
inside(void)
{
	for (unsigned i = 0; i < 3 && place().legs_kernel < 2; i++)
		talk();
	cr_assert_eq(place().legs_kernel, 2, "reasons %x", place().reasons);
	cr_assert_eq(place().reasons, 0);
	cr_assert_eq(wire_stats(&wire).kernel_legs, 2);
}

/* So many are inside, and that keeps the others out, whatever they say. */
static void
outside(uint32_t legs_inside, uint32_t reason)
{
	cr_assert_eq(place().legs_kernel, legs_inside);
	/* Who is not relayed has not the turn to be heard, either. */
	cr_assert_eq(place().reasons & ~(uint32_t)STW_PLACE_JUST_CHANGED, reason, "%x",
		     place().reasons);
	talk();
	talk();
	cr_assert_eq(place().legs_kernel, legs_inside);
	cr_assert_eq(wire_stats(&wire).kernel_legs, legs_inside);
}

Test(kernel_place, plain_legs_go_in_when_they_have_been_heard)
{
	struct stw_media_stats stats;

	cr_assert_eq(place().asked, STW_PLACE_AUTO);
	cr_assert_eq(place().legs, 2);
	cr_assert_eq(place().legs_kernel, 0, "not before a worker has asked and control looked");
	inside();
	stats = wire_stats(&wire);
	cr_assert(stats.kernel_relay);
	cr_assert_eq(stats.kernel_entered, 2);
	cr_assert_eq(stats.kernel_left, 0);
	cr_assert_gt(stats.kernel_map_bytes, 0);
}

Test(kernel_place, the_host_says_where)
{
	struct stw_session_config config = STW_SESSION_CONFIG_INIT;
	struct stw_session other;

	inside();
	cr_assert_eq(stw_session_place_set(wire.media, call.session, STW_PLACE_WORKER), 0);
	outside(0, STW_PLACE_NOT_ASKED);
	cr_assert_eq(wire_stats(&wire).kernel_left, 2);
	cr_assert_eq(stw_session_place_set(wire.media, call.session, STW_PLACE_KERNEL), 0);
	inside();
	cr_assert_eq(place().asked, STW_PLACE_KERNEL);
	cr_assert_eq(stw_session_place_set(wire.media, call.session, (enum stw_place)3), -EINVAL);
	config.place = (enum stw_place)3;
	cr_assert_eq(stw_session_add(wire.media, &config, &other), -EINVAL);
	other.id = 12345;
	cr_assert_eq(stw_session_place_set(wire.media, other, STW_PLACE_AUTO), -ESTALE);
}

Test(kernel_place, forks_keep_a_session_out)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct stw_fork fork;

	inside();
	config.kind = STW_FORK_UDP;
	config.remote = wire_endpoint(&wire_agent);
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, wire.now_ns, &fork), 0);
	outside(0, STW_PLACE_FORKED);
	cr_assert_eq(stw_fork_remove(wire.media, fork), 0);
	inside();
}

Test(kernel_place, a_playout_takes_out_who_speaks_to_its_listener)
{
	struct stw_tone_config config;
	struct stw_playout tone;

	inside();
	stw_tone_preset(STW_TONE_BUSY, &config);
	cr_assert_eq(stw_tone_load(wire.media, &config, &tone), 0);
	cr_assert_eq(stw_playout_attach(wire.media, call.agent, tone, wire.now_ns), 0);
	outside(1, STW_PLACE_PLAYED);
	cr_assert_eq(
		stw_playout_attach(wire.media, call.agent, (struct stw_playout){0}, wire.now_ns),
		0);
	inside();
}

Test(kernel_place, digits_that_are_sent_take_out_who_speaks_to_their_leg)
{
	struct stw_digits_config config = STW_DIGITS_CONFIG_INIT;

	inside();
	config.digits = "1";
	cr_assert_eq(stw_leg_send_digits(wire.media, call.agent, &config, wire.now_ns), 0);
	cr_assert_eq(place().legs_kernel, 1);
	for (unsigned i = 0; i < 10; i++)
		talk();
	inside();
}

Test(kernel_place, a_mix_keeps_its_legs_out)
{
	struct stw_mix_leg_config legs[2] = {STW_MIX_LEG_CONFIG_INIT, STW_MIX_LEG_CONFIG_INIT};
	struct stw_mix_config config = STW_MIX_CONFIG_INIT;
	struct stw_mix mix;

	inside();
	legs[0].leg = call.caller;
	legs[1].leg = call.agent;
	config.legs = legs;
	config.legs_count = 2;
	cr_assert_eq(stw_mix_add(wire.media, call.session, &config, wire.now_ns, &mix), 0);
	cr_assert_eq(place().legs_kernel, 0);
	cr_assert(place().reasons & STW_PLACE_INSPECTED);
	talk();
	cr_assert_eq(place().legs_kernel, 0);
	cr_assert_eq(stw_mix_remove(wire.media, mix), 0);
	inside();
}

/* A change of a leg's description: which of the two are out by it, and that they come back. */
static void
keeps_out(const struct stw_leg_config *config, uint32_t legs_inside, uint32_t reason)
{
	struct stw_leg_config plain = wire_leg_config(&wire_caller, STW_SIDE_CALLER);

	inside();
	cr_assert_eq(stw_leg_update(wire.media, call.caller, config, wire.now_ns), 0);
	cr_assert_eq(place().legs_kernel, 0, "both are looked at anew");
	for (unsigned i = 0; i < 3; i++)
		talk();
	outside(legs_inside, reason);
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &plain, wire.now_ns), 0);
	inside();
}

Test(kernel_place, descriptions_keep_legs_out)
{
	struct stw_leg_config config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	struct stw_srtp_keys keys = STW_SRTP_KEYS_INIT;

	config.mode = STW_LEG_RECEIVE_ONLY;
	keeps_out(&config, 1, STW_PLACE_INSPECTED);
	config.mode = STW_LEG_SEND_ONLY;
	keeps_out(&config, 1, STW_PLACE_INSPECTED);
	config.mode = STW_LEG_SEND_RECEIVE;
	config.rtcp = STW_RTCP_END;
	keeps_out(&config, 1, STW_PLACE_INSPECTED);
	config.rtcp = STW_RTCP_PASS;
	config.silent_audio_ns = 1000000000;
	keeps_out(&config, 1, STW_PLACE_INSPECTED);
	config.silent_audio_ns = 0;
	config.srtp_out = &keys;
	keeps_out(&config, 0, STW_PLACE_SECURE);
}

Test(kernel_place, what_is_suppressed_stays_out)
{
	inside();
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, STW_SUPPRESS_DIGITS), 0);
	cr_assert_eq(place().legs_kernel, 0, "who is connected to it is looked at anew");
	talk();
	outside(1, STW_PLACE_INSPECTED);
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, 0), 0);
	inside();
}

Test(kernel_place, who_is_connected_to_nobody_is_out)
{
	inside();
	cr_assert_eq(stw_leg_connect(wire.media, call.caller, (struct stw_leg){0}), 0);
	cr_assert_eq(place().legs_kernel, 0, "who is connected to it is looked at anew");
	talk();
	outside(1, STW_PLACE_NO_PEER);
	cr_assert_eq(stw_leg_connect(wire.media, call.caller, call.agent), 0);
	inside();
}

Test(kernel_place, a_party_that_moves_takes_both_out)
{
	struct stw_leg_config config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);

	inside();
	config.remote.port++;
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &config, wire.now_ns), 0);
	cr_assert_eq(place().legs_kernel, 0);
	cr_assert(place().reasons & STW_PLACE_NO_PEER, "it has to be heard from there");
}

Test(kernel_place, a_leg_that_the_program_has_left_pauses)
{
	uint32_t leg = (uint32_t)call.caller.id;
	struct kernel_row *row = &kernel_relay_memory(relay)->rows[leg];

	inside();
	/* As the program does it. */
	row->left_ns = wire.now_ns;
	row->state = KERNEL_WORKER;
	talk();
	cr_assert_eq(place().legs_kernel, 1);
	cr_assert_eq(place().reasons, STW_PLACE_JUST_CHANGED);
	for (unsigned i = 0; i < 6; i++)
		talk();
	cr_assert_eq(place().legs_kernel, 2, "a second later");
	/* At once again: longer each time. */
	row->left_ns = wire.now_ns;
	row->state = KERNEL_WORKER;
	for (unsigned i = 0; i < 8; i++)
		talk();
	cr_assert_eq(place().legs_kernel, 1);
	for (unsigned i = 0; i < 5; i++)
		talk();
	cr_assert_eq(place().legs_kernel, 2, "two seconds later");
}

Test(kernel_place, a_slot_rests_until_no_program_has_it)
{
	uint32_t leg = (uint32_t)call.caller.id;

	inside();
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	cr_assert_eq(kernel_relay_memory(relay)->rows[leg].state, KERNEL_WORKER);
	wire_poll(&wire);
	wire.now_ns += 99 * WIRE_MS;
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(wire.media->legs_retired_count, 2);
	wire.now_ns += 2 * WIRE_MS;
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(wire.media->legs_retired_count, 0);
}

/* On ports that cannot have one. */
Test(kernel_place_none, without_a_relay_all_is_the_workers)
{
	struct stw_session_config kernel = STW_SESSION_CONFIG_INIT;
	struct stw_media_config config = wire_config();
	struct stw_session session;

	wire_eal_start();
	config.kernel_relay = STW_KERNEL_RELAY_AUTO;
	wire_open(&wire, &config);
	cr_assert_eq(wire_stats(&wire).kernel_relay, 0);
	wire_call_latched(&wire, &call);
	sequence = 2;
	talk();
	cr_assert_eq(place().legs_kernel, 0);
	cr_assert(place().reasons & STW_PLACE_NO_KERNEL);
	kernel.place = STW_PLACE_KERNEL;
	cr_assert_eq(stw_session_add(wire.media, &kernel, &session), -ENOTSUP);
	cr_assert_eq(stw_session_place_set(wire.media, call.session, STW_PLACE_KERNEL), -ENOTSUP);
	wire_end(&wire);
}
