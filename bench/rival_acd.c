/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mutex, binary heaps and a linear scan: see rival_acd.h.
 */
#include "rival_acd.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum contact_state { FREE, WAITING, OFFERED, CONNECTED };

struct contact {
	int64_t rank_ns;
	uint64_t arrival; /* breaks ties of rank */
	uint64_t enqueue_ns;
	uint64_t cookie;
	uint32_t heap_index; /* where it is in its queue's heap, while WAITING */
	uint32_t queue;
	uint32_t agent; /* while OFFERED or CONNECTED */
	enum contact_state state;
};

/* The heap holds the keys, so that sifting touches no contact but to note its place. */
struct heap_entry {
	int64_t rank_ns;
	uint64_t arrival;
	uint32_t contact;
};

struct queue {
	struct heap_entry *heap;
	uint32_t length;
	uint32_t capacity;
	uint32_t terms_count;
	struct rival_term terms[RIVAL_TERMS_MAX];
	int64_t target_ns[RIVAL_CLASSES][RIVAL_CLASSES];
};

struct agent {
	uint64_t idle_since_ns;
	bool is_ready;
	uint8_t levels[RIVAL_SKILLS_MAX];
};

struct rival {
	pthread_mutex_t mutex;
	struct rival_config config;
	struct agent *agents;
	struct queue *queues;
	struct contact *contacts;
	uint32_t *free_contacts;
	struct rival_event *events; /* a ring of events_max */
	uint64_t events_written, events_taken;
	uint64_t arrivals;
	uint32_t agents_count, queues_count, free_count;
	uint32_t ready_count; /* spares the scan when nobody is ready */
};

/* The heap. */

static bool
is_before(const struct heap_entry *a, const struct heap_entry *b)
{
	if (a->rank_ns != b->rank_ns)
		return a->rank_ns < b->rank_ns;
	return a->arrival < b->arrival;
}

static void
heap_put(struct rival *rival, struct queue *queue, uint32_t index, struct heap_entry entry)
{
	queue->heap[index] = entry;
	rival->contacts[entry.contact].heap_index = index;
}

static void
heap_sift_up(struct rival *rival, struct queue *queue, uint32_t index, struct heap_entry entry)
{
	while (index > 0) {
		uint32_t parent = (index - 1) / 2;

		if (!is_before(&entry, &queue->heap[parent]))
			break;
		heap_put(rival, queue, index, queue->heap[parent]);
		index = parent;
	}
	heap_put(rival, queue, index, entry);
}

static void
heap_sift_down(struct rival *rival, struct queue *queue, uint32_t index, struct heap_entry entry)
{
	for (;;) {
		uint32_t child = 2 * index + 1;

		if (child >= queue->length)
			break;
		if (child + 1 < queue->length &&
		    is_before(&queue->heap[child + 1], &queue->heap[child]))
			child++;
		if (!is_before(&queue->heap[child], &entry))
			break;
		heap_put(rival, queue, index, queue->heap[child]);
		index = child;
	}
	heap_put(rival, queue, index, entry);
}

