/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of the packet plane, but for what only devices know.
 */
#include "stats.h"

#include <string.h>

#include "plane.h"

static void
worker_add(struct worker *worker, struct stw_media_stats *stats)
{
	struct worker_counters counters;

	worker_counters_read(worker, &counters);
	stats->packets_received += counters.received;
	for (unsigned i = 0; i < STW_VERDICT_COUNT; i++)
		stats->verdicts[i] += counters.verdicts[i];
	stats->packets_sent += counters.sent;
	stats->packets_played += counters.played;
	stats->packets_play_dropped += counters.play_dropped;
	stats->fork_dropped += counters.fork_dropped;
	stats->reports_sent += counters.reported;
	stats->reports_dropped += counters.report_dropped;
	stats->packets_mixed += counters.mixed;
	stats->packets_mix_dropped += counters.mix_dropped;
	stats->packets_exception_sent += counters.exception_sent;
	stats->packets_exception_dropped += counters.exception_dropped;
	stats->packets_in_use += rte_mempool_in_use_count(worker->copies.pool);
	stats->packets_in_use += rte_mempool_in_use_count(worker->play_pool);
}

void
stats_read(struct stw_media *media, struct stw_media_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	for (uint32_t i = 0; i < media->workers_count; i++)
		worker_add(&media->workers[i], stats);
	for (uint32_t i = 0; i < media->addresses_count; i++) {
		struct ports *ports = &media->address_ports[i];

		stats->udp_ports += atomic_load_explicit(&ports->taken, memory_order_relaxed);
		stats->udp_ports_resting +=
			atomic_load_explicit(&ports->resting, memory_order_relaxed);
	}
	stats->events_lost = atomic_load_explicit(&media->events.queue.lost, memory_order_relaxed);
	plane_lock(media);
	for (unsigned i = 0; i < STW_LIMIT_COUNT; i++) {
		stats->refusals[i] = media->refusals[i];
		stats->refused += media->refusals[i];
	}
	stats->draining = media->draining;
	stats->udp_ports_exhausted = media->refusals[STW_LIMIT_UDP_PORTS];
	stats->sessions = media->sessions_count;
	stats->legs = media->legs_count;
	stats->playouts = media->playouts_count;
	/* Control makes that pool under the mutex, when it is first needed. */
	for (uint32_t i = 0; i < media->workers_count; i++) {
		if (media->workers[i].fork_pool)
			stats->packets_in_use +=
				rte_mempool_in_use_count(media->workers[i].fork_pool);
	}
	stats->mixes = mixes_count(media);
	plane_unlock(media);
	stats->forks = atomic_load_explicit(&media->recorder.forks, memory_order_relaxed);
}
