/* SPDX-License-Identifier: BSD-3-Clause */
/* RTCP between two parties: each hears of its own streams; and what a leg's numbers say. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "wire_suite.h"

/* SSRCs of the parties, as wire_rtp has them. */
#define CALLER_SSRC (0xabcd0000u | 40000)
#define AGENT_SSRC  (0xabcd0000u | 50000)

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
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(rtcp, .init = open_wire, .fini = close_wire);

static void
put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* What a party sees of a stream: the first packet that comes, of what the other sends. */
struct seen {
	uint32_t ssrc, timestamp;
	uint16_t sequence;
};

static struct seen
speak(const struct party *from, const struct stw_endpoint *to, uint16_t sequence,
      uint32_t timestamp)
{
	uint8_t out = from->port ? 0 : 1;
	struct frame frame;

	wire_rtp(&frame, from, to, 0, sequence, timestamp);
	cr_assert_eq(wire_verdict(&wire, from->port, &frame), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, out, &frame));
	return (struct seen){wire_u32(&frame, 50), wire_u32(&frame, 46), wire_u16(&frame, 44)};
}

/* Give RTCP from a party to its leg; the verdict. */
static int
tell(const struct party *from, const struct stw_endpoint *to, const uint8_t *rtcp, uint32_t bytes)
{
	struct party sender = *from;
	struct stw_endpoint local = *to;
	struct frame frame;

	sender.udp_port++;
	local.port++;
	wire_udp(&frame, &sender, &local, rtcp, bytes);
	return wire_verdict(&wire, from->port, &frame);
}

/* A receiver report with one block. */
static void
block_make(uint8_t rtcp[32], uint32_t sender, uint32_t about, uint32_t highest, uint32_t last_sr,
	   uint32_t delay)
{
	const uint8_t head[] = {0x81, 201, 0, 7};

	memcpy(rtcp, head, 4);
	put32(rtcp + 4, sender);
	put32(rtcp + 8, about);
	put32(rtcp + 12, 0x40000007);
	put32(rtcp + 16, highest);
	put32(rtcp + 20, 80);
	put32(rtcp + 24, last_sr);
	put32(rtcp + 28, delay);
}

static void
sender_report_make(uint8_t rtcp[28], uint32_t sender, uint32_t last_sr, uint32_t timestamp)
{
	const uint8_t head[] = {0x80, 200, 0, 6};

	memset(rtcp, 0, 28);
	memcpy(rtcp, head, 4);
	put32(rtcp + 4, sender);
	put32(rtcp + 8, last_sr >> 16);
	put32(rtcp + 12, last_sr << 16);
	put32(rtcp + 16, timestamp);
	put32(rtcp + 20, 2);
	put32(rtcp + 24, 320);
}

Test(rtcp, sender_report_is_of_the_stream_that_the_other_party_gets)
{
	struct seen by_agent = speak(&wire_caller, &call.caller_local, 2, 320);
	uint8_t rtcp[28];
	struct frame frame;

	sender_report_make(rtcp, CALLER_SSRC, 0x00010002, 320);
	cr_assert_eq(tell(&wire_caller, &call.caller_local, rtcp, 28), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 1, &frame));
	cr_assert(wire_checksums_are_right(&frame));
	cr_assert_eq(frame.bytes, 42 + 28);
	cr_assert_eq(wire_u16(&frame, 36), wire_agent.udp_port + 1);
	cr_assert_eq(wire_u32(&frame, 46), by_agent.ssrc);
	cr_assert_eq(wire_u32(&frame, 58), by_agent.timestamp);
	cr_assert_eq(wire_u32(&frame, 50), 1, "NTP stays");
	cr_assert_eq(wire_u32(&frame, 54), 0x00020000, "NTP stays");
	cr_assert_eq(wire_u32(&frame, 62), 2, "counts stay");
	cr_assert_eq(by_agent.ssrc, wire_leg_stats(&wire, call.agent).ssrc);
	cr_assert_neq(by_agent.ssrc, CALLER_SSRC);
}

