/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a plan to an engine: descriptions are handed on as they are, with the handles put in. A new
 * field of a queue or an agent that holds no handle needs nothing here.
 */
#include "simulation_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Contacts that fit at least, when the plan sets no limit; and at most. */
#define CONTACTS_SPARE 100000
#define CONTACTS_MAX   1000000

/* What a random stream is for; flows and seeds have their own numbers beside it. */
enum use { USE_ARRIVALS, USE_PATIENCE, USE_HANDLING, USE_ANSWERS };

/* Handles by the places of the plan. */
struct names {
	struct stw_skill *skills;
	struct stw_pool *pools;
	struct stw_skill_level *levels; /* room for those of an agent */
};

static uint32_t
at_least_one(uint32_t count)
{
	return count ? count : 1;
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
	limits.steps_max = 0;
	for (uint32_t i = 0; i < plan->queues_count; i++)
		limits.steps_max += at_least_one(plan->queues[i].config.steps_count);
	if (limits.contacts_max == 0)
		limits.contacts_max = (uint32_t)(contacts < CONTACTS_MAX ? contacts : CONTACTS_MAX);
	limits.seed = seed;
	return stw_acd_create(&simulation->acd, &limits);
}

/* The plan's levels, with the engine's skills. 0 or -EINVAL. */
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

/* The plan's pool becomes the engine's. 0 or -EINVAL. */
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
queue_define(struct simulation *simulation, const struct names *names, uint32_t index)
{
	const struct plan *plan = simulation->plan;
	struct stw_queue_config config = plan->queues[index].config;
	struct stw_skill_level terms[STW_QUEUE_STEPS_MAX][STW_STEP_TERMS_MAX];
	struct stw_step_config steps[STW_QUEUE_STEPS_MAX];

	if (config.steps_count > STW_QUEUE_STEPS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < config.steps_count; i++) {
		steps[i] = config.steps[i];
		if (steps[i].requirement_count || steps[i].terms_count > STW_STEP_TERMS_MAX ||
		    levels_copy(plan, names, steps[i].terms, steps[i].terms_count, terms[i]) != 0 ||
		    pool_set(plan, names, &steps[i].pool) != 0)
			return -EINVAL;
		steps[i].terms = terms[i];
	}
	config.steps = steps;
	config.cookie = index;
	return stw_queue_define(simulation->acd, &config, &simulation->queues[index]);
}

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
groups_define(struct simulation *simulation, const struct names *names)
{
	const struct plan *plan = simulation->plan;
	uint32_t place = 0;

	for (uint32_t i = 0; i < plan->groups_count; i++) {
		struct stw_agent_config config = plan->groups[i].config;

		if (config.attributes_count || config.skills_count > plan->skills_count ||
		    levels_copy(plan, names, config.skills, config.skills_count, names->levels) !=
			    0 ||
		    pool_set(plan, names, &config.pool) != 0)
			return -EINVAL;
		config.skills = names->levels;
		for (uint32_t j = 0; j < plan->groups[i].shifts_count; j++) {
			int result = shift_define(simulation, &config, i,
						  &plan->groups[i].shifts[j], &place);

			if (result != 0)
				return result;
		}
	}
	return 0;
}

static int
define_all(struct simulation *simulation, const struct names *names)
{
	const struct plan *plan = simulation->plan;
	int result = 0;

	for (uint32_t i = 0; i < plan->skills_count && result == 0; i++)
		result = stw_skill_define(simulation->acd, STW_TENANT_DEFAULT, plan->skills[i],
					  &names->skills[i]);
	for (uint32_t i = 0; i < plan->pools_count && result == 0; i++)
		result = stw_pool_define(simulation->acd, plan->pools[i], &names->pools[i]);
	for (uint32_t i = 0; i < plan->queues_count && result == 0; i++)
		result = queue_define(simulation, names, i);
	return result == 0 ? groups_define(simulation, names) : result;
}

static int
define_house(struct simulation *simulation)
{
	const struct plan *plan = simulation->plan;
	struct names names = {
		.skills = calloc(plan->skills_count + 1, sizeof(*names.skills)),
		.pools = calloc(plan->pools_count + 1, sizeof(*names.pools)),
		.levels = calloc(plan->skills_count + 1, sizeof(*names.levels)),
	};
	int result = -ENOMEM;

	if (names.skills && names.pools && names.levels)
		result = define_all(simulation, &names);
	free(names.skills);
	free(names.pools);
	free(names.levels);
	return result;
}

static void
seed_streams(struct simulation *simulation, uint64_t seed)
{
	for (uint32_t i = 0; i < simulation->plan->flows_count; i++) {
		struct simulation_source *source = &simulation->sources[i];

		variate_seed(&source->arrivals, seed, USE_ARRIVALS, i);
		variate_seed(&source->patience, seed, USE_PATIENCE, i);
		variate_seed(&source->handling, seed, USE_HANDLING, i);
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
	result = tally_create(&simulation->tally, plan->from_ns, plan->to_ns, plan->interval_ns);
	if (result == 0)
		result = tally_rows(&simulation->tally, plan->queues_count, plan->flows_count,
				    plan->groups_count);
	if (result == 0)
		result = agenda_create(&simulation->agenda, 2 * (size_t)simulation->persons_count);
	if (!simulation->persons || !simulation->sources || !simulation->queues)
		result = -ENOMEM;
	if (result == 0)
		result = create_engine(simulation, seed);
	if (result == 0)
		result = define_house(simulation);
	if (result == 0)
		seed_streams(simulation, seed);
	return result;
}

static int
has(const struct stw_agent_config *agent, const struct stw_skill_level *term)
{
	for (uint32_t i = 0; i < agent->skills_count; i++)
		if (agent->skills[i].skill.id == term->skill.id &&
		    agent->skills[i].level >= term->level)
			return 1;
	return 0;
}

int
simulation_serves(const struct plan *plan, uint32_t group, uint32_t queue)
{
	const struct stw_queue_config *config = &plan->queues[queue].config;
	const struct stw_agent_config *agent = &plan->groups[group].config;

	for (uint32_t i = 0; i < config->steps_count; i++) {
		const struct stw_step_config *step = &config->steps[i];
		uint32_t met = 0;

		while (met < step->terms_count && has(agent, &step->terms[met]))
			met++;
		if (met == step->terms_count &&
		    (step->pool.id == 0 || step->pool.id == agent->pool.id))
			return 1;
	}
	return config->steps_count == 0;
}
