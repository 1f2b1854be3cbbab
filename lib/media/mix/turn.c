/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mixing: each 20 ms a mix's worker takes a frame of each party and sends each the sum of those it hears.
 *
 * All mixes have one period, so a worker's list of them, in the order of their next frames, is a queue: the
 * first is mixed and becomes the last. A new one begins at the head. A mix that is late by up to MIX_LATE_NS is mixed
 * again and again until it is not; later, what was missed is left out of time.
 *
 * Who is there and who hears whom are several words, which control changes one after the other. Frames go by
 * places that were the same before and after the matrix was read: of such a place the matrix says what
 * control last said of that very leg, or nothing yet. A place that changes in that instant is left out of one frame,
 * so nobody is heard by the role of who had the place before.
 *
 *  label  where                        order    pairs with  without it
 *  X6     put: read                    acquire  X5          a piece is read before it is filled
 *  X7     taken: written               release  X8          a piece is overwritten while it is read
 *  X9     places: read                 acquire  X10         an unfilled input is met; and the order of
 *                                                           X9, X11, X9 is what the above rests on
 *  X10    (mix.c) places: written      release  X9          -
 *  X11    matrix: read                 acquire  X12         as X9
 *  X12    (mix.c) matrix: written      release  X11         -
 *  X13    asked: taken                 acquire  X14         a new mix is met before it is filled
 *  X14    (mix.c) asked: pushed        release  X13         -
 *  X15    listed: cleared              release  X16         a slot is used again while it is in a list
 *  X16    (mix.c) listed: read         acquire  X15         -
 */
#include <rte_byteorder.h>

#include "media/plane.h"
#include "media/stage/datagram.h"
#include "media/stream/egress.h"
#include "rtp/g711.h"

#define NS_PER_MS     UINT64_C(1000000)
#define MIX_PERIOD_NS (MIX_FRAME_MS * NS_PER_MS)

/** Lateness that is made up for by mixing faster. */
#define MIX_LATE_NS (3 * MIX_PERIOD_NS)

/** New mixes looked at in one turn. */
#define MIX_ASKS_BURST 64

/** Frames mixed, or mixes taken off the list, in one turn. */
#define MIX_FRAMES_BURST 64

/** Bytes of a packet: RTP header and codes. */
#define MIX_PACKET_BYTES (STW_RTP_HEADER_BYTES + RTP_FRAME_SAMPLES)

/** What one frame time has. */
struct mix_frame {
	uint64_t places[MIX_PLACES]; /**< words; 0: left out */
	uint64_t matrix;
	const int16_t *samples[MIX_PLACES]; /**< of who speaks */
	uint8_t encoded[MIX_PLACES];        /**< 1: `codes` of a place are made */
	uint8_t heard[MIX_PLACES];          /**< whom a place has in its sum */
	uint8_t codec[MIX_PLACES];
	uint8_t codes[MIX_PLACES][RTP_FRAME_SAMPLES]; /**< what a place hears; a packet's own may be
							  enciphered at any time */
	struct rtp_mixer mixer;
};

static void
number_set(struct mix_input *input, enum mix_number number, uint64_t value)
{
	atomic_store_explicit(&input->source.numbers[number], value, memory_order_relaxed);
}

/** Give the source what has come. */
static void
input_take(struct mix_input *input)
{
	uint32_t taken = atomic_load_explicit(&input->source.taken, memory_order_relaxed);
	/* X6, pairs with X5: the pieces are whole. */
	uint32_t put = atomic_load_explicit(&input->queue.put, memory_order_acquire);

	if (put == taken)
		return;
	for (; taken != put; taken++) {
		const struct mix_piece *piece = &input->pieces[taken % MIX_PIECES];

		rtp_conceal_take(&input->conceal, &piece->piece, piece->codes);
	}
	/* X7, pairs with X8: we are done with them. */
	atomic_store_explicit(&input->source.taken, put, memory_order_release);
}

/** A party's frame; NULL when it is silent. */
static const int16_t *
input_frame(struct mix_input *input)
{
	const struct rtp_conceal_counts *counts = &input->conceal.counts;
	const int16_t *samples;
	enum rtp_frame_kind kind;

	input_take(input);
	kind = rtp_conceal_frame(&input->conceal, &samples);
	number_set(input, MIX_CONCEALED, counts->concealed);
	number_set(input, MIX_DROPPED, counts->dropped);
	number_set(input, MIX_INSERTED, counts->inserted);
	number_set(input, MIX_LATE, counts->late);
	return kind == RTP_FRAME_SILENT ? NULL : samples;
}

