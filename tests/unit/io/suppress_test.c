/* SPDX-License-Identifier: BSD-3-Clause */
/* What a leg is kept from sending while a card number is entered. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;
static struct call call;
static struct stw_consumer *consumer;
static struct stw_fork forked;

static void
open_wire(void)
{
	struct stw_consumer_config consumer_config = STW_CONSUMER_CONFIG_INIT;
	struct stw_fork_config fork_config = STW_FORK_CONFIG_INIT;

	wire_begin(&wire);
	wire_call_latched(&wire, &call);
	consumer_config.frames_max = 64;
	cr_assert_eq(stw_consumer_open(wire.media, &consumer_config, &consumer), 0);
	fork_config.kind = STW_FORK_RING;
	fork_config.consumer = consumer;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &fork_config, wire.now_ns, &forked), 0);
}

static void
close_wire(void)
{
	wire_poll(&wire);
	cr_assert(wire_counters_add_up(&wire));
	plane_check(wire.media);
	wire_close(&wire);
	stw_eal_stop();
}

TestSuite(suppress, .init = open_wire, .fini = close_wire);

static int
press(uint16_t sequence, uint32_t timestamp, uint8_t code, bool end, uint16_t duration)
{
	struct frame frame;

	wire.now_ns += 20 * WIRE_MS;
	wire_event(&frame, &wire_caller, &call.caller_local, sequence, timestamp, code, end,
		   duration);
	return wire_verdict(&wire, 0, &frame);
}

static char
digit_told(void)
{
	struct stw_media_event event;

	while (wire_event_take(&wire, &event) == 1) {
		if (event.type == STW_MEDIA_EVENT_DIGIT)
			return event.digit;
	}
	return 0;
}

static uint64_t
forked_packets(void)
{
	struct stw_fork_stats stats = {0};

	cr_assert_eq(stw_fork_stats(wire.media, forked, &stats), 0);
	return stats.packets;
}

Test(suppress, digits_are_told_but_neither_relayed_nor_forked)
{
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, STW_SUPPRESS_DIGITS), 0);
	wire_drop_all(&wire, 1);
	cr_assert_eq(press(10, 1600, 4, false, 160), STW_PASS_SUPPRESSED);
	cr_assert_eq(press(11, 1600, 4, true, 320), STW_PASS_SUPPRESSED);
	cr_assert_eq(digit_told(), '4');
	cr_assert_eq(wire_drop_all(&wire, 1), 0);
	cr_assert_eq(forked_packets(), 0);
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, 0), 0);
	cr_assert_eq(press(12, 9600, 5, false, 160), STW_PASS_RELAYED);
	cr_assert_eq(press(13, 9600, 5, true, 320), STW_PASS_RELAYED);
	cr_assert_eq(digit_told(), '5');
	cr_assert_eq(forked_packets(), 2);
}

Test(suppress, press_under_way_stays_suppressed_to_its_end)
{
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, STW_SUPPRESS_DIGITS), 0);
	cr_assert_eq(press(10, 1600, 9, false, 160), STW_PASS_SUPPRESSED);
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, 0), 0);
	cr_assert_eq(press(11, 1600, 9, false, 320), STW_PASS_SUPPRESSED);
	cr_assert_eq(press(12, 1600, 9, true, 480), STW_PASS_SUPPRESSED);
	cr_assert_eq(digit_told(), '9');
	cr_assert_eq(press(13, 8000, 1, false, 160), STW_PASS_RELAYED);
	cr_assert_eq(press(14, 1600, 9, true, 480), STW_PASS_SUPPRESSED, "a straggler of it");
	cr_assert_eq(press(15, 8000, 1, true, 320), STW_PASS_RELAYED);
}

Test(suppress, audio_and_the_other_party_pass_while_digits_are_suppressed)
{
	struct frame frame, heard;

	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, STW_SUPPRESS_DIGITS), 0);
	wire_drop_all(&wire, 1);
	wire_rtp(&frame, &wire_caller, &call.caller_local, 0, 10, 1600);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &heard));
	cr_assert_arr_eq(heard.data + 54, frame.data + 54, 160);
	wire_event(&frame, &wire_agent, &call.agent_local, 10, 1600, 3, false, 160);
	cr_assert_eq(wire_verdict(&wire, 1, &frame), STW_PASS_RELAYED);
}

Test(suppress, audio_becomes_silence_of_the_same_length_for_peer_and_fork)
{
	const struct stw_frame *frames[4];
	struct frame frame, heard;
	uint8_t silence[160];

	memset(silence, 0xff, sizeof(silence));
	wire_drop_all(&wire, 1);
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, STW_SUPPRESS_AUDIO), 0);
	wire_rtp(&frame, &wire_caller, &call.caller_local, 0, 10, 1600);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &heard));
	cr_assert_eq(heard.bytes, frame.bytes);
	cr_assert(wire_checksums_are_right(&heard));
	cr_assert_eq(heard.data[43] & 0x7f, 0);
	cr_assert_arr_eq(heard.data + 54, silence, 160);
	cr_assert_eq(stw_consumer_take(consumer, frames, 4), 1);
	cr_assert_eq(frames[0]->payload_bytes, 160);
	cr_assert_arr_eq(frames[0]->payload, silence, 160);
	cr_assert_eq(stw_consumer_give(consumer, frames, 1), 0);
	/* Digits are another matter; what cannot be silenced goes no further. */
	cr_assert_eq(press(11, 1760, 4, false, 160), STW_PASS_RELAYED);
	wire_rtp(&frame, &wire_caller, &call.caller_local, 96, 12, 1920);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_SUPPRESSED);
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, 0), 0);
	wire_drop_all(&wire, 1);
	wire_rtp(&frame, &wire_caller, &call.caller_local, 0, 13, 2080);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &heard));
	cr_assert_arr_eq(heard.data + 54, frame.data + 54, 160);
}

Test(suppress, audio_without_checksum_stays_without)
{
	struct frame frame, heard;

	wire_drop_all(&wire, 1);
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, STW_SUPPRESS_AUDIO), 0);
	wire_rtp(&frame, &wire_caller, &call.caller_local, 0, 10, 1600);
	frame.data[40] = frame.data[41] = 0;
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &heard));
	cr_assert_eq(wire_u16(&heard, 40), 0);
	cr_assert_eq(heard.data[60], 0xff);
}

Test(suppress, outlasts_an_update_and_ends_with_the_leg)
{
	struct stw_leg_config config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);

	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, 4), -EINVAL);
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, STW_SUPPRESS_DIGITS), 0);
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &config, wire.now_ns), 0);
	cr_assert_eq(press(10, 1600, 4, true, 160), STW_PASS_SUPPRESSED);
	cr_assert_eq(stw_leg_remove(wire.media, call.caller, wire.now_ns), 0);
	cr_assert_eq(stw_leg_suppress(wire.media, call.caller, 0), -ESTALE);
	/* The slot's next leg begins without it. */
	wire_poll(&wire);
	stw_media_advance(wire.media, wire.now_ns);
	for (unsigned i = 0; i < 2; i++) {
		struct stw_endpoint local;
		struct stw_leg leg;

		cr_assert_eq(
			stw_leg_add(wire.media, call.session, &config, wire.now_ns, &leg, &local),
			0);
		cr_assert_eq(((union leg_traits)atomic_load(
				      &wire.media->routes[handle_slot(leg.id)].traits))
					     .features &
				     LEG_SUPPRESS,
			     0);
	}
}
