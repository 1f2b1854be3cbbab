/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One thread in a loop; it sleeps for a millisecond when there was nothing to write.
 */
#include "record.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define PACKETS_AT_ONCE 256
#define IDLE_NS         1000000

struct recorder {
	struct stw_media *media;
	pthread_t thread;
	atomic_bool stop;
};

static void *
run(void *argument)
{
	static const struct timespec idle = {0, IDLE_NS};
	struct recorder *recorder = argument;
	bool last = false;

	/* One more turn after the stop: what was queued before it is written. */
	while (!last) {
		last = atomic_load_explicit(&recorder->stop, memory_order_acquire);
		while (stw_media_record(recorder->media, PACKETS_AT_ONCE) > 0)
			;
		if (!last)
			nanosleep(&idle, NULL);
	}
	return NULL;
}

int
record_start(struct recorder **out, struct stw_media *media)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	sigset_t all, before;
	int error;

	if (!recorder)
		return -ENOMEM;
	recorder->media = media;
	atomic_init(&recorder->stop, false);
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&recorder->thread, NULL, run, recorder);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0) {
		free(recorder);
		return -error;
	}
	*out = recorder;
	return 0;
}

void
record_stop(struct recorder *recorder)
{
	if (!recorder)
		return;
	/* Pairs with the load in run: the last turn sees what was queued before the stop. */
	atomic_store_explicit(&recorder->stop, true, memory_order_release);
	pthread_join(recorder->thread, NULL);
	free(recorder);
}
