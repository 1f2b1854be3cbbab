/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Event queue. A pusher takes a node from a pool, writes it fully and links it in front of the head by
 * one compare-exchange; so there is no moment in which a stopped pusher's node is in the way of others.
 * The taker takes the whole list by one exchange, turns it round and hands it out.
 *
 * Order of one source's events is made by its users, not by holding events back: before a thing goes on
 * from the state that an event tells of, whoever wants to move it pushes that event itself if that was
 * not surely done. So an event may be pushed twice; the taker hands out a source's event only if
 * its sequence is above the last one handed out. Nobody waits for a stopped thread, and the order is
 * exact. With no room the event is counted as lost before its source goes on; each node carries the
 * number of losses at its push, and the taker tells of a loss before the first node that knows of it.
 *
 * I1  Each node is in the pool, with one pusher, in the list behind head, or with the taker.
 * I2  A node's source, sequence and payload are written before it is reachable, and not after.
 *
 * push may overlap everything; the take calls are for one thread at a time, guarded by `taking`.
 * push retries only when another push or a take-all succeeded: lock-free. A pusher stopped in between
 * holds one node. A taker that is stopped holds back all events: there is only one taker by contract.
 * The push has no problem with reuse: if head is the same index again, then linking to it is right again.
 *
 *  label  where                    order    pairs with  without it
 *  E1     push: head               release  E2          the taker reads an unwritten event
 *  E2     take: exchange of head   acquire  E1          same, seen from the taker
 *  E3     lose: lost               release  E6          a gap is told before what came before it
 *  E4     take_end: taking         release  E5          the next taker sees an old list
 *  E5     take_begin: exchange     acquire  E4          same, seen from the next taker
 *  E6     take: lost               acquire  E3          same, seen from the taker
 */
#include "event_queue.h"

#include <string.h>

static size_t
node_bytes(size_t payload_bytes)
{
	return STW_WHOLE_LINES(sizeof(struct event_queue_node) + payload_bytes);
}

static struct event_queue_node *
node_at(struct event_queue *queue, uint32_t index)
{
	return (struct event_queue_node *)(queue->nodes + index * queue->node_bytes);
}

size_t
event_queue_bytes(uint32_t nodes, uint32_t sources, size_t payload_bytes)
{
	return nodes * node_bytes(payload_bytes) + STW_WHOLE_LINES(sources * sizeof(uint64_t)) +
	       STW_WHOLE_LINES(slot_pool_bytes(nodes));
}

void
event_queue_init(struct event_queue *queue, void *memory, uint32_t nodes, uint32_t sources,
		 size_t payload_bytes)
{
	char *rest = memory;

	queue->node_bytes = node_bytes(payload_bytes);
	queue->payload_bytes = payload_bytes;
	queue->sources = sources;
	queue->nodes_count = nodes;
	queue->nodes = rest;
	rest += nodes * queue->node_bytes;
	queue->delivered = (uint64_t *)rest;
	rest += STW_WHOLE_LINES(sources * sizeof(uint64_t));
	slot_pool_init(&queue->pool, rest, nodes);
	queue->taken = EVENT_QUEUE_NONE;
	atomic_init(&queue->head, EVENT_QUEUE_NONE);
	atomic_init(&queue->lost, 0);
	atomic_init(&queue->taking, 0);
}

bool
event_queue_push(struct event_queue *queue, uint32_t source, uint64_t sequence, const void *payload)
{
	struct event_queue_node *node;
	uint32_t index;
	uint32_t head;

	STW_DEBUG_ASSERT(source < queue->sources);
	if (slot_pool_take(&queue->pool, &index))
		return false;
	node = node_at(queue, index);
	node->source = source;
	node->sequence = sequence;
	/* Who lost the source's event before this one has counted it: the gap is told before this. */
	node->lost = atomic_load_explicit(&queue->lost, memory_order_relaxed);
	memcpy(node->payload, payload, queue->payload_bytes);
	head = atomic_load_explicit(&queue->head, memory_order_relaxed);
	do {
		atomic_store_explicit(&node->next, head, memory_order_relaxed);
		/* E1, pairs with E2 */
	} while (!atomic_compare_exchange_weak_explicit(
		&queue->head, &head, index, memory_order_release, memory_order_relaxed));
	return true;
}

