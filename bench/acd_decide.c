/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acd-decide: decisions (matches made) per second on one thread, 10,000 agents and 100 queues, in
 * turns with the engine of rival_acd.c. Measured is everything a host does for a call: enqueue,
 * decide, take the event, accept, end, and some that give up; virtual time, no clock is read
 * within a turn. Two regimes (acd_workload.c): "backlog" with 100,000 contacts waiting, and
 * "idle" with half of the agents idle.
 *
 * Both engines get the same arrivals from one seed, and must decide the same: the digest of who
 * got whom is compared after every turn.
 *
 * Then both with 8 threads at one time (acd_threads.h): decisions a second, and how long the
 * slowest enqueues take.
 */
#include "acd_regime.h"
#include "acd_threads.h"
#include "rounds.h"

#define BENCH "acd-decide"

static const struct regime regimes[] = {
	{"decisions-backlog", {10000, 100, 100000}, 200000, 1},
	{"decisions-idle", {10000, 100, 0}, 100000, 1},
};

int
main(int argc, char **argv)
{
	struct rounds_options options;

	rounds_parse(&options, argc, argv);
	for (unsigned i = 0; i < sizeof(regimes) / sizeof(regimes[0]); i++)
		regime_run(BENCH, &regimes[i], &options);
	regime_run_threads(BENCH, THREADS_MAX, &options);
	return 0;
}
