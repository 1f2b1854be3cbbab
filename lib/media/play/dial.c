/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending digits: for each key a telephone event every 20 ms with a growing duration and the timestamp
 * of its beginning, its last one three times (RFC 4733 2.5.1.4), then the pause.
 *
 * A leg that was removed is noticed by its handle at the next packet. Late packets are not made up for:
 * the event goes on with the duration that it has by then.
 *
 *  label  where                       order    pairs with  without it
 *  D1     asked: slot pushed          release  D2          the worker meets an unfilled slot
 *  D2     asked: taken                acquire  D1          same
 *  D3     done: slot pushed           release  D4          control fills a slot that the worker still reads
 *  D4     done: taken                 acquire  D3          same
 */
#include "dial.h"

#include <errno.h>
#include <string.h>

#include "media/plane.h"
#include "media/stream/egress.h"
#include "rtp/telephone_event.h"

#define PERIOD_NS    (STW_PLAYOUT_PACKET_MS * UINT64_C(1000000))
#define PERIOD_TICKS 160

/** How often an event's end is sent. */
#define DIAL_ENDS 3

#define DIAL_BYTES (STW_RTP_HEADER_BYTES + RTP_EVENT_BYTES)

/** Packets of digits made in one turn. */
#define DIAL_BURST 32

static void
list_push(_Atomic uint32_t *list, struct dial *slots, uint32_t slot)
{
	uint32_t first = atomic_load_explicit(list, memory_order_relaxed);

	do {
		atomic_store_explicit(&slots[slot].next, first, memory_order_relaxed);
		/* D1 and D3, pair with D2 and D4: whoever takes the list sees the slot as it is. */
	} while (!atomic_compare_exchange_weak_explicit(list, &first, slot, memory_order_release,
							memory_order_relaxed));
}

/** The key that goes down, or what is left of it, in an RTP packet of our own. */
static void
event_fill(struct dial *dial, uint8_t payload_type, bool end, uint8_t *rtp)
{
	struct rtp_event event = {.code = dial->codes[dial->at],
				  .end = end,
				  .volume = dial->volume,
				  .duration = dial->duration};
	rte_be16_t sequence = rte_cpu_to_be_16(dial->sequence);
	rte_be32_t timestamp = rte_cpu_to_be_32(dial->timestamp);

	memset(rtp, 0, STW_RTP_HEADER_BYTES);
	rtp[0] = 2 << 6;
	rtp[1] = (uint8_t)((dial->packet == 0) << 7 | payload_type);
	memcpy(rtp + 2, &sequence, sizeof(sequence));
	memcpy(rtp + 4, &timestamp, sizeof(timestamp));
	rtp_event_write(&event, rtp + STW_RTP_HEADER_BYTES);
}

static bool
event_send(struct worker *worker, struct dial *dial, bool end)
{
	struct stw_media *media = worker->media;
	union leg_traits traits = {
		atomic_load_explicit(&media->routes[dial->leg].traits, memory_order_relaxed)};
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->play_pool);
	uint8_t *rtp;

	if (!mbuf)
		return false;
	mbuf->data_len = DIAL_BYTES;
	mbuf->pkt_len = DIAL_BYTES;
	rtp = rte_pktmbuf_mtod(mbuf, uint8_t *);
	event_fill(dial, traits.event_pt, end, rtp);
	if (egress_translate(worker, dial->leg, EGRESS_DIGITS, &dial->voice, rtp, 1) !=
	    PACKET_PENDING) {
		rte_pktmbuf_free(mbuf);
		return false;
	}
	if (!play_send(worker, dial->leg, mbuf, 0))
		return false;
	dial->sequence++;
	return true;
}

/** While digits are sent, the leg hears nothing else. */
static void
dial_speaks(struct worker *worker, const struct dial *dial, bool speaks)
{
	_Atomic uint8_t *word = &worker->media->plays[dial->leg].speaking;
	uint8_t speaking = atomic_load_explicit(word, memory_order_relaxed);

	speaking &= (uint8_t) ~(1u << EGRESS_DIGITS);
	speaking |= (uint8_t)(speaks << EGRESS_DIGITS);
	atomic_store_explicit(word, speaking, memory_order_relaxed);
}

