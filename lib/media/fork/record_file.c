/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of recordings.
 */
#include "record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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
