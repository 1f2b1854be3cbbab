/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "capture.h"
#include "rtp/telephone_event.h"

/** A phone, and what was heard of it. */
struct phone {
	struct rtp_keypad keypad;
	uint64_t now_ns;
	uint32_t timestamp;
	char digits[200];
	uint32_t last_ms;
};

/** Time of one packet. */
#define STEP_NS    UINT64_C(20000000)
#define STEP_TICKS 160

static void
keep(struct phone *phone, const struct rtp_digit *digits, unsigned count)
{
	size_t length = strlen(phone->digits);

	rtp_keypad_check(&phone->keypad);
	for (unsigned i = 0; i < count; i++) {
		phone->digits[length++] = digits[i].digit;
		phone->last_ms = digits[i].duration_ms;
	}
}

static void
hear(struct phone *phone, uint8_t code, uint32_t timestamp, uint16_t duration, bool marker,
     bool end)
{
	struct stw_rtp_header header = {
		.marker = marker, .ssrc = 5, .timestamp = timestamp, .payload_bytes = 4};
	uint8_t payload[4] = {code, end ? 0x8a : 0x0a, (uint8_t)(duration >> 8), (uint8_t)duration};
	struct rtp_digit digits[RTP_DIGITS_PER_PACKET];

	keep(phone, digits,
	     rtp_keypad_hear(&phone->keypad, &header, payload, phone->now_ns, digits));
}

/* What is lost of a press: bit n is its packet n; the last three are the end. */
static void
press(struct phone *phone, uint8_t code, int packets, uint32_t lost)
{
	for (int i = 0; i < packets; i++) {
		bool end = i >= packets - 3;
		uint16_t duration = (uint16_t)((end ? packets - 3 : i) * STEP_TICKS);

		if (!(lost >> i & 1))
			hear(phone, code, phone->timestamp, duration, i == 0, end);
		phone->now_ns += STEP_NS;
	}
	phone->timestamp += (uint32_t)packets * STEP_TICKS;
}

static void
pause_ms(struct phone *phone, uint32_t ms)
{
	struct rtp_digit digit;

	phone->now_ns += ms * UINT64_C(1000000);
	phone->timestamp += ms * 8;
	keep(phone, &digit,
	     rtp_keypad_expire(&phone->keypad, phone->now_ns, RTP_PRESS_TIMEOUT_NS, &digit));
}

static const struct phone silent = {.now_ns = 1000000000, .timestamp = 0xfffff000};

Test(telephone_event, press_is_told_once_at_its_end_with_its_duration)
{
	struct phone phone = silent;

	press(&phone, 5, 10, 0);
	cr_assert_str_eq(phone.digits, "5");
	cr_assert_eq(phone.last_ms, 140);
	pause_ms(&phone, 1000);
	cr_assert_str_eq(phone.digits, "5");
}

Test(telephone_event, codes_0_to_16_are_keys_and_others_are_nothing)
{
	struct phone phone = silent;

	for (int code = 0; code < 256; code++) {
		press(&phone, (uint8_t)code, 8, 0);
		pause_ms(&phone, 50);
	}
	cr_assert_str_eq(phone.digits, "0123456789*#ABCD!");
}

Test(telephone_event, any_single_packet_left_is_enough)
{
	for (int left = 0; left < 10; left++) {
		struct phone phone = silent;

		press(&phone, 11, 10, 0x3ffu & ~(1u << left));
		pause_ms(&phone, 300);
		cr_assert_str_eq(phone.digits, "#", "packet %d", left);
	}
}

/* Every loss pattern of two equal presses 40 ms apart, of which a packet each is left. */
Test(telephone_event, two_equal_presses_are_two_whatever_is_lost)
{
	for (uint32_t lost = 0; lost < 1u << 14; lost++) {
		struct phone phone = silent;

		if ((lost & 0x7f) == 0x7f || lost >> 7 == 0x7f)
			continue;
		press(&phone, 1, 7, lost & 0x7f);
		pause_ms(&phone, 40);
		press(&phone, 1, 7, lost >> 7);
		pause_ms(&phone, 300);
		cr_assert_str_eq(phone.digits, "11", "lost %x", lost);
	}
}

Test(telephone_event, lost_end_is_told_by_the_next_press)
{
	struct phone phone = silent;

	press(&phone, 1, 8, 0xe0);
	cr_assert_str_eq(phone.digits, "");
	press(&phone, 2, 8, 0xe0);
	cr_assert_str_eq(phone.digits, "1");
	cr_assert_eq(phone.last_ms, 80);
	press(&phone, 3, 8, 0x1f);
	cr_assert_str_eq(phone.digits, "123");
}

Test(telephone_event, lost_end_is_told_by_the_time_out)
{
	struct phone phone = silent;

	press(&phone, 9, 8, 0xe0); /* last heard 80 ms ago */
	pause_ms(&phone, 119);
	cr_assert_str_eq(phone.digits, "");
	cr_assert(rtp_keypad_is_down(&phone.keypad));
	pause_ms(&phone, 1);
	cr_assert_str_eq(phone.digits, "9");
	cr_assert_not(rtp_keypad_is_down(&phone.keypad));
}

Test(telephone_event, key_held_through_a_loss_is_told_once)
{
	struct phone phone = silent;
	uint32_t timestamp = phone.timestamp;

	hear(&phone, 4, timestamp, 0, true, false);
	hear(&phone, 4, timestamp, 160, false, false);
	pause_ms(&phone, 1000);
	cr_assert_str_eq(phone.digits, "4");
	hear(&phone, 4, timestamp, 8160, false, false);
	hear(&phone, 4, timestamp, 8320, false, true);
	pause_ms(&phone, 1000);
	cr_assert_str_eq(phone.digits, "4");
}

