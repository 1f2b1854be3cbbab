/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Idling: poll, sleep, wait.
 *
 * Packets that come while the worker sleeps gather in the receive queue and are handled as one burst: one
 * turn, one system call to send, where net_af_xdp makes one for each burst. That is where the CPU time of
 * low rates goes, more than into the looks, so a worker does not wait for a descriptor between packets
 * that come thick, but sleeps for a fixed short time.
 *
 * Wake-ups: descriptors tell of packets that are already there when the wait begins, and control writes to
 * the worker's own one when the worker has said that it waits (worker_wait_begin), which it does before
 * it looks for something to do once more.
 */
#include "idle.h"

#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <rte_pause.h>

#include "media.h"
#include "media/stage/stages.h"

/** Timer slack of a worker that sleeps, nanoseconds: the kernel's usual 50,000 would double a sleep. */
#define IDLE_SLACK_NS 1000

/** Pauses of the CPU between two looks: together less than a microsecond. */
#define IDLE_PAUSES 4

/** Turns without a packet between two looks at the clock; an adaptive worker's steps are short. */
#define IDLE_CLOCK_TURNS 16

struct idle_step
idle_choose(const struct idle *idle, uint64_t now_ns, uint64_t due_ns)
{
	const struct stw_worker_config *config = &idle->config;
	uint64_t idle_ns = now_ns - idle->busy_ns;
	uint64_t wait_ns = idle->every_port ? config->wait_ns : config->doze_ns;

	if (config->idle == STW_IDLE_POLL || idle_ns < config->pause_ns)
		return (struct idle_step){STW_WORKER_POLLING, 0};
	if (due_ns != UINT64_MAX && due_ns < now_ns + wait_ns)
		wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;
	if (idle_ns < (uint64_t)config->pause_ns + config->sleep_for_ns ||
	    wait_ns <= config->sleep_ns)
		return (struct idle_step){STW_WORKER_SLEEPING, config->sleep_ns};
	return (struct idle_step){STW_WORKER_WAITING, wait_ns};
}

void
idle_init(struct idle *idle, const struct media_io *io, const struct stw_media_config *config,
	  uint32_t worker)
{
	STW_ASSERT(worker_config_take(config, worker, &idle->config) == 0);
	idle->clock_turns = idle->config.idle == STW_IDLE_POLL ? IDLE_CLOCK_TURNS : 1;
	idle->waits_for[0] =
		(struct pollfd){.fd = io->plane.workers[worker].wake_fd, .events = POLLIN};
	idle->descriptors = 1;
	idle->every_port = true;
	for (uint32_t i = 0; i < io->ports_open; i++) {
		int fd = port_descriptor(&io->ports[i], (uint16_t)worker);

		if (fd < 0)
			idle->every_port = false;
		else
			idle->waits_for[idle->descriptors++] =
				(struct pollfd){.fd = fd, .events = POLLIN};
	}
}

void
idle_enter(struct idle *idle)
{
	if (idle->config.idle == STW_IDLE_POLL)
		return;
	idle->slack_ns = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	prctl(PR_SET_TIMERSLACK, IDLE_SLACK_NS, 0, 0, 0);
}

void
idle_leave(const struct idle *idle)
{
	if (idle->config.idle != STW_IDLE_POLL)
		prctl(PR_SET_TIMERSLACK, (unsigned long)idle->slack_ns, 0, 0, 0);
}

static struct timespec
timespec_of(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S),
				 .tv_nsec = (long)(ns % NS_PER_S)};
}

static void
idle_sleep(struct worker *worker, uint64_t ns)
{
	struct timespec time = timespec_of(ns);

	worker->counters.sleeps++;
	worker_show(worker);
	nanosleep(&time, NULL);
}

/** Wait, unless something has come meanwhile. */
static void
idle_wait(const struct media_io *io, struct worker *worker, struct idle *idle, uint64_t ns)
{
	struct timespec time = timespec_of(ns);
	uint64_t asked;
	int ready;

	worker->counters.waits++;
	worker_show(worker);
	worker_wait_begin(worker);
	if (pipeline_due(worker) <= worker->now_ns ||
	    atomic_load_explicit(&io->stopping, memory_order_relaxed)) {
		worker_wait_end(worker);
		return;
	}
	ready = ppoll(idle->waits_for, idle->descriptors, &time, NULL);
	worker_wait_end(worker);
	if (ready <= 0)
		return;
	if (idle->waits_for[0].revents && read(worker->wake_fd, &asked, sizeof(asked)) > 0)
		worker->counters.wakes_asked++;
	else
		worker->counters.wakes++;
	idle->in_vain = !idle->waits_for[0].revents;
}

enum stw_worker_state
idle_turn(struct media_io *io, struct worker *worker)
{
	struct idle *idle = &io->idles[worker->index];
	struct rte_rcu_qsbr *rcu = worker->media->rcu;
	struct idle_step step;

	if (idle->config.idle == STW_IDLE_POLL)
		return STW_WORKER_POLLING;
	if (worker->busy) {
		idle->busy_ns = worker->now_ns;
		idle->in_vain = false;
	}
	step = idle_choose(idle, worker->now_ns, UINT64_MAX);
	if (step.state == STW_WORKER_WAITING)
		step = idle_choose(idle, worker->now_ns, worker_due(worker));
	/* An interface that is gone is readable for ever. */
	if (step.state == STW_WORKER_WAITING && idle->in_vain) {
		step = (struct idle_step){STW_WORKER_SLEEPING,
					  RTE_MIN(step.ns, idle->config.doze_ns)};
		idle->in_vain = false;
	}
	if (step.state == STW_WORKER_POLLING) {
		for (unsigned i = 0; i < IDLE_PAUSES && !worker->busy; i++)
			rte_pause();
		return STW_WORKER_POLLING;
	}
	rte_rcu_qsbr_thread_offline(rcu, worker->index);
	atomic_store_explicit(&worker->state, step.state, memory_order_relaxed);
	if (step.state == STW_WORKER_SLEEPING)
		idle_sleep(worker, step.ns);
	else
		idle_wait(io, worker, idle, step.ns);
	rte_rcu_qsbr_thread_online(rcu, worker->index);
	return step.state;
}
