/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of recordings: made, never opened; readable by nobody but their owner.
 */
#ifndef STW_MEDIA_RECORD_FILE_H
#define STW_MEDIA_RECORD_FILE_H

#include <stddef.h>
#include <stdint.h>

/**
 * Make a file for a recording, mode 0600; a link at that path is not followed.
 *
 * @param path  borrowed
 * @return file descriptor, the caller closes it
 * @return -EEXIST  something is at that path
 * @return -EIO     it cannot be made; the log says why
 *
 * Threads:  any.
 * Progress: blocking (waits for the file system).
 * Order:    none.
 */
int record_file_create(const char *path);

/**
 * Write all bytes at a place of the file.
 *
 * @return 0
 * @return -ENOSPC  the disk, the quota or the largest size of a file is full
 * @return -EIO     the file cannot be written otherwise
 *
 * Threads:  any.
 * Progress: blocking (waits for the file system).
 * Order:    none.
 */
int record_file_write(int fd, const void *bytes, size_t count, uint64_t offset);

/** The error of this library for an errno value of a file: -ENOSPC or -EIO. */
int record_file_error(int number);

#endif
