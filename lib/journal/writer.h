/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Record writer: records go through a buffer into the files of a directory; one thread.
 */
#ifndef STW_JOURNAL_WRITER_H
#define STW_JOURNAL_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"
#include "frames.h"

/** Bytes that are gathered before they are written. */
#define WRITER_BUFFER_BYTES 65536

struct writer {
	int directory;
	int file; /**< -1: none open; the next record opens one */
	enum frames_kind kind;
	uint64_t number;     /**< of the next record */
	uint64_t bytes_max;  /**< a file that has so many is followed by a new one; 0: never */
	uint64_t file_bytes; /**< of the open file, the buffer's included */
	uint64_t files_made;
	uint64_t syncs;
	bool dirty;     /**< written since the last sync */
	size_t held;    /**< bytes in the buffer */
	size_t written; /**< of them, in the file */
	char name[FILES_NAME_BYTES + 8];
	uint8_t buffer[WRITER_BUFFER_BYTES];
};

/**
 * Begin.
 *
 * @param writer     filled
 * @param directory  descriptor, taken
 * @param kind       of the files
 * @param number     of the next record
 * @param bytes_max  see struct writer
 *
 * Threads:  one.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
void writer_begin(struct writer *writer, int directory, enum frames_kind kind, uint64_t number,
		  uint64_t bytes_max);

/**
 * Give the room for a record's payload, FRAMES_PAYLOAD_MAX bytes; then call writer_add. Opens and
 * closes files, and writes the buffer if it has no room.
 *
 * @param writer   borrowed
 * @param payload  set on success only
 * @return 0, or a negative errno of the file system: nothing is lost, try again
 *
 * Threads:  one.
 * Progress: blocking (waits for the disk).
 * Order:    none needed.
 */
int writer_room(struct writer *writer, uint8_t **payload);

/**
 * Add the record whose payload was put where writer_room said.
 *
 * @param writer  borrowed
 * @param type    of the record
 * @param bytes   of the payload
 *
 * Threads:  one.
 * Progress: wait-free (bound: the payload).
 * Order:    none needed.
 */
void writer_add(struct writer *writer, uint32_t type, size_t bytes);

/**
 * Write the buffer to the file.
 *
 * @param writer  borrowed
 * @return 0, or a negative errno of the file system: nothing is lost, try again
 *
 * Threads:  one.
 * Progress: blocking (waits for the disk).
 * Order:    none needed.
 */
int writer_flush(struct writer *writer);

/**
 * Have the disk keep what is in the file.
 *
 * @param writer  borrowed
 * @return 0, or a negative errno of the file system
 *
 * Threads:  one.
 * Progress: blocking (waits for the disk).
 * Order:    none needed.
 */
int writer_sync(struct writer *writer);

/**
 * Close file and directory; what is in the buffer is gone.
 *
 * @param writer  borrowed
 *
 * Threads:  one.
 * Progress: blocking (waits for the disk).
 * Order:    none needed.
 */
void writer_end(struct writer *writer);

#endif
