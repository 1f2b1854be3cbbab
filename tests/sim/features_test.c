/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One small house for each rule of the engine that a scenario can say, in which the rule alone decides
 * what comes out. Callers come one by one from a list, and times are constant.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenario.h"
#include "simulation.h"

#define AGENTS_MAX 16

static char path[] = "/tmp/strowger-feature-XXXXXX";
static char list_path[] = "/tmp/strowger-feature-list-XXXXXX";
static struct scenario *scenario;
static struct simulation *simulation;
static unsigned events[64];

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
	simulation_destroy(simulation);
	scenario_free(scenario);
	unlink(path);
	unlink(list_path);
}

TestSuite(feature, .init = make_files, .fini = remove_files);

static void
count_event(void *context, const struct stw_event *event)
{
	(void)context;
	events[event->type]++;
}

/* The house, and callers of whom each takes a minute unless the list says something else. */
static int
load(const char *day, const char *house, const char *list, const char *flow)
{
	FILE *file = fopen(list_path, "w");

	cr_assert_not_null(file);
	fputs(list, file);
	fclose(file);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fprintf(file, "day: { from: 08:00, to: 18:00, interval_minutes: 600%s }\n%s\ncontacts:\n",
		day, house);
	fprintf(file, "  - { name: all, csv: %s, handling: { kind: constant, mean_s: 60 }%s }\n",
		list_path, flow);
	fclose(file);
	return scenario_load(&scenario, path);
}

static void
run(const char *day, const char *house, const char *list, const char *flow)
{
	cr_assert_eq(load(day, house, list, flow), 0, "%s", scenario_errors(scenario));
	cr_assert_eq(simulation_create(&simulation, scenario_plan(scenario), 1), 0);
	simulation_observe(simulation, count_event, NULL, NULL);
	cr_assert_eq(simulation_run(simulation), 0);
}

static void
refused(const char *day, const char *house, const char *why)
{
	cr_expect_neq(load(day, house, "time,queue\n08:00,q\n", ""), 0, "%s is taken", why);
	cr_expect(strstr(scenario_errors(scenario), why), "says: %s", scenario_errors(scenario));
	scenario_free(scenario);
	scenario = NULL;
}

static uint64_t
served(uint32_t agent)
{
	struct simulation_agent numbers;

	simulation_agent(simulation, agent, &numbers);
	return numbers.contacts;
}

static struct tally_cell
queue(uint32_t index)
{
	return *tally_queue(simulation_tally(simulation), index);
}

#define SHIFT(agents) "shifts: [ { agents: " #agents ", from: 08:00, to: 18:00 } ]"
#define FOUR_APART    "time,queue\n08:10,q\n08:20,q\n08:30,q\n08:40,q\n"

Test(feature, a_step_selects_as_it_says)
{
	run("",
	    "queues: [ { name: q, steps: [ { select: top_down } ] } ]\n"
	    "agents: [ { group: last, position: 9, " SHIFT(
		    1) " },"
		       " { group: first, position: 2, " SHIFT(1) " } ]",
	    FOUR_APART, "");
	cr_assert_eq(served(0), 0);
	cr_assert_eq(served(1), 4);
}

Test(feature, the_most_proficient_and_the_heavy_are_preferred)
{
	run("",
	    "skills: [ s ]\n"
	    "queues:\n"
	    "  - { name: q, steps: [ { skills: [ { name: s } ], select: most_proficient } ] }\n"
	    "  - { name: dice, steps: [ { select: weighted_random } ] }\n"
	    "agents: [ { group: poor, skills: [ { name: s, level: 1 } ], weight: 1000, " SHIFT(
		    1) " },"
		       " { group: good, skills: [ { name: s, level: 9 } ], " SHIFT(1) " } ]",
	    FOUR_APART "09:00,dice\n09:10,dice\n09:20,dice\n", "");
	cr_assert_eq(served(0), 3);
	cr_assert_eq(served(1), 4);
}

Test(feature, a_reserve_is_kept_for_the_valuable)
{
	run("",
	    "queues: [ { name: q, steps: [ { reserve: { agents: 1, value: 5 } } ] } ]\n"
	    "agents: [ { group: g, " SHIFT(2) " } ]",
	    "time,queue,value,patience_s\n08:10,q,0,10\n08:10:01,q,0,10\n08:10:02,q,5,99\n", "");
	cr_assert_eq(queue(0).answered, 2);
	cr_assert_eq(queue(0).abandoned, 1);
}

