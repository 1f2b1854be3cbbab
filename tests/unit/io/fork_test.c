/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies of a session's media: complete, untouched by the relay, harmless to it. */
#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;
static struct call call;
static char directory[] = "/tmp/stw-fork-XXXXXX";
static char path[128];

static void
open_wire(void)
{
	wire_begin(&wire);
	wire_call_latched(&wire, &call);
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/one", directory);
}

static void
close_wire(void)
{
	char command[160];

	while (stw_media_record(wire.media, 1000) > 0)
		continue;
	wire_poll(&wire);
	wire_drop_sent(&wire);
	wire_end(&wire);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(fork, .init = open_wire, .fini = close_wire);

static int
fork_add(enum stw_fork_kind kind, uint8_t sides, struct stw_fork *fork)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;

	config.kind = kind;
	config.path = path;
	config.sides = sides;
	return stw_fork_add(wire.media, call.session, &config, wire.now_ns, fork);
}

static void
both_speak(uint16_t sequence)
{
	struct frame frame;

	wire.now_ns += 20 * WIRE_MS;
	wire_rtp(&frame, &wire_caller, &call.caller_local, 0, sequence, 160u * sequence);
	wire_give(&wire, 0, &frame);
	wire_rtp(&frame, &wire_agent, &call.agent_local, 0, sequence, 160u * sequence);
	wire_give(&wire, 1, &frame);
	wire_poll(&wire);
}

static size_t
file_read(uint8_t *bytes, size_t size)
{
	FILE *file = fopen(path, "rb");
	size_t count;

	cr_assert_not_null(file);
	count = fread(bytes, 1, size, file);
	fclose(file);
	return count;
}

static bool
file_holds(const uint8_t *file, size_t file_bytes, const struct frame *frame)
{
	return memmem(file, file_bytes, frame->data, frame->bytes) != NULL;
}

static void
fork_closed(struct stw_fork fork, struct stw_media_event *event)
{
	cr_assert_eq(stw_fork_remove(wire.media, fork), 0);
	while (stw_media_record(wire.media, 1000) > 0)
		continue;
	cr_assert_eq(wire_event_take(&wire, event), 1);
	cr_assert_eq(event->fork.id, fork.id);
}

static void
rtcp_make(struct frame *frame)
{
	/* Longer than a copy's own buffer. */
	uint8_t rtcp[8 + 7 * 24] = {0x87, 201, 0, 43, 1, 2, 3, 4};
	struct party sender = wire_caller;
	struct stw_endpoint local = call.caller_local;

	sender.udp_port++;
	local.port++;
	memset(rtcp + 8, 0x77, sizeof(rtcp) - 8);
	wire_udp(frame, &sender, &local, rtcp, sizeof(rtcp));
}

Test(fork, pcapng_holds_rtcp_as_it_was_received)
{
	static uint8_t file[65536];
	struct stw_leg_config config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	struct stw_media_event event;
	struct frame sent[2], seen;
	struct stw_fork fork;
	size_t bytes;

	cr_assert_eq(fork_add(STW_FORK_PCAPNG, 0, &fork), 0);
	rtcp_make(&sent[0]);
	cr_assert_eq(wire_verdict(&wire, 0, &sent[0]), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 1, &seen));
	cr_assert(wire_checksums_are_right(&seen));
	cr_assert_neq(wire_u32(&seen, 46), 0x01020304);
	config.rtcp = STW_RTCP_END;
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &config, wire.now_ns), 0);
	rtcp_make(&sent[1]);
	memset(sent[1].data + 60, 0x66, 4);
	wire_sign(&sent[1]);
	cr_assert_eq(wire_verdict(&wire, 0, &sent[1]), STW_PASS_TERMINATED_RTCP);
	fork_closed(fork, &event);
	bytes = file_read(file, sizeof(file));
	for (unsigned i = 0; i < 2; i++)
		cr_assert(file_holds(file, bytes, &sent[i]), "packet %u", i);
}

