/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time zones: a table of changes from a TZif file, and the rule at its end for what comes after.
 *
 * Everything in the file is checked before it is believed: counts against the bytes there are, times for their
 * order, types and offsets for their range. Abbreviations, and whether times were told in local time, are passed over.
 */
#include "zone.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "zone_rule.h"

#define HEADER_BYTES     44
#define TYPE_BYTES       6
#define NAME_BYTES_MAX   255
#define ZONE_FOLDER      "/usr/share/zoneinfo"
#define FILE_VERSION_MAX '4'

/* From this instant on, local time is so far ahead. */
struct change {
	int64_t at_s;
	int32_t offset_s;
};

struct zone {
	struct zone_rule rule;
	bool has_rule;
	int32_t first_offset_s; /* before the first change */
	uint32_t count;
	struct change changes[];
};

/* What is left of a file. */
struct reader {
	const uint8_t *at;
	size_t left;
};

/* Counts of a header, in the file's order; and the size of times in its block. */
struct header {
	uint8_t version;
	uint8_t time_bytes;
	uint32_t ut_flags, standard_flags, leaps, times, types, chars;
};

/* A block's parts. */
struct block {
	const uint8_t *times, *indices, *types;
};

static const uint8_t *
take(struct reader *reader, uint64_t bytes)
{
	const uint8_t *at = reader->at;

	if (bytes > reader->left)
		return NULL;
	reader->at += bytes;
	reader->left -= bytes;
	return at;
}

static int64_t
read_time(const uint8_t *at, unsigned bytes)
{
	if (bytes == 4)
		return (int32_t)bytes_read32(at);
	return (int64_t)((uint64_t)bytes_read32(at) << 32 | bytes_read32(at + 4));
}

static bool
take_header(struct reader *reader, unsigned time_bytes, struct header *header)
{
	const uint8_t *at = take(reader, HEADER_BYTES);

	if (!at || memcmp(at, "TZif", 4))
		return false;
	*header = (struct header){
		.version = at[4],
		.time_bytes = (uint8_t)time_bytes,
		.ut_flags = bytes_read32(at + 20),
		.standard_flags = bytes_read32(at + 24),
		.leaps = bytes_read32(at + 28),
		.times = bytes_read32(at + 32),
		.types = bytes_read32(at + 36),
		.chars = bytes_read32(at + 40),
	};
	return header->version == 0 ||
	       (header->version >= '2' && header->version <= FILE_VERSION_MAX);
}

static bool
take_block(struct reader *reader, const struct header *header, struct block *block)
{
	uint64_t times = header->times;
	uint64_t rest = header->chars + (uint64_t)header->leaps * (header->time_bytes + 4u) +
			header->standard_flags + header->ut_flags;

	block->times = take(reader, times * header->time_bytes);
	if (!block->times)
		return false;
	block->indices = take(reader, times);
	if (!block->indices)
		return false;
	block->types = take(reader, (uint64_t)header->types * TYPE_BYTES);
	return block->types && take(reader, rest);
}

static bool
header_valid(const struct header *header)
{
	return header->types && header->types <= 256 && header->chars &&
	       (!header->ut_flags || header->ut_flags == header->types) &&
	       (!header->standard_flags || header->standard_flags == header->types);
}

/* Offset of a type; false: the type is not valid. */
static bool
type_offset(const struct header *header, const struct block *block, uint32_t type,
	    int32_t *offset_s)
{
	const uint8_t *at = block->types + (size_t)type * TYPE_BYTES;

	if (type >= header->types)
		return false;
	*offset_s = (int32_t)bytes_read32(at);
	return *offset_s >= ZONE_OFFSET_MIN && *offset_s <= ZONE_OFFSET_MAX && at[4] <= 1 &&
	       at[5] < header->chars;
}

static bool
changes_read(struct zone *zone, const struct header *header, const struct block *block)
{
	int32_t ignored;

	for (uint32_t type = 0; type < header->types; type++)
		if (!type_offset(header, block, type, &ignored))
			return false;
	/* RFC 8536 3.2: the first type holds before the first change. */
	if (!type_offset(header, block, 0, &zone->first_offset_s))
		return false;
	for (uint32_t i = 0; i < header->times; i++) {
		struct change *change = &zone->changes[i];

		change->at_s = read_time(block->times + (size_t)i * header->time_bytes,
					 header->time_bytes);
		if (i && change->at_s <= zone->changes[i - 1].at_s)
			return false;
		if (!type_offset(header, block, block->indices[i], &change->offset_s))
			return false;
	}
	zone->count = header->times;
	return true;
}

