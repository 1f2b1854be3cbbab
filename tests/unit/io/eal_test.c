/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_lcore.h>
#include <rte_log.h>

#include <strowger/media.h>

#include "base/base.h"

static const struct stw_eal_config small = {
	.struct_size = sizeof(struct stw_eal_config),
	.memory_mib = 32,
};

Test(eal, starts_once_and_says_so)
{
	cr_assert_eq(stw_eal_start(&small), 0);
	cr_assert_eq(stw_eal_start(&small), -EALREADY);
	stw_eal_stop();
	cr_assert_eq(stw_eal_start(&small), -EIO);
	stw_eal_stop();
}

Test(eal, stop_without_start_does_nothing)
{
	stw_eal_stop();
	cr_assert_eq(stw_eal_start(&small), 0);
	stw_eal_stop();
}

Test(eal, refused_field_can_be_corrected)
{
	struct stw_eal_config config = small;

	config.memory_mib = 0;
	cr_assert_eq(stw_eal_start(&config), -EINVAL);
	cr_assert_eq(stw_eal_start(&small), 0);
	stw_eal_stop();
}

/* EAL then prints its whole usage. */
Test(eal, argument_that_dpdk_refuses_ends_the_matter, .init = cr_redirect_stdout)
{
	struct stw_eal_config config = small;
	const char *further[] = {"--lcores=none"};

	config.arguments = further;
	config.arguments_count = 1;
	cr_assert_eq(stw_eal_start(&config), -EINVAL);
	cr_assert_eq(stw_eal_start(&small), -EIO);
}

Test(eal, caller_keeps_its_cpus_and_workers_have_theirs)
{
	struct stw_eal_config config = small;
	cpu_set_t before;
	cpu_set_t after;
	uint32_t cpu = 0;

	pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
	while (!CPU_ISSET(cpu, &before))
		cpu++;
	config.worker_cpus = &cpu;
	config.worker_cpus_count = 1;
	cr_assert_eq(stw_eal_start(&config), 0);
	pthread_getaffinity_np(pthread_self(), sizeof(after), &after);
	cr_assert(CPU_EQUAL(&before, &after));
	cr_assert_eq(rte_lcore_count(), 2);
	cr_assert_eq(rte_lcore_id(), rte_get_main_lcore());
	after = rte_lcore_cpuset(1);
	cr_assert_eq(CPU_COUNT(&after), 1);
	cr_assert(CPU_ISSET(cpu, &after));
	stw_eal_stop();
}

Test(eal, cpu_that_is_not_there_is_refused)
{
	struct stw_eal_config config = small;
	uint32_t cpu = CPU_SETSIZE - 1;

	config.worker_cpus = &cpu;
	config.worker_cpus_count = 1;
	cr_assert_eq(stw_eal_start(&config), -EINVAL);
}

struct seen {
	char line[600];
	enum stw_log_level level;
};

static void
keep_line(void *context, enum stw_log_level level, const char *line)
{
	struct seen *seen = context;

	strncpy(seen->line, line, sizeof(seen->line) - 1);
	seen->level = level;
}

Test(eal, dpdk_speaks_through_the_hosts_log)
{
	struct seen seen = {0};

	stw_log_set(keep_line, &seen, STW_LOG_DEBUG);
	cr_assert_eq(stw_eal_start(&small), 0);
	rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "first\nsecond %d\n", 2);
	cr_assert_str_eq(seen.line, "DPDK second 2");
	cr_assert_eq(seen.level, STW_LOG_ERROR);
	rte_log(RTE_LOG_WARNING, RTE_LOGTYPE_USER1, "no end of line");
	cr_assert_str_eq(seen.line, "DPDK no end of line");
	cr_assert_eq(seen.level, STW_LOG_WARN);
	stw_eal_stop();
}
