/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many threads that call an engine at one time, also more of them than there are CPUs: whoever is
 * preempted inside of a call must not hold up the others.
 *
 * All agents are ready. Each thread enqueues a contact, which is matched in that call, then takes
 * the events (one taker at a time; who finds another one there goes on), accepts and ends what
 * is offered. When the takers are behind, nobody enqueues. Time is the real clock.
 */
#ifndef BENCH_ACD_THREADS_H
#define BENCH_ACD_THREADS_H

#include <stdint.h>

#include "acd_workload.h"

#define THREADS_MAX 8

/** What one turn saw. */
struct threads_result {
	double decisions_per_s;
	double enqueue_p999_us;  /**< 99.9th percentile of the time that an enqueue took */
	double enqueue_p9999_us; /**< 99.99th */
	uint64_t refused;        /**< enqueues that found a limit reached */
};

/** An engine that holds a house; see workload_house(). */
struct threads_engine {
	void *state;
	/** Returns 0, or -ENOSPC. */
	int (*enqueue)(void *state, uint32_t queue, uint64_t now_ns);
	/** Take, accept and end; returns how many, 0 also when another thread is taking. */
	uint32_t (*serve)(void *state, uint64_t now_ns);
};

/** Let 1 to THREADS_MAX threads work on the engine for duration_ns. */
void threads_run(const struct threads_engine *engine, unsigned threads, uint32_t queues,
		 uint64_t duration_ns, uint64_t seed, struct threads_result *result);

#endif
