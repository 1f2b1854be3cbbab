/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The formulas that planners compare with: Poisson arrivals, exponential handling, n agents who all
 * can do the same. Loads are in Erlangs (arrival rate times mean handling time), times in seconds.
 */
#ifndef SIMULATE_ERLANG_H
#define SIMULATE_ERLANG_H

#include <stdint.h>

/* Most agents that a search looks at. */
#define ERLANG_AGENTS_MAX 1000000

/* A group of agents, and who calls it. */
struct erlang_group {
	uint32_t agents;   /* 1 or more */
	double load;       /* Erlangs, above 0 */
	double handling_s; /* mean, above 0 */
	double patience_s; /* mean, exponential; 0: callers wait for ever */
};

struct erlang_answer {
	double wait;        /* chance that a caller has to wait */
	double abandon;     /* chance that a caller gives up */
	double mean_wait_s; /* of all callers, those who give up included; INFINITY: no balance */
	double mean_length; /* callers waiting, on average */
	double occupancy;   /* share of the agents' time that is busy */
};

/* Erlang B: chance that a caller finds all agents busy and goes at once. */
double erlang_b(uint32_t agents, double load);

/* Erlang C, or Erlang A when there is a patience. */
void erlang_answer(const struct erlang_group *group, struct erlang_answer *answer);

/* Share of all callers who are answered within so many seconds. */
double erlang_service_level(const struct erlang_group *group, double within_s);

/* Fewest agents who reach a service level below 1 (group->agents is not read). 0: too many. */
uint32_t erlang_agents(const struct erlang_group *group, double level, double within_s);

/*
 * Mean wait of each class under strict priority without interruption; class 0 goes first. shares
 * add up to 1 and the load is below the number of agents.
 * Source: Cobham, "Priority assignment in waiting line problems", 1954.
 */
void erlang_priority_waits(const struct erlang_group *group, const double *shares, uint32_t classes,
			   double *waits_s);

#endif
