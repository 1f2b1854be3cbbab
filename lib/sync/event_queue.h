/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Event queue: any number of pushers, one taker at a time, order of pushing kept, repeats dropped.
 */
#ifndef STW_SYNC_EVENT_QUEUE_H
#define STW_SYNC_EVENT_QUEUE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "slot_pool.h"

/** Before the payload of a node. */
struct event_queue_node {
	_Atomic uint32_t next; /**< node pushed before; EVENT_QUEUE_NONE: none */
	uint32_t source;       /**< whose event it is, below sources */
	uint64_t sequence;     /**< of the source's events, rising; 0: of no source */
	uint64_t lost;         /**< events lost when this one was pushed */
	unsigned char payload[] __attribute__((aligned(16)));
};

#define EVENT_QUEUE_NONE UINT32_MAX

struct event_queue {
	_Atomic uint32_t head STW_ALIGNED_LINE;   /**< node pushed last */
	_Atomic uint64_t lost STW_ALIGNED_LINE;   /**< pushes that found no node, ever */
	_Atomic uint32_t taking STW_ALIGNED_LINE; /**< 1: a taker is at work */
	uint32_t taken;                           /**< taker's own: next node to hand out */
	uint64_t lost_told;                       /**< taker's own: of lost, so many were told */
	uint64_t *delivered;                      /**< taker's own: last sequence per source */
	char *nodes STW_ALIGNED_LINE;
	size_t node_bytes;
	size_t payload_bytes;
	uint32_t sources;
	uint32_t nodes_count;
	struct slot_pool pool;
};

static_assert(offsetof(struct event_queue, taking) - offsetof(struct event_queue, head) >=
		      2 * STW_CACHE_LINE,
	      "pushers, losers and the taker write lines of their own");

/**
 * Say how much memory a queue takes.
 *
 * @param nodes          events that fit
 * @param sources        number of sources
 * @param payload_bytes  size of an event
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
size_t event_queue_bytes(uint32_t nodes, uint32_t sources, size_t payload_bytes);

/**
 * Make an empty queue.
 *
 * @param queue          borrowed
 * @param memory         borrowed for the queue's life, zeroed, event_queue_bytes() bytes on a line
 * @param nodes          events that fit
 * @param sources        number of sources
 * @param payload_bytes  size of an event
 *
 * Threads:  one.
 * Progress: wait-free (bound: nodes).
 * Order:    the caller hands the queue to other threads.
 */
void event_queue_init(struct event_queue *queue, void *memory, uint32_t nodes, uint32_t sources,
		      size_t payload_bytes);

/**
 * Push an event. Several threads may push the same one (same source and sequence): the first counts.
 *
 * @param queue     borrowed
 * @param source    below sources
 * @param sequence  above that of the source's earlier events; 0: handed out in any case
 * @param payload   borrowed; copied
 * @return true: pushed. false: no room; the caller tells event_queue_lose, once per event
 *
 * Threads:  any.
 * Progress: lock-free; a retry means another thread pushed or took an event.
 * Order:    E1: what was written before is seen by the taker.
 */
bool event_queue_push(struct event_queue *queue, uint32_t source, uint64_t sequence,
		      const void *payload);

/**
 * Count events that were not pushed as there was no room; before anybody may push the next event of
 * their source, so that the gap is told before that one. When several threads fail to push the same
 * event it counts as often.
 *
 * @param queue  borrowed
 * @param count  how many
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    E3: events of the source that were pushed before are taken before the gap.
 */
void event_queue_lose(struct event_queue *queue, uint32_t count);

/**
 * Begin to take. Between begin and end the other take calls may be made.
 *
 * @param queue  borrowed
 * @return true: the caller is the taker. false: another thread is
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    E5: what the taker before did is seen.
 */
bool event_queue_take_begin(struct event_queue *queue);

/**
 * Take the oldest event.
 *
 * @param queue    borrowed
 * @param payload  filled when 1 is returned
 * @param lost     set when 2 is returned: so many pushes found no room before the next event
 * @return 0: none; 1: an event; 2: a gap
 *
 * Threads:  the taker.
 * Progress: lock-free; a retry means another thread pushed a repeat.
 * Order:    E2: what the pusher wrote before is seen.
 */
int event_queue_take(struct event_queue *queue, void *payload, uint64_t *lost);

/**
 * End taking.
 *
 * @param queue  borrowed
 *
 * Threads:  the taker.
 * Progress: wait-free (bound 1).
 * Order:    E4, pairs with E5.
 */
void event_queue_take_end(struct event_queue *queue);

/**
 * Say which of a source's events was handed out last, when its numbers do not begin at 1.
 *
 * @param queue     borrowed
 * @param source    below sources
 * @param sequence  of that event
 *
 * Threads:  one, before anybody pushes.
 * Progress: wait-free (bound 1).
 * Order:    the caller hands the queue to other threads.
 */
void event_queue_resume(struct event_queue *queue, uint32_t source, uint64_t sequence);

/**
 * Verify that no node is lost.
 *
 * @param queue  borrowed
 * @return number of events not yet taken, or ends in the panic handler
 *
 * Threads:  one, while nobody pushes or takes.
 * Progress: blocking (walks everything).
 * Order:    the caller has synchronised with the others.
 */
uint32_t event_queue_check(struct event_queue *queue);

#endif
