/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Playing: each worker sends its legs (slot modulo workers) a packet every 20 ms.
 *
 * Legs that play lie in a wheel of one-millisecond slots, each a list ordered by the time at which
 * a leg is to be looked at; all such times are less than one turn of the wheel ahead. A turn of the
 * worker looks only at legs that are due and at the first one that is not.
 *
 * What a leg is attached to is one word of control's (struct leg_ask); the worker reads it before
 * each packet, so a detached leg gets nothing more. A newly attached leg is put into a list that
 * the worker empties. A leg's slot may be freed and used again while it lies in the wheel or the
 * list: it is looked at then, and goes by the word that it has by then.
 *
 * What is played is numbered by itself and put into the leg's stream (stream/egress.h).
 *
 * A packet is a buffer with headers and a copy of the payload: a second buffer that refers to the
 * playout's block costs more than to copy 160 bytes of it.
 *
 * Late by up to PLAY_LATE_NS, packets are sent one after the other; later, what was missed is left
 * out of time: the RTP timestamp jumps, the sequence number and the announcement do not.
 *
 *  label  where                       order    pairs with  without it
 *  A1     (playout.c) attach: set     release  A2          an old start, or an unfilled playout
 *  A2     attach: read                acquire  A1          same, seen from the worker
 *  A3     (playout.c) queued: set     acq_rel  A4          a leg is looked at before its attach word
 *  A4     queued: cleared             acq_rel  A3          same: one of both sees the other's
 *  A5     (playout.c) asked: pushed   release  A6          a list's link is read before it is set
 *  A6     asked: taken                acquire  A5          same, seen from the worker
 *  A7     attach: ended               acq_rel  A1, A8      -
 *  A8     listeners: left             release  A9          the block is freed while it is read
 *
 * Source: RFC 3550 5.1 (marker, sequence, timestamp), RFC 3551 4.1.
 */
#include <rte_prefetch.h>

#include "media/checksum.h"
#include "media/plane.h"
#include "media/stage/datagram.h"
#include "media/stream/egress.h"

#define NS_PER_MS      UINT64_C(1000000)
#define PLAY_PERIOD_NS (STW_PLAYOUT_PACKET_MS * NS_PER_MS)

/** Lateness that is made up for by sending faster. */
#define PLAY_LATE_NS (3 * PLAY_PERIOD_NS)

/** Legs that begin later than this are looked at again after it; less than a wheel's turn. */
#define PLAY_AHEAD_NS (WORKER_TICKS * NS_PER_MS / 2)

/** Newly attached legs looked at in one turn. */
#define PLAY_ASKS_BURST 64

/** Steps from a list's end to a leg's place; beyond, it is up to a millisecond late. */
#define PLAY_STEPS_MAX 64

/** What UDP carries. */
#define PLAY_BYTES (STW_RTP_HEADER_BYTES + PLAYOUT_PAYLOAD_BYTES)

static void
wheel_unlink(struct worker *worker, uint32_t leg)
{
	struct leg_play *plays = worker->media->plays, *play = &plays[leg];
	uint32_t slot = play->tick - 1u;

	if (!play->tick)
		return;
	if (play->previous)
		plays[play->previous].next = play->next;
	else
		worker->wheel.first[slot] = play->next;
	if (play->next)
		plays[play->next].previous = play->previous;
	else
		worker->wheel.last[slot] = play->previous;
	play->tick = 0;
	worker->wheel.legs--;
}