void
event_queue_lose(struct event_queue *queue, uint32_t count)
{
	/* E3, pairs with E6 */
	atomic_fetch_add_explicit(&queue->lost, count, memory_order_release);
}

bool
event_queue_take_begin(struct event_queue *queue)
{
	/* E5, pairs with E4 */
	return !atomic_exchange_explicit(&queue->taking, 1, memory_order_acquire);
}

void
event_queue_take_end(struct event_queue *queue)
{
	/* E4, pairs with E5 */
	atomic_store_explicit(&queue->taking, 0, memory_order_release);
}

/* Take all that was pushed, and turn it round: oldest first. */
static uint32_t
take_all(struct event_queue *queue)
{
	/* E2, pairs with E1: the exchange reads the last of a chain of read-modify-writes, so it sees
	 * every node that was pushed before that one, too. */
	uint32_t index =
		atomic_exchange_explicit(&queue->head, EVENT_QUEUE_NONE, memory_order_acquire);
	uint32_t turned = EVENT_QUEUE_NONE;

	while (index != EVENT_QUEUE_NONE) {
		struct event_queue_node *node = node_at(queue, index);
		uint32_t next = atomic_load_explicit(&node->next, memory_order_relaxed);

		atomic_store_explicit(&node->next, turned, memory_order_relaxed);
		turned = index;
		index = next;
	}
	return turned;
}

/* Tell losses up to this number, unless they were told. */
static bool
gap_tell(struct event_queue *queue, uint64_t up_to, uint64_t *lost)
{
	if (up_to <= queue->lost_told)
		return false;
	*lost = up_to - queue->lost_told;
	queue->lost_told = up_to;
	return true;
}

int
event_queue_take(struct event_queue *queue, void *payload, uint64_t *lost)
{
	for (;;) {
		struct event_queue_node *node;
		uint32_t index = queue->taken;
		bool fresh;

		if (index == EVENT_QUEUE_NONE) {
			/* E6, pairs with E3: what was pushed before these losses is in the list. */
			uint64_t up_to = atomic_load_explicit(&queue->lost, memory_order_acquire);

			queue->taken = take_all(queue);
			if (queue->taken != EVENT_QUEUE_NONE)
				continue;
			return gap_tell(queue, up_to, lost) ? 2 : 0;
		}
		node = node_at(queue, index);
		if (gap_tell(queue, node->lost, lost))
			return 2;
		queue->taken = atomic_load_explicit(&node->next, memory_order_relaxed);
		/* Sequences may wrap: what counts is who is ahead. */
		fresh = !node->sequence ||
			(int64_t)(node->sequence - queue->delivered[node->source]) > 0;
		if (fresh) {
			if (node->sequence)
				queue->delivered[node->source] = node->sequence;
			memcpy(payload, node->payload, queue->payload_bytes);
		}
		slot_pool_give(&queue->pool, index);
		if (fresh)
			return 1;
	}
}

void
event_queue_resume(struct event_queue *queue, uint32_t source, uint64_t sequence)
{
	queue->delivered[source] = sequence;
}

uint32_t
event_queue_check(struct event_queue *queue)
{
	uint32_t pushed = 0;
	uint32_t index;

	for (index = atomic_load_explicit(&queue->head, memory_order_relaxed);
	     index != EVENT_QUEUE_NONE && pushed <= queue->nodes_count; pushed++)
		index = atomic_load_explicit(&node_at(queue, index)->next, memory_order_relaxed);
	for (index = queue->taken; index != EVENT_QUEUE_NONE && pushed <= queue->nodes_count;
	     pushed++)
		index = atomic_load_explicit(&node_at(queue, index)->next, memory_order_relaxed);
	STW_ASSERT(pushed + slot_pool_check(&queue->pool) == queue->nodes_count);
	return pushed;
}
