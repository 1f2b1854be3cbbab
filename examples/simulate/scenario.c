/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file's parts in turn, then the plan that they make together.
 */
#include "scenario_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "document_fields.h"

static void
read_day(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		CLOCK("from", struct scenario, from_ns, true),
		CLOCK("to", struct scenario, to_ns, true),
		TEXT("date", struct scenario, date, false),
		TEXT("zone", struct scenario, zone, false),
		DECIMAL("interval_minutes", struct scenario, interval_minutes, false, 1, 1440),
		{NULL},
	};
	struct scenario *scenario = target;

	document_mapping(document, node, fields, scenario);
	if (scenario->to_ns <= scenario->from_ns && document->errors_count == 0)
		document_error(document, document_line(node), "the day ends before it begins");
}

static void
read_limits(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		NUMBER("contacts", struct scenario, contacts_max, true, 1, 1000000),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_name(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field field = {"name", DOCUMENT_TEXT, 0};

	document_value(document, node, &field, target);
}

static void
read_skills(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario *scenario = target;

	document_sequence(document, node, sizeof(*scenario->skills), read_name,
			  (void **)&scenario->skills, &scenario->skills_count);
}

static void
read_pools(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario *scenario = target;

	document_sequence(document, node, sizeof(*scenario->pools), read_name,
			  (void **)&scenario->pools, &scenario->pools_count);
}

static void
read_attributes(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario *scenario = target;

	document_sequence(document, node, sizeof(*scenario->attributes), read_name,
			  (void **)&scenario->attributes, &scenario->attributes_count);
}

static void
read_calendars(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario *scenario = target;

	document_sequence(document, node, sizeof(*scenario->calendars), scenario_read_calendar,
			  (void **)&scenario->calendars, &scenario->calendars_count);
}

static void
read_queues(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario *scenario = target;

	document_sequence(document, node, sizeof(*scenario->queues), scenario_read_queue,
			  (void **)&scenario->queues, &scenario->queues_count);
}

static void
read_groups(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario *scenario = target;

	document_sequence(document, node, sizeof(*scenario->groups), scenario_read_group,
			  (void **)&scenario->groups, &scenario->groups_count);
}

static void
read_flows(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario *scenario = target;

	document_sequence(document, node, sizeof(*scenario->flows), scenario_read_flow,
			  (void **)&scenario->flows, &scenario->flows_count);
}

static const struct document_field scenario_fields[] = {
	PART("day", true, read_day),
	NUMBER("seed", struct scenario, seed, false, 0, UINT32_MAX),
	PART("limits", false, read_limits),
	PART("skills", false, read_skills),
	PART("pools", false, read_pools),
	PART("attributes", false, read_attributes),
	PART("calendars", false, read_calendars),
	PART("queues", true, read_queues),
	PART("agents", true, read_groups),
	PART("contacts", true, read_flows),
	{NULL},
};

/* ---- names */

static void
check_name(struct scenario *scenario, const struct document_text *name,
	   const struct document_text *earlier)
{
	if (strlen(name->text) > PLAN_NAME_BYTES_MAX)
		document_error(&scenario->document, name->line, "'%s' is longer than %d bytes",
			       name->text, PLAN_NAME_BYTES_MAX);
	else if (earlier && !strcmp(name->text, earlier->text))
		document_error(&scenario->document, name->line, "'%s' is here twice", name->text);
}

static void
check_list(struct scenario *scenario, const struct document_text *names, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j <= i; j++)
			check_name(scenario, &names[i], j < i ? &names[j] : NULL);
}

static void
check_names(struct scenario *scenario)
{
	check_list(scenario, scenario->skills, scenario->skills_count);
	check_list(scenario, scenario->pools, scenario->pools_count);
	check_list(scenario, scenario->attributes, scenario->attributes_count);
	for (uint32_t i = 0; i < scenario->calendars_count; i++)
		for (uint32_t j = 0; j <= i; j++)
			check_name(scenario, &scenario->calendars[i].name,
				   j < i ? &scenario->calendars[j].name : NULL);
	for (uint32_t i = 0; i < scenario->queues_count; i++)
		for (uint32_t j = 0; j <= i; j++)
			check_name(scenario, &scenario->queues[i].name,
				   j < i ? &scenario->queues[j].name : NULL);
	for (uint32_t i = 0; i < scenario->groups_count; i++)
		for (uint32_t j = 0; j <= i; j++)
			check_name(scenario, &scenario->groups[i].name,
				   j < i ? &scenario->groups[j].name : NULL);
}

/* Place of a name in a list, from 1 on; 0 with an error kept, or where nothing is named. */
static uint32_t
find_name(struct scenario *scenario, const char *what, const struct document_text *name,
	  const struct document_text *names, uint32_t count)
{
	for (uint32_t i = 0; name->text && i < count; i++)
		if (!strcmp(names[i].text, name->text))
			return i + 1;
	if (name->text)
		document_error(&scenario->document, name->line, "there is no %s '%s'", what,
			       name->text);
	return 0;
}

uint32_t
scenario_find_skill(struct scenario *scenario, const struct document_text *name)
{
	return find_name(scenario, "skill", name, scenario->skills, scenario->skills_count);
}

uint32_t
scenario_find_pool(struct scenario *scenario, const struct document_text *name)
{
	return find_name(scenario, "pool", name, scenario->pools, scenario->pools_count);
}

uint32_t
scenario_find_attribute(struct scenario *scenario, const struct document_text *name)
{
	return find_name(scenario, "attribute", name, scenario->attributes,
			 scenario->attributes_count);
}

