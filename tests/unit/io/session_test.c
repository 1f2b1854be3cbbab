/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions, legs and their ports: limits, handles, quarantine. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;
static const struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
static const struct stw_leg_config leg_config = STW_LEG_CONFIG_INIT;

static void
open_wire(void)
{
	wire_begin(&wire);
}

static void
close_wire(void)
{
	plane_check(wire.media);
	wire_close(&wire);
	stw_eal_stop();
}

TestSuite(session, .init = open_wire, .fini = close_wire);

static struct stw_session
session_add(void)
{
	struct stw_session session;

	cr_assert_eq(stw_session_add(wire.media, &session_config, &session), 0);
	return session;
}

static int
leg_add(struct stw_session session, struct stw_leg *leg, struct stw_endpoint *local)
{
	return stw_leg_add(wire.media, session, &leg_config, wire.now_ns, leg, local);
}

Test(session, leg_gets_an_even_port_of_the_range)
{
	struct stw_endpoint local;
	struct stw_leg leg;

	cr_assert_eq(leg_add(session_add(), &leg, &local), 0);
	cr_assert_eq(local.port % 2, 0);
	cr_assert(local.port >= 20000 && local.port <= 20098);
	cr_assert_eq(local.ip.family, 4);
	cr_assert_eq(local.ip.bytes[0], 10);
	cr_assert_eq(local.ip.bytes[3], 1);
}

Test(session, stale_handles_are_refused_everywhere)
{
	struct stw_session session = session_add();
	struct stw_fork_config fork_config = STW_FORK_CONFIG_INIT;
	struct stw_fork_stats fork_stats;
	struct stw_leg_stats leg_stats;
	struct stw_playout none = {0};
	struct stw_endpoint local;
	struct stw_fork fork = {0x100000001};
	struct stw_leg leg;

	cr_assert_eq(leg_add(session, &leg, &local), 0);
	cr_assert_eq(stw_session_remove(wire.media, session, wire.now_ns), 0);
	cr_assert_eq(stw_session_remove(wire.media, session, wire.now_ns), -ESTALE);
	cr_assert_eq(leg_add(session, &leg, &local), -ESTALE);
	cr_assert_eq(stw_leg_remove(wire.media, leg, wire.now_ns), -ESTALE);
	cr_assert_eq(stw_leg_update(wire.media, leg, &leg_config, wire.now_ns), -ESTALE);
	cr_assert_eq(stw_leg_stats(wire.media, leg, &leg_stats), -ESTALE);
	cr_assert_eq(stw_playout_attach(wire.media, leg, none, wire.now_ns), -ESTALE);
	fork_config.path = "/nonexistent/x";
	cr_assert_eq(stw_fork_add(wire.media, session, &fork_config, wire.now_ns, &fork), -ESTALE);
	cr_assert_eq(stw_fork_remove(wire.media, fork), -ESTALE);
	cr_assert_eq(stw_fork_stats(wire.media, fork, &fork_stats), -ESTALE);
	session.id = 0;
	leg.id = 0;
	cr_assert_eq(stw_session_remove(wire.media, session, wire.now_ns), -ESTALE);
	cr_assert_eq(stw_leg_remove(wire.media, leg, wire.now_ns), -ESTALE);
}

Test(session, slot_used_again_has_another_handle)
{
	struct stw_session first = session_add(), second;
	struct stw_endpoint local;
	struct stw_leg leg, next;

	cr_assert_eq(leg_add(first, &leg, &local), 0);
	cr_assert_eq(stw_session_remove(wire.media, first, wire.now_ns), 0);
	second = session_add();
	cr_assert_neq(first.id, second.id);
	for (unsigned i = 0; i < 200; i++) {
		wire.now_ns += 3000 * WIRE_MS;
		cr_assert_eq(leg_add(second, &next, &local), 0);
		cr_assert_neq(next.id, leg.id);
		cr_assert_eq(stw_leg_remove(wire.media, leg, wire.now_ns), -ESTALE);
		cr_assert_eq(stw_leg_remove(wire.media, next, wire.now_ns), 0);
	}
}

