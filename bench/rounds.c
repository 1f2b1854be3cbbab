/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arguments, clock and output of the benches.
 */
#include "rounds.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t
parse_number(const char *name, const char *text, uint64_t least)
{
	char *end;
	uint64_t number;

	if (!text)
		rounds_die("%s wants a number", name);
	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end || number < least)
		rounds_die("%s wants a number from %llu on, not '%s'", name,
			   (unsigned long long)least, text);
	return number;
}

void
rounds_parse(struct rounds_options *options, int argc, char **argv)
{
	*options = (struct rounds_options){.rounds = 9, .seed = 1};
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--quick"))
			options->quick = true;
		else if (!strcmp(argv[i], "--rounds"))
			options->rounds = (unsigned)parse_number(argv[i], argv[i + 1], 1), i++;
		else if (!strcmp(argv[i], "--seed"))
			options->seed = parse_number(argv[i], argv[i + 1], 0), i++;
		else
			rounds_die("usage: %s [--rounds N] [--seed N] [--quick]", argv[0]);
	}
}

void
rounds_print(const struct rounds_metric *metric, unsigned round, double ours, double theirs)
{
	printf("{\"bench\": \"%s\", \"rival\": \"%s\", \"metric\": \"%s\", \"unit\": \"%s\", "
	       "\"better\": \"%s\", \"round\": %u, \"ours\": %.6g, \"theirs\": %.6g}\n",
	       metric->bench, metric->rival, metric->metric, metric->unit, metric->better, round,
	       ours, theirs);
	fflush(stdout);
}

void
rounds_note(const char *bench, const char *format, ...)
{
	char text[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	printf("{\"bench\": \"%s\", \"note\": \"%s\"}\n", bench, text);
	fflush(stdout);
}

void
rounds_die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}

uint64_t
rounds_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void
rounds_sleep_ms(unsigned ms)
{
	struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&wait, NULL);
}