uint32_t
scenario_find_calendar(struct scenario *scenario, const struct document_text *name)
{
	for (uint32_t i = 0; name->text && i < scenario->calendars_count; i++)
		if (!strcmp(scenario->calendars[i].name.text, name->text))
			return i + 1;
	return find_name(scenario, "calendar", name, NULL, 0);
}

uint32_t
scenario_queue_place(const struct scenario *scenario, const char *name)
{
	for (uint32_t i = 0; i < scenario->queues_count; i++)
		if (!strcmp(scenario->queues[i].name.text, name))
			return i + 1;
	return 0;
}

uint32_t
scenario_find_queue(struct scenario *scenario, const struct document_text *name)
{
	uint32_t place = scenario_queue_place(scenario, name->text);

	if (place == 0)
		document_error(&scenario->document, name->line, "there is no queue '%s'",
			       name->text);
	return place;
}

/* ---- the plan */

void *
scenario_array(struct scenario *scenario, size_t count, size_t size)
{
	void **arrays = realloc(scenario->arrays, (scenario->arrays_count + 1) * sizeof(*arrays));
	void *array = arrays ? calloc(count + 1, size) : NULL;

	if (arrays)
		scenario->arrays = arrays;
	if (array)
		arrays[scenario->arrays_count++] = array;
	else
		document_error(&scenario->document, 0, "no memory for the plan");
	return array;
}

static const char **
make_names(struct scenario *scenario, const struct document_text *names, uint32_t count)
{
	const char **made = scenario_array(scenario, count, sizeof(*made));

	for (uint32_t i = 0; made && i < count; i++)
		made[i] = names[i].text;
	return made;
}

static void
make_plan(struct scenario *scenario)
{
	struct plan *plan = &scenario->plan;

	plan->limits = (struct stw_acd_config)STW_ACD_CONFIG_INIT;
	plan->limits.contacts_max = scenario->contacts_max;
	plan->from_ns = scenario->from_ns;
	plan->to_ns = scenario->to_ns;
	plan->interval_ns = (uint64_t)(scenario->interval_minutes * 60e9);
	plan->skills = make_names(scenario, scenario->skills, scenario->skills_count);
	plan->pools = make_names(scenario, scenario->pools, scenario->pools_count);
	plan->attributes = make_names(scenario, scenario->attributes, scenario->attributes_count);
	plan->calendars =
		scenario_array(scenario, scenario->calendars_count, sizeof(*plan->calendars));
	plan->queues = scenario_array(scenario, scenario->queues_count, sizeof(*plan->queues));
	plan->groups = scenario_array(scenario, scenario->groups_count, sizeof(*plan->groups));
	plan->flows = scenario_array(scenario, scenario->flows_count, sizeof(*plan->flows));
	if (!plan->calendars || !plan->queues || !plan->groups || !plan->flows)
		return;
	plan->skills_count = scenario->skills_count;
	plan->pools_count = scenario->pools_count;
	plan->attributes_count = scenario->attributes_count;
	plan->calendars_count = scenario->calendars_count;
	plan->queues_count = scenario->queues_count;
	plan->groups_count = scenario->groups_count;
	plan->flows_count = scenario->flows_count;
	scenario_make_date(scenario);
	for (uint32_t i = 0; i < plan->calendars_count; i++)
		scenario_make_calendar(scenario, i);
	for (uint32_t i = 0; i < plan->queues_count; i++)
		scenario_make_queue(scenario, i);
	for (uint32_t i = 0; i < plan->groups_count; i++)
		scenario_make_group(scenario, i);
	for (uint32_t i = 0; i < plan->flows_count; i++)
		scenario_make_flow(scenario, i);
}

int
scenario_load(struct scenario **out, const char *path)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	yaml_node_t *root;

	if (!scenario)
		return -ENOMEM;
	*out = scenario;
	scenario->seed = 1;
	scenario->interval_minutes = 15;
	if (document_load(&scenario->document, path) != 0)
		return -EINVAL;
	root = document_root(&scenario->document);
	if (root)
		document_mapping(&scenario->document, root, scenario_fields, scenario);
	else
		document_error(&scenario->document, 0, "is empty");
	/* What is missing or misread leaves holes that the next steps would fall into. */
	if (scenario->document.errors_count == 0)
		check_names(scenario);
	if (scenario->document.errors_count == 0)
		make_plan(scenario);
	return scenario->document.errors_count == 0 ? 0 : -EINVAL;
}

void
scenario_free(struct scenario *scenario)
{
	if (!scenario)
		return;
	for (uint32_t i = 0; i < scenario->calendars_count; i++)
		scenario_free_calendar(&scenario->calendars[i]);
	for (uint32_t i = 0; i < scenario->queues_count; i++)
		scenario_free_queue(&scenario->queues[i]);
	for (uint32_t i = 0; i < scenario->groups_count; i++)
		scenario_free_group(&scenario->groups[i]);
	for (uint32_t i = 0; i < scenario->flows_count; i++)
		scenario_free_flow(&scenario->flows[i]);
	for (uint32_t i = 0; i < scenario->arrays_count; i++)
		free(scenario->arrays[i]);
	free(scenario->arrays);
	free(scenario->skills);
	free(scenario->pools);
	free(scenario->attributes);
	free(scenario->calendars);
	free(scenario->queues);
	free(scenario->groups);
	free(scenario->flows);
	document_free(&scenario->document);
	free(scenario);
}

const char *
scenario_errors(const struct scenario *scenario)
{
	return scenario->document.errors ? scenario->document.errors : "";
}

const struct plan *
scenario_plan(const struct scenario *scenario)
{
	return &scenario->plan;
}

uint64_t
scenario_seed(const struct scenario *scenario)
{
	return scenario->seed;
}
