/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rival of the ACD benches: an engine as one writes it first, and writes it well. One
 * mutex around everything, a binary heap of waiting contacts per queue, and a linear scan over the
 * agents for the one who has been idle for longest and has the skills. Its rules are Strowger's:
 * rank is enqueue time + target of the class, ties go by arrival; an agent who becomes ready gets
 * the contact of smallest rank over all the queues that agent may serve.
 */
#ifndef BENCH_RIVAL_ACD_H
#define BENCH_RIVAL_ACD_H

#include <stdint.h>

#define RIVAL_SKILLS_MAX 64
#define RIVAL_TERMS_MAX  4
#define RIVAL_CLASSES    16

struct rival;

enum rival_event_type {
	RIVAL_EVENT_OFFER,
	RIVAL_EVENT_CONNECTED,
	RIVAL_EVENT_ENDED,
	RIVAL_EVENT_ABANDONED,
	RIVAL_EVENT_AGENT_READY,
};

struct rival_event {
	enum rival_event_type type;
	uint32_t contact;
	uint32_t agent;
	uint32_t queue;
	uint64_t cookie; /**< the contact's, as given at enqueue */
	uint64_t time_ns;
	uint64_t wait_ns;
};

struct rival_term {
	uint8_t skill;
	uint8_t level;
};

/** Limits; memory is taken at creation, as ours is. */
struct rival_config {
	uint32_t agents_max;
	uint32_t queues_max;
	uint32_t contacts_max;
	uint32_t events_max;
};

/** All return 0 or a count, or a negative errno. All but create and destroy take the mutex. */
int rival_create(struct rival **out, const struct rival_config *config);
void rival_destroy(struct rival *rival);
int rival_queue_define(struct rival *rival, const struct rival_term *terms, uint32_t terms_count,
		       const int64_t target_ns[RIVAL_CLASSES][RIVAL_CLASSES]);
int rival_agent_define(struct rival *rival, const uint8_t levels[RIVAL_SKILLS_MAX]);
int rival_agent_ready(struct rival *rival, uint32_t agent, uint64_t now_ns);
int rival_enqueue(struct rival *rival, uint32_t queue, uint64_t cookie, uint8_t value,
		  uint8_t urgency, uint64_t now_ns, uint32_t *contact);
int rival_cancel(struct rival *rival, uint32_t contact, uint64_t now_ns);
int rival_accept(struct rival *rival, uint32_t contact, uint64_t now_ns);
int rival_end(struct rival *rival, uint32_t contact, uint64_t now_ns);
int rival_events_take(struct rival *rival, struct rival_event *events, uint32_t count);

#endif
