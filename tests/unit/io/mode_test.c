/* SPDX-License-Identifier: BSD-3-Clause */
/* What a leg is told in mid-call: direction, payload types, share of packets, code point. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;
static struct call call;
static struct stw_leg_config caller, agent;
static uint16_t sequence;

static void
open_wire(void)
{
	wire_begin(&wire);
	wire_call_latched(&wire, &call);
	caller = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	agent = wire_leg_config(&wire_agent, STW_SIDE_AGENT);
	sequence = 2;
}

static void
close_wire(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(mode, .init = open_wire, .fini = close_wire);

static int
caller_speaks(uint8_t payload_type)
{
	struct frame frame;

	wire_rtp(&frame, &wire_caller, &call.caller_local, payload_type, sequence, 160u * sequence);
	sequence++;
	return wire_verdict(&wire, 0, &frame);
}

static int
agent_speaks(uint8_t payload_type)
{
	struct frame frame;

	wire_rtp(&frame, &wire_agent, &call.agent_local, payload_type, sequence, 160u * sequence);
	sequence++;
	return wire_verdict(&wire, 1, &frame);
}

static void
update(struct stw_leg leg, const struct stw_leg_config *config)
{
	cr_assert_eq(stw_leg_update(wire.media, leg, config, wire.now_ns), 0);
}

static int
rtcp_verdict(void)
{
	struct frame frame;

	wire_rtcp(&frame, &wire_caller, &call.caller_local);
	return wire_verdict(&wire, 0, &frame);
}

static uint8_t
agent_hears_type(void)
{
	struct heard heard;

	cr_assert(wire_hear(&wire, 1, &heard));
	return heard.payload_type;
}

Test(mode, each_mode_lets_through_what_sdp_says)
{
	const struct {
		enum stw_leg_mode mode;
		int to_party, from_party;
	} rows[] = {
		{STW_LEG_SEND_RECEIVE, STW_PASS_RELAYED, STW_PASS_RELAYED},
		{STW_LEG_SEND_ONLY, STW_DROP_DIRECTION, STW_PASS_RELAYED},
		{STW_LEG_RECEIVE_ONLY, STW_PASS_RELAYED, STW_DROP_DIRECTION},
		{STW_LEG_INACTIVE, STW_DROP_DIRECTION, STW_DROP_DIRECTION},
		{STW_LEG_SEND_RECEIVE, STW_PASS_RELAYED, STW_PASS_RELAYED},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		agent.mode = rows[i].mode;
		update(call.agent, &agent);
		cr_assert_eq(caller_speaks(0), rows[i].to_party, "row %u", i);
		cr_assert_eq(agent_speaks(0), rows[i].from_party, "row %u", i);
		cr_assert_eq(rtcp_verdict(), STW_PASS_RELAYED_RTCP, "row %u", i);
	}
}

Test(mode, hold_leaves_no_gap_in_numbers_and_none_in_statistics)
{
	struct stw_leg_stats stats;
	struct heard before, after;

	caller_speaks(0);
	cr_assert(wire_hear(&wire, 1, &before));
	agent.mode = STW_LEG_SEND_ONLY;
	update(call.agent, &agent);
	for (unsigned i = 0; i < 5000; i++) {
		wire.now_ns += 20 * WIRE_MS;
		cr_assert_eq(caller_speaks(0), STW_DROP_DIRECTION);
	}
	agent.mode = STW_LEG_SEND_RECEIVE;
	update(call.agent, &agent);
	caller.mode = STW_LEG_RECEIVE_ONLY;
	update(call.caller, &caller);
	for (unsigned i = 0; i < 5000; i++) {
		wire.now_ns += 20 * WIRE_MS;
		cr_assert_eq(caller_speaks(0), STW_DROP_DIRECTION);
	}
	caller.mode = STW_LEG_SEND_RECEIVE;
	update(call.caller, &caller);
	caller_speaks(0);
	cr_assert(wire_hear(&wire, 1, &after));
	cr_assert_eq(after.sequence, (uint16_t)(before.sequence + 1));
	cr_assert_eq(after.timestamp, before.timestamp + 10000 * 160);
	cr_assert_eq(after.marker, 1);
	stw_leg_stats(wire.media, call.caller, &stats);
	cr_assert_eq(stats.packets_lost, 0);
}

Test(mode, payload_types_become_those_of_the_leg_that_hears)
{
	struct stw_leg_config other = agent;
	struct frame frame;

	other.event_pt = 96;
	other.audio_pt = 107;
	update(call.agent, &other);
	cr_assert_eq(caller_speaks(0), STW_PASS_RELAYED);
	cr_assert_eq(agent_hears_type(), 107);
	wire_event(&frame, &wire_caller, &call.caller_local, sequence++, 1600, 5, false, 160);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED);
	cr_assert_eq(agent_hears_type(), 96);
	cr_assert_eq(caller_speaks(13), STW_PASS_RELAYED, "comfort noise stays");
	cr_assert_eq(agent_hears_type(), 13);
	/* Audio of another codec stays what it is. */
	other.codec = STW_CODEC_PCMA;
	update(call.agent, &other);
	caller_speaks(0);
	cr_assert_eq(agent_hears_type(), 0);
	/* The way back is the other way round. */
	cr_assert_eq(agent_speaks(96), STW_PASS_RELAYED);
	{
		struct heard heard;

		while (wire_hear(&wire, 0, &heard))
			continue;
		cr_assert_eq(heard.payload_type, 101);
	}
}

