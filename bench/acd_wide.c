/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acd-wide: decisions a second of one thread in a house of 100,000 agents and 10,000 queues, with
 * 100,000 contacts waiting, and with half of the agents idle. A quick run takes a tenth of the
 * house, as filling both engines takes longer than measuring them.
 */
#include "acd_regime.h"

#define BENCH "acd-wide"

static const struct regime regimes[] = {
	{"decisions-backlog", {100000, 10000, 100000}, 20000, 10},
	{"decisions-idle", {100000, 10000, 0}, 5000, 10},
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
