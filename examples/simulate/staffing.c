/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The search: steps that double lead away from what Erlang says until the goal lies between two
 * numbers of agents, then the gap is halved. The callers are the same each time, so the level rises
 * with the agents.
 */
#include "staffing_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "erlang.h"
#include "simulation.h"

/* Callers of one trial; before them, so many handling times pass to settle. */
#define CALLERS         20000
#define SETTLE_HANDLING 20

/* More agents than so many times the load, and some, are never looked at. */
#define AGENTS_FACTOR 20
#define AGENTS_SPARE  100

/* One queue on its own: anyone of its only group may serve it. */
struct alone {
	struct plan plan;
	struct plan_queue queue;
	struct plan_group group;
	struct plan_shift shift;
	struct plan_flow *flows;
	double *contacts;
};

struct search {
	const struct plan *plan;
	const struct staffing_goal *goal;
	uint64_t seed;
	struct alone alone;
	int error;
};

static uint64_t
interval_from(const struct plan *plan, uint32_t interval)
{
	return plan->from_ns + interval * plan->interval_ns;
}

/* What the formulas ask for: means over the flows, weighted by who comes. */
static void
row_load(const struct plan *plan, struct staffing_row *row)
{
	uint64_t from_ns = interval_from(plan, row->interval);
	double handling_s = 0, gives_up = 0;

	for (uint32_t i = 0; i < plan->flows_count; i++) {
		const struct plan_flow *flow = &plan->flows[i];
		double expected =
			staffing_expected(flow, row->queue, from_ns, from_ns + plan->interval_ns);

		row->expected += expected;
		handling_s += expected * flow->handling.mean_s;
		if (flow->patience.kind != VARIATE_NEVER_ENDS && flow->patience.mean_s > 0)
			gives_up += expected / flow->patience.mean_s;
	}
	if (row->expected > 0) {
		row->handling_s = handling_s / row->expected +
				  (double)plan->queues[row->queue].config.wrap_up_ns / 1e9;
		row->patience_s = gives_up > 0 ? row->expected / gives_up : 0;
	}
}

/* The interval, made steady and long. */
static void
alone_prepare(struct search *search, const struct staffing_row *row)
{
	const struct plan *plan = search->plan;
	struct alone *alone = &search->alone;
	double arrivals_a_s = row->expected / ((double)plan->interval_ns / 1e9);
	double settle_s = SETTLE_HANDLING * row->handling_s;
	double counted_s = CALLERS / arrivals_a_s;
	uint64_t from_ns = interval_from(plan, row->interval);

	alone->queue.config = staffing_queue(plan, row->queue, search->goal);
	alone->group = staffing_group(plan, row->queue);
	alone->group.shifts = &alone->shift;
	alone->group.shifts_count = 1;
	alone->shift = (struct plan_shift){.to_ns = VARIATE_NEVER};
	alone->plan = (struct plan){.limits = plan->limits,
				    .from_ns = (uint64_t)(settle_s * 1e9),
				    .to_ns = (uint64_t)((settle_s + counted_s) * 1e9),
				    .queues = &alone->queue,
				    .queues_count = 1,
				    .groups = &alone->group,
				    .groups_count = 1,
				    .flows = alone->flows,
				    .flows_count = plan->flows_count};
	alone->plan.interval_ns = alone->plan.to_ns - alone->plan.from_ns;
	for (uint32_t i = 0; i < plan->flows_count; i++) {
		double share = staffing_expected(&plan->flows[i], row->queue, from_ns,
						 from_ns + plan->interval_ns) /
			       row->expected;

		alone->flows[i] = plan->flows[i];
		alone->flows[i].request.queue.id = 1;
		alone->flows[i].from_ns = 0;
		alone->flows[i].step_ns = alone->plan.to_ns;
		alone->flows[i].arrivals_count = 0;
		alone->flows[i].contacts = &alone->contacts[i];
		alone->flows[i].contacts_count = 1;
		alone->contacts[i] = share * arrivals_a_s * (settle_s + counted_s);
	}
}

