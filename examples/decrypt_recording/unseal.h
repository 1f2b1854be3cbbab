/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader of encrypted recordings. It was written from the description of the format in
 * lib/media/fork/record_seal.h and shares no code with the writer, so that each checks the other.
 */
#ifndef UNSEAL_H
#define UNSEAL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Bytes of a key. */
#define UNSEAL_KEY_BYTES 32

/** What became of a file. */
enum unseal_result {
	UNSEAL_WHOLE,     /**< all of it was read, and it is as it was written */
	UNSEAL_CUT,       /**< it ends before its end: what was given out is right */
	UNSEAL_CORRUPT,   /**< it was changed: what was given out before is right */
	UNSEAL_FOREIGN,   /**< it is no encrypted recording, or of a later version */
	UNSEAL_WRONG_KEY, /**< the key is another one, or the first 72 bytes were changed */
	UNSEAL_UNREAD,    /**< it cannot be read, or there is no memory */
	UNSEAL_UNWRITTEN, /**< the sink refused */
};

/** Where the plain bytes go. A function returns 0, or -1 when it cannot take them. */
struct unseal_sink {
	void *context;
	int (*data)(void *context, const uint8_t *bytes, size_t count); /**< they come next */
	int (*zeros)(void *context, uint64_t count); /**< so many zeros come next */
	/** They take the place of some that came. */
	int (*patch)(void *context, uint64_t offset, const uint8_t *bytes, size_t count);
};

/** How far it was read. */
struct unseal_report {
	uint64_t sealed_bytes; /**< of whole chunks; where the trouble begins, if there is any */
	uint64_t plain_bytes;  /**< given to the sink */
};

/** Read a file from where it stands to its end. Threads: any, one for each file. */
enum unseal_result unseal(FILE *file, const uint8_t key[UNSEAL_KEY_BYTES],
			  const struct unseal_sink *sink, struct unseal_report *report);

/** What a result means, for people. */
const char *unseal_text(enum unseal_result result);

#endif
