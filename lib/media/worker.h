/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker's own state, and the stages that run on it. Nobody else writes it, but for what is
 * said to be shared.
 */
#ifndef STW_MEDIA_WORKER_H
#define STW_MEDIA_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ring.h>

#include "base/base.h"
#include "packet.h"

#include <strowger/media.h>

struct stw_media;

/** Most playout packets made between two sends. */
#define WORKER_PLAY_BURST PACKET_BURST

/** Most keys that a worker watches for a lost end. */
#define WORKER_KEYS_MAX 64

/** Milliseconds of the playout wheel's turn; a power of 2 above STW_PLAYOUT_PACKET_MS. */
#define WORKER_TICKS 64

/** Counters of a worker, shown to others once a turn. */
struct worker_counters {
	uint64_t received;
	uint64_t verdicts[STW_VERDICT_COUNT];
	uint64_t sent;
	uint64_t played;
	uint64_t play_dropped;
	uint64_t fork_dropped;
};

#define WORKER_COUNTERS (sizeof(struct worker_counters) / sizeof(uint64_t))

/** Legs that play out, by the millisecond in which their next packet is due. */
struct play_wheel {
	uint64_t tick;                /**< millisecond that is looked at next */
	uint32_t first[WORKER_TICKS]; /**< legs, ordered by due_ns within one turn */
	uint32_t last[WORKER_TICKS];
	uint32_t legs; /**< legs in the wheel */
};

/** Copies for the recording thread: one ring there and one back, a writer and a reader each. */
struct copy_rings {
	struct rte_mempool *pool; /**< headers and references; taken and freed by the worker only */
	struct rte_ring *out;     /**< copies to be written */
	struct rte_ring *back;    /**< copies written, to be freed here */
};

/** A leg whose key is down. */
struct worker_key {
	uint32_t leg;
	uint64_t handle;
};

struct worker {
	struct stw_media *media;
	uint64_t now_ns;
	uint32_t index;
	uint8_t several;         /**< 1: other workers run, too */
	uint8_t port;            /**< index of the port that the burst came from */
	uint8_t keys;            /**< of keys_down */
	uint8_t burst_hosts;     /**< 1: the burst has ARP or ICMP */
	uint8_t burst_events;    /**< 1: the burst has telephone events */
	uint16_t burst_features; /**< bits of enum leg_feature that any packet's leg has */
	uint32_t burst_forks;    /**< not 0: the burst has packets to be copied */
	uint8_t keys_next;       /**< of keys_down: to be looked at next */
	uint16_t unpulled; /**< ports, a bit each, whose driver may keep buffers that were sent */
	uint64_t sent_ns;  /**< when something was sent last */
	struct worker_counters counters;
	struct packet packets[PACKET_BURST];
	struct send_queue sends[STW_MEDIA_PORTS_MAX];
	struct copy_rings copies;
	struct rte_mempool *play_pool; /**< headers of playout packets and of own questions */
	struct play_wheel wheel;
	uint32_t asks;         /**< rest of the list taken from `asked`; 0: none */
	uint64_t sweep_ns;     /**< when legs were last looked at for silence */
	uint32_t sweep_next;   /**< leg to be looked at next */
	uint64_t sweep_credit; /**< legs times nanoseconds owed to the sweep */
	struct worker_key keys_down[WORKER_KEYS_MAX];

	/* Shared with control. */
	_Atomic uint32_t asked STW_ALIGNED_LINE; /**< list of legs to be looked at, newest first */

	/* Shared with readers of numbers; written by the worker. */
	_Atomic uint32_t shown_turn STW_ALIGNED_LINE;
	_Atomic uint64_t shown[2][WORKER_COUNTERS];
};

/** Add to a counter that other workers may write, too. */
static inline void
worker_count(const struct worker *worker, _Atomic uint64_t *counter, uint64_t count)
{
	if (worker->several)
		atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
	else
		atomic_store_explicit(counter,
				      atomic_load_explicit(counter, memory_order_relaxed) + count,
				      memory_order_relaxed);
}

/** Add to a counter that only this worker writes. */
static inline void
worker_count_own(_Atomic uint64_t *counter, uint64_t count)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + count,
			      memory_order_relaxed);
}

/** Drop a packet. */
static inline void
packet_drop(struct packet *packet, enum stw_verdict verdict)
{
	STW_DEBUG_ASSERT(packet->verdict == PACKET_PENDING);
	packet->verdict = (uint8_t)verdict;
}

/** Put a buffer into a send queue; there is always room (SEND_MAX). */
static inline void
worker_send(struct worker *worker, uint32_t port, struct rte_mbuf *mbuf, struct send_note note)
{
	struct send_queue *queue = &worker->sends[port];

	STW_DEBUG_ASSERT(queue->count < SEND_MAX);
	queue->mbufs[queue->count] = mbuf;
	queue->notes[queue->count] = note;
	queue->count++;
}

/** Pass a received packet on to a port. */
static inline void
packet_send(struct worker *worker, struct packet *packet, uint32_t port, enum stw_verdict verdict)
{
	STW_DEBUG_ASSERT(packet->verdict == PACKET_PENDING);
	packet->verdict = (uint8_t)verdict;
	packet->sent = 1;
	worker_send(worker, port, packet->mbuf,
		    (struct send_note){.leg = verdict == STW_PASS_RELAYED ? packet->leg : 0,
				       .kind = SEND_RECEIVED,
				       .verdict = (uint8_t)verdict});
}

/** Make a worker's rings and pools. 0 or -ENOMEM. Threads: control, before it runs. */
int worker_init(struct worker *worker, struct stw_media *media, uint32_t index, uint32_t copies_max,
		uint32_t plays_max);

/** Free the buffers in queues and rings. Threads: control, after it has stopped. */
void worker_release(struct worker *worker);

/** Free rings and pools, when no device holds a buffer of them. Threads: control. */
void worker_destroy(struct worker *worker);

/**
 * Fill worker->packets from a received burst.
 *
 * @param count  1 to PACKET_BURST
 *
 * Threads: the worker. Progress: wait-free (bound: count).
 */
void worker_receive(struct worker *worker, uint32_t port, struct rte_mbuf *const mbufs[],
		    unsigned count);

/** Count the verdicts of a burst, free what was not sent. Threads: the worker. */
void worker_settle(struct worker *worker, unsigned count);

/**
 * Say how many packets of a send queue the device took; the others are dropped and counted.
 *
 * Threads: the worker. Progress: wait-free (bound: SEND_MAX).
 */
void worker_sent(struct worker *worker, uint32_t port, unsigned taken);

/** Show the counters to readers, if there is something new. Threads: the worker. */
void worker_show(struct worker *worker);

/**
 * Read a worker's counters as of one instant between two turns.
 *
 * Threads:  any.
 * Progress: lock-free; a retry means that the worker has finished a turn.
 * Order:    turns finished before the call are counted.
 */
void worker_counters_read(struct worker *worker, struct worker_counters *counters);

/** Verify the invariants between two turns; panics when one is broken. */
void worker_check(const struct worker *worker);

#endif
