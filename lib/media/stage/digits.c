/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage digits: RFC 4733 telephone events become one media event for each key press.
 *
 * A press whose end is lost is told after a time-out. For that a worker watches the few legs whose
 * key is down, one a turn; when it watches too many, a press is told at the latest by the next one.
 *
 * Of a leg whose digits are suppressed, events end here. A press keeps that mark when suppression
 * ends before its last packet, since one packet is enough for the peer to know the key. Silence
 * takes the place of audio in the received buffer, before anybody else reads it.
 */
#include "stages.h"

#include <rte_udp.h>

#include "media/checksum.h"
#include "media/plane.h"
#include "rtp/g711.h"

/** Time in which each key that is down is looked at once by an idle worker. */
#define KEYS_ROUND_NS UINT64_C(20000000)

static void
digit_tell(struct worker *worker, uint32_t leg, const struct rtp_digit *digit)
{
	struct stw_media_event event = {
		.type = STW_MEDIA_EVENT_DIGIT,
		.digit = digit->digit,
		.duration_ms = digit->duration_ms,
	};

	worker_count_own32(&worker->media->intakes[leg].digits, 1);
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

static uint8_t *
payload_of(const struct packet *packet)
{
	return rte_pktmbuf_mtod_offset(packet->mbuf, uint8_t *,
				       packet->udp_offset + sizeof(struct rte_udp_hdr) +
					       packet->rtp.payload_offset);
}

static void
digits_hear(struct worker *worker, const struct packet *packet)
{
	struct rtp_keypad *keypad = &worker->media->keypads[packet->leg].keypad;
	const uint8_t *payload = payload_of(packet);
	struct rtp_digit digits[RTP_DIGITS_PER_PACKET];
	unsigned told;

	told = rtp_keypad_hear(keypad, &packet->rtp, payload, worker->now_ns, digits);
	for (unsigned i = 0; i < told; i++)
		digit_tell(worker, packet->leg, &digits[i]);
	if (rtp_keypad_is_down(keypad))
		key_watch(worker, packet->leg);
}

/** Whether a telephone event goes no further. */
static bool
event_is_suppressed(struct worker *worker, const struct packet *packet)
{
	struct rtp_keypad *keypad = &worker->media->keypads[packet->leg].keypad;
	bool asked = packet->features & LEG_SUPPRESS_DIGITS;
	struct rtp_press *press =
		rtp_keypad_press(keypad, &packet->rtp, payload_of(packet), worker->now_ns);

	if (!press)
		return asked;
	press->marked |= asked;
	return press->marked;
}

/** Put silence into the place of audio and make the UDP checksum right again. */
static void
audio_silence(struct packet *packet, enum stw_codec codec)
{
	uint8_t *payload = payload_of(packet);
	uint8_t *checksum = rte_pktmbuf_mtod_offset(
		packet->mbuf, uint8_t *,
		packet->udp_offset + offsetof(struct rte_udp_hdr, dgram_cksum));
	uint64_t before = checksum_add(0, payload, packet->rtp.payload_bytes);
	uint16_t value;

	memset(payload, codec == STW_CODEC_PCMA ? RTP_PCMA_SILENCE : RTP_PCMU_SILENCE,
	       packet->rtp.payload_bytes);
	memcpy(&value, checksum, sizeof(value));
	if (!value)
		return;
	value = checksum_update(value, before, checksum_add(0, payload, packet->rtp.payload_bytes));
	value = value ? value : 0xffff;
	memcpy(checksum, &value, sizeof(value));
}

/** Keep from peer and forks what is to be kept from them. */
static void
packet_suppress(struct worker *worker, struct packet *packet)
{
	union leg_traits traits = {atomic_load_explicit(&worker->media->routes[packet->leg].traits,
							memory_order_relaxed)};

	if (packet->event) {
		if (event_is_suppressed(worker, packet))
			packet->verdict = STW_PASS_SUPPRESSED;
		return;
	}
	if (!(packet->features & LEG_SUPPRESS_AUDIO) || packet->kind != PACKET_RTP)
		return;
	if (packet->rtp.payload_type == traits.audio_pt)
		audio_silence(packet, traits.codec);
	else
		packet->verdict = STW_PASS_SUPPRESSED;
}

void
stage_digits(struct worker *worker, struct packet *packets, unsigned count)
{
	if (STW_LIKELY(!(worker->burst_events | (worker->burst_features & LEG_SUPPRESS))))
		return;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];

		if (packet->verdict != PACKET_PENDING)
			continue;
		if (packet->event)
			digits_hear(worker, packet);
		if (packet->event || packet->features & LEG_SUPPRESS)
			packet_suppress(worker, packet);
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

uint64_t
digits_due(const struct worker *worker)
{
	/* One is looked at in a turn. */
	return worker->keys ? worker->now_ns + KEYS_ROUND_NS / worker->keys : UINT64_MAX;
}
