/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader of encrypted recordings: header, then chunks, each opened before anything of it is believed.
 *
 * Source: libsodium 1.0.18, crypto_secretstream_xchacha20poly1305.
 */
#include "unseal.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define HEADER_BYTES  72
#define CHECK_OFFSET  40
#define STREAM_OFFSET 16
#define VERSION       1

/** Most plain bytes of a chunk that a file may ask for. */
#define CHUNK_BYTES_MAX (1u << 20)

/** Bytes of a message beside data: kind and number. */
#define KIND_BYTES   1
#define NUMBER_BYTES 8

#define SEALED_ROOM crypto_secretstream_xchacha20poly1305_ABYTES

struct reader {
	FILE *file;
	const struct unseal_sink *sink;
	struct unseal_report *report;
	crypto_secretstream_xchacha20poly1305_state state;
	uint32_t message_max;
	uint8_t *sealed;
	uint8_t *message;
};

static uint32_t
get_u32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t
get_u64(const uint8_t *at)
{
	return get_u32(at) | (uint64_t)get_u32(at + 4) << 32;
}

/** Read count bytes; WHOLE, CUT when there are fewer, UNREAD. */
static enum unseal_result
take(FILE *file, void *bytes, size_t count)
{
	if (fread(bytes, 1, count, file) == count)
		return UNSEAL_WHOLE;
	return ferror(file) ? UNSEAL_UNREAD : UNSEAL_CUT;
}

/** Look at the header and derive the stream's key. */
static enum unseal_result
header_read(struct reader *reader, const uint8_t *key)
{
	static const char magic[8] = {'S', 'T', 'W', 'R', 'E', 'C', '\r', '\n'};
	uint8_t header[HEADER_BYTES], derived[crypto_kdf_KEYBYTES], check[crypto_generichash_BYTES];
	enum unseal_result result = take(reader->file, header, sizeof(magic));

	if (result != UNSEAL_WHOLE)
		return result == UNSEAL_CUT ? UNSEAL_FOREIGN : result;
	if (memcmp(header, magic, sizeof(magic)) != 0)
		return UNSEAL_FOREIGN;
	result = take(reader->file, header + sizeof(magic), HEADER_BYTES - sizeof(magic));
	if (result != UNSEAL_WHOLE)
		return result;
	crypto_kdf_derive_from_key(derived, sizeof(derived), 2, "strowger", key);
	crypto_generichash(check, sizeof(check), header, CHECK_OFFSET, derived, sizeof(derived));
	/* The version first: a later one may have another check. */
	if (get_u32(header + 8) != VERSION)
		result = UNSEAL_FOREIGN;
	else if (sodium_memcmp(check, header + CHECK_OFFSET, sizeof(check)) != 0)
		result = UNSEAL_WRONG_KEY;
	else if (get_u32(header + 12) == 0 || get_u32(header + 12) > CHUNK_BYTES_MAX)
		result = UNSEAL_FOREIGN;
	reader->message_max = get_u32(header + 12) + KIND_BYTES + NUMBER_BYTES;
	crypto_kdf_derive_from_key(derived, sizeof(derived), 1, "strowger", key);
	if (crypto_secretstream_xchacha20poly1305_init_pull(&reader->state, header + STREAM_OFFSET,
							    derived) != 0)
		result = UNSEAL_WRONG_KEY;
	sodium_memzero(derived, sizeof(derived));
	if (result == UNSEAL_WHOLE)
		reader->report->sealed_bytes = HEADER_BYTES;
	return result;
}

/** Read and open the next chunk. */
static enum unseal_result
chunk_read(struct reader *reader, size_t *message_bytes, uint8_t *tag)
{
	unsigned long long opened;
	uint8_t length[4];
	uint32_t sealed;
	enum unseal_result result = take(reader->file, length, sizeof(length));

	if (result != UNSEAL_WHOLE)
		return result;
	sealed = get_u32(length);
	if (sealed < SEALED_ROOM + KIND_BYTES || sealed > SEALED_ROOM + reader->message_max)
		return UNSEAL_CORRUPT;
	result = take(reader->file, reader->sealed, sealed);
	if (result != UNSEAL_WHOLE)
		return result;
	if (crypto_secretstream_xchacha20poly1305_pull(&reader->state, reader->message, &opened,
						       tag, reader->sealed, sealed, NULL, 0) != 0)
		return UNSEAL_CORRUPT;
	*message_bytes = (size_t)opened;
	reader->report->sealed_bytes += sizeof(length) + sealed;
	return UNSEAL_WHOLE;
}