Test(fork, pcapng_holds_each_packet_as_it_was_received)
{
	static uint8_t file[65536];
	struct stw_media_event event;
	struct frame sent[20], seen;
	struct stw_fork fork;
	size_t bytes;

	cr_assert_eq(fork_add(STW_FORK_PCAPNG, 0, &fork), 0);
	for (uint16_t i = 0; i < 20; i++) {
		wire_rtp(&sent[i], &wire_caller, &call.caller_local, 0, i, 160u * i);
		cr_assert_eq(wire_verdict(&wire, 0, &sent[i]), STW_PASS_RELAYED);
		cr_assert(wire_take(&wire, 1, &seen));
		cr_assert(wire_audio_is(&seen, 42, &sent[i], 42), "payload untouched");
	}
	fork_closed(fork, &event);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_FORK_CLOSED);
	cr_assert_eq(event.session.id, call.session.id);
	cr_assert_eq(event.session_cookie, 77);
	cr_assert_eq(event.fork_stats.packets, 20);
	cr_assert_eq(event.fork_stats.packets_written, 20);
	cr_assert_eq(event.fork_stats.packets_dropped, 0);
	bytes = file_read(file, sizeof(file));
	cr_assert_eq(event.fork_stats.bytes_written, bytes);
	for (unsigned i = 0; i < 20; i++)
		cr_assert(file_holds(file, bytes, &sent[i]), "packet %u", i);
	cr_assert_eq(wire_stats(&wire).forks, 0);
}

Test(fork, sides_choose_whose_packets_are_copied)
{
	struct stw_fork caller, agent;
	struct stw_fork_stats stats;

	cr_assert_eq(fork_add(STW_FORK_PCAPNG, 1 << STW_SIDE_CALLER, &caller), 0);
	snprintf(path, sizeof(path), "%s/two", directory);
	cr_assert_eq(fork_add(STW_FORK_PCAPNG, 1 << STW_SIDE_AGENT, &agent), 0);
	both_speak(2);
	both_speak(3);
	stw_fork_stats(wire.media, caller, &stats);
	cr_assert_eq(stats.packets, 2);
	stw_fork_stats(wire.media, agent, &stats);
	cr_assert_eq(stats.packets, 2);
}

Test(fork, every_fork_of_a_session_gets_every_packet)
{
	struct stw_fork forks[4];
	struct stw_fork_stats stats;

	for (unsigned i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%u", directory, i);
		cr_assert_eq(fork_add(STW_FORK_PCAPNG, 0, &forks[i]), 0);
	}
	both_speak(2);
	cr_assert_eq(stw_fork_remove(wire.media, forks[1]), 0);
	both_speak(3);
	cr_assert_eq(stw_fork_remove(wire.media, forks[3]), 0);
	both_speak(4);
	stw_fork_stats(wire.media, forks[0], &stats);
	cr_assert_eq(stats.packets, 6);
	stw_fork_stats(wire.media, forks[2], &stats);
	cr_assert_eq(stats.packets, 6);
	cr_assert_eq(stw_fork_stats(wire.media, forks[1], &stats), -ESTALE);
	while (stw_media_record(wire.media, 3) > 0)
		continue;
	cr_assert_eq(wire_stats(&wire).forks, 2);
}

Test(fork, leg_added_later_is_copied_too)
{
	struct stw_leg_config config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	struct stw_fork_stats stats;
	struct stw_endpoint local;
	struct stw_fork fork;
	struct frame frame;
	struct stw_leg leg;

	cr_assert_eq(fork_add(STW_FORK_PCAPNG, 0, &fork), 0);
	cr_assert_eq(stw_leg_add(wire.media, call.session, &config, wire.now_ns, &leg, &local), 0);
	wire_rtp(&frame, &wire_caller, &local, 0, 1, 160);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_CONSUMED);
	stw_fork_stats(wire.media, fork, &stats);
	cr_assert_eq(stats.packets, 1);
}

