/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "io/eal_arguments.h"

static struct eal_arguments arguments;

static struct eal_facts
machine(bool huge_pages)
{
	struct eal_facts facts = {.huge_pages = huge_pages};

	CPU_ZERO(&facts.caller_cpus);
	CPU_SET(0, &facts.caller_cpus);
	CPU_SET(3, &facts.caller_cpus);
	return facts;
}

static bool
has(const char *text)
{
	int i;

	for (i = 0; i < arguments.count; i++) {
		if (strcmp(arguments.argv[i], text) == 0)
			return true;
	}
	return false;
}

Test(eal_arguments, without_huge_pages_neither_files_nor_pages_are_asked_for)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	struct eal_facts facts = machine(false);

	cr_assert_eq(eal_arguments_make(&arguments, &config, &facts), 0);
	cr_assert(has("--no-huge"));
	cr_assert(has("--no-shconf"));
	cr_assert_not(has("--in-memory"));
	cr_assert(has("--no-pci"));
	cr_assert(has("--no-telemetry"));
	cr_assert(has("--file-prefix=strowger"));
	cr_assert(has("256"));
	cr_assert_null(arguments.argv[arguments.count]);
}

Test(eal_arguments, huge_pages_are_used_without_files)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	struct eal_facts facts = machine(true);

	cr_assert_eq(eal_arguments_make(&arguments, &config, &facts), 0);
	cr_assert(has("--in-memory"));
	cr_assert_not(has("--no-huge"));
	cr_assert_not(has("--no-shconf"));
}

Test(eal_arguments, main_lcore_has_the_callers_cpus_and_each_worker_one)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	struct eal_facts facts = machine(false);
	uint32_t cpus[] = {5, 5, 2};

	config.worker_cpus = cpus;
	config.worker_cpus_count = 3;
	cr_assert_eq(eal_arguments_make(&arguments, &config, &facts), 0);
	cr_assert(has("--lcores=0@(0,3),1@5,2@5,3@2"));
	cr_assert(has("--main-lcore=0"));
}

Test(eal_arguments, named_devices_bring_the_pci_bus)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	struct eal_facts facts = machine(false);
	const char *further[] = {"-a", "0000:01:00.0"};

	config.arguments = further;
	config.arguments_count = 2;
	cr_assert_eq(eal_arguments_make(&arguments, &config, &facts), 0);
	cr_assert_not(has("--no-pci"));
	cr_assert(has("0000:01:00.0"));
}

Test(eal_arguments, fields_outside_their_range_are_refused)
{
	struct eal_facts facts = machine(false);
	struct stw_eal_config config;
	uint32_t far = CPU_SETSIZE;
	const char *nothing = NULL;

#define REFUSED(change)                                                                            \
	do {                                                                                       \
		config = (struct stw_eal_config)STW_EAL_CONFIG_INIT;                               \
		change;                                                                            \
		cr_assert_eq(eal_arguments_make(&arguments, &config, &facts), -EINVAL);            \
	} while (0)

	cr_assert_eq(eal_arguments_make(&arguments, NULL, &facts), -EINVAL);
	REFUSED(config.struct_size = 0);
	REFUSED(config.memory_mib = 31);
	REFUSED(config.huge_pages = 2);
	REFUSED(config.worker_cpus_count = 1);
	REFUSED((config.worker_cpus_count = 1, config.worker_cpus = &far));
	REFUSED(config.worker_cpus_count = STW_MEDIA_WORKERS_MAX + 1);
	REFUSED(config.arguments_count = 1);
	REFUSED((config.arguments_count = 1, config.arguments = &nothing));
	REFUSED(config.arguments_count = 33);
}

Test(eal_arguments, longest_affinity_fits_and_a_longer_line_is_refused)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	struct eal_facts facts = machine(false);
	static char text[EAL_TEXT_BYTES_MAX];
	const char *further[] = {text};
	int i;

	for (i = 0; i < CPU_SETSIZE; i++)
		CPU_SET(i, &facts.caller_cpus);
	cr_assert_eq(eal_arguments_make(&arguments, &config, &facts), 0);
	memset(text, 'x', sizeof(text) - 1);
	config.arguments = further;
	config.arguments_count = 1;
	cr_assert_eq(eal_arguments_make(&arguments, &config, &facts), -EINVAL);
}