Test(feature, a_ring_asks_several_and_the_quickest_gets_it)
{
	run("",
	    "queues: [ { name: q, steps: [ { ring: 3 } ] } ]\n"
	    "agents: [ { group: slow, answer: { kind: constant, mean_s: 9 }, " SHIFT(
		    2) " },"
		       " { group: quick, answer: { kind: constant, mean_s: 2 }, " SHIFT(1) " } ]",
	    FOUR_APART, "");
	cr_assert_eq(served(2), 4);
	cr_assert_eq(events[STW_EVENT_OFFER], 12);
	cr_assert_eq(events[STW_EVENT_WITHDRAWN], 8);
	cr_assert_eq(queue(0).wait_answered_ns, 4 * 2 * PLAN_SECOND_NS);
}

Test(feature, several_who_answer_at_once_are_one_who_answers)
{
	run("",
	    "queues: [ { name: q, steps: [ { ring: 3 } ] } ]\n"
	    "agents: [ { group: g, " SHIFT(3) " } ]",
	    FOUR_APART, "");
	cr_assert_eq(queue(0).answered, 4);
}

Test(feature, who_is_required_is_said_by_all_any_and_not)
{
	run("",
	    "skills: [ german ]\n"
	    "attributes: [ place, grade ]\n"
	    "queues:\n"
	    "  - name: q\n"
	    "    steps:\n"
	    "      - requires:\n"
	    "          all:\n"
	    "            - { skill: german, level: 60 }\n"
	    "            - any: [ { not: { attribute: place, is: home } },\n"
	    "                     { attribute: grade, is: senior } ]\n"
	    "            - { attribute: grade, is_not: trainee }\n"
	    "agents:\n"
	    "  - { group: poor, skills: [ { name: german, level: 59 } ], " SHIFT(
		    1) " }\n"
		       "  - { group: home, skills: [ { name: german, level: 60 } ],\n"
		       "      attributes: { place: home }, " SHIFT(
			       1) " }\n"
				  "  - { group: trainee, skills: [ { name: german, level: 60 } ],\n"
				  "      attributes: { place: office, grade: trainee }, " SHIFT(
					  1) " }\n"
					     "  - { group: senior, skills: [ { name: german, "
					     "level: 60 } ],\n"
					     "      attributes: { place: home, grade: senior "
					     "}, " SHIFT(1) " }\n"
							    "  - { group: office, skills: [ { "
							    "name: german, level: 60 } ], " SHIFT(
								    1) " }\n",
	    FOUR_APART, "");
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(served(i), 0);
		cr_assert_not(simulation_serves(scenario_plan(scenario), i, 0));
	}
	cr_assert_eq(served(3), 2);
	cr_assert_eq(served(4), 2);
	cr_assert(simulation_serves(scenario_plan(scenario), 3, 0));
	cr_assert(simulation_serves(scenario_plan(scenario), 4, 0));
}

Test(feature, slots_hold_several_contacts_and_calls_interrupt_chats)
{
	run("",
	    "queues: [ { name: q, channel: chat, wrap_up_s: 30 }, { name: calls } ]\n"
	    "agents: [ { group: g, slots: { chat: 2, voice: 1 }, interrupts: { voice: [ chat ] }, "
	    "" SHIFT(1) " }, { group: phone, shifts: [ { agents: 1, from: 17:00, to: 18:00 } ] } ]",
	    "time,queue,patience_s\n08:10,q,5\n08:10:01,q,5\n08:10:02,q,5\n08:10:03,calls,5\n"
	    "08:10:04,calls,5\n",
	    "");
	cr_assert_eq(queue(0).answered, 2);
	cr_assert_eq(queue(0).abandoned, 1);
	cr_assert_eq(queue(1).answered, 1);
	cr_assert_eq(queue(1).abandoned, 1);
	cr_assert_not(simulation_serves(scenario_plan(scenario), 1, 0));
	/* Busy from the first chat to the end of the second one's wrap-up: a second more. */
	cr_assert_eq(tally_group(simulation_tally(simulation), 0)->busy_ns, 91 * PLAN_SECOND_NS);
}