Test(fork, rtcp_and_digits_are_in_pcapng_and_not_in_wav)
{
	struct stw_fork pcapng, wav;
	struct stw_fork_stats stats;
	struct frame frame;

	cr_assert_eq(fork_add(STW_FORK_PCAPNG, 0, &pcapng), 0);
	snprintf(path, sizeof(path), "%s/two", directory);
	cr_assert_eq(fork_add(STW_FORK_WAV, 0, &wav), 0);
	wire_rtcp(&frame, &wire_caller, &call.caller_local);
	wire_give(&wire, 0, &frame);
	wire_event(&frame, &wire_caller, &call.caller_local, 9, 1440, 1, true, 800);
	wire_give(&wire, 0, &frame);
	both_speak(10);
	stw_fork_stats(wire.media, pcapng, &stats);
	cr_assert_eq(stats.packets, 4);
	stw_fork_stats(wire.media, wav, &stats);
	cr_assert_eq(stats.packets, 2);
}

Test(fork, foreign_packets_are_not_copied)
{
	struct party attacker = wire_caller;
	struct stw_fork_stats stats;
	struct stw_fork fork;
	struct frame frame;

	cr_assert_eq(fork_add(STW_FORK_PCAPNG, 0, &fork), 0);
	attacker.ip[3]++;
	wire_rtp(&frame, &attacker, &call.caller_local, 0, 1, 160);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_SOURCE);
	stw_fork_stats(wire.media, fork, &stats);
	cr_assert_eq(stats.packets, 0);
}

Test(fork, wav_has_the_caller_left_and_the_agent_right)
{
	static uint8_t file[65536];
	struct stw_media_event event;
	uint8_t quiet[172] = {0x80, 0};
	struct stw_fork fork;
	struct frame frame;
	bool left = false, right = false;
	size_t bytes;

	cr_assert_eq(fork_add(STW_FORK_WAV, 0, &fork), 0);
	/* 0x80 is the loudest of mu law, 0xff is silence. */
	for (uint16_t i = 0; i < 5; i++) {
		quiet[3] = (uint8_t)(10 + i);
		quiet[7] = (uint8_t)(160 * i);
		quiet[6] = (uint8_t)(160 * i >> 8);
		memset(quiet + 12, 0x80, 160);
		wire_udp(&frame, &wire_caller, &call.caller_local, quiet, sizeof(quiet));
		wire_give(&wire, 0, &frame);
		memset(quiet + 12, 0xff, 160);
		wire_udp(&frame, &wire_agent, &call.agent_local, quiet, sizeof(quiet));
		wire_give(&wire, 1, &frame);
		wire_poll(&wire);
		wire.now_ns += 20 * WIRE_MS;
	}
	fork_closed(fork, &event);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_FORK_CLOSED);
	cr_assert_eq(event.fork_stats.packets_written, 10);
	bytes = file_read(file, sizeof(file));
	cr_assert_eq(bytes, event.fork_stats.bytes_written);
	for (size_t at = bytes - 800 * 4; at + 3 < bytes; at += 4) {
		left |= file[at] | file[at + 1];
		right |= file[at + 2] | file[at + 3];
	}
	cr_assert(left);
	cr_assert(!right);
}

Test(fork, full_ring_is_counted_and_harms_no_relay)
{
	struct stw_fork_stats stats;
	struct stw_fork fork;

	cr_assert_eq(fork_add(STW_FORK_PCAPNG, 0, &fork), 0);
	for (uint16_t i = 2; i < 102; i++)
		both_speak(i);
	stw_fork_stats(wire.media, fork, &stats);
	cr_assert_eq(stats.packets, 64);
	cr_assert_eq(stats.packets_dropped, 136);
	cr_assert_eq(wire_stats(&wire).fork_dropped, 136);
	cr_assert_eq(wire_drop_all(&wire, 0), 100);
	cr_assert_eq(wire_drop_all(&wire, 1), 100);
	/* What is written makes room again. */
	cr_assert_eq(stw_media_record(wire.media, 10), 10);
	wire_poll(&wire);
	both_speak(200);
	stw_fork_stats(wire.media, fork, &stats);
	cr_assert_eq(stats.packets, 66);
	cr_assert_eq(stats.packets_dropped, 136);
}

