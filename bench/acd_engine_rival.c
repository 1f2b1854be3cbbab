/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rival's engine as the benches see it.
 */
#include <errno.h>
#include <stdlib.h>

#include "acd_engines.h"
#include "acd_must.h"
#include "acd_threads.h"
#include "acd_workload.h"

struct theirs {
	struct rival *rival;
	uint32_t *contacts; /* by cookie */
};

static void
theirs_queue_define(void *state, uint32_t queue, const struct rival_term *terms,
		    uint32_t terms_count, const int64_t target_ns[RIVAL_CLASSES][RIVAL_CLASSES])
{
	struct theirs *theirs = state;

	must(rival_queue_define(theirs->rival, terms, terms_count, target_ns),
	     "rival_queue_define");
}

static void
theirs_agent_define(void *state, uint32_t agent, const uint8_t levels[RIVAL_SKILLS_MAX])
{
	struct theirs *theirs = state;

	must(rival_agent_define(theirs->rival, levels), "rival_agent_define");
}

static void
theirs_agent_ready(void *state, uint32_t agent, uint64_t now_ns)
{
	struct theirs *theirs = state;
	struct rival_event events[ENGINES_EVENTS_BATCH];

	must(rival_agent_ready(theirs->rival, agent, now_ns), "rival_agent_ready");
	must(rival_events_take(theirs->rival, events, ENGINES_EVENTS_BATCH), "rival_events_take");
}

static void
theirs_enqueue(void *state, uint32_t queue, uint32_t cookie, uint8_t value, uint8_t urgency,
	       uint64_t now_ns)
{
	struct theirs *theirs = state;

	must(rival_enqueue(theirs->rival, queue, cookie, value, urgency, now_ns,
			   &theirs->contacts[cookie]),
	     "rival_enqueue");
}

static void
theirs_agents_ready(void *state, uint32_t first, uint32_t count, uint64_t now_ns)
{
	struct theirs *theirs = state;

	for (uint32_t i = 0; i < count; i++)
		must(rival_agent_ready(theirs->rival, first + i, now_ns), "rival_agent_ready");
}

static bool
theirs_admit(void *state, uint32_t queue, uint32_t cookie, uint8_t value, bool is_red,
	     uint64_t now_ns)
{
	uint8_t highest = RIVAL_CLASSES - 1;

	theirs_enqueue(state, queue, cookie, is_red ? highest : value, is_red ? highest : 0,
		       now_ns);
	return true;
}

/* It has no timers. */
static void
theirs_advance(void *state, uint64_t now_ns)
{
}

static void
theirs_cancel(void *state, uint32_t cookie, uint64_t now_ns)
{
	struct theirs *theirs = state;

	must(rival_cancel(theirs->rival, theirs->contacts[cookie], now_ns), "rival_cancel");
}

static uint32_t
theirs_take(void *state, struct workload_match *matches, uint32_t count, uint64_t now_ns)
{
	struct theirs *theirs = state;
	struct rival_event events[ENGINES_EVENTS_BATCH];
	uint32_t found = 0;
	int taken;

	do {
		taken = rival_events_take(theirs->rival, events, ENGINES_EVENTS_BATCH);
		must(taken, "rival_events_take");
		for (int i = 0; i < taken; i++) {
			if (events[i].type != RIVAL_EVENT_OFFER)
				continue;
			if (found == count)
				rounds_die("more decisions at once than can be");
			must(rival_accept(theirs->rival, events[i].contact, now_ns),
			     "rival_accept");
			matches[found].cookie = (uint32_t)events[i].cookie;
			matches[found++].agent = events[i].agent;
		}
	} while (taken == ENGINES_EVENTS_BATCH);
	return found;
}

static void
theirs_end(void *state, uint32_t cookie, uint64_t now_ns)
{
	struct theirs *theirs = state;

	must(rival_end(theirs->rival, theirs->contacts[cookie], now_ns), "rival_end");
}

static void
theirs_destroy(void *state)
{
	struct theirs *theirs = state;

	rival_destroy(theirs->rival);
	free(theirs->contacts);
	free(theirs);
}

void
workload_rival_create(struct workload_engine *engine, const struct workload_size *size)
{
	struct theirs *theirs = array(1, sizeof(*theirs));
	struct rival_config config = {
		.agents_max = size->agents,
		.queues_max = size->queues,
		.contacts_max = workload_contacts_max(size),
		.events_max = ENGINES_EVENTS_MAX,
	};

	must(rival_create(&theirs->rival, &config), "rival_create");
	theirs->contacts = array(config.contacts_max, sizeof(*theirs->contacts));
	*engine = (struct workload_engine){
		.name = "mutex-heap-scan",
		.state = theirs,
		.queue_define = theirs_queue_define,
		.agent_define = theirs_agent_define,
		.agent_ready = theirs_agent_ready,
		.agents_ready = theirs_agents_ready,
		.enqueue = theirs_enqueue,
		.admit = theirs_admit,
		.cancel = theirs_cancel,
		.take = theirs_take,
		.end = theirs_end,
		.advance = theirs_advance,
		.destroy = theirs_destroy,
	};
}

static int
theirs_threads_enqueue(void *state, uint32_t queue, uint64_t now_ns)
{
	struct theirs *theirs = state;
	uint32_t contact;
	int error = rival_enqueue(theirs->rival, queue, 0, 0, 0, now_ns, &contact);

	if (error != -ENOSPC)
		must(error, "rival_enqueue");
	return error;
}

static uint32_t
theirs_threads_serve(void *state, uint64_t now_ns)
{
	struct theirs *theirs = state;
	struct rival_event events[ENGINES_EVENTS_BATCH];
	uint32_t served = 0;
	int taken = rival_events_take(theirs->rival, events, ENGINES_EVENTS_BATCH);

	must(taken, "rival_events_take");
	for (int i = 0; i < taken; i++) {
		if (events[i].type != RIVAL_EVENT_OFFER)
			continue;
		must(rival_accept(theirs->rival, events[i].contact, now_ns), "rival_accept");
		must(rival_end(theirs->rival, events[i].contact, now_ns), "rival_end");
		served++;
	}
	return served;
}

void
workload_rival_threads(const struct workload_engine *engine, struct threads_engine *threads)
{
	*threads = (struct threads_engine){engine->state, theirs_threads_enqueue,
					   theirs_threads_serve};
}
