/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop: the earlier of the agenda's next item and the engine's next timer, then the events that
 * it caused. What has the same time happens in the order in which it was planned.
 */
#include "simulation_parts.h"

#include <errno.h>
#include <stdlib.h>

/* Events taken with one call. */
#define BATCH 64

/* Timers fired with one call. */
#define BUDGET 1024

/* Turns of the loop between two calls of progress. */
#define PROGRESS_TURNS 65536

/* After the agenda's end only timers go on; those that go on for ever are cut off here. */
#define OVERTIME_NS PLAN_DAY_NS

int
simulation_create(struct simulation **out, const struct plan *plan, uint64_t seed)
{
	struct simulation *simulation = calloc(1, sizeof(*simulation));
	int result;

	if (!simulation)
		return -ENOMEM;
	simulation->plan = plan;
	simulation->first_free = NO_CONTACT;
	result = simulation_house_build(simulation, seed);
	if (result != 0) {
		simulation_destroy(simulation);
		return result;
	}
	*out = simulation;
	return 0;
}

void
simulation_destroy(struct simulation *simulation)
{
	if (!simulation)
		return;
	stw_acd_destroy(simulation->acd);
	agenda_free(&simulation->agenda);
	tally_free(&simulation->tally);
	free(simulation->contacts);
	free(simulation->persons);
	free(simulation->sources);
	free(simulation->queues);
	free(simulation->totals);
	free(simulation->surges);
	free(simulation);
}

void
simulation_observe(struct simulation *simulation, simulation_event_fn event,
		   simulation_progress_fn progress, void *context)
{
	simulation->event = event;
	simulation->progress = progress;
	simulation->context = context;
}

void
simulation_events(struct simulation *simulation)
{
	struct stw_event events[BATCH];
	int count;

	while ((count = stw_events_take(simulation->acd, events, BATCH)) > 0) {
		for (int i = 0; i < count; i++) {
			if (simulation->event)
				simulation->event(simulation->context, &events[i]);
			if (events[i].type == STW_EVENT_LOST)
				simulation_fail(simulation, -ENOBUFS);
			if (events[i].type == STW_EVENT_SURGE)
				simulation_surge(simulation, &events[i]);
			if (events[i].contact.id)
				simulation_contact_event(simulation, &events[i]);
			if (events[i].agent.id)
				simulation_agent_look(simulation, (uint32_t)events[i].agent_cookie);
		}
	}
	simulation_fail(simulation, count);
}

static void
act(struct simulation *simulation, const struct agenda_item *item)
{
	if (item->kind >= KIND_LOGIN)
		simulation_agent_act(simulation, item);
	else
		simulation_contact_act(simulation, item);
	simulation_events(simulation);
}

/*
 * Fire what is due, and say when the engine wants to be called again. What is done about the events
 * may set further timers, so it asks until nothing fires.
 */
static uint64_t
advance(struct simulation *simulation)
{
	uint64_t next_ns;
	int fired;

	do {
		fired = stw_acd_advance(simulation->acd, simulation_now(simulation), BUDGET,
					&next_ns);
		simulation_fail(simulation, fired);
		simulation_events(simulation);
	} while (fired > 0 && simulation->error == 0);
	return next_ns < UINT64_MAX ? next_ns - SIMULATION_ORIGIN_NS : UINT64_MAX;
}

/* The engine's counters must tell the same story, of each queue. */
static bool
same(const struct stw_queue_stats *stats, const struct tally_cell *total)
{
	return stats->offered == total->offered && stats->answered == total->answered &&
	       stats->abandoned == total->abandoned && stats->refused == total->refused &&
	       stats->deflected == total->deflected && stats->overflowed == total->overflowed &&
	       stats->callbacks_offered == total->callbacks && stats->callbacks == total->accepted;
}

static int
compare(struct simulation *simulation)
{
	uint32_t queues = simulation->plan->queues_count;
	struct tally_cell sum = tally_cells_sum(simulation->totals, queues);
	struct stw_acd_stats stats;

	stw_acd_check(simulation->acd);
	stw_acd_stats(simulation->acd, &stats);
	if (!same(&stats.queues, &sum))
		return -EPROTO;
	for (uint32_t i = 0; i < queues; i++) {
		struct stw_queue_stats queue;
		int result = stw_queue_stats(simulation->acd, simulation->queues[i], &queue);

		if (result != 0)
			return result;
		if (!same(&queue, &simulation->totals[i]))
			return -EPROTO;
	}
	return 0;
}

static void
report(struct simulation *simulation)
{
	if (simulation->progress)
		simulation->progress(simulation->context, simulation->now_ns, simulation->arrivals);
}

static void
run(struct simulation *simulation)
{
	uint64_t timer_ns = UINT64_MAX, end_ns = 0;

	for (uint64_t turns = 1; simulation->error == 0; turns++) {
		const struct agenda_item *first = agenda_first(&simulation->agenda);

		if (!first && timer_ns > end_ns)
			return;
		if (first && first->at_ns < timer_ns) {
			struct agenda_item item = agenda_take(&simulation->agenda);

			simulation->now_ns = item.at_ns;
			end_ns = item.at_ns + OVERTIME_NS;
			act(simulation, &item);
		} else {
			simulation->now_ns = timer_ns;
		}
		timer_ns = advance(simulation);
		if (turns % PROGRESS_TURNS == 0)
			report(simulation);
	}
}

int
simulation_run(struct simulation *simulation)
{
	for (uint32_t flow = 0; flow < simulation->plan->flows_count; flow++)
		simulation_arrival_plan(simulation, flow);
	simulation_agents_plan(simulation);
	run(simulation);
	if (simulation->error != 0)
		return simulation->error;
	simulation_contacts_close(simulation);
	simulation_agents_close(simulation);
	report(simulation);
	return compare(simulation);
}

const struct tally *
simulation_tally(const struct simulation *simulation)
{
	return &simulation->tally;
}

struct stw_acd *
simulation_engine(const struct simulation *simulation)
{
	return simulation->acd;
}
