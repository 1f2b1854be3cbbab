/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routing step: whether an agent meets what a step asks for.
 */
#include "engine.h"

static bool
skills_include(const struct acd_agent_description *agent, const struct stw_skill_level *term)
{
	for (uint32_t i = 0; i < agent->skills_count; i++)
		if (agent->skills[i].skill.id == term->skill.id)
			return agent->skills[i].level >= term->level;
	return false;
}

bool
acd_step_admits(const struct acd_queue_description *queue,
		const struct acd_agent_description *agent)
{
	for (uint32_t i = 0; i < queue->terms_count; i++)
		if (!skills_include(agent, &queue->terms[i]))
			return false;
	return true;
}
