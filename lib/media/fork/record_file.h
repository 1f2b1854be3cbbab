/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of recordings: made, never opened; readable by nobody but their owner.
 */
#ifndef STW_MEDIA_RECORD_FILE_H
#define STW_MEDIA_RECORD_FILE_H

#include <stddef.h>
#include <stdint.h>

struct record_seal;

/** A file that is written to, plain or encrypted. */
struct record_out {
	int fd;                   /**< of a plain file; -1: it is encrypted */
	struct record_seal *seal; /**< of an encrypted file */
	uint64_t bytes;           /**< of the plain file */
};

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

/**
 * Make a file for a recording that may be encrypted.
 *
 * @param key  borrowed; NULL: it is not
 * @return 0, or as record_file_create and record_seal_open; no file is left behind
 *
 * Threads: any. Progress: blocking (waits for the file system). Order: none.
 */
int record_out_open(struct record_out *out, const char *path, const uint8_t *key);

/**
 * Write bytes at the plain file's end, or over some that are there.
 *
 * @return 0, or as record_file_write
 *
 * Threads: one at a time for each file. Progress: blocking (waits for the file system). Order: none.
 */
int record_out_write(struct record_out *out, const void *bytes, size_t count, uint64_t offset);

/** Make the plain file longer, with zeros. As record_out_write. */
int record_out_extend(struct record_out *out, uint64_t bytes);

/** Bytes of the file on disk. Threads: as record_out_write. */
uint64_t record_out_bytes(const struct record_out *out);

/**
 * Close the file.
 *
 * @param bytes  set to the bytes of the file on disk; NULL is fine
 * @return 0, or as record_file_write
 *
 * Threads: one, the last. Progress: blocking (waits for the file system). Order: none.
 */
int record_out_close(struct record_out *out, uint64_t *bytes);

/** The error of this library for an errno value of a file: -ENOSPC or -EIO. */
int record_file_error(int number);

#endif
