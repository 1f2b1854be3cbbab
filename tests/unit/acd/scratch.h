/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A directory for one test's files.
 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "acd/snapshot.h"
#include "journal/files.h"

static char scratch[64];

static inline void
scratch_make(void)
{
	snprintf(scratch, sizeof(scratch), "/tmp/strowger-journal-XXXXXX");
	cr_assert_not_null(mkdtemp(scratch));
}

/* Remove files whose name begins so, or only count them. */
static inline unsigned
scratch_walk(const char *prefix, bool remove_them)
{
	DIR *folder = opendir(scratch);
	struct dirent *entry;
	unsigned count = 0;

	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		count++;
		if (remove_them)
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
	if (folder)
		closedir(folder);
	return count;
}

static inline unsigned
scratch_files(const char *prefix)
{
	return scratch_walk(prefix, false);
}

static inline void
scratch_clear(void)
{
	scratch_walk("", true);
}

static inline void
scratch_remove(void)
{
	scratch_clear();
	rmdir(scratch);
}

static inline void
scratch_path(char path[200], const char *name)
{
	snprintf(path, 200, "%s/%s", scratch, name);
}

static inline char *
scratch_read(const char *name, size_t *bytes)
{
	char *memory = malloc(1 << 20);
	char path[200];
	FILE *file;

	scratch_path(path, name);
	file = fopen(path, "rb");
	cr_assert_not_null(file, "%s", path);
	*bytes = fread(memory, 1, 1 << 20, file);
	fclose(file);
	return memory;
}

static inline void
scratch_write(const char *name, const char *memory, size_t bytes)
{
	char path[200];
	FILE *file;

	scratch_path(path, name);
	file = fopen(path, "wb");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(memory, 1, bytes, file), bytes);
	fclose(file);
}

static inline void
scratch_unlink(const char *name)
{
	char path[200];

	scratch_path(path, name);
	cr_assert_eq(unlink(path), 0);
}

#endif
