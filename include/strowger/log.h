/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the library's few log lines go. Packets and hot calls never log; they count.
 */
#ifndef STROWGER_LOG_H
#define STROWGER_LOG_H

#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Level of a log line, most important first. */
enum stw_log_level {
	STW_LOG_ERROR, /**< something asked for is not done */
	STW_LOG_WARN,  /**< done, but not as asked (a fall-back, a limit near) */
	STW_LOG_INFO,  /**< start, stop, change of configuration */
	STW_LOG_DEBUG, /**< for whoever works on the library */
};

/**
 * Receives one log line.
 *
 * @param context  as given to stw_log_set
 * @param level    level of the line
 * @param line     borrowed until return; a stable tag first, then key=value pairs, no newline
 *
 * Called on the thread whose call logs; may be called from several threads at the same time.
 */
typedef void (*stw_log_fn)(void *context, enum stw_log_level level, const char *line);

/**
 * Set the receiver of log lines. Without one nothing is logged.
 *
 * @param receiver   borrowed for the life of the process; NULL stops logging
 * @param context    borrowed, handed to the receiver
 * @param level_max  lines of less importance than this are not made
 *
 * Threads:  one, before other calls of the library.
 * Progress: wait-free (bound 1).
 * Order:    the caller starts other threads after it.
 */
STW_API void stw_log_set(stw_log_fn receiver, void *context, enum stw_log_level level_max);

/**
 * Write one line to the receiver; for the library's own modules and for hosts that want one log.
 *
 * @param level   level of the line
 * @param format  printf format: "TAG key=value ..."; lines above 500 bytes are cut
 *
 * Threads:  any, at any time after stw_log_set.
 * Progress: blocking (waits for the host's receiver).
 * Order:    none.
 */
STW_API void stw_log(enum stw_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif
