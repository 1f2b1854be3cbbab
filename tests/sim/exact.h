/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What queueing theory says of some groups of agents: the figures that the engine must meet, worked
 * out once in double precision and rounded to what is written here. Handling and patience are
 * exponential, arrivals are Poisson. formulas_test.c works them out again in two ways.
 */
#ifndef SIM_EXACT_H
#define SIM_EXACT_H

#include <stdint.h>

#define EXACT_CLASSES_MAX 3

/* M/M/n/n: who finds nobody free is lost. */
struct exact_loss {
	uint32_t agents;
	double load; /* Erlangs */
	double blocking;
};

/* M/M/n: callers wait for ever. */
struct exact_delay {
	uint32_t agents;
	double load;
	double handling_s;
	double wait; /* chance to wait at all */
	double mean_wait_s;
	double in_20_s; /* share answered within 20 s */
	double mean_length;
};

/* M/M/n+M: callers give up. */
struct exact_patience {
	uint32_t agents;
	double load;
	double handling_s;
	double patience_s; /* mean */
	double abandon;
	double wait;
	double mean_wait_s; /* of all, answered or not */
	double mean_length;
	double occupancy;
	double in_20_s; /* answered within 20 s, of all who called */
};

/* M/M/n with classes in strict order; shares of the arrivals, the first class goes first. */
struct exact_classes {
	uint32_t agents;
	double utilisation;
	double handling_s;
	uint32_t classes;
	double shares[EXACT_CLASSES_MAX];
	double wait; /* chance to wait at all */
	double mean_wait_s[EXACT_CLASSES_MAX];
};

/* M/M/n/K: n talk, K - n wait, nobody else gets in. */
struct exact_places {
	uint32_t agents;
	uint32_t places;
	double load;
	double handling_s;
	double blocking;
	double mean_wait_s; /* of those let in */
	double occupancy;
};

/* Fewest agents for 80 % within 20 s by Erlang C. */
struct exact_staffing {
	double load;
	double handling_s;
	uint32_t agents;
	double occupancy;
	double in_20_s;
};

static const struct exact_loss exact_losses[] = {
	{5, 3, 0.1100543478},    {20, 15, 0.0455932156},     {10, 5, 0.0183845703},
	{100, 90, 0.0269573805}, {1000, 1000, 0.0248119176},
};

static const struct exact_delay exact_delays[] = {
	{10, 8, 180, 0.40918015, 36.82621, 0.672354, 1.63672},
	{10, 9, 180, 0.66873152, 120.37167, 0.401593, 6.01858},
	{50, 45, 180, 0.36386447, 13.09912, 0.791232, 3.27478},
	{100, 95, 180, 0.50645685, 18.23245, 0.709419, 9.62268},
	{1000, 990, 180, 0.65908042, 11.86345, 0.783035, 65.24896},
};

static const struct exact_patience exact_patiences[] = {
	{10, 10, 180, 60, 0.157527, 0.423418, 9.45161, 0.52509, 0.842473, 0.71801},
	{10, 10, 180, 180, 0.12511, 0.54207, 22.51981, 1.2511, 0.87489, 0.58698},
	{50, 48, 180, 120, 0.044476, 0.368312, 5.33709, 1.42322, 0.917303, 0.865796},
	{100, 110, 180, 60, 0.108622, 0.661513, 6.51729, 3.98279, 0.980516, 0.83008},
	{200, 240, 180, 180, 0.166742, 0.996345, 30.01361, 40.01814, 0.999909, 0.13771},
	{1000, 1050, 180, 180, 0.048408, 0.941329, 8.71349, 50.8287, 0.999171, 0.928437},
};

static const struct exact_classes exact_priorities[] = {
	{5, 0.8, 180, 2, {0.5, 0.5}, 0.55411255, {33.24675, 166.23377}},
	{10, 0.9, 180, 2, {0.2, 0.8}, 0.66873152, {14.67947, 146.79472}},
	{50, 0.95, 180, 3, {0.1, 0.3, 0.6}, 0.62909473, {2.50248, 4.03625, 73.05616}},
};

static const struct exact_places exact_rooms[] = {
	{15, 20, 14.0, 600, 0.06526995, 49.39997, 0.872415},
	{28, 40, 30.0, 180, 0.09128991, 37.22774, 0.973618},
};

static const struct exact_staffing exact_staffings[] = {
	{10, 180, 14, 0.71429, 0.88835},      {50, 180, 56, 0.89286, 0.841176},
	{100, 180, 107, 0.93458, 0.823805},   {500, 180, 510, 0.98039, 0.818874},
	{1000, 180, 1011, 0.98912, 0.813797},
};

#endif
