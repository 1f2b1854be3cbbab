/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's memory, the beginning and the end of a burst, and its counters.
 *
 * Counters are shown in two copies by turns: the worker writes the one that is not the latest and
 * then makes it the latest. A reader copies the latest, and again if there was a later one
 * meanwhile, so it never waits for a stopped worker.
 *
 *  label  where                      order    pairs with  without it
 *  S1     shown_turn: written        release  S2          a reader copies counters of two turns
 *  S2     shown_turn: read           acquire  S1          same
 *  S3     shown: words copied, fence acquire  S4          the copy is of a later turn than the check
 *  S4     shown: before new words, fence release S3       same
 */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "plane.h"

/** Headers of a copy: Ethernet, VLAN, IPv4 with all options, UDP. */
#define COPY_HEADER_BYTES 128

/** A playout packet without reference, or a question of ours, behind DPDK's headroom. */
#define PLAY_PACKET_BYTES (RTE_PKTMBUF_HEADROOM + 256)

static struct rte_ring *
ring_make(uint32_t count)
{
	ssize_t bytes = rte_ring_get_memsize(rte_align32pow2(count + 1));
	struct rte_ring *ring;

	if (bytes < 0)
		return NULL;
	ring = aligned_alloc(STW_CACHE_LINE, RTE_ALIGN_CEIL((size_t)bytes, STW_CACHE_LINE));
	if (!ring)
		return NULL;
	if (rte_ring_init(ring, "copies", rte_align32pow2(count + 1),
			  RING_F_SP_ENQ | RING_F_SC_DEQ) < 0) {
		free(ring);
		return NULL;
	}
	return ring;
}

static struct rte_mempool *
pool_make(const char *what, uint32_t count, uint16_t private_bytes, uint16_t bytes)
{
	static _Atomic unsigned serial;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "stw_%s_%u", what,
		 atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed));
	return rte_pktmbuf_pool_create(name, count, 0, private_bytes, bytes, SOCKET_ID_ANY);
}

int
worker_init(struct worker *worker, struct stw_media *media, uint32_t index, uint32_t copies_max,
	    uint32_t plays_max)
{
	worker->media = media;
	worker->index = index;
	worker->several = media->workers_count > 1;
	worker->sweep_next = index;
	worker->copies.pool = pool_make(
		"copy", 2 * copies_max,
		RTE_ALIGN_CEIL(sizeof(struct fork_note), RTE_MBUF_PRIV_ALIGN), COPY_HEADER_BYTES);
	worker->copies.out = ring_make(copies_max);
	worker->copies.back = ring_make(copies_max);
	worker->play_pool = pool_make("play", plays_max, 0, PLAY_PACKET_BYTES);
	if (!worker->copies.pool || !worker->copies.out || !worker->copies.back ||
	    !worker->play_pool)
		return -ENOMEM;
	return 0;
}

static void
ring_empty(struct rte_ring *ring)
{
	void *copy;

	while (rte_ring_sc_dequeue(ring, &copy) == 0)
		rte_pktmbuf_free(copy);
}

void
worker_release(struct worker *worker)
{
	for (unsigned port = 0; port < STW_MEDIA_PORTS_MAX; port++) {
		rte_pktmbuf_free_bulk(worker->sends[port].mbufs, worker->sends[port].count);
		worker->sends[port].count = 0;
	}
	ring_empty(worker->copies.out);
	ring_empty(worker->copies.back);
}

void
worker_destroy(struct worker *worker)
{
	free(worker->copies.out);
	free(worker->copies.back);
	rte_mempool_free(worker->copies.pool);
	rte_mempool_free(worker->play_pool);
}

void
worker_receive(struct worker *worker, uint32_t port, struct rte_mbuf *const mbufs[], unsigned count)
{
	STW_DEBUG_ASSERT(count <= PACKET_BURST);
	worker->port = (uint8_t)port;
	worker->counters.received += count;
	worker->burst_hosts = 0;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &worker->packets[i];

		rte_prefetch0(mbufs[i]);
		packet->mbuf = mbufs[i];
		packet->verdict = PACKET_PENDING;
		packet->sent = 0;
	}
}

