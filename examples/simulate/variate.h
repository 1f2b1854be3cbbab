/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random variates from seeded streams. Each use (arrivals of one flow, its callers' patience, ...)
 * has a stream of its own, so that two runs that differ in their agents have the same callers.
 */
#ifndef SIMULATE_VARIATE_H
#define SIMULATE_VARIATE_H

#include <stdint.h>

/* Later than every time of a simulation. */
#define VARIATE_NEVER UINT64_MAX

/* Any contents but all zeros; variate_seed makes them. */
struct variate_stream {
	uint64_t state[4];
};

enum variate_kind {
	VARIATE_NEVER_ENDS, /* no parameters */
	VARIATE_CONSTANT,
	VARIATE_EXPONENTIAL,
	VARIATE_LOGNORMAL, /* deviation_s */
	VARIATE_WEIBULL,   /* shape */
	VARIATE_UNIFORM,   /* mean_s - deviation_s to mean_s + deviation_s */
};

/* How long something takes. */
struct variate {
	uint32_t kind;      /* enum variate_kind */
	double mean_s;      /* 0 or more */
	double deviation_s; /* LOGNORMAL: standard deviation; UNIFORM: half the width */
	double shape;       /* WEIBULL, above 0; 1 is exponential */
};

/* A stream that is told from others of the seed by two numbers. */
void variate_seed(struct variate_stream *stream, uint64_t seed, uint64_t use, uint64_t which);

uint64_t variate_next(struct variate_stream *stream);

/* Above 0, up to 1. */
double variate_unit(struct variate_stream *stream);

/* Mean 1. */
double variate_exponential(struct variate_stream *stream);

/* Nanoseconds; VARIATE_NEVER when it does not end. */
uint64_t variate_ns(const struct variate *variate, struct variate_stream *stream);

#endif
