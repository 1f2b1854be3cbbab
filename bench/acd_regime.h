/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the ACD benches measure of both engines in turns: decisions a second of one thread, with
 * contacts waiting or agents idle (acd_workload.h), and of many threads (acd_threads.h).
 */
#ifndef BENCH_ACD_REGIME_H
#define BENCH_ACD_REGIME_H

#include "acd_workload.h"
#include "rounds.h"

#define REGIME_RIVAL "mutex-heap-scan"

/** One size of a house, and how long a turn on it is. */
struct regime {
	const char *metric;
	struct workload_size size;
	uint64_t decisions; /**< of one turn; of a quick one a tenth */
	uint32_t
		quick_part; /**< a quick run has the house and the waiting divided by it; 1: whole */
};

/** Measure decisions a second; ends the program when the engines decide differently. */
void regime_run(const char *bench, const struct regime *regime,
		const struct rounds_options *options);

/** Measure 10,000 agents and 100 queues under 1 to THREADS_MAX threads. */
void regime_run_threads(const char *bench, unsigned threads, const struct rounds_options *options);

#endif
