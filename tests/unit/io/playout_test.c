/* SPDX-License-Identifier: BSD-3-Clause */
/* Playouts: one block of payloads, each listener at its own place, every 20 ms. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/plane.h"
#include "wire_suite.h"

#define PACKETS 5

static struct wire wire;
static struct call call;
static char path[] = "/tmp/stw-playout-XXXXXX";
static struct stw_playout music, speech;

/* A mu-law WAV file of PACKETS packets; sample n of packet p is 16 p + n % 13. */
static void
file_make(void)
{
	uint8_t head[44] =
		"RIFF....WAVEfmt \x10\0\0\0\7\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\10\0data";
	uint32_t data_bytes = PACKETS * 160, riff_bytes = 36 + data_bytes;
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "wb");

	memcpy(head + 4, &riff_bytes, 4);
	memcpy(head + 40, &data_bytes, 4);
	fwrite(head, 1, sizeof(head), file);
	for (unsigned packet = 0; packet < PACKETS; packet++) {
		for (unsigned n = 0; n < 160; n++)
			fputc((int)(16 * packet + n % 13), file);
	}
	fclose(file);
}

static struct stw_playout
load(uint8_t loop)
{
	struct stw_playout_config config = STW_PLAYOUT_CONFIG_INIT;
	struct stw_playout playout;

	config.path = path;
	config.loop = loop;
	cr_assert_eq(stw_playout_load(wire.media, &config, &playout), 0);
	return playout;
}

static void
open_wire(void)
{
	wire_begin(&wire);
	wire_call_latched(&wire, &call);
	file_make();
	music = load(1);
	speech = load(0);
}

static void
close_wire(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
	unlink(path);
}

TestSuite(playout, .init = open_wire, .fini = close_wire);

static void
attach(struct stw_playout playout)
{
	cr_assert_eq(stw_playout_attach(wire.media, call.caller, playout, wire.now_ns), 0);
}

static void
poll_at(uint64_t ms)
{
	wire.now_ns = WIRE_START_NS + ms * WIRE_MS;
	wire_poll(&wire);
}

/* A playout packet as it must be; the place in the block is told by the payload. */
static void
check_packet(const struct frame *frame, unsigned packet)
{
	cr_assert_eq(frame->bytes, 54 + 160);
	cr_assert(wire_checksums_are_right(frame));
	cr_assert_eq(wire_u16(frame, 34), call.caller_local.port);
	cr_assert_eq(wire_u16(frame, 36), wire_caller.udp_port);
	cr_assert_arr_eq(frame->data, wire_caller.mac, 6);
	cr_assert_eq(frame->data[15], 46 << 2);
	cr_assert_eq(frame->data[42], 0x80);
	cr_assert_eq(frame->data[43] & 0x7f, 0);
	for (unsigned n = 0; n < 160; n++)
		cr_assert_eq(frame->data[54 + n], 16 * packet + n % 13);
}

Test(playout, first_packet_is_sent_when_it_is_due_and_one_follows_each_20_ms)
{
	uint32_t timestamp = 0, ssrc = 0;
	uint16_t sequence = 0;
	struct frame frame;

	attach(music);
	for (unsigned ms = 0; ms < 300; ms++) {
		bool due = ms % 20 == 0;

		poll_at(ms);
		cr_assert_eq(wire_take(&wire, 0, &frame), due, "at %u ms", ms);
		if (!due)
			continue;
		check_packet(&frame, ms / 20 % PACKETS);
		if (ms > 0) {
			cr_assert_eq(wire_u16(&frame, 44), (uint16_t)(sequence + 1));
			cr_assert_eq(wire_u32(&frame, 46), timestamp + 160);
			cr_assert_eq(wire_u32(&frame, 50), ssrc);
		}
		cr_assert_eq(frame.data[43] >> 7, ms == 0, "marker");
		sequence = wire_u16(&frame, 44);
		timestamp = wire_u32(&frame, 46);
		ssrc = wire_u32(&frame, 50);
	}
	cr_assert_eq(wire_stats(&wire).packets_played, 15);
}

