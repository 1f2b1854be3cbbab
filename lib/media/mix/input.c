/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage mix: what a leg in a mix receives goes into its input's queue, in pieces of 20 ms and less.
 *
 * The packets of a leg's source come to one worker, so the queue has one who puts and one who takes. When the
 * source changes, another worker may come while the former is still at it: it finds `putting` set, and its packet
 * is refused. So nobody waits, and a worker that is stopped there costs packets of that one leg.
 *
 * A full queue refuses, as only the taker may take out; the taker leaves out what is too old (rtp/conceal.c).
 *
 *  label  where                        order    pairs with  without it
 *  X1     (mix.c) input: written       release  X2          an input is used before it is filled
 *  X2     input: read                  acquire  X1          same, seen from the worker
 *  X3     putting: set                 acquire  X4          pieces of two workers are mixed up
 *  X4     putting: cleared             release  X3          same
 *  X5     put: written                 release  X6          a piece is read before it is filled
 *  X6     (turn.c) put: read           acquire  X5          -
 *  X7     (turn.c) taken: written      release  X8          -
 *  X8     taken: read                  acquire  X7          a piece is overwritten while it is read
 */
#include <rte_udp.h>

#include "media/plane.h"
#include "media/stage/stages.h"

/** Pieces of a packet; comfort noise is one without codes. */
static uint32_t
pieces_of(uint32_t bytes)
{
	return bytes ? (bytes + MIX_PIECE_BYTES - 1) / MIX_PIECE_BYTES : 1;
}

/** Put a packet, if there is room for all of it. */
static bool
queue_put(struct mix_input *input, const struct rtp_piece *packet, const uint8_t *codes,
	  uint32_t bytes)
{
	uint32_t put = atomic_load_explicit(&input->queue.put, memory_order_relaxed);
	/* X8, pairs with X7: the taker is done with the pieces that are overwritten. */
	uint32_t taken = atomic_load_explicit(&input->source.taken, memory_order_acquire);
	uint32_t pieces = pieces_of(bytes);

	if (pieces > MIX_PIECES - (put - taken))
		return false;
	for (uint32_t i = 0; i < pieces; i++) {
		struct mix_piece *piece = &input->pieces[(put + i) % MIX_PIECES];
		uint32_t done = i * MIX_PIECE_BYTES, rest = bytes - done;

		piece->piece = *packet;
		piece->piece.timestamp += done;
		piece->piece.bytes = (uint16_t)(rest < MIX_PIECE_BYTES ? rest : MIX_PIECE_BYTES);
		piece->piece.follows = i > 0;
		memcpy(piece->codes, codes + done, piece->piece.bytes);
	}
	/* X5, pairs with X6: who takes the pieces finds them filled. */
	atomic_store_explicit(&input->queue.put, put + pieces, memory_order_release);
	return true;
}

/** Of several workers one puts at a time; the others' packets are refused. */
static bool
queue_put_alone(const struct worker *worker, struct mix_input *input,
		const struct rtp_piece *packet, const uint8_t *codes, uint32_t bytes)
{
	bool done;

	if (!worker->several)
		return queue_put(input, packet, codes, bytes);
	/* X3, pairs with X4: the former one's pieces are whole. */
	if (atomic_exchange_explicit(&input->queue.putting, 1, memory_order_acquire))
		return false;
	done = queue_put(input, packet, codes, bytes);
	/* X4, pairs with X3. */
	atomic_store_explicit(&input->queue.putting, 0, memory_order_release);
	return done;
}

static void
packet_mix(struct worker *worker, const struct packet *packet)
{
	struct stw_media *media = worker->media;
	union leg_traits traits = {
		atomic_load_explicit(&media->routes[packet->leg].traits, memory_order_relaxed)};
	/* X2, pairs with X1: the input is seen as control filled it. */
	uint32_t slot =
		atomic_load_explicit(&media->mixes.legs[packet->leg].input, memory_order_acquire);
	struct mix_input *input = &media->mixes.inputs[slot];
	const struct stw_rtp_header *rtp = &packet->rtp;
	struct rtp_piece piece = {.ssrc = rtp->ssrc,
				  .timestamp = rtp->timestamp,
				  .codec = traits.codec,
				  .marker = rtp->marker};
	uint32_t bytes = rtp->payload_bytes;

	/* It is not relayed: when the next one is, that begins a turn, and shows no gap. */
	if (atomic_load_explicit(&media->intakes[packet->leg].voice, memory_order_relaxed))
		atomic_store_explicit(&media->intakes[packet->leg].voice, 0, memory_order_relaxed);
	/* Slot 0: it has just left. Telephone events and payloads unknown are heard by nobody. */
	if (!slot || packet->event)
		return;
	if (rtp->payload_type == RTP_PT_COMFORT_NOISE)
		bytes = 0;
	else if (rtp->payload_type != traits.audio_pt || !bytes)
		return;
	if (!queue_put_alone(worker, input, &piece,
			     rte_pktmbuf_mtod_offset(packet->mbuf, const uint8_t *,
						     packet->udp_offset +
							     sizeof(struct rte_udp_hdr) +
							     rtp->payload_offset),
			     bytes))
		worker_count(worker, &input->queue.refused, 1);
}

void
stage_mix(struct worker *worker, struct packet *packets, unsigned count)
{
	if (!(worker->burst_features & LEG_MIX))
		return;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];

		if (packet->verdict != PACKET_PENDING || !(packet->features & LEG_MIX))
			continue;
		if (packet->kind == PACKET_RTP) {
			packet_mix(worker, packet);
			packet->verdict = STW_PASS_MIXED;
		} else {
			packet->verdict = STW_PASS_CONSUMED;
		}
	}
}