static double
level_of(struct search *search, uint32_t agents)
{
	struct simulation *simulation = NULL;
	struct tally_cell cell = {0};
	int result;

	search->alone.shift.agents = agents;
	result = simulation_create(&simulation, &search->alone.plan, search->seed);
	if (result == 0)
		result = simulation_run(simulation);
	if (result == 0)
		cell = *tally_queue(simulation_tally(simulation), 0);
	simulation_destroy(simulation);
	if (result != 0)
		search->error = result;
	return tally_service_level(&cell);
}

/* Too few; 0 when it is not known. */
static uint32_t
row_go_down(struct search *search, struct staffing_row *row)
{
	for (uint32_t step = 1; search->error == 0 && row->engine > step; step *= 2) {
		double level = level_of(search, row->engine - step);

		if (level < search->goal->level)
			return row->engine - step;
		row->engine -= step;
		row->level_steady = level;
	}
	return 0;
}

static uint32_t
row_go_up(struct search *search, struct staffing_row *row, uint32_t most)
{
	uint32_t low = row->engine;

	for (uint32_t step = 1; search->error == 0 && row->level_steady < search->goal->level;
	     step *= 2) {
		/* Callers whom nobody can reach in time: a goal that no number of agents meets. */
		if (row->engine >= most) {
			search->error = -ERANGE;
			break;
		}
		low = row->engine;
		row->engine += step;
		row->level_steady = level_of(search, row->engine);
	}
	return low;
}

/* Fewest agents by the engine, from a first guess. */
static void
row_search(struct search *search, struct staffing_row *row)
{
	double load = row->expected * row->handling_s / ((double)search->plan->interval_ns / 1e9);
	uint32_t low;

	alone_prepare(search, row);
	row->engine = row->erlang_a;
	row->level_steady = level_of(search, row->engine);
	if (row->level_steady < search->goal->level)
		low = row_go_up(search, row, (uint32_t)(AGENTS_FACTOR * load) + AGENTS_SPARE);
	else
		low = row_go_down(search, row);
	while (row->engine - low > 1 && search->error == 0) {
		uint32_t middle = low + (row->engine - low) / 2;
		double level = level_of(search, middle);

		if (level < search->goal->level) {
			low = middle;
		} else {
			row->engine = middle;
			row->level_steady = level;
		}
	}
}

static void
row_fill(struct search *search, struct staffing_row *row)
{
	const struct staffing_goal *goal = search->goal;
	struct erlang_group group;

	row_load(search->plan, row);
	if (row->expected <= 0)
		return;
	group = (struct erlang_group){.load = row->expected * row->handling_s /
					      ((double)search->plan->interval_ns / 1e9),
				      .handling_s = row->handling_s};
	row->erlang_c = erlang_agents(&group, goal->level, goal->within_s);
	group.patience_s = row->patience_s;
	row->erlang_a = erlang_agents(&group, goal->level, goal->within_s);
	if (row->erlang_a == 0 || row->erlang_c == 0)
		search->error = -ERANGE;
	else
		row_search(search, row);
}

int
staffing_search(const struct plan *plan, const struct staffing_goal *goal, uint64_t seed,
		staffing_progress_fn progress, struct staffing_row **out, uint32_t *count)
{
	uint32_t intervals = staffing_intervals(plan), rows_count = plan->queues_count * intervals;
	struct search search = {.plan = plan, .goal = goal, .seed = seed};
	struct staffing_row *rows = calloc(rows_count + 1, sizeof(*rows));

	search.alone.flows = calloc(plan->flows_count + 1, sizeof(*search.alone.flows));
	search.alone.contacts = calloc(plan->flows_count + 1, sizeof(double));
	if (!rows || !search.alone.flows || !search.alone.contacts)
		search.error = -ENOMEM;
	for (uint32_t i = 0; i < rows_count && search.error == 0; i++) {
		rows[i].queue = i / intervals;
		rows[i].interval = i % intervals;
		row_fill(&search, &rows[i]);
		if (progress)
			progress(i + 1, rows_count);
	}
	if (search.error == 0)
		search.error = staffing_day(plan, goal, seed, rows);
	free(search.alone.flows);
	free(search.alone.contacts);
	if (search.error != 0) {
		free(rows);
		return search.error;
	}
	*out = rows;
	*count = rows_count;
	return 0;
}
