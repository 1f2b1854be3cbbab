/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a plan to an engine: descriptions are handed on as they are, with the handles put in. A new
 * field of a queue or an agent that holds no handle needs nothing here.
 */
#include "simulation_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Handles by the places of the plan. */
struct names {
	struct stw_skill *skills;
	struct stw_pool *pools;
	struct stw_attribute *attributes;
	struct stw_calendar *calendars;
	struct stw_skill_level *levels; /* room for those of an agent */
};

/* What a queue's description points to. */
struct queue_parts {
	struct stw_step_config steps[STW_QUEUE_STEPS_MAX];
	struct stw_skill_level terms[STW_QUEUE_STEPS_MAX][STW_STEP_TERMS_MAX];
	struct stw_term requirements[STW_QUEUE_STEPS_MAX][STW_REQUIREMENT_TERMS_MAX];
	struct stw_surge_rule rules[STW_SURGE_RULES_MAX];
};

/* ---- the plan's places become the engine's handles: 0 or -EINVAL */

static int
levels_copy(const struct plan *plan, const struct names *names, const struct stw_skill_level *from,
	    uint32_t count, struct stw_skill_level *to)
{
	for (uint32_t i = 0; i < count; i++) {
		if (from[i].skill.id == 0 || from[i].skill.id > plan->skills_count)
			return -EINVAL;
		to[i].skill = names->skills[from[i].skill.id - 1];
		to[i].level = from[i].level;
	}
	return 0;
}

static int
requirement_copy(const struct plan *plan, const struct names *names, const struct stw_term *from,
		 uint32_t count, struct stw_term *to)
{
	for (uint32_t i = 0; i < count; i++) {
		to[i] = from[i];
		if (from[i].skill.id > plan->skills_count ||
		    from[i].attribute.id > plan->attributes_count)
			return -EINVAL;
		if (from[i].skill.id)
			to[i].skill = names->skills[from[i].skill.id - 1];
		if (from[i].attribute.id)
			to[i].attribute = names->attributes[from[i].attribute.id - 1];
	}
	return 0;
}

static int
pool_set(const struct plan *plan, const struct names *names, struct stw_pool *pool)
{
	if (pool->id > plan->pools_count)
		return -EINVAL;
	if (pool->id)
		*pool = names->pools[pool->id - 1];
	return 0;
}

static int
calendar_set(const struct plan *plan, const struct names *names, struct stw_calendar *calendar)
{
	if (calendar->id > plan->calendars_count)
		return -EINVAL;
	if (calendar->id)
		*calendar = names->calendars[calendar->id - 1];
	return 0;
}

static int
step_copy(const struct plan *plan, const struct names *names, const struct stw_step_config *from,
	  struct queue_parts *parts, uint32_t index)
{
	struct stw_step_config *to = &parts->steps[index];

	*to = *from;
	to->terms = parts->terms[index];
	to->requirement = from->requirement_count ? parts->requirements[index] : NULL;
	if (from->terms_count > STW_STEP_TERMS_MAX ||
	    from->requirement_count > STW_REQUIREMENT_TERMS_MAX ||
	    levels_copy(plan, names, from->terms, from->terms_count, parts->terms[index]) != 0 ||
	    requirement_copy(plan, names, from->requirement, from->requirement_count,
			     parts->requirements[index]) != 0 ||
	    pool_set(plan, names, &to->pool) != 0 || calendar_set(plan, names, &to->calendar) != 0)
		return -EINVAL;
	return 0;
}

/* ---- queues */

static int
queue_copy(const struct simulation *simulation, const struct names *names, uint32_t index,
	   struct queue_parts *parts, struct stw_queue_config *config)
{
	const struct plan *plan = simulation->plan;

	*config = plan->queues[index].config;
	if (config->steps_count > STW_QUEUE_STEPS_MAX ||
	    calendar_set(plan, names, &config->calendar) != 0)
		return -EINVAL;
	for (uint32_t i = 0; i < config->steps_count; i++)
		if (step_copy(plan, names, &config->steps[i], parts, i) != 0)
			return -EINVAL;
	config->steps = parts->steps;
	config->surge_rules = NULL;
	config->surge_rules_count = 0;
	config->cookie = index;
	return 0;
}

static int
queue_define(struct simulation *simulation, const struct names *names, uint32_t index)
{
	struct stw_queue_config config;
	struct queue_parts parts;
	int result = queue_copy(simulation, names, index, &parts, &config);

	return result == 0 ? stw_queue_define(simulation->acd, &config, &simulation->queues[index])
			   : result;
}

/* Rules may name any queue, so they follow when all are there. */
static int
queue_rules_set(struct simulation *simulation, const struct names *names, uint32_t index)
{
	const struct stw_queue_config *described = &simulation->plan->queues[index].config;
	struct stw_queue_config config;
	struct queue_parts parts;
	int result;

	if (described->surge_rules_count == 0)
		return 0;
	result = queue_copy(simulation, names, index, &parts, &config);
	if (result != 0 || described->surge_rules_count > STW_SURGE_RULES_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < described->surge_rules_count; i++) {
		parts.rules[i] = described->surge_rules[i];
		if (parts.rules[i].overflow.id > simulation->plan->queues_count)
			return -EINVAL;
		if (parts.rules[i].overflow.id)
			parts.rules[i].overflow =
				simulation->queues[parts.rules[i].overflow.id - 1];
	}
	config.surge_rules = parts.rules;
	config.surge_rules_count = described->surge_rules_count;
	return stw_queue_update(simulation->acd, simulation->queues[index], &config,
				simulation_now(simulation));
}