Test(mode, map_of_a_leg_goes_before_and_keeps_the_marker)
{
	struct frame frame;
	struct heard heard;

	agent.pt_map_count = 2;
	agent.pt_map[0] = (struct stw_pt_pair){98, 99};
	agent.pt_map[1] = (struct stw_pt_pair){101, 110};
	update(call.agent, &agent);
	caller_speaks(98);
	cr_assert_eq(agent_hears_type(), 99);
	wire_rtp(&frame, &wire_caller, &call.caller_local, 0x80 | 98, sequence, 160u * sequence);
	sequence++;
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED);
	cr_assert(wire_hear(&wire, 1, &heard));
	cr_assert_eq(heard.marker, 1);
	cr_assert_eq(heard.payload_type, 99);
	caller_speaks(101);
	cr_assert_eq(agent_hears_type(), 110);
	caller_speaks(0);
	cr_assert_eq(agent_hears_type(), 0);
	agent.pt_map_count = 0;
	update(call.agent, &agent);
	caller_speaks(98);
	cr_assert_eq(agent_hears_type(), 98);
}

Test(mode, map_follows_who_is_connected)
{
	struct stw_leg_config config = wire_leg_config(&wire_agent, STW_SIDE_AGENT);
	struct stw_endpoint local;
	struct stw_leg other;

	config.event_pt = 97;
	cr_assert_eq(stw_leg_add(wire.media, call.session, &config, wire.now_ns, &other, &local),
		     0);
	caller_speaks(101);
	cr_assert_eq(agent_hears_type(), 101);
	cr_assert_eq(stw_leg_connect(wire.media, call.caller, other), 0);
	caller_speaks(101);
	cr_assert_eq(agent_hears_type(), 97);
	cr_assert_eq(stw_leg_connect(wire.media, call.caller, call.agent), 0);
	caller_speaks(101);
	cr_assert_eq(agent_hears_type(), 101);
}

