/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The door of a queue: whether it takes contacts. It does not while its calendar is closed (calendar.c), and not
 * while it drains.
 *
 * Draining is a flag beside the count of the queue's known contacts, in the same word. Who enters raises the count
 * by a compare-exchange from a value without the flag, so the change of the flag has contacts before it, which
 * it lets in and counts, and contacts after it, which it turns away; there is no third kind. Removal closes
 * the same word from a count of 0, so an empty draining queue stays empty until it is removed.
 *
 * A queue's slot gets another queue only after a grace period that follows the removal of the description; a call
 * that has read the description in its read-side section cannot turn the flag of a later queue.
 *
 * Progress: a failed compare-exchange means that another thread's has changed the count: lock-free.
 *
 * The accesses to the word carry no data, so they are relaxed; the labels Q1 and Q2 of engine.h are about
 * removal alone.
 */
#include "engine.h"

#include <errno.h>

/* Description of the queue that a handle names, or NULL; inside of a read-side section, at whose end it may
 * go, or under the configuration lock. */
const struct acd_queue_description *
acd_queue_named(struct stw_acd *acd, struct stw_queue handle)
{
	const struct acd_queue_description *queue;
	uint32_t slot = (uint32_t)handle.id;

	if (slot >= acd->config.queues_max || !handle.id)
		return NULL;
	queue = acd_queue_description(acd, slot);
	return queue && queue->generation == handle.id >> 32 ? queue : NULL;
}

/* Slot of a queue, as long as acd_queue_named's description stays. */
int
acd_queue_find(struct stw_acd *acd, struct stw_queue handle, uint32_t *q)
{
	if (!acd_queue_named(acd, handle))
		return -ESTALE;
	*q = (uint32_t)handle.id;
	return 0;
}

static int
drain(struct acd_queue *queue, int on)
{
	uint64_t known = atomic_load_explicit(&queue->known, memory_order_relaxed);
	uint64_t next;

	do {
		if (known & ACD_QUEUE_CLOSED)
			return -ESTALE;
		next = (known & ~ACD_QUEUE_DRAINING) | (on ? ACD_QUEUE_DRAINING : 0);
	} while (!atomic_compare_exchange_weak_explicit(
		&queue->known, &known, next, memory_order_relaxed, memory_order_relaxed));
	return 0;
}

int
stw_queue_drain(struct stw_acd *acd, struct stw_queue queue, int on)
{
	uint32_t q;
	int error;

	if (on != 0 && on != 1)
		return -EINVAL;
	reclaim_enter();
	error = acd_queue_find(acd, queue, &q);
	if (!error)
		error = drain(&acd->queues[q], on);
	reclaim_exit();
	return error;
}

int
stw_queue_door(struct stw_acd *acd, struct stw_queue queue, uint64_t now_ns)
{
	const struct acd_queue_description *description;
	int door = 0;

	if (now_ns > ACD_NOW_MAX)
		return -EINVAL;
	reclaim_enter();
	description = acd_queue_named(acd, queue);
	if (!description) {
		door = -ESTALE;
	} else {
		if (atomic_load_explicit(&acd->queues[(uint32_t)queue.id].known,
					 memory_order_relaxed) &
		    ACD_QUEUE_DRAINING)
			door |= STW_QUEUE_DRAINING;
		if (!acd_calendar_open(acd, description->calendar, now_ns))
			door |= STW_QUEUE_SHUT;
	}
	reclaim_exit();
	return door;
}

static int
queue_enter(struct stw_acd *acd, uint32_t q, const struct acd_queue_description *description)
{
	struct acd_queue *queue = &acd->queues[q];
	uint64_t known = atomic_load_explicit(&queue->known, memory_order_relaxed);
	int64_t waiting = atomic_load_explicit(&queue->waiting, memory_order_relaxed);

	do {
		if (known & ACD_QUEUE_FLAGS)
			return known & ACD_QUEUE_CLOSED ? -ESTALE : -ESHUTDOWN;
	} while (!atomic_compare_exchange_weak_explicit(
		&queue->known, &known, known + 1, memory_order_relaxed, memory_order_relaxed));
	if (!acd_tenant_contact_enter(acd, description->tenant)) {
		/* Not acd_queue_known_drop, which would uncount it from the tenant's. */
		atomic_fetch_sub_explicit(&queue->known, 1, memory_order_relaxed);
		return -ENOSPC;
	}
	do {
		if (description->length_max && waiting >= (int64_t)description->length_max) {
			acd_queue_known_drop(acd, q);
			return -ENOSPC;
		}
	} while (!atomic_compare_exchange_weak_explicit(&queue->waiting, &waiting, waiting + 1,
							memory_order_relaxed,
							memory_order_relaxed));
	return 0;
}

/* Count a contact in: into the queue's known and waiting ones. -ESTALE: the queue was removed; -ESHUTDOWN:
 * it is closed; -EHOSTDOWN: nobody serves it; -ENOSPC: it or its tenant is full. */
int
acd_queue_enter(struct stw_acd *acd, struct stw_queue handle, uint64_t now_ns, uint32_t *q)
{
	const struct acd_queue_description *queue = acd_queue_named(acd, handle);

	*q = (uint32_t)handle.id;
	if (!queue)
		return -ESTALE;
	if (!acd_calendar_open(acd, queue->calendar, now_ns))
		return -ESHUTDOWN;
	if (queue->refuse_when && acd_queue_is_unstaffed(acd, queue, queue->refuse_when))
		return -EHOSTDOWN;
	return queue_enter(acd, *q, queue);
}

/* Count out again a contact that did not come after all. */
void
acd_queue_leave(struct stw_acd *acd, uint32_t q)
{
	atomic_fetch_sub_explicit(&acd->queues[q].waiting, 1, memory_order_relaxed);
	acd_queue_known_drop(acd, q);
}