static void
wheel_link(struct worker *worker, uint32_t leg)
{
	struct leg_play *plays = worker->media->plays, *play = &plays[leg];
	uint64_t look_ns = play->due_ns;
	uint32_t slot, after;

	if (look_ns > worker->now_ns + PLAY_AHEAD_NS)
		look_ns = worker->now_ns + PLAY_AHEAD_NS;
	/* What is due before the tick looked at next would wait for a whole turn of the wheel. */
	if (look_ns / NS_PER_MS < worker->wheel.tick)
		look_ns = worker->wheel.tick * NS_PER_MS;
	play->look_ns = look_ns;
	slot = look_ns / NS_PER_MS % WORKER_TICKS;
	after = worker->wheel.last[slot];
	for (unsigned step = 0; after && step < PLAY_STEPS_MAX && plays[after].look_ns > look_ns;
	     step++)
		after = plays[after].previous;
	play->previous = after;
	play->next = after ? plays[after].next : worker->wheel.first[slot];
	if (after)
		plays[after].next = leg;
	else
		worker->wheel.first[slot] = leg;
	if (play->next)
		plays[play->next].previous = leg;
	else
		worker->wheel.last[slot] = leg;
	play->tick = (uint16_t)(slot + 1);
	worker->wheel.legs++;
}

/** Begin what a leg was attached to. */
static void
play_begin(struct worker *worker, uint32_t leg)
{
	struct leg_play *play = &worker->media->plays[leg];
	struct leg_ask *ask = &worker->media->asks[leg];

	play->due_ns = atomic_load_explicit(&ask->start_ns, memory_order_relaxed);
	play->position = 0;
	play->marker = 1;
	if (play->due_ns > play->sent_due_ns + PLAY_PERIOD_NS)
		play->timestamp += (uint32_t)((play->due_ns - play->sent_due_ns - PLAY_PERIOD_NS) /
					      RTP_TICK_NS);
}

/** From its first packet on a playout is heard instead of what is relayed; after its last one not. */
static void
play_speaks(struct leg_play *play, bool speaks)
{
	uint8_t speaking = atomic_load_explicit(&play->speaking, memory_order_relaxed);

	speaking &= (uint8_t) ~(1u << EGRESS_PLAY);
	speaking |= (uint8_t)(speaks << EGRESS_PLAY);
	atomic_store_explicit(&play->speaking, speaking, memory_order_relaxed);
}

/** Go by the leg's attach word: begin, change or stop. True when it plays. */
static bool
play_follow(struct worker *worker, uint32_t leg)
{
	struct leg_play *play = &worker->media->plays[leg];
	/* A2, pairs with A1: the playout and the start are seen as control filled them. */
	uint64_t attach =
		atomic_load_explicit(&worker->media->asks[leg].attach, memory_order_acquire);

	if (attach != play->attached) {
		play->attached = attach;
		play_speaks(play, false);
		if ((uint32_t)attach)
			play_begin(worker, leg);
	}
	return (uint32_t)attach != 0;
}

/** The announcement is over, unless control has just put another in its place. */
static void
play_end(struct worker *worker, uint32_t leg)
{
	struct leg_play *play = &worker->media->plays[leg];
	struct playout *playout = &worker->media->playouts[(uint32_t)play->attached];
	struct stw_media_event event = {.type = STW_MEDIA_EVENT_PLAYOUT_ENDED};
	uint64_t attach = play->attached;

	event.playout.id = atomic_load_explicit(&playout->handle, memory_order_relaxed);
	/* A7: of this worker and a control thread one takes the leg off the playout. */
	if (!atomic_compare_exchange_strong_explicit(&worker->media->asks[leg].attach, &attach,
						     attach >> 32 << 32, memory_order_acq_rel,
						     memory_order_relaxed))
		return;
	play->attached = attach >> 32 << 32;
	play_speaks(play, false);
	/* A8, pairs with A9: who unloads the playout knows that we do not read it any more. */
	atomic_fetch_sub_explicit(&playout->listeners, 1, memory_order_release);
	events_tell_leg(worker, leg, &event);
}

static void
rtp_fill(uint8_t *rtp, const struct leg_play *play, uint8_t payload_type)
{
	rte_be16_t sequence = rte_cpu_to_be_16(play->sequence);
	rte_be32_t timestamp = rte_cpu_to_be_32(play->timestamp);

	rtp[0] = 2 << 6;
	rtp[1] = (uint8_t)(play->marker << 7 | payload_type);
	memcpy(rtp + 2, &sequence, 2);
	memcpy(rtp + 4, &timestamp, 4);
}

