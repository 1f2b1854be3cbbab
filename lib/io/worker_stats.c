/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of a worker, with what only its lcore and its devices know.
 */
#include <errno.h>
#include <string.h>

#include <rte_lcore.h>

#include "media.h"

/** The one CPU of an lcore; UINT32_MAX: it may run on several. */
static uint32_t
cpu_of(uint32_t lcore)
{
	rte_cpuset_t cpus = rte_lcore_cpuset(lcore);

	if (CPU_COUNT(&cpus) != 1)
		return UINT32_MAX;
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &cpus))
			return cpu;
	}
	return UINT32_MAX;
}

static void
counters_copy(const struct worker_counters *counters, struct stw_worker_stats *stats)
{
	stats->packets_received = counters->received;
	stats->packets_sent = counters->sent;
	stats->turns = counters->turns;
	stats->turns_idle = counters->turns_idle;
	stats->sleeps = counters->sleeps;
	stats->waits = counters->waits;
	stats->wakes = counters->wakes;
	stats->wakes_asked = counters->wakes_asked;
	stats->working_ns = counters->spent_ns[STW_WORKER_WORKING];
	stats->polling_ns = counters->spent_ns[STW_WORKER_POLLING];
	stats->sleeping_ns = counters->spent_ns[STW_WORKER_SLEEPING];
	stats->waiting_ns = counters->spent_ns[STW_WORKER_WAITING];
	stats->turn_ns_max = counters->turn_ns_max;
	stats->overloads = counters->overloads;
	stats->turns_overloaded = counters->turns_overloaded;
	stats->copies_shed = counters->copies_shed;
}

int
stw_media_worker_stats(struct stw_media *media, uint32_t worker, uint64_t now_ns,
		       struct stw_worker_stats *stats)
{
	const struct media_io *io = (const struct media_io *)media;
	struct worker *of = &media->workers[worker];
	struct worker_counters counters;
	uint64_t looked_ns;

	if (worker >= media->workers_count || stats->struct_size < sizeof(*stats))
		return -EINVAL;
	*stats = (struct stw_worker_stats){
		.struct_size = sizeof(*stats), .lcore = UINT32_MAX, .cpu = UINT32_MAX};
	worker_counters_read(of, &counters);
	counters_copy(&counters, stats);
	stats->overload_level = atomic_load_explicit(&of->level, memory_order_relaxed);
	stats->state = atomic_load_explicit(&of->state, memory_order_relaxed);
	looked_ns = atomic_load_explicit(&of->looked_ns, memory_order_relaxed);
	if (looked_ns && now_ns > looked_ns)
		stats->turn_age_ns = now_ns - looked_ns;
	if (atomic_load_explicit(&io->started, memory_order_relaxed)) {
		stats->lcore = io->lcores[worker];
		stats->cpu = cpu_of(stats->lcore);
	}
	for (uint32_t i = 0; i < io->ports_open; i++)
		stats->port_missed += port_missed_by(&io->ports[i], (uint16_t)worker);
	return 0;
}

uint64_t
stw_media_port_missed(struct stw_media *media, uint32_t port)
{
	const struct media_io *io = (const struct media_io *)media;

	return port < io->ports_open ? port_missed(&io->ports[port]) : 0;
}
