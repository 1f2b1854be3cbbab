/* SPDX-License-Identifier: BSD-3-Clause */
/* RTCP that ends here: reports of our own, when they come and what they say. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/plane.h"
#include "rtp/rtcp_read.h"
#include "wire_suite.h"

#define CALLER_SSRC (0xabcd0000u | 40000)
#define STEP_MS     5
#define SLOT_MS     8

static struct wire wire;
static struct call call;
static struct stw_leg_config config;

static void
open_wire(void)
{
	wire_begin(&wire);
	/* Each has sent two packets when the caller's RTCP begins to end here. */
	wire_call_latched(&wire, &call);
	config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	config.rtcp = STW_RTCP_END;
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &config, wire.now_ns), 0);
}

static void
close_wire(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(report, .init = open_wire, .fini = close_wire);

/* A report as the caller gets it. */
struct report {
	uint64_t time_ns;
	struct rtp_sender_report sender;
	struct rtp_report_block block;
	char cname[20];
	bool is_sender, hears, leaves;
	uint32_t ssrc;
};

static void
report_parse(const struct frame *frame, struct report *report)
{
	struct rtp_rtcp_walk walk = rtp_rtcp_walk(frame->data + 42, frame->bytes - 42);
	struct rtp_rtcp_part part;

	memset(report, 0, sizeof(*report));
	report->time_ns = wire.now_ns;
	cr_assert(wire_checksums_are_right(frame));
	cr_assert_gt(rtp_rtcp_check(frame->data + 42, frame->bytes - 42), 1);
	cr_assert_eq(wire_u16(frame, 34), call.caller_local.port + 1);
	cr_assert_eq(wire_u16(frame, 36), wire_caller.udp_port + 1);
	report->ssrc = wire_u32(frame, 46);
	cr_assert_eq(rtp_rtcp_next(&walk, &part), 1);
	report->is_sender = rtp_sender_report_read(&part, &report->sender) == 0;
	report->hears = rtp_report_block_read(&part, 0, &report->block) == 0;
	cr_assert_eq(rtp_rtcp_next(&walk, &part), 1);
	cr_assert_eq(part.type, RTP_RTCP_SDES);
	cr_assert_eq(wire_u32(frame, (uint32_t)(part.at - frame->data) + 4), report->ssrc);
	cr_assert_eq(part.at[8], 1);
	memcpy(report->cname, part.at + 10, part.at[9]);
	report->leaves = rtp_rtcp_next(&walk, &part) == 1 && part.type == RTP_RTCP_BYE;
	if (report->leaves)
		cr_assert_eq(wire_u32(frame, (uint32_t)(part.at - frame->data) + 4), report->ssrc);
}

/* Take a report that was sent to the caller; false when there is none. RTP on the way is dropped. */
static bool
report_take(struct report *report)
{
	struct frame frame;

	while (wire_take(&wire, 0, &frame)) {
		if (wire_u16(&frame, 36) % 2 == 0)
			continue;
		report_parse(&frame, report);
		return true;
	}
	return false;
}

/* Let time pass until there is a report, or for so long. */
static bool
wait_report(struct report *report, uint64_t ms)
{
	for (uint64_t passed = 0; passed < ms; passed += STEP_MS) {
		wire.now_ns += STEP_MS * WIRE_MS;
		wire_poll(&wire);
		wire_drop_all(&wire, 1);
		if (report_take(report))
			return true;
	}
	return false;
}

static void
say(const struct party *from, uint16_t sequence, uint32_t ssrc)
{
	const struct stw_endpoint *to = from->port ? &call.agent_local : &call.caller_local;
	struct frame frame;

	wire_rtp(&frame, from, to, 0, sequence, 160u * sequence);
	if (ssrc) {
		for (unsigned i = 0; i < 4; i++)
			frame.data[50 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
		wire_sign(&frame);
	}
	cr_assert_eq(wire_verdict(&wire, from->port, &frame), STW_PASS_RELAYED);
}

static int
tell(const struct party *from, const uint8_t *rtcp, uint32_t bytes)
{
	struct stw_endpoint local = from->port ? call.agent_local : call.caller_local;
	struct party sender = *from;
	struct frame frame;

	sender.udp_port++;
	local.port++;
	wire_udp(&frame, &sender, &local, rtcp, bytes);
	return wire_verdict(&wire, from->port, &frame);
}

Test(report, intervals_are_those_of_the_rfc)
{
	uint64_t before = wire.now_ns, sum = 0, least = UINT64_MAX, most = 0;
	struct report report;

	wire_poll(&wire);
	cr_assert(wait_report(&report, 4000));
	cr_assert_geq(report.time_ns - before, 1250 * WIRE_MS);
	cr_assert_leq(report.time_ns - before, (3750 + SLOT_MS + STEP_MS) * WIRE_MS);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t interval;

		before = report.time_ns;
		cr_assert(wait_report(&report, 8000), "%u", i);
		interval = report.time_ns - before;
		cr_assert_geq(interval, 2500 * WIRE_MS);
		cr_assert_leq(interval, (7500 + SLOT_MS + STEP_MS) * WIRE_MS);
		sum += interval;
		least = interval < least ? interval : least;
		most = interval > most ? interval : most;
	}
	/* Standard error of the mean: 5 s / sqrt(12 * 200) = 0.1 s. */
	cr_assert_float_eq(sum / 200.0, 5e9, 5e8, "%lu", sum / 200);
	cr_assert_lt(least, 2800 * WIRE_MS);
	cr_assert_gt(most, 7200 * WIRE_MS);
	cr_assert_eq(wire_leg_stats(&wire, call.caller).rtcp_sent, 201);
	cr_assert_eq(wire_stats(&wire).reports_sent, 201);
}

Test(report, who_has_sent_nothing_gives_an_empty_receiver_report)
{
	struct report report;
	char cname[20];

	cr_assert(wait_report(&report, 4000));
	cr_assert_not(report.is_sender);
	cr_assert(report.hears);
	cr_assert_eq(report.ssrc, wire_leg_stats(&wire, call.caller).ssrc);
	cr_assert_eq(strlen(report.cname), 16);
	memcpy(cname, report.cname, sizeof(cname));
	cr_assert(wait_report(&report, 8000));
	cr_assert_not(report.is_sender);
	cr_assert_not(report.hears);
	cr_assert_str_eq(report.cname, cname, "it is the same for the leg's life");
}

Test(report, sender_report_counts_and_times_what_is_relayed)
{
	struct report report;
	struct frame frame;
	uint32_t timestamp = 0;
	uint64_t sent_ns = 0;

	for (uint16_t i = 0; i < 500; i++) {
		wire.now_ns += 20 * WIRE_MS;
		say(&wire_agent, (uint16_t)(i + 2), 0);
		while (wire_take(&wire, 0, &frame)) {
			if (wire_u16(&frame, 36) % 2 == 0) {
				timestamp = wire_u32(&frame, 46);
				sent_ns = wire.now_ns;
				continue;
			}
			report_parse(&frame, &report);
			cr_assert(report.is_sender);
			cr_assert_eq(report.sender.packets, i + 1);
			cr_assert_eq(report.sender.octets, (i + 1) * 160u);
			cr_assert_eq(report.sender.timestamp,
				     timestamp + (wire.now_ns - sent_ns) / 125000);
		}
	}
	cr_assert_geq(wire_leg_stats(&wire, call.caller).rtcp_sent, 1);
	/* Two intervals of silence later it is a receiver again. */
	cr_assert(wait_report(&report, 8000));
	cr_assert(wait_report(&report, 8000));
	cr_assert(wait_report(&report, 8000));
	cr_assert_not(report.is_sender);
}

Test(report, block_tells_the_loss_of_its_interval_and_of_all)
{
	struct report report;
	uint16_t sequence = 2;

	/* None of the first 10, then each fourth. */
	for (; sequence < 10; sequence++)
		say(&wire_caller, sequence, 0);
	cr_assert(wait_report(&report, 4000));
	cr_assert(report.hears);
	cr_assert_eq(report.block.ssrc, CALLER_SSRC);
	cr_assert_eq(report.block.fraction_lost, 0);
	cr_assert_eq(report.block.lost, 0);
	cr_assert_eq(report.block.sequence_max, 9);
	for (; sequence < 50; sequence++)
		if (sequence % 4 != 2)
			say(&wire_caller, sequence, 0);
	cr_assert(wait_report(&report, 8000));
	cr_assert_eq(report.block.fraction_lost, 64);
	cr_assert_eq(report.block.lost, 10);
	cr_assert_eq(report.block.sequence_max, 49);
	cr_assert(wait_report(&report, 8000));
	cr_assert_not(report.hears, "nothing came since");
	/* A new source begins at nothing lost. */
	say(&wire_caller, 9000, 77);
	say(&wire_caller, 9002, 77);
	cr_assert(wait_report(&report, 8000));
	cr_assert_eq(report.block.ssrc, 77);
	cr_assert_eq(report.block.lost, 1);
	cr_assert_eq(report.block.fraction_lost, 256 / 3);
	cr_assert_eq(report.block.sequence_max, 9002);
}

Test(report, sender_report_of_the_party_is_answered)
{
	const uint8_t sender[28] = {0x80, 200, 0, 6, 0xab, 0xcd, 0x9c, 0x40,
				    0xe5, 1,   2, 3, 0x40, 0,    0,    0};
	uint64_t told_ns;
	struct report report;
	struct frame frame;

	say(&wire_caller, 2, 0);
	wire_drop_all(&wire, 1);
	cr_assert_eq(tell(&wire_caller, sender, sizeof(sender)), STW_PASS_TERMINATED_RTCP);
	cr_assert_not(wire_take(&wire, 1, &frame), "it goes no further");
	told_ns = wire.now_ns;
	cr_assert(wait_report(&report, 4000));
	cr_assert_eq(report.block.last_sr, 0x02034000);
	cr_assert_float_eq((double)report.block.delay_sr, (report.time_ns - told_ns) / 1e9 * 65536,
			   2);
	cr_assert_eq(wire_leg_stats(&wire, call.caller).rtcp_received, 1);
}

Test(report, round_trip_is_known_from_the_answer)
{
	uint8_t answer[32] = {0x81, 201, 0, 7, 0xab, 0xcd, 0x9c, 0x40};
	struct report report;
	uint32_t last_sr;

	say(&wire_caller, 2, 0);
	say(&wire_agent, 2, 0);
	cr_assert(wait_report(&report, 4000));
	cr_assert(report.is_sender);
	last_sr = rtp_ntp_middle(report.sender.ntp);
	for (unsigned i = 0; i < 4; i++) {
		answer[8 + i] = (uint8_t)(report.ssrc >> (24 - 8 * i));
		answer[24 + i] = (uint8_t)(last_sr >> (24 - 8 * i));
	}
	answer[30] = 0x40; /* 250 ms */
	wire.now_ns += 300 * WIRE_MS;
	cr_assert_eq(tell(&wire_caller, answer, sizeof(answer)), STW_PASS_TERMINATED_RTCP);
	cr_assert_float_eq((double)wire_leg_stats(&wire, call.caller).rtt_us, 50000, 50);
}

Test(report, rtcp_for_a_leg_where_it_ends_goes_no_further)
{
	const uint8_t empty[] = {0x80, 201, 0, 1, 1, 2, 3, 4};
	struct report report;

	say(&wire_agent, 2, 0);
	cr_assert_eq(tell(&wire_agent, empty, sizeof(empty)), STW_PASS_TERMINATED_RTCP);
	cr_assert_not(report_take(&report));
	cr_assert_eq(wire_leg_stats(&wire, call.agent).rtcp_received, 1);
}

Test(report, goodbye_is_said_when_the_leg_goes)
{
	struct report report;

	say(&wire_agent, 2, 0);
	wire_drop_all(&wire, 0);
	cr_assert_eq(stw_leg_remove(wire.media, call.caller, wire.now_ns), 0);
	cr_assert(wait_report(&report, 20));
	cr_assert(report.leaves);
	cr_assert(report.is_sender);
	cr_assert_not(wait_report(&report, 20000), "it says no more");
}

Test(report, slot_is_nobody_elses_before_the_goodbye)
{
	struct stw_leg_config other = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	struct stw_endpoint local;
	struct report report;
	struct stw_leg leg;

	say(&wire_agent, 2, 0);
	wire_drop_all(&wire, 0);
	cr_assert_eq(stw_leg_remove(wire.media, call.caller, wire.now_ns), 0);
	/* No worker is in the way of freeing it but the goodbye. */
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(stw_leg_add(wire.media, call.session, &other, wire.now_ns, &leg, &local), 0);
	cr_assert_neq((uint32_t)leg.id, (uint32_t)call.caller.id);
	cr_assert(wait_report(&report, 20));
	cr_assert(report.leaves);
	stw_media_advance(wire.media, wire.now_ns);
	plane_check(wire.media);
}

Test(report, who_never_said_anything_leaves_without_goodbye)
{
	struct report report;

	wire_poll(&wire);
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	cr_assert_not(wait_report(&report, 20000));
}

/* RFC 3550 6.3.7 forbids it, and the slot is soon another leg's. */
Test(report, slots_wait_for_the_goodbye_and_are_used_again)
{
	struct stw_leg_config caller = config;
	struct stw_leg legs[31];
	struct stw_endpoint local;
	struct stw_session sessions[16];
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct report report;

	stw_session_remove(wire.media, call.session, wire.now_ns);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 16; i++) {
			cr_assert_eq(stw_session_add(wire.media, &session, &sessions[i]), 0);
			cr_assert_eq(stw_leg_add(wire.media, sessions[i], &caller, wire.now_ns,
						 &legs[i], &local),
				     0, "round %u leg %u", round, i);
		}
		for (unsigned i = 0; i < 10 * round; i++) {
			wire.now_ns += 100 * WIRE_MS;
			wire_poll(&wire);
			plane_check(wire.media);
		}
		for (unsigned i = 0; i < 16; i++)
			stw_session_remove(wire.media, sessions[i], wire.now_ns);
		wire.now_ns += 3000 * WIRE_MS;
		stw_media_advance(wire.media, wire.now_ns);
		wire_poll(&wire);
		wire_drop_all(&wire, 0);
		plane_check(wire.media);
	}
	cr_assert_not(wait_report(&report, 20000));
}

