/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routing steps: the keys of the file go straight into the engine's own descriptions, so a new rule
 * of the engine is a line in the table here, and a further one below where it names something.
 */
#include "scenario_parts.h"

#include "document_fields.h"

static void
read_step_levels(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_step *step = target;

	document_sequence(document, node, sizeof(*step->levels), scenario_read_level,
			  (void **)&step->levels, &step->levels_count);
	if (step->levels_count > STW_STEP_TERMS_MAX)
		document_error(document, document_line(node), "a step asks for at most %d skills",
			       STW_STEP_TERMS_MAX);
}

static const char *const select_words[] = {
	"longest_idle", "least_occupied",  "most_proficient", "fewest_contacts",
	"round_robin",  "weighted_random", "top_down",        NULL};
static const char *const when_words[] = {"time", "nobody_logged_in", "all_not_ready", "wait_above",
					 NULL};

static void
read_reserve(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		NUMBER("agents", struct scenario_reserve, agents, true, 1, 1000000),
		NUMBER("value", struct scenario_reserve, value, true, 1, STW_CLASS_COUNT - 1),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_step(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		PART("skills", false, read_step_levels),
		PART("requires", false, scenario_read_requires),
		TEXT("pool", struct scenario_step, pool, false),
		TEXT("calendar", struct scenario_step, calendar, false),
		WORD("select", struct scenario_step, config.select, select_words),
		NODE("reserve", struct scenario_step, reserve, false, read_reserve),
		NUMBER("ring", struct scenario_step, config.ring_count, false, 1,
		       STW_STEP_RING_MAX),
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

void
scenario_read_steps(struct document *document, yaml_node_t *node, void *target)
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

const struct stw_step_config *
scenario_make_steps(struct scenario *scenario, struct scenario_queue *queue)
{
	struct stw_step_config *made = scenario_array(scenario, queue->steps_count, sizeof(*made));

	for (uint32_t i = 0; made && i < queue->steps_count; i++) {
		const struct scenario_step *step = &queue->steps[i];

		made[i] = step->config;
		made[i].terms = scenario_make_levels(scenario, step->levels, step->levels_count);
		made[i].terms_count = step->levels_count;
		made[i].pool.id = scenario_find_pool(scenario, &step->pool);
		made[i].calendar.id = scenario_find_calendar(scenario, &step->calendar);
		made[i].reserve_agents = step->reserve.agents;
		made[i].reserve_value = (uint8_t)step->reserve.value;
		scenario_make_requires(scenario, step, &made[i]);
	}
	return made;
}
