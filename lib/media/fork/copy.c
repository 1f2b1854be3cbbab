/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage copy: each fork of a leg's session gets the packet as it was received. The relay rewrites
 * headers in place, up to and with that of RTP: they are copied. The rest is referred to, as nobody
 * changes it; RTCP, whose reports are rewritten, is copied whole, once for all its forks.
 *
 * Copies for files go to the recording thread through a ring that only this worker fills, and come
 * back through another to be freed here: so the pool has one user, and a recording thread that is
 * stopped at any instruction holds up nobody. The pool has two buffers for each place of the ring,
 * so its end is the bound of all copies on their way, those coming back included.
 *
 *  label  where                              order    pairs with  without it
 *  F1     (fork.c) next, fork_first: linked  release  F2          -
 *  F2     next, fork_first: read             acquire  F1          an unfilled fork is met
 */
#include "copy.h"

#include "consumer.h"
#include "media/overload.h"
#include "media/plane.h"
#include "media/stage/stages.h"
#include "udp.h"

/** Most copies that come back in one turn: more than a turn makes with 4 forks. */
#define COPY_BACK_BURST 256

/** Make one copy for a file and hand it on; false when the pool is empty. */
static bool
copy_to_file(struct worker *worker, const struct copy_source *source, uint32_t slot)
{
	const struct packet *packet = source->packet;
	struct rte_mbuf *pair[2], *header, *rest;

	if (rte_pktmbuf_alloc_bulk(worker->copies.pool, pair, 2) < 0)
		return false;
	header = pair[0];
	rest = pair[1];
	header->data_off = 0;
	__builtin_memcpy(rte_pktmbuf_mtod(header, void *), rte_pktmbuf_mtod(source->mbuf, void *),
			 source->header_bytes);
	rte_pktmbuf_attach(rest, source->mbuf);
	rest->data_off = (uint16_t)(rest->data_off + source->header_bytes);
	rest->data_len = source->rest_bytes;
	rest->pkt_len = source->rest_bytes;
	header->data_len = source->header_bytes;
	header->pkt_len = source->header_bytes + source->rest_bytes;
	header->next = rest;
	header->nb_segs = 2;
	header->port = packet->mbuf->port;
	*(struct fork_note *)rte_mbuf_to_priv(header) = (struct fork_note){
		.time_ns = worker->now_ns,
		.fork = slot,
		.ssrc = packet->rtp.ssrc,
		.timestamp = packet->rtp.timestamp,
		.payload_offset = (uint16_t)(packet->rtp.payload_offset - STW_RTP_HEADER_BYTES),
		.payload_bytes = (uint16_t)packet->rtp.payload_bytes,
		.side = source->carries.side,
		.codec = source->carries.codec,
	};
	/* The ring has room for every copy that the pool can make. */
	rte_ring_sp_enqueue(worker->copies.out, header);
	return true;
}

/** A whole copy of a received packet, laid out alike; NULL when there is no buffer for it. */
static struct rte_mbuf *
packet_duplicate(struct worker *worker, const struct packet *packet)
{
	uint32_t bytes = packet->udp_offset + sizeof(struct rte_udp_hdr) + packet->payload_bytes;
	struct rte_mbuf *mbuf =
		rte_pktmbuf_alloc(worker->media->ports[worker->port].pools[worker->index]);

	if (!mbuf)
		return NULL;
	mbuf->data_off = 0;
	if (rte_pktmbuf_tailroom(mbuf) < bytes) {
		rte_pktmbuf_free(mbuf);
		return NULL;
	}
	__builtin_memcpy(rte_pktmbuf_append(mbuf, (uint16_t)bytes),
			 rte_pktmbuf_mtod(packet->mbuf, void *), bytes);
	return mbuf;
}

static bool
fork_wants(uint32_t word, const struct packet *packet, union leg_traits traits)
{
	if (!(word & FORK_SIDES & 1u << traits.side))
		return false;
	if (!(word & (FORK_RTP_ONLY | FORK_AUDIO_ONLY)))
		return true;
	return packet->kind == PACKET_RTP &&
	       (!(word & FORK_AUDIO_ONLY) || packet->rtp.payload_type == traits.audio_pt);
}

