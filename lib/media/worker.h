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
#include "media/mix/mix.h"
#include "media/play/dial.h"
#include "packet.h"

#include <strowger/media.h>

struct stw_media;
struct srtp_worker;

/** Most playout packets made between two sends. */
#define WORKER_PLAY_BURST PACKET_BURST

/** Most keys that a worker watches for a lost end. */
#define WORKER_KEYS_MAX 64

/** Bytes of a copy's own headers at most: Ethernet, tags, IP with all options, UDP, RTP's first 12. */
#define COPY_HEADER_BYTES 192

/** Milliseconds of the playout wheel's turn; a power of 2 above STW_PLAYOUT_PACKET_MS. */
#define WORKER_TICKS 64

/** Slots of the wheel of RTCP reports: of 8 ms each, twice the longest interval and more. */
#define WORKER_REPORT_SLOTS 2048

/** Counters of a worker, shown to others once a turn. */
struct worker_counters {
	uint64_t received;
	uint64_t verdicts[STW_VERDICT_COUNT];
	uint64_t sent;
	uint64_t played;
	uint64_t play_dropped;
	uint64_t fork_dropped;
	uint64_t reported;
	uint64_t report_dropped;
	uint64_t mixed;
	uint64_t mix_dropped;
	uint64_t copies_shed;
	uint64_t turns;
	uint64_t turns_idle;
	uint64_t turns_overloaded;
	uint64_t overloads;
	uint64_t sleeps;
	uint64_t waits;
	uint64_t wakes;
	uint64_t wakes_asked;
	uint64_t spent_ns[STW_WORKER_WAITING + 1]; /**< by enum stw_worker_state */
	uint64_t turn_ns_max;
	uint64_t exception_sent;
	uint64_t exception_dropped;
};

#define WORKER_COUNTERS (sizeof(struct worker_counters) / sizeof(uint64_t))

/** Legs that play out, by the millisecond in which their next packet is due. */
struct play_wheel {
	uint64_t tick;                /**< millisecond that is looked at next */
	uint32_t first[WORKER_TICKS]; /**< legs, ordered by due_ns within one turn */
	uint32_t last[WORKER_TICKS];
	uint32_t legs; /**< legs in the wheel */
};

/** Legs that RTCP reports of our own go to, by when the next one is due. */
struct report_wheel {
	uint64_t tick;   /**< slot of time that is looked at next */
	uint64_t random; /**< state of the generator of intervals */
	uint32_t legs;   /**< legs in the wheel */
	uint32_t asks;   /**< rest of the list taken from `reports_asked`; 0: none */
	uint32_t first[WORKER_REPORT_SLOTS];
};

/** Copies for the recording thread: one ring there and one back, a writer and a reader each. */
struct copy_rings {
	struct rte_mempool *pool; /**< headers and references; taken and freed by the worker only */
	struct rte_ring *out;     /**< copies to be written */
	struct rte_ring *back;    /**< copies written, to be freed here */
};

/** Copies of a burst that go to the network, sent behind what is relayed. */
struct fork_sends {
	uint32_t count;
	struct fork_send {
		struct rte_mbuf *mbuf;
		uint32_t fork;   /**< slot */
		uint16_t bytes;  /**< of the UDP payload */
		uint16_t offset; /**< of it in the frame */
		uint8_t port;
		uint8_t side; /**< enum stw_side */
	} sends[SEND_COPIES_MAX];
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
	uint8_t several;         /**< 1: others write what it counts, too */
	uint8_t port;            /**< index of the port that the burst came from */
	uint8_t keys;            /**< of keys_down */
	uint8_t burst_hosts;     /**< 1: the burst has ARP or ICMP */
	uint8_t burst_events;    /**< 1: the burst has telephone events */
	uint8_t burst_rtcp;      /**< 1: the burst has RTCP */
	uint16_t burst_features; /**< bits of enum leg_feature that any packet's leg has */
	uint32_t burst_forks;    /**< not 0: the burst has packets to be copied */
	uint8_t keys_next;       /**< of keys_down: to be looked at next */
	uint8_t overload;        /**< enum overload_level */
	uint8_t busy;            /**< 1: the last turn had something to do */
	uint16_t unpulled; /**< ports, a bit each, whose driver may keep buffers that were sent */
	uint64_t sent_ns;  /**< when something was sent last */
	struct worker_counters counters;
	struct packet packets[PACKET_BURST];
	struct send_queue sends[STW_MEDIA_PORTS_MAX];
	struct copy_rings copies;
	uint64_t burst_consumers; /**< consumers that got frames of this burst, a bit each */
	struct rte_mempool
		*fork_pool; /**< copies to the network; NULL until there is such a fork */
	struct fork_sends fork_sends;
	struct rte_mempool *play_pool; /**< headers of playout packets and of own questions */
	struct play_wheel wheel;
	struct report_wheel reports;
	struct mix_list mixes;
	uint32_t mix_asks;      /**< rest of the list taken from `mix_asked`; 0: none */
	struct dialing dialing; /**< digits that are sent to legs */
	uint32_t asks;          /**< rest of the list taken from `asked`; 0: none */
	uint64_t sweep_ns;      /**< when legs were last looked at for silence */
	uint32_t sweep_next;    /**< leg to be looked at next */
	uint64_t sweep_credit;  /**< legs times nanoseconds owed to the sweep */
	struct worker_key keys_down[WORKER_KEYS_MAX];
	struct srtp_worker *srtp;  /**< memory for SRTP; NULL without */
	uint32_t overload_bursts;  /**< full ones in succession until it is behind */
	uint32_t overload_run_max; /**< a run is not counted further */
	uint32_t full_bursts[STW_MEDIA_PORTS_MAX]; /**< of each port, in succession */
	uint64_t shown_ns; /**< when counters were shown last, by a turn that was not busy */

