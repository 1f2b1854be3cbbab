/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A group of agents as a birth-death chain of the number of callers in the house, solved by its
 * balance equations: knows nothing of the closed forms that it is compared with.
 */
#ifndef SIM_CHAIN_H
#define SIM_CHAIN_H

#include <stdint.h>

#define CHAIN_STATES_MAX 20000

struct chain {
	uint32_t agents;
	double arrivals; /* a second */
	double ends;     /* a second and agent who talks */
	double gives_up; /* a second and caller who waits; 0: never */
	uint32_t states; /* the most callers in the house + 1 */
	double share[CHAIN_STATES_MAX];
};

/* Solve it. places: most callers in the house; 0: no limit. A waiting room without one must not fill. */
void chain_solve(struct chain *chain, uint32_t agents, double load, double handling_s,
		 double patience_s, uint32_t places);

double chain_full(const struct chain *chain);        /* chance that nobody more gets in */
double chain_all_busy(const struct chain *chain);    /* chance that all agents talk */
double chain_mean_length(const struct chain *chain); /* callers who wait */
double chain_mean_busy(const struct chain *chain);   /* agents who talk */

/* The number in the house for a uniform 0 to 1. */
uint32_t chain_draw(const struct chain *chain, double uniform);

#endif
