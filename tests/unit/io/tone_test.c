/* SPDX-License-Identifier: BSD-3-Clause */
/* Tones and joined playouts, as a leg's party hears them; digits sent to it. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include <strowger/tone.h>

#include "rtp/g711.h"
#include "rtp/telephone_event.h"
#include "wire_suite.h"

static struct wire wire;
static struct call call;

static void
open_wire(void)
{
	struct stw_media_config config;

	wire_eal_start();
	config = wire_config();
	config.playouts_max = 8;
	wire_open(&wire, &config);
	wire_call_latched(&wire, &call);
}

static void
close_wire(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(tone_playout, .init = open_wire, .fini = close_wire);

static struct stw_playout
tone_make(uint16_t hz, uint16_t ms, uint8_t loop)
{
	struct stw_tone_config config = STW_TONE_CONFIG_INIT;
	struct stw_playout playout;

	config.parts[0] = (struct stw_tone_part){{hz, 0}, ms};
	config.parts_count = 1;
	config.loop = loop;
	cr_assert_eq(stw_tone_load(wire.media, &config, &playout), 0);
	return playout;
}

/* Changes of sign in a payload: twice the frequency by 50. 0: silence. */
static unsigned
signs(const struct frame *frame)
{
	int16_t samples[160];
	unsigned changes = 0;

	rtp_g711_decode(STW_CODEC_PCMU, frame->data + 54, 160, samples);
	for (unsigned i = 1; i < 160; i++)
		changes += (samples[i] < 0) != (samples[i - 1] < 0);
	return changes;
}

/* What the caller hears in so many packets of 20 ms: changes of sign of each. */
static void
listen(unsigned packets, unsigned heard[])
{
	struct frame frame;

	for (unsigned i = 0; i < packets; i++) {
		wire_poll(&wire);
		cr_assert(wire_take(&wire, 0, &frame), "packet %u", i);
		heard[i] = signs(&frame);
		wire.now_ns += 20 * WIRE_MS;
	}
}

Test(tone_playout, busy_tone_is_heard_in_its_cadence_again_and_again)
{
	struct stw_tone_config config;
	struct stw_playout busy;
	unsigned heard[125];

	cr_assert_eq(stw_tone_preset(STW_TONE_BUSY, &config), 0);
	cr_assert_eq(stw_tone_load(wire.media, &config, &busy), 0);
	cr_assert_eq(stw_playout_attach(wire.media, call.caller, busy, wire.now_ns), 0);
	listen(125, heard);
	for (unsigned i = 0; i < 125; i++) {
		/* 425 Hz: 8.5 turns in 20 ms. */
		if (i % 50 < 25)
			cr_assert(heard[i] >= 16 && heard[i] <= 18, "%u: %u", i, heard[i]);
		else
			cr_assert_eq(heard[i], 0, "%u", i);
	}
}

Test(tone_playout, every_preset_can_be_loaded)
{
	struct stw_tone_config config;
	struct stw_playout playout;

	for (int kind = 0; kind < STW_TONE_KIND_COUNT; kind++) {
		cr_assert_eq(stw_tone_preset(kind, &config), 0);
		cr_assert_eq(stw_tone_load(wire.media, &config, &playout), 0, "kind %d", kind);
		cr_assert_eq(stw_playout_unload(wire.media, playout), 0);
		stw_media_advance(wire.media, wire.now_ns);
	}
	cr_assert_eq(stw_tone_preset(STW_TONE_KIND_COUNT, &config), -EINVAL);
	cr_assert_eq(stw_tone_key('7', 100, &config), 0);
	cr_assert_eq(stw_tone_load(wire.media, &config, &playout), 0);
	cr_assert_eq(stw_tone_key('x', 100, &config), -EINVAL);
	cr_assert_eq(stw_tone_key('7', 90, &config), -EINVAL);
}