Test(playout, announcement_ends_once_with_an_event)
{
	struct stw_media_event event;
	struct frame frame;
	unsigned packets = 0;

	attach(speech);
	for (unsigned ms = 0; ms < 99; ms++) {
		poll_at(ms);
		packets += wire_take(&wire, 0, &frame);
		cr_assert_eq(wire_event_take(&wire, &event), 0);
	}
	cr_assert_eq(packets, PACKETS);
	poll_at(100);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_PLAYOUT_ENDED);
	cr_assert_eq(event.playout.id, speech.id);
	cr_assert_eq(event.leg.id, call.caller.id);
	for (unsigned ms = 101; ms < 200; ms++)
		poll_at(ms);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	cr_assert(!wire_take(&wire, 0, &frame));
	cr_assert_eq(stw_playout_unload(wire.media, speech), 0, "nobody listens any more");
}

Test(playout, stream_is_continuous_over_changes_of_playout)
{
	uint32_t timestamp = 0, ssrc = 0, timestamps[20];
	unsigned packets = 0;
	uint16_t sequence = 0;
	struct frame frame;

	attach(music);
	for (unsigned ms = 0; ms < 300; ms++) {
		wire.now_ns = WIRE_START_NS + ms * WIRE_MS;
		if (ms == 60)
			attach(speech);
		if (ms == 200)
			attach(music);
		wire_poll(&wire);
		if (!wire_take(&wire, 0, &frame))
			continue;
		if (packets > 0) {
			cr_assert_eq(wire_u16(&frame, 44), (uint16_t)(sequence + 1));
			cr_assert_eq(wire_u32(&frame, 50), ssrc);
		}
		sequence = wire_u16(&frame, 44);
		ssrc = wire_u32(&frame, 50);
		timestamp = wire_u32(&frame, 46);
		timestamps[packets++] = timestamp;
	}
	/* 0 to 140 ms: 3 of music and 5 of speech; from 200 ms on: 5 of music, 60 ms later. */
	cr_assert_eq(packets, 13);
	for (unsigned i = 1; i < 13; i++)
		cr_assert_eq(timestamps[i] - timestamps[i - 1], i == 8 ? 160u * 3 : 160u, "%u", i);
}

Test(playout, detached_leg_gets_nothing_more)
{
	struct stw_playout none = {0};
	struct frame frame;

	attach(music);
	poll_at(0);
	cr_assert(wire_take(&wire, 0, &frame));
	attach(none);
	for (unsigned ms = 1; ms < 100; ms++)
		poll_at(ms);
	cr_assert(!wire_take(&wire, 0, &frame));
	cr_assert_eq(stw_playout_unload(wire.media, music), 0);
	cr_assert_eq(stw_playout_unload(wire.media, music), -ESTALE);
	cr_assert_eq(stw_playout_attach(wire.media, call.caller, music, wire.now_ns), -ESTALE);
}

Test(playout, playout_that_somebody_hears_is_not_unloaded)
{
	attach(music);
	cr_assert_eq(stw_playout_unload(wire.media, music), -EBUSY);
	poll_at(0);
	cr_assert_eq(stw_playout_unload(wire.media, music), -EBUSY);
	attach(speech);
	cr_assert_eq(stw_playout_unload(wire.media, music), 0);
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	cr_assert_eq(stw_playout_unload(wire.media, speech), 0, "removed with its leg");
}

Test(playout, each_listener_is_at_its_own_place)
{
	struct frame frame;

	attach(music);
	poll_at(0);
	poll_at(20);
	wire_drop_all(&wire, 0);
	cr_assert_eq(stw_playout_attach(wire.media, call.agent, music, wire.now_ns + 20 * WIRE_MS),
		     0);
	poll_at(40);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert_eq(frame.data[54], 32);
	cr_assert(wire_take(&wire, 1, &frame));
	cr_assert_eq(frame.data[54], 0);
}

Test(playout, start_in_the_future_is_waited_for)
{
	struct frame frame;

	cr_assert_eq(
		stw_playout_attach(wire.media, call.caller, music, wire.now_ns + 1000 * WIRE_MS),
		0);
	for (unsigned ms = 0; ms < 1000; ms++) {
		poll_at(ms);
		cr_assert(!wire_take(&wire, 0, &frame), "at %u", ms);
	}
	poll_at(1000);
	cr_assert(wire_take(&wire, 0, &frame));
}

