/* SPDX-License-Identifier: BSD-3-Clause */
/* What a scenario file may say, what is refused with which words, and that a day adds up. */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenario.h"
#include "simulation.h"

/* Each line is one of the file's, so a test names a line by what it replaces. */
static const char *const lines[] = {
	/* 1 */ "day: { from: 08:00, to: 09:00, interval_minutes: 30 }",
	/* 2 */ "skills: [sales]",
	/* 3 */ "queues:",
	/* 4 */ "  - { name: sales, steps: [ { skills: [ { name: sales, level: 3 } ] } ] }",
	/* 5 */ "agents:",
	/* 6 */ "  - group: team",
	/* 7 */ "    skills: [ { name: sales, level: 5 } ]",
	/* 8 */ "    shifts: [ { agents: 2, from: 08:00, to: 09:00 } ]",
	/* 9 */ "contacts:",
	/* 10 */
	"  - { name: all, queue: sales, handling: { mean_s: 60 }, expected: [10, 10, 10, 10],",
	/* 11 */ "      from: 08:00, patience: { mean_s: 30 } }",
};

#define LINES (sizeof(lines) / sizeof(lines[0]))

static char path[] = "/tmp/strowger-scenario-XXXXXX";
static char list_path[] = "/tmp/strowger-callers-XXXXXX";
static struct scenario *scenario;
static const struct simulation *checked;

/* Events between two checks of all that the engine promises. */
#define CHECK_EVENTS 50

static void
make_files(void)
{
	int files[2] = {mkstemp(path), mkstemp(list_path)};

	for (int i = 0; i < 2; i++) {
		cr_assert_geq(files[i], 0);
		close(files[i]);
	}
}

static void
remove_files(void)
{
	scenario_free(scenario);
	unlink(path);
	unlink(list_path);
}

TestSuite(scenario, .init = make_files, .fini = remove_files);

/* The file with a line replaced; line 0: none. */
static int
load_with(unsigned line, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	for (unsigned i = 0; i < LINES; i++)
		fprintf(file, "%s\n", i + 1 == line ? text : lines[i]);
	fclose(file);
	scenario_free(scenario);
	scenario = NULL;
	return scenario_load(&scenario, path);
}

static void
refused(unsigned line, const char *text, const char *why)
{
	cr_expect_neq(load_with(line, text), 0, "'%s' is taken", text);
	cr_expect(strstr(scenario_errors(scenario), why), "'%s' says: %s", text,
		  scenario_errors(scenario));
}