void
worker_settle(struct worker *worker, unsigned count)
{
	struct rte_mbuf *unsent[PACKET_BURST];
	unsigned unsent_count = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct packet *packet = &worker->packets[i];

		STW_DEBUG_ASSERT(packet->verdict < STW_VERDICT_COUNT);
		worker->counters.verdicts[packet->verdict]++;
		if (!packet->sent)
			unsent[unsent_count++] = packet->mbuf;
	}
	if (unsent_count)
		rte_pktmbuf_free_bulk(unsent, unsent_count);
}

/** Take back what was counted when a packet was put into a send queue. */
static void
send_refused(struct worker *worker, const struct send_note *note)
{
	struct stw_media *media = worker->media;

	if (note->kind == SEND_RECEIVED) {
		worker->counters.verdicts[note->verdict]--;
		worker->counters.verdicts[STW_DROP_SEND_FULL]++;
		if (note->leg)
			worker_count_own(&media->intakes[note->leg].relayed, (uint64_t)-1);
	} else if (note->kind == SEND_PLAYED) {
		worker->counters.played--;
		worker->counters.play_dropped++;
		worker_count_own(&media->plays[note->leg].packets, (uint64_t)-1);
	}
}

void
worker_sent(struct worker *worker, uint32_t port, unsigned taken)
{
	struct send_queue *queue = &worker->sends[port];

	worker->counters.sent += taken;
	for (unsigned i = taken; i < queue->count; i++)
		send_refused(worker, &queue->notes[i]);
	if (taken < queue->count)
		rte_pktmbuf_free_bulk(&queue->mbufs[taken], queue->count - taken);
	queue->count = 0;
}

void
worker_show(struct worker *worker)
{
	const uint64_t *counters = (const uint64_t *)&worker->counters;
	uint32_t turn = atomic_load_explicit(&worker->shown_turn, memory_order_relaxed);
	_Atomic uint64_t *words = &worker->shown[(turn + 1) & 1][0];

	/* S4, pairs with S3: who copies a word below finds a later turn when it checks. */
	atomic_thread_fence(memory_order_release);
	for (unsigned i = 0; i < WORKER_COUNTERS; i++)
		atomic_store_explicit(&words[i], counters[i], memory_order_relaxed);
	/* S1, pairs with S2: who finds this turn finds its words. */
	atomic_store_explicit(&worker->shown_turn, turn + 1, memory_order_release);
}

void
worker_counters_read(struct worker *worker, struct worker_counters *counters)
{
	uint64_t *copy = (uint64_t *)counters;
	uint32_t turn, after;

	do {
		/* S2, pairs with S1. */
		turn = atomic_load_explicit(&worker->shown_turn, memory_order_acquire);
		for (unsigned i = 0; i < WORKER_COUNTERS; i++)
			copy[i] = atomic_load_explicit(&worker->shown[turn & 1][i],
						       memory_order_relaxed);
		/* S3, pairs with S4. */
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&worker->shown_turn, memory_order_relaxed);
	} while (after != turn);
}

void
worker_check(const struct worker *worker)
{
	const struct worker_counters *counters = &worker->counters;
	uint64_t verdicts = 0;

	for (unsigned i = 0; i < STW_VERDICT_COUNT; i++)
		verdicts += counters->verdicts[i];
	STW_ASSERT(verdicts == counters->received);
	for (unsigned port = 0; port < STW_MEDIA_PORTS_MAX; port++)
		STW_ASSERT(worker->sends[port].count == 0);
	STW_ASSERT(worker->keys <= WORKER_KEYS_MAX);
	STW_ASSERT(rte_ring_count(worker->copies.out) + rte_ring_count(worker->copies.back) <=
		   worker->copies.pool->size / 2);
	play_check(worker);
}