/** Read who is there and who hears whom. */
static void
frame_read(struct mix *mix, struct mix_frame *frame)
{
	for (unsigned i = 0; i < MIX_PLACES; i++) {
		/* X9, pairs with X10: before the matrix. */
		frame->places[i] = atomic_load_explicit(&mix->places[i], memory_order_acquire);
	}
	/* X11, pairs with X12: what it says is of these places, or places differ below. */
	frame->matrix = atomic_load_explicit(&mix->matrix, memory_order_acquire);
	for (unsigned i = 0; i < MIX_PLACES; i++) {
		if (atomic_load_explicit(&mix->places[i], memory_order_relaxed) != frame->places[i])
			frame->places[i] = 0;
	}
}

/** Leave time out of all parties' sources. */
static void
frame_miss(struct mix *mix, struct mixes *mixes, const struct mix_frame *frame, uint64_t late_ns)
{
	uint32_t samples = (uint32_t)(late_ns / RTP_TICK_NS);

	for (unsigned i = 0; i < MIX_PLACES; i++) {
		uint32_t slot = mix_place_input(frame->places[i]);

		/* What has come meanwhile is taken after it: then it is in time. */
		if (slot)
			rtp_conceal_miss(&mixes->inputs[slot].conceal, samples);
	}
	mix->turn.timestamp += samples;
	worker_count_own(&mix->turn.late, samples / RTP_FRAME_SAMPLES);
}

/** Take a frame of each party. */
static void
frame_listen(struct mixes *mixes, struct mix_frame *frame)
{
	uint8_t speaking = 0;

	for (unsigned i = 0; i < MIX_PLACES; i++) {
		uint32_t slot = mix_place_input(frame->places[i]);

		if (!slot)
			continue;
		frame->samples[i] = input_frame(&mixes->inputs[slot]);
		speaking |= (uint8_t)((frame->samples[i] != NULL) << i);
	}
	rtp_mixer_begin(&frame->mixer, frame->samples, speaking);
}

/** Codes of the sum that a place hears: who hears the same by the same law gets the same. */
static const uint8_t *
frame_encode(struct mix_frame *frame, unsigned place, uint8_t codec)
{
	uint8_t heard = (uint8_t)(frame->matrix >> 8 * place) & frame->mixer.speaking;
	int16_t sum[RTP_FRAME_SAMPLES] STW_ALIGNED_LINE;

	for (unsigned i = 0; i < place; i++) {
		if (frame->encoded[i] && frame->heard[i] == heard && frame->codec[i] == codec)
			return frame->codes[i];
	}
	frame->heard[place] = heard;
	frame->codec[place] = codec;
	frame->encoded[place] = 1;
	if (!heard) {
		memset(frame->codes[place],
		       codec == STW_CODEC_PCMA ? RTP_PCMA_SILENCE : RTP_PCMU_SILENCE,
		       RTP_FRAME_SAMPLES);
	} else {
		rtp_mixer_hear(&frame->mixer, heard, sum);
		rtp_g711_encode(codec, sum, RTP_FRAME_SAMPLES, frame->codes[place]);
	}
	return frame->codes[place];
}

/** Write an RTP header; numbers and source are the mix's own until it is translated. */
static void
rtp_write(uint8_t *rtp, uint8_t payload_type, uint16_t sequence, uint32_t timestamp)
{
	rte_be16_t wire_sequence = rte_cpu_to_be_16(sequence);
	rte_be32_t wire_timestamp = rte_cpu_to_be_32(timestamp);

	rtp[0] = 2 << 6;
	rtp[1] = payload_type;
	memcpy(rtp + 2, &wire_sequence, sizeof(wire_sequence));
	memcpy(rtp + 4, &wire_timestamp, sizeof(wire_timestamp));
}

/** Send a place what it hears. False when there is no way or no buffer, or another source is heard. */
static bool
frame_send(struct worker *worker, struct mix *mix, struct mix_frame *frame, unsigned place)
{
	struct stw_media *media = worker->media;
	uint32_t leg = mix_place_leg(frame->places[place]);
	uint32_t slot = mix_place_input(frame->places[place]);
	struct mix_input *input = &media->mixes.inputs[slot];
	union leg_traits traits = {
		atomic_load_explicit(&media->routes[leg].traits, memory_order_relaxed)};
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->play_pool);
	uint8_t *rtp;

	if (!mbuf)
		return false;
	mbuf->data_len = MIX_PACKET_BYTES;
	mbuf->pkt_len = MIX_PACKET_BYTES;
	rtp = rte_pktmbuf_mtod(mbuf, uint8_t *);
	rtp_write(rtp, traits.audio_pt, input->source.sequence, mix->turn.timestamp);
	if (egress_translate(worker, leg, EGRESS_MIX, &input->source.voice, rtp, 0) !=
	    PACKET_PENDING) {
		rte_pktmbuf_free(mbuf);
		return false;
	}
	memcpy(rtp + STW_RTP_HEADER_BYTES, frame_encode(frame, place, traits.codec),
	       RTP_FRAME_SAMPLES);
	if (datagram_send(worker, leg, false, mbuf, 0,
			  (struct send_note){.leg = slot, .kind = SEND_MIXED}) != PACKET_PENDING)
		return false;
	input->source.sequence++;
	worker_count_own(&input->source.numbers[MIX_SENT], 1);
	worker->counters.mixed++;
	return true;
}

