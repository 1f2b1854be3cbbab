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
 */
#include <inttypes.h>
#include <stdlib.h>

#include "acd_workload.h"
#include "rounds.h"

#define BENCH "acd-decide"
#define RIVAL "mutex-heap-scan"

struct regime {
	const char *metric;
	struct workload_size size;
	uint64_t decisions; /* of one turn */
};

static const struct regime regimes[] = {
	{"decisions-backlog", {10000, 100, 100000}, 200000},
	{"decisions-idle", {10000, 100, 0}, 100000},
};

static double
rate_of_turn(struct workload *workload, uint64_t decisions)
{
	uint64_t before = workload_decisions(workload);
	uint64_t start_ns = rounds_now_ns();

	workload_run(workload, decisions);
	return (double)(workload_decisions(workload) - before) * 1e9 /
	       (double)(rounds_now_ns() - start_ns);
}

static void
run_regime(const struct regime *regime, const struct rounds_options *options)
{
	struct rounds_metric metric = {BENCH, RIVAL, regime->metric, "decisions/s", "higher"};
	uint64_t decisions = options->quick ? regime->decisions / 10 : regime->decisions;
	struct workload_engine engines[2];
	struct workload *sides[2];

	workload_ours_create(&engines[0], &regime->size);
	workload_rival_create(&engines[1], &regime->size);
	for (int side = 0; side < 2; side++)
		sides[side] = workload_create(&engines[side], &regime->size, options->seed);
	for (unsigned round = 0; round < options->rounds; round++) {
		double rates[2];

		/* Who goes first changes, so that neither gains by it. */
		for (unsigned turn = 0; turn < 2; turn++) {
			unsigned side = (turn + round) % 2;

			rates[side] = rate_of_turn(sides[side], decisions);
		}
		if (workload_decisions(sides[0]) != workload_decisions(sides[1]) ||
		    workload_digest(sides[0]) != workload_digest(sides[1]))
			rounds_die("%s: the engines decided differently: %" PRIu64 " and %" PRIu64
				   " decisions",
				   regime->metric, workload_decisions(sides[0]),
				   workload_decisions(sides[1]));
		rounds_print(&metric, round, rates[0], rates[1]);
	}
	for (int side = 0; side < 2; side++)
		workload_destroy(sides[side]);
}

int
main(int argc, char **argv)
{
	struct rounds_options options;

	rounds_parse(&options, argc, argv);
	for (unsigned i = 0; i < sizeof(regimes) / sizeof(regimes[0]); i++)
		run_regime(&regimes[i], &options);
	return 0;
}
