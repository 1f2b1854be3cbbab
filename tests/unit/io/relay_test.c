/* SPDX-License-Identifier: BSD-3-Clause */
/* What one party sends reaches the other, rewritten and otherwise untouched. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;
static struct call call;

static void
open_wire(void)
{
	wire_begin(&wire);
	wire_call_latched(&wire, &call);
}

static void
close_wire(void)
{
	wire_end(&wire);
}

TestSuite(relay, .init = open_wire, .fini = close_wire);

Test(relay, headers_are_rewritten_and_nothing_else)
{
	struct frame sent, seen, expected;
	struct rte_ether_addr mac;

	wire_rtp(&sent, &wire_caller, &call.caller_local, 0, 99, 15840);
	sent.data[15] = 0x03;
	wire_sign(&sent);
	cr_assert_eq(wire_verdict(&wire, 0, &sent), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &seen));
	/* Every byte as it must be. */
	expected = sent;
	memcpy(expected.data, wire_agent.mac, 6);
	rte_eth_macaddr_get(wire.media->ports[1].id, &mac);
	memcpy(expected.data + 6, mac.addr_bytes, 6);
	expected.data[15] = 46 << 2 | 3;
	expected.data[22] = 64;
	memcpy(expected.data + 26, call.agent_local.ip.bytes, 4);
	memcpy(expected.data + 30, wire_agent.ip, 4);
	expected.data[34] = (uint8_t)(call.agent_local.port >> 8);
	expected.data[35] = (uint8_t)call.agent_local.port;
	expected.data[36] = (uint8_t)(wire_agent.udp_port >> 8);
	expected.data[37] = (uint8_t)wire_agent.udp_port;
	/* The leg's stream has its own SSRC and numbers; tests/unit/io/stream_test.c looks at them. */
	memcpy(expected.data + 44, seen.data + 44, 10);
	wire_sign(&expected);
	cr_assert_eq(seen.bytes, expected.bytes);
	cr_assert_arr_eq(seen.data, expected.data, expected.bytes);
	cr_assert(!wire_take(&wire, 0, &seen));
}

Test(relay, checksum_is_right_for_every_change_of_it)
{
	struct frame sent, seen;

	/* All values of two payload bytes move the checksum through all of its values. */
	wire_rtp(&sent, &wire_caller, &call.caller_local, 0, 1, 160);
	for (unsigned value = 0; value < 65536; value++) {
		sent.data[60] = (uint8_t)(value >> 8);
		sent.data[61] = (uint8_t)value;
		wire_sign(&sent);
		wire_give(&wire, 0, &sent);
		wire_poll(&wire);
		cr_assert(wire_take(&wire, 1, &seen));
		cr_assert(wire_checksums_are_right(&seen), "value %u", value);
		cr_assert_neq(wire_u16(&seen, 40), 0);
	}
}

Test(relay, packet_without_udp_checksum_stays_without)
{
	struct frame sent, seen;

	wire_rtp(&sent, &wire_caller, &call.caller_local, 0, 1, 160);
	sent.data[40] = 0;
	sent.data[41] = 0;
	cr_assert_eq(wire_verdict(&wire, 0, &sent), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &seen));
	cr_assert_eq(wire_u16(&seen, 40), 0);
}

Test(relay, rtcp_goes_from_the_next_port_to_the_next_port)
{
	struct frame sent, seen;

	wire_rtcp(&sent, &wire_agent, &call.agent_local);
	cr_assert_eq(wire_verdict(&wire, 1, &sent), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 0, &seen));
	cr_assert_eq(wire_u16(&seen, 34), call.caller_local.port + 1);
	cr_assert_eq(wire_u16(&seen, 36), wire_caller.udp_port + 1);
	cr_assert(wire_checksums_are_right(&seen));
	/* But for its sender: rtcp_test.c. */
	cr_assert_arr_eq(seen.data + 42, sent.data + 42, 4);
}

Test(relay, leg_connected_to_nobody_consumes)
{
	struct stw_leg nobody = {0};
	struct frame sent, seen;

	cr_assert_eq(stw_leg_connect(wire.media, call.caller, nobody), 0);
	wire_rtp(&sent, &wire_caller, &call.caller_local, 0, 5, 800);
	cr_assert_eq(wire_verdict(&wire, 0, &sent), STW_PASS_CONSUMED);
	cr_assert(!wire_take(&wire, 1, &seen));
	wire_rtcp(&sent, &wire_caller, &call.caller_local);
	cr_assert_eq(wire_verdict(&wire, 0, &sent), STW_PASS_CONSUMED);
}

Test(relay, peer_without_remote_gets_nothing)
{
	struct stw_leg_config config = wire_leg_config(&wire_agent, STW_SIDE_AGENT);
	struct frame sent;

	memset(&config.remote, 0, sizeof(config.remote));
	cr_assert_eq(stw_leg_update(wire.media, call.agent, &config, wire.now_ns), 0);
	wire_rtp(&sent, &wire_caller, &call.caller_local, 0, 5, 800);
	cr_assert_eq(wire_verdict(&wire, 0, &sent), STW_DROP_NO_REMOTE);
}

