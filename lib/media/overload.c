/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The overload level of a worker.
 */
#include "overload.h"

void
overload_configure(struct worker *worker, const struct stw_media_config *media)
{
	struct stw_worker_config config;

	STW_ASSERT(worker_config_take(media, worker->index, &config) == 0);
	worker->overload_bursts = config.overload_bursts;
	/* No run reaches STW_OVERLOAD_NEVER. */
	worker->overload_run_max = RTE_MIN(config.overload_bursts, UINT32_MAX / 4) * 4;
}

void
overload_turn(struct worker *worker, uint32_t ports)
{
	uint64_t bursts = worker->overload_bursts;
	uint32_t run = 0;
	uint8_t level = OVERLOAD_NONE;

	for (uint32_t port = 0; port < ports; port++) {
		if (worker->full_bursts[port] > run)
			run = worker->full_bursts[port];
	}
	if (STW_UNLIKELY(run >= bursts))
		level = run >= 4 * bursts   ? OVERLOAD_RECORDINGS
			: run >= 2 * bursts ? OVERLOAD_LIVE
					    : OVERLOAD_NEW;
	if (level && !worker->overload)
		worker->counters.overloads++;
	worker->counters.turns_overloaded += level != OVERLOAD_NONE;
	if (STW_UNLIKELY(level != worker->overload)) {
		worker->overload = level;
		atomic_store_explicit(&worker->level, level, memory_order_relaxed);
	}
}
