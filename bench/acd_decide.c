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
#include <inttypes.h>
#include <stdlib.h>

#include "acd_threads.h"
#include "acd_workload.h"
#include "rounds.h"

#define BENCH "acd-decide"
#define RIVAL "mutex-heap-scan"

/* One turn of the threads. */
#define THREADS_TURN_NS UINT64_C(1000000000)

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

/* Many threads on few CPUs: who decides more, and whose callers wait less. */
static void
run_threads(const struct rounds_options *options)
{
	static const struct workload_size size = {10000, 100, 0};
	struct rounds_metric rate = {BENCH, RIVAL, "decisions-8-threads", "decisions/s", "higher"};
	struct rounds_metric p999 = {BENCH, RIVAL, "enqueue-p99.9-8-threads", "us", "lower"};
	struct rounds_metric p9999 = {BENCH, RIVAL, "enqueue-p99.99-8-threads", "us", "lower"};
	struct workload_engine engines[2];
	struct threads_engine threads[2];

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

			threads_run(&threads[side], size.queues,
				    options->quick ? THREADS_TURN_NS / 10 : THREADS_TURN_NS,
				    options->seed + round, &results[side]);
		}
		rounds_print(&rate, round, results[0].decisions_per_s, results[1].decisions_per_s);
		rounds_print(&p999, round, results[0].enqueue_p999_us, results[1].enqueue_p999_us);
		rounds_print(&p9999, round, results[0].enqueue_p9999_us,
			     results[1].enqueue_p9999_us);
		if (round == 0 && results[0].refused + results[1].refused)
			rounds_note(BENCH,
				    "8 threads: %" PRIu64 " and %" PRIu64 " enqueues refused",
				    results[0].refused, results[1].refused);
	}
	for (int side = 0; side < 2; side++)
		engines[side].destroy(engines[side].state);
}

int
main(int argc, char **argv)
{
	struct rounds_options options;

	rounds_parse(&options, argc, argv);
	for (unsigned i = 0; i < sizeof(regimes) / sizeof(regimes[0]); i++)
		run_regime(&regimes[i], &options);
	run_threads(&options);
	return 0;
}