Test(session, slot_is_not_used_again_while_a_worker_may_see_it)
{
	struct stw_session session = session_add();
	struct stw_endpoint local;
	struct stw_leg leg;

	cr_assert_eq(leg_add(session, &leg, &local), 0);
	/* A worker that is in the middle of its turn. */
	rte_rcu_qsbr_thread_online(wire.media->rcu, 0);
	cr_assert_eq(stw_leg_remove(wire.media, leg, wire.now_ns), 0);
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(wire.media->legs_retired_count, 1);
	rte_rcu_qsbr_quiescent(wire.media->rcu, 0);
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(wire.media->legs_retired_count, 0);
	rte_rcu_qsbr_thread_offline(wire.media->rcu, 0);
}

static uint64_t
refusals(enum stw_limit limit)
{
	return wire_stats(&wire).refusals[limit];
}

Test(session, limits_are_told_and_counted)
{
	struct stw_session sessions[16], more;
	struct stw_endpoint local;
	struct stw_leg leg;

	for (unsigned i = 0; i < 16; i++)
		sessions[i] = session_add();
	cr_assert_eq(stw_session_add(wire.media, &session_config, &more), -ENOSPC);
	for (unsigned i = 0; i < 32; i++)
		cr_assert_eq(leg_add(sessions[i / STW_SESSION_LEGS_MAX], &leg, &local), 0);
	cr_assert_eq(leg_add(sessions[0], &leg, &local), -ENOSPC, "all legs of a session");
	cr_assert_eq(leg_add(sessions[9], &leg, &local), -ENOSPC, "32 legs in all");
	cr_assert_eq(wire_stats(&wire).refused, 3);
	cr_assert_eq(refusals(STW_LIMIT_SESSIONS), 1);
	cr_assert_eq(refusals(STW_LIMIT_SESSION_LEGS), 1);
	cr_assert_eq(refusals(STW_LIMIT_LEGS), 1);
	cr_assert_eq(wire_stats(&wire).legs, 32);
	cr_assert_eq(wire_stats(&wire).sessions, 16);
	for (unsigned i = 0; i < 16; i++)
		cr_assert_eq(stw_session_remove(wire.media, sessions[i], wire.now_ns), 0);
	cr_assert_eq(wire_stats(&wire).legs, 0);
	cr_assert_eq(wire_stats(&wire).sessions, 0);
}

Test(session, drained_plane_refuses_new_sessions_while_others_live_on)
{
	struct stw_session before = session_add(), more;
	struct stw_endpoint local;
	struct stw_leg leg;

	cr_assert_eq(stw_media_drain(wire.media, 0), -EALREADY);
	cr_assert_eq(stw_media_drain(wire.media, 2), -EINVAL);
	cr_assert_eq(stw_media_drain(wire.media, 1), 0);
	cr_assert_eq(stw_media_drain(wire.media, 1), -EALREADY);
	cr_assert_eq(wire_stats(&wire).draining, 1);
	cr_assert_eq(stw_session_add(wire.media, &session_config, &more), -ESHUTDOWN);
	cr_assert_eq(refusals(STW_LIMIT_DRAIN), 1);
	cr_assert_eq(wire_stats(&wire).refused, 1);
	cr_assert_eq(leg_add(before, &leg, &local), 0, "a transfer needs a new leg");
	cr_assert_eq(stw_session_remove(wire.media, before, wire.now_ns), 0);
	cr_assert_eq(wire_stats(&wire).sessions, 0);
	cr_assert_eq(stw_media_drain(wire.media, 0), 0);
	cr_assert_eq(wire_stats(&wire).draining, 0);
	cr_assert_eq(stw_session_add(wire.media, &session_config, &more), 0);
}

