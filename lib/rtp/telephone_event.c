/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys pressed, from telephone events. A press is known by its source, its code and the timestamp
 * of its beginning, which all of its packets carry. Three things soften that:
 *
 * - A press above 8 s goes on as a further segment, whose timestamp is 65535 later (RFC 4733
 *   2.5.1.3).
 * - Some senders advance the timestamp with each packet. Such a packet says that the key has been
 *   down since the press's beginning, which the first packet of another press never does.
 * - A sender that plays a capture twice sends two presses with equal fields. The second begins
 *   after a pause with a shorter duration than was heard before.
 */
#include "telephone_event.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "reception.h"

#include "base/base.h"

/** Last code that is a key: 0-9, *, #, A-D, flash (RFC 4733 3.2). */
#define EVENT_CODE_LAST 16

/** Keys by their codes. */
static const char keys[] = "0123456789*#ABCD!";

/** Ticks of a segment of a long event. */
#define SEGMENT_TICKS UINT32_C(0xffff)

/** Ticks that an advancing timestamp may run ahead of the duration: below any pause (40 ms). */
#define ADVANCE_TICKS 240

/** Silence after which a shorter duration is a press of its own, not a packet overtaken. */
#define REPLAY_PAUSE_NS UINT64_C(100000000)

/** One packet. */
struct event {
	uint64_t now_ns;
	uint32_t ssrc;
	uint32_t timestamp;
	uint32_t duration;
	uint8_t code;
	bool marker;
	bool end;
};

int
rtp_event_code(char key)
{
	const char *found = key ? strchr(keys, key) : NULL;

	return found ? (int)(found - keys) : -EINVAL;
}

void
rtp_event_write(const struct rtp_event *event, uint8_t payload[RTP_EVENT_BYTES])
{
	payload[0] = event->code;
	payload[1] = (uint8_t)((event->end != 0) << 7 | event->volume);
	payload[2] = (uint8_t)(event->duration >> 8);
	payload[3] = (uint8_t)event->duration;
}

static bool
event_read(struct event *event, const struct stw_rtp_header *header, const uint8_t *payload,
	   uint64_t now_ns)
{
	if (header->payload_bytes < RTP_EVENT_BYTES || payload[0] > EVENT_CODE_LAST)
		return false;
	*event = (struct event){
		.now_ns = now_ns,
		.ssrc = header->ssrc,
		.timestamp = header->timestamp,
		.duration = (uint32_t)payload[2] << 8 | payload[3],
		.code = payload[0],
		.marker = header->marker,
		.end = payload[1] >> 7,
	};
	return true;
}

static bool
segment_follows(const struct rtp_press *press, uint32_t offset)
{
	return offset % SEGMENT_TICKS == 0 &&
	       offset / SEGMENT_TICKS <= press->duration / SEGMENT_TICKS + 1;
}

/*
 * Is the packet one of this press? If so, total is how long the press has lasted by it, ticks.
 */
static bool
press_owns(const struct rtp_press *press, const struct event *event, uint32_t *total)
{
	uint32_t offset = event->timestamp - press->timestamp;

	if (press->state == RTP_PRESS_NONE || press->ssrc != event->ssrc ||
	    press->code != event->code)
		return false;
	if (offset == 0)
		*total = event->duration;
	else if (event->marker)
		return false;
	else if (segment_follows(press, offset))
		*total = offset + event->duration;
	else if (offset <= event->duration + ADVANCE_TICKS)
		*total = event->duration;
	else
		return false;
	return event->end || *total >= press->duration ||
	       (int64_t)(event->now_ns - press->heard_ns) < (int64_t)REPLAY_PAUSE_NS;
}

static void
press_hear(struct rtp_press *press, const struct event *event, uint32_t total)
{
	press->heard_ns = event->now_ns;
	if (total > press->duration)
		press->duration = total;
}

static void
press_begin(struct rtp_press *press, const struct event *event)
{
	*press = (struct rtp_press){
		.heard_ns = event->now_ns,
		.ssrc = event->ssrc,
		.timestamp = event->timestamp,
		.duration = event->duration,
		.code = event->code,
		.state = RTP_PRESS_DOWN,
	};
}

static void
press_tell(struct rtp_press *press, struct rtp_digit *digit)
{
	digit->digit = keys[press->code];
	digit->duration_ms = press->duration / (RTP_CLOCK_HZ / 1000);
	digit->timestamp = press->timestamp;
	press->state = RTP_PRESS_TOLD;
}

unsigned
rtp_keypad_hear(struct rtp_keypad *keypad, const struct stw_rtp_header *header,
		const uint8_t *payload, uint64_t now_ns,
		struct rtp_digit digits[RTP_DIGITS_PER_PACKET])
{
	struct event event;
	uint32_t total;
	unsigned count = 0;

	if (!event_read(&event, header, payload, now_ns))
		return 0;
	if (press_owns(&keypad->current, &event, &total)) {
		press_hear(&keypad->current, &event, total);
	} else if (press_owns(&keypad->previous, &event, &total)) {
		press_hear(&keypad->previous, &event, total);
		return 0;
	} else {
		if (keypad->current.state == RTP_PRESS_DOWN)
			press_tell(&keypad->current, &digits[count++]);
		keypad->previous = keypad->current;
		press_begin(&keypad->current, &event);
	}
	if (event.end && keypad->current.state == RTP_PRESS_DOWN)
		press_tell(&keypad->current, &digits[count++]);
	return count;
}

struct rtp_press *
rtp_keypad_press(struct rtp_keypad *keypad, const struct stw_rtp_header *header,
		 const uint8_t *payload, uint64_t now_ns)
{
	struct event event;
	uint32_t total;

	if (!event_read(&event, header, payload, now_ns))
		return NULL;
	if (press_owns(&keypad->current, &event, &total))
		return &keypad->current;
	return press_owns(&keypad->previous, &event, &total) ? &keypad->previous : NULL;
}

unsigned
rtp_keypad_expire(struct rtp_keypad *keypad, uint64_t now_ns, uint64_t timeout_ns,
		  struct rtp_digit *digit)
{
	int64_t silence_ns = (int64_t)(now_ns - keypad->current.heard_ns);

	if (keypad->current.state != RTP_PRESS_DOWN || silence_ns < (int64_t)timeout_ns)
		return 0;
	press_tell(&keypad->current, digit);
	return 1;
}

void
rtp_keypad_check(const struct rtp_keypad *keypad)
{
	STW_ASSERT(keypad->current.state <= RTP_PRESS_TOLD);
	STW_ASSERT(keypad->current.code <= EVENT_CODE_LAST);
	STW_ASSERT(keypad->previous.state != RTP_PRESS_DOWN);
	STW_ASSERT(keypad->previous.code <= EVENT_CODE_LAST);
	STW_ASSERT(keypad->current.state != RTP_PRESS_NONE ||
		   keypad->previous.state == RTP_PRESS_NONE);
}
