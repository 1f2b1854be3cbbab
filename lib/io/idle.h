/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a started worker does between two turns when it has found nothing to do: see
 * strowger/worker.h for the steps.
 */
#ifndef STW_IO_IDLE_H
#define STW_IO_IDLE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include <strowger/media.h>

struct media_io;
struct worker;

/** How one worker idles. */
struct idle {
	struct stw_worker_config config; /**< defaults put in */
	uint32_t clock_turns; /**< turns without a packet between two looks at the clock */
	uint64_t busy_ns;     /**< when it had something to do last */
	uint32_t descriptors; /**< of `waits_for`; the first is the worker's own */
	bool every_port;      /**< every port has a descriptor */
	bool in_vain;         /**< a descriptor told of packets, and there were none */
	struct pollfd waits_for[1 + STW_MEDIA_PORTS_MAX];
	int slack_ns; /**< the thread's timer slack before */
};

/** A step. */
struct idle_step {
	enum stw_worker_state state; /**< POLLING, SLEEPING or WAITING */
	uint64_t ns;                 /**< how long, of the last two */
};

/**
 * Choose the step.
 *
 * @param now_ns  clock
 * @param due_ns  when something is due; UINT64_MAX: never
 *
 * Threads: any. Progress: wait-free (bound 1).
 */
struct idle_step idle_choose(const struct idle *idle, uint64_t now_ns, uint64_t due_ns);

/** Take what is configured, and find the descriptors. Threads: control, before the worker runs. */
void idle_init(struct idle *idle, const struct media_io *io, const struct stw_media_config *config,
	       uint32_t worker);

/** Around the worker's life, on its thread. */
void idle_enter(struct idle *idle);
void idle_leave(const struct idle *idle);

/**
 * What comes after a turn. Reports the worker offline while it sleeps or waits.
 *
 * @return what the time until the next look at the clock is spent with; POLLING: go on, no time was
 *         spent here
 *
 * Threads:  the worker.
 * Progress: sleeps or waits, at most wait_ns of the configuration.
 */
enum stw_worker_state idle_turn(struct media_io *io, struct worker *worker);

#endif
