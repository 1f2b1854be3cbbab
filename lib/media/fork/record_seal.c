/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer of encrypted recordings.
 */
#include "record_seal.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "record_file.h"

#include "base/base.h"

#define MAGIC   "STWREC\r\n"
#define VERSION 1

/** Bytes of a message beside its data: kind, and the offset of a patch. */
#define MESSAGE_ROOM (1 + sizeof(uint64_t))

/** Bytes of a chunk's length. */
#define LENGTH_BYTES sizeof(uint32_t)

enum seal_kind {
	SEAL_DATA,
	SEAL_ZEROS,
	SEAL_PATCH,
	SEAL_END,
};

struct record_seal {
	crypto_secretstream_xchacha20poly1305_state state;
	int fd;
	int error;                          /**< first failure; 0: none */
	uint64_t bytes;                     /**< of the file, whole chunks */
	uint64_t plain;                     /**< of the plain file */
	size_t data_bytes;                  /**< that wait in `data` */
	uint8_t data[1 + SEAL_CHUNK_BYTES]; /**< kind, then data to be sealed */
	uint8_t chunk[LENGTH_BYTES + MESSAGE_ROOM + SEAL_CHUNK_BYTES +
		      crypto_secretstream_xchacha20poly1305_ABYTES];
};

static void
put_u32(uint8_t *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static void
put_u64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

/** Write at the file's end; what was written of it in vain is cut off. */
static int
file_append(struct record_seal *seal, const void *bytes, size_t count)
{
	int error = record_file_write(seal->fd, bytes, count, seal->bytes);

	if (error == 0) {
		seal->bytes += count;
		return 0;
	}
	if (ftruncate(seal->fd, (off_t)seal->bytes) != 0)
		error = -EIO;
	seal->error = error;
	return error;
}

/** Seal a message and write its chunk. */
static int
message_write(struct record_seal *seal, const uint8_t *message, size_t count, uint8_t tag)
{
	size_t sealed = count + crypto_secretstream_xchacha20poly1305_ABYTES;

	put_u32(seal->chunk, (uint32_t)sealed);
	crypto_secretstream_xchacha20poly1305_push(&seal->state, seal->chunk + LENGTH_BYTES, NULL,
						   message, count, NULL, 0, tag);
	return file_append(seal, seal->chunk, LENGTH_BYTES + sealed);
}

static int
data_flush(struct record_seal *seal)
{
	size_t count = seal->data_bytes;

	if (seal->error || count == 0)
		return seal->error;
	seal->data_bytes = 0;
	return message_write(seal, seal->data, 1 + count,
			     crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
}

/** A message of a number. */
static int
number_write(struct record_seal *seal, enum seal_kind kind, uint64_t number)
{
	uint8_t message[MESSAGE_ROOM] = {(uint8_t)kind};
	int error = data_flush(seal);

	if (error)
		return error;
	put_u64(message + 1, number);
	return message_write(seal, message, sizeof(message),
			     kind == SEAL_END ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
					      : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
}

static int
header_write(struct record_seal *seal, const uint8_t *key)
{
	static const char context[crypto_kdf_CONTEXTBYTES + 1] = "strowger";
	uint8_t header[SEAL_HEADER_BYTES] = MAGIC, derived[SEAL_KEY_BYTES];
	const size_t before = SEAL_HEADER_BYTES - crypto_generichash_BYTES;
	int error;

	put_u32(header + 8, VERSION);
	put_u32(header + 12, SEAL_CHUNK_BYTES);
	crypto_kdf_derive_from_key(derived, sizeof(derived), 1, context, key);
	crypto_secretstream_xchacha20poly1305_init_push(&seal->state, header + 16, derived);
	crypto_kdf_derive_from_key(derived, sizeof(derived), 2, context, key);
	crypto_generichash(header + before, crypto_generichash_BYTES, header, before, derived,
			   sizeof(derived));
	error = file_append(seal, header, sizeof(header));
	sodium_memzero(derived, sizeof(derived));
	return error;
}

int
record_seal_open(struct record_seal **out, int fd, const uint8_t *key)
{
	struct record_seal *seal;
	int error;

	static_assert(SEAL_KEY_BYTES == crypto_kdf_KEYBYTES,
		      "a key is what libsodium derives from");
	if (sodium_init() < 0)
		return -EIO;
	seal = calloc(1, sizeof(*seal));
	if (!seal)
		return -ENOMEM;
	seal->fd = fd;
	seal->data[0] = SEAL_DATA;
	error = header_write(seal, key);
	if (error) {
		sodium_memzero(seal, sizeof(*seal));
		free(seal);
		return error;
	}
	*out = seal;
	return 0;
}

int
record_seal_append(struct record_seal *seal, const void *bytes, size_t count)
{
	const uint8_t *place = bytes;

	while (count > 0 && !seal->error) {
		size_t room = SEAL_CHUNK_BYTES - seal->data_bytes;
		size_t now = count < room ? count : room;

		memcpy(seal->data + 1 + seal->data_bytes, place, now);
		seal->data_bytes += now;
		seal->plain += now;
		place += now;
		count -= now;
		if (seal->data_bytes == SEAL_CHUNK_BYTES)
			data_flush(seal);
	}
	return seal->error;
}

int
record_seal_zeros(struct record_seal *seal, uint64_t count)
{
	seal->plain += count;
	return number_write(seal, SEAL_ZEROS, count);
}

int
record_seal_patch(struct record_seal *seal, const void *bytes, size_t count, uint64_t offset)
{
	uint8_t message[MESSAGE_ROOM + SEAL_CHUNK_BYTES] = {SEAL_PATCH};
	int error = data_flush(seal);

	if (error)
		return error;
	STW_ASSERT(count <= SEAL_CHUNK_BYTES);
	STW_ASSERT(offset + count <= seal->plain);
	put_u64(message + 1, offset);
	memcpy(message + MESSAGE_ROOM, bytes, count);
	return message_write(seal, message, MESSAGE_ROOM + count,
			     crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
}

uint64_t
record_seal_bytes(const struct record_seal *seal)
{
	return seal->bytes;
}

int
record_seal_close(struct record_seal *seal, uint64_t *bytes)
{
	int error;

	if (!seal)
		return 0;
	/* The end comes behind data that wait, and after no failure. */
	error = number_write(seal, SEAL_END, seal->plain);
	if (close(seal->fd) != 0 && !error)
		error = record_file_error(errno);
	if (bytes)
		*bytes = seal->bytes;
	sodium_memzero(seal, sizeof(*seal));
	free(seal);
	return error;
}