/* The last line: a rule, or nothing. */
static bool
footer_read(struct zone *zone, struct reader *reader)
{
	if (reader->left < 2 || reader->at[0] != '\n' || reader->at[reader->left - 1] != '\n')
		return false;
	if (reader->left == 2)
		return true;
	zone->has_rule = true;
	return zone_rule_parse(&zone->rule, (const char *)reader->at + 1, reader->left - 2);
}

/* Go to the block that counts: the second one, with 64-bit times, if there is one. */
static bool
find_block(struct reader *reader, struct header *header, struct block *block)
{
	if (!take_header(reader, 4, header) || !take_block(reader, header, block))
		return false;
	if (!header->version)
		return header_valid(header);
	return take_header(reader, 8, header) && header->version && header_valid(header) &&
	       take_block(reader, header, block);
}

int
zone_create(struct zone **out, const uint8_t *bytes, size_t count)
{
	struct reader reader = {bytes, count};
	struct header header;
	struct block block;
	struct zone *zone;

	if (count > ZONE_FILE_BYTES_MAX || !find_block(&reader, &header, &block))
		return -EBADMSG;
	if (header.leaps)
		return -ENOTSUP;
	zone = calloc(1, sizeof(*zone) + header.times * sizeof(struct change));
	if (!zone)
		return -ENOMEM;
	if (!changes_read(zone, &header, &block) ||
	    (header.version ? !footer_read(zone, &reader) : reader.left)) {
		zone_free(zone);
		return -EBADMSG;
	}
	*out = zone;
	return 0;
}

/* Not a way out of the folder, nor a hidden file. */
static bool
name_valid(const char *name)
{
	size_t length = strnlen(name, NAME_BYTES_MAX + 1);

	if (!length || length > NAME_BYTES_MAX || name[length - 1] == '/')
		return false;
	for (size_t i = 0; i < length; i++) {
		bool begins = !i || name[i - 1] == '/';

		if (begins && (name[i] == '/' || name[i] == '.'))
			return false;
	}
	return true;
}

static int
file_open(const char *name, FILE **file)
{
	const char *folder = secure_getenv("TZDIR");
	char path[PATH_MAX];

	if (!folder || !*folder)
		folder = ZONE_FOLDER;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
		return -ENOENT;
	*file = fopen(path, "rbe");
	if (*file)
		return 0;
	return errno == ENOENT || errno == ENOTDIR ? -ENOENT : -EIO;
}

static int
utc_create(struct zone **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

int
zone_open(struct zone **out, const char *name)
{
	uint8_t *bytes;
	size_t count;
	FILE *file;
	int error;

	if (!name)
		return utc_create(out);
	if (!name_valid(name))
		return -EINVAL;
	error = file_open(name, &file);
	if (error)
		return error;
	bytes = malloc(ZONE_FILE_BYTES_MAX + 1);
	if (!bytes) {
		fclose(file);
		return -ENOMEM;
	}
	count = fread(bytes, 1, ZONE_FILE_BYTES_MAX + 1, file);
	/* A folder can be opened, but not read: a region is not a zone. */
	error = !ferror(file) ? zone_create(out, bytes, count) : errno == EISDIR ? -ENOENT : -EIO;
	fclose(file);
	free(bytes);
	return error;
}

void
zone_free(struct zone *zone)
{
	free(zone);
}

int32_t
zone_offset(const struct zone *zone, int64_t unix_s, int64_t *until_s)
{
	uint32_t low = 0;
	uint32_t high = zone->count;

	/* Changes up to the instant. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (zone->changes[middle].at_s <= unix_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->count && zone->has_rule)
		return zone_rule_offset(&zone->rule, unix_s, until_s);
	*until_s = low < zone->count ? zone->changes[low].at_s : INT64_MAX;
	return low ? zone->changes[low - 1].offset_s : zone->first_offset_s;
}