Test(tone_playout, wrong_descriptions_are_refused)
{
	struct stw_tone_config good = STW_TONE_CONFIG_INIT, bad;
	struct stw_playout playout;

	good.parts[0] = (struct stw_tone_part){{425, 0}, 1000};
	good.parts_count = 1;
	for (unsigned field = 0; field < 8; field++) {
		bad = good;
		switch (field) {
		case 0:
			bad.struct_size = 0;
			break;
		case 1:
			bad.parts_count = 0;
			break;
		case 2:
			bad.parts_count = STW_TONE_PARTS_MAX + 1;
			break;
		case 3:
			bad.level_dbm0 = 0;
			break;
		case 4:
			bad.loop = 2;
			break;
		case 5:
			bad.parts[0].duration_ms = 0;
			break;
		case 6:
			bad.parts[0].frequency_hz[1] = 3701;
			break;
		default:
			bad.parts[0].frequency_hz[0] = 99;
			break;
		}
		cr_assert_eq(stw_tone_load(wire.media, &bad, &playout), -EINVAL, "field %u", field);
	}
	good.parts[0].duration_ms = 10000;
	cr_assert_eq(stw_tone_load(wire.media, &good, &playout), 0);
	cr_assert_eq(stw_tone_load(wire.media, &good, &playout), 0);
	cr_assert_eq(stw_tone_load(wire.media, &good, &playout), -ENOSPC, "1,000 packets are all");
	cr_assert_eq(wire_stats(&wire).refused, 1);
}

static struct stw_playout
join(const struct stw_playout *parts, uint32_t count, enum stw_playout_end end)
{
	struct stw_playout_join config = STW_PLAYOUT_JOIN_INIT;
	struct stw_playout joined;

	config.parts = parts;
	config.parts_count = count;
	config.end = end;
	cr_assert_eq(stw_playout_join(wire.media, &config, &joined), 0);
	return joined;
}

Test(tone_playout, joined_clips_follow_each_other_without_a_gap_and_the_last_stays)
{
	struct stw_playout low = tone_make(300, 40, 0), high = tone_make(600, 20, 0);
	struct stw_playout music = tone_make(1000, 60, 1);
	struct stw_playout parts[] = {low, high, low, music};
	unsigned heard[30];

	cr_assert_eq(stw_playout_attach(wire.media, call.caller,
					join(parts, 4, STW_PLAYOUT_STAYS_LAST), wire.now_ns),
		     0);
	listen(30, heard);
	for (unsigned i = 0; i < 30; i++) {
		unsigned hz = i < 2 || i == 3 || i == 4 ? 300 : i == 2 ? 600 : 1000;

		cr_assert(heard[i] + 2 >= hz / 25 && heard[i] <= hz / 25 + 1, "%u: %u", i,
			  heard[i]);
	}
}

Test(tone_playout, joined_clips_end_with_one_event_and_can_be_unloaded_then)
{
	struct stw_playout low = tone_make(300, 40, 1), high = tone_make(600, 20, 0);
	struct stw_playout parts[] = {high, low, high};
	struct stw_playout joined = join(parts, 3, STW_PLAYOUT_ENDS);
	struct stw_media_event event;
	unsigned heard[4];

	cr_assert_eq(stw_playout_attach(wire.media, call.caller, joined, wire.now_ns), 0);
	listen(4, heard);
	cr_assert_eq(stw_playout_unload(wire.media, joined), -EBUSY);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	wire_poll(&wire);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_PLAYOUT_ENDED);
	cr_assert_eq(event.playout.id, joined.id);
	cr_assert_eq(stw_playout_unload(wire.media, low), -EBUSY, "a part");
	cr_assert_eq(stw_playout_unload(wire.media, joined), 0);
	wire_poll(&wire);
	stw_media_advance(wire.media, wire.now_ns);
	wire_poll(&wire);
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(stw_playout_unload(wire.media, low), 0);
	cr_assert_eq(stw_playout_unload(wire.media, high), 0);
}