Test(fork, removed_session_closes_its_recordings_with_all_that_was_queued)
{
	struct stw_media_event event;
	struct stw_fork fork;

	cr_assert_eq(fork_add(STW_FORK_WAV, 0, &fork), 0);
	for (uint16_t i = 2; i < 22; i++)
		both_speak(i);
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	cr_assert_eq(wire_stats(&wire).forks, 1);
	while (stw_media_record(wire.media, 7) > 0)
		continue;
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_FORK_CLOSED);
	cr_assert_eq(event.fork_stats.packets_written, 40);
	cr_assert_eq(wire_stats(&wire).forks, 0);
}

Test(fork, file_is_not_closed_while_a_worker_may_still_copy)
{
	struct stw_media_event event;
	struct stw_fork fork;

	cr_assert_eq(fork_add(STW_FORK_WAV, 0, &fork), 0);
	/* A worker that is in the middle of its turn. */
	rte_rcu_qsbr_thread_online(wire.media->rcu, 0);
	cr_assert_eq(stw_fork_remove(wire.media, fork), 0);
	cr_assert_eq(stw_media_record(wire.media, 1000), 0);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	rte_rcu_qsbr_quiescent(wire.media->rcu, 0);
	cr_assert_eq(stw_media_record(wire.media, 1000), 0);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_FORK_CLOSED);
	rte_rcu_qsbr_thread_offline(wire.media->rcu, 0);
}

Test(fork, limits_and_mistakes_are_told)
{
	struct stw_fork forks[9];
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;

	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &forks[0]), -EINVAL);
	config.path = "/nonexistent/directory/file";
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &forks[0]), -EIO);
	config.sides = 8;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &forks[0]), -EINVAL);
	cr_assert_eq(stw_media_record(wire.media, 0), -EINVAL);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "%s/%u", directory, i);
		cr_assert_eq(fork_add(STW_FORK_WAV, 0, &forks[i]), 0);
	}
	cr_assert_eq(fork_add(STW_FORK_WAV, 0, &forks[8]), -ENOSPC);
	cr_assert_eq(wire_stats(&wire).refusals[STW_LIMIT_FORKS], 1);
	cr_assert_eq(stw_fork_remove(wire.media, forks[3]), 0);
	stw_media_record(wire.media, 1);
	cr_assert_eq(fork_add(STW_FORK_WAV, 0, &forks[8]), -EEXIST);
	cr_assert_eq(wire_stats(&wire).forks, 7);
	cr_assert_eq(wire_stats(&wire).refused, 1);
}

Test(fork, file_that_cannot_be_written_is_told_and_the_call_goes_on)
{
	struct rlimit small = {4096, 4096};
	struct stw_media_event event;
	struct stw_fork fork;
	uint32_t relayed = 0;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	cr_assert_eq(fork_add(STW_FORK_PCAPNG, 0, &fork), 0);
	for (uint16_t i = 2; i < 62; i++) {
		both_speak(i);
		stw_media_record(wire.media, 100);
		relayed += wire_drop_all(&wire, 0) + wire_drop_all(&wire, 1);
	}
	cr_assert_eq(relayed, 120);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_FORK_FAILED);
	cr_assert(event.error < 0);
	cr_assert(event.fork_stats.packets_written < event.fork_stats.packets);
	cr_assert_eq(wire_event_take(&wire, &event), 0, "told once");
	cr_assert_eq(stw_fork_remove(wire.media, fork), 0);
	stw_media_record(wire.media, 100);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	cr_assert_eq(wire_stats(&wire).forks, 0);
}
