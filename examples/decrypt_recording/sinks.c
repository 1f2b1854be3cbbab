/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where plain bytes go.
 */
#include "sinks.h"

#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define ZEROS_BYTES 65536

static int
file_data(void *context, const uint8_t *bytes, size_t count)
{
	struct sink_file *sink = context;

	if (fseeko(sink->file, (off_t)sink->bytes, SEEK_SET) != 0 ||
	    fwrite(bytes, 1, count, sink->file) != count)
		return -1;
	sink->bytes += count;
	return 0;
}

/* A hole; what nothing is written behind is made by sink_file_end. */
static int
file_zeros(void *context, uint64_t count)
{
	struct sink_file *sink = context;

	sink->bytes += count;
	return sink->bytes > INT64_MAX ? -1 : 0;
}

static int
file_patch(void *context, uint64_t offset, const uint8_t *bytes, size_t count)
{
	struct sink_file *sink = context;

	if (fseeko(sink->file, (off_t)offset, SEEK_SET) != 0)
		return -1;
	return fwrite(bytes, 1, count, sink->file) == count ? 0 : -1;
}

struct unseal_sink
sink_file(struct sink_file *sink)
{
	return (struct unseal_sink){sink, file_data, file_zeros, file_patch};
}

int
sink_file_end(struct sink_file *sink)
{
	if (fflush(sink->file) != 0)
		return -1;
	return ftruncate(fileno(sink->file), (off_t)sink->bytes);
}

static int
collect_data(void *context, const uint8_t *bytes, size_t count)
{
	return 0;
}

static int
collect_zeros(void *context, uint64_t count)
{
	return 0;
}

static int
collect_patch(void *context, uint64_t offset, const uint8_t *bytes, size_t count)
{
	struct sink_pipe *sink = context;

	if (offset > SINK_BEGIN_BYTES || count > SINK_BEGIN_BYTES - offset)
		return -1;
	memcpy(sink->begin + offset, bytes, count);
	memset(sink->changed + offset, 1, count);
	return 0;
}

struct unseal_sink
sink_collect(struct sink_pipe *sink)
{
	return (struct unseal_sink){sink, collect_data, collect_zeros, collect_patch};
}

static int
pipe_data(void *context, const uint8_t *bytes, size_t count)
{
	struct sink_pipe *sink = context;
	size_t done = 0;

	for (; done < count && sink->bytes < SINK_BEGIN_BYTES; done++, sink->bytes++) {
		uint8_t byte = sink->changed[sink->bytes] ? sink->begin[sink->bytes] : bytes[done];

		if (fputc(byte, sink->file) == EOF)
			return -1;
	}
	if (fwrite(bytes + done, 1, count - done, sink->file) != count - done)
		return -1;
	sink->bytes += count - done;
	return 0;
}

static int
pipe_zeros(void *context, uint64_t count)
{
	static const uint8_t zeros[ZEROS_BYTES];

	while (count > 0) {
		size_t now = count < ZEROS_BYTES ? (size_t)count : ZEROS_BYTES;

		if (pipe_data(context, zeros, now) != 0)
			return -1;
		count -= now;
	}
	return 0;
}

static int
pipe_patch(void *context, uint64_t offset, const uint8_t *bytes, size_t count)
{
	return 0;
}

struct unseal_sink
sink_pipe(struct sink_pipe *sink)
{
	return (struct unseal_sink){sink, pipe_data, pipe_zeros, pipe_patch};
}
