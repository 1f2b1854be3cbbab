/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of a journal's directory: journal-NUMBER and snapshot-NUMBER, NUMBER in 16 hexadecimal digits. A
 * journal file's number is that of its first record; a snapshot's is that of the last record that is
 * in it. A name with ".next" at its end is a file that was never finished.
 */
#ifndef STW_JOURNAL_FILES_H
#define STW_JOURNAL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames.h"

/** Bytes of a file's name with the closing NUL. */
#define FILES_NAME_BYTES 40

/** The files of one kind in a directory. */
struct files {
	uint64_t *numbers; /**< rising */
	uint32_t count;
};

/** A file in memory. */
struct file_bytes {
	uint8_t *memory;
	size_t bytes;
	char name[FILES_NAME_BYTES];
};

/**
 * Name a file.
 *
 * @param name    filled
 * @param kind    of file
 * @param number  in its name
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
void files_name(char name[FILES_NAME_BYTES], enum frames_kind kind, uint64_t number);

/**
 * Open a directory, making it if need be.
 *
 * @param path  borrowed
 * @param make  whether it is made
 * @return descriptor, or a negative errno of the file system
 *
 * Threads:  any.
 * Progress: blocking (waits for the disk).
 * Order:    none needed.
 */
int files_directory(const char *path, bool make);

/**
 * List the files of a kind.
 *
 * @param directory  descriptor
 * @param kind       of file
 * @param files      filled on success; free with files_free
 * @return 0, -ENOMEM or a negative errno of the file system
 *
 * Threads:  any.
 * Progress: blocking (waits for the disk).
 * Order:    none needed.
 */
int files_list(int directory, enum frames_kind kind, struct files *files);

/**
 * Free a list.
 *
 * @param files  borrowed
 *
 * Threads:  one.
 * Progress: blocking (waits for the allocator).
 * Order:    none needed.
 */
void files_free(struct files *files);

/**
 * Read a whole file.
 *
 * @param directory  descriptor
 * @param kind       of file
 * @param number     in its name
 * @param file       filled; its name in any case; free with files_memory_free
 * @return 0, -ENOMEM or a negative errno of the file system
 *
 * Threads:  any.
 * Progress: blocking (waits for the disk).
 * Order:    none needed.
 */
int files_read(int directory, enum frames_kind kind, uint64_t number, struct file_bytes *file);

/**
 * Free what files_read has read.
 *
 * @param file  borrowed
 *
 * Threads:  one.
 * Progress: blocking (waits for the allocator).
 * Order:    none needed.
 */
void files_memory_free(struct file_bytes *file);

/**
 * Remove what a snapshot makes needless: older snapshots, journal files all of whose records it has.
 *
 * @param directory  descriptor
 * @param through    number of the newest snapshot
 * @return 0, -ENOMEM or a negative errno of the file system
 *
 * Threads:  any; files that are being written are not touched.
 * Progress: blocking (waits for the disk).
 * Order:    the snapshot is on the disk.
 */
int files_drop(int directory, uint64_t through);

#endif
