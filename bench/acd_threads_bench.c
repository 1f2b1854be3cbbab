/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acd-threads: both engines under 1, 2, 4 and 8 threads, on as many CPUs as there are: decisions
 * a second, and how long the slowest enqueues take (acd_threads.h).
 *
 * An enqueue also takes as long as its own thread is kept off the CPU, which no engine can help. Of the
 * calls above a millisecond on two busy CPUs all of ours were such, and nineteen of twenty of the
 * rival's; one in fourteen of those slept for its mutex. Read the slowest figures on a quiet machine.
 */
#include <unistd.h>

#include "acd_regime.h"
#include "acd_threads.h"

#define BENCH "acd-threads"

int
main(int argc, char **argv)
{
	struct rounds_options options;

	rounds_parse(&options, argc, argv);
	rounds_note(BENCH, "%ld CPUs", sysconf(_SC_NPROCESSORS_ONLN));
	for (unsigned threads = 1; threads <= THREADS_MAX; threads *= 2)
		regime_run_threads(BENCH, threads, &options);
	return 0;
}
