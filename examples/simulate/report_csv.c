/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CSV by interval. Names are quoted; times are seconds, shares 0 to 1, and nothing stands where there
 * is nothing to divide by.
 */
#include "report.h"

#include <errno.h>
#include <inttypes.h>

#define CELL_NAMES                                                                                 \
	"offered,answered,answered_in_time,abandoned,refused,deflected,overflowed,callbacks,left," \
	"service_level,abandonment,asa_s,"                                                         \
	"wait_max_s,waiting_mean,talking_mean"
#define STAFF_NAMES "ready_h,busy_h,not_ready_h,occupancy"

static void
put_name(FILE *file, const char *name)
{
	fputc('"', file);
	for (; *name; name++) {
		if (*name == '"')
			fputc('"', file);
		fputc(*name, file);
	}
	fputc('"', file);
}

static void
put_ratio(FILE *file, double part, double whole)
{
	fputc(',', file);
	if (whole > 0)
		fprintf(file, "%.6g", part / whole);
}

static void
put_cell(FILE *file, const struct tally *tally, const struct tally_cell *cell)
{
	double interval_ns = (double)tally->interval_ns;

	fprintf(file, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, cell->offered,
		cell->answered, cell->in_time, cell->abandoned, cell->refused);
	fprintf(file, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, cell->deflected,
		cell->overflowed, cell->callbacks, cell->left);
	put_ratio(file, (double)cell->in_time, (double)cell->offered);
	put_ratio(file, (double)cell->abandoned, (double)cell->offered);
	put_ratio(file, (double)cell->wait_answered_ns / 1e9, (double)cell->answered);
	fprintf(file, ",%.6g", (double)cell->wait_max_ns / 1e9);
	put_ratio(file, (double)cell->waiting_ns, interval_ns);
	put_ratio(file, (double)cell->talk_ns, interval_ns);
}

static void
put_staff(FILE *file, const struct tally_staff *staff)
{
	fprintf(file, ",%.6g,%.6g,%.6g", (double)staff->ready_ns / 3600e9,
		(double)staff->busy_ns / 3600e9, (double)staff->not_ready_ns / 3600e9);
	put_ratio(file, (double)staff->busy_ns, (double)(staff->busy_ns + staff->ready_ns));
}

/* All queues and all agents together; the middle of an interval in hours is for plots. */
static int
write_day(const struct report *report, FILE *file)
{
	const struct tally *tally = simulation_tally(report->simulation);
	char clock[16];

	fprintf(file, "from,middle_h," CELL_NAMES "," STAFF_NAMES ",agents_mean\n");
	for (uint32_t i = 0; i < tally->intervals; i++) {
		struct tally_cell cell = {0};
		struct tally_staff staff = {0};
		uint64_t from_ns = tally->from_ns + i * tally->interval_ns;

		for (uint32_t j = 0; j < tally->queues; j++) {
			struct tally_cell both[2] = {cell, tally_queue(tally, j)[i]};

			cell = tally_cells_sum(both, 2);
		}
		for (uint32_t j = 0; j < tally->groups; j++) {
			struct tally_staff both[2] = {staff, tally_group(tally, j)[i]};

			staff = tally_staff_sum(both, 2);
		}
		fprintf(file, "%s,%.6g", report_clock(tally, i, clock),
			((double)from_ns + (double)tally->interval_ns / 2) / 3600e9);
		put_cell(file, tally, &cell);
		put_staff(file, &staff);
		put_ratio(file, (double)(staff.ready_ns + staff.busy_ns + staff.not_ready_ns),
			  (double)tally->interval_ns);
		fputc('\n', file);
	}
	return report_close(file);
}

static int
write_queues(const struct report *report, FILE *file)
{
	const struct tally *tally = simulation_tally(report->simulation);
	char clock[16];

	fprintf(file, "queue,from," CELL_NAMES ",occupancy\n");
	for (uint32_t i = 0; i < tally->queues; i++) {
		for (uint32_t j = 0; j < tally->intervals; j++) {
			struct tally_staff staff = report_queue_staff(report, i, j);

			put_name(file, report->plan->queues[i].config.name);
			fprintf(file, ",%s", report_clock(tally, j, clock));
			put_cell(file, tally, tally_queue(tally, i) + j);
			put_ratio(file, (double)staff.busy_ns,
				  (double)(staff.busy_ns + staff.ready_ns));
			fputc('\n', file);
		}
	}
	return report_close(file);
}

static int
write_groups(const struct report *report, FILE *file)
{
	const struct tally *tally = simulation_tally(report->simulation);
	char clock[16];

	fprintf(file, "group,from," STAFF_NAMES "\n");
	for (uint32_t i = 0; i < tally->groups; i++) {
		for (uint32_t j = 0; j < tally->intervals; j++) {
			put_name(file, report->plan->groups[i].config.name);
			fprintf(file, ",%s", report_clock(tally, j, clock));
			put_staff(file, tally_group(tally, i) + j);
			fputc('\n', file);
		}
	}
	return report_close(file);
}

static int
write_agents(const struct report *report, FILE *file)
{
	struct simulation_agent agent;

	fprintf(file, "group,number,contacts," STAFF_NAMES "\n");
	for (uint32_t i = 0; i < simulation_agents(report->simulation); i++) {
		simulation_agent(report->simulation, i, &agent);
		put_name(file, report->plan->groups[agent.group].config.name);
		fprintf(file, ",%u,%" PRIu64, agent.number, agent.contacts);
		put_staff(file, &agent.staff);
		fputc('\n', file);
	}
	return report_close(file);
}

static int
write_staffing(const struct report *report, FILE *file)
{
	const struct tally *tally = simulation_tally(report->simulation);
	char clock[16];

	fprintf(file, "queue,from,expected,handling_s,patience_s,erlang_c,erlang_a,engine,"
		      "level_steady,level_day\n");
	for (uint32_t i = 0; i < report->rows_count; i++) {
		const struct staffing_row *row = &report->rows[i];

		put_name(file, report->plan->queues[row->queue].config.name);
		fprintf(file, ",%s,%.6g,%.6g,%.6g,%u,%u,%u,%.6g,%.6g\n",
			report_clock(tally, row->interval, clock), row->expected, row->handling_s,
			row->patience_s, row->erlang_c, row->erlang_a, row->engine,
			row->level_steady, row->level_day);
	}
	return report_close(file);
}

int
report_csv(const struct report *report, const char *directory)
{
	static const struct {
		const char *name;
		int (*write)(const struct report *report, FILE *file);
	} files[] = {{"day.csv", write_day},
		     {"queues.csv", write_queues},
		     {"groups.csv", write_groups},
		     {"agents.csv", write_agents},
		     {"staffing.csv", write_staffing}};

	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		FILE *file;
		int result;

		if (files[i].write == write_staffing && !report->goal)
			continue;
		file = report_open(directory, files[i].name);
		if (!file)
			return -errno;
		result = files[i].write(report, file);
		if (result != 0)
			return result;
	}
	return 0;
}