/* ---- agents */

static int
shift_define(struct simulation *simulation, struct stw_agent_config *config, uint32_t group,
	     const struct plan_shift *shift, uint32_t *place)
{
	const struct plan_group *described = &simulation->plan->groups[group];
	char name[STW_NAME_BYTES_MAX + 1];

	for (uint32_t i = 0; i < shift->agents; i++, (*place)++) {
		struct simulation_person *person = &simulation->persons[*place];
		uint32_t number = *place > 0 && person[-1].numbers.group == group
					  ? person[-1].numbers.number + 1
					  : 1;
		int result;

		snprintf(name, sizeof(name), "%.*s-%u", PLAN_NAME_BYTES_MAX, described->config.name,
			 number);
		config->name = name;
		config->cookie = *place;
		person->shift = shift;
		person->state = STW_AGENT_LOGGED_OUT;
		person->numbers.group = group;
		person->numbers.number = number;
		result = stw_agent_define(simulation->acd, config, &person->handle);
		if (result != 0)
			return result;
	}
	return 0;
}

static int
group_define(struct simulation *simulation, const struct names *names, uint32_t index,
	     uint32_t *place)
{
	const struct plan *plan = simulation->plan;
	struct stw_agent_config config = plan->groups[index].config;
	struct stw_attribute_value attributes[STW_AGENT_ATTRIBUTES_MAX];
	int result = 0;

	if (config.attributes_count > STW_AGENT_ATTRIBUTES_MAX ||
	    config.skills_count > plan->skills_count ||
	    levels_copy(plan, names, config.skills, config.skills_count, names->levels) != 0 ||
	    pool_set(plan, names, &config.pool) != 0)
		return -EINVAL;
	for (uint32_t i = 0; i < config.attributes_count; i++) {
		attributes[i] = config.attributes[i];
		if (attributes[i].attribute.id == 0 ||
		    attributes[i].attribute.id > plan->attributes_count)
			return -EINVAL;
		attributes[i].attribute = names->attributes[attributes[i].attribute.id - 1];
	}
	config.skills = names->levels;
	config.attributes = attributes;
	for (uint32_t i = 0; i < plan->groups[index].shifts_count && result == 0; i++)
		result = shift_define(simulation, &config, index, &plan->groups[index].shifts[i],
				      place);
	return result;
}

/* ---- all of it */

static int
define_names(struct simulation *simulation, const struct names *names)
{
	const struct plan *plan = simulation->plan;
	struct stw_acd *acd = simulation->acd;
	int result = stw_acd_clock_set(acd, plan->midnight_unix_ns - (int64_t)SIMULATION_ORIGIN_NS);

	for (uint32_t i = 0; i < plan->skills_count && result == 0; i++)
		result = stw_skill_define(acd, STW_TENANT_DEFAULT, plan->skills[i],
					  &names->skills[i]);
	for (uint32_t i = 0; i < plan->pools_count && result == 0; i++)
		result = stw_pool_define(acd, plan->pools[i], &names->pools[i]);
	for (uint32_t i = 0; i < plan->attributes_count && result == 0; i++)
		result = stw_attribute_define(acd, plan->attributes[i], &names->attributes[i]);
	for (uint32_t i = 0; i < plan->calendars_count && result == 0; i++)
		result = stw_calendar_define(acd, &plan->calendars[i], &names->calendars[i]);
	return result;
}

static int
define_all(struct simulation *simulation, const struct names *names)
{
	const struct plan *plan = simulation->plan;
	uint32_t place = 0;
	int result = define_names(simulation, names);

	for (uint32_t i = 0; i < plan->queues_count && result == 0; i++)
		result = queue_define(simulation, names, i);
	for (uint32_t i = 0; i < plan->queues_count && result == 0; i++)
		result = queue_rules_set(simulation, names, i);
	for (uint32_t i = 0; i < plan->groups_count && result == 0; i++)
		result = group_define(simulation, names, i, &place);
	return result;
}

int
simulation_define(struct simulation *simulation)
{
	const struct plan *plan = simulation->plan;
	struct names names = {
		.skills = calloc(plan->skills_count + 1, sizeof(*names.skills)),
		.pools = calloc(plan->pools_count + 1, sizeof(*names.pools)),
		.attributes = calloc(plan->attributes_count + 1, sizeof(*names.attributes)),
		.calendars = calloc(plan->calendars_count + 1, sizeof(*names.calendars)),
		.levels = calloc(plan->skills_count + 1, sizeof(*names.levels)),
	};
	int result = -ENOMEM;

	if (names.skills && names.pools && names.attributes && names.calendars && names.levels)
		result = define_all(simulation, &names);
	free(names.skills);
	free(names.pools);
	free(names.attributes);
	free(names.calendars);
	free(names.levels);
	return result;
}