Test(tone_playout, what_cannot_be_joined_is_refused)
{
	struct stw_playout low = tone_make(300, 40, 0), stale = tone_make(300, 20, 0);
	struct stw_playout joined = join(&low, 1, STW_PLAYOUT_REPEATS), out;
	struct stw_playout_join config = STW_PLAYOUT_JOIN_INIT;

	cr_assert_eq(stw_playout_join(wire.media, &config, &out), -EINVAL, "no parts");
	config.parts = &joined;
	config.parts_count = 1;
	cr_assert_eq(stw_playout_join(wire.media, &config, &out), -EINVAL, "joined already");
	config.parts = &low;
	config.parts_count = STW_PLAYOUT_PARTS_MAX + 1;
	cr_assert_eq(stw_playout_join(wire.media, &config, &out), -EINVAL, "too many");
	cr_assert_eq(stw_playout_unload(wire.media, stale), 0);
	config.parts = &stale;
	config.parts_count = 1;
	cr_assert_eq(stw_playout_join(wire.media, &config, &out), -ESTALE);
	config.parts = &low;
	for (unsigned i = 0; i < 5; i++)
		cr_assert_eq(stw_playout_join(wire.media, &config, &out), 0);
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(stw_playout_join(wire.media, &config, &out), 0);
	cr_assert_eq(stw_playout_join(wire.media, &config, &out), -ENOSPC);
	cr_assert_eq(wire_stats(&wire).refused, 1);
}

/* The caller's leg knows telephone events (event_pt of wire_leg_config). */
static uint8_t
event_pt(void)
{
	return wire_leg_config(&wire_caller, STW_SIDE_CALLER).event_pt;
}

static int
send_digits(const char *digits)
{
	struct stw_digits_config config = STW_DIGITS_CONFIG_INIT;

	config.digits = digits;
	config.down_ms = 60;
	config.pause_ms = 80;
	return stw_leg_send_digits(wire.media, call.caller, &config, wire.now_ns);
}

Test(tone_playout, digits_are_sent_as_rfc_4733_wants_them)
{
	/* Of each 140 ms: 3 packets with the key down, its end twice more, 2 of silence. */
	static const uint16_t durations[7] = {160, 320, 480, 480, 480, 0, 0};
	struct stw_media_event event;
	struct frame frame;
	uint32_t began = 0;
	uint16_t sequence = 0;

	cr_assert_eq(send_digits("5#"), 0);
	for (unsigned i = 0; i < 14; i++) {
		unsigned at = i % 7;

		cr_assert_eq(wire_event_take(&wire, &event), 0);
		wire_poll(&wire);
		wire.now_ns += 20 * WIRE_MS;
		cr_assert_eq(wire_take(&wire, 0, &frame), durations[at] != 0, "%u", i);
		if (!durations[at])
			continue;
		cr_assert_eq(frame.bytes, 54 + 4);
		cr_assert(wire_checksums_are_right(&frame));
		cr_assert_eq(frame.data[43] & 0x7f, event_pt());
		cr_assert_eq(frame.data[43] >> 7, at == 0, "marker");
		cr_assert_eq(frame.data[54], i < 7 ? 5 : 11);
		cr_assert_eq(frame.data[55], (at >= 2) << 7 | 10);
		cr_assert_eq(wire_u16(&frame, 56), durations[at]);
		if (i)
			cr_assert_eq(wire_u16(&frame, 44), (uint16_t)(sequence + 1));
		sequence = wire_u16(&frame, 44);
		if (at == 0) {
			cr_assert(i == 0 || wire_u32(&frame, 46) == began + 140 * 8);
			began = wire_u32(&frame, 46);
		}
		cr_assert_eq(wire_u32(&frame, 46), began, "all of one key begin at one time");
	}
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_DIGITS_SENT);
	cr_assert_eq(event.leg.id, call.caller.id);
	cr_assert_eq(send_digits("1"), 0, "others may follow");
}

Test(tone_playout, keypad_hears_the_digits_that_are_sent)
{
	static const char sent[] = "0123456789*#ABCD!";
	struct rtp_keypad keypad = {0};
	struct rtp_digit digits[2];
	struct stw_rtp_header header;
	char heard[32] = "";
	struct frame frame;
	size_t count = 0;

	cr_assert_eq(send_digits(sent), 0);
	for (unsigned i = 0; i < 7 * strlen(sent); i++) {
		wire_poll(&wire);
		wire.now_ns += 20 * WIRE_MS;
		if (!wire_take(&wire, 0, &frame))
			continue;
		cr_assert_eq(stw_rtp_read(frame.data + 42, frame.bytes - 42, &header), 0);
		if (rtp_keypad_hear(&keypad, &header, frame.data + 54, wire.now_ns, digits)) {
			cr_assert_eq(digits[0].duration_ms, 60);
			heard[count++] = digits[0].digit;
		}
	}
	cr_assert_str_eq(heard, sent);
}

