/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where plain bytes go: to a file, whose places can be written again, or down a pipe, for which what is
 * changed later has to be known before.
 */
#ifndef SINKS_H
#define SINKS_H

#include <stdbool.h>

#include "unseal.h"

/** Bytes of a file's beginning that may be changed later when it goes down a pipe. */
#define SINK_BEGIN_BYTES 65536

/** A file. Set `file`; call sink_file_end behind the last byte. */
struct sink_file {
	FILE *file;
	uint64_t bytes;
};

struct unseal_sink sink_file(struct sink_file *sink);

/** Give the file its length, as it may end with zeros; 0 or -1. */
int sink_file_end(struct sink_file *sink);

/** A pipe. Read the recording once with sink_collect, then once with sink_pipe. */
struct sink_pipe {
	FILE *file;
	uint64_t bytes;
	uint8_t begin[SINK_BEGIN_BYTES]; /**< what changes of the beginning */
	bool changed[SINK_BEGIN_BYTES];  /**< where */
};

struct unseal_sink sink_collect(struct sink_pipe *sink);
struct unseal_sink sink_pipe(struct sink_pipe *sink);

#endif
