/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole run as one JSON object: queues, flows and groups with their totals and intervals. */
#include "report.h"

#include <errno.h>

#include <jansson.h>

/* Shares and means are numbers, or null where there is nothing to divide by. */
static json_t *
ratio(double part, double whole)
{
	return whole > 0 ? json_real(part / whole) : json_null();
}

/* How far what was told at arrival was off what came. */
static json_t *
json_told(const struct tally_cell *cell)
{
	double told = (double)cell->told;

	return json_pack("{sIsososososI}", "told", (json_int_t)cell->told, "told_mean_s",
			 ratio((double)cell->told_ns / 1e9, told), "came_mean_s",
			 ratio((double)cell->came_ns / 1e9, told), "error_mean_s",
			 ratio((double)cell->error_ns / 1e9, told), "mape_percent",
			 ratio(100 * cell->error_share, (double)cell->told_long), "mape_of",
			 (json_int_t)cell->told_long);
}

static json_t *
json_cell(const struct tally_cell *cell)
{
	double offered = (double)cell->offered;
	json_t *object = json_pack(
		"{sIsIsIsIsIsIsIsIsIsIsI}", "offered", (json_int_t)cell->offered, "answered",
		(json_int_t)cell->answered, "answered_in_time", (json_int_t)cell->in_time,
		"abandoned", (json_int_t)cell->abandoned, "refused", (json_int_t)cell->refused,
		"deflected", (json_int_t)cell->deflected, "overflowed",
		(json_int_t)cell->overflowed, "callbacks", (json_int_t)cell->callbacks,
		"callbacks_accepted", (json_int_t)cell->accepted, "callbacks_unreached",
		(json_int_t)cell->unreached, "left", (json_int_t)cell->left);
	json_t *more =
		json_pack("{sososososfso}", "service_level", ratio((double)cell->in_time, offered),
			  "abandonment", ratio((double)cell->abandoned, offered), "asa_s",
			  ratio((double)cell->wait_answered_ns / 1e9, (double)cell->answered),
			  "talk_h", json_real((double)cell->talk_ns / 3600e9), "wait_max_s",
			  (double)cell->wait_max_ns / 1e9, "expected_wait", json_told(cell));

	json_object_update(object, more);
	json_decref(more);
	return object;
}

static json_t *
json_staff(const struct tally_staff *staff)
{
	return json_pack("{sfsfsfso}", "ready_h", (double)staff->ready_ns / 3600e9, "busy_h",
			 (double)staff->busy_ns / 3600e9, "not_ready_h",
			 (double)staff->not_ready_ns / 3600e9, "occupancy",
			 ratio((double)staff->busy_ns, (double)(staff->busy_ns + staff->ready_ns)));
}

static json_t *
with_name(json_t *object, const char *name)
{
	json_object_set_new(object, "name", json_string(name));
	return object;
}

static json_t *
json_cells(const struct report *report, const struct tally_cell *cells, const char *name)
{
	const struct tally *tally = simulation_tally(report->simulation);
	struct tally_cell sum = tally_cells_sum(cells, tally->intervals);
	json_t *object = with_name(json_cell(&sum), name), *intervals = json_array();
	char clock[16];

	for (uint32_t i = 0; i < tally->intervals; i++) {
		json_t *interval = json_cell(&cells[i]);

		json_object_set_new(interval, "from", json_string(report_clock(tally, i, clock)));
		json_array_append_new(intervals, interval);
	}
	json_object_set_new(object, "intervals", intervals);
	return object;
}

static json_t *
json_queues(const struct report *report)
{
	const struct tally *tally = simulation_tally(report->simulation);
	json_t *queues = json_array();

	for (uint32_t i = 0; i < tally->queues; i++) {
		struct tally_staff staff = report_queue_staff_all(report, i);
		json_t *queue = json_cells(report, tally_queue(tally, i),
					   report->plan->queues[i].config.name);

		json_object_set_new(
			queue, "occupancy",
			ratio((double)staff.busy_ns, (double)(staff.busy_ns + staff.ready_ns)));
		json_array_append_new(queues, queue);
	}
	return queues;
}

static json_t *
json_flows(const struct report *report)
{
	const struct tally *tally = simulation_tally(report->simulation);
	json_t *flows = json_array();

	for (uint32_t i = 0; i < tally->flows; i++)
		json_array_append_new(flows, json_cells(report, tally_flow(tally, i),
							report->plan->flows[i].name));
	return flows;
}

static json_t *
json_groups(const struct report *report)
{
	const struct tally *tally = simulation_tally(report->simulation);
	json_t *groups = json_array();

	for (uint32_t i = 0; i < tally->groups; i++) {
		const struct plan_group *group = &report->plan->groups[i];
		struct tally_staff staff = tally_staff_sum(tally_group(tally, i), tally->intervals);
		json_t *object = with_name(json_staff(&staff), group->config.name);

		json_object_set_new(object, "agents", json_integer(plan_group_agents(group)));
		json_array_append_new(groups, object);
	}
	return groups;
}

static json_t *
json_staffing(const struct report *report)
{
	const struct tally *tally = simulation_tally(report->simulation);
	json_t *rows = json_array();
	char clock[16];

	for (uint32_t i = 0; i < report->rows_count; i++) {
		const struct staffing_row *row = &report->rows[i];

		json_array_append_new(
			rows,
			json_pack("{sssssfsfsfsisisisfsf}", "queue",
				  report->plan->queues[row->queue].config.name, "from",
				  report_clock(tally, row->interval, clock), "expected",
				  row->expected, "handling_s", row->handling_s, "patience_s",
				  row->patience_s, "erlang_c", (int)row->erlang_c, "erlang_a",
				  (int)row->erlang_a, "engine", (int)row->engine, "level_steady",
				  row->level_steady, "level_day", row->level_day));
	}
	return json_pack("{sfsfso}", "level", report->goal->level, "within_s",
			 report->goal->within_s, "rows", rows);
}

int
report_json(const struct report *report, const char *directory)
{
	json_t *root = json_pack("{sIsososo}", "seed", (json_int_t)report->seed, "queues",
				 json_queues(report), "contacts", json_flows(report), "agents",
				 json_groups(report));
	FILE *file = report_open(directory, "summary.json");
	int result = -errno;

	if (root && report->goal)
		json_object_set_new(root, "staffing", json_staffing(report));
	if (file) {
		if (!root || json_dumpf(root, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) != 0)
			result = -EIO;
		else
			result = 0;
		fputc('\n', file);
		if (report_close(file) != 0 && result == 0)
			result = -EIO;
	}
	json_decref(root);
	return result;
}