Test(session, limits_have_names_of_their_own)
{
	for (int i = 0; i < STW_LIMIT_COUNT; i++) {
		cr_assert_str_neq(stw_limit_name(i), "unknown");
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(stw_limit_name(i), stw_limit_name(j));
	}
	cr_assert_str_eq(stw_limit_name(STW_LIMIT_COUNT), "unknown");
}

Test(session, released_port_rests_and_exhaustion_is_told)
{
	struct stw_session session = session_add();
	struct stw_endpoint local;
	struct stw_leg leg;

	/* The address has 50 pairs; each is taken and released at once. */
	for (unsigned i = 0; i < 50; i++) {
		cr_assert_eq(leg_add(session, &leg, &local), 0);
		cr_assert_eq(stw_leg_remove(wire.media, leg, wire.now_ns), 0);
	}
	cr_assert_eq(leg_add(session, &leg, &local), -ENOSPC);
	cr_assert_eq(wire_stats(&wire).refused, 1);
	cr_assert_eq(refusals(STW_LIMIT_UDP_PORTS), 1);
	cr_assert_eq(wire_stats(&wire).udp_ports, 0);
	cr_assert_eq(wire_stats(&wire).udp_ports_resting, 50);
	wire.now_ns += 1999 * WIRE_MS;
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(leg_add(session, &leg, &local), -ENOSPC);
	wire.now_ns += 1 * WIRE_MS;
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(wire_stats(&wire).udp_ports_resting, 0);
	cr_assert_eq(leg_add(session, &leg, &local), 0);
	cr_assert_eq(wire_stats(&wire).udp_ports, 1);
}

Test(session, fields_outside_their_range_are_refused)
{
	struct stw_session session = session_add();
	struct stw_leg_config bad = leg_config;
	struct stw_endpoint local;
	struct stw_leg leg;

#define REFUSED(field, value)                                                                      \
	do {                                                                                       \
		bad = leg_config;                                                                  \
		bad.field = value;                                                                 \
		cr_assert_eq(stw_leg_add(wire.media, session, &bad, wire.now_ns, &leg, &local),    \
			     -EINVAL, #field);                                                     \
	} while (0)
	REFUSED(struct_size, 0);
	REFUSED(side, STW_SIDE_COUNT);
	REFUSED(address, 2);
	REFUSED(remote.port, 5000);
	REFUSED(remote.ip.family, 6);
	REFUSED(source_any_ip, 2);
	REFUSED(codec, 2);
	REFUSED(audio_pt, 128);
	REFUSED(event_pt, 128);
	REFUSED(dscp, 64);
#undef REFUSED
	cr_assert_eq(leg_add(session, &leg, &local), 0);
	bad = leg_config;
	bad.side = STW_SIDE_AGENT;
	cr_assert_eq(stw_leg_update(wire.media, leg, &bad, wire.now_ns), -EINVAL);
	bad = leg_config;
	bad.address = 1;
	cr_assert_eq(stw_leg_update(wire.media, leg, &bad, wire.now_ns), -EINVAL);
}

Test(session, silence_is_told_once_until_a_packet_comes)
{
	struct stw_leg_config config = leg_config;
	struct stw_session session = session_add();
	struct stw_media_event event;
	struct stw_endpoint local;
	struct frame frame;
	struct stw_leg leg;

	config.silent_ns = 1000 * WIRE_MS;
	cr_assert_eq(stw_leg_add(wire.media, session, &config, wire.now_ns, &leg, &local), 0);
	for (unsigned i = 0; i < 99; i++) {
		wire.now_ns += 10 * WIRE_MS;
		wire_poll(&wire);
	}
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	for (unsigned i = 0; i < 200; i++) {
		wire.now_ns += 10 * WIRE_MS;
		wire_poll(&wire);
	}
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_SILENT);
	cr_assert_eq(event.leg.id, leg.id);
	cr_assert_leq(event.time_ns, WIRE_START_NS + 1300 * WIRE_MS);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	wire_rtp(&frame, &wire_caller, &local, 0, 1, 1);
	wire_give(&wire, 0, &frame);
	for (unsigned i = 0; i < 200; i++) {
		wire.now_ns += 10 * WIRE_MS;
		wire_poll(&wire);
	}
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_LATCHED);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_SILENT, "silent again");
	cr_assert_eq(wire_event_take(&wire, &event), 0);
}

