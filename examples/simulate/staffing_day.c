/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole days with the agents that the search has found: each queue has a group and a skill of its
 * own. Agents come and go in layers: whoever came last goes first when fewer are needed.
 */
#include <errno.h>
#include <stdlib.h>

#include "simulation.h"
#include "staffing_parts.h"

/* Days to simulate: so many, or fewer for about so many contacts. */
#define DAYS_MAX 50
#define CONTACTS 500000.0

struct day {
	struct plan plan;
	struct stw_skill_level *levels; /* [queue] */
	struct stw_step_config *steps;  /* [queue] */
	struct plan_shift *shifts;      /* [queue][intervals] */
};

/* Layers of one queue's agents over the intervals, as shifts; returns how many there are. */
static uint32_t
layers_make(const struct plan *plan, const struct staffing_row *rows, uint32_t intervals,
	    struct plan_shift *shifts)
{
	uint32_t count = 0, at_work = 0;

	for (uint32_t i = 0; i < intervals; i++) {
		uint64_t now_ns = plan->from_ns + i * plan->interval_ns;

		/* Close layers from the top; one may have to be split: the rest of it goes on. */
		for (uint32_t top = count; at_work > rows[i].engine && top-- > 0;) {
			struct plan_shift *shift = &shifts[top];
			uint32_t surplus = at_work - rows[i].engine;

			if (shift->to_ns != VARIATE_NEVER)
				continue;
			if (shift->agents > surplus) {
				shifts[count] = *shift;
				shifts[count++].to_ns = now_ns;
				shifts[count - 1].agents = surplus;
				shift->agents -= surplus;
				at_work -= surplus;
			} else {
				shift->to_ns = now_ns;
				at_work -= shift->agents;
			}
		}
		if (at_work < rows[i].engine) {
			shifts[count++] = (struct plan_shift){.agents = rows[i].engine - at_work,
							      .from_ns = now_ns,
							      .to_ns = VARIATE_NEVER};
			at_work = rows[i].engine;
		}
	}
	return count;
}

static void
day_make(struct day *day, const struct plan *plan, const struct staffing_goal *goal,
	 const struct staffing_row *rows, uint32_t intervals)
{
	for (uint32_t i = 0; i < plan->queues_count; i++) {
		struct plan_group *group = &day->plan.groups[i];
		struct plan_queue *queue = &day->plan.queues[i];

		/* Each interval opens or splits one layer at most, and closes any number. */
		*group = staffing_group(plan, i);
		group->shifts = &day->shifts[(size_t)i * 2 * intervals];
		group->shifts_count =
			layers_make(plan, &rows[(size_t)i * intervals], intervals, group->shifts);
		day->levels[i] = (struct stw_skill_level){.skill = {i + 1}, .level = 1};
		day->steps[i].terms = &day->levels[i];
		day->steps[i].terms_count = 1;
		queue->config = staffing_queue(plan, i, goal);
		queue->config.steps = &day->steps[i];
		queue->config.steps_count = 1;
		group->config.skills = &day->levels[i];
		group->config.skills_count = 1;
		day->plan.skills[i] = plan->queues[i].config.name;
	}
}

/* One day's offered and answered in time, added to the row's. */
static int
day_run(const struct plan *plan, uint64_t seed, struct tally_cell *cells, uint32_t intervals)
{
	struct simulation *simulation;
	int result = simulation_create(&simulation, plan, seed);

	if (result != 0)
		return result;
	result = simulation_run(simulation);
	/* The queues' rows lie one after the other, as ours do. */
	for (uint32_t i = 0; i < plan->queues_count * intervals && result == 0; i++) {
		const struct tally_cell *cell = tally_queue(simulation_tally(simulation), 0) + i;

		cells[i].offered += cell->offered;
		cells[i].in_time += cell->in_time;
	}
	simulation_destroy(simulation);
	return result;
}

/* Few contacts make an interval's level a matter of luck, so a small house gets more days. */
static int
days_run(const struct plan *plan, uint64_t seed, struct staffing_row *rows, uint32_t intervals)
{
	uint32_t count = plan->queues_count * intervals, days = DAYS_MAX;
	struct tally_cell *cells = calloc(count + 1, sizeof(*cells));
	double expected = 0;
	int result = 0;

	if (!cells)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		expected += rows[i].expected;
	if (days * expected > CONTACTS)
		days = 1 + (uint32_t)(CONTACTS / expected);
	for (uint32_t day = 0; day < days && result == 0; day++)
		result = day_run(plan, seed + day, cells, intervals);
	for (uint32_t i = 0; i < count; i++)
		rows[i].level_day = tally_service_level(&cells[i]);
	free(cells);
	return result;
}

int
staffing_day(const struct plan *plan, const struct staffing_goal *goal, uint64_t seed,
	     struct staffing_row *rows)
{
	uint32_t intervals = staffing_intervals(plan), count = plan->queues_count;
	struct day day = {.plan = *plan};
	int result = -ENOMEM;

	day.plan.skills = calloc(count + 1, sizeof(*day.plan.skills));
	day.plan.queues = calloc(count + 1, sizeof(*day.plan.queues));
	day.plan.groups = calloc(count + 1, sizeof(*day.plan.groups));
	day.levels = calloc(count + 1, sizeof(*day.levels));
	day.steps = calloc(count + 1, sizeof(*day.steps));
	day.shifts = calloc((size_t)count * 2 * intervals + 1, sizeof(*day.shifts));
	day.plan.skills_count = count;
	day.plan.groups_count = count;
	if (day.plan.skills && day.plan.queues && day.plan.groups && day.levels && day.steps &&
	    day.shifts) {
		day_make(&day, plan, goal, rows, intervals);
		result = days_run(&day.plan, seed, rows, intervals);
	}
	free(day.plan.skills);
	free(day.plan.queues);
	free(day.plan.groups);
	free(day.levels);
	free(day.steps);
	free(day.shifts);
	return result;
}
