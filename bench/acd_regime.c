/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both engines in turns; who goes first changes from round to round.
 */
#include "acd_regime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "acd_threads.h"

/* One turn of the threads. */
#define THREADS_TURN_NS UINT64_C(1000000000)

static double
rate_of_turn(struct workload *workload, uint64_t decisions)
{
	uint64_t before = workload_decisions(workload);
	uint64_t start_ns = rounds_now_ns();

	workload_run(workload, decisions);
	return (double)(workload_decisions(workload) - before) * 1e9 /
	       (double)(rounds_now_ns() - start_ns);
}

void
regime_run(const char *bench, const struct regime *regime, const struct rounds_options *options)
{
	struct rounds_metric metric = {bench, REGIME_RIVAL, regime->metric, "decisions/s",
				       "higher"};
	uint64_t decisions = options->quick ? regime->decisions / 10 : regime->decisions;
	uint32_t part = options->quick ? regime->quick_part : 1;
	struct workload_size size = {regime->size.agents / part,
				     (regime->size.queues + part - 1) / part,
				     regime->size.waiting / part};
	struct workload_engine engines[2];
	struct workload *sides[2];

	workload_ours_create(&engines[0], &size);
	workload_rival_create(&engines[1], &size);
	for (int side = 0; side < 2; side++)
		sides[side] = workload_create(&engines[side], &size, options->seed);
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

/* Many threads on few CPUs: who decides more, and whose callers wait less. */
void
regime_run_threads(const char *bench, unsigned count, const struct rounds_options *options)
{
	static const struct workload_size size = {10000, 100, 0};
	char names[3][40];
	struct rounds_metric rate = {bench, REGIME_RIVAL, names[0], "decisions/s", "higher"};
	struct rounds_metric p999 = {bench, REGIME_RIVAL, names[1], "us", "lower"};
	struct rounds_metric p9999 = {bench, REGIME_RIVAL, names[2], "us", "lower"};
	struct workload_engine engines[2];
	struct threads_engine threads[2];

	snprintf(names[0], sizeof(names[0]), "decisions-%u-threads", count);
	snprintf(names[1], sizeof(names[1]), "enqueue-p99.9-%u-threads", count);
	snprintf(names[2], sizeof(names[2]), "enqueue-p99.99-%u-threads", count);
	workload_ours_create(&engines[0], &size);
	workload_rival_create(&engines[1], &size);
	workload_ours_threads(&engines[0], &threads[0]);
	workload_rival_threads(&engines[1], &threads[1]);
	for (int side = 0; side < 2; side++)
		workload_house(&engines[side], &size, options->seed);
	for (unsigned round = 0; round < options->rounds; round++) {
		struct threads_result results[2];

		for (unsigned turn = 0; turn < 2; turn++) {
			unsigned side = (turn + round) % 2;

			threads_run(&threads[side], count, size.queues,
				    options->quick ? THREADS_TURN_NS / 10 : THREADS_TURN_NS,
				    options->seed + round, &results[side]);
		}
		rounds_print(&rate, round, results[0].decisions_per_s, results[1].decisions_per_s);
		rounds_print(&p999, round, results[0].enqueue_p999_us, results[1].enqueue_p999_us);
		rounds_print(&p9999, round, results[0].enqueue_p9999_us,
			     results[1].enqueue_p9999_us);
		if (round == 0 && results[0].refused + results[1].refused)
			rounds_note(bench,
				    "%u threads: %" PRIu64 " and %" PRIu64 " enqueues refused",
				    count, results[0].refused, results[1].refused);
	}
	for (int side = 0; side < 2; side++)
		engines[side].destroy(engines[side].state);
}
