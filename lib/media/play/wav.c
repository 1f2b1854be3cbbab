/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * WAV files in memory. Every length is held against what is left of the file before it is used.
 */
#include "wav.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/** Bytes of "RIFF", size, "WAVE"; of a chunk's name and size. */
#define RIFF_HEADER_BYTES  12
#define CHUNK_HEADER_BYTES 8

/** Bytes of a format chunk that all have, and of one with a coding given by GUID. */
#define FORMAT_BYTES          16
#define FORMAT_EXTENDED_BYTES 40

/** Coding number that says: see the GUID, which begins with the coding's number. */
#define CODING_EXTENDED 0xfffe

/** One chunk, as far as the file holds it. */
struct chunk {
	const uint8_t *body;
	size_t bytes;
};

static uint32_t
read_16(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t
read_32(const uint8_t *bytes)
{
	return read_16(bytes) | read_16(bytes + 2) << 16;
}

/* Find the format and the data; the first of each counts. */
static bool
chunks_find(const uint8_t *file, size_t file_bytes, struct chunk *format, struct chunk *data)
{
	const uint8_t *place = file + RIFF_HEADER_BYTES;
	size_t left = file_bytes - RIFF_HEADER_BYTES;

	while (left >= CHUNK_HEADER_BYTES && !(format->body && data->body)) {
		struct chunk chunk = {place + CHUNK_HEADER_BYTES, read_32(place + 4)};
		size_t skip;

		left -= CHUNK_HEADER_BYTES;
		skip = chunk.bytes < left ? chunk.bytes + (chunk.bytes & 1) : left;
		if (chunk.bytes > left)
			chunk.bytes = left;
		if (!format->body && memcmp(place, "fmt ", 4) == 0)
			*format = chunk;
		else if (!data->body && memcmp(place, "data", 4) == 0)
			*data = chunk;
		place = chunk.body + skip;
		left -= skip;
	}
	return format->body && format->bytes >= FORMAT_BYTES && data->body;
}

static int
format_read(const struct chunk *format, enum wav_coding *coding)
{
	static const uint8_t guid_rest[14] = {0, 0, 0,    0, 0x10, 0,    0x80,
					      0, 0, 0xaa, 0, 0x38, 0x9b, 0x71};
	uint32_t number = read_16(format->body);
	uint32_t width = read_16(format->body + 14);

	if (number == CODING_EXTENDED) {
		if (format->bytes < FORMAT_EXTENDED_BYTES)
			return -EINVAL;
		if (memcmp(format->body + 26, guid_rest, sizeof(guid_rest)) != 0)
			return -ENOTSUP;
		number = read_16(format->body + 24);
	}
	if (number != WAV_PCM16 && number != WAV_PCMA && number != WAV_PCMU)
		return -ENOTSUP;
	if (width != (number == WAV_PCM16 ? 16 : 8))
		return -ENOTSUP;
	if (read_16(format->body + 2) != 1 || read_32(format->body + 4) != WAV_RATE_HZ)
		return -ENOTSUP;
	*coding = (enum wav_coding)number;
	return 0;
}

int
wav_parse(const uint8_t *file, size_t file_bytes, struct wav *wav)
{
	struct chunk format = {NULL, 0}, data = {NULL, 0};
	enum wav_coding coding;
	int error;

	if (file_bytes < RIFF_HEADER_BYTES || memcmp(file, "RIFF", 4) != 0 ||
	    memcmp(file + 8, "WAVE", 4) != 0)
		return -EINVAL;
	if (!chunks_find(file, file_bytes, &format, &data))
		return -EINVAL;
	error = format_read(&format, &coding);
	if (error)
		return error;
	wav->coding = coding;
	wav->data = data.body;
	wav->samples = coding == WAV_PCM16 ? data.bytes / 2 : data.bytes;
	return 0;
}

static uint8_t *
write_16(uint8_t *place, uint32_t value)
{
	place[0] = (uint8_t)value;
	place[1] = (uint8_t)(value >> 8);
	return place + 2;
}

static uint8_t *
write_32(uint8_t *place, uint32_t value)
{
	return write_16(write_16(place, value), value >> 16);
}

void
wav_header_write(uint8_t header[WAV_HEADER_BYTES], uint16_t channels, uint32_t data_bytes)
{
	uint8_t *place = header;

	memcpy(place, "RIFF", 4);
	place = write_32(place + 4, data_bytes + WAV_HEADER_BYTES - CHUNK_HEADER_BYTES);
	memcpy(place, "WAVEfmt ", 8);
	place = write_32(place + 8, FORMAT_BYTES);
	place = write_16(place, WAV_PCM16);
	place = write_16(place, channels);
	place = write_32(place, WAV_RATE_HZ);
	place = write_32(place, WAV_RATE_HZ * 2 * channels);
	place = write_16(place, 2 * channels);
	place = write_16(place, 16);
	memcpy(place, "data", 4);
	write_32(place + 4, data_bytes);
}
