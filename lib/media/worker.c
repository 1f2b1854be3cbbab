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
 *  K1     wait_begin: fence          seq_cst  K2          each misses the other: control sees no
 *                                                         waiter, and the worker waits for what is there
 *  K2     wake: fence                seq_cst  K1          same
 *
 * K1 keeps the worker's note that it waits before its look for something to do, K2 control's work before
 * its look for a waiter: of both at least one sees the other's (Dekker).
 */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_errno.h>

#include "media/rtcp/report.h"
#include "plane.h"

/** Counters of turns that had nothing to do are shown so often. */
#define WORKER_SHOW_NS UINT64_C(1000000)

/** DPDK's pool that waits for nobody; buffers of ours may be freed by whoever takes a packet. */
#define POOL_OPS "lf_stack"

/** A playout packet, or a question of ours, behind DPDK's headroom. */
#define PLAY_PACKET_BYTES (RTE_PKTMBUF_HEADROOM + 256)

struct rte_ring *
worker_ring_make(uint32_t count)
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
	uint32_t cached = RTE_MIN(count / 4, (uint32_t)RTE_MEMPOOL_CACHE_MAX_SIZE / 2);
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;

	snprintf(name, sizeof(name), "stw_%s_%u", what,
		 atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed));
	pool = rte_pktmbuf_pool_create_by_ops(name, count, cached, private_bytes, bytes,
					      SOCKET_ID_ANY, POOL_OPS);
	if (pool || rte_errno == ENOMEM)
		return pool;
	return rte_pktmbuf_pool_create(name, count, cached, private_bytes, bytes, SOCKET_ID_ANY);
}

int
worker_init(struct worker *worker, struct stw_media *media, uint32_t index, uint32_t copies_max,
	    uint32_t plays_max)
{
	worker->media = media;
	worker->index = index;
	/* A program inside the kernel is like one. */
	worker->several = media->workers_count > 1 || media->kernel.memory;
	worker->sweep_next = index;
	worker->reports.random = plane_random(media);
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->wake_fd < 0)
		return -ENOMEM;
	worker->copies.pool = pool_make(
		"copy", 2 * copies_max,
		RTE_ALIGN_CEIL(sizeof(struct fork_note), RTE_MBUF_PRIV_ALIGN), COPY_HEADER_BYTES);
	worker->copies.out = worker_ring_make(copies_max);
	worker->copies.back = worker_ring_make(copies_max);
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
	for (uint32_t i = 0; i < worker->fork_sends.count; i++)
		rte_pktmbuf_free(worker->fork_sends.sends[i].mbuf);
	worker->fork_sends.count = 0;
	ring_empty(worker->copies.out);
	ring_empty(worker->copies.back);
}

void
worker_destroy(struct worker *worker)
{
	/* A worker that was never made has rows of zeros. */
	if (worker->media)
		close(worker->wake_fd);
	free(worker->copies.out);
	free(worker->copies.back);
	rte_mempool_free(worker->copies.pool);
	rte_mempool_free(worker->play_pool);
	rte_mempool_free(worker->fork_pool);
}

void
worker_receive(struct worker *worker, uint32_t port, struct rte_mbuf *const mbufs[], unsigned count)
{
	STW_DEBUG_ASSERT(count <= PACKET_BURST);
	worker->port = (uint8_t)port;
	worker->counters.received += count;
	worker->burst_hosts = 0;
	worker->burst_rtcp = 0;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &worker->packets[i];

		rte_prefetch0(mbufs[i]);
		packet->mbuf = mbufs[i];
		packet->verdict = PACKET_PENDING;
		packet->sent = 0;
		packet->marks = 0;
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

void
worker_refuse(struct worker *worker, const struct send_note *note, uint8_t verdict)
{
	struct stw_media *media = worker->media;

	if (note->kind == SEND_RECEIVED) {
		worker->counters.verdicts[note->verdict]--;
		worker->counters.verdicts[verdict]++;
		if (note->leg)
			worker_count_own(&media->intakes[note->leg].relayed, (uint64_t)-1);
	} else if (note->kind == SEND_MIXED) {
		struct mix_input *input = &media->mixes.inputs[note->leg];

		worker->counters.mixed--;
		worker->counters.mix_dropped++;
		worker_count_own(&input->source.numbers[MIX_SENT], (uint64_t)-1);
		worker_count_own(&input->source.numbers[MIX_NOT_SENT], 1);
	} else if (note->kind == SEND_PLAYED) {
		worker->counters.played--;
		worker->counters.play_dropped++;
		worker_count_own(&media->plays[note->leg].packets, (uint64_t)-1);
	} else if (note->kind == SEND_FORKED) {
		struct fork_side *side = &media->forks[note->leg].sides[note->verdict];

		worker->counters.fork_dropped++;
		worker_count(worker, &side->packets, (uint64_t)-1);
		worker_count(worker, &side->packets_dropped, 1);
	} else if (note->kind == SEND_EXCEPTION) {
		worker->counters.exception_sent--;
		worker->counters.exception_dropped++;
	} else if (note->kind == SEND_REPORTED) {
		worker->counters.reported--;
		worker->counters.report_dropped++;
		atomic_fetch_sub_explicit(&media->reports[note->leg].sent, 1, memory_order_relaxed);
	}
}

void
worker_sent(struct worker *worker, uint32_t port, unsigned taken)
{
	struct send_queue *queue = &worker->sends[port];

	worker->counters.sent += taken;
	for (unsigned i = taken; i < queue->count; i++)
		worker_refuse(worker, &queue->notes[i], STW_DROP_SEND_FULL);
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
worker_wake(struct worker *worker)
{
	uint64_t one = 1;

	/* K2, pairs with K1. */
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&worker->waits, memory_order_relaxed))
		return;
	/* It fails only when its counter is full, and then the worker is awake. */
	(void)!write(worker->wake_fd, &one, sizeof(one));
}

void
worker_wait_begin(struct worker *worker)
{
	atomic_store_explicit(&worker->waits, 1, memory_order_relaxed);
	/* K1, pairs with K2. */
	atomic_thread_fence(memory_order_seq_cst);
}

void
worker_wait_end(struct worker *worker)
{
	atomic_store_explicit(&worker->waits, 0, memory_order_relaxed);
}

void
worker_look(struct worker *worker, uint64_t now_ns, enum stw_worker_state spent)
{
	struct worker_counters *counters = &worker->counters;
	uint64_t passed_ns = now_ns - worker->now_ns;

	counters->spent_ns[spent] += passed_ns;
	if ((spent == STW_WORKER_WORKING || spent == STW_WORKER_POLLING) &&
	    passed_ns > counters->turn_ns_max)
		counters->turn_ns_max = passed_ns;
	worker->now_ns = now_ns;
	atomic_store_explicit(&worker->looked_ns, now_ns, memory_order_relaxed);
	atomic_store_explicit(&worker->state, RTE_MIN(spent, STW_WORKER_POLLING),
			      memory_order_relaxed);
	if (now_ns - worker->shown_ns < WORKER_SHOW_NS)
		return;
	worker->shown_ns = now_ns;
	worker_show(worker);
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
	STW_ASSERT(worker->fork_sends.count == 0);
	STW_ASSERT(worker->keys <= WORKER_KEYS_MAX);
	STW_ASSERT(rte_ring_count(worker->copies.out) + rte_ring_count(worker->copies.back) <=
		   worker->copies.pool->size / 2);
	play_check(worker);
	report_check(worker);
}
