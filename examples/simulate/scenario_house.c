/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues and agents: the keys of the file go straight into the engine's own descriptions, so a new
 * rule of the engine is a line in a table here, and a further one below where it names something.
 */
#include "scenario_parts.h"

#include <stdlib.h>
#include <string.h>

#include "document_fields.h"

#define AGENTS_MAX 1000000

static void
read_level(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("name", struct scenario_level, name, true),
		NUMBER("level", struct scenario_level, level, false, 1, STW_SKILL_LEVEL_MAX),
		{NULL},
	};
	struct scenario_level *level = target;

	level->level = 1;
	document_mapping(document, node, fields, level);
}

/* ---- queues */

static void
read_step_levels(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_step *step = target;

	document_sequence(document, node, sizeof(*step->levels), read_level, (void **)&step->levels,
			  &step->levels_count);
	if (step->levels_count > STW_STEP_TERMS_MAX)
		document_error(document, document_line(node), "a step asks for at most %d skills",
			       STW_STEP_TERMS_MAX);
}

static const char *const select_words[] = {"longest_idle", NULL};
static const char *const when_words[] = {"time", "nobody_logged_in", "all_not_ready", "wait_above",
					 NULL};

static void
read_step(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		PART("skills", false, read_step_levels),
		TEXT("pool", struct scenario_step, pool, false),
		WORD("select", struct scenario_step, config.select, select_words),
		SECONDS("after_s", struct scenario_step, config.after_ns, false,
			SCENARIO_SECONDS_MAX),
		WORD("when", struct scenario_step, config.when, when_words),
		SECONDS("wait_bound_s", struct scenario_step, config.wait_bound_ns, false,
			SCENARIO_SECONDS_MAX),
		{NULL},
	};
	struct scenario_step *step = target;

	/* Without a time, a step with a condition opens by that alone, any other at once. */
	step->config.after_ns = STW_STEP_NEVER;
	document_mapping(document, node, fields, step);
	if (step->config.after_ns == STW_STEP_NEVER && step->config.when == STW_STEP_WHEN_TIME)
		step->config.after_ns = 0;
	if (step->config.wait_bound_ns && step->config.when != STW_STEP_WHEN_WAIT_ABOVE)
		document_error(document, document_line(node),
			       "'wait_bound_s' is for 'when: wait_above'");
}

static void
read_steps(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_queue *queue = target;

	document_sequence(document, node, sizeof(*queue->steps), read_step, (void **)&queue->steps,
			  &queue->steps_count);
	if (queue->steps_count > 0 &&
	    (queue->steps[0].config.after_ns || queue->steps[0].config.when))
		document_error(document, document_line(node), "the first step is open at once");
	if (queue->steps_count > STW_QUEUE_STEPS_MAX)
		document_error(document, document_line(node), "a queue has at most %d steps",
			       STW_QUEUE_STEPS_MAX);
}

static void
read_target(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		NUMBER("value", struct scenario_target, value, false, 0, STW_CLASS_COUNT - 1),
		NUMBER("urgency", struct scenario_target, urgency, false, 0, STW_CLASS_COUNT - 1),
		DECIMAL("target_s", struct scenario_target, target_s, true, -1e9, 1e9),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_targets(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_queue *queue = target;

	document_sequence(document, node, sizeof(*queue->targets), read_target,
			  (void **)&queue->targets, &queue->targets_count);
}

void
scenario_read_queue(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("name", struct scenario_queue, name, true),
		PART("steps", false, read_steps),
		SECONDS("offer_timeout_s", struct scenario_queue, config.offer_timeout_ns, false,
			SCENARIO_SECONDS_MAX),
		SECONDS("wrap_up_s", struct scenario_queue, config.wrap_up_ns, false,
			SCENARIO_SECONDS_MAX),
		SECONDS("service_level_s", struct scenario_queue, config.service_level_ns, false,
			SCENARIO_SECONDS_MAX),
		NUMBER("length_max", struct scenario_queue, config.length_max, false, 1, 1000000),
		PART("targets", false, read_targets),
		{NULL},
	};
	struct scenario_queue *queue = target;

	queue->config = (struct stw_queue_config)STW_QUEUE_CONFIG_INIT;
	document_mapping(document, node, fields, queue);
}

/* Levels by the places of their skills. */
static const struct stw_skill_level *
make_levels(struct scenario *scenario, const struct scenario_level *levels, uint32_t count)
{
	struct stw_skill_level *made = scenario_array(scenario, count, sizeof(*made));

	for (uint32_t i = 0; made && i < count; i++) {
		made[i].skill.id = scenario_find_skill(scenario, &levels[i].name);
		made[i].level = (uint8_t)levels[i].level;
	}
	return made;
}