/** Whether a worker that is behind does without a fork's copies. */
static inline bool
fork_is_shed(const struct worker *worker, uint32_t word)
{
	return overload_sheds(worker, (word >> FORK_WAY_SHIFT & FORK_WAY_MASK) == FORK_TO_FILE
					      ? OVERLOAD_RECORDINGS
					      : OVERLOAD_LIVE);
}

static bool
fork_copy(struct worker *worker, const struct copy_source *source, uint32_t slot, uint32_t word)
{
	if (STW_UNLIKELY(!source->mbuf))
		return false;
	switch ((enum fork_way)(word >> FORK_WAY_SHIFT & FORK_WAY_MASK)) {
	case FORK_TO_CONSUMER:
		return frame_copy(worker, source, slot);
	case FORK_TO_NETWORK:
		return udp_copy(worker, source, slot);
	default:
		return copy_to_file(worker, source, slot);
	}
}

static void
copy_packet(struct worker *worker, const struct packet *packet)
{
	struct stw_media *media = worker->media;
	/* Reports are rewritten in place. Who enciphers leaves a buffer alone that others refer to. */
	bool deep = packet->kind != PACKET_RTP;
	struct copy_source source = {
		.packet = packet,
		.mbuf = deep ? packet_duplicate(worker, packet) : packet->mbuf,
		.carries = {atomic_load_explicit(&media->routes[packet->leg].traits,
						 memory_order_relaxed)},
		.header_bytes = (uint16_t)(packet->udp_offset + sizeof(struct rte_udp_hdr)),
		.rest_bytes = packet->payload_bytes,
	};
	uint32_t slot = packet->fork_first;

	if (packet->kind == PACKET_RTP) {
		source.header_bytes += STW_RTP_HEADER_BYTES;
		source.rest_bytes -= STW_RTP_HEADER_BYTES;
	}
	STW_DEBUG_ASSERT(source.header_bytes <= COPY_HEADER_BYTES);
	while (slot) {
		struct fork *fork = &media->forks[slot];
		struct fork_side *side = &fork->sides[source.carries.side];
		uint32_t word = atomic_load_explicit(&fork->route.word, memory_order_relaxed);

		if (!fork_wants(word, packet, source.carries)) {
			/* Not for this fork. */
		} else if (word & FORK_PAUSED) {
			worker_count(worker, &side->packets_paused, 1);
		} else if (STW_LIKELY(!fork_is_shed(worker, word) &&
				      fork_copy(worker, &source, slot, word))) {
			worker_count(worker, &side->packets, 1);
		} else {
			worker_count(worker, &side->packets_dropped, 1);
			worker->counters.fork_dropped++;
			worker->counters.copies_shed += fork_is_shed(worker, word);
		}
		/* F2, pairs with F1 (fork.c): the next fork is seen as control filled it. */
		slot = atomic_load_explicit(&fork->route.next, memory_order_acquire);
	}
	if (deep)
		rte_pktmbuf_free(source.mbuf);
}

void
stage_copy(struct worker *worker, struct packet *packets, unsigned count)
{
	struct fork *forks = worker->media->forks;

	if (!worker->burst_forks)
		return;
	for (unsigned i = 0; i < count; i++) {
		if (packets[i].verdict != PACKET_PENDING || !packets[i].fork_first)
			continue;
		rte_prefetch0(&forks[packets[i].fork_first].route);
		rte_prefetch0(&forks[packets[i].fork_first].sides[0]);
		rte_prefetch0(&forks[packets[i].fork_first].sides[1]);
	}
	for (unsigned i = 0; i < count; i++) {
		if (packets[i].verdict == PACKET_PENDING && packets[i].fork_first)
			copy_packet(worker, &packets[i]);
	}
	frames_show(worker);
}

void
copy_turn(struct worker *worker)
{
	void *back[COPY_BACK_BURST];
	unsigned count;

	count = rte_ring_sc_dequeue_burst(worker->copies.back, back, COPY_BACK_BURST, NULL);
	for (unsigned i = 0; i < count; i++)
		rte_pktmbuf_free(back[i]);
}
