/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain.h"

/* Beyond this share of the largest, states of an endless room no longer matter. */
#define NEGLIGIBLE 1e-14

static double
death_rate(const struct chain *chain, uint32_t callers)
{
	uint32_t busy = callers < chain->agents ? callers : chain->agents;

	return busy * chain->ends + (callers - busy) * chain->gives_up;
}

void
chain_solve(struct chain *chain, uint32_t agents, double load, double handling_s, double patience_s,
	    uint32_t places)
{
	double sum = 1, largest = 1;
	uint32_t k;

	chain->agents = agents;
	chain->ends = 1 / handling_s;
	chain->arrivals = load / handling_s;
	chain->gives_up = patience_s > 0 ? 1 / patience_s : 0;
	chain->share[0] = 1;
	for (k = 1; k < CHAIN_STATES_MAX && (places == 0 || k <= places); k++) {
		chain->share[k] = chain->share[k - 1] * chain->arrivals / death_rate(chain, k);
		if (chain->share[k] > largest)
			largest = chain->share[k];
		/* From the empty house the shares may climb over many powers of ten. */
		if (largest > 1e200) {
			for (uint32_t j = 0; j <= k; j++)
				chain->share[j] /= largest;
			sum /= largest;
			largest = 1;
		}
		sum += chain->share[k];
		if (places == 0 && k > agents && chain->share[k] < largest * NEGLIGIBLE)
			break;
	}
	chain->states = k < CHAIN_STATES_MAX && places == 0 ? k + 1 : k;
	for (k = 0; k < chain->states; k++)
		chain->share[k] /= sum;
}

double
chain_full(const struct chain *chain)
{
	return chain->share[chain->states - 1];
}

double
chain_all_busy(const struct chain *chain)
{
	double sum = 0;

	for (uint32_t k = chain->agents; k < chain->states; k++)
		sum += chain->share[k];
	return sum;
}

double
chain_mean_length(const struct chain *chain)
{
	double sum = 0;

	for (uint32_t k = chain->agents; k < chain->states; k++)
		sum += chain->share[k] * (k - chain->agents);
	return sum;
}

double
chain_mean_busy(const struct chain *chain)
{
	double sum = 0;

	for (uint32_t k = 0; k < chain->states; k++)
		sum += chain->share[k] * (k < chain->agents ? k : chain->agents);
	return sum;
}

uint32_t
chain_draw(const struct chain *chain, double uniform)
{
	uint32_t k = 0;

	while (k + 1 < chain->states && uniform > chain->share[k])
		uniform -= chain->share[k++];
	return k;
}
