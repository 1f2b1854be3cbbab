/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames: how records lie in a file, in memory only. Numbers are little-endian.
 *
 * file    "STWJRNL\n" 8 | version 4 | kind 4 | number of the first record 8 | 0 4 | checksum 4
 * record  payload bytes 4 | type 4 | number 8 | checksum 4 | payload
 *
 * The checksum is CRC-32C over what stands before it, and of a record over the payload, too. Numbers go
 * up by one, over all files of a journal.
 */
#ifndef STW_JOURNAL_FRAMES_H
#define STW_JOURNAL_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMES_VERSION      1u
#define FRAMES_HEAD_BYTES   32u
#define FRAMES_RECORD_BYTES 20u
#define FRAMES_PAYLOAD_MAX  4096u

enum frames_kind {
	FRAMES_JOURNAL = 1,
	FRAMES_SNAPSHOT = 2,
};

struct frame {
	uint32_t type;
	uint32_t bytes;
	uint64_t number;
	const uint8_t *payload;
};

/** Where a reader stands. */
struct frames {
	const uint8_t *memory;
	size_t bytes;
	size_t at;       /**< of the next record, or of the one that is wrong */
	uint64_t number; /**< of the next record */
	const char *why; /**< static text: what is wrong; NULL: nothing */
};

/**
 * Write the head of a file, or a record.
 *
 * @param out      FRAMES_HEAD_BYTES, or FRAMES_RECORD_BYTES and the payload's
 * @param kind     of the file
 * @param first    number of its first record
 *
 * Threads:  any.
 * Progress: wait-free (bound: the payload).
 * Order:    none needed.
 */
void frames_head_write(uint8_t *out, enum frames_kind kind, uint64_t first);

/**
 * Put a record's head before its payload, which lies at out + FRAMES_RECORD_BYTES.
 *
 * @param out    borrowed
 * @param frame  borrowed; its payload is not looked at
 * @return bytes of head and payload
 *
 * Threads:  any.
 * Progress: wait-free (bound: the payload).
 * Order:    none needed.
 */
size_t frames_record_write(uint8_t *out, const struct frame *frame);

/**
 * Begin to read.
 *
 * @param frames  filled
 * @param memory  borrowed as long as frames is used
 * @param bytes   how many
 * @param kind    what the file must be
 * @return 0
 * @return -EBADMSG  no file of that kind, cut or corrupt; frames->why says what is wrong
 * @return -ENOTSUP  written by a newer release
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
int frames_begin(struct frames *frames, const uint8_t *memory, size_t bytes, enum frames_kind kind);

/**
 * Read the next record.
 *
 * @param frames  borrowed
 * @param frame   filled when 1 is returned; its payload is borrowed from the memory
 * @return 1, or 0 at the end
 * @return -EBADMSG  cut, corrupt, or not the number that follows; frames->why says what is wrong
 *
 * Threads:  any.
 * Progress: wait-free (bound: the payload).
 * Order:    none needed.
 */
int frames_next(struct frames *frames, struct frame *frame);

/**
 * Whether what frames_next found wrong can be a write that was cut short: nothing whole follows.
 *
 * @param frames  borrowed; frames_next has failed
 *
 * Threads:  any.
 * Progress: wait-free (bound: the payload).
 * Order:    none needed.
 */
bool frames_torn(const struct frames *frames);

#endif
