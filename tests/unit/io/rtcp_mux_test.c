/* SPDX-License-Identifier: BSD-3-Clause */
/* Where RTCP comes from and goes to: on the port of RTP, the next one, one that was told, one that was learned. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;
static struct stw_session session;
static struct stw_leg legs[2];
static struct stw_endpoint locals[2];
static struct stw_leg_config configs[2];
static const struct party *const parties[2] = {&wire_caller, &wire_agent};

static void
open_wire(void)
{
	struct stw_session_config config = STW_SESSION_CONFIG_INIT;

	wire_begin(&wire);
	cr_assert_eq(stw_session_add(wire.media, &config, &session), 0);
	configs[0] = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	configs[1] = wire_leg_config(&wire_agent, STW_SIDE_AGENT);
}

static void
close_wire(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(rtcp_mux, .init = open_wire, .fini = close_wire);

/* Add both legs as described, connect them, let both latch. */
static void
call_make(void)
{
	struct frame frame;

	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(stw_leg_add(wire.media, session, &configs[i], wire.now_ns, &legs[i],
					 &locals[i]),
			     0);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(stw_leg_connect(wire.media, legs[i], legs[1 - i]), 0);
	for (unsigned i = 0; i < 4; i++) {
		wire_rtp(&frame, parties[i % 2], &locals[i % 2], 0, (uint16_t)i, 160 * i);
		wire_give(&wire, parties[i % 2]->port, &frame);
		wire_poll(&wire);
	}
	wire_drop_sent(&wire);
}

/* A receiver report of a party, from one of its ports to one of the leg's. */
static int
report(unsigned side, uint16_t from_port, uint16_t to_port)
{
	const uint8_t payload[8] = {0x80, 201, 0, 1, 1, 2, 3, 4};
	struct stw_endpoint to = locals[side];
	struct party from = *parties[side];
	struct frame frame;

	from.udp_port = from_port;
	to.port = to_port;
	wire_udp(&frame, &from, &to, payload, sizeof(payload));
	return wire_verdict(&wire, from.port, &frame);
}

/* The ports that the last report was sent on with. */
static void
check_sent(unsigned to_side, uint16_t from_port, uint16_t to_port)
{
	struct frame frame;

	cr_assert(wire_take(&wire, parties[to_side]->port, &frame));
	cr_assert(wire_checksums_are_right(&frame));
	cr_assert_eq(frame.data[43], 201);
	cr_assert_eq(wire_u16(&frame, 34), from_port);
	cr_assert_eq(wire_u16(&frame, 36), to_port);
}

Test(rtcp_mux, leg_with_mux_has_one_port_for_both)
{
	struct stw_leg_stats stats;
	struct frame frame;

	configs[0].rtcp_mux = 1;
	call_make();
	cr_assert_eq(report(0, wire_caller.udp_port, locals[0].port), STW_PASS_RELAYED_RTCP);
	check_sent(1, (uint16_t)(locals[1].port + 1), (uint16_t)(wire_agent.udp_port + 1));
	cr_assert_eq(report(1, (uint16_t)(wire_agent.udp_port + 1), (uint16_t)(locals[1].port + 1)),
		     STW_PASS_RELAYED_RTCP);
	check_sent(0, locals[0].port, wire_caller.udp_port);
	/* Only from the very source of its RTP. */
	cr_assert_eq(report(0, (uint16_t)(wire_caller.udp_port + 1), locals[0].port),
		     STW_DROP_SOURCE);
	stw_leg_stats(wire.media, legs[0], &stats);
	cr_assert_eq(stats.packets_foreign, 1);
	wire_rtp(&frame, &wire_caller, &locals[0], 0, 9, 1440);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED);
}

Test(rtcp_mux, single_ports_are_odd_ones_too)
{
	struct stw_endpoint local;
	struct stw_leg leg;

	configs[0].rtcp_mux = 1;
	configs[1].rtcp_mux = 1;
	/* Takes the even half. */
	cr_assert_eq(stw_leg_add(wire.media, session, &configs[0], wire.now_ns, &leg, &local), 0);
	call_make();
	cr_assert_eq(local.port % 2, 0);
	cr_assert_eq(locals[0].port, local.port + 1);
	cr_assert_eq(report(0, wire_caller.udp_port, locals[0].port), STW_PASS_RELAYED_RTCP);
	check_sent(1, locals[1].port, wire_agent.udp_port);
	cr_assert_eq(stw_leg_remove(wire.media, legs[0], wire.now_ns), 0);
	cr_assert_eq(report(0, wire_caller.udp_port, locals[0].port), STW_DROP_NO_LEG);
	/* Its neighbour lives on. */
	cr_assert_eq(report(0, wire_caller.udp_port, local.port), STW_DROP_SOURCE);
}

