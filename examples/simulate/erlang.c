/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Erlang B by its recursion, Erlang C from B. Erlang A from the density of the wait that a caller of
 * endless patience would meet,
 *
 *     f(x) = C exp(lambda H(x) - n mu x),   H(x) = (1 - exp(-theta x)) / theta,
 *
 * integrated numerically; the exponent is taken relative to its peak, so that an overloaded group of
 * any size stays within a double's range.
 * Source: Baccelli, Hebuterne, "On queues with impatient customers", 1981; Zeltyn, Mandelbaum, "Call
 * centers with impatient customers", 2005, section 4.
 */
#include "erlang.h"

#include <math.h>

/* Simpson's rule: strips of an integral; an even number. */
#define STRIPS 4000

/* The density is followed until it has fallen by exp(-this) from its peak. */
#define TAIL 45.0

/* What the integrals of Erlang A have in common. */
struct density {
	double lambda; /* arrivals a second */
	double drain;  /* n mu: all agents busy, so many end a second */
	double theta;  /* a waiting caller gives up so often a second */
	double peak_s; /* where f is largest */
	double peak;   /* its exponent */
	double end_s;  /* where f has come to nothing */
	double scale;  /* of f, so that it adds up to the chance to wait */
	double wait;   /* chance to wait */
};

enum weight { WEIGHT_ALL, WEIGHT_SERVED, WEIGHT_LOST };

double
erlang_b(uint32_t agents, double load)
{
	double blocking = 1;

	for (uint32_t n = 1; n <= agents; n++)
		blocking = load * blocking / (n + load * blocking);
	return blocking;
}

static double
exponent(const struct density *density, double x)
{
	return -density->lambda * expm1(-density->theta * x) / density->theta - density->drain * x;
}

static double
value(const struct density *density, double x, enum weight weight)
{
	double f = exp(exponent(density, x) - density->peak);

	if (weight == WEIGHT_SERVED)
		return f * exp(-density->theta * x);
	return weight == WEIGHT_LOST ? -f * expm1(-density->theta * x) : f;
}

/* Integral from 0 to end_s, unscaled. */
static double
integrate(const struct density *density, double end_s, enum weight weight)
{
	double step = end_s / STRIPS,
	       sum = value(density, 0, weight) + value(density, end_s, weight);

	for (int i = 1; i < STRIPS; i++)
		sum += value(density, i * step, weight) * (i % 2 ? 4 : 2);
	return sum * step / 3;
}

static void
density_of(const struct erlang_group *group, struct density *density)
{
	double busy, total;

	density->lambda = group->load / group->handling_s;
	density->drain = group->agents / group->handling_s;
	density->theta = 1 / group->patience_s;
	density->peak_s = density->lambda > density->drain
				  ? log(density->lambda / density->drain) / density->theta
				  : 0;
	density->peak = exponent(density, density->peak_s);
	density->end_s = density->peak_s + 1 / density->drain;
	while (exponent(density, density->end_s) > density->peak - TAIL)
		density->end_s = density->peak_s + 1.5 * (density->end_s - density->peak_s);
	/* Odds of waiting: lambda J over the inverse of Erlang B with one agent less. */
	total = integrate(density, density->end_s, WEIGHT_ALL);
	busy = log(erlang_b(group->agents - 1, group->load) * density->lambda * total) +
	       density->peak;
	density->wait = 1 / (1 + exp(-busy));
	density->scale = density->wait / total;
}

void
erlang_answer(const struct erlang_group *group, struct erlang_answer *answer)
{
	double lambda = group->load / group->handling_s, b = erlang_b(group->agents, group->load);
	struct density density;

	if (group->patience_s > 0) {
		density_of(group, &density);
		answer->wait = density.wait;
		answer->abandon = density.scale * integrate(&density, density.end_s, WEIGHT_LOST);
		answer->mean_wait_s = answer->abandon * group->patience_s;
	} else if (group->load >= group->agents) {
		*answer = (struct erlang_answer){1, 0, INFINITY, INFINITY, 1};
		return;
	} else {
		answer->wait = group->agents * b / (group->agents - group->load * (1 - b));
		answer->abandon = 0;
		answer->mean_wait_s =
			answer->wait * group->handling_s / (group->agents - group->load);
	}
	answer->mean_length = lambda * answer->mean_wait_s;
	answer->occupancy = group->load * (1 - answer->abandon) / group->agents;
}

double
erlang_service_level(const struct erlang_group *group, double within_s)
{
	struct erlang_answer answer;
	struct density density;

	if (group->patience_s > 0) {
		density_of(group, &density);
		return 1 - density.wait +
		       density.scale *
			       integrate(&density, fmin(within_s, density.end_s), WEIGHT_SERVED);
	}
	erlang_answer(group, &answer);
	if (group->load >= group->agents)
		return 0;
	return 1 - answer.wait * exp(-(group->agents - group->load) * within_s / group->handling_s);
}

uint32_t
erlang_agents(const struct erlang_group *group, double level, double within_s)
{
	struct erlang_group tried = *group;
	uint32_t low = 0, high = 1;

	/* The level rises with the agents: double until it is reached, then halve the gap. */
	for (tried.agents = high; erlang_service_level(&tried, within_s) < level;
	     tried.agents = high) {
		if (high >= ERLANG_AGENTS_MAX)
			return 0;
		low = high;
		high *= 2;
	}
	while (high - low > 1) {
		tried.agents = low + (high - low) / 2;
		if (erlang_service_level(&tried, within_s) < level)
			low = tried.agents;
		else
			high = tried.agents;
	}
	return high;
}

void
erlang_priority_waits(const struct erlang_group *group, const double *shares, uint32_t classes,
		      double *waits_s)
{
	struct erlang_group endless = *group;
	struct erlang_answer answer;
	double before = 0, after;

	endless.patience_s = 0;
	erlang_answer(&endless, &answer);
	for (uint32_t k = 0; k < classes; k++, before = after) {
		after = before + shares[k] * group->load / group->agents;
		waits_s[k] = answer.wait * group->handling_s /
			     (group->agents * (1 - before) * (1 - after));
	}
}