/** The next 20 ms of a digit, its repeated ends, or its pause. False when all are sent. */
static bool
dial_step(struct worker *worker, struct dial *dial, unsigned *made)
{
	bool stop = atomic_load_explicit(&dial->stop, memory_order_relaxed);
	bool down = dial->packet < dial->down_packets && !dial->ends;
	bool end = !down || stop || dial->packet + 1 == dial->down_packets;

	if (dial->packet == 0) {
		if (stop)
			return false;
		dial->timestamp = egress_ticks(worker->now_ns);
	}
	if (down)
		dial->duration = (uint16_t)((dial->packet + 1) * PERIOD_TICKS);
	if (down || dial->ends < DIAL_ENDS) {
		if (event_send(worker, dial, end))
			++*made;
		else
			worker->counters.play_dropped++;
		dial->ends = (uint16_t)(dial->ends + end);
	}
	dial->packet++;
	if (dial->ends < DIAL_ENDS ||
	    (!stop && dial->packet < dial->down_packets + dial->pause_packets))
		return true;
	dial->packet = 0;
	dial->ends = 0;
	return ++dial->at < dial->count && !stop;
}

/** One that is due. True when it goes on. */
static bool
dial_go(struct worker *worker, struct dial *dial, unsigned *made)
{
	struct stw_media_event event = {.type = STW_MEDIA_EVENT_DIGITS_SENT};

	if (atomic_load_explicit(&worker->media->cards[dial->leg].handle, memory_order_relaxed) !=
	    dial->leg_handle)
		return false;
	dial_speaks(worker, dial, true);
	if (dial_step(worker, dial, made)) {
		dial->due_ns += PERIOD_NS;
		if (worker->now_ns > dial->due_ns + PERIOD_NS)
			dial->due_ns = worker->now_ns;
		return true;
	}
	dial_speaks(worker, dial, false);
	events_tell_leg(worker, dial->leg, &event);
	return false;
}

/** Take over what control has asked for. */
static void
asked_take(struct worker *worker)
{
	struct dial *slots = worker->media->dials.slots;
	uint32_t slot;

	if (!atomic_load_explicit(&worker->dialing.asked, memory_order_relaxed))
		return;
	/* D2, pairs with D1: the slots are seen as control filled them. */
	slot = atomic_exchange_explicit(&worker->dialing.asked, 0, memory_order_acquire);
	while (slot) {
		uint32_t next = atomic_load_explicit(&slots[slot].next, memory_order_relaxed);

		atomic_store_explicit(&slots[slot].next, worker->dialing.first,
				      memory_order_relaxed);
		worker->dialing.first = slot;
		slot = next;
	}
	worker->dialing.due_ns = 0;
}

unsigned
dial_turn(struct worker *worker)
{
	struct dialing *dialing = &worker->dialing;
	struct dial *slots = worker->media->dials.slots;
	uint32_t slot, kept = 0;
	uint64_t due_ns = UINT64_MAX;
	unsigned made = 0;

	asked_take(worker);
	slot = dialing->first;
	if (!slot || worker->now_ns < dialing->due_ns)
		return 0;
	while (slot) {
		struct dial *dial = &slots[slot];
		uint32_t next = atomic_load_explicit(&dial->next, memory_order_relaxed);

		if (worker->now_ns < dial->due_ns || made == DIAL_BURST ||
		    dial_go(worker, dial, &made)) {
			due_ns = dial->due_ns < due_ns ? dial->due_ns : due_ns;
			atomic_store_explicit(&dial->next, kept, memory_order_relaxed);
			kept = slot;
		} else {
			list_push(&worker->media->dials.done, slots, slot);
		}
		slot = next;
	}
	dialing->first = kept;
	dialing->due_ns = due_ns;
	return made;
}

uint64_t
dial_due(const struct worker *worker)
{
	if (atomic_load_explicit(&worker->dialing.asked, memory_order_relaxed))
		return worker->now_ns;
	return worker->dialing.first ? worker->dialing.due_ns : UINT64_MAX;
}

