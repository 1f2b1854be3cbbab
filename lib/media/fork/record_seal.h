/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encrypted recordings: a file that is a log of writes, each sealed with libsodium's secretstream
 * (XChaCha20-Poly1305), so that it only grows, nothing of it can be changed, left out or put into another
 * order unnoticed, and what a crash or a full disk leaves of it can be read up to its last whole chunk.
 *
 *  bytes  what
 *  8      "STWREC\r\n"
 *  4      version, 1, little endian as all numbers
 *  4      most plain bytes of a chunk, SEAL_CHUNK_BYTES
 *  24     header of the secretstream, random
 *  32     BLAKE2b of the 40 bytes before, keyed: says whether a key is the right one
 *  then chunks to the file's end, each 4 bytes of length and so many bytes of a secretstream message:
 *         1 byte of kind, then
 *           0 data   bytes that come next in the plain file
 *           1 zeros  8 bytes: so many zero bytes come next
 *           2 patch  8 bytes: offset; bytes that take the place of those there (a header's sizes)
 *           3 end    8 bytes: length of the plain file; the message has the tag "final"
 *
 * A file without the end was cut. Both keys are derived from the one given (crypto_kdf, context
 * "strowger", 1 for the stream and 2 for the check), which is used for nothing itself.
 *
 * Source: libsodium 1.0.18, crypto_secretstream_xchacha20poly1305; RFC 8439; draft-irtf-cfrg-xchacha.
 */
#ifndef STW_MEDIA_RECORD_SEAL_H
#define STW_MEDIA_RECORD_SEAL_H

#include <stddef.h>
#include <stdint.h>

/** Most bytes of data in a chunk. */
#define SEAL_CHUNK_BYTES 16384

/** Bytes before the first chunk. */
#define SEAL_HEADER_BYTES 72

/** Bytes of a key. */
#define SEAL_KEY_BYTES 32

struct record_seal;

/**
 * Begin an encrypted file.
 *
 * @param out  given: set on success only; free with record_seal_close
 * @param fd   an empty file; taken on success
 * @param key  borrowed; SEAL_KEY_BYTES
 * @return 0
 * @return -ENOMEM  memory cannot be had
 * @return -ENOSPC  the disk is full
 * @return -EIO     the file cannot be written, or libsodium cannot be started
 *
 * Threads: any. Progress: blocking (waits for the file system). Order: none.
 */
int record_seal_open(struct record_seal **out, int fd, const uint8_t *key);

/**
 * Append bytes to the plain file. They are in the encrypted one when their chunk is full or something
 * else is written.
 *
 * @return 0
 * @return -ENOSPC  the disk is full: the file ends with its last whole chunk
 * @return -EIO     the file cannot be written otherwise; the same
 *
 * Threads: one at a time for each file. Progress: blocking (waits for the file system). Order: none.
 */
int record_seal_append(struct record_seal *seal, const void *bytes, size_t count);

/** Append zero bytes. As record_seal_append. */
int record_seal_zeros(struct record_seal *seal, uint64_t count);

/** Change count bytes, at most SEAL_CHUNK_BYTES, that were appended before. As record_seal_append. */
int record_seal_patch(struct record_seal *seal, const void *bytes, size_t count, uint64_t offset);

/** Bytes of the encrypted file so far. Threads: as record_seal_append. */
uint64_t record_seal_bytes(const struct record_seal *seal);

/**
 * Write what is left and the end, unless a write has failed; close the file, free all.
 *
 * @param seal   taken; NULL is fine
 * @param bytes  set to the bytes of the encrypted file; NULL is fine
 * @return 0, or as record_seal_append
 *
 * Threads: one, after the last write. Progress: blocking (waits for the file system). Order: none.
 */
int record_seal_close(struct record_seal *seal, uint64_t *bytes);

#endif
