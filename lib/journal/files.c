/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of a journal's directory; how they are named is told in the header.
 */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS 16

static const char *
prefix_of(enum frames_kind kind)
{
	return kind == FRAMES_JOURNAL ? "journal-" : "snapshot-";
}

void
files_name(char name[FILES_NAME_BYTES], enum frames_kind kind, uint64_t number)
{
	snprintf(name, FILES_NAME_BYTES, "%s%016" PRIx64, prefix_of(kind), number);
}

int
files_directory(const char *path, bool make)
{
	int directory;

	if (make && mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return directory < 0 ? -errno : directory;
}

/* Whether a name is that of a whole file of the kind, and which. */
static bool
name_read(const char *name, enum frames_kind kind, uint64_t *number)
{
	const char *prefix = prefix_of(kind);
	size_t length = strlen(prefix);

	if (strncmp(name, prefix, length) || strlen(name) != length + DIGITS ||
	    strspn(name + length, "0123456789abcdef") != DIGITS)
		return false;
	*number = strtoull(name + length, NULL, 16);
	return true;
}

static int
compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static int
files_add(struct files *files, uint64_t number)
{
	uint64_t *numbers;

	numbers = realloc(files->numbers, (files->count + 1) * sizeof(*numbers));
	if (!numbers)
		return -ENOMEM;
	files->numbers = numbers;
	numbers[files->count++] = number;
	return 0;
}

int
files_list(int directory, enum frames_kind kind, struct files *files)
{
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	uint64_t number;
	int error = stream ? 0 : -errno;

	*files = (struct files){.count = 0};
	if (!stream) {
		if (copy >= 0)
			close(copy);
		return error;
	}
	while (!error && (entry = readdir(stream)))
		if (name_read(entry->d_name, kind, &number))
			error = files_add(files, number);
	closedir(stream);
	if (error)
		files_free(files);
	else if (files->count)
		qsort(files->numbers, files->count, sizeof(*files->numbers), compare_numbers);
	return error;
}

void
files_free(struct files *files)
{
	free(files->numbers);
	*files = (struct files){.count = 0};
}

/* Read up to `bytes`; the file may have become longer or shorter meanwhile. */
static ssize_t
read_all(int file, uint8_t *memory, size_t bytes)
{
	size_t have = 0;

	while (have < bytes) {
		ssize_t got = read(file, memory + have, bytes - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

void
files_memory_free(struct file_bytes *file)
{
	free(file->memory);
	file->memory = NULL;
}

/* Read a file into memory of its size. */
static ssize_t
memory_alloc(int descriptor, struct file_bytes *file)
{
	struct stat status;
	ssize_t got;

	if (fstat(descriptor, &status))
		return -errno;
	file->memory = malloc((size_t)status.st_size + 1);
	if (!file->memory)
		return -ENOMEM;
	got = read_all(descriptor, file->memory, (size_t)status.st_size);
	if (got < 0)
		files_memory_free(file);
	return got;
}

int
files_read(int directory, enum frames_kind kind, uint64_t number, struct file_bytes *file)
{
	ssize_t got;
	int descriptor;

	files_name(file->name, kind, number);
	descriptor = openat(directory, file->name, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return -errno;
	got = memory_alloc(descriptor, file);
	close(descriptor);
	if (got < 0)
		return (int)got;
	file->bytes = (size_t)got;
	return 0;
}

static int
drop(int directory, enum frames_kind kind, uint64_t number)
{
	char name[FILES_NAME_BYTES];

	files_name(name, kind, number);
	return unlinkat(directory, name, 0) && errno != ENOENT ? -errno : 0;
}

int
files_drop(int directory, uint64_t through)
{
	struct files files;
	int error = files_list(directory, FRAMES_SNAPSHOT, &files);

	if (error)
		return error;
	for (uint32_t i = 0; i < files.count && !error; i++)
		if (files.numbers[i] < through)
			error = drop(directory, FRAMES_SNAPSHOT, files.numbers[i]);
	files_free(&files);
	if (!error)
		error = files_list(directory, FRAMES_JOURNAL, &files);
	if (error)
		return error;
	/* The last file is the one that is written; a file before it ends where the next begins. */
	for (uint32_t i = 0; i + 1 < files.count && !error; i++)
		if (files.numbers[i + 1] <= through + 1)
			error = drop(directory, FRAMES_JOURNAL, files.numbers[i]);
	files_free(&files);
	return error;
}
