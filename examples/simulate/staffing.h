/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many agents reach a service level: for each queue and interval by Erlang C, by Erlang A, and
 * by search over the real engine.
 *
 * Like the formulas, the search takes an interval as steady and the queue's agents as its own, but
 * with the scenario's distributions, wrap-up, rings that nobody answers, and rules. At the end
 * days are simulated with the agents found, to show what the changes between intervals do.
 */
#ifndef SIMULATE_STAFFING_H
#define SIMULATE_STAFFING_H

#include "plan.h"

struct staffing_goal {
	double level;    /* above 0, below 1, of all who call */
	double within_s; /* answered so soon */
};

/* One queue in one interval. */
struct staffing_row {
	uint32_t queue;
	uint32_t interval;
	double expected;   /* contacts */
	double handling_s; /* mean, wrap-up included */
	double patience_s; /* mean; 0: for ever */
	uint32_t erlang_c; /* agents; 0: nobody calls */
	uint32_t erlang_a;
	uint32_t engine;
	double level_steady; /* what the engine reaches with them */
	double level_day;    /* within simulated days; of those who came in the interval */
};

/* Called as rows get done; NULL: not wanted. */
typedef void (*staffing_progress_fn)(uint32_t done, uint32_t rows);

/*
 * Fill rows, queue by queue: as many as the plan's queues times its intervals; given: free them.
 * 0, or an error of the simulation.
 */
int staffing_search(const struct plan *plan, const struct staffing_goal *goal, uint64_t seed,
		    staffing_progress_fn progress, struct staffing_row **rows, uint32_t *count);

#endif
