/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage digits: RFC 4733 telephone events become one media event for each key press.
 *
 * A press whose end is lost is told after a time-out. For that a worker watches the few legs whose
 * key is down, one a turn; when it watches too many, a press is told at the latest by the next one.
 */
#include "stages.h"

#include <rte_udp.h>

#include "media/plane.h"

static void
digit_tell(struct worker *worker, uint32_t leg, const struct rtp_digit *digit)
{
	struct stw_media_event event = {
		.type = STW_MEDIA_EVENT_DIGIT,
		.digit = digit->digit,
		.duration_ms = digit->duration_ms,
	};

	worker_count_own(&worker->media->intakes[leg].digits, 1);
	events_tell_leg(worker, leg, &event);
}

static void
key_watch(struct worker *worker, uint32_t leg)
{
	uint64_t handle =
		atomic_load_explicit(&worker->media->cards[leg].handle, memory_order_relaxed);

	for (unsigned i = 0; i < worker->keys; i++) {
		if (worker->keys_down[i].leg == leg) {
			worker->keys_down[i].handle = handle;
			return;
		}
	}
	if (worker->keys < WORKER_KEYS_MAX)
		worker->keys_down[worker->keys++] =
			(struct worker_key){.leg = leg, .handle = handle};
}

static void
digits_hear(struct worker *worker, const struct packet *packet)
{
	struct rtp_keypad *keypad = &worker->media->keypads[packet->leg].keypad;
	const uint8_t *payload = rte_pktmbuf_mtod_offset(
		packet->mbuf, const uint8_t *,
		packet->udp_offset + sizeof(struct rte_udp_hdr) + packet->rtp.payload_offset);
	struct rtp_digit digits[RTP_DIGITS_PER_PACKET];
	unsigned told;

	told = rtp_keypad_hear(keypad, &packet->rtp, payload, worker->now_ns, digits);
	for (unsigned i = 0; i < told; i++)
		digit_tell(worker, packet->leg, &digits[i]);
	if (rtp_keypad_is_down(keypad))
		key_watch(worker, packet->leg);
}

void
stage_digits(struct worker *worker, struct packet *packets, unsigned count)
{
	if (!worker->burst_events)
		return;
	for (unsigned i = 0; i < count; i++) {
		if (packets[i].verdict == PACKET_PENDING && packets[i].event)
			digits_hear(worker, &packets[i]);
	}
}

void
digits_turn(struct worker *worker)
{
	struct stw_media *media = worker->media;
	struct rtp_digit digit;
	struct worker_key *key;

	if (worker->keys == 0)
		return;
	if (worker->keys_next >= worker->keys)
		worker->keys_next = 0;
	key = &worker->keys_down[worker->keys_next++];
	/* A leg that was removed has another handle; its keypad may be another leg's. */
	if (atomic_load_explicit(&media->cards[key->leg].handle, memory_order_relaxed) ==
	    key->handle) {
		struct rtp_keypad *keypad = &media->keypads[key->leg].keypad;

		if (rtp_keypad_expire(keypad, worker->now_ns, RTP_PRESS_TIMEOUT_NS, &digit))
			digit_tell(worker, key->leg, &digit);
		if (rtp_keypad_is_down(keypad))
			return;
	}
	*key = worker->keys_down[--worker->keys];
}
