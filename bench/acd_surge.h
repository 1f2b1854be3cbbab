/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A house in a surge, on a virtual clock: a steady load, a peak of several times as much during which
 * more agents log in, and the time until the queues are as short as before. Callers give up when
 * their patience ends. Each call of the engine is timed by the real clock.
 */
#ifndef BENCH_ACD_SURGE_H
#define BENCH_ACD_SURGE_H

#include "acd_workload.h"
#include "latency.h"

#define SURGE_QUEUES      100
#define SURGE_SECONDS_MAX 600

/** What happens. */
struct surge_scenario {
	uint32_t agents; /**< at work from the beginning */
	uint32_t more;   /**< agents who log in, all in one call, in the middle of the peak */
	uint32_t rate;   /**< contacts a second before and after the peak */
	uint32_t factor; /**< how many times as many come in the peak */
	uint32_t peak_s; /**< seconds that the peak lasts */
	uint64_t seed;   /**< of arrivals, patience and handling */
};

/** Who waits; by these the waits are told apart. */
enum surge_class { SURGE_ORDINARY, SURGE_VIP, SURGE_RED, SURGE_CLASSES };

/** One second of virtual time. */
struct surge_second {
	uint32_t arrivals;
	uint32_t waiting;  /**< at its end */
	double slowest_us; /**< 99.9th percentile of its decisions */
};

/** What was seen. */
struct surge_result {
	struct latency decisions;            /**< calls that may match: enqueue and end */
	struct latency waits[SURGE_CLASSES]; /**< of those who got an agent */
	double login_us;                     /**< the one call that logs in and readies agents */
	double peak_share; /**< of a core, that the engine took during the peak; 1: all of it */
	int recovery_s;    /**< from the peak's end until as few wait as before it; -1: never */
	uint64_t digest;   /**< of who got whom, in order */
	uint64_t arrivals, matched, abandoned, deflected;
	struct surge_second seconds[SURGE_SECONDS_MAX];
	uint32_t seconds_count;
};

/** Contacts and agents that the scenario may need at one time. */
void surge_size(const struct surge_scenario *scenario, struct workload_size *size);

/** Play it on an engine that was created with that size and is empty. */
void surge_run(struct workload_engine *engine, const struct surge_scenario *scenario,
	       struct surge_result *result);

#endif