/** True when the leg hears something else now: its playout, a tone, digits. */
static bool
leg_hears_other(const struct stw_media *media, uint32_t leg)
{
	return atomic_load_explicit(&media->plays[leg].speaking, memory_order_relaxed) >>
	       EGRESS_MIX > 1;
}

/** Mix one frame; the number of packets sent. */
static unsigned
mix_frame(struct worker *worker, struct mix *mix)
{
	struct mixes *mixes = &worker->media->mixes;
	struct mix_frame frame;
	uint64_t late_ns = worker->now_ns - mix->turn.due_ns;
	unsigned sent = 0;

	memset(frame.encoded, 0, sizeof(frame.encoded));
	memset(frame.samples, 0, sizeof(frame.samples));
	frame_read(mix, &frame);
	if (late_ns > MIX_LATE_NS) {
		frame_miss(mix, mixes, &frame, late_ns);
		mix->turn.due_ns = worker->now_ns;
	}
	frame_listen(mixes, &frame);
	for (unsigned place = 0; place < MIX_PLACES; place++) {
		uint32_t slot = mix_place_input(frame.places[place]);

		if (!slot || leg_hears_other(worker->media, mix_place_leg(frame.places[place])))
			continue;
		if (frame_send(worker, mix, &frame, place)) {
			sent++;
			continue;
		}
		worker_count_own(&mixes->inputs[slot].source.numbers[MIX_NOT_SENT], 1);
		worker->counters.mix_dropped++;
	}
	mix->turn.timestamp += RTP_FRAME_SAMPLES;
	mix->turn.due_ns += MIX_PERIOD_NS;
	worker_count_own(&mix->turn.frames, 1);
	return sent;
}

static void
list_append(struct worker *worker, uint32_t slot)
{
	struct mix *mixes = worker->media->mixes.mixes;

	mixes[slot].turn.following = 0;
	if (worker->mixes.last)
		mixes[worker->mixes.last].turn.following = slot;
	else
		worker->mixes.first = slot;
	worker->mixes.last = slot;
}

static uint32_t
list_take(struct worker *worker)
{
	uint32_t slot = worker->mixes.first;

	worker->mixes.first = worker->media->mixes.mixes[slot].turn.following;
	if (!worker->mixes.first)
		worker->mixes.last = 0;
	return slot;
}

/** Put new mixes at the head of the list: they are due. */
static void
asks_follow(struct worker *worker)
{
	struct mix *mixes = worker->media->mixes.mixes;

	if (!worker->mix_asks) {
		if (!atomic_load_explicit(&worker->mix_asked, memory_order_relaxed))
			return;
		/* X13, pairs with X14: the mixes of the list are seen. */
		worker->mix_asks =
			atomic_exchange_explicit(&worker->mix_asked, 0, memory_order_acquire);
	}
	for (unsigned i = 0; i < MIX_ASKS_BURST && worker->mix_asks; i++) {
		uint32_t slot = worker->mix_asks;
		struct mix *mix = &mixes[slot];

		worker->mix_asks = atomic_load_explicit(&mix->asked_next, memory_order_relaxed);
		mix->turn.due_ns = atomic_load_explicit(&mix->start_ns, memory_order_relaxed);
		if (mix->turn.due_ns > worker->now_ns ||
		    worker->now_ns - mix->turn.due_ns > MIX_LATE_NS)
			mix->turn.due_ns = worker->now_ns;
		mix->turn.following = worker->mixes.first;
		worker->mixes.first = slot;
		if (!worker->mixes.last)
			worker->mixes.last = slot;
	}
}

bool
mix_turn(struct worker *worker)
{
	unsigned made = 0, frames = 0;

	asks_follow(worker);
	while (worker->mixes.first) {
		uint32_t slot = worker->mixes.first;
		struct mix *mix = &worker->media->mixes.mixes[slot];

		if (made + MIX_PLACES > WORKER_PLAY_BURST || frames == MIX_FRAMES_BURST)
			return true;
		frames++;
		if (!atomic_load_explicit(&mix->used, memory_order_relaxed)) {
			list_take(worker);
			/* X15, pairs with X16: control may use the slot again. */
			atomic_store_explicit(&mix->turn.listed, 0, memory_order_release);
			continue;
		}
		if (mix->turn.due_ns > worker->now_ns)
			break;
		list_take(worker);
		made += mix_frame(worker, mix);
		list_append(worker, slot);
	}
	return false;
}

uint64_t
mix_due(const struct worker *worker)
{
	const struct mix *mixes = worker->media->mixes.mixes;

	if (worker->mix_asks || atomic_load_explicit(&worker->mix_asked, memory_order_relaxed))
		return worker->now_ns;
	return worker->mixes.first ? mixes[worker->mixes.first].turn.due_ns : UINT64_MAX;
}