#define OFFICE                                                                                     \
	"calendars:\n"                                                                             \
	"  - name: office\n"                                                                       \
	"    zone: Europe/Berlin\n"                                                                \
	"    open: [ { days: [ mon, tue ], from: 09:00, to: 17:00 } ]\n"                           \
	"    holidays: [ { date: 12-24, from: 09:00, to: 10:00 }, { date: 2026-12-28 } ]\n"        \
	"queues: [ { name: q, calendar: office } ]\n"                                              \
	"agents: [ { group: g, " SHIFT(1) " } ]"
#define HOURLY "time,queue\n08:30,q\n09:30,q\n10:30,q\n17:30,q\n"

static uint64_t
let_in(const char *day)
{
	uint64_t answered;

	run(day, OFFICE, HOURLY, "");
	answered = queue(0).answered;
	cr_assert_eq(queue(0).refused, 4 - answered);
	simulation_destroy(simulation);
	scenario_free(scenario);
	simulation = NULL;
	scenario = NULL;
	return answered;
}

Test(feature, a_queue_is_open_in_its_hours_on_the_date)
{
	cr_assert_eq(let_in(", date: 2026-11-23, zone: Europe/Berlin"), 2, "a Monday");
	cr_assert_eq(let_in(", date: 2026-07-07, zone: Europe/Berlin"), 2, "in summer");
	cr_assert_eq(let_in(", date: 2026-11-25, zone: Europe/Berlin"), 0, "a Wednesday");
	cr_assert_eq(let_in(", date: 2026-12-24, zone: Europe/Berlin"), 1, "a short Thursday");
	cr_assert_eq(let_in(", date: 2026-12-28, zone: Europe/Berlin"), 0, "closed on a Monday");
	cr_assert_eq(let_in(", date: 2026-11-23"), 3, "UTC is an hour behind");
}

/* Nobody is there until 09:00, so the queue grows by one a minute from 08:01 on. */
#define GROWING                                                                                    \
	"time,queue\n08:01,q\n08:02,q\n08:03,q\n08:04,q\n08:05,q\n08:06,q\n08:07,q\n08:08,q\n"
#define SURGE(rule)                                                                                \
	"queues: [ { name: q, surge: [ " rule " ] }, { name: other, length_max: 2 } ]\n"           \
	"agents: [ { group: g, shifts: [ { agents: 1, from: 09:00, to: 18:00 } ] } ]"

Test(feature, a_surge_refuses)
{
	run("", SURGE("{ when: length, from: 3, until: 1, do: refuse }"), GROWING, "");
	cr_assert_eq(queue(0).offered, 8);
	cr_assert_eq(queue(0).refused, 5);
	cr_assert_eq(queue(0).answered, 3);
	cr_assert_eq(events[STW_EVENT_SURGE], 2);
}

Test(feature, a_surge_overflows_until_the_other_queue_is_full)
{
	run("", SURGE("{ when: length, from: 3, until: 1, do: overflow, queue: other }"), GROWING,
	    "");
	cr_assert_eq(queue(0).offered, 8);
	cr_assert_eq(queue(0).overflowed, 5);
	cr_assert_eq(queue(0).refused, 0);
	cr_assert_eq(queue(1).offered, 5);
	cr_assert_eq(queue(1).refused, 3);
	cr_assert_eq(queue(1).answered, 2);
	/* The flow's callers are so many as have called. */
	cr_assert_eq(queue(2).offered, 8);
	cr_assert_eq(queue(2).refused, 3);
}

Test(feature, the_deflected_call_again_once)
{
	run("", SURGE("{ when: length, from: 3, until: 1, do: deflect }"), GROWING,
	    ", deflected: { returns_percent: 100, after: { kind: constant, mean_s: 7200 } }");
	cr_assert_eq(queue(0).deflected, 5);
	cr_assert_eq(queue(0).offered, 8 + 5);
	cr_assert_eq(queue(0).answered, 8);
	simulation_destroy(simulation);
	simulation = NULL;
	scenario_free(scenario);
	run("", SURGE("{ when: length, from: 3, until: 1, do: deflect }"), GROWING,
	    ", deflected: { returns_percent: 100, after: { kind: constant, mean_s: 60 } }");
	cr_assert_eq(queue(0).deflected, 10, "nobody calls a third time");
	cr_assert_eq(queue(0).answered, 3);
}