Test(mode, equal_maps_are_one_and_too_many_are_told)
{
	uint64_t refused = wire_stats(&wire).refused;

	agent.pt_map_count = 1;
	agent.pt_map[0] = (struct stw_pt_pair){98, 99};
	caller.pt_map_count = 1;
	caller.pt_map[0] = agent.pt_map[0];
	update(call.agent, &agent);
	update(call.caller, &caller);
	/* The agent's leg takes one after the other; its old ones wait for a worker in its burst. */
	rte_rcu_qsbr_thread_online(wire.media->rcu, 0);
	for (unsigned i = 0; i < 254; i++) {
		agent.pt_map[0] = (struct stw_pt_pair){(uint8_t)(i % 63), (uint8_t)(i / 63 + 100)};
		update(call.agent, &agent);
	}
	agent.pt_map[0] = (struct stw_pt_pair){2, 1};
	cr_assert_eq(stw_leg_update(wire.media, call.agent, &agent, wire.now_ns), -ENOSPC);
	cr_assert_eq(wire_stats(&wire).refused, refused + 1);
	/* One that is there serves, so the next one has room when the worker has passed. */
	agent.pt_map[0] = caller.pt_map[0];
	update(call.agent, &agent);
	rte_rcu_qsbr_quiescent(wire.media->rcu, 0);
	rte_rcu_qsbr_thread_offline(wire.media->rcu, 0);
	caller_speaks(98);
	cr_assert_eq(agent_hears_type(), 99);
	agent.pt_map[0] = (struct stw_pt_pair){2, 1};
	update(call.agent, &agent);
}

Test(mode, share_of_packets_is_kept_and_more_is_dropped)
{
	struct stw_leg_stats stats;
	unsigned passed = 0;

	caller.packets_per_second_max = 100;
	caller.packets_burst = 5;
	update(call.caller, &caller);
	for (unsigned i = 0; i < 5; i++)
		cr_assert_eq(caller_speaks(0), STW_PASS_RELAYED, "%u", i);
	cr_assert_eq(caller_speaks(0), STW_DROP_RATE);
	cr_assert_eq(rtcp_verdict(), STW_DROP_RATE);
	/* A packet each millisecond for a second, ten times the share. */
	for (unsigned ms = 0; ms < 1000; ms++) {
		wire.now_ns += WIRE_MS;
		passed += caller_speaks(0) == STW_PASS_RELAYED;
		if (ms % 20 == 0)
			cr_assert_eq(agent_speaks(0), STW_PASS_RELAYED, "others are not disturbed");
	}
	cr_assert_eq(passed, 100);
	stw_leg_stats(wire.media, call.caller, &stats);
	cr_assert_eq(stats.packets_capped, 2 + 900);
	/* What was not used is a burst again, and no more. */
	wire.now_ns += 10000 * WIRE_MS;
	for (unsigned i = 0; i < 5; i++)
		cr_assert_eq(caller_speaks(0), STW_PASS_RELAYED, "%u", i);
	cr_assert_eq(caller_speaks(0), STW_DROP_RATE);
	caller.packets_per_second_max = 0;
	caller.packets_burst = 0;
	update(call.caller, &caller);
	for (unsigned i = 0; i < 50; i++)
		cr_assert_eq(caller_speaks(0), STW_PASS_RELAYED);
}

Test(mode, strangers_take_nothing_from_a_legs_share)
{
	struct party stranger = wire_caller;
	struct frame frame;

	stranger.udp_port = 41000;
	caller.packets_per_second_max = 50;
	caller.packets_burst = 1;
	update(call.caller, &caller);
	for (unsigned i = 0; i < 50; i++) {
		wire.now_ns += 20 * WIRE_MS;
		for (unsigned n = 0; n < 20; n++) {
			wire_rtp(&frame, &stranger, &call.caller_local, 0, (uint16_t)n, n);
			cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_SOURCE);
		}
		cr_assert_eq(caller_speaks(0), STW_PASS_RELAYED);
	}
}

Test(mode, burst_that_is_not_said_is_a_tenth_of_a_second)
{
	caller.packets_per_second_max = 200;
	update(call.caller, &caller);
	for (unsigned i = 0; i < 20; i++)
		cr_assert_eq(caller_speaks(0), STW_PASS_RELAYED);
	cr_assert_eq(caller_speaks(0), STW_DROP_RATE);
}