/** Slots that workers have given back. Under the mutex. */
static void
done_take(struct stw_media *media)
{
	/* D4, pairs with D3: the workers are done with them. */
	uint32_t slot = atomic_exchange_explicit(&media->dials.done, 0, memory_order_acquire);

	while (slot) {
		struct dial *dial = &media->dials.slots[slot];

		slot = atomic_load_explicit(&dial->next, memory_order_relaxed);
		dial->used = 0;
	}
}

static bool
config_read(const struct stw_digits_config *config, struct dial *dial)
{
	size_t count;

	if (config->struct_size < sizeof(*config) || !config->digits || config->down_ms < 40 ||
	    config->down_ms > 5000 || config->down_ms % STW_PLAYOUT_PACKET_MS ||
	    config->pause_ms < 60 || config->pause_ms > 5000 ||
	    config->pause_ms % STW_PLAYOUT_PACKET_MS || config->volume > RTP_EVENT_VOLUME_MAX)
		return false;
	count = strnlen(config->digits, STW_DIGITS_MAX + 1);
	if (count < 1 || count > STW_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		int code = rtp_event_code(config->digits[i]);

		if (code < 0)
			return false;
		dial->codes[i] = (uint8_t)code;
	}
	dial->count = (uint8_t)count;
	dial->volume = config->volume;
	dial->down_packets = config->down_ms / STW_PLAYOUT_PACKET_MS;
	dial->pause_packets = config->pause_ms / STW_PLAYOUT_PACKET_MS;
	return true;
}

/** The slot that is used for a leg; 0: none. A free one in *vacant. */
static uint32_t
slot_of(const struct stw_media *media, uint64_t leg_handle, uint32_t *vacant)
{
	*vacant = 0;
	for (uint32_t slot = 1; slot <= STW_DIGITS_LEGS_MAX; slot++) {
		const struct dial *dial = &media->dials.slots[slot];

		if (!dial->used)
			*vacant = slot;
		else if (dial->leg_handle == leg_handle)
			return slot;
	}
	return 0;
}

static int
dial_begin(struct stw_media *media, uint32_t leg, struct stw_leg handle, const struct dial *asked,
	   uint64_t now_ns)
{
	uint32_t vacant, slot = slot_of(media, handle.id, &vacant);
	union leg_traits traits = {
		atomic_load_explicit(&media->routes[leg].traits, memory_order_relaxed)};
	struct worker *worker = &media->workers[leg % media->workers_count];

	if (traits.event_pt == 0)
		return -ENOTSUP;
	if (slot)
		return -EBUSY;
	if (!vacant)
		return plane_refuse(media, STW_LIMIT_DIGITS);
	kernel_leave_speakers(media, leg);
	media->dials.slots[vacant] = *asked;
	media->dials.slots[vacant].leg_handle = handle.id;
	media->dials.slots[vacant].leg = leg;
	media->dials.slots[vacant].due_ns = now_ns;
	media->dials.slots[vacant].used = 1;
	list_push(&worker->dialing.asked, media->dials.slots, vacant);
	worker_wake(worker);
	return 0;
}

static int
dial_stop(struct stw_media *media, struct stw_leg handle)
{
	uint32_t vacant, slot = slot_of(media, handle.id, &vacant);

	if (!slot)
		return -ENOENT;
	atomic_store_explicit(&media->dials.slots[slot].stop, 1, memory_order_relaxed);
	return 0;
}

int
stw_leg_send_digits(struct stw_media *media, struct stw_leg handle,
		    const struct stw_digits_config *config, uint64_t now_ns)
{
	struct dial asked = {0};
	uint32_t leg;
	int error;

	if (config && !config_read(config, &asked))
		return -EINVAL;
	plane_lock(media);
	done_take(media);
	leg = leg_find(media, handle);
	if (!leg)
		error = -ESTALE;
	else
		error = config ? dial_begin(media, leg, handle, &asked, now_ns)
			       : dial_stop(media, handle);
	plane_unlock(media);
	return error;
}