Test(feature, who_accepts_a_callback_does_not_give_up)
{
	run("", SURGE("{ when: length, from: 3, until: 1, do: callback }"), GROWING,
	    ", patience: { kind: constant, mean_s: 900 },"
	    " callback: { accepts_percent: 100, reached_percent: 0, unreached_s: 10 }");
	cr_assert_eq(queue(0).callbacks, 5);
	cr_assert_eq(queue(0).accepted, 5);
	cr_assert_eq(queue(0).abandoned, 3);
	cr_assert_eq(queue(0).answered, 5);
	cr_assert_eq(queue(0).unreached, 5);
	cr_assert_eq(queue(0).talk_ns, 50 * PLAN_SECOND_NS);
}

Test(feature, rules_apply_to_the_least_and_in_per_cent)
{
	run("",
	    "queues: [ { name: q, surge: [ { when: occupancy, from: 50, until: 40, do: refuse, "
	    "value_max: 3 } ] } ]\n"
	    "agents: [ { group: g, " SHIFT(4) " } ]",
	    "time,queue,value\n08:10,q,0\n08:10:01,q,0\n08:10:02,q,3\n08:10:03,q,4\n08:20,q,0\n",
	    "");
	cr_assert_eq(queue(0).refused, 1);
	cr_assert_eq(queue(0).answered, 4);
}

Test(feature, what_was_told_is_compared_with_what_came)
{
	char list[8192] = "time,queue\n";
	struct tally_cell cell;

	/* One a minute is served, three in two minutes come: each waits half a minute longer. */
	for (unsigned i = 0; i < 300; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%u,q\n",
			 28800 + 40 * i);
	run("", "queues: [ { name: q } ]\nagents: [ { group: g, " SHIFT(1) " } ]", list, "");
	cell = queue(0);
	cr_assert_gt(cell.told, 200);
	cr_assert_leq(cell.told_long, cell.told);
	/* Served like a clock, so the wait can be told nearly to the second. */
	cr_assert_gt(cell.told_ns / cell.told, 2000 * PLAN_SECOND_NS);
	cr_assert_lt(tally_told_error(&cell), 0.1);
	cr_assert_lt(cell.error_ns, cell.came_ns / 10);
}

#define TEAM "agents: [ { group: g, " SHIFT(1) " } ]"

Test(feature, mistakes_are_told)
{
	refused("", "queues: [ { name: q, steps: [ { select: best } ] } ]\n" TEAM,
		"'select' is one of: longest_idle, least_occupied, most_proficient, "
		"fewest_contacts, round_robin, weighted_random, top_down");
	refused("", "queues: [ { name: q, steps: [ { ring: 9 } ] } ]\n" TEAM, "'ring' is a whole");
	refused("", "queues: [ { name: q, steps: [ { requires: { all: [] } } ] } ]\n" TEAM,
		"'all' is a list of parts");
	refused("",
		"queues: [ { name: q, steps: [ { requires: { skill: s, not: { skill: s } } } ] } "
		"]\n" TEAM,
		"one of: skill, attribute, all, any, not");
	refused("", "queues: [ { name: q, steps: [ { requires: { attribute: a } } ] } ]\n" TEAM,
		"'attribute' goes with 'is' or 'is_not'");
	refused("",
		"queues: [ { name: q, steps: [ { requires: { attribute: a, is: b } } ] } ]\n" TEAM,
		"there is no attribute 'a'");
	refused("", "queues: [ { name: q, steps: [ { requires: &r { not: *r } } ] } ]\n" TEAM,
		"nested too deeply");
	refused("", "queues: [ { name: q, surge: [ { from: 1, until: 2 } ] } ]\n" TEAM,
		"'until' is below 'from' here");
	refused("",
		"queues: [ { name: q, surge: [ { from: 2, until: 1, do: overflow } ] } ]\n" TEAM,
		"'queue' goes with 'do: overflow'");
	refused("", OFFICE, "calendars need the 'date'");
	refused(", date: 2026-13-01", OFFICE, "'date' is YYYY-MM-DD here");
	refused(", date: 2026-12-01, zone: Europe/Nowhere", OFFICE, "no zone 'Europe/Nowhere'");
	refused("",
		"queues: [ { name: q } ]\nagents: [ { group: g, slots: { chat: 17 }, " SHIFT(
			1) " } ]",
		"'chat' is a whole number");
}
