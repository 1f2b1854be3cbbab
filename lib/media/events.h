/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Media events on their way to the host. Each worker is a source of the queue, and the recording
 * thread is the last one; a source numbers its own events.
 */
#ifndef STW_MEDIA_EVENTS_H
#define STW_MEDIA_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/media.h>

#include "sync/event_queue.h"

struct worker;

/** The queue and who pushes. */
struct events {
	struct event_queue queue;
	void *memory;
	size_t memory_bytes;
	uint32_t sources;
	struct {
		uint64_t last;
	} STW_ALIGNED_LINE sequences[STW_MEDIA_WORKERS_MAX + 1]; /**< each of its source alone */
};

/** 0 or -ENOMEM. Threads: one. */
int events_init(struct events *events, uint32_t events_max, uint32_t workers);

/** Free the memory. Threads: one, the last. */
void events_destroy(struct events *events);

/**
 * Tell the host; counted as lost when the queue is full.
 *
 * Threads:  each source one.
 * Progress: lock-free, as event_queue_push.
 * Order:    events of a source keep their order.
 */
void events_tell(struct events *events, uint32_t source, const struct stw_media_event *event);

/**
 * Tell of a leg: time, handles and cookie are filled in. Nothing is told of a removed leg.
 *
 * Threads: the worker. Progress: as events_tell.
 */
void events_tell_leg(struct worker *worker, uint32_t leg, struct stw_media_event *event);

#endif
