/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of consumers, as the worker handles them: filled, shown once a burst, freed when they come
 * back.
 *
 *  label  where                                 order    pairs with  without it
 *  K1     out_head: frames shown                release  K2          a frame is read before it is filled
 *  K2     (consumer.c) out_head: read           acquire  K1          -
 *  K3     (consumer.c) back_head: given back    release  K4          -
 *  K4     back_head: read                       acquire  K3          a buffer is freed while it is read
 *  K5     (consumer.c) seen: consumer put in    release  K6          -
 *  K6     seen: read                            acquire  K5          a consumer is met unfilled
 *  K7     (consumer.c) state: closing           release  K8          -
 *  K8     state: read                           acquire  K7          a buffer is freed while it is read
 *  K9     drained: said                         release  K10         the memory goes while it is used
 *  K10    (consumer.c) drained: read            acquire  K9          -
 */
#include "consumer.h"

#include "media/plane.h"

/** Slots looked at in one turn when a consumer closes. */
#define DRAIN_SLOTS 64

/** Buffers freed at once. */
#define FREE_BURST 64

bool
frame_copy(struct worker *worker, const struct copy_source *source, uint32_t fork)
{
	const struct fork_route *route = &worker->media->forks[fork].route;
	const struct stw_rtp_header *rtp = &source->packet->rtp;
	struct consumer_ring *ring = &route->consumer->rings[worker->index];
	struct consumer_slot *slot;
	uint32_t number;

	if (STW_UNLIKELY(ring->vacant_count == 0))
		return false;
	number = ring->vacant[--ring->vacant_count];
	slot = &ring->slots[number];
	slot->frame = (struct stw_frame){
		.payload = copy_rtp(source) + rtp->payload_offset,
		.arrival_ns = worker->now_ns,
		.session_cookie = route->cookie,
		.fork.id = route->handle,
		.ssrc = rtp->ssrc,
		.timestamp = rtp->timestamp,
		.sequence = rtp->sequence,
		.payload_bytes = (uint16_t)rtp->payload_bytes,
		.side = source->carries.side,
		.codec = source->carries.codec,
		.payload_type = rtp->payload_type,
		.marker = rtp->marker,
	};
	slot->mbuf = source->mbuf;
	rte_mbuf_refcnt_update(source->mbuf, 1);
	ring->out[ring->filled++ & ring->mask] = number;
	worker->burst_consumers |= UINT64_C(1) << route->consumer->index;
	return true;
}

void
frames_show(struct worker *worker)
{
	while (worker->burst_consumers) {
		unsigned index = (unsigned)__builtin_ctzll(worker->burst_consumers);
		struct consumer_ring *ring =
			&worker->media->consumers.at[index]->rings[worker->index];

		worker->burst_consumers &= worker->burst_consumers - 1;
		/* K1, pairs with K2: who sees the number sees the frame. */
		atomic_store_explicit(&ring->out_head, ring->filled, memory_order_release);
	}
}

/** Make a slot vacant; its buffer goes to those to be freed. */
static unsigned
slot_leave(struct consumer_ring *ring, uint32_t number, struct rte_mbuf **freed, unsigned count)
{
	struct consumer_slot *slot = &ring->slots[number];

	freed[count] = slot->mbuf;
	slot->mbuf = NULL;
	ring->vacant[ring->vacant_count++] = number;
	return count + 1;
}

static void
ring_take_back(struct consumer_ring *ring)
{
	/* K4, pairs with K3: the consumer has read what it gave back. */
	uint32_t head = atomic_load_explicit(&ring->back_head, memory_order_acquire);
	struct rte_mbuf *freed[FREE_BURST];
	unsigned count = 0;

	if (ring->back_tail == head)
		return;
	for (uint32_t tail = ring->back_tail; tail != head && tail - ring->back_tail < FREE_BURST;
	     tail++)
		rte_prefetch0(&ring->slots[ring->back[tail & ring->mask]].mbuf);
	while (ring->back_tail != head && count < FREE_BURST)
		count = slot_leave(ring, ring->back[ring->back_tail++ & ring->mask], freed, count);
	rte_pktmbuf_free_bulk(freed, count);
}

/** A consumer closes: let go of all slots, some a turn. */
static STW_COLD void
ring_drain(struct consumer_ring *ring)
{
	struct rte_mbuf *freed[DRAIN_SLOTS];
	unsigned count = 0;

	if (atomic_load_explicit(&ring->drained, memory_order_relaxed))
		return;
	/* back_tail has no other use any more: it is the slot that is looked at next. */
	if (ring->back_tail > ring->mask)
		ring->back_tail = 0;
	for (unsigned i = 0; i < DRAIN_SLOTS; i++) {
		uint32_t number = (ring->back_tail + i) & ring->mask;

		if (ring->slots[number].mbuf)
			count = slot_leave(ring, number, freed, count);
	}
	ring->back_tail += DRAIN_SLOTS;
	rte_pktmbuf_free_bulk(freed, count);
	if (ring->vacant_count == ring->mask + 1)
		/* K9, pairs with K10: nothing of the ring is touched after it. */
		atomic_store_explicit(&ring->drained, 1, memory_order_release);
}

void
frames_turn(struct worker *worker)
{
	struct consumers *consumers = &worker->media->consumers;
	/* K6, pairs with K5: a consumer that is seen is filled. */
	uint64_t seen = atomic_load_explicit(&consumers->seen, memory_order_acquire);

	while (seen) {
		struct stw_consumer *consumer = consumers->at[__builtin_ctzll(seen)];
		struct consumer_ring *ring = &consumer->rings[worker->index];

		seen &= seen - 1;
		/* K8, pairs with K7: the consumer has read all that it took. */
		if (STW_LIKELY(atomic_load_explicit(&consumer->state, memory_order_acquire) ==
			       CONSUMER_OPEN))
			ring_take_back(ring);
		else
			ring_drain(ring);
	}
}
