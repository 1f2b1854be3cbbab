/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Overload: whether a worker is behind, and what it leaves out then. The policy is the public one of
 * strowger/worker.h. A port's run of full bursts is the measure: a worker that keeps up nearly always
 * finds fewer packets than a burst holds, one that does not never does. It counts looks, not time, so a
 * worker that was kept off its CPU for some milliseconds is not behind for what gathered meanwhile.
 */
#ifndef STW_MEDIA_OVERLOAD_H
#define STW_MEDIA_OVERLOAD_H

#include <stdbool.h>

#include "worker.h"

/** What is left out, from which level on. */
enum overload_level {
	OVERLOAD_NONE,       /**< nothing */
	OVERLOAD_NEW,        /**< packets that would make a leg latch, ICMP echo */
	OVERLOAD_LIVE,       /**< RTCP, copies for listeners at once */
	OVERLOAD_RECORDINGS, /**< copies for files */
};

/** Full bursts until a worker is behind, when nothing else is configured. */
#define OVERLOAD_BURSTS 128

/** Take the host's measure of being behind. Threads: control, before the worker runs. */
void overload_configure(struct worker *worker, const struct stw_media_config *media);

/** True when the worker leaves out what belongs to a level. Threads: the worker. */
static inline bool
overload_sheds(const struct worker *worker, enum overload_level level)
{
	return STW_UNLIKELY(worker->overload >= level);
}

/**
 * Count the burst that a port has given.
 *
 * @param count  0 to PACKET_BURST
 *
 * Threads: the worker. Progress: wait-free (bound 1).
 */
static inline void
overload_burst(struct worker *worker, uint32_t port, unsigned count)
{
	uint32_t *run = &worker->full_bursts[port];

	/* Two bursts with room in them are a level less, seven are the end of any run. */
	if (STW_UNLIKELY(count == PACKET_BURST))
		*run += *run < worker->overload_run_max;
	else
		*run /= 2;
}

/**
 * Set the level for the next turn by the longest run of all ports.
 *
 * @param ports  how many of them the worker looks at
 *
 * Threads: the worker. Progress: wait-free (bound: ports).
 */
void overload_turn(struct worker *worker, uint32_t ports);

#endif
