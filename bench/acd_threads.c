/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads that call an engine at one time, and what their calls cost.
 */
#include "acd_threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "latency.h"
#include "rounds.h"

#define TURN_SECONDS_MAX 20

/* So many contacts are on their way at most, far fewer than agents: each is matched at once. */
#define OUTSTANDING_MAX 1024

#define OWN_LINE __attribute__((aligned(64)))

struct threads_shared {
	const struct threads_engine *engine;
	uint32_t queues;
	_Atomic int goes_on;                  /* 0: not begun, 1: go on, 2: stop */
	_Atomic int64_t outstanding OWN_LINE; /* enqueued and not yet served */
};

struct threads_one {
	struct threads_shared *shared;
	pthread_t thread;
	uint64_t random;
	uint64_t decisions;
	uint64_t refused;
	struct latency latency;
} __attribute__((aligned(64)));

/* Only what was enqueued counts; a refusal is quick and would flatter. */
static void
enqueue_one(struct threads_one *one)
{
	const struct threads_engine *engine = one->shared->engine;
	uint32_t queue = rounds_random_below(&one->random, one->shared->queues);
	uint64_t start_ns = rounds_now_ns();

	if (engine->enqueue(engine->state, queue, start_ns)) {
		one->refused++;
		return;
	}
	latency_add(&one->latency, rounds_now_ns() - start_ns);
	atomic_fetch_add_explicit(&one->shared->outstanding, 1, memory_order_relaxed);
}

static void
serve(struct threads_one *one)
{
	const struct threads_engine *engine = one->shared->engine;
	uint32_t served = engine->serve(engine->state, rounds_now_ns());

	if (served) {
		atomic_fetch_sub_explicit(&one->shared->outstanding, served, memory_order_relaxed);
		one->decisions += served;
	}
}

static void *
work(void *argument)
{
	struct threads_one *one = argument;
	int goes_on;

	while (!atomic_load_explicit(&one->shared->goes_on, memory_order_acquire))
		sched_yield();
	do {
		if (atomic_load_explicit(&one->shared->outstanding, memory_order_relaxed) <
		    OUTSTANDING_MAX)
			enqueue_one(one);
		serve(one);
		goes_on = atomic_load_explicit(&one->shared->goes_on, memory_order_relaxed);
	} while (goes_on == 1);
	return NULL;
}

void
threads_run(const struct threads_engine *engine, unsigned threads, uint32_t queues,
	    uint64_t duration_ns, uint64_t seed, struct threads_result *result)
{
	struct threads_shared shared = {.engine = engine, .queues = queues};
	struct threads_one *ones = aligned_alloc(64, threads * sizeof(*ones));
	struct latency all = {0};
	uint64_t decisions = 0;
	uint64_t start_ns, ns;

	if (!ones)
		rounds_die("no memory");
	for (unsigned i = 0; i < threads; i++) {
		ones[i] = (struct threads_one){.shared = &shared, .random = seed + i};
		if (pthread_create(&ones[i].thread, NULL, work, &ones[i]))
			rounds_die("no thread");
	}
	/* A call that never returns ends the bench, and is not waited for. */
	alarm(TURN_SECONDS_MAX);
	start_ns = rounds_now_ns();
	atomic_store_explicit(&shared.goes_on, 1, memory_order_release);
	while (rounds_now_ns() - start_ns < duration_ns)
		rounds_sleep_ms(10);
	atomic_store_explicit(&shared.goes_on, 2, memory_order_release);
	ns = rounds_now_ns() - start_ns;
	*result = (struct threads_result){0};
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(ones[i].thread, NULL);
		decisions += ones[i].decisions;
		result->refused += ones[i].refused;
		latency_merge(&all, &ones[i].latency);
	}
	alarm(0);
	result->decisions_per_s = (double)decisions * 1e9 / (double)ns;
	result->enqueue_p999_us = latency_share_us(&all, 0.999);
	result->enqueue_p9999_us = latency_share_us(&all, 0.9999);
	/* What is still offered is served, so that the next turn begins with all agents ready. */
	for (int idle = 0; idle < 64;)
		idle = engine->serve(engine->state, rounds_now_ns()) ? 0 : idle + 1;
	free(ones);
}