Test(rtcp, report_block_is_of_the_stream_that_the_other_party_sends)
{
	struct seen by_agent = speak(&wire_caller, &call.caller_local, 65535, 320);
	uint8_t rtcp[32];
	struct frame frame;

	/* The highest number that the agent saw is that packet. */
	by_agent = speak(&wire_caller, &call.caller_local, 0, 480);
	block_make(rtcp, AGENT_SSRC, by_agent.ssrc, 0x50000u | by_agent.sequence, 0, 0);
	cr_assert_eq(tell(&wire_agent, &call.agent_local, rtcp, 32), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert(wire_checksums_are_right(&frame));
	cr_assert_eq(wire_u32(&frame, 46), wire_leg_stats(&wire, call.caller).ssrc);
	cr_assert_eq(wire_u32(&frame, 50), CALLER_SSRC);
	cr_assert_eq(wire_u16(&frame, 60), 0, "number that the caller gave it");
	cr_assert_eq(wire_u32(&frame, 54), 0x40000007, "loss stays");
	cr_assert_eq(wire_u32(&frame, 62), 80, "jitter stays");
}

Test(rtcp, packet_without_udp_checksum_stays_without)
{
	const uint8_t report[] = {0x80, 201, 0, 1, 1, 2, 3, 4};
	struct party sender = wire_caller;
	struct stw_endpoint local = call.caller_local;
	struct frame frame;

	sender.udp_port++;
	local.port++;
	wire_udp(&frame, &sender, &local, report, sizeof(report));
	memset(frame.data + 40, 0, 2);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 1, &frame));
	cr_assert_eq(wire_u16(&frame, 40), 0);
	cr_assert_eq(wire_u32(&frame, 46), wire_leg_stats(&wire, call.agent).ssrc);
}

