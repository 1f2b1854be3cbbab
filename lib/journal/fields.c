/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tagged fields; the form is told in the header.
 */
#include "fields.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Bytes that are read one after the other. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

static uint8_t *
number_write(uint8_t *out, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		*out++ = (uint8_t)(number | 0x80);
	*out++ = (uint8_t)number;
	return out;
}

static bool
number_read(struct cursor *cursor, uint64_t *number)
{
	*number = 0;
	for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
		uint64_t byte = *cursor->at++;

		if (shift == 63 && byte > 1)
			return false;
		*number |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static uint64_t
member_read(const struct field *field, const void *object)
{
	const char *member = (const char *)object + field->offset;
	uint64_t number = 0;
	unsigned spare = 64 - 8 * field->bytes;

	/* Little-endian, as all machines that the library runs on. */
	memcpy(&number, member, field->bytes);
	if (field->kind != FIELD_SIGNED)
		return number;
	number = (uint64_t)((int64_t)(number << spare) >> spare);
	return number << 1 ^ (uint64_t)((int64_t)number >> 63);
}

static bool
member_write(const struct field *field, void *object, uint64_t number)
{
	uint64_t value = number;

	if (field->bytes < 8 && number >> 8 * field->bytes)
		return false;
	if (field->kind == FIELD_SIGNED)
		value = number >> 1 ^ (0 - (number & 1));
	memcpy((char *)object + field->offset, &value, field->bytes);
	return true;
}

size_t
fields_write(const struct field *fields, size_t count, const void *object, uint8_t *out)
{
	uint8_t *at = out;

	for (const struct field *field = fields; field < fields + count; field++) {
		const char *text = (const char *)object + field->offset;
		uint64_t number = field->kind == FIELD_TEXT ? strnlen(text, field->bytes - 1u)
							    : member_read(field, object);

		if (!number)
			continue;
		at = number_write(at, (uint64_t)field->tag * 2 + (field->kind == FIELD_TEXT));
		at = number_write(at, number);
		if (field->kind == FIELD_TEXT) {
			memcpy(at, text, number);
			at += number;
		}
	}
	return (size_t)(at - out);
}

static const struct field *
field_find(const struct field *fields, size_t count, uint64_t key)
{
	for (size_t i = 0; i < count; i++)
		if ((uint64_t)fields[i].tag * 2 + (fields[i].kind == FIELD_TEXT) == key)
			return &fields[i];
	return NULL;
}

static bool
text_read(const struct field *field, struct cursor *cursor, uint64_t length, void *object)
{
	if (length > (uint64_t)(cursor->end - cursor->at))
		return false;
	if (field) {
		char *text = (char *)object + field->offset;

		if (length >= field->bytes || memchr(cursor->at, 0, length))
			return false;
		memcpy(text, cursor->at, length);
		text[length] = '\0';
	}
	cursor->at += length;
	return true;
}

int
fields_read(const struct field *fields, size_t count, const uint8_t *bytes, size_t size,
	    void *object)
{
	struct cursor cursor = {bytes, bytes + size};
	uint64_t tag = 0;

	while (cursor.at < cursor.end) {
		const struct field *field;
		uint64_t key, number;

		if (!number_read(&cursor, &key) || key / 2 <= tag || !number_read(&cursor, &number))
			return -EBADMSG;
		tag = key / 2;
		field = field_find(fields, count, key);
		if (key & 1) {
			if (!text_read(field, &cursor, number, object))
				return -EBADMSG;
		} else if (field && !member_write(field, object, number)) {
			return -EBADMSG;
		}
	}
	return 0;
}
