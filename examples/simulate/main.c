/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strowger-simulate: what would a day be like? A scenario's callers and agents meet the real engine
 * on a virtual clock.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "event_line.h"
#include "report.h"
#include "scenario.h"

#define EXIT_SCENARIO 2

struct options {
	const char *scenario;
	const char *directory;
	const char *events;
	uint64_t seed;
	bool has_seed;
	bool plots;
	bool check;
	bool quiet;
	bool staffing;
	struct staffing_goal goal;
};

/* What the observers of a run need. */
struct watch {
	const struct plan *plan;
	FILE *events;
	double shown_s;
	double begun_s;
};

static double
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
print_help(FILE *to)
{
	fprintf(to,
		"Usage: strowger-simulate [OPTION]... SCENARIO.yaml\n"
		"Simulates a day of a contact centre with the real engine; "
		"examples/simulate/README.md\n"
		"explains the scenario.\n"
		"\n"
		"  -o, --out DIR         write summary.json and CSV files there\n"
		"  -p, --plot            draw PNGs there, too (needs gnuplot)\n"
		"  -e, --events FILE     write every event of the engine there, as CSV\n"
		"  -s, --seed N          instead of the scenario's\n"
		"  -a, --staffing L/S    how many agents answer L %% of the callers within S "
		"seconds,\n"
		"                        for each queue and interval: Erlang C, Erlang A, the "
		"engine\n"
		"      --check           check the scenario and exit\n"
		"  -q, --quiet           no progress (none is shown but on a terminal)\n"
		"  -h, --help            this text\n"
		"\n"
		"An error in the scenario exits with %d, any other failure with 1.\n",
		EXIT_SCENARIO);
}

static bool
parse_goal(const char *text, struct staffing_goal *goal)
{
	double percent;
	int bytes = 0;

	if (sscanf(text, "%lf/%lf%n", &percent, &goal->within_s, &bytes) != 2 || text[bytes] ||
	    !(percent > 0 && percent < 100 && goal->within_s >= 0 && goal->within_s <= 86400))
		return false;
	goal->level = percent / 100;
	return true;
}

static bool
parse_seed(const char *text, uint64_t *seed)
{
	char *end = NULL;

	errno = 0;
	*seed = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno;
}

/* 0: go on; else the exit status plus 1. */
static int
read_options(int argc, char *argv[], struct options *options)
{
	static const struct option known[] = {
		{"out", required_argument, NULL, 'o'},
		{"plot", no_argument, NULL, 'p'},
		{"events", required_argument, NULL, 'e'},
		{"seed", required_argument, NULL, 's'},
		{"staffing", required_argument, NULL, 'a'},
		{"check", no_argument, NULL, 'c'},
		{"quiet", no_argument, NULL, 'q'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool fine = true;
	int option;

	while ((option = getopt_long(argc, argv, "o:pe:s:a:qh", known, NULL)) != -1) {
		if (option == 'o')
			options->directory = optarg;
		else if (option == 'p')
			options->plots = true;
		else if (option == 'e')
			options->events = optarg;
		else if (option == 's')
			fine = fine && (options->has_seed = parse_seed(optarg, &options->seed));
		else if (option == 'a')
			fine = fine && (options->staffing = parse_goal(optarg, &options->goal));
		else if (option == 'c')
			options->check = true;
		else if (option == 'q')
			options->quiet = true;
		else if (option == 'h')
			return print_help(stdout), EXIT_SUCCESS + 1;
		else
			fine = false;
	}
	if (!fine || optind + 1 != argc || (options->plots && !options->directory))
		return print_help(stderr), EXIT_FAILURE + 1;
	options->scenario = argv[optind];
	return 0;
}

static void
write_event(void *context, const struct stw_event *event)
{
	struct watch *watch = context;
	char line[EVENT_LINE_BYTES];

	if (watch->events)
		fwrite(line, 1, event_line(line, event), watch->events);
}

static void
show_day(void *context, uint64_t now_ns, uint64_t contacts)
{
	struct watch *watch = context;
	uint64_t minutes = now_ns / (60 * PLAN_SECOND_NS);
	double now_s = seconds_now();

	if (now_s - watch->shown_s < 1)
		return;
	watch->shown_s = now_s;
	fprintf(stderr, "\r%02" PRIu64 ":%02" PRIu64 ", %" PRIu64 " contacts, %.0f s ",
		minutes / 60, minutes % 60, contacts, now_s - watch->begun_s);
}

static void
show_rows(uint32_t done, uint32_t rows)
{
	fprintf(stderr, "\rstaffing: %u of %u intervals %s", done, rows, done == rows ? "\n" : "");
}

static int
make_directory(const char *directory)
{
	return mkdir(directory, 0777) == 0 || errno == EEXIST ? 0 : -errno;
}

static int
write_files(const struct options *options, const struct report *report)
{
	int result;

	if (!options->directory)
		return 0;
	result = make_directory(options->directory);
	if (result == 0)
		result = report_csv(report, options->directory);
	if (result == 0)
		result = report_json(report, options->directory);
	if (result == 0 && options->plots)
		result = report_plot(report, options->directory);
	return result;
}

static int
simulate(const struct options *options, struct report *report, struct watch *watch,
	 struct simulation **simulation)
{
	struct staffing_row *rows = NULL;
	int result = simulation_create(simulation, report->plan, report->seed);

	if (result != 0)
		return result;
	report->simulation = *simulation;
	simulation_observe(*simulation, watch->events ? write_event : NULL,
			   options->quiet ? NULL : show_day, watch);
	result = simulation_run(*simulation);
	if (watch->shown_s > watch->begun_s)
		fputc('\n', stderr);
	if (result == 0 && options->staffing) {
		result = staffing_search(report->plan, &options->goal, report->seed,
					 options->quiet ? NULL : show_rows, &rows,
					 &report->rows_count);
		report->goal = &options->goal;
		report->rows = rows;
	}
	if (result == 0) {
		report_text(report, stdout);
		result = write_files(options, report);
	}
	free(rows);
	return result;
}

static int
run(const struct options *options, const struct scenario *scenario)
{
	struct report report = {.plan = scenario_plan(scenario),
				.seed = options->has_seed ? options->seed
							  : scenario_seed(scenario)};
	struct watch watch = {.plan = report.plan};
	struct simulation *simulation = NULL;
	int result;

	watch.begun_s = watch.shown_s = seconds_now();
	if (options->events) {
		watch.events = fopen(options->events, "w");
		if (!watch.events)
			return -errno;
		fputs(event_line_names, watch.events);
	}
	result = simulate(options, &report, &watch, &simulation);
	simulation_destroy(simulation);
	if (watch.events && report_close(watch.events) != 0 && result == 0)
		result = -EIO;
	return result;
}

int
main(int argc, char *argv[])
{
	struct scenario *scenario = NULL;
	struct options options = {0};
	int result = read_options(argc, argv, &options);

	if (result != 0)
		return result - 1;
	result = scenario_load(&scenario, options.scenario);
	if (result != 0) {
		fputs(scenario ? scenario_errors(scenario) : "no memory\n", stderr);
		scenario_free(scenario);
		return EXIT_SCENARIO;
	}
	if (!isatty(STDERR_FILENO))
		options.quiet = true;
	if (!options.check)
		result = run(&options, scenario);
	if (result != 0)
		fprintf(stderr, "strowger-simulate: %s\n", strerror(-result));
	scenario_free(scenario);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
