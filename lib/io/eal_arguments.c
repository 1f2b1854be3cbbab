/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAL's command line.
 */
#include "eal_arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

static bool config_is_valid(const struct stw_eal_config *config);
static int add(struct eal_arguments *arguments, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int add_lcores(struct eal_arguments *arguments, const struct stw_eal_config *config,
		      const cpu_set_t *main_cpus);
static bool names_devices(const struct stw_eal_config *config);

int
eal_arguments_make(struct eal_arguments *arguments, const struct stw_eal_config *config,
		   const struct eal_facts *facts)
{
	uint32_t i;
	int error = 0;

	if (!config_is_valid(config))
		return -EINVAL;
	memset(arguments, 0, sizeof(*arguments));
	error |= add(arguments, "strowger");
	/*
	 * Neither mode shares files, sockets or pages with another process. The prefix names the
	 * one empty folder that EAL makes all the same.
	 */
	if (facts->huge_pages) {
		error |= add(arguments, "--in-memory");
	} else {
		error |= add(arguments, "--no-huge");
		error |= add(arguments, "--no-shconf");
	}
	error |= add(arguments, "--file-prefix=strowger");
	error |= add(arguments, "-m");
	error |= add(arguments, "%" PRIu32, config->memory_mib);
	error |= add(arguments, "--iova-mode=va");
	error |= add(arguments, "--no-telemetry");
	error |= add(arguments, "--log-level=notice");
	error |= add(arguments, "--main-lcore=0");
	error |= add_lcores(arguments, config, &facts->caller_cpus);
	if (!names_devices(config))
		error |= add(arguments, "--no-pci");
	for (i = 0; i < config->arguments_count; i++)
		error |= add(arguments, "%s", config->arguments[i]);
	return error ? -EINVAL : 0;
}

static bool
config_is_valid(const struct stw_eal_config *config)
{
	uint32_t i;

	if (!config || config->struct_size < sizeof(*config))
		return false;
	if (config->memory_mib < EAL_MEMORY_MIB_MIN || config->huge_pages > 1)
		return false;
	if (config->worker_cpus_count > STW_MEDIA_WORKERS_MAX ||
	    (config->worker_cpus_count > 0 && !config->worker_cpus))
		return false;
	if (config->arguments_count > EAL_FURTHER_MAX ||
	    (config->arguments_count > 0 && !config->arguments))
		return false;
	for (i = 0; i < config->worker_cpus_count; i++) {
		if (config->worker_cpus[i] >= CPU_SETSIZE)
			return false;
	}
	for (i = 0; i < config->arguments_count; i++) {
		if (!config->arguments[i])
			return false;
	}
	return true;
}

/* Nonzero when it does not fit. */
static int
add(struct eal_arguments *arguments, const char *format, ...)
{
	char *at = arguments->text + arguments->text_bytes;
	size_t room = sizeof(arguments->text) - arguments->text_bytes;
	va_list values;
	int length;

	va_start(values, format);
	length = vsnprintf(at, room, format, values);
	va_end(values);
	if (length < 0 || (size_t)length >= room || arguments->count == EAL_ARGUMENTS_MAX)
		return 1;
	arguments->argv[arguments->count++] = at;
	arguments->text_bytes += (size_t)length + 1;
	return 0;
}

/* The main lcore keeps the CPUs that its thread has; each worker has one CPU. */
static int
add_lcores(struct eal_arguments *arguments, const struct stw_eal_config *config,
	   const cpu_set_t *main_cpus)
{
	static const char begin[] = "--lcores=0@(";
	char *text = arguments->text + arguments->text_bytes;
	size_t room = sizeof(arguments->text) - arguments->text_bytes;
	size_t at = sizeof(begin) - 1;
	const char *comma = "";
	uint32_t i;

	if (arguments->count == EAL_ARGUMENTS_MAX || room < sizeof(begin))
		return 1;
	memcpy(text, begin, sizeof(begin));
	for (i = 0; i < CPU_SETSIZE && at < room; i++) {
		if (!CPU_ISSET(i, main_cpus))
			continue;
		at += (size_t)snprintf(text + at, room - at, "%s%" PRIu32, comma, i);
		comma = ",";
	}
	if (at < room)
		at += (size_t)snprintf(text + at, room - at, ")");
	for (i = 0; i < config->worker_cpus_count && at < room; i++)
		at += (size_t)snprintf(text + at, room - at, ",%" PRIu32 "@%" PRIu32, i + 1,
				       config->worker_cpus[i]);
	if (at >= room)
		return 1;
	arguments->argv[arguments->count++] = text;
	arguments->text_bytes += at + 1;
	return 0;
}

/* Whoever names PCI devices wants the bus; everybody else is spared its scan and its devices. */
static bool
names_devices(const struct stw_eal_config *config)
{
	static const char *const options[] = {"-a", "-b", "--allow", "--block"};
	uint32_t i;
	size_t o;

	for (i = 0; i < config->arguments_count; i++) {
		for (o = 0; o < STW_ARRAY_COUNT(options); o++) {
			if (strncmp(config->arguments[i], options[o], strlen(options[o])) == 0)
				return true;
		}
	}
	return false;
}
