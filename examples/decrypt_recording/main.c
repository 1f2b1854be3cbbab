/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * decrypt_recording KEY-FILE RECORDING [OUTPUT]
 *
 * Decrypts a recording that a fork made with a key. KEY-FILE has the 32 bytes, or 64 hexadecimal digits.
 * OUTPUT must not exist; without it, or with "-", the plain file goes to standard output.
 *
 * Ends with 0 when the recording is whole; 2 when it was cut and 3 when it was changed: what comes
 * before is in the output; 1 when nothing could be read.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "sinks.h"

#define KEY_TEXT_BYTES (2 * UNSEAL_KEY_BYTES)

/** Read a key; false with a message when there is none. */
static bool
key_read(const char *path, uint8_t key[UNSEAL_KEY_BYTES])
{
	char bytes[KEY_TEXT_BYTES + 3];
	FILE *file = fopen(path, "rb");
	size_t count, read;
	bool found;

	if (!file) {
		fprintf(stderr, "decrypt_recording: %s: %s\n", path, strerror(errno));
		return false;
	}
	setvbuf(file, NULL, _IONBF, 0);
	count = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	found = count == UNSEAL_KEY_BYTES;
	if (found)
		memcpy(key, bytes, UNSEAL_KEY_BYTES);
	while (count > KEY_TEXT_BYTES && isspace((unsigned char)bytes[count - 1]))
		count--;
	if (!found && count == KEY_TEXT_BYTES)
		found = sodium_hex2bin(key, UNSEAL_KEY_BYTES, bytes, count, NULL, &read, NULL) ==
				0 &&
			read == UNSEAL_KEY_BYTES;
	sodium_memzero(bytes, sizeof(bytes));
	if (!found)
		fprintf(stderr,
			"decrypt_recording: %s: neither %d bytes nor %d hexadecimal digits\n", path,
			UNSEAL_KEY_BYTES, KEY_TEXT_BYTES);
	return found;
}

static enum unseal_result
to_file(FILE *recording, const uint8_t *key, const char *path, struct unseal_report *report)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct sink_file file = {.file = fd < 0 ? NULL : fdopen(fd, "wb")};
	struct unseal_sink sink = sink_file(&file);
	enum unseal_result result;
	int written;

	if (!file.file) {
		fprintf(stderr, "decrypt_recording: %s: %s\n", path, strerror(errno));
		return UNSEAL_UNWRITTEN;
	}
	result = unseal(recording, key, &sink, report);
	written = sink_file_end(&file);
	if (fclose(file.file) != 0 || written != 0)
		result = UNSEAL_UNWRITTEN;
	/* Nothing was in it. */
	if (result == UNSEAL_FOREIGN || result == UNSEAL_WRONG_KEY)
		unlink(path);
	return result;
}

static enum unseal_result
to_pipe(FILE *recording, const uint8_t *key, struct unseal_report *report)
{
	struct sink_pipe *pipe = calloc(1, sizeof(*pipe));
	enum unseal_result result;
	struct unseal_sink sink;

	if (!pipe)
		return UNSEAL_UNREAD;
	pipe->file = stdout;
	sink = sink_collect(pipe);
	result = unseal(recording, key, &sink, report);
	if (result <= UNSEAL_CORRUPT) {
		sink = sink_pipe(pipe);
		rewind(recording);
		result = unseal(recording, key, &sink, report);
		if (fflush(stdout) != 0)
			result = UNSEAL_UNWRITTEN;
	}
	free(pipe);
	return result;
}

int
main(int argc, char **argv)
{
	static const int statuses[] = {[UNSEAL_WHOLE] = 0, [UNSEAL_CUT] = 2, [UNSEAL_CORRUPT] = 3};
	uint8_t key[UNSEAL_KEY_BYTES];
	struct unseal_report report = {0};
	enum unseal_result result;
	FILE *recording;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: decrypt_recording KEY-FILE RECORDING [OUTPUT]\n");
		return 1;
	}
	if (sodium_init() < 0 || !key_read(argv[1], key))
		return 1;
	recording = fopen(argv[2], "rb");
	if (!recording) {
		fprintf(stderr, "decrypt_recording: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	result = argc == 4 && strcmp(argv[3], "-") != 0 ? to_file(recording, key, argv[3], &report)
							: to_pipe(recording, key, &report);
	sodium_memzero(key, sizeof(key));
	fclose(recording);
	if (result != UNSEAL_WHOLE)
		fprintf(stderr, "decrypt_recording: %s: %s (byte %llu, %llu plain bytes)\n",
			argv[2], unseal_text(result), (unsigned long long)report.sealed_bytes,
			(unsigned long long)report.plain_bytes);
	return result <= UNSEAL_CORRUPT ? statuses[result] : 1;
}
