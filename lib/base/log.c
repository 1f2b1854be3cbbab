/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one log receiver of the process.
 */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>

/** Bytes of the longest log line, with its end. */
#define LOG_LINE_BYTES 501

static stw_log_fn log_receiver;
static void *log_context;
static enum stw_log_level log_level_max;

void
stw_log_set(stw_log_fn receiver, void *context, enum stw_log_level level_max)
{
	log_receiver = receiver;
	log_context = context;
	log_level_max = level_max;
}

void
stw_log(enum stw_log_level level, const char *format, ...)
{
	char line[LOG_LINE_BYTES];
	va_list arguments;

	if (!log_receiver || level > log_level_max)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	log_receiver(log_context, level, line);
}
