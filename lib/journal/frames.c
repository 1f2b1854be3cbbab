/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames; the form is told in the header.
 */
#include "frames.h"

#include <errno.h>
#include <string.h>

#include "crc32c.h"

#define MAGIC       "STWJRNL\n"
#define MAGIC_BYTES 8

static void
put(uint8_t *out, uint64_t number, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		out[i] = (uint8_t)(number >> 8 * i);
}

static uint64_t
get(const uint8_t *from, unsigned bytes)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < bytes; i++)
		number |= (uint64_t)from[i] << 8 * i;
	return number;
}

void
frames_head_write(uint8_t *out, enum frames_kind kind, uint64_t first)
{
	memcpy(out, MAGIC, MAGIC_BYTES);
	put(out + 8, FRAMES_VERSION, 4);
	put(out + 12, kind, 4);
	put(out + 16, first, 8);
	put(out + 24, 0, 4);
	put(out + 28, journal_crc32c(0, out, 28), 4);
}

static uint32_t
record_sum(const uint8_t *record, uint32_t bytes)
{
	return journal_crc32c(journal_crc32c(0, record, 16), record + FRAMES_RECORD_BYTES, bytes);
}

size_t
frames_record_write(uint8_t *out, const struct frame *frame)
{
	put(out, frame->bytes, 4);
	put(out + 4, frame->type, 4);
	put(out + 8, frame->number, 8);
	put(out + 16, record_sum(out, frame->bytes), 4);
	return FRAMES_RECORD_BYTES + frame->bytes;
}

int
frames_begin(struct frames *frames, const uint8_t *memory, size_t bytes, enum frames_kind kind)
{
	*frames = (struct frames){.memory = memory, .bytes = bytes};
	if (bytes < FRAMES_HEAD_BYTES) {
		frames->why = "the file is cut within its head";
	} else if (memcmp(memory, MAGIC, MAGIC_BYTES)) {
		frames->why = "it is no file of this library";
	} else if (get(memory + 28, 4) != journal_crc32c(0, memory, 28)) {
		frames->why = "the head of the file is corrupt";
	} else if (get(memory + 8, 4) > FRAMES_VERSION) {
		frames->why = "the file was written by a newer release";
		return -ENOTSUP;
	} else if (get(memory + 12, 4) != (uint64_t)kind) {
		frames->why = "it is a file of the other kind";
	}
	if (frames->why)
		return -EBADMSG;
	frames->at = FRAMES_HEAD_BYTES;
	frames->number = get(memory + 16, 8);
	return 0;
}

/* What is wrong with the record at a place; NULL: nothing, and the frame is filled. */
static const char *
record_read(const struct frames *frames, size_t at, struct frame *frame)
{
	const uint8_t *record = frames->memory + at;
	size_t left = frames->bytes - at;

	if (left < FRAMES_RECORD_BYTES)
		return "the last record is cut";
	frame->bytes = (uint32_t)get(record, 4);
	if (frame->bytes > FRAMES_PAYLOAD_MAX)
		return "a record is corrupt";
	if (left - FRAMES_RECORD_BYTES < frame->bytes)
		return "the last record is cut";
	if (get(record + 16, 4) != record_sum(record, frame->bytes))
		return "a record is corrupt";
	frame->type = (uint32_t)get(record + 4, 4);
	frame->number = get(record + 8, 8);
	frame->payload = record + FRAMES_RECORD_BYTES;
	return NULL;
}

int
frames_next(struct frames *frames, struct frame *frame)
{
	if (frames->at == frames->bytes)
		return 0;
	frames->why = record_read(frames, frames->at, frame);
	if (!frames->why && frame->number != frames->number)
		frames->why = "records are missing";
	if (frames->why)
		return -EBADMSG;
	frames->at += FRAMES_RECORD_BYTES + frame->bytes;
	frames->number++;
	return 1;
}

bool
frames_torn(const struct frames *frames)
{
	struct frame frame;

	/* A length that is wrong says nothing of where the next record would be, so look everywhere. */
	for (size_t at = frames->at; at + FRAMES_RECORD_BYTES <= frames->bytes; at++) {
		uint64_t number = get(frames->memory + at + 8, 8);

		if (number >= frames->number && number - frames->number <= frames->bytes &&
		    !record_read(frames, at, &frame))
			return false;
	}
	return true;
}
