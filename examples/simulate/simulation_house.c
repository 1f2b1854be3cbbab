/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a simulation needs before it runs: an engine that is large enough, room for numbers, random
 * streams.
 */
#include "simulation_parts.h"

#include <errno.h>
#include <stdlib.h>

/* Contacts that fit at least, when the plan sets no limit; and at most. */
#define CONTACTS_SPARE 100000
#define CONTACTS_MAX   1000000

/* What a random stream is for; flows and seeds have their own numbers beside it. */
enum use { USE_ARRIVALS, USE_PATIENCE, USE_HANDLING, USE_ANSWERS, USE_CHOICES };

static uint32_t
at_least_one(uint32_t count)
{
	return count ? count : 1;
}

/* Steps as the engine counts them, at most, and the largest ring. */
static void
limit_steps(const struct plan *plan, struct stw_acd_config *limits)
{
	limits->steps_max = 0;
	limits->ring_max = 0;
	for (uint32_t i = 0; i < plan->queues_count; i++) {
		const struct stw_queue_config *queue = &plan->queues[i].config;
		uint32_t rows = 1;

		for (uint32_t j = 0; j < queue->steps_count; j++) {
			rows += queue->steps[j].reserve_agents > 0;
			if (limits->ring_max < queue->steps[j].ring_count)
				limits->ring_max = queue->steps[j].ring_count;
		}
		/* Who has surge rules is described twice. */
		rows *= queue->surge_rules_count ? 2 : 1;
		limits->steps_max += rows * at_least_one(queue->steps_count);
	}
}

static uint32_t
concurrent_agents(const struct plan *plan)
{
	uint32_t agents = 0;

	for (uint32_t i = 0; i < plan->groups_count; i++)
		if (simulation_slots(&plan->groups[i].config) > 1)
			agents += plan_group_agents(&plan->groups[i]);
	return agents;
}

static int
create_engine(struct simulation *simulation, uint64_t seed)
{
	const struct plan *plan = simulation->plan;
	struct stw_acd_config limits = plan->limits;
	uint64_t contacts = 2 * (uint64_t)simulation->persons_count + CONTACTS_SPARE;

	limits.agents_max = at_least_one(simulation->persons_count);
	limits.queues_max = at_least_one(plan->queues_count);
	limits.skills_max = at_least_one(plan->skills_count);
	limits.pools_max = plan->pools_count;
	limits.attributes_max = plan->attributes_count;
	limits.calendars_max = plan->calendars_count;
	limits.concurrent_max = concurrent_agents(plan);
	limit_steps(plan, &limits);
	if (limits.contacts_max == 0)
		limits.contacts_max = (uint32_t)(contacts < CONTACTS_MAX ? contacts : CONTACTS_MAX);
	limits.seed = seed;
	return stw_acd_create(&simulation->acd, &limits);
}

static void
seed_streams(struct simulation *simulation, uint64_t seed)
{
	for (uint32_t i = 0; i < simulation->plan->flows_count; i++) {
		struct simulation_source *source = &simulation->sources[i];

		variate_seed(&source->arrivals, seed, USE_ARRIVALS, i);
		variate_seed(&source->patience, seed, USE_PATIENCE, i);
		variate_seed(&source->handling, seed, USE_HANDLING, i);
		variate_seed(&source->choices, seed, USE_CHOICES, i);
	}
	variate_seed(&simulation->answers, seed, USE_ANSWERS, 0);
}

int
simulation_house_build(struct simulation *simulation, uint64_t seed)
{
	const struct plan *plan = simulation->plan;
	int result;

	for (uint32_t i = 0; i < plan->groups_count; i++)
		simulation->persons_count += plan_group_agents(&plan->groups[i]);
	simulation->persons = calloc(simulation->persons_count + 1, sizeof(*simulation->persons));
	simulation->sources = calloc(plan->flows_count + 1, sizeof(*simulation->sources));
	simulation->queues = calloc(plan->queues_count + 1, sizeof(*simulation->queues));
	simulation->totals = calloc(plan->queues_count + 1, sizeof(*simulation->totals));
	simulation->surges = calloc(plan->queues_count + 1, sizeof(*simulation->surges));
	result = tally_create(&simulation->tally, plan->from_ns, plan->to_ns, plan->interval_ns);
	if (result == 0)
		result = tally_rows(&simulation->tally, plan->queues_count, plan->flows_count,
				    plan->groups_count);
	if (result == 0)
		result = agenda_create(&simulation->agenda, 2 * (size_t)simulation->persons_count);
	if (!simulation->persons || !simulation->sources || !simulation->queues ||
	    !simulation->totals || !simulation->surges)
		result = -ENOMEM;
	if (result == 0)
		result = create_engine(simulation, seed);
	if (result == 0)
		result = simulation_define(simulation);
	if (result == 0)
		seed_streams(simulation, seed);
	return result;
}
