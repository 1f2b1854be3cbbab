/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's environment: up once, down once, its log in the host's log.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include <strowger/media.h>

#include "base/base.h"
#include "eal_arguments.h"

enum eal_state {
	EAL_UNTOUCHED,
	EAL_UP,  /* by us */
	EAL_OVER /* refused or taken down: DPDK does not start again in this process */
};

/* One process has one EAL, which may keep pointers into its command line. */
static enum eal_state eal_state;
static struct eal_arguments eal_arguments;
static FILE *eal_log;

static bool huge_pages_suffice(uint32_t memory_mib);
static int check_cpus(const struct stw_eal_config *config, const cpu_set_t *caller_cpus);
static int open_log(void);
static void close_log(void);
static int error_of_eal(int number);

int
stw_eal_start(const struct stw_eal_config *config)
{
	struct eal_facts facts = {0};
	int error;

	if (eal_state == EAL_UP || (eal_state == EAL_UNTOUCHED && rte_lcore_count() > 0))
		return -EALREADY;
	if (eal_state == EAL_OVER) {
		stw_log(STW_LOG_ERROR, "EAL-OVER it cannot be started again in this process");
		return -EIO;
	}
	pthread_getaffinity_np(pthread_self(), sizeof(facts.caller_cpus), &facts.caller_cpus);
	facts.huge_pages = config && config->huge_pages && huge_pages_suffice(config->memory_mib);
	error = eal_arguments_make(&eal_arguments, config, &facts);
	if (!error)
		error = check_cpus(config, &facts.caller_cpus);
	if (!error)
		error = open_log();
	if (error)
		return error;
	if (rte_eal_init(eal_arguments.count, eal_arguments.argv) < 0) {
		error = error_of_eal(rte_errno);
		stw_log(STW_LOG_ERROR, "EAL-FAILED errno=%d", rte_errno);
		close_log();
		eal_state = EAL_OVER;
	} else {
		eal_state = EAL_UP;
		stw_log(STW_LOG_INFO, "EAL-UP memory_mib=%" PRIu32 " huge_pages=%d workers=%u",
			config->memory_mib, facts.huge_pages, rte_lcore_count() - 1);
	}
	pthread_setaffinity_np(pthread_self(), sizeof(facts.caller_cpus), &facts.caller_cpus);
	return error;
}

void
stw_eal_stop(void)
{
	if (eal_state != EAL_UP)
		return;
	rte_eal_cleanup();
	close_log();
	eal_state = EAL_OVER;
}

static uint64_t
read_number(const char *folder, const char *size, const char *file)
{
	uint64_t number = 0;
	char path[512];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s/%s", folder, size, file);
	stream = fopen(path, "re");
	if (!stream)
		return 0;
	if (fscanf(stream, "%" SCNu64, &number) != 1)
		number = 0;
	fclose(stream);
	return number;
}

/* Of any size, over all of them: EAL takes from the largest first. Promised ones are not free. */
static bool
huge_pages_suffice(uint32_t memory_mib)
{
	static const char folder[] = "/sys/kernel/mm/hugepages";
	uint64_t free_kib = 0;
	struct dirent *entry;
	DIR *sizes;

	sizes = opendir(folder);
	if (!sizes)
		return false;
	while ((entry = readdir(sizes))) {
		uint64_t promised = read_number(folder, entry->d_name, "resv_hugepages");
		uint64_t pages = read_number(folder, entry->d_name, "free_hugepages");
		uint64_t page_kib;

		if (sscanf(entry->d_name, "hugepages-%" SCNu64 "kB", &page_kib) == 1 &&
		    pages > promised)
			free_kib += (pages - promised) * page_kib;
	}
	closedir(sizes);
	return free_kib >= (uint64_t)memory_mib << 10;
}

/* EAL aborts the process when a worker cannot have its CPU, so try each of them here. */
static int
check_cpus(const struct stw_eal_config *config, const cpu_set_t *caller_cpus)
{
	int error = 0;
	uint32_t i;

	for (i = 0; i < config->worker_cpus_count && !error; i++) {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(config->worker_cpus[i], &one);
		error = pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
		if (error)
			stw_log(STW_LOG_ERROR, "EAL-NO-CPU cpu=%" PRIu32, config->worker_cpus[i]);
	}
	pthread_setaffinity_np(pthread_self(), sizeof(*caller_cpus), caller_cpus);
	return error ? -EINVAL : 0;
}

static enum stw_log_level
level_of(int dpdk_level)
{
	if (dpdk_level <= (int)RTE_LOG_ERR)
		return STW_LOG_ERROR;
	if (dpdk_level == (int)RTE_LOG_WARNING)
		return STW_LOG_WARN;
	if (dpdk_level <= (int)RTE_LOG_INFO)
		return STW_LOG_INFO;
	return STW_LOG_DEBUG;
}

/* DPDK flushes after each message, on the thread that says it. */
static ssize_t
write_log(void *cookie, const char *text, size_t bytes)
{
	enum stw_log_level level = level_of(rte_log_cur_msg_loglevel());
	size_t from = 0;

	while (from < bytes) {
		const char *end = memchr(text + from, '\n', bytes - from);
		size_t length = end ? (size_t)(end - text) - from : bytes - from;

		if (length > 0)
			stw_log(level, "DPDK %.*s", (int)length, text + from);
		from += length + 1;
	}
	return (ssize_t)bytes;
}

static int
open_log(void)
{
	static const cookie_io_functions_t functions = {.write = write_log};

	eal_log = fopencookie(NULL, "w", functions);
	if (!eal_log)
		return -ENOMEM;
	rte_openlog_stream(eal_log);
	return 0;
}

static void
close_log(void)
{
	rte_openlog_stream(NULL);
	fclose(eal_log);
	eal_log = NULL;
}

static int
error_of_eal(int number)
{
	switch (number) {
	case EINVAL:
	case EALREADY:
	case ENOMEM:
		return -number;
	default:
		return -EIO;
	}
}