Test(rtcp_mux, offered_mux_is_taken_up_by_an_update)
{
	call_make();
	cr_assert_eq(
		report(0, (uint16_t)(wire_caller.udp_port + 1), (uint16_t)(locals[0].port + 1)),
		STW_PASS_RELAYED_RTCP);
	wire_drop_all(&wire, 1);
	configs[0].rtcp_mux = 1;
	cr_assert_eq(stw_leg_update(wire.media, legs[0], &configs[0], wire.now_ns), 0);
	cr_assert_eq(report(0, wire_caller.udp_port, locals[0].port), STW_PASS_RELAYED_RTCP);
	wire_drop_all(&wire, 1);
	cr_assert_eq(report(1, (uint16_t)(wire_agent.udp_port + 1), (uint16_t)(locals[1].port + 1)),
		     STW_PASS_RELAYED_RTCP);
	check_sent(0, locals[0].port, wire_caller.udp_port);
	configs[0].rtcp_mux = 0;
	cr_assert_eq(stw_leg_update(wire.media, legs[0], &configs[0], wire.now_ns), 0);
	cr_assert_eq(report(1, (uint16_t)(wire_agent.udp_port + 1), (uint16_t)(locals[1].port + 1)),
		     STW_PASS_RELAYED_RTCP);
	check_sent(0, (uint16_t)(locals[0].port + 1), (uint16_t)(wire_caller.udp_port + 1));
}

Test(rtcp_mux, leg_of_a_single_port_cannot_go_back)
{
	configs[0].rtcp_mux = 1;
	call_make();
	configs[0].rtcp_mux = 0;
	cr_assert_eq(stw_leg_update(wire.media, legs[0], &configs[0], wire.now_ns), -EINVAL);
}

Test(rtcp_mux, told_port_is_used_until_another_one_speaks)
{
	configs[1].remote_rtcp_port = 50777;
	call_make();
	report(0, (uint16_t)(wire_caller.udp_port + 1), (uint16_t)(locals[0].port + 1));
	check_sent(1, (uint16_t)(locals[1].port + 1), 50777);
	/* A NAT has made another one of it: the first that comes is kept. */
	cr_assert_eq(report(1, 50888, (uint16_t)(locals[1].port + 1)), STW_PASS_RELAYED_RTCP);
	cr_assert_eq(report(1, 50889, (uint16_t)(locals[1].port + 1)), STW_DROP_SOURCE);
	cr_assert_eq(report(1, 50777, (uint16_t)(locals[1].port + 1)), STW_DROP_SOURCE);
	cr_assert_eq(report(1, 50888, (uint16_t)(locals[1].port + 1)), STW_PASS_RELAYED_RTCP);
	wire_drop_all(&wire, 0);
	report(0, (uint16_t)(wire_caller.udp_port + 1), (uint16_t)(locals[0].port + 1));
	check_sent(1, (uint16_t)(locals[1].port + 1), 50888);
	/* Control's word counts more. */
	configs[1].remote_rtcp_port = 50999;
	cr_assert_eq(stw_leg_update(wire.media, legs[1], &configs[1], wire.now_ns), 0);
	report(0, (uint16_t)(wire_caller.udp_port + 1), (uint16_t)(locals[0].port + 1));
	check_sent(1, (uint16_t)(locals[1].port + 1), 50999);
}

Test(rtcp_mux, single_ports_double_what_an_address_has)
{
	struct stw_media_stats stats;
	struct stw_endpoint local;
	struct stw_leg leg;
	unsigned added = 0;

	/* 100 ports: 50 pairs; sessions have few legs and the plane has 32 legs. */
	configs[0].rtcp_mux = 1;
	for (unsigned i = 0; i < 8; i++) {
		struct stw_session_config config = STW_SESSION_CONFIG_INIT;

		cr_assert_eq(stw_session_add(wire.media, &config, &session), 0);
		for (unsigned n = 0; n < 4; n++, added++)
			cr_assert_eq(stw_leg_add(wire.media, session, &configs[0], wire.now_ns,
						 &leg, &local),
				     0);
	}
	cr_assert_eq(wire.media->address_ports[0].odd, 0, "no pair is broken in vain");
	stats = wire_stats(&wire);
	cr_assert_eq(stats.udp_ports, 32);
	cr_assert_eq(stats.udp_ports_exhausted, 0);
	plane_check(wire.media);
}