static void
write_list(const char *text)
{
	FILE *file = fopen(list_path, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

Test(scenario, what_it_says_is_planned)
{
	const struct plan *plan;

	cr_assert_eq(load_with(4, "  - { name: sales, service_level_s: 12.5, wrap_up_s: 7, "
				  "length_max: 9, targets: [ { value: 3, urgency: 2, target_s: "
				  "-1.5 } ], steps: [ { skills: [ { name: sales } ] } ] }"),
		     0, "%s", scenario_errors(scenario));
	plan = scenario_plan(scenario);
	cr_assert_eq(plan->from_ns, 8 * 3600 * PLAN_SECOND_NS);
	cr_assert_eq(plan->interval_ns, 1800 * PLAN_SECOND_NS);
	cr_assert_eq(plan->queues[0].config.service_level_ns, UINT64_C(12500000000));
	cr_assert_eq(plan->queues[0].config.wrap_up_ns, 7 * PLAN_SECOND_NS);
	cr_assert_eq(plan->queues[0].config.length_max, 9);
	cr_assert_eq(plan->queues[0].config.target_ns[3][2], -INT64_C(1500000000));
	cr_assert_eq(plan->queues[0].config.steps[0].terms[0].level, 1);
	cr_assert_eq(plan->groups[0].config.skills[0].level, 5);
	cr_assert(simulation_serves(plan, 0, 0));
}

Test(scenario, steps_open_by_time_or_by_a_condition_alone)
{
	const struct stw_step_config *steps;

	cr_assert_eq(load_with(4, "  - { name: sales, steps: [ {}, { after_s: 1.5 }, {}, { when: "
				  "wait_above, wait_bound_s: 9 }, { when: all_not_ready, after_s: "
				  "60 } ] }"),
		     0, "%s", scenario_errors(scenario));
	cr_assert_eq(scenario_plan(scenario)->queues[0].config.steps_count, 5);
	steps = scenario_plan(scenario)->queues[0].config.steps;
	cr_assert_eq(steps[0].after_ns, 0);
	cr_assert_eq(steps[1].after_ns, UINT64_C(1500000000));
	cr_assert_eq(steps[2].after_ns, 0);
	cr_assert_eq(steps[3].after_ns, STW_STEP_NEVER);
	cr_assert_eq(steps[3].when, STW_STEP_WHEN_WAIT_ABOVE);
	cr_assert_eq(steps[3].wait_bound_ns, 9 * PLAN_SECOND_NS);
	cr_assert_eq(steps[4].after_ns, 60 * PLAN_SECOND_NS);
	cr_assert_eq(steps[4].when, STW_STEP_WHEN_ALL_NOT_READY);
}

Test(scenario, mistakes_are_told_with_their_lines)
{
	refused(1, "day: { from: 09:00, to: 08:00 }", ":1: the day ends before it begins");
	refused(1, "day: { from: 8 o'clock, to: 09:00 }", ":1: 'from' is a time");
	refused(1, "day: { from: 08:61, to: 09:00 }", ":1: 'from' is a time");
	refused(2, "skills: [sales, sales]", ":2: 'sales' is here twice");
	refused(4, "  - { name: sales, steps: [ { skills: [ { name: tennis } ] } ] }",
		":4: there is no skill 'tennis'");
	refused(4, "  - { name: sales, wrap_up_s: -1 }", ":4: 'wrap_up_s' is a number, 0 to");
	refused(4, "  - { name: sales, wrap_up_s: 0x10 }", ":4: 'wrap_up_s' is a number, 0 to");
	refused(4, "  - { name: sales, steps: [ { pool: elsewhere } ] }",
		":4: there is no pool 'elsewhere'");
	refused(4, "  - { name: sales, steps: [ { after_s: 3 } ] }",
		":4: the first step is open at once");
	refused(4, "  - { name: sales, steps: [ {}, { after_s: 3, wait_bound_s: 4 } ] }",
		":4: 'wait_bound_s' is for 'when: wait_above'");
	refused(4, "  - { name: sales, speed: 3 }", ":4: 'speed' is not known here");
	refused(8, "    shifts: [ { agents: 2, from: 09:00, to: 08:00 } ]",
		":8: the shift is over");
	refused(8,
		"    shifts: [ { agents: 2, from: 08:00, to: 09:00, breaks: [ { from: 07:00, to: "
		"08:30 } ] } ]",
		":8: break 1 begins before it may");
	refused(10, "  - { name: all, queue: support, handling: { mean_s: 60 }, expected: [ 10 ],",
		":10: there is no queue 'support'");
	refused(10, "  - { name: all, queue: sales, handling: { mean_s: 60 },",
		":10: 'expected' or 'csv' is missing here");
	refused(10, "  - { name: all, queue: sales, handling: { kind: never }, expected: [ 1 ],",
		":10: 'handling' is missing, or never ends");
	refused(10,
		"  - { name: all, queue: sales, handling: { mean_s: 60 }, csv: nowhere, expected: "
		"[1],",
		":10: 'csv' and 'expected' exclude each other");
	refused(10, "  - { name: all, queue: sales, handling: { mean_s: 60 }, csv: nowhere.csv,",
		"nowhere.csv: No such file");
}

static void
list_refused(const char *list, const char *why)
{
	char line[256];

	write_list(list);
	snprintf(line, sizeof(line), "  - { name: all, handling: { mean_s: 60 }, csv: %s,",
		 list_path);
	refused(10, line, why);
}

Test(scenario, mistakes_in_a_list_of_callers_are_told)
{
	list_refused("", "nobody calls in");
	list_refused("time,queue\n", "nobody calls in");
	list_refused("queue\nsales\n", ":1: there must be a column 'time'");
	list_refused("time,mood\n", ":1: there is no column 'mood'");
	list_refused("time\n08:00\n", ":2: this caller has no 'queue'");
	list_refused("time,queue\n08:00,sales\nsoon,sales\n", ":3: this is no number");
	list_refused("time,queue\n08:00,tennis\n", ":2: there is no queue 'tennis'");
	list_refused("time,queue,value\n08:00,sales,16\n", ":2: this is no number");
	list_refused("time,queue\n08:00,sales,9\n", ":2: one field too many: '9'");
}

Test(scenario, a_list_of_callers_is_read_in_the_order_of_time)
{
	const struct plan_flow *flow;
	char line[256];

	write_list("handling_s,time,queue,patience_s,urgency\r\n"
		   "12.5,08:10:05,sales,,4\n"
		   ",29000,sales,3,\n");
	snprintf(line, sizeof(line), "  - { name: all, handling: { mean_s: 60 }, csv: %s,",
		 list_path);
	cr_assert_eq(load_with(10, line), 0, "%s", scenario_errors(scenario));
	flow = scenario_plan(scenario)->flows;
	cr_assert_eq(flow->arrivals_count, 2);
	cr_assert_eq(flow->arrivals[0].at_ns, 29000 * PLAN_SECOND_NS);
	cr_assert_eq(flow->arrivals[0].patience_ns, 3 * PLAN_SECOND_NS);
	cr_assert_eq(flow->arrivals[0].handling_ns, 0);
	cr_assert_eq(flow->arrivals[1].at_ns, 29405 * PLAN_SECOND_NS);
	cr_assert_eq(flow->arrivals[1].handling_ns, UINT64_C(12500000000));
	cr_assert_eq(flow->arrivals[1].urgency, 4);
}

static struct tally_cell
sum_of(const struct simulation *simulation, uint32_t first, uint32_t count)
{
	const struct tally *tally = simulation_tally(simulation);

	return tally_cells_sum(tally_queue(tally, first), count * tally->intervals);
}

/* Between two calls the engine is quiet, whatever the day has come to. */
static void
check_often(void *context, const struct stw_event *event)
{
	unsigned *events = context;

	if (++*events % CHECK_EVENTS == 0)
		stw_acd_check(simulation_engine(checked));
}

Test(scenario, a_day_adds_up)
{
	unsigned events = 0;
	struct tally_staff agents[21], all, team, rest, partner;
	struct tally_cell queues, flows;
	struct simulation *simulation;
	const struct tally *tally;

	cr_assert_eq(scenario_load(&scenario, DAY_SCENARIO), 0, "%s", scenario_errors(scenario));
	cr_assert_eq(simulation_create(&simulation, scenario_plan(scenario), 1), 0);
	checked = simulation;
	simulation_observe(simulation, check_often, NULL, &events);
	cr_assert_eq(simulation_run(simulation), 0);
	cr_assert_gt(events, 100 * CHECK_EVENTS);
	tally = simulation_tally(simulation);
	queues = sum_of(simulation, 0, tally->queues);
	flows = sum_of(simulation, tally->queues, tally->flows);
	cr_assert(!memcmp(&queues, &flows, offsetof(struct tally_cell, error_share)));
	cr_assert_eq(queues.offered,
		     queues.answered + queues.abandoned + queues.refused + queues.left);
	/* 1,425 and 105 are expected by the profiles, 279 are in the list. */
	cr_assert(fabs((double)queues.offered - 1809) < 4 * sqrt(1530));
	cr_assert_eq(tally_cells_sum(tally_queue(tally, 1), tally->intervals).offered, 279);
	/* Who is at work is ready, busy or not ready, to the nanosecond: ten hours, each of six. */
	rest = tally_staff_sum(tally_group(tally, 1), tally->intervals);
	cr_assert_eq(rest.ready_ns + rest.busy_ns + rest.not_ready_ns, 60 * 3600 * PLAN_SECOND_NS);
	/* The sum over the agents is that over the groups. */
	cr_assert_eq(simulation_agents(simulation), 21);
	for (uint32_t i = 0; i < 21; i++) {
		struct simulation_agent agent;

		simulation_agent(simulation, i, &agent);
		agents[i] = agent.staff;
	}
	all = tally_staff_sum(agents, 21);
	partner = tally_staff_sum(tally_group(tally, 2), tally->intervals);
	team = tally_staff_sum(tally_group(tally, 0), tally->intervals);
	cr_assert_eq(all.busy_ns, team.busy_ns + rest.busy_ns + partner.busy_ns);
	cr_assert_eq(all.ready_ns, team.ready_ns + rest.ready_ns + partner.ready_ns);
	/* The partner gets who has waited for half a minute, and that is not many. */
	cr_assert_gt(partner.busy_ns, 0);
	cr_assert_lt(partner.busy_ns * 2, partner.ready_ns);
	simulation_destroy(simulation);
}

Test(scenario, nobody_is_answered_outside_of_the_shifts)
{
	struct tally_cell early, late;
	struct simulation *simulation;

	cr_assert_eq(load_with(8, "    shifts: [ { agents: 9, from: 08:30, to: 09:00 } ]"), 0);
	cr_assert_eq(simulation_create(&simulation, scenario_plan(scenario), 1), 0);
	cr_assert_eq(simulation_run(simulation), 0);
	early = *tally_queue(simulation_tally(simulation), 0);
	late = tally_queue(simulation_tally(simulation), 0)[1];
	/* Who came shortly before has waited until then, and longer than 20 s at times. */
	cr_assert_leq(early.answered, early.waited);
	cr_assert_gt(early.abandoned, 10);
	cr_assert_gt(late.answered, 10);
	simulation_destroy(simulation);
}

Test(scenario, who_never_answers_is_set_aside)
{
	struct simulation *simulation;
	struct tally_cell all;

	cr_assert_eq(load_with(6, "  - group: team\n    misses_percent: 100\n    misses_max: 2"),
		     0);
	cr_assert_eq(simulation_create(&simulation, scenario_plan(scenario), 1), 0);
	cr_assert_eq(simulation_run(simulation), 0);
	all = sum_of(simulation, 0, 1);
	cr_assert_eq(all.answered, 0);
	cr_assert_gt(all.abandoned, 0);
	cr_assert_eq(all.abandoned, all.offered);
	/* Two misses each are soon come by; then both are not ready for the rest of their two hours. */
	cr_assert_gt(tally_staff_sum(tally_group(simulation_tally(simulation), 0), 2).not_ready_ns,
		     6000 * PLAN_SECOND_NS);
	simulation_destroy(simulation);
}
