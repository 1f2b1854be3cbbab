/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <sched.h>
#include <stdio.h>
#include <time.h>

#include <strowger/log.h>
#include <strowger/media.h>

static void
log_line(void *context, enum stw_log_level level, const char *line)
{
	fprintf(stderr, "%d %s\n", (int)level, line);
}

uint64_t
host_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int
host_start(uint32_t workers)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	uint32_t cpu[HOST_WORKERS_MAX];
	cpu_set_t cpus;
	uint32_t found = 0;

	stw_log_set(log_line, NULL, STW_LOG_INFO);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (uint32_t i = CPU_SETSIZE; i-- > 0 && found < workers;) {
		if (CPU_ISSET(i, &cpus))
			cpu[found++] = i;
	}
	while (found < workers)
		cpu[found++] = cpu[0];
	config.memory_mib = 128;
	config.worker_cpus = cpu;
	config.worker_cpus_count = workers;
	return stw_eal_start(&config);
}
