/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What libbpf, libxdp and the verifier say, as lines of the host's log.
 */
#include "bpf_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define VERIFIER_BYTES (64u << 10)
#define VERIFIER_LINES 6 /* the last ones say what is wrong */

static void
log_text(enum stw_log_level level, const char *tag, const char *format, va_list arguments)
{
	char text[400];
	size_t length;

	vsnprintf(text, sizeof(text), format, arguments);
	length = strlen(text);
	while (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	if (length > 0)
		stw_log(level, "%s %s", tag, text);
}

static int
print_bpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_WARN)
		log_text(STW_LOG_WARN, "LIBBPF", format, arguments);
	return 0;
}

/* Its warning that others' programs are not removed with the last socket is what we rely on. */
static int
print_xdp(enum libxdp_print_level level, const char *format, va_list arguments)
{
	log_text(STW_LOG_DEBUG, "LIBXDP", format, arguments);
	return 0;
}

void
bpf_log_begin(struct bpf_log *log)
{
	memset(log, 0, sizeof(*log));
	log->options.sz = sizeof(log->options);
	log->verifier = calloc(1, VERIFIER_BYTES);
	if (log->verifier) {
		log->options.kernel_log_buf = log->verifier;
		log->options.kernel_log_size = VERIFIER_BYTES;
	}
	log->bpf_printer = libbpf_set_print(print_bpf);
	log->xdp_printer = libxdp_set_print(print_xdp);
}

/* The start of the last VERIFIER_LINES lines. */
static char *
tail_of(char *text)
{
	char *at = text + strlen(text);
	int lines = 0;

	while (at > text) {
		if (at[-1] == '\n' && at[0] != '\0' && ++lines == VERIFIER_LINES)
			break;
		at--;
	}
	return at;
}

void
bpf_log_end(struct bpf_log *log, const char *what, int error)
{
	char *line;
	char *next;

	libbpf_set_print(log->bpf_printer);
	libxdp_set_print(log->xdp_printer);
	if (error)
		stw_log(STW_LOG_ERROR, "BPF-LOAD-FAILED for=%s errno=%d", what, -error);
	if (error && log->verifier) {
		for (line = tail_of(log->verifier); line && *line; line = next) {
			next = strchr(line, '\n');
			if (next)
				*next++ = '\0';
			stw_log(STW_LOG_ERROR, "BPF-VERIFIER %s", line);
		}
	}
	free(log->verifier);
}
