/* SPDX-License-Identifier: BSD-3-Clause */
/* How many agents: where Erlang's assumptions hold, the search over the engine must find the same. */
#include <criterion/criterion.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "simulation.h"
#include "staffing.h"

#define INTERVALS 3

struct house {
	struct plan plan;
	struct plan_queue queue;
	struct plan_group group;
	struct plan_shift shift;
	struct plan_flow flow;
	double contacts[INTERVALS];
};

/* Loads in Erlangs, one for each half hour. */
static void
begin(struct house *house, const double *loads, double patience_s)
{
	*house = (struct house){.plan = {.limits = STW_ACD_CONFIG_INIT},
				.queue = {.config = STW_QUEUE_CONFIG_INIT},
				.group = {.config = STW_AGENT_CONFIG_INIT}};
	house->queue.config.name = "queue";
	house->group.config.name = "group";
	house->group.answer.kind = VARIATE_CONSTANT;
	house->flow = (struct plan_flow){
		.name = "callers",
		.request = STW_CONTACT_REQUEST_INIT,
		.handling = {VARIATE_EXPONENTIAL, 180},
		.patience = {patience_s > 0 ? VARIATE_EXPONENTIAL : VARIATE_NEVER_ENDS, patience_s},
		.step_ns = 1800 * PLAN_SECOND_NS,
		.contacts = house->contacts,
		.contacts_count = INTERVALS};
	house->flow.request.queue.id = 1;
	for (int i = 0; i < INTERVALS; i++)
		house->contacts[i] = loads[i] * 1800 / 180;
	house->plan.to_ns = INTERVALS * house->flow.step_ns;
	house->plan.interval_ns = house->flow.step_ns;
	house->plan.limits.contacts_max = 10000;
	house->plan.queues = &house->queue;
	house->plan.queues_count = 1;
	house->plan.groups = &house->group;
	house->plan.groups_count = 1;
	house->plan.flows = &house->flow;
	house->plan.flows_count = 1;
}

static struct staffing_row *
search(const struct house *house, double level)
{
	struct staffing_goal goal = {level, 20};
	struct staffing_row *rows;
	uint32_t count;

	cr_assert_eq(staffing_search(&house->plan, &goal, 5, NULL, &rows, &count), 0);
	cr_assert_eq(count, INTERVALS);
	return rows;
}

Test(staffing, the_engine_needs_what_erlang_c_says)
{
	/* Goals half-way between the levels of two numbers of agents: 13 give 79.6 %, 14 88.8 %. */
	static const double loads[INTERVALS] = {10, 0, 10};
	struct staffing_row *rows;
	struct house house;

	begin(&house, loads, 0);
	rows = search(&house, 0.842);
	cr_assert_eq(rows[0].erlang_c, 14);
	cr_assert_eq(rows[0].engine, 14, "%u agents", rows[0].engine);
	cr_assert(fabs(rows[0].level_steady - 0.88835) < 0.02);
	cr_assert_eq(rows[2].engine, 14);
	/* Nobody calls, nobody is needed. */
	cr_assert_eq(rows[1].engine, 0);
	free(rows);
}

Test(staffing, the_engine_needs_what_erlang_a_says)
{
	static const double loads[INTERVALS] = {50, 55, 20};
	struct staffing_row *rows;
	struct house house;

	begin(&house, loads, 120);
	rows = search(&house, 0.8);
	for (int i = 0; i < INTERVALS; i++) {
		cr_expect_lt(rows[i].erlang_a, rows[i].erlang_c);
		/* One agent more or less is within what 20,000 callers can tell. */
		cr_expect_leq(abs((int)rows[i].engine - (int)rows[i].erlang_a), 1,
			      "%u agents, Erlang A %u", rows[i].engine, rows[i].erlang_a);
		cr_expect(rows[i].level_steady >= 0.8);
		cr_expect(rows[i].level_day > 0.7);
	}
	free(rows);
}

Test(staffing, wrap_up_and_phones_that_ring_need_more_agents)
{
	static const double loads[INTERVALS] = {20, 20, 20};
	struct staffing_row *plain, *slow;
	struct house house;

	begin(&house, loads, 120);
	plain = search(&house, 0.8);
	house.queue.config.wrap_up_ns = 60 * PLAN_SECOND_NS;
	slow = search(&house, 0.8);
	/* A third more work. */
	cr_expect_geq(slow[0].engine, plain[0].engine + 5);
	cr_expect_geq(slow[0].erlang_a, plain[0].erlang_a + 5);
	free(plain);
	free(slow);
}

/* Each call rings for a minute, of which the formulas know nothing. */
static void
begin_slow(struct house *house, const double *loads)
{
	begin(house, loads, 600);
	house->queue.config.offer_timeout_ns = 0;
	house->queue.config.service_level_ns = 80 * PLAN_SECOND_NS;
	house->group.answer.mean_s = 60;
	house->group.shifts = &house->shift;
	house->group.shifts_count = 1;
	house->shift = (struct plan_shift){.agents = 1, .to_ns = VARIATE_NEVER};
}

/* Share answered in time by so many agents, over a hundred hours of one load. */
static double
level_with(double load, uint32_t agents)
{
	double loads[INTERVALS] = {load * 200};
	struct simulation *simulation;
	struct house house;
	double level;

	begin_slow(&house, loads);
	house.plan.from_ns = 3600 * PLAN_SECOND_NS;
	house.plan.to_ns = 100 * 3600 * PLAN_SECOND_NS;
	house.plan.interval_ns = house.plan.to_ns - house.plan.from_ns;
	house.flow.step_ns = house.plan.to_ns;
	house.shift.agents = agents;
	cr_assert_eq(simulation_create(&simulation, &house.plan, 6), 0);
	cr_assert_eq(simulation_run(simulation), 0);
	level = tally_service_level(tally_queue(simulation_tally(simulation), 0));
	simulation_destroy(simulation);
	return level;
}

Test(staffing, the_fewest_are_found_far_from_where_the_search_begins)
{
	static const double loads[INTERVALS] = {12, 20, 33};
	struct staffing_goal goal = {0.8, 80};
	struct staffing_row *rows;
	struct house house;
	uint32_t count;

	begin_slow(&house, loads);
	cr_assert_eq(staffing_search(&house.plan, &goal, 5, NULL, &rows, &count), 0);
	for (int i = 0; i < INTERVALS; i++) {
		cr_expect_geq(rows[i].engine, rows[i].erlang_a + 3, "%u agents, Erlang A %u",
			      rows[i].engine, rows[i].erlang_a);
		cr_expect(fabs(level_with(loads[i], rows[i].engine) - rows[i].level_steady) < 0.02);
		cr_expect_lt(level_with(loads[i], rows[i].engine - 1), 0.8);
	}
	free(rows);
}

Test(staffing, a_goal_that_nobody_reaches_is_told)
{
	static const double loads[INTERVALS] = {2, 2, 2};
	struct staffing_goal goal = {0.8, 1};
	struct staffing_row *rows;
	struct house house;
	uint32_t count;

	/* Every phone rings for two seconds, and a second is asked for. */
	begin(&house, loads, 0);
	house.group.answer.mean_s = 2;
	house.group.shifts = &house.shift;
	house.group.shifts_count = 1;
	house.shift = (struct plan_shift){.agents = 1, .to_ns = VARIATE_NEVER};
	cr_assert_eq(staffing_search(&house.plan, &goal, 5, NULL, &rows, &count), -ERANGE);
}
