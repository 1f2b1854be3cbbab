/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage copy: each fork of a leg's session gets the packet as it was received. A copy is a small
 * buffer with the headers, as the relay rewrites the packet's own in place, and a reference to the
 * rest, which nobody changes.
 *
 * Copies go to the recording thread through a ring that only this worker fills, and come back
 * through another to be freed here: so the pool has one user, and a recording thread that is
 * stopped at any instruction holds up nobody. The pool has two buffers for each place of the ring,
 * so its end is the bound of all copies on their way, those coming back included.
 *
 *  label  where                              order    pairs with  without it
 *  F1     (fork.c) next, fork_first: linked  release  F2          -
 *  F2     next, fork_first: read             acquire  F1          an unfilled fork is met
 */
#include "media/stage/stages.h"

#include <rte_udp.h>

#include "media/plane.h"

/** Most copies that come back in one turn: more than a turn makes with 4 forks. */
#define COPY_BACK_BURST 256

/** Make one copy; NULL when the pool is empty. */
static struct rte_mbuf *
copy_make(struct worker *worker, const struct packet *packet)
{
	uint32_t header_bytes = packet->udp_offset + sizeof(struct rte_udp_hdr);
	struct rte_mbuf *pair[2], *header, *rest;

	if (rte_pktmbuf_alloc_bulk(worker->copies.pool, pair, 2) < 0)
		return NULL;
	header = pair[0];
	rest = pair[1];
	header->data_off = 0;
	__builtin_memcpy(rte_pktmbuf_mtod(header, void *), rte_pktmbuf_mtod(packet->mbuf, void *),
			 header_bytes);
	rte_pktmbuf_attach(rest, packet->mbuf);
	rest->data_off = (uint16_t)(rest->data_off + header_bytes);
	rest->data_len = packet->payload_bytes;
	rest->pkt_len = packet->payload_bytes;
	header->data_len = (uint16_t)header_bytes;
	header->pkt_len = header_bytes + packet->payload_bytes;
	header->next = rest;
	header->nb_segs = 2;
	header->port = packet->mbuf->port;
	return header;
}

static void
copy_packet(struct worker *worker, const struct packet *packet)
{
	struct stw_media *media = worker->media;
	union leg_traits traits = {
		atomic_load_explicit(&media->routes[packet->leg].traits, memory_order_relaxed)};
	bool audio = packet->kind == PACKET_RTP && packet->rtp.payload_type == traits.audio_pt;
	uint32_t slot = packet->fork_first;

	while (slot) {
		struct fork_route *route = &media->forks[slot].route;
		uint32_t sides = atomic_load_explicit(&route->sides, memory_order_relaxed);
		struct rte_mbuf *copy;

		if (sides >> traits.side & 1 && (audio || !(sides & FORK_AUDIO_ONLY))) {
			copy = copy_make(worker, packet);
			if (copy) {
				*(struct fork_note *)rte_mbuf_to_priv(copy) = (struct fork_note){
					.time_ns = worker->now_ns,
					.fork = slot,
					.worker = worker->index,
					.side = traits.side,
					.codec = traits.codec,
				};
				/* The ring has room for every copy that the pool can make. */
				rte_ring_sp_enqueue(worker->copies.out, copy);
				worker_count(worker, &route->packets, 1);
			} else {
				worker_count(worker, &route->packets_dropped, 1);
				worker->counters.fork_dropped++;
			}
		}
		/* F2, pairs with F1 (fork.c): the next fork is seen as control filled it. */
		slot = atomic_load_explicit(&route->next, memory_order_acquire);
	}
}

void
stage_copy(struct worker *worker, struct packet *packets, unsigned count)
{
	if (!worker->burst_forks)
		return;
	for (unsigned i = 0; i < count; i++) {
		if (packets[i].verdict == PACKET_PENDING && packets[i].fork_first)
			copy_packet(worker, &packets[i]);
	}
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
