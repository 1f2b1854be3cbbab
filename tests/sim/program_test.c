/* SPDX-License-Identifier: BSD-3-Clause */
/* The program as a planner runs it, on the scenario of its README. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

static char directory[] = "/tmp/strowger-simulate-XXXXXX";

static void
make_directory(void)
{
	cr_assert_not_null(mkdtemp(directory));
}

static void
remove_directory(void)
{
	static const char *const files[] = {"summary.json",      "day.csv",     "queues.csv",
					    "groups.csv",        "agents.csv",  "staffing.csv",
					    "arrivals.png",      "waiting.png", "occupancy.png",
					    "service_level.png", "events.csv",  "bad.yaml"};
	char path[128];

	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		unlink(path);
	}
	rmdir(directory);
}

TestSuite(program, .init = make_directory, .fini = remove_directory);

/* Run it with these arguments; its output, at most; its exit status. */
static int
run(const char *arguments, char *output, size_t bytes)
{
	char command[1024];
	size_t length;
	FILE *pipe;

	snprintf(command, sizeof(command), "%s %s 2>&1", SIMULATE_PROGRAM, arguments);
	pipe = popen(command, "r");
	cr_assert_not_null(pipe);
	length = fread(output, 1, bytes - 1, pipe);
	output[length] = 0;
	return WEXITSTATUS(pclose(pipe));
}

static off_t
size_of(const char *name)
{
	struct stat about;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return stat(path, &about) == 0 ? about.st_size : -1;
}

Test(program, the_example_gives_tables_files_and_pictures)
{
	static const char *const pictures[] = {"arrivals.png", "waiting.png", "occupancy.png",
					       "service_level.png"};
	char arguments[512], output[16384];
	json_t *root, *queue, *told;

	snprintf(arguments, sizeof(arguments), "--out %s --plot --events %s/events.csv %s",
		 directory, directory, DAY_SCENARIO);
	cr_assert_eq(run(arguments, output, sizeof(output)), 0, "%s", output);
	cr_assert(strstr(output, "support                    279"), "%s", output);
	for (unsigned i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++)
		cr_expect_gt(size_of(pictures[i]), 1000, "%s", pictures[i]);
	cr_assert_gt(size_of("events.csv"), 100000);
	cr_assert_gt(size_of("day.csv"), 1000);
	cr_assert_gt(size_of("queues.csv"), 1000);
	cr_assert_gt(size_of("groups.csv"), 500);
	cr_assert_gt(size_of("agents.csv"), 500);
	cr_assert_eq(size_of("staffing.csv"), -1);
	snprintf(arguments, sizeof(arguments), "%s/summary.json", directory);
	root = json_load_file(arguments, 0, NULL);
	cr_assert_not_null(root);
	queue = json_array_get(json_object_get(root, "queues"), 1);
	cr_assert_str_eq(json_string_value(json_object_get(queue, "name")), "support");
	cr_assert_eq(json_integer_value(json_object_get(queue, "offered")), 279);
	cr_assert_eq(json_array_size(json_object_get(queue, "intervals")), 20);
	told = json_object_get(queue, "expected_wait");
	cr_assert_gt(json_integer_value(json_object_get(told, "told")), 10);
	cr_assert_gt(json_number_value(json_object_get(told, "mape_percent")), 0);
	cr_assert_eq(json_integer_value(json_object_get(queue, "overflowed")), 0);
	json_decref(root);
}

Test(program, a_broken_scenario_ends_it_with_2_and_a_line)
{
	char arguments[512], output[4096];
	FILE *file;

	snprintf(arguments, sizeof(arguments), "%s/bad.yaml", directory);
	file = fopen(arguments, "w");
	cr_assert_not_null(file);
	fputs("day: { from: 08:00, to: 07:00 }\n", file);
	fclose(file);
	cr_assert_eq(run(arguments, output, sizeof(output)), 2);
	cr_assert(strstr(output, "bad.yaml:1: the day ends before it begins"), "%s", output);
	cr_assert_eq(run("--staffing 100/20 x.yaml", output, sizeof(output)), 1);
	cr_assert_eq(run("--check " DAY_SCENARIO, output, sizeof(output)), 0);
}