Test(relay, peer_without_link_address_is_asked_for_and_told_so)
{
	struct stw_leg_config config = wire_leg_config(&wire_agent, STW_SIDE_AGENT);
	struct frame sent, seen;

	config.remote.ip.bytes[3] = 77;
	cr_assert_eq(stw_leg_update(wire.media, call.agent, &config, wire.now_ns), 0);
	wire_rtp(&sent, &wire_caller, &call.caller_local, 0, 5, 800);
	cr_assert_eq(wire_verdict(&wire, 0, &sent), STW_DROP_NO_NEXT_HOP);
	/* One question, not one for each packet. */
	cr_assert_eq(wire_verdict(&wire, 0, &sent), STW_DROP_NO_NEXT_HOP);
	cr_assert(wire_take(&wire, 1, &seen));
	cr_assert_eq(wire_u16(&seen, 12), 0x0806);
	cr_assert_eq(wire_u32(&seen, 38), 0x0a00014du);
	cr_assert(!wire_take(&wire, 1, &seen));
	wire.now_ns += 150 * WIRE_MS;
	cr_assert_eq(wire_verdict(&wire, 0, &sent), STW_DROP_NO_NEXT_HOP);
	cr_assert(wire_take(&wire, 1, &seen), "asked again");
}

Test(relay, full_send_ring_is_counted_and_nothing_leaks)
{
	struct stw_media_stats before = wire_stats(&wire), after;
	struct stw_leg_stats leg;
	struct frame sent;
	unsigned count = 0;

	stw_leg_stats(wire.media, call.agent, &leg);
	cr_assert_eq(leg.packets_sent, 1);
	wire_rtp(&sent, &wire_caller, &call.caller_local, 0, 5, 800);
	for (; count < 1200; count++) {
		wire_give(&wire, 0, &sent);
		wire_poll(&wire);
	}
	after = wire_stats(&wire);
	cr_assert_eq(after.verdicts[STW_DROP_SEND_FULL], 1200 - 1023);
	cr_assert_eq(after.verdicts[STW_PASS_RELAYED] - before.verdicts[STW_PASS_RELAYED], 1023);
	cr_assert_eq(after.packets_sent - before.packets_sent, 1023);
	stw_leg_stats(wire.media, call.agent, &leg);
	cr_assert_eq(leg.packets_sent, 1 + 1023);
	cr_assert_eq(wire_drop_all(&wire, 1), 1023);
}

Test(relay, connection_can_be_changed_while_packets_flow)
{
	struct stw_leg_config config = wire_leg_config(&wire_agent, STW_SIDE_AGENT);
	struct stw_endpoint local;
	struct stw_leg other;
	struct stw_leg_stats stats;
	struct frame sent, seen;

	config.remote.port = 51000;
	cr_assert_eq(stw_leg_add(wire.media, call.session, &config, wire.now_ns, &other, &local),
		     0);
	cr_assert_eq(stw_leg_connect(wire.media, call.caller, other), 0);
	wire_rtp(&sent, &wire_caller, &call.caller_local, 0, 5, 800);
	cr_assert_eq(wire_verdict(&wire, 0, &sent), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &seen));
	cr_assert_eq(wire_u16(&seen, 36), 51000);
	cr_assert_eq(wire_u16(&seen, 34), local.port);
	stw_leg_stats(wire.media, call.agent, &stats);
	cr_assert_eq(stats.packets_sent, 1, "counted where it was sent to");
	stw_leg_stats(wire.media, other, &stats);
	cr_assert_eq(stats.packets_sent, 1);
	cr_assert_eq(stw_leg_remove(wire.media, other, wire.now_ns), 0);
	cr_assert_eq(wire_verdict(&wire, 0, &sent), STW_PASS_CONSUMED);
}

Test(relay, connection_needs_two_live_legs_of_one_session)
{
	struct stw_leg stale = {0x7700000001};
	struct call second;

	cr_assert_eq(stw_leg_connect(wire.media, call.caller, call.caller), -EINVAL);
	cr_assert_eq(stw_leg_connect(wire.media, call.caller, stale), -ESTALE);
	cr_assert_eq(stw_leg_connect(wire.media, stale, call.caller), -ESTALE);
	wire_call(&wire, &second);
	cr_assert_eq(stw_leg_connect(wire.media, call.caller, second.agent), -EINVAL);
	wire_drop_all(&wire, 1);
}

Test(relay, numbers_of_a_leg_follow_its_packets)
{
	struct stw_leg_stats stats;
	struct frame sent;

	for (uint16_t i = 2; i < 12; i++) {
		if (i == 7)
			continue;
		wire.now_ns += 20 * WIRE_MS;
		wire_rtp(&sent, &wire_caller, &call.caller_local, 0, i, 160u * i);
		wire_give(&wire, 0, &sent);
		wire_poll(&wire);
	}
	cr_assert_eq(stw_leg_stats(wire.media, call.caller, &stats), 0);
	cr_assert_eq(stats.packets_received, 11);
	cr_assert_eq(stats.packets_expected, 12);
	cr_assert_eq(stats.packets_lost, 1);
	cr_assert_eq(stats.bytes_received, 11 * 160);
	cr_assert_eq(stats.latched, 1);
	cr_assert_eq(stats.local.port, call.caller_local.port);
	cr_assert_eq(stats.remote.port, wire_caller.udp_port);
	cr_assert_arr_eq(stats.remote.ip.bytes, wire_caller.ip, 4);
	wire_drop_all(&wire, 1);
}