/** A buffer with a payload behind room for the RTP header. */
static struct rte_mbuf *
packet_make(struct worker *worker, const uint8_t *payload)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->play_pool);

	if (!mbuf)
		return NULL;
	memcpy(rte_pktmbuf_mtod_offset(mbuf, void *, STW_RTP_HEADER_BYTES), payload,
	       PLAYOUT_PAYLOAD_BYTES);
	mbuf->data_len = PLAY_BYTES;
	mbuf->pkt_len = PLAY_BYTES;
	return mbuf;
}

bool
play_send(struct worker *worker, uint32_t leg, struct rte_mbuf *mbuf, uint64_t sum)
{
	/* Counted first, as it may be refused and taken back at once. */
	worker_count_own(&worker->media->plays[leg].packets, 1);
	worker->counters.played++;
	if (datagram_send(worker, leg, false, mbuf, sum,
			  (struct send_note){.leg = leg, .kind = SEND_PLAYED}) == PACKET_PENDING)
		return true;
	worker_count_own(&worker->media->plays[leg].packets, (uint64_t)-1);
	worker->counters.played--;
	return false;
}

/** Make the packet that is due; false when there is no way or no buffer. */
static bool
play_packet(struct worker *worker, uint32_t leg)
{
	struct stw_media *media = worker->media;
	struct leg_play *play = &media->plays[leg];
	struct leg_route *to = &media->routes[leg];
	struct playout_packet packet = playout_at(
		media->playouts, &media->playouts[(uint32_t)play->attached], play->position);
	union leg_traits traits = {atomic_load_explicit(&to->traits, memory_order_relaxed)};
	struct rte_mbuf *mbuf;
	uint64_t sum;
	uint8_t *rtp;

	mbuf = packet_make(worker, packet.of->payloads[traits.codec] +
					   (size_t)packet.at * PLAYOUT_PAYLOAD_BYTES);
	if (!mbuf)
		return false;
	rtp = rte_pktmbuf_mtod(mbuf, uint8_t *);
	rtp_fill(rtp, play, traits.audio_pt);
	play_speaks(play, true);
	if (egress_translate(worker, leg, EGRESS_PLAY, &play->voice, rtp, 0) != PACKET_PENDING) {
		rte_pktmbuf_free(mbuf);
		return false;
	}
	sum = checksum_add(packet.of->sums[traits.codec][packet.at], rtp, STW_RTP_HEADER_BYTES);
	return play_send(worker, leg, mbuf, sum);
}

/** One leg that is due: its packet, and its next place in the wheel. 1 when a packet was made. */
static unsigned
play_leg(struct worker *worker, uint32_t leg)
{
	struct leg_play *play = &worker->media->plays[leg];
	struct playout *playout;
	unsigned made = 0;

	if (!play_follow(worker, leg))
		return 0;
	playout = &worker->media->playouts[(uint32_t)play->attached];
	if (play->due_ns > worker->now_ns) {
		wheel_link(worker, leg);
		return 0;
	}
	if (play->position == playout->packets) {
		if (!playout->loop) {
			play_end(worker, leg);
			/* Attached to another in this very moment: it is looked at again. */
			if (play_follow(worker, leg))
				wheel_link(worker, leg);
			return 0;
		}
		play->position = playout->again;
	}
	if (worker->now_ns - play->due_ns > PLAY_LATE_NS) {
		uint64_t missed = (worker->now_ns - play->due_ns) / PLAY_PERIOD_NS;

		play->due_ns += missed * PLAY_PERIOD_NS;
		play->timestamp += (uint32_t)(missed * PLAYOUT_PAYLOAD_BYTES);
		play->marker = 1;
	}
	if (play_packet(worker, leg)) {
		play->sequence++;
		play->marker = 0;
		made = 1;
	} else {
		worker->counters.play_dropped++;
	}
	play->position++;
	play->timestamp += PLAYOUT_PAYLOAD_BYTES;
	play->sent_due_ns = play->due_ns;
	play->due_ns += PLAY_PERIOD_NS;
	wheel_link(worker, leg);
	return made;
}