	/* Shared with control. */
	_Atomic uint32_t asked STW_ALIGNED_LINE; /**< list of legs to be looked at, newest first */
	_Atomic uint32_t waits;                  /**< 1: it is to be woken through wake_fd */
	int wake_fd;                             /**< eventfd; -1: it never waits */
	_Atomic uint32_t reports_asked;          /**< as `asked`, for reports */
	_Atomic uint32_t mix_asked;              /**< list of new mixes, newest first */

	/* Shared with readers of numbers; written by the worker. */
	_Atomic uint32_t shown_turn STW_ALIGNED_LINE;
	_Atomic uint32_t state;     /**< enum stw_worker_state */
	_Atomic uint32_t level;     /**< `overload`, for others */
	_Atomic uint64_t looked_ns; /**< when it looked at the clock last */
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

/** The same of a counter of 32 bits. */
static inline void
worker_count_own32(_Atomic uint32_t *counter, uint32_t count)
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

/** What a received packet is in a send queue. */
static inline struct send_note
packet_note(const struct packet *packet, enum stw_verdict verdict)
{
	return (struct send_note){.leg = verdict == STW_PASS_RELAYED ? packet->leg : 0,
				  .kind = SEND_RECEIVED,
				  .verdict = (uint8_t)verdict};
}

/** Pass a received packet on to a port. */
static inline void
packet_send(struct worker *worker, struct packet *packet, uint32_t port, enum stw_verdict verdict)
{
	STW_DEBUG_ASSERT(packet->verdict == PACKET_PENDING);
	packet->verdict = (uint8_t)verdict;
	packet->sent = 1;
	worker_send(worker, port, packet->mbuf, packet_note(packet, verdict));
}

/**
 * What the host has configured for a worker, with the defaults put in.
 *
 * @param media  borrowed
 * @param out    set on success only
 * @return 0
 * @return -EINVAL  a field is outside its range, or as many as there are workers are wanted
 *
 * Threads: any.
 */
int worker_config_take(const struct stw_media_config *media, uint32_t worker,
		       struct stw_worker_config *out);
/** Make a ring of one writer and one reader, to be freed by free(); NULL: no memory. Threads: any. */
struct rte_ring *worker_ring_make(uint32_t count);

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

/**
 * Take back what was counted for a packet that is not sent after all.
 *
 * @param verdict  why; of a received packet it replaces the one it had
 *
 * Threads: the worker. Progress: wait-free (bound 1).
 */
void worker_refuse(struct worker *worker, const struct send_note *note, uint8_t verdict);

/** Show the counters to readers, if there is something new. Threads: the worker. */
void worker_show(struct worker *worker);

/**
 * Wake a worker if it waits, for something that was put down for it before.
 *
 * Threads:  any but workers.
 * Progress: wait-free (bound 1), but for a system call when the worker waits.
 * Order:    the worker's next turn sees what the caller did before.
 */
void worker_wake(struct worker *worker);

/**
 * Say that the worker is about to wait for wake_fd and others, or that it has ended. It is not to wait
 * when there is something to do: what was put down before the return of worker_wait_begin is seen by
 * the caller after it, what is put down later wakes it.
 *
 * Threads: the worker. Progress: wait-free (bound 1).
 */
void worker_wait_begin(struct worker *worker);
void worker_wait_end(struct worker *worker);

/**
 * Note the time, and what the worker has spent it with since the last look; STOPPED: it was not
 * started, and nobody knows.
 *
 * Threads: the worker. Progress: wait-free (bound 1).
 */
void worker_look(struct worker *worker, uint64_t now_ns, enum stw_worker_state spent);

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