Test(telephone_event, packets_in_any_order_are_one_press)
{
	const int orders[][6] = {{5, 0, 1, 2, 3, 4}, {1, 0, 3, 2, 5, 4}, {5, 4, 3, 2, 1, 0}};

	for (int n = 0; n < 3; n++) {
		struct phone phone = silent;

		for (int i = 0; i < 6; i++) {
			int packet = orders[n][i];

			hear(&phone, 7, 8000, (uint16_t)(packet * STEP_TICKS), packet == 0,
			     packet == 5);
			phone.now_ns += STEP_NS / 4;
		}
		pause_ms(&phone, 300);
		cr_assert_str_eq(phone.digits, "7", "order %d", n);
	}
}

Test(telephone_event, packet_of_the_press_before_is_no_press)
{
	struct phone phone = silent;
	uint32_t timestamp = phone.timestamp;

	press(&phone, 1, 8, 0);
	pause_ms(&phone, 40);
	hear(&phone, 2, phone.timestamp, 0, true, false);
	hear(&phone, 1, timestamp, 800, false, true);
	hear(&phone, 2, phone.timestamp, 160, false, true);
	pause_ms(&phone, 300);
	cr_assert_str_eq(phone.digits, "12");
}

Test(telephone_event, long_press_goes_on_in_segments)
{
	struct phone phone = silent;
	uint32_t timestamp = phone.timestamp;

	for (uint32_t ticks = 0; ticks < 150000; ticks += STEP_TICKS) {
		uint32_t segment = ticks / 0xffff;

		hear(&phone, 8, timestamp + segment * 0xffff, (uint16_t)(ticks - segment * 0xffff),
		     ticks == 0, false);
		phone.now_ns += STEP_NS;
	}
	cr_assert_str_eq(phone.digits, "");
	hear(&phone, 8, timestamp + 2 * 0xffff, (uint16_t)(160000 - 2 * 0xffff), false, true);
	cr_assert_str_eq(phone.digits, "8");
	cr_assert_eq(phone.last_ms, 20000);
}

Test(telephone_event, timestamp_that_advances_with_each_packet_is_one_press)
{
	struct phone phone = silent;

	for (int i = 0; i < 12; i++) {
		bool end = i > 9;

		hear(&phone, 6, phone.timestamp + (uint32_t)i * STEP_TICKS,
		     (uint16_t)((end ? 10 : i) * STEP_TICKS), i == 0, end);
		phone.now_ns += STEP_NS;
	}
	cr_assert_str_eq(phone.digits, "6");
}

Test(telephone_event, new_source_is_a_new_press)
{
	struct phone phone = silent;
	struct stw_rtp_header header = {.ssrc = 5, .timestamp = 9, .payload_bytes = 4};
	const uint8_t payload[4] = {3, 0x80, 0, 100};
	struct rtp_digit digits[RTP_DIGITS_PER_PACKET];

	cr_assert_eq(rtp_keypad_hear(&phone.keypad, &header, payload, 0, digits), 1);
	header.ssrc = 6;
	cr_assert_eq(rtp_keypad_hear(&phone.keypad, &header, payload, 0, digits), 1);
}

Test(telephone_event, short_payload_is_nothing)
{
	struct rtp_keypad keypad = {0};
	struct stw_rtp_header header = {.payload_bytes = 3};
	const uint8_t payload[3] = {1, 0x80, 0};
	struct rtp_digit digits[RTP_DIGITS_PER_PACKET];

	cr_assert_eq(rtp_keypad_hear(&keypad, &header, payload, 0, digits), 0);
}

static void
dial(struct phone *phone, const char *name)
{
	static struct capture capture;
	struct rtp_digit digits[RTP_DIGITS_PER_PACKET];
	uint64_t start_ns = phone->now_ns;
	char path[100];

	snprintf(path, sizeof(path), CAPTURE_FOLDER "dtmf_2833_%s.pcap", name);
	cr_assert_eq(capture_read(&capture, path), 0, "%s", path);
	for (size_t i = 0; i < capture.count; i++) {
		struct capture_packet *packet = &capture.packets[i];
		struct stw_rtp_header header;

		cr_assert_eq(stw_rtp_read(packet->payload, packet->payload_bytes, &header), 0);
		phone->now_ns = start_ns + packet->time_ns - capture.packets[0].time_ns;
		keep(phone, digits,
		     rtp_keypad_hear(&phone->keypad, &header,
				     packet->payload + header.payload_offset, phone->now_ns,
				     digits));
	}
}

Test(telephone_event, each_capture_is_exactly_its_digit)
{
	const char *const names[] = {"0", "1", "2", "3", "4",    "5",
				     "6", "7", "8", "9", "star", "pound"};
	const char keys[] = "0123456789*#";

	for (int i = 0; i < 12; i++) {
		struct phone phone = silent;
		char expected[2] = {keys[i]};

		dial(&phone, names[i]);
		pause_ms(&phone, 1000);
		cr_assert_str_eq(phone.digits, expected);
		cr_assert_eq(phone.last_ms, 280);
	}
}

Test(telephone_event, captures_dialled_in_any_order_are_their_digits)
{
	struct phone phone = silent;
	const char *const names[] = {"1", "1", "2", "1", "star", "pound", "star", "0", "0", "0"};

	for (int i = 0; i < 10; i++) {
		dial(&phone, names[i]);
		pause_ms(&phone, 150);
	}
	cr_assert_str_eq(phone.digits, "1121*#*000");
}
