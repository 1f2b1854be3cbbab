/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables for people, and what all reports have in common. */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

struct tally_staff
report_queue_staff(const struct report *report, uint32_t queue, uint32_t interval)
{
	const struct tally *tally = simulation_tally(report->simulation);
	struct tally_staff sum = {0};

	for (uint32_t i = 0; i < tally->groups; i++) {
		struct tally_staff both[2] = {sum, tally_group(tally, i)[interval]};

		if (simulation_serves(report->plan, i, queue))
			sum = tally_staff_sum(both, 2);
	}
	return sum;
}

struct tally_staff
report_queue_staff_all(const struct report *report, uint32_t queue)
{
	const struct tally *tally = simulation_tally(report->simulation);
	struct tally_staff sum = {0};

	for (uint32_t i = 0; i < tally->groups; i++) {
		struct tally_staff both[2] = {
			sum, tally_staff_sum(tally_group(tally, i), tally->intervals)};

		if (simulation_serves(report->plan, i, queue))
			sum = tally_staff_sum(both, 2);
	}
	return sum;
}

const char *
report_clock(const struct tally *tally, uint32_t interval, char text[16])
{
	uint64_t minutes = (tally->from_ns + interval * tally->interval_ns) / (60 * PLAN_SECOND_NS);

	snprintf(text, 16, "%02u:%02u", (unsigned)(minutes / 60 % 10000), (unsigned)(minutes % 60));
	return text;
}

FILE *
report_open(const char *directory, const char *name)
{
	char *path = NULL;
	FILE *file;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return NULL;
	file = fopen(path, "w");
	free(path);
	return file;
}

int
report_close(FILE *file)
{
	int failed = ferror(file);

	if (fclose(file) != 0)
		return errno ? -errno : -EIO;
	return failed ? -EIO : 0;
}

static void
print_cell(FILE *to, const char *name, const struct tally_cell *cell, double occupancy)
{
	fprintf(to,
		"%-20.20s %9" PRIu64 " %9" PRIu64 " %8" PRIu64 " %7" PRIu64 " %6.1f%% %6.1f%% "
		"%7.1f %7.1f",
		name, cell->offered, cell->answered, cell->abandoned, cell->refused + cell->left,
		100 * tally_service_level(cell), 100 * tally_abandoned(cell), tally_answer_s(cell),
		(double)cell->wait_max_ns / 1e9);
	if (occupancy >= 0)
		fprintf(to, " %6.1f%%", 100 * occupancy);
	fputc('\n', to);
}

static void
print_queues(const struct report *report, FILE *to)
{
	const struct tally *tally = simulation_tally(report->simulation);

	fprintf(to, "%-20s %9s %9s %8s %7s %7s %7s %7s %7s %7s\n", "queue", "offered", "answered",
		"gave up", "refused", "level", "gave up", "ASA/s", "max/s", "busy");
	for (uint32_t i = 0; i < tally->queues; i++) {
		struct tally_cell cell = tally_cells_sum(tally_queue(tally, i), tally->intervals);
		struct tally_staff staff = report_queue_staff_all(report, i);

		print_cell(to, report->plan->queues[i].config.name, &cell, tally_occupancy(&staff));
	}
	fprintf(to, "\n%-20s\n", "callers");
	for (uint32_t i = 0; i < tally->flows; i++) {
		struct tally_cell cell = tally_cells_sum(tally_flow(tally, i), tally->intervals);

		print_cell(to, report->plan->flows[i].name, &cell, -1);
	}
}

/* Only of queues that had surges, or told somebody how long he would wait. */
static void
print_surges(const struct report *report, FILE *to)
{
	const struct tally *tally = simulation_tally(report->simulation);
	bool first = true;

	for (uint32_t i = 0; i < tally->queues; i++) {
		struct tally_cell cell = tally_cells_sum(tally_queue(tally, i), tally->intervals);

		if (cell.deflected + cell.overflowed + cell.callbacks + cell.told == 0)
			continue;
		if (first)
			fprintf(to, "\n%-20s %9s %9s %8s %7s %7s %7s %7s %7s\n", "queue",
				"deflected", "overflow", "callback", "taken", "vain", "told/s",
				"came/s", "off");
		first = false;
		fprintf(to,
			"%-20.20s %9" PRIu64 " %9" PRIu64 " %8" PRIu64 " %7" PRIu64 " %7" PRIu64
			" %7.1f %7.1f %6.1f%%\n",
			report->plan->queues[i].config.name, cell.deflected, cell.overflowed,
			cell.callbacks, cell.accepted, cell.unreached,
			tally_ratio((double)cell.told_ns / 1e9, (double)cell.told),
			tally_ratio((double)cell.came_ns / 1e9, (double)cell.told),
			100 * tally_told_error(&cell));
	}
}

static void
print_groups(const struct report *report, FILE *to)
{
	const struct tally *tally = simulation_tally(report->simulation);

	fprintf(to, "\n%-20s %9s %9s %9s %9s %7s\n", "agents", "number", "ready/h", "busy/h",
		"off/h", "busy");
	for (uint32_t i = 0; i < tally->groups; i++) {
		struct tally_staff staff = tally_staff_sum(tally_group(tally, i), tally->intervals);

		fprintf(to, "%-20.20s %9u %9.1f %9.1f %9.1f %6.1f%%\n",
			report->plan->groups[i].config.name,
			plan_group_agents(&report->plan->groups[i]),
			(double)staff.ready_ns / 3600e9, (double)staff.busy_ns / 3600e9,
			(double)staff.not_ready_ns / 3600e9, 100 * tally_occupancy(&staff));
	}
}

static void
print_staffing(const struct report *report, FILE *to)
{
	const struct tally *tally = simulation_tally(report->simulation);
	char clock[16];

	fprintf(to, "\nagents for %g %% answered within %g s\n", 100 * report->goal->level,
		report->goal->within_s);
	fprintf(to, "%-20s %5s %9s %8s %8s %8s %8s %8s\n", "queue", "from", "expected", "Erlang C",
		"Erlang A", "engine", "steady", "the day");
	for (uint32_t i = 0; i < report->rows_count; i++) {
		const struct staffing_row *row = &report->rows[i];

		if (row->expected > 0)
			fprintf(to, "%-20.20s %5s %9.1f %8u %8u %8u %7.1f%% %7.1f%%\n",
				report->plan->queues[row->queue].config.name,
				report_clock(tally, row->interval, clock), row->expected,
				row->erlang_c, row->erlang_a, row->engine, 100 * row->level_steady,
				100 * row->level_day);
	}
}

void
report_text(const struct report *report, FILE *to)
{
	print_queues(report, to);
	print_surges(report, to);
	print_groups(report, to);
	if (report->goal)
		print_staffing(report, to);
}