static int
heap_insert(struct rival *rival, struct queue *queue, uint32_t contact)
{
	struct contact *waiting = &rival->contacts[contact];
	struct heap_entry entry = {waiting->rank_ns, waiting->arrival, contact};

	if (queue->length == queue->capacity) {
		uint32_t capacity = queue->capacity ? 2 * queue->capacity : 64;
		struct heap_entry *grown = realloc(queue->heap, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		queue->heap = grown;
		queue->capacity = capacity;
	}
	heap_sift_up(rival, queue, queue->length++, entry);
	return 0;
}

static void
heap_remove(struct rival *rival, struct queue *queue, uint32_t index)
{
	struct heap_entry last = queue->heap[--queue->length];

	if (index == queue->length)
		return;
	if (index > 0 && is_before(&last, &queue->heap[(index - 1) / 2]))
		heap_sift_up(rival, queue, index, last);
	else
		heap_sift_down(rival, queue, index, last);
}

/* Matching, under the mutex. */

static void
event_push(struct rival *rival, enum rival_event_type type, uint32_t contact, uint32_t agent,
	   uint64_t now_ns)
{
	struct rival_event *event;
	const struct contact *about = &rival->contacts[contact];

	if (rival->events_written - rival->events_taken == rival->config.events_max)
		return;
	event = &rival->events[rival->events_written++ % rival->config.events_max];
	*event = (struct rival_event){.type = type, .agent = agent, .time_ns = now_ns};
	if (type == RIVAL_EVENT_AGENT_READY)
		return;
	event->contact = contact;
	event->queue = about->queue;
	event->cookie = about->cookie;
	event->wait_ns = now_ns - about->enqueue_ns;
}

static bool
has_skills(const struct agent *agent, const struct queue *queue)
{
	for (uint32_t i = 0; i < queue->terms_count; i++) {
		if (agent->levels[queue->terms[i].skill] < queue->terms[i].level)
			return false;
	}
	return true;
}

static void
offer(struct rival *rival, uint32_t contact, uint32_t agent, uint64_t now_ns)
{
	rival->agents[agent].is_ready = false;
	rival->ready_count--;
	rival->contacts[contact].state = OFFERED;
	rival->contacts[contact].agent = agent;
	event_push(rival, RIVAL_EVENT_OFFER, contact, agent, now_ns);
}

/* Who has been ready for longest of those with the skills; -1: nobody. */
static int64_t
pick_agent(const struct rival *rival, const struct queue *queue)
{
	int64_t best = -1;
	uint64_t best_since_ns = UINT64_MAX;

	if (rival->ready_count == 0)
		return -1;
	for (uint32_t i = 0; i < rival->agents_count; i++) {
		const struct agent *agent = &rival->agents[i];

		if (agent->is_ready && agent->idle_since_ns < best_since_ns &&
		    has_skills(agent, queue)) {
			best = i;
			best_since_ns = agent->idle_since_ns;
		}
	}
	return best;
}

static void
match_agent(struct rival *rival, uint32_t index, uint64_t now_ns)
{
	const struct agent *agent = &rival->agents[index];
	struct queue *best = NULL;
	uint32_t contact;

	for (uint32_t i = 0; i < rival->queues_count; i++) {
		struct queue *queue = &rival->queues[i];

		if (queue->length == 0 || !has_skills(agent, queue))
			continue;
		if (!best || is_before(&queue->heap[0], &best->heap[0]))
			best = queue;
	}
	if (!best)
		return;
	contact = best->heap[0].contact;
	heap_remove(rival, best, 0);
	offer(rival, contact, index, now_ns);
}

static void
make_ready(struct rival *rival, uint32_t agent, uint64_t now_ns)
{
	rival->agents[agent].is_ready = true;
	rival->agents[agent].idle_since_ns = now_ns;
	rival->ready_count++;
	event_push(rival, RIVAL_EVENT_AGENT_READY, 0, agent, now_ns);
	match_agent(rival, agent, now_ns);
}

/* Calls. */

int
rival_create(struct rival **out, const struct rival_config *config)
{
	struct rival *rival = calloc(1, sizeof(*rival));

	if (!rival)
		return -ENOMEM;
	rival->config = *config;
	rival->agents = calloc(config->agents_max, sizeof(*rival->agents));
	rival->queues = calloc(config->queues_max, sizeof(*rival->queues));
	rival->contacts = calloc(config->contacts_max, sizeof(*rival->contacts));
	rival->free_contacts = calloc(config->contacts_max, sizeof(*rival->free_contacts));
	rival->events = calloc(config->events_max, sizeof(*rival->events));
	if (!rival->agents || !rival->queues || !rival->contacts || !rival->free_contacts ||
	    !rival->events) {
		rival_destroy(rival);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < config->contacts_max; i++)
		rival->free_contacts[rival->free_count++] = config->contacts_max - 1 - i;
	pthread_mutex_init(&rival->mutex, NULL);
	*out = rival;
	return 0;
}

void
rival_destroy(struct rival *rival)
{
	if (!rival)
		return;
	for (uint32_t i = 0; i < rival->queues_count; i++)
		free(rival->queues[i].heap);
	free(rival->events);
	free(rival->free_contacts);
	free(rival->contacts);
	free(rival->queues);
	free(rival->agents);
	free(rival);
}

int
rival_queue_define(struct rival *rival, const struct rival_term *terms, uint32_t terms_count,
		   const int64_t target_ns[RIVAL_CLASSES][RIVAL_CLASSES])
{
	int index = -ENOSPC;

	if (terms_count > RIVAL_TERMS_MAX)
		return -EINVAL;
	pthread_mutex_lock(&rival->mutex);
	if (rival->queues_count < rival->config.queues_max) {
		struct queue *queue = &rival->queues[rival->queues_count];

		memcpy(queue->terms, terms, terms_count * sizeof(*terms));
		queue->terms_count = terms_count;
		memcpy(queue->target_ns, target_ns, sizeof(queue->target_ns));
		index = (int)rival->queues_count++;
	}
	pthread_mutex_unlock(&rival->mutex);
	return index;
}

int
rival_agent_define(struct rival *rival, const uint8_t levels[RIVAL_SKILLS_MAX])
{
	int index = -ENOSPC;

	pthread_mutex_lock(&rival->mutex);
	if (rival->agents_count < rival->config.agents_max) {
		memcpy(rival->agents[rival->agents_count].levels, levels, RIVAL_SKILLS_MAX);
		index = (int)rival->agents_count++;
	}
	pthread_mutex_unlock(&rival->mutex);
	return index;
}

int
rival_agent_ready(struct rival *rival, uint32_t agent, uint64_t now_ns)
{
	int error = 0;

	pthread_mutex_lock(&rival->mutex);
	if (rival->agents[agent].is_ready)
		error = -EALREADY;
	else
		make_ready(rival, agent, now_ns);
	pthread_mutex_unlock(&rival->mutex);
	return error;
}

int
rival_enqueue(struct rival *rival, uint32_t queue_index, uint64_t cookie, uint8_t value,
	      uint8_t urgency, uint64_t now_ns, uint32_t *contact)
{
	struct queue *queue = &rival->queues[queue_index];
	int64_t agent;
	uint32_t slot;
	int error = 0;

	pthread_mutex_lock(&rival->mutex);
	if (rival->free_count == 0) {
		error = -ENOSPC;
		goto unlock;
	}
	slot = rival->free_contacts[rival->free_count - 1];
	rival->contacts[slot] = (struct contact){
		.rank_ns = (int64_t)now_ns + queue->target_ns[value][urgency],
		.arrival = ++rival->arrivals,
		.enqueue_ns = now_ns,
		.cookie = cookie,
		.queue = queue_index,
		.state = WAITING,
	};
	agent = pick_agent(rival, queue);
	if (agent >= 0)
		offer(rival, slot, (uint32_t)agent, now_ns);
	else
		error = heap_insert(rival, queue, slot);
	if (!error) {
		rival->free_count--;
		*contact = slot;
	}
unlock:
	pthread_mutex_unlock(&rival->mutex);
	return error;
}

static void
contact_free(struct rival *rival, uint32_t contact)
{
	rival->contacts[contact].state = FREE;
	rival->free_contacts[rival->free_count++] = contact;
}

int
rival_cancel(struct rival *rival, uint32_t contact, uint64_t now_ns)
{
	struct contact *going = &rival->contacts[contact];
	int error = 0;

	pthread_mutex_lock(&rival->mutex);
	if (going->state == WAITING) {
		heap_remove(rival, &rival->queues[going->queue], going->heap_index);
		event_push(rival, RIVAL_EVENT_ABANDONED, contact, 0, now_ns);
		contact_free(rival, contact);
	} else if (going->state == OFFERED) {
		event_push(rival, RIVAL_EVENT_ABANDONED, contact, going->agent, now_ns);
		contact_free(rival, contact);
		make_ready(rival, going->agent, now_ns);
	} else {
		error = going->state == FREE ? -ESTALE : -EBUSY;
	}
	pthread_mutex_unlock(&rival->mutex);
	return error;
}

int
rival_accept(struct rival *rival, uint32_t contact, uint64_t now_ns)
{
	struct contact *answered = &rival->contacts[contact];
	int error = 0;

	pthread_mutex_lock(&rival->mutex);
	if (answered->state == OFFERED) {
		answered->state = CONNECTED;
		event_push(rival, RIVAL_EVENT_CONNECTED, contact, answered->agent, now_ns);
	} else {
		error = -ESTALE;
	}
	pthread_mutex_unlock(&rival->mutex);
	return error;
}

int
rival_end(struct rival *rival, uint32_t contact, uint64_t now_ns)
{
	struct contact *over = &rival->contacts[contact];
	int error = 0;

	pthread_mutex_lock(&rival->mutex);
	if (over->state == CONNECTED) {
		event_push(rival, RIVAL_EVENT_ENDED, contact, over->agent, now_ns);
		contact_free(rival, contact);
		make_ready(rival, over->agent, now_ns);
	} else {
		error = -ESTALE;
	}
	pthread_mutex_unlock(&rival->mutex);
	return error;
}

int
rival_events_take(struct rival *rival, struct rival_event *events, uint32_t count)
{
	uint32_t taken = 0;

	pthread_mutex_lock(&rival->mutex);
	while (taken < count && rival->events_taken < rival->events_written)
		events[taken++] = rival->events[rival->events_taken++ % rival->config.events_max];
	pthread_mutex_unlock(&rival->mutex);
	return (int)taken;
}
