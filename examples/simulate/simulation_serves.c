/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who can serve whom, told from the plan alone: for the occupancy of a queue's agents and for the
 * search for agents.
 */
#include "simulation.h"

#include <stdbool.h>
#include <string.h>

uint32_t
simulation_slots(const struct stw_agent_config *agent)
{
	uint32_t slots = 0;

	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++)
		slots += agent->slots[i];
	return slots ? slots : 1;
}

static bool
takes(const struct stw_agent_config *agent, uint32_t channel)
{
	bool any = false;

	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++)
		any = any || agent->slots[i];
	return any ? agent->slots[channel] > 0 : channel == STW_CHANNEL_VOICE;
}

static bool
has(const struct stw_agent_config *agent, struct stw_skill skill, uint8_t level)
{
	for (uint32_t i = 0; i < agent->skills_count; i++)
		if (agent->skills[i].skill.id == skill.id && agent->skills[i].level >= level)
			return true;
	return false;
}

static bool
is(const struct stw_agent_config *agent, const struct stw_term *term)
{
	for (uint32_t i = 0; i < agent->attributes_count; i++)
		if (agent->attributes[i].attribute.id == term->attribute.id)
			return !strcmp(agent->attributes[i].value, term->value);
	return false;
}

/* An expression in postfix order; one that is no expression never holds: the engine refuses it. */
static bool
holds(const struct stw_agent_config *agent, const struct stw_term *terms, uint32_t count)
{
	bool results[STW_REQUIREMENT_TERMS_MAX + 1] = {true};
	uint32_t top = 0;

	for (uint32_t i = 0; i < count && i < STW_REQUIREMENT_TERMS_MAX; i++) {
		uint32_t needs = terms[i].kind < STW_TERM_AND   ? 0
				 : terms[i].kind < STW_TERM_NOT ? 2
								: 1;

		if (top < needs)
			return false;
		top = top - needs + 1;
		if (terms[i].kind == STW_TERM_SKILL)
			results[top] = has(agent, terms[i].skill, terms[i].level);
		else if (needs == 0)
			results[top] =
				is(agent, &terms[i]) == (terms[i].kind == STW_TERM_ATTRIBUTE_IS);
		else if (terms[i].kind == STW_TERM_AND)
			results[top] = results[top] && results[top + 1];
		else if (terms[i].kind == STW_TERM_OR)
			results[top] = results[top] || results[top + 1];
		else
			results[top] = !results[top];
	}
	return results[top];
}

int
simulation_serves(const struct plan *plan, uint32_t group, uint32_t queue)
{
	const struct stw_queue_config *config = &plan->queues[queue].config;
	const struct stw_agent_config *agent = &plan->groups[group].config;

	if (!takes(agent, config->channel))
		return 0;
	for (uint32_t i = 0; i < config->steps_count; i++) {
		const struct stw_step_config *step = &config->steps[i];
		uint32_t met = 0;

		while (met < step->terms_count &&
		       has(agent, step->terms[met].skill, step->terms[met].level))
			met++;
		if (met == step->terms_count &&
		    holds(agent, step->requirement, step->requirement_count) &&
		    (step->pool.id == 0 || step->pool.id == agent->pool.id))
			return 1;
	}
	return config->steps_count == 0;
}
