/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acd-deep: decisions a second of one thread while 262,144 contacts wait in 100 queues for 10,000
 * agents, and while they wait in one queue: how the cost grows with the depth.
 */
#include "acd_regime.h"

#define BENCH "acd-deep"

static const struct regime regimes[] = {
	{"decisions-100-queues", {10000, 100, 262144}, 200000, 10},
	{"decisions-1-queue", {10000, 1, 262144}, 200000, 10},
};

int
main(int argc, char **argv)
{
	struct rounds_options options;

	rounds_parse(&options, argc, argv);
	for (unsigned i = 0; i < sizeof(regimes) / sizeof(regimes[0]); i++)
		regime_run(BENCH, &regimes[i], &options);
	return 0;
}