Test(report, reports_begin_and_end_with_an_update)
{
	struct report report;

	cr_assert(wait_report(&report, 4000));
	config.rtcp = STW_RTCP_PASS;
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &config, wire.now_ns), 0);
	cr_assert_not(wait_report(&report, 20000));
	config.rtcp = STW_RTCP_END;
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &config, wire.now_ns), 0);
	cr_assert(wait_report(&report, 8000));
	config.rtcp = (enum stw_rtcp)2;
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &config, wire.now_ns), -EINVAL);
}

Test(report, what_is_played_to_a_leg_alone_is_reported)
{
	struct stw_playout_config playout_config = STW_PLAYOUT_CONFIG_INIT;
	uint8_t file[44 + 1600] =
		"RIFF....WAVEfmt \x10\0\0\0\7\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\10\0data";
	char path[] = "/tmp/stw-report-XXXXXX";
	uint32_t data_bytes = 1600, riff_bytes = 1636;
	struct stw_playout playout;
	struct report report;
	struct stw_leg nobody = {0};
	int fd = mkstemp(path);

	memcpy(file + 4, &riff_bytes, 4);
	memcpy(file + 40, &data_bytes, 4);
	cr_assert_eq(write(fd, file, sizeof(file)), sizeof(file));
	close(fd);
	playout_config.path = path;
	playout_config.loop = 1;
	cr_assert_eq(stw_playout_load(wire.media, &playout_config, &playout), 0);
	unlink(path);
	stw_leg_connect(wire.media, call.agent, nobody);
	cr_assert_eq(stw_playout_attach(wire.media, call.caller, playout, wire.now_ns), 0);
	for (unsigned i = 0; i < 3; i++) {
		cr_assert(wait_report(&report, 8000));
		cr_assert(report.is_sender);
		/* Two were relayed before; one may be sent in the same turn as the report, after it. */
		cr_assert_leq(wire_leg_stats(&wire, call.caller).packets_sent - 2 -
				      report.sender.packets,
			      1);
		cr_assert_eq(report.sender.octets, 160 * report.sender.packets);
	}
}

Test(report, party_that_is_not_known_gets_nothing_and_costs_nothing)
{
	struct report report;
	struct stw_leg_stats stats;

	config.remote = (struct stw_endpoint){0};
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &config, wire.now_ns), 0);
	cr_assert_not(wait_report(&report, 20000));
	cr_assert_eq(wire_stats(&wire).reports_dropped, 0);
	/* It comes when the party does. */
	say(&wire_caller, 2, 0);
	cr_assert(wait_report(&report, 8000));
	stats = wire_leg_stats(&wire, call.caller);
	cr_assert_eq(stats.rtcp_sent, 1);
}
