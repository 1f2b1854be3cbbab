/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Media events on their way to the host.
 */
#include "events.h"

#include <errno.h>

#include "memory.h"
#include "plane.h"

int
events_init(struct events *events, uint32_t events_max, uint32_t workers)
{
	size_t bytes = event_queue_bytes(events_max, workers + 1, sizeof(struct stw_media_event));

	events->memory = memory_map(bytes);
	if (!events->memory)
		return -ENOMEM;
	events->memory_bytes = bytes;
	events->sources = workers + 1;
	event_queue_init(&events->queue, events->memory, events_max, workers + 1,
			 sizeof(struct stw_media_event));
	return 0;
}

void
events_destroy(struct events *events)
{
	memory_unmap(events->memory, events->memory_bytes);
	events->memory = NULL;
}

void
events_tell(struct events *events, uint32_t source, const struct stw_media_event *event)
{
	if (!event_queue_push(&events->queue, source, ++events->sequences[source].last, event))
		event_queue_lose(&events->queue, 1);
}

void
events_tell_leg(struct worker *worker, uint32_t leg, struct stw_media_event *event)
{
	const struct leg_card *card = &worker->media->cards[leg];

	event->leg.id = atomic_load_explicit(&card->handle, memory_order_relaxed);
	if (!event->leg.id)
		return;
	event->time_ns = worker->now_ns;
	event->session.id = atomic_load_explicit(&card->session, memory_order_relaxed);
	event->session_cookie = atomic_load_explicit(&card->cookie, memory_order_relaxed);
	events_tell(&worker->media->events, worker->index, event);
}

int
stw_media_events_take(struct stw_media *media, struct stw_media_event *events, uint32_t count)
{
	struct event_queue *queue = &media->events.queue;
	uint32_t taken = 0;

	if (count < 1 || count > 65536)
		return -EINVAL;
	if (!event_queue_take_begin(queue))
		return -EBUSY;
	while (taken < count) {
		uint64_t lost = 0;
		int found = event_queue_take(queue, &events[taken], &lost);

		if (!found)
			break;
		if (found == 2)
			events[taken] = (struct stw_media_event){.type = STW_MEDIA_EVENT_LOST,
								 .lost = lost};
		taken++;
	}
	event_queue_take_end(queue);
	return (int)taken;
}
