/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A group of agents simulated many times over with the real engine, each time from a state drawn
 * from the exact balance, so that the repeats are independent and none needs to settle first.
 * Figures are ratios of sums over the repeats, with their standard errors.
 */
#ifndef SIM_TRIAL_H
#define SIM_TRIAL_H

#include <stdint.h>

#include "chain.h"
#include "exact.h"

#define TRIAL_REPEATS 40

enum trial_figure {
	TRIAL_REFUSED,    /* of all who called */
	TRIAL_ABANDONED,  /* of all who called */
	TRIAL_WAIT,       /* share that waited at all, of those let in */
	TRIAL_MEAN_WAIT,  /* seconds, of those let in */
	TRIAL_LENGTH,     /* callers waiting, on average over time */
	TRIAL_OCCUPANCY,  /* of the agents */
	TRIAL_IN_20_S,    /* answered within 20 s, of all who called */
	TRIAL_CLASS_WAIT, /* seconds, of the first class; those of the others follow */
	TRIAL_FIGURES = TRIAL_CLASS_WAIT + EXACT_CLASSES_MAX,
};

/* Callers who do not wait at all. */
#define TRIAL_NO_PATIENCE (-1.0)

struct trial {
	uint32_t agents;
	double load;
	double handling_s;
	double patience_s; /* mean; 0: for ever; or TRIAL_NO_PATIENCE */
	uint32_t places;   /* in the house: the queue's length is limited; 0: no limit */
	uint32_t contacts; /* that the engine knows at one time; 0: enough */
	uint32_t classes;  /* 0: one */
	const double *shares;
	/* Per repeat: what is counted, and out of how much. */
	double part[TRIAL_FIGURES][TRIAL_REPEATS];
	double whole[TRIAL_FIGURES][TRIAL_REPEATS];
};

/* Simulate it, from the balance of the chain, so many callers each time. */
void trial_run(struct trial *trial, const struct chain *chain, uint64_t callers);

/* Fails the test if a figure is not within three standard errors of the exact one, or too blurred. */
void trial_meets(const struct trial *trial, const char *name, enum trial_figure figure,
		 double exact);

#endif