Test(rtcp, reduced_size_feedback_passes)
{
	uint8_t rtcp[12] = {0x81, 206, 0, 2};
	struct frame frame;

	put32(rtcp + 4, AGENT_SSRC);
	put32(rtcp + 8, wire_leg_stats(&wire, call.agent).ssrc);
	cr_assert_eq(tell(&wire_agent, &call.agent_local, rtcp, 12), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert_eq(wire_u32(&frame, 46), wire_leg_stats(&wire, call.caller).ssrc);
	cr_assert_eq(wire_u32(&frame, 50), CALLER_SSRC);
}

Test(rtcp, part_shorter_than_its_count_is_malformed)
{
	const uint8_t liar[] = {0x85, 201, 0, 1, 1, 2, 3, 4};

	cr_assert_eq(tell(&wire_caller, &call.caller_local, liar, sizeof(liar)),
		     STW_DROP_MALFORMED);
	cr_assert_eq(wire_leg_stats(&wire, call.caller).rtcp_malformed, 1);
	cr_assert_eq(wire_leg_stats(&wire, call.caller).rtcp_received, 0);
	cr_assert_eq(wire_leg_stats(&wire, call.agent).rtcp_sent, 0);
}

Test(rtcp, round_trip_is_time_less_the_delay_told)
{
	struct seen by_agent = speak(&wire_caller, &call.caller_local, 2, 320);
	uint8_t report[28], answer[32];
	struct frame frame;

	sender_report_make(report, CALLER_SSRC, 0x12345678, 320);
	tell(&wire_caller, &call.caller_local, report, 28);
	wire_drop_all(&wire, 1);
	wire.now_ns += 150 * WIRE_MS;
	block_make(answer, AGENT_SSRC, by_agent.ssrc, by_agent.sequence, 0x12345678, 65536 / 20);
	cr_assert_eq(tell(&wire_agent, &call.agent_local, answer, 32), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert_eq(wire_u32(&frame, 66), 0x12345678, "the caller's report is named");
	cr_assert_float_eq((double)wire_leg_stats(&wire, call.agent).rtt_us, 100000, 50);
	cr_assert_eq(wire_leg_stats(&wire, call.caller).rtt_us, 0);
	cr_assert_eq(wire_leg_stats(&wire, call.agent).told_blocks, 1);
	cr_assert_eq(wire_leg_stats(&wire, call.agent).told_lost, 7);
	cr_assert_eq(wire_leg_stats(&wire, call.agent).told_fraction_lost, 64);
	cr_assert_eq(wire_leg_stats(&wire, call.agent).told_jitter_us, 10000);
	cr_assert_eq(wire_leg_stats(&wire, call.agent).rtcp_sent, 1);
	cr_assert_eq(wire_leg_stats(&wire, call.agent).rtcp_received, 1);
}

Test(rtcp, answer_to_nobodys_report_tells_no_round_trip_and_goes_on_without)
{
	struct seen by_agent = speak(&wire_caller, &call.caller_local, 2, 320);
	uint8_t report[28], answer[32];
	struct frame frame;

	sender_report_make(report, CALLER_SSRC, 0x11111111, 320);
	tell(&wire_caller, &call.caller_local, report, 28);
	block_make(answer, AGENT_SSRC, by_agent.ssrc, by_agent.sequence, 0x12345678, 65536);
	cr_assert_eq(tell(&wire_agent, &call.agent_local, answer, 32), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert_eq(wire_u32(&frame, 66), 0);
	cr_assert_eq(wire_u32(&frame, 70), 0);
	cr_assert_eq(wire_leg_stats(&wire, call.agent).rtt_us, 0);
}

Test(rtcp, sender_report_of_who_is_not_heard_is_superseded)
{
	struct party third = wire_agent;
	struct stw_leg_config config;
	struct stw_endpoint local;
	uint8_t report[28], answer[32];
	struct stw_leg leg;
	struct frame frame;
	struct seen seen;

	third.udp_port = 50010;
	third.ip[3] = 60;
	config = wire_leg_config(&third, STW_SIDE_AGENT);
	cr_assert_eq(stw_leg_add(wire.media, call.session, &config, wire.now_ns, &leg, &local), 0);
	cr_assert_eq(stw_leg_connect(wire.media, leg, call.caller), 0);
	cr_assert_eq(stw_leg_connect(wire.media, call.caller, leg), 0);
	seen = speak(&third, &local, 900, 7000);
	sender_report_make(report, AGENT_SSRC, 1, 320);
	cr_assert_eq(tell(&wire_agent, &call.agent_local, report, 28), STW_DROP_SUPERSEDED);
	block_make(answer, AGENT_SSRC, 5, 5, 5, 5);
	cr_assert_eq(tell(&wire_agent, &call.agent_local, answer, 32), STW_PASS_RELAYED_RTCP);
	wire_drop_all(&wire, 0);
	/* The one who is heard maps its own clock. */
	sender_report_make(report, 0xabcd0000u | third.udp_port, 1, 7000);
	cr_assert_eq(tell(&third, &local, report, 28), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert_eq(wire_u32(&frame, 46), seen.ssrc);
	cr_assert_eq(wire_u32(&frame, 58), seen.timestamp);
}

Test(rtcp, ratings_of_voip_metrics_are_kept)
{
	uint8_t rtcp[44] = {0x80, 207, 0, 10, 1, 2, 3, 4, 7, 0, 0, 8};
	struct frame frame;

	put32(rtcp + 12, wire_leg_stats(&wire, call.caller).ssrc);
	rtcp[32] = 88;
	rtcp[34] = 41;
	rtcp[35] = 127;
	cr_assert_eq(tell(&wire_caller, &call.caller_local, rtcp, 44), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 1, &frame));
	cr_assert_eq(wire_u32(&frame, 54), AGENT_SSRC);
	cr_assert_eq(wire_leg_stats(&wire, call.caller).told_r_factor, 88);
	cr_assert_eq(wire_leg_stats(&wire, call.caller).told_mos_lq_x10, 41);
	cr_assert_eq(wire_leg_stats(&wire, call.caller).told_mos_cq_x10, 0, "not known");
}

static void
hear(uint32_t ssrc, uint16_t sequence)
{
	struct frame frame;

	wire.now_ns += 20 * WIRE_MS;
	wire_rtp(&frame, &wire_caller, &call.caller_local, 0, sequence, 160u * sequence);
	put32(frame.data + 50, ssrc);
	wire_sign(&frame);
	cr_assert_geq(wire_verdict(&wire, 0, &frame), 0);
	wire_drop_all(&wire, 1);
}

Test(rtcp, gaps_late_packets_and_duplicates_are_told_apart)
{
	struct stw_leg_stats stats;

	for (uint16_t i = 2; i < 100; i++) {
		if (i != 10 && i != 20 && i != 21 && i != 22)
			hear(CALLER_SSRC, i);
		if (i == 30)
			hear(CALLER_SSRC, 10);
		if (i == 40)
			hear(CALLER_SSRC, 40);
	}
	stats = wire_leg_stats(&wire, call.caller);
	cr_assert_eq(stats.packets_expected, 100);
	cr_assert_eq(stats.packets_missing, 3);
	cr_assert_eq(stats.packets_late, 1);
	cr_assert_eq(stats.packets_duplicate, 1);
	cr_assert_eq(stats.packets_lost, 2, "a duplicate makes up for one");
	cr_assert_eq(stats.gap_max, 3);
	cr_assert_eq(stats.ssrc_received, CALLER_SSRC);
	cr_assert_eq(stats.ssrc_changes, 0);
}

Test(rtcp, each_source_has_numbers_of_its_own)
{
	struct stw_leg_stream streams[STW_LEG_STREAMS_MAX];

	for (uint16_t i = 2; i < 50; i++)
		hear(CALLER_SSRC, i);
	for (uint16_t i = 0; i < 10; i++)
		if (i != 4)
			hear(0x1111, (uint16_t)(7000 + i));
	hear(0x2222, 5);
	cr_assert_eq(stw_leg_streams(wire.media, call.caller, streams, STW_LEG_STREAMS_MAX), 3);
	cr_assert_eq(streams[0].ssrc, CALLER_SSRC);
	cr_assert_eq(streams[0].packets_received, 50);
	cr_assert_eq(streams[0].packets_expected, 50);
	cr_assert_eq(streams[1].ssrc, 0x1111);
	cr_assert_eq(streams[1].packets_received, 9);
	cr_assert_eq(streams[1].packets_expected, 10);
	cr_assert_eq(streams[2].ssrc, 0x2222);
	cr_assert_eq(streams[2].packets_received, 1);
	cr_assert_eq(wire_leg_stats(&wire, call.caller).ssrc_changes, 2);
	cr_assert_eq(stw_leg_streams(wire.media, call.caller, streams, 1), 1);
	cr_assert_eq(streams[0].ssrc, 0x2222);
	cr_assert_eq(streams[0].packets_received, 1);
	cr_assert_eq(stw_leg_streams(wire.media, call.caller, streams, 0), -EINVAL);
	cr_assert_eq(stw_leg_streams(wire.media, call.caller, streams, STW_LEG_STREAMS_MAX + 1),
		     -EINVAL);
	stw_leg_remove(wire.media, call.agent, wire.now_ns);
	cr_assert_eq(stw_leg_streams(wire.media, call.agent, streams, 1), -ESTALE);
}

Test(rtcp, oldest_sources_are_forgotten_first)
{
	struct stw_leg_stream streams[STW_LEG_STREAMS_MAX];

	for (uint32_t source = 1; source <= 30; source++)
		for (uint16_t i = 0; i < source; i++)
			hear(source, (uint16_t)(source * 1000 + i));
	cr_assert_eq(stw_leg_streams(wire.media, call.caller, streams, STW_LEG_STREAMS_MAX),
		     STW_LEG_STREAMS_MAX);
	for (uint32_t i = 0; i < STW_LEG_STREAMS_MAX; i++) {
		cr_assert_eq(streams[i].ssrc, 23 + i);
		cr_assert_eq(streams[i].packets_received, 23 + i);
		cr_assert_eq(streams[i].packets_expected, 23 + i);
	}
}

Test(rtcp, opinion_follows_loss)
{
	uint32_t before = wire_leg_stats(&wire, call.caller).mos_x100;

	cr_assert_float_eq((double)before, 439, 2, "%u: 40 ms one way", before);
	for (uint16_t i = 2; i < 400; i++)
		if (i % 20)
			hear(CALLER_SSRC, i);
	/* 5 % lost: R = 93 - 1 - 15.8. */
	cr_assert_float_eq((double)wire_leg_stats(&wire, call.caller).mos_x100, 387, 6, "%u",
			   wire_leg_stats(&wire, call.caller).mos_x100);
	cr_assert_eq(wire_leg_stats(&wire, call.caller).told_mos_x100, 0);
}
