/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who calls: at random by a profile of the day, or as a file lists them.
 */
#include "scenario_parts.h"

#include <stdlib.h>

#include "document_fields.h"

/* Contacts expected in one stretch. */
#define EXPECTED_MAX 1e9

/* How long an agent lets it ring unless the file says it. */
#define UNREACHED_NS (30 * PLAN_SECOND_NS)

static const char *const variate_words[] = {"never",   "constant", "exponential", "lognormal",
					    "weibull", "uniform",  NULL};

void
scenario_read_variate(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		WORD("kind", struct variate, kind, variate_words),
		DECIMAL("mean_s", struct variate, mean_s, false, 0, SCENARIO_SECONDS_MAX),
		DECIMAL("deviation_s", struct variate, deviation_s, false, 0, SCENARIO_SECONDS_MAX),
		DECIMAL("shape", struct variate, shape, false, 0.1, 100),
		{NULL},
	};
	struct variate *variate = target;

	*variate = (struct variate){.kind = VARIATE_EXPONENTIAL, .shape = 1};
	document_mapping(document, node, fields, variate);
}

static void
read_expected_one(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field field = {
		"expected", DOCUMENT_DECIMAL, 0, true, 0, 0, NULL, NULL, 0, 0, EXPECTED_MAX};

	document_value(document, node, &field, target);
}

static void
read_expected(struct document *document, yaml_node_t *node, void *target)
{
	struct scenario_flow *flow = target;

	document_sequence(document, node, sizeof(*flow->flow.contacts), read_expected_one,
			  (void **)&flow->flow.contacts, &flow->flow.contacts_count);
}

static void
check_flow(struct document *document, const struct scenario_flow *flow)
{
	if (flow->flow.handling.kind == VARIATE_NEVER_ENDS)
		document_error(document, flow->line, "'handling' is missing, or never ends");
	if (flow->csv.text && flow->flow.contacts)
		document_error(document, flow->line, "'csv' and 'expected' exclude each other");
	if (!flow->csv.text && !flow->flow.contacts)
		document_error(document, flow->line, "'expected' or 'csv' is missing here");
	if (!flow->csv.text && !flow->queue.text)
		document_error(document, flow->line, "'queue' is missing here");
}

/* What the flow's callers do in a surge. */
static void
read_deflected(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		DECIMAL("returns_percent", struct scenario_flow, returns_percent, true, 0, 100),
		NODE("after", struct scenario_flow, flow.surge.returns_after, true,
		     scenario_read_variate),
		{NULL},
	};
	struct scenario_flow *flow = target;

	document_mapping(document, node, fields, flow);
	if (flow->flow.surge.returns_after.kind == VARIATE_NEVER_ENDS)
		document_error(document, document_line(node), "'after' never ends");
}

static void
read_callback(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		DECIMAL("accepts_percent", struct scenario_flow, accepts_percent, true, 0, 100),
		DECIMAL("reached_percent", struct scenario_flow, reached_percent, false, 0, 100),
		SECONDS("unreached_s", struct scenario_flow, flow.surge.unreached_ns, false,
			SCENARIO_SECONDS_MAX),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

void
scenario_read_flow(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("name", struct scenario_flow, name, true),
		TEXT("queue", struct scenario_flow, queue, false),
		NUMBER("value", struct scenario_flow, value, false, 0, STW_CLASS_COUNT - 1),
		NUMBER("urgency", struct scenario_flow, urgency, false, 0, STW_CLASS_COUNT - 1),
		BOOL("red_channel", struct scenario_flow, red_channel),
		SECONDS("credit_s", struct scenario_flow, flow.request.credit_ns, false,
			SCENARIO_SECONDS_MAX),
		NODE("patience", struct scenario_flow, flow.patience, false, scenario_read_variate),
		NODE("handling", struct scenario_flow, flow.handling, true, scenario_read_variate),
		PART("deflected", false, read_deflected),
		PART("callback", false, read_callback),
		CLOCK("from", struct scenario_flow, flow.from_ns, false),
		DECIMAL("step_minutes", struct scenario_flow, step_minutes, false, 0.1, 1440),
		PART("expected", false, read_expected),
		PATH("csv", struct scenario_flow, csv, false),
		{NULL},
	};
	struct scenario_flow *flow = target;
	size_t errors = document->errors_count;

	flow->flow.request = (struct stw_contact_request)STW_CONTACT_REQUEST_INIT;
	flow->line = document_line(node);
	flow->step_minutes = 15;
	flow->flow.surge.returns_after.kind = VARIATE_CONSTANT;
	flow->flow.surge.unreached_ns = UNREACHED_NS;
	flow->reached_percent = 100;
	document_mapping(document, node, fields, flow);
	if (document->errors_count == errors)
		check_flow(document, flow);
}

void
scenario_make_flow(struct scenario *scenario, uint32_t index)
{
	struct scenario_flow *flow = &scenario->flows[index];
	struct stw_contact_request *request = &flow->flow.request;

	flow->flow.name = flow->name.text;
	flow->flow.step_ns = (uint64_t)(flow->step_minutes * 60e9);
	flow->flow.surge.returns = flow->returns_percent / 100;
	flow->flow.surge.accepts = flow->accepts_percent / 100;
	flow->flow.surge.reached = flow->reached_percent / 100;
	request->value = (uint8_t)flow->value;
	request->urgency = (uint8_t)flow->urgency;
	request->red_channel = flow->red_channel;
	if (flow->queue.text)
		request->queue.id = scenario_find_queue(scenario, &flow->queue);
	if (flow->csv.text)
		scenario_make_arrivals(scenario, flow);
	scenario->plan.flows[index] = flow->flow;
}

void
scenario_free_flow(struct scenario_flow *flow)
{
	free(flow->flow.contacts);
}