Test(session, digit_is_told_once_per_press)
{
	struct stw_media_event event;
	struct stw_leg_stats stats;
	struct frame frame;
	struct call call;

	wire_call_latched(&wire, &call);
	for (uint16_t i = 0; i < 10; i++) {
		wire.now_ns += 20 * WIRE_MS;
		wire_event(&frame, &wire_caller, &call.caller_local, (uint16_t)(10 + i), 8000, 5,
			   i >= 7, (uint16_t)(160 * (i < 7 ? i + 1 : 8)));
		wire_give(&wire, 0, &frame);
		wire_poll(&wire);
	}
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_DIGIT);
	cr_assert_eq(event.digit, '5');
	cr_assert_eq(event.duration_ms, 160);
	cr_assert_eq(event.leg.id, call.caller.id);
	cr_assert_eq(event.session_cookie, 77);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	stw_leg_stats(wire.media, call.caller, &stats);
	cr_assert_eq(stats.digits, 1);
	cr_assert_eq(wire_drop_all(&wire, 1), 10, "digits are relayed, too");
}

Test(session, press_whose_end_is_lost_is_told_after_a_while)
{
	struct stw_media_event event;
	struct frame frame;
	struct call call;

	wire_call_latched(&wire, &call);
	wire_event(&frame, &wire_caller, &call.caller_local, 10, 8000, 11, false, 160);
	wire_give(&wire, 0, &frame);
	wire_poll(&wire);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	wire.now_ns += 300 * WIRE_MS;
	wire_poll(&wire);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.digit, '#');
}

Test(session, key_of_a_removed_leg_is_nobodys)
{
	struct stw_media_event event;
	struct frame frame;
	struct call call;

	wire_call_latched(&wire, &call);
	wire_event(&frame, &wire_caller, &call.caller_local, 10, 8000, 11, false, 160);
	wire_give(&wire, 0, &frame);
	wire_poll(&wire);
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	wire_call(&wire, &call);
	wire.now_ns += 300 * WIRE_MS;
	wire_poll(&wire);
	while (wire_event_take(&wire, &event) == 1)
		cr_assert_neq(event.type, STW_MEDIA_EVENT_DIGIT);
}

Test(session, lost_events_are_told)
{
	struct stw_leg_config config = leg_config;
	struct stw_session session = session_add();
	struct stw_media_event event;
	struct stw_endpoint local;
	struct frame frame;
	struct stw_leg leg;
	unsigned latched = 0;

	/* 256 places: 300 latches, each forgotten by an update. */
	cr_assert_eq(stw_leg_add(wire.media, session, &config, wire.now_ns, &leg, &local), 0);
	for (unsigned i = 0; i < 300; i++) {
		config.remote = wire_endpoint(&wire_caller);
		config.remote.port = (uint16_t)(1000 + i);
		cr_assert_eq(stw_leg_update(wire.media, leg, &config, wire.now_ns), 0);
		wire_rtp(&frame, &wire_caller, &local, 0, (uint16_t)i, 1);
		wire_give(&wire, 0, &frame);
		wire_poll(&wire);
	}
	cr_assert_eq(wire_stats(&wire).events_lost, 44);
	for (; wire_event_take(&wire, &event) == 1 && event.type == STW_MEDIA_EVENT_LATCHED;)
		latched++;
	cr_assert_eq(latched, 256);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_LOST);
	cr_assert_eq(event.lost, 44);
	cr_assert_eq(stw_media_events_take(wire.media, &event, 0), -EINVAL);
	cr_assert_eq(stw_media_events_take(wire.media, &event, 65537), -EINVAL);
}