Test(playout, stalled_worker_catches_up_within_bounds)
{
	struct frame first, frame;

	attach(music);
	poll_at(0);
	cr_assert(wire_take(&wire, 0, &first));
	/* Late by two packets: both are sent. */
	poll_at(45);
	cr_assert_eq(wire_drop_all(&wire, 0), 2);
	/* Late by a second: one is sent, in time again, without a gap in the sequence. */
	poll_at(1060);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert_eq(wire_u16(&frame, 44), (uint16_t)(wire_u16(&first, 44) + 3));
	cr_assert_eq(wire_u32(&frame, 46), wire_u32(&first, 46) + 53 * 160);
	cr_assert_eq(frame.data[43] >> 7, 1);
	cr_assert(!wire_take(&wire, 0, &frame));
	poll_at(1080);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert(!wire_take(&wire, 0, &frame));
}

Test(playout, packet_without_a_way_is_counted)
{
	struct stw_leg_config config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	struct frame frame;

	config.remote.ip.bytes[3] = 99;
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &config, wire.now_ns), 0);
	attach(music);
	poll_at(0);
	cr_assert_eq(wire_stats(&wire).packets_play_dropped, 1);
	cr_assert_eq(wire_stats(&wire).packets_played, 0);
	cr_assert(wire_take(&wire, 0, &frame), "the question for the link address");
	cr_assert_eq(wire_u16(&frame, 12), 0x0806);
}

Test(playout, unloaded_block_is_free_when_no_worker_reads_it)
{
	struct stw_playout none = {0};
	struct frame frame;

	attach(music);
	poll_at(0);
	rte_rcu_qsbr_thread_online(wire.media->rcu, 0);
	attach(none);
	cr_assert_eq(stw_playout_unload(wire.media, music), 0);
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(wire.media->playout_packets, 2 * PACKETS);
	rte_rcu_qsbr_quiescent(wire.media->rcu, 0);
	rte_rcu_qsbr_thread_offline(wire.media->rcu, 0);
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(wire.media->playout_packets, PACKETS);
	cr_assert(wire_take(&wire, 0, &frame), "sent before, and a copy");
	check_packet(&frame, 0);
}

Test(playout, limits_and_mistakes_are_told)
{
	struct stw_playout_config config = STW_PLAYOUT_CONFIG_INIT;
	struct stw_playout more;

	cr_assert_eq(stw_playout_load(wire.media, &config, &more), -EINVAL);
	config.path = "/nonexistent.wav";
	cr_assert_eq(stw_playout_load(wire.media, &config, &more), -ENOENT);
	config.path = "/proc/self/exe";
	cr_assert_eq(stw_playout_load(wire.media, &config, &more), -EINVAL);
	config.path = path;
	cr_assert_eq(stw_playout_load(wire.media, &config, &more), 0);
	cr_assert_eq(stw_playout_load(wire.media, &config, &more), 0);
	cr_assert_eq(stw_playout_load(wire.media, &config, &more), -ENOSPC);
	cr_assert_eq(wire_stats(&wire).refusals[STW_LIMIT_PLAYOUTS], 1);
	cr_assert_eq(wire_stats(&wire).playouts, 4);
	cr_assert_eq(wire_stats(&wire).refused, 1);
	cr_assert_eq(stw_playout_unload(wire.media, more), 0);
	cr_assert_eq(stw_playout_load(wire.media, &config, &more), 0);
}

Test(playout, hundreds_of_listeners_are_served_in_time)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	struct stw_endpoint local;
	struct stw_session session;
	struct stw_leg leg;
	uint32_t packets = 0;

	for (unsigned i = 0; i < 28; i++) {
		if (i % 4 == 0)
			cr_assert_eq(stw_session_add(wire.media, &session_config, &session), 0);
		config.remote.port = (uint16_t)(30000 + i);
		cr_assert_eq(stw_leg_add(wire.media, session, &config, wire.now_ns, &leg, &local),
			     0);
		cr_assert_eq(stw_playout_attach(wire.media, leg, music,
						wire.now_ns + (i * 7 % 20) * WIRE_MS +
							i * 1000 * (i % 3)),
			     0);
	}
	for (unsigned ms = 0; ms < 1000; ms++) {
		poll_at(ms);
		plane_check(wire.media);
		packets += wire_drop_all(&wire, 0);
	}
	cr_assert(packets >= 28 * 49 && packets <= 28 * 50, "%u", packets);
}
