/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All CPU time that others take of some CPUs, interrupts and softirqs included, whoever they are
 * accounted to. A thread of the lowest priority (SCHED_IDLE) reads the clock on each CPU without a
 * pause; two readings that lie further apart than a reading takes have somebody else's work between
 * them. Unlike the times of /proc/stat this is not sampled by ticks, and unlike those of a process
 * it has the softirqs that come while the core has nothing else to do. What it cannot tell is who
 * took the time: the machine must do nothing else.
 *
 *   soaker CPU...
 *
 * Speaks one line at a time with the driver:
 *   begin         start. Answered by: begin
 *   end           stop. Answered by: end, and for each CPU nanoseconds TAKEN and ELAPSED
 *   load MS       between the two: a thread of normal priority works for LOAD_US of each LOAD_EVERY_US on
 *                 each CPU, for that long. Answered by: load, and for each CPU the nanoseconds that the thread
 *                 took by its own clock; what the soaker says must agree with that
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../rounds.h"

#define CPUS_MAX      64
#define LOAD_US       200
#define LOAD_EVERY_US 1000

/* A reading takes some 30 ns; an interrupt of a virtual machine takes more than a microsecond. */
#define GAP_NS 250

struct soaker {
	pthread_t thread;
	pthread_t loader;
	int cpu;
	uint64_t taken_ns;
	uint64_t elapsed_ns;
	uint64_t load_ns; /* how long the load lasts */
	uint64_t used_ns; /* by it */
};

static struct soaker soakers[CPUS_MAX];
static unsigned soakers_count;
static _Atomic int stopping;

static void
cpu_pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		rounds_die("CPU %d: %s", cpu, strerror(errno));
}

static void *
soak(void *context)
{
	struct sched_param lowest = {0};
	struct soaker *soaker = context;
	uint64_t first_ns, last_ns, taken_ns = 0;

	cpu_pin(soaker->cpu);
	if (sched_setscheduler(0, SCHED_IDLE, &lowest) < 0)
		rounds_die("SCHED_IDLE: %s", strerror(errno));
	first_ns = last_ns = rounds_now_ns();
	while (!atomic_load_explicit(&stopping, memory_order_relaxed)) {
		uint64_t now_ns = rounds_now_ns();

		if (now_ns - last_ns > GAP_NS)
			taken_ns += now_ns - last_ns;
		last_ns = now_ns;
	}
	soaker->taken_ns = taken_ns;
	soaker->elapsed_ns = last_ns - first_ns;
	return NULL;
}

static uint64_t
thread_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * UINT64_C(1000000000) + (uint64_t)used.tv_nsec;
}

static void *
load(void *context)
{
	struct timespec rest = {.tv_nsec = (LOAD_EVERY_US - LOAD_US) * 1000L};
	struct soaker *soaker = context;
	uint64_t before_ns, end_ns;

	cpu_pin(soaker->cpu);
	before_ns = thread_ns();
	end_ns = rounds_now_ns() + soaker->load_ns;
	while (rounds_now_ns() < end_ns) {
		uint64_t turn_ns = rounds_now_ns() + LOAD_US * UINT64_C(1000);

		while (rounds_now_ns() < turn_ns)
			;
		nanosleep(&rest, NULL);
	}
	soaker->used_ns = thread_ns() - before_ns;
	return NULL;
}

static void
thread_start(pthread_t *thread, void *(*run)(void *), struct soaker *soaker)
{
	int error = pthread_create(thread, NULL, run, soaker);

	if (error)
		rounds_die("no thread for CPU %d: %s", soaker->cpu, strerror(error));
}

static void
answer_end(void)
{
	atomic_store(&stopping, 1);
	printf("end");
	for (unsigned i = 0; i < soakers_count; i++) {
		pthread_join(soakers[i].thread, NULL);
		printf(" %" PRIu64 " %" PRIu64, soakers[i].taken_ns, soakers[i].elapsed_ns);
	}
	putchar('\n');
}

static void
answer_load(unsigned ms)
{
	for (unsigned i = 0; i < soakers_count; i++) {
		soakers[i].load_ns = ms * UINT64_C(1000000);
		thread_start(&soakers[i].loader, load, &soakers[i]);
	}
	printf("load");
	for (unsigned i = 0; i < soakers_count; i++) {
		pthread_join(soakers[i].loader, NULL);
		printf(" %" PRIu64, soakers[i].used_ns);
	}
	putchar('\n');
}

static void
answer(const char *line)
{
	unsigned ms;

	if (!strncmp(line, "begin", 5)) {
		atomic_store(&stopping, 0);
		for (unsigned i = 0; i < soakers_count; i++)
			thread_start(&soakers[i].thread, soak, &soakers[i]);
		puts("begin");
	} else if (!strncmp(line, "end", 3)) {
		answer_end();
	} else if (sscanf(line, "load %u", &ms) == 1) {
		answer_load(ms);
	} else {
		rounds_die("what is '%s'?", line);
	}
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	char line[64];

	if (argc < 2 || argc > CPUS_MAX + 1)
		rounds_die("usage: %s CPU...", argv[0]);
	for (int i = 1; i < argc; i++)
		soakers[soakers_count++].cpu = atoi(argv[i]);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4) != 0)
		answer(line);
	return 0;
}