void
scenario_make_queue(struct scenario *scenario, uint32_t index)
{
	struct scenario_queue *queue = &scenario->queues[index];
	struct stw_queue_config *config = &queue->config;
	struct stw_step_config *steps =
		scenario_array(scenario, queue->steps_count, sizeof(*steps));

	for (uint32_t i = 0; steps && i < queue->steps_count; i++) {
		steps[i] = queue->steps[i].config;
		steps[i].terms =
			make_levels(scenario, queue->steps[i].levels, queue->steps[i].levels_count);
		steps[i].terms_count = queue->steps[i].levels_count;
		steps[i].pool.id = scenario_find_pool(scenario, &queue->steps[i].pool);
	}
	for (uint32_t i = 0; i < queue->targets_count; i++) {
		const struct scenario_target *target = &queue->targets[i];

		config->target_ns[target->value][target->urgency] =
			(int64_t)(target->target_s * 1e9);
	}
	config->name = queue->name.text;
	config->steps = steps;
	config->steps_count = queue->steps_count;
	scenario->plan.queues[index].config = *config;
}

void
scenario_free_queue(struct scenario_queue *queue)
{
	for (uint32_t i = 0; i < queue->steps_count; i++)
		free(queue->steps[i].levels);
	free(queue->steps);
	free(queue->targets);
}

/* ---- agents */

static void
read_break(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		CLOCK("from", struct plan_break, from_ns, true),
		CLOCK("to", struct plan_break, to_ns, true),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_breaks(struct document *document, yaml_node_t *node, void *target)
{
	struct plan_shift *shift = target;

	document_sequence(document, node, sizeof(*shift->breaks), read_break,
			  (void **)&shift->breaks, &shift->breaks_count);
}

/* Breaks lie within their shift, one after the other. */
static void
check_shift(struct document *document, uint32_t line, const struct plan_shift *shift)
{
	uint64_t at_ns = shift->from_ns;

	for (uint32_t i = 0; i < shift->breaks_count; at_ns = shift->breaks[i++].to_ns)
		if (shift->breaks[i].from_ns < at_ns ||
		    shift->breaks[i].to_ns <= shift->breaks[i].from_ns)
			document_error(document, line, "break %u begins before it may", i + 1);
	if (at_ns >= shift->to_ns)
		document_error(document, line, "the shift is over before its last part begins");
}

static void
read_shift(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		NUMBER("agents", struct plan_shift, agents, true, 1, AGENTS_MAX),
		CLOCK("from", struct plan_shift, from_ns, true),
		CLOCK("to", struct plan_shift, to_ns, true),
		PART("breaks", false, read_breaks),
		{NULL},
	};
	size_t errors = document->errors_count;

	document_mapping(document, node, fields, target);
	if (document->errors_count == errors)
		check_shift(document, document_line(node), target);
}

static void
read_shifts(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_group *group = target;

	document_sequence(document, node, sizeof(*group->group.shifts), read_shift,
			  (void **)&group->group.shifts, &group->group.shifts_count);
}

static void
read_group_levels(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_group *group = target;

	document_sequence(document, node, sizeof(*group->levels), read_level,
			  (void **)&group->levels, &group->levels_count);
}

void
scenario_read_group(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("group", struct scenario_group, name, true),
		TEXT("pool", struct scenario_group, pool, false),
		PART("skills", false, read_group_levels),
		NODE("answer", struct scenario_group, group.answer, false, scenario_read_variate),
		DECIMAL("misses_percent", struct scenario_group, misses_percent, false, 0, 100),
		NUMBER("misses_max", struct scenario_group, group.config.misses_max, false, 0,
		       1000),
		SECONDS("penalty_s", struct scenario_group, group.config.penalty_ns, false,
			SCENARIO_SECONDS_MAX),
		PART("shifts", true, read_shifts),
		{NULL},
	};
	struct scenario_group *group = target;

	group->group.config = (struct stw_agent_config)STW_AGENT_CONFIG_INIT;
	group->group.answer.kind = VARIATE_CONSTANT;
	document_mapping(document, node, fields, group);
}

void
scenario_make_group(struct scenario *scenario, uint32_t index)
{
	struct scenario_group *group = &scenario->groups[index];
	struct plan_group *made = &group->group;

	made->config.name = group->name.text;
	made->config.skills = make_levels(scenario, group->levels, group->levels_count);
	made->config.skills_count = group->levels_count;
	made->config.pool.id = scenario_find_pool(scenario, &group->pool);
	made->misses = group->misses_percent / 100;
	scenario->plan.groups[index] = *made;
}

void
scenario_free_group(struct scenario_group *group)
{
	for (uint32_t i = 0; i < group->group.shifts_count; i++)
		free(group->group.shifts[i].breaks);
	free(group->group.shifts);
	free(group->levels);
}