/** Give a message to the sink. An end says how long the plain file is. */
static enum unseal_result
message_give(struct reader *reader, size_t bytes)
{
	const struct unseal_sink *sink = reader->sink;
	struct unseal_report *report = reader->report;
	const uint8_t *rest = reader->message + KIND_BYTES;
	size_t rest_bytes = bytes - KIND_BYTES;
	uint64_t number = rest_bytes >= NUMBER_BYTES ? get_u64(rest) : 0;
	int refused;

	if (reader->message[0] == 0) {
		refused = sink->data(sink->context, rest, rest_bytes);
		report->plain_bytes += refused ? 0 : rest_bytes;
		return refused ? UNSEAL_UNWRITTEN : UNSEAL_WHOLE;
	}
	if (rest_bytes < NUMBER_BYTES)
		return UNSEAL_CORRUPT;
	switch (reader->message[0]) {
	case 1:
		if (number > UINT64_MAX - report->plain_bytes)
			return UNSEAL_CORRUPT;
		refused = sink->zeros(sink->context, number);
		report->plain_bytes += refused ? 0 : number;
		break;
	case 2:
		if (number > report->plain_bytes ||
		    rest_bytes - NUMBER_BYTES > report->plain_bytes - number)
			return UNSEAL_CORRUPT;
		refused = sink->patch(sink->context, number, rest + NUMBER_BYTES,
				      rest_bytes - NUMBER_BYTES);
		break;
	case 3:
		return number == report->plain_bytes ? UNSEAL_WHOLE : UNSEAL_CORRUPT;
	default:
		return UNSEAL_CORRUPT;
	}
	return refused ? UNSEAL_UNWRITTEN : UNSEAL_WHOLE;
}

static enum unseal_result
chunks_read(struct reader *reader)
{
	for (;;) {
		enum unseal_result result;
		size_t bytes;
		uint8_t tag;
		int end;

		result = chunk_read(reader, &bytes, &tag);
		if (result == UNSEAL_WHOLE)
			result = message_give(reader, bytes);
		if (result != UNSEAL_WHOLE)
			return result;
		end = reader->message[0] == 3;
		if (end != (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL))
			return UNSEAL_CORRUPT;
		if (end)
			return fgetc(reader->file) == EOF ? UNSEAL_WHOLE : UNSEAL_CORRUPT;
	}
}

enum unseal_result
unseal(FILE *file, const uint8_t key[UNSEAL_KEY_BYTES], const struct unseal_sink *sink,
       struct unseal_report *report)
{
	struct reader reader = {.file = file, .sink = sink, .report = report};
	enum unseal_result result;

	*report = (struct unseal_report){0};
	if (sodium_init() < 0)
		return UNSEAL_UNREAD;
	result = header_read(&reader, key);
	if (result != UNSEAL_WHOLE)
		goto end;
	reader.sealed = malloc(SEALED_ROOM + reader.message_max);
	reader.message = malloc(reader.message_max);
	result = reader.sealed && reader.message ? chunks_read(&reader) : UNSEAL_UNREAD;
	if (reader.message)
		sodium_memzero(reader.message, reader.message_max);
	free(reader.sealed);
	free(reader.message);
end:
	sodium_memzero(&reader.state, sizeof(reader.state));
	return result;
}

const char *
unseal_text(enum unseal_result result)
{
	switch (result) {
	case UNSEAL_WHOLE:
		return "whole";
	case UNSEAL_CUT:
		return "cut: it ends before its end; what could be read is right";
	case UNSEAL_CORRUPT:
		return "corrupt: it was changed; what comes before is right";
	case UNSEAL_FOREIGN:
		return "no encrypted recording, or of a later version";
	case UNSEAL_WRONG_KEY:
		return "wrong key, or its beginning was changed";
	case UNSEAL_UNREAD:
		return "it cannot be read";
	default:
		return "the output cannot be written";
	}
}
