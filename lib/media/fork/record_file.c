/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of recordings.
 */
#include "record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "record_seal.h"

#include "base/base.h"

int
record_file_error(int number)
{
	switch (number) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

int
record_file_create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno == EEXIST)
		return -EEXIST;
	stw_log(STW_LOG_ERROR, "RECORD-CREATE path=%s errno=%d", path, errno);
	return record_file_error(errno);
}

int
record_file_write(int fd, const void *bytes, size_t count, uint64_t offset)
{
	const uint8_t *place = bytes;

	while (count > 0) {
		ssize_t written = pwrite(fd, place, count, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? record_file_error(errno) : -EIO;
		place += written;
		count -= (size_t)written;
		offset += (uint64_t)written;
	}
	return 0;
}

int
record_out_open(struct record_out *out, const char *path, const uint8_t *key)
{
	int fd = record_file_create(path), error;

	if (fd < 0)
		return fd;
	*out = (struct record_out){.fd = fd};
	if (!key)
		return 0;
	error = record_seal_open(&out->seal, fd, key);
	if (error) {
		close(fd);
		unlink(path);
		return error;
	}
	out->fd = -1;
	return 0;
}

int
record_out_write(struct record_out *out, const void *bytes, size_t count, uint64_t offset)
{
	int error;

	if (!out->seal)
		error = record_file_write(out->fd, bytes, count, offset);
	else if (offset == out->bytes)
		error = record_seal_append(out->seal, bytes, count);
	else
		error = record_seal_patch(out->seal, bytes, count, offset);
	if (!error && offset + count > out->bytes)
		out->bytes = offset + count;
	return error;
}

int
record_out_extend(struct record_out *out, uint64_t bytes)
{
	int error = 0;

	if (out->seal)
		error = record_seal_zeros(out->seal, bytes - out->bytes);
	else if (ftruncate(out->fd, (off_t)bytes) != 0)
		error = record_file_error(errno);
	if (!error)
		out->bytes = bytes;
	return error;
}

uint64_t
record_out_bytes(const struct record_out *out)
{
	return out->seal ? record_seal_bytes(out->seal) : out->bytes;
}

int
record_out_close(struct record_out *out, uint64_t *bytes)
{
	int error = 0;

	if (out->seal)
		return record_seal_close(out->seal, bytes);
	if (bytes)
		*bytes = out->bytes;
	if (close(out->fd) != 0)
		error = record_file_error(errno);
	return error;
}
