/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues, with what they do in a surge: like steps, straight into the engine's own descriptions.
 */
#include "scenario_parts.h"

#include <stdlib.h>

#include "document_fields.h"

const char *const scenario_channels[] = {"voice",  "chat",   "email",  "video", "ticket",
					 "host_5", "host_6", "host_7", NULL};

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

static const char *const metric_words[] = {"length", "expected_wait", "service_level", "occupancy",
					   NULL};
static const char *const action_words[] = {"refuse", "deflect", "callback", "overflow", NULL};

static void
read_rule(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		WORD("when", struct scenario_rule, metric, metric_words),
		DECIMAL("from", struct scenario_rule, from, true, 0, 1e6),
		DECIMAL("until", struct scenario_rule, until, true, 0, 1e6),
		WORD("do", struct scenario_rule, action, action_words),
		NUMBER("value_max", struct scenario_rule, value_max, false, 0, STW_CLASS_COUNT - 1),
		NUMBER("urgency_max", struct scenario_rule, urgency_max, false, 0,
		       STW_CLASS_COUNT - 1),
		TEXT("queue", struct scenario_rule, queue, false),
		{NULL},
	};
	struct scenario_rule *rule = target;
	uint32_t line = document_line(node);
	bool falls, share;

	rule->value_max = rule->urgency_max = STW_CLASS_COUNT - 1;
	document_mapping(document, node, fields, rule);
	falls = rule->metric == STW_SURGE_SERVICE_LEVEL;
	share = falls || rule->metric == STW_SURGE_OCCUPANCY;
	if (falls ? rule->from >= rule->until : rule->from <= rule->until)
		document_error(document, line, "'until' is %s 'from' here",
			       falls ? "above" : "below");
	if (share && (rule->from > 100 || rule->until > 100))
		document_error(document, line, "'from' and 'until' are per cent here");
	if ((rule->action == STW_SURGE_OVERFLOW) != (rule->queue.text != NULL))
		document_error(document, line, "'queue' goes with 'do: overflow'");
}

static void
read_rules(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_queue *queue = target;

	document_sequence(document, node, sizeof(*queue->rules), read_rule, (void **)&queue->rules,
			  &queue->rules_count);
	if (queue->rules_count > STW_SURGE_RULES_MAX)
		document_error(document, document_line(node), "a queue has at most %d surge rules",
			       STW_SURGE_RULES_MAX);
}

void
scenario_read_queue(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("name", struct scenario_queue, name, true),
		PART("steps", false, scenario_read_steps),
		SECONDS("offer_timeout_s", struct scenario_queue, config.offer_timeout_ns, false,
			SCENARIO_SECONDS_MAX),
		SECONDS("wrap_up_s", struct scenario_queue, config.wrap_up_ns, false,
			SCENARIO_SECONDS_MAX),
		SECONDS("service_level_s", struct scenario_queue, config.service_level_ns, false,
			SCENARIO_SECONDS_MAX),
		NUMBER("length_max", struct scenario_queue, config.length_max, false, 1, 1000000),
		PART("targets", false, read_targets),
		TEXT("calendar", struct scenario_queue, calendar, false),
		WORD("channel", struct scenario_queue, config.channel, scenario_channels),
		PART("surge", false, read_rules),
		{NULL},
	};
	struct scenario_queue *queue = target;

	queue->config = (struct stw_queue_config)STW_QUEUE_CONFIG_INIT;
	document_mapping(document, node, fields, queue);
}

/* From the file's unit to the engine's: contacts, nanoseconds, thousandths. */
static uint64_t
bound_of(uint32_t metric, double bound)
{
	static const double units[] = {1, 1e9, 10, 10};

	return (uint64_t)(bound * units[metric] + 0.5);
}

static const struct stw_surge_rule *
make_rules(struct scenario *scenario, const struct scenario_queue *queue)
{
	struct stw_surge_rule *made = scenario_array(scenario, queue->rules_count, sizeof(*made));

	for (uint32_t i = 0; made && i < queue->rules_count; i++) {
		const struct scenario_rule *rule = &queue->rules[i];

		made[i].metric = rule->metric;
		made[i].action = rule->action;
		made[i].on_bound = bound_of(rule->metric, rule->from);
		made[i].off_bound = bound_of(rule->metric, rule->until);
		made[i].value_max = (uint8_t)rule->value_max;
		made[i].urgency_max = (uint8_t)rule->urgency_max;
		if (rule->queue.text)
			made[i].overflow.id = scenario_find_queue(scenario, &rule->queue);
	}
	return made;
}

void
scenario_make_queue(struct scenario *scenario, uint32_t index)
{
	struct scenario_queue *queue = &scenario->queues[index];
	struct stw_queue_config *config = &queue->config;

	for (uint32_t i = 0; i < queue->targets_count; i++) {
		const struct scenario_target *target = &queue->targets[i];

		config->target_ns[target->value][target->urgency] =
			(int64_t)(target->target_s * 1e9);
	}
	config->name = queue->name.text;
	config->steps = scenario_make_steps(scenario, queue);
	config->steps_count = queue->steps_count;
	config->calendar.id = scenario_find_calendar(scenario, &queue->calendar);
	config->surge_rules = make_rules(scenario, queue);
	config->surge_rules_count = queue->rules_count;
	scenario->plan.queues[index].config = *config;
}

void
scenario_free_queue(struct scenario_queue *queue)
{
	for (uint32_t i = 0; i < queue->steps_count; i++)
		free(queue->steps[i].levels);
	free(queue->steps);
	free(queue->targets);
	free(queue->rules);
}