/** Ask the cache for what is read of the legs behind one in the wheel: they lie anywhere in the tables. */
static void
legs_prefetch(const struct stw_media *media, uint32_t leg)
{
	uint32_t next = media->plays[leg].next;

	if (!next)
		return;
	rte_prefetch0(&media->asks[next]);
	rte_prefetch0(&media->routes[next]);
	rte_prefetch0(&media->plays[media->plays[next].next]);
}

/** Look at legs whose attachment has changed. */
static void
asks_follow(struct worker *worker)
{
	struct leg_ask *asks = worker->media->asks;

	if (!worker->asks) {
		if (!atomic_load_explicit(&worker->asked, memory_order_relaxed))
			return;
		/* A6, pairs with A5: the links of the list are seen. */
		worker->asks = atomic_exchange_explicit(&worker->asked, 0, memory_order_acquire);
	}
	for (unsigned i = 0; i < PLAY_ASKS_BURST && worker->asks; i++) {
		uint32_t leg = worker->asks;

		worker->asks = atomic_load_explicit(&asks[leg].next, memory_order_relaxed);
		/* A4, pairs with A3: an attach word set before we clear is read below; one set
		 * after finds the leg out of the list and puts it in again. */
		atomic_exchange_explicit(&asks[leg].queued, 0, memory_order_acq_rel);
		wheel_unlink(worker, leg);
		if (play_follow(worker, leg))
			wheel_link(worker, leg);
	}
}

unsigned
play_turn(struct worker *worker)
{
	struct play_wheel *wheel = &worker->wheel;
	uint64_t now_tick = worker->now_ns / NS_PER_MS;
	unsigned made = 0, looked = 0;

	/* Before the wheel's tick there is nothing; a turn of the wheel behind is all there is. */
	if (wheel->tick + WORKER_TICKS <= now_tick || wheel->legs == 0)
		wheel->tick = now_tick >= WORKER_TICKS ? now_tick - WORKER_TICKS + 1 : 0;
	asks_follow(worker);
	if (wheel->legs == 0)
		return 0;
	while (wheel->tick <= now_tick) {
		uint32_t slot = wheel->tick % WORKER_TICKS, leg;

		while ((leg = wheel->first[slot]) != 0 &&
		       worker->media->plays[leg].look_ns <= worker->now_ns) {
			if (made == WORKER_PLAY_BURST || looked == 2 * WORKER_PLAY_BURST)
				return made;
			looked++;
			legs_prefetch(worker->media, leg);
			wheel_unlink(worker, leg);
			made += play_leg(worker, leg);
		}
		/* The present millisecond is not over: more may be due in it. */
		if (wheel->tick == now_tick)
			break;
		wheel->tick++;
	}
	return made;
}

uint64_t
play_due(const struct worker *worker)
{
	const struct play_wheel *wheel = &worker->wheel;

	if (worker->asks || atomic_load_explicit(&worker->asked, memory_order_relaxed))
		return worker->now_ns;
	if (wheel->legs == 0)
		return UINT64_MAX;
	for (uint64_t tick = wheel->tick; tick < wheel->tick + WORKER_TICKS; tick++) {
		uint32_t leg = wheel->first[tick % WORKER_TICKS];

		if (leg)
			return worker->media->plays[leg].look_ns;
	}
	return worker->now_ns;
}

void
play_check(const struct worker *worker)
{
	const struct leg_play *plays = worker->media->plays;
	uint32_t legs = 0;

	for (uint32_t slot = 0; slot < WORKER_TICKS; slot++) {
		uint32_t previous = 0;

		for (uint32_t leg = worker->wheel.first[slot]; leg; leg = plays[leg].next) {
			STW_ASSERT(plays[leg].previous == previous);
			STW_ASSERT(plays[leg].tick == slot + 1);
			STW_ASSERT(leg % worker->media->workers_count == worker->index);
			previous = leg;
			legs++;
			STW_ASSERT(legs <= worker->wheel.legs);
		}
		STW_ASSERT(worker->wheel.last[slot] == previous);
	}
	STW_ASSERT(legs == worker->wheel.legs);
}
