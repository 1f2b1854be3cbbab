/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys pressed, from RFC 4733 telephone events: one press, one digit, however many of its packets
 * come, in whatever order. One writer; plain memory.
 */
#ifndef STW_RTP_TELEPHONE_EVENT_H
#define STW_RTP_TELEPHONE_EVENT_H

#include <stdint.h>

#include <strowger/rtp.h>

/** Bytes of a telephone-event payload. */
#define RTP_EVENT_BYTES 4

/** Lowest power level that an event may have, without its sign, dBm0. */
#define RTP_EVENT_VOLUME_MAX 63

/** One packet of an event, to be written. */
struct rtp_event {
	uint8_t code;      /**< RFC 4733 event */
	uint8_t end;       /**< 1: the key is up */
	uint8_t volume;    /**< 0 to RTP_EVENT_VOLUME_MAX */
	uint16_t duration; /**< so far, ticks */
};

/** Event of a key: '0'-'9', '*', '#', 'A'-'D', '!'; -EINVAL for others. Threads: any. */
int rtp_event_code(char key);

/** Write an event's payload. Threads: any. Source: RFC 4733 2.3. */
void rtp_event_write(const struct rtp_event *event, uint8_t payload[RTP_EVENT_BYTES]);

/** Most digits that one packet can complete: the one whose end was lost, and its own. */
#define RTP_DIGITS_PER_PACKET 2

/**
 * Advised time-out of a press whose end is lost, nanoseconds: senders repeat at least every 50 ms
 * (RFC 4733 2.5.1.1), so four have been lost.
 */
#define RTP_PRESS_TIMEOUT_NS UINT64_C(200000000)

/** A finished key press. */
struct rtp_digit {
	char digit;           /**< '0'-'9', '*', '#', 'A'-'D', or '!' (flash) */
	uint32_t duration_ms; /**< how long the key was down, as far as heard */
	uint32_t timestamp;   /**< RTP timestamp of its beginning */
};

/** State of one key press. */
enum rtp_press_state {
	RTP_PRESS_NONE, /**< never one */
	RTP_PRESS_DOWN, /**< its end has not come */
	RTP_PRESS_TOLD, /**< given to the caller; what comes of it now is a repetition */
};

/** One key press. */
struct rtp_press {
	uint64_t heard_ns;          /**< when its last packet came */
	uint32_t ssrc;              /**< its source */
	uint32_t timestamp;         /**< of its beginning */
	uint32_t duration;          /**< longest heard, ticks */
	uint8_t code;               /**< RFC 4733 event, 0 to 16 */
	uint8_t marked;             /**< the caller's own; 0 when the press begins */
	enum rtp_press_state state; /**< where it stands */
};

/** Key presses of a leg. All bytes 0: none yet. */
struct rtp_keypad {
	struct rtp_press current;  /**< the latest */
	struct rtp_press previous; /**< the one before, of which packets may still straggle in */
};

/**
 * Hear one telephone-event packet. A press is told when its first end packet comes, or when the
 * next press begins.
 *
 * @param keypad        borrowed, changed
 * @param header        borrowed; the packet's
 * @param payload       borrowed; header->payload_bytes bytes
 * @param now_ns        when it came, nanoseconds of any steady clock
 * @param digits        filled with up to RTP_DIGITS_PER_PACKET presses, oldest first
 * @return number of digits, 0 to RTP_DIGITS_PER_PACKET; 0 too for what is no key's event
 *
 * Threads:  one at a time for each keypad.
 * Progress: wait-free (bound 1).
 * Order:    none.
 * Source:   RFC 4733 2.3 (payload), 2.5.1 (sending, long events), 2.5.2 (receiving), 3.2 (codes).
 */
unsigned rtp_keypad_hear(struct rtp_keypad *keypad, const struct stw_rtp_header *header,
			 const uint8_t *payload, uint64_t now_ns,
			 struct rtp_digit digits[RTP_DIGITS_PER_PACKET]);

/**
 * Which press a telephone-event packet belongs to, after rtp_keypad_hear with the same arguments.
 *
 * @return one of the keypad's presses; NULL for what is no key's event
 *
 * Threads:  as rtp_keypad_hear.
 * Progress: wait-free (bound 1).
 * Order:    none.
 * Source:   RFC 4733 2.5.1.3 (segments of long events).
 */
struct rtp_press *rtp_keypad_press(struct rtp_keypad *keypad, const struct stw_rtp_header *header,
				   const uint8_t *payload, uint64_t now_ns);

/**
 * Tell a press whose end does not come. Cheap when no key is down.
 *
 * @param keypad      borrowed, changed
 * @param now_ns      the clock
 * @param timeout_ns  silence after which a key counts as released
 * @param digit       filled when 1 is returned
 * @return number of digits, 0 or 1
 *
 * Threads:  one at a time for each keypad.
 * Progress: wait-free (bound 1).
 * Order:    none.
 * Source:   RFC 4733 2.5.2.
 */
unsigned rtp_keypad_expire(struct rtp_keypad *keypad, uint64_t now_ns, uint64_t timeout_ns,
			   struct rtp_digit *digit);

/** 1 while a key is down, that is, while rtp_keypad_expire may have something to tell. */
static inline int
rtp_keypad_is_down(const struct rtp_keypad *keypad)
{
	return keypad->current.state == RTP_PRESS_DOWN;
}

/**
 * Verify the invariants; ends in the host's panic handler when one is broken.
 *
 * Threads: as rtp_keypad_hear. Progress: wait-free (bound 1). Order: none.
 */
void rtp_keypad_check(const struct rtp_keypad *keypad);

#endif