Test(tone_playout, digits_silence_what_is_played_and_it_goes_on_after)
{
	struct stw_playout music = tone_make(1000, 60, 1);
	struct frame frame;
	uint32_t ssrc = 0;
	uint16_t sequence = 0;
	unsigned events = 0, audio = 0;

	cr_assert_eq(stw_playout_attach(wire.media, call.caller, music, wire.now_ns), 0);
	for (unsigned i = 0; i < 20; i++) {
		if (i == 5)
			cr_assert_eq(send_digits("9"), 0);
		wire_poll(&wire);
		wire.now_ns += 20 * WIRE_MS;
		while (wire_take(&wire, 0, &frame)) {
			bool event = (frame.data[43] & 0x7f) == event_pt();

			if (events + audio) {
				cr_assert_eq(wire_u16(&frame, 44), (uint16_t)(sequence + 1));
				cr_assert_eq(wire_u32(&frame, 50), ssrc);
			}
			sequence = wire_u16(&frame, 44);
			ssrc = wire_u32(&frame, 50);
			events += event;
			audio += !event;
		}
	}
	cr_assert_eq(events, 5);
	cr_assert(audio >= 12 && audio <= 14, "%u", audio);
}

Test(tone_playout, digits_that_are_stopped_end_the_key_that_is_down)
{
	struct stw_media_event event;
	struct frame frame;
	unsigned ends = 0;

	cr_assert_eq(stw_leg_send_digits(wire.media, call.caller, NULL, wire.now_ns), -ENOENT);
	cr_assert_eq(send_digits("12345"), 0);
	cr_assert_eq(send_digits("1"), -EBUSY);
	wire_poll(&wire);
	cr_assert_eq(wire_drop_all(&wire, 0), 1);
	cr_assert_eq(stw_leg_send_digits(wire.media, call.caller, NULL, wire.now_ns), 0);
	for (unsigned i = 0; i < 10; i++) {
		wire.now_ns += 20 * WIRE_MS;
		wire_poll(&wire);
		while (wire_take(&wire, 0, &frame)) {
			cr_assert_eq(frame.data[54], 1, "no other key");
			ends += frame.data[55] >> 7;
		}
	}
	cr_assert_eq(ends, 3);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_DIGITS_SENT);
}

Test(tone_playout, digits_end_with_their_leg_and_wrong_ones_are_refused)
{
	struct stw_digits_config config = STW_DIGITS_CONFIG_INIT;
	struct stw_leg_config leg = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	char many[STW_DIGITS_MAX + 2];

	memset(many, '1', sizeof(many) - 1);
	many[sizeof(many) - 1] = 0;
	cr_assert_eq(send_digits(""), -EINVAL);
	cr_assert_eq(send_digits(NULL), -EINVAL);
	cr_assert_eq(send_digits("12x"), -EINVAL);
	cr_assert_eq(send_digits(many), -EINVAL);
	config.digits = "1";
	config.down_ms = 50;
	cr_assert_eq(stw_leg_send_digits(wire.media, call.caller, &config, wire.now_ns), -EINVAL);
	leg.event_pt = 0;
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &leg, wire.now_ns), 0);
	cr_assert_eq(send_digits("1"), -ENOTSUP);
	leg.event_pt = 101;
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &leg, wire.now_ns), 0);
	cr_assert_eq(send_digits("123"), 0);
	wire_poll(&wire);
	cr_assert_eq(wire_drop_all(&wire, 0), 1);
	cr_assert_eq(stw_leg_remove(wire.media, call.caller, wire.now_ns), 0);
	for (unsigned i = 0; i < 30; i++) {
		wire.now_ns += 20 * WIRE_MS;
		wire_poll(&wire);
	}
	cr_assert_eq(wire_drop_all(&wire, 0), 0);
	cr_assert_eq(send_digits("1"), -ESTALE);
}
