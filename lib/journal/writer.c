/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Record writer. What the disk refuses stays in the buffer, and the next call goes on at the very
 * byte: so a disk that was full for a while leaves no hole.
 */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
writer_begin(struct writer *writer, int directory, enum frames_kind kind, uint64_t number,
	     uint64_t bytes_max)
{
	memset(writer, 0, offsetof(struct writer, buffer));
	writer->directory = directory;
	writer->file = -1;
	writer->kind = kind;
	writer->number = number;
	writer->bytes_max = bytes_max;
}

int
writer_flush(struct writer *writer)
{
	while (writer->written < writer->held) {
		ssize_t put = write(writer->file, writer->buffer + writer->written,
				    writer->held - writer->written);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		writer->written += (size_t)put;
		writer->dirty = true;
	}
	writer->written = writer->held = 0;
	return 0;
}

int
writer_sync(struct writer *writer)
{
	if (!writer->dirty)
		return 0;
	if (fdatasync(writer->file))
		return -errno;
	writer->dirty = false;
	writer->syncs++;
	return 0;
}

/* Begin a file; a snapshot has its right name only when it is whole. */
static int
file_open(struct writer *writer)
{
	bool whole = writer->kind == FRAMES_JOURNAL;
	char name[FILES_NAME_BYTES];

	files_name(name, writer->kind, whole ? writer->number : 0);
	snprintf(writer->name, sizeof(writer->name), "%s%s", name, whole ? "" : ".next");
	writer->file = openat(writer->directory, writer->name,
			      O_WRONLY | O_CREAT | O_CLOEXEC | (whole ? O_EXCL : O_TRUNC), 0600);
	if (writer->file < 0)
		return -errno;
	frames_head_write(writer->buffer, writer->kind, writer->number);
	writer->held = FRAMES_HEAD_BYTES;
	writer->file_bytes = FRAMES_HEAD_BYTES;
	writer->files_made++;
	/* The directory's entry, too, should outlive a power cut; if not now, then with the next file. */
	fsync(writer->directory);
	return 0;
}

static int
file_close(struct writer *writer)
{
	int error = writer_flush(writer);

	if (!error)
		error = writer_sync(writer);
	if (error)
		return error;
	close(writer->file);
	writer->file = -1;
	return 0;
}

int
writer_room(struct writer *writer, uint8_t **payload)
{
	int error = 0;

	if (writer->file >= 0 && writer->bytes_max && writer->file_bytes >= writer->bytes_max)
		error = file_close(writer);
	if (!error && writer->file < 0)
		error = file_open(writer);
	if (!error &&
	    writer->held + FRAMES_RECORD_BYTES + FRAMES_PAYLOAD_MAX > sizeof(writer->buffer))
		error = writer_flush(writer);
	if (!error)
		*payload = writer->buffer + writer->held + FRAMES_RECORD_BYTES;
	return error;
}

void
writer_add(struct writer *writer, uint32_t type, size_t bytes)
{
	struct frame frame = {
		.type = type,
		.bytes = (uint32_t)bytes,
		.number = writer->number++,
	};
	size_t whole = frames_record_write(writer->buffer + writer->held, &frame);

	writer->held += whole;
	writer->file_bytes += whole;
}

void
writer_end(struct writer *writer)
{
	if (writer->file >= 0)
		close(writer->file);
	if (writer->directory >= 0)
		close(writer->directory);
	writer->file = writer->directory = -1;
}
