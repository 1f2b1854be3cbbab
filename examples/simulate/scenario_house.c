/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Agents: like queues, straight into the engine's own descriptions; and skills with levels, which
 * queues have, too.
 */
#include "scenario_parts.h"

#include <stdlib.h>

#include "document_fields.h"

#define AGENTS_MAX 1000000

void
scenario_read_level(struct document *document, yaml_node_t *node, void *target)
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

/* Levels by the places of their skills. */
const struct stw_skill_level *
scenario_make_levels(struct scenario *scenario, const struct scenario_level *levels, uint32_t count)
{
	struct stw_skill_level *made = scenario_array(scenario, count, sizeof(*made));

	for (uint32_t i = 0; made && i < count; i++) {
		made[i].skill.id = scenario_find_skill(scenario, &levels[i].name);
		made[i].level = (uint8_t)levels[i].level;
	}
	return made;
}

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

	document_sequence(document, node, sizeof(*group->levels), scenario_read_level,
			  (void **)&group->levels, &group->levels_count);
}

/* Any attributes of the house, each with a value. */
static void
read_attributes(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field name =
		TEXT("attributes", struct scenario_attribute, name, true);
	static const struct document_field value =
		TEXT("attributes", struct scenario_attribute, value, true);
	struct scenario_group *group = target;
	yaml_node_pair_t *pair = node->data.mapping.pairs.start;

	if (node->type != YAML_MAPPING_NODE) {
		document_error(document, document_line(node), "here belong 'name: value' pairs");
		return;
	}
	for (; pair < node->data.mapping.pairs.top; pair++) {
		struct scenario_attribute *attribute = &group->attributes[group->attributes_count];

		if (group->attributes_count++ == STW_AGENT_ATTRIBUTES_MAX) {
			document_error(document, document_line(node),
				       "an agent has at most %d attributes",
				       STW_AGENT_ATTRIBUTES_MAX);
			return;
		}
		document_value(document, yaml_document_get_node(&document->yaml, pair->key), &name,
			       attribute);
		document_value(document, yaml_document_get_node(&document->yaml, pair->value),
			       &value, attribute);
	}
}

/* A number of contacts for any of the channels. */
static void
read_slots(struct document *document, yaml_node_t *node, void *target)
{
	struct slots {
		uint32_t of[STW_CHANNEL_COUNT];
	} slots = {{0}};
	struct document_field fields[STW_CHANNEL_COUNT + 1] = {{NULL}};
	struct scenario_group *group = target;
	uint32_t all = 0;

	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++)
		fields[i] = (struct document_field)NUMBER(scenario_channels[i], struct slots, of[i],
							  false, 0, STW_AGENT_SLOTS_MAX);
	document_mapping(document, node, fields, &slots);
	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++) {
		group->group.config.slots[i] = (uint8_t)slots.of[i];
		all += slots.of[i];
	}
	if (all == 0 || all > STW_AGENT_SLOTS_MAX)
		document_error(document, document_line(node), "an agent has 1 to %d slots",
			       STW_AGENT_SLOTS_MAX);
}

static void
read_channel_bit(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field field = {"interrupts",      DOCUMENT_WORD, 0, true, 0, 0,
						    scenario_channels, NULL};
	uint32_t channel = 0;

	document_value(document, node, &field, &channel);
	*(uint8_t *)target = (uint8_t)(1u << channel);
}

static void
read_channel_bits(struct document *document, yaml_node_t *node, void *target)
{
	uint8_t *bits = NULL;
	uint32_t count;

	document_sequence(document, node, sizeof(*bits), read_channel_bit, (void **)&bits, &count);
	for (uint32_t i = 0; i < count; i++)
		*(uint8_t *)target |= bits[i];
	free(bits);
}

/* For any of the channels, those that it may interrupt. */
static void
read_interrupts(struct document *document, yaml_node_t *node, void *target)
{
	struct document_field fields[STW_CHANNEL_COUNT + 1] = {{NULL}};

	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++)
		fields[i] = (struct document_field)NODE(scenario_channels[i], struct scenario_group,
							group.config.interrupts[i], false,
							read_channel_bits);
	document_mapping(document, node, fields, target);
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
		PART("attributes", false, read_attributes),
		NUMBER("position", struct scenario_group, group.config.position, false, 0,
		       UINT32_MAX),
		NUMBER("weight", struct scenario_group, group.config.weight, false, 1, 1000),
		PART("slots", false, read_slots),
		PART("interrupts", false, read_interrupts),
		PART("shifts", true, read_shifts),
		{NULL},
	};
	struct scenario_group *group = target;

	group->group.config = (struct stw_agent_config)STW_AGENT_CONFIG_INIT;
	group->group.answer.kind = VARIATE_CONSTANT;
	document_mapping(document, node, fields, group);
}

static const struct stw_attribute_value *
make_attributes(struct scenario *scenario, const struct scenario_group *group)
{
	struct stw_attribute_value *made =
		scenario_array(scenario, group->attributes_count, sizeof(*made));

	for (uint32_t i = 0; made && i < group->attributes_count; i++) {
		made[i].attribute.id =
			scenario_find_attribute(scenario, &group->attributes[i].name);
		made[i].value = group->attributes[i].value.text;
	}
	return made;
}

void
scenario_make_group(struct scenario *scenario, uint32_t index)
{
	struct scenario_group *group = &scenario->groups[index];
	struct plan_group *made = &group->group;

	made->config.name = group->name.text;
	made->config.skills = scenario_make_levels(scenario, group->levels, group->levels_count);
	made->config.skills_count = group->levels_count;
	made->config.pool.id = scenario_find_pool(scenario, &group->pool);
	made->config.attributes = make_attributes(scenario, group);
	made->config.attributes_count = group->attributes_count;
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
