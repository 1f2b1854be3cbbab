/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target over the files of a folder without libFuzzer: each file whole, cut at every
 * length, and with every single byte inverted. Ends with Criterion's closing line.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

/** Largest file of a corpus. */
#define FILE_BYTES_MAX 4096

/* From an allocation of just that size, so that AddressSanitizer sees a byte too far. */
static void
run_exact(const uint8_t *bytes, size_t count)
{
	uint8_t *copy = malloc(count ? count : 1);

	memcpy(copy, bytes, count);
	LLVMFuzzerTestOneInput(copy, count);
	free(copy);
}

static int
replay(const char *path)
{
	uint8_t bytes[FILE_BYTES_MAX + 1];
	FILE *file = fopen(path, "rb");
	size_t count;

	if (!file)
		return -1;
	count = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (count > FILE_BYTES_MAX)
		return -1;
	for (size_t cut = 0; cut <= count; cut++)
		run_exact(bytes, cut);
	for (size_t place = 0; place < count; place++) {
		bytes[place] ^= 0xff;
		run_exact(bytes, count);
		bytes[place] ^= 0xff;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	unsigned tested = 0, failing = 0;
	struct dirent *entry;
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	char path[4096];

	if (!folder) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		tested++;
		if (replay(path)) {
			printf("%s: cannot be read, or above %d bytes\n", path, FILE_BYTES_MAX);
			failing++;
		}
	}
	closedir(folder);
	printf("[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: 0 \n", tested,
	       tested - failing, failing);
	return failing > 0 || tested == 0;
}
