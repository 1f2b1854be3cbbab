/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Telephone events: the input is a row of packets of 8 bytes. Whatever they say, no more digits
 * come out than packets went in, every digit is a key, and nothing is told after the time-out.
 *
 *   byte 0     bit 7 marker, bit 6 ask for the time-out first, bits 0-1 SSRC
 *   byte 1     milliseconds since the packet before, times 4
 *   bytes 2-3  step of the timestamp; the top bit: backwards
 *   bytes 4-7  payload; byte 5 bits 0-5: bytes cut from its end, 0 to 3, when all of bits 2-5 are 0
 */
#include "fuzz.h"

#include <string.h>

#include "rtp/telephone_event.h"

#define PACKET_BYTES 8

/** A leg, and how many digits it gave. */
struct leg {
	struct rtp_keypad keypad;
	uint64_t now_ns;
	uint32_t timestamp;
	unsigned digits;
};

static void
take(struct leg *leg, const struct rtp_digit *digits, unsigned count)
{
	rtp_keypad_check(&leg->keypad);
	FUZZ_ASSERT(count <= RTP_DIGITS_PER_PACKET);
	for (unsigned i = 0; i < count; i++)
		FUZZ_ASSERT(digits[i].digit && strchr("0123456789*#ABCD!", digits[i].digit));
	leg->digits += count;
}

static void
expire(struct leg *leg)
{
	struct rtp_digit digit;

	take(leg, &digit,
	     rtp_keypad_expire(&leg->keypad, leg->now_ns, RTP_PRESS_TIMEOUT_NS, &digit));
}

static void
hear(struct leg *leg, const uint8_t *bytes)
{
	uint32_t step = (uint32_t)(bytes[2] & 0x7f) << 8 | bytes[3];
	struct rtp_digit digits[RTP_DIGITS_PER_PACKET];
	struct stw_rtp_header header = {
		.marker = bytes[0] >> 7,
		.ssrc = bytes[0] & 3,
		.payload_bytes = bytes[5] & 0x3c ? 4 : 4 - (bytes[5] & 3),
	};

	leg->now_ns += bytes[1] * UINT64_C(4000000);
	leg->timestamp += bytes[2] & 0x80 ? -step : step;
	header.timestamp = leg->timestamp;
	if (bytes[0] & 0x40)
		expire(leg);
	take(leg, digits, rtp_keypad_hear(&leg->keypad, &header, bytes + 4, leg->now_ns, digits));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct leg leg = {.now_ns = 1000000000};
	unsigned packets = 0;

	for (; count >= PACKET_BYTES; bytes += PACKET_BYTES, count -= PACKET_BYTES) {
		hear(&leg, bytes);
		FUZZ_ASSERT(leg.digits <= ++packets);
	}
	leg.now_ns += RTP_PRESS_TIMEOUT_NS;
	expire(&leg);
	FUZZ_ASSERT(leg.digits <= packets);
	packets = leg.digits;
	leg.now_ns += RTP_PRESS_TIMEOUT_NS;
	expire(&leg);
	FUZZ_ASSERT(leg.digits == packets);
	return 0;
}