Test(mode, code_point_changes_in_mid_call)
{
	const uint8_t points[] = {46, 0, 63, 34};
	struct frame frame;

	for (unsigned i = 0; i < sizeof(points); i++) {
		agent.dscp = points[i];
		update(call.agent, &agent);
		caller_speaks(0);
		cr_assert(wire_take(&wire, 1, &frame));
		cr_assert_eq(frame.data[15] >> 2, points[i]);
		cr_assert(wire_checksums_are_right(&frame));
		cr_assert_eq(rtcp_verdict(), STW_PASS_RELAYED_RTCP);
		cr_assert(wire_take(&wire, 1, &frame));
		cr_assert_eq(frame.data[15] >> 2, points[i]);
	}
}

Test(mode, options_of_a_removed_leg_are_not_the_next_ones)
{
	caller.packets_per_second_max = 1;
	caller.packets_burst = 1;
	caller.relatch = STW_RELATCH_SILENT;
	caller.relatch_after_ns = 1;
	update(call.caller, &caller);
	caller_speaks(0);
	cr_assert_eq(caller_speaks(0), STW_DROP_RATE);
	for (unsigned i = 0; i < 80; i++) {
		struct stw_leg_stats stats;

		cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
		wire_poll(&wire);
		wire.now_ns += 3000 * WIRE_MS;
		stw_media_advance(wire.media, wire.now_ns);
		wire_call_latched(&wire, &call);
		stw_leg_stats(wire.media, call.caller, &stats);
		cr_assert_eq(stats.packets_capped, 0);
		for (unsigned n = 0; n < 5; n++)
			cr_assert_eq(caller_speaks(0), STW_PASS_RELAYED);
	}
}

static int
refusal(void)
{
	return stw_leg_update(wire.media, call.caller, &caller, wire.now_ns);
}

Test(mode, fields_outside_their_range_are_refused)
{
	const struct stw_leg_config good = caller;

	caller.mode = (enum stw_leg_mode)4;
	cr_assert_eq(refusal(), -EINVAL);
	caller = good;
	caller.rtcp_mux = 2;
	cr_assert_eq(refusal(), -EINVAL);
	caller = good;
	caller.packets_per_second_max = 1000001;
	cr_assert_eq(refusal(), -EINVAL);
	caller = good;
	caller.packets_burst = 1;
	cr_assert_eq(refusal(), -EINVAL, "a burst of no share");
	caller.packets_per_second_max = 1;
	caller.packets_burst = 65536;
	cr_assert_eq(refusal(), -EINVAL);
	caller = good;
	caller.relatch = (enum stw_relatch)2;
	cr_assert_eq(refusal(), -EINVAL);
	caller.relatch = STW_RELATCH_SILENT;
	cr_assert_eq(refusal(), -EINVAL, "no time");
	caller.relatch = STW_RELATCH_NEVER;
	caller.relatch_after_ns = 1;
	cr_assert_eq(refusal(), -EINVAL, "time of no policy");
	caller = good;
	caller.pt_map_count = STW_PT_MAP_MAX + 1;
	cr_assert_eq(refusal(), -EINVAL);
	caller.pt_map_count = 2;
	caller.pt_map[0] = (struct stw_pt_pair){1, 2};
	caller.pt_map[1] = (struct stw_pt_pair){1, 3};
	cr_assert_eq(refusal(), -EINVAL, "one type to two");
	caller.pt_map[1] = (struct stw_pt_pair){128, 3};
	cr_assert_eq(refusal(), -EINVAL);
	caller.pt_map[1] = (struct stw_pt_pair){3, 72};
	cr_assert_eq(refusal(), -EINVAL, "would be read as RTCP");
	caller.pt_map[1] = (struct stw_pt_pair){3, 4};
	cr_assert_eq(refusal(), 0);
}
