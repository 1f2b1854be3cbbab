/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tagged fields: a struct as bytes, by a table that serves writer and reader alike.
 *
 * A field is a key (tag * 2, or tag * 2 + 1 for text) and a value: a number in groups of seven bits,
 * lowest first, the high bit of a byte says that more follow; signed numbers are folded so that small
 * negative ones are short, too; text is its length and its bytes. A field of value 0 is left out.
 * Tags rise. A reader passes over tags that it does not know, and finds 0 in fields that the writer did
 * not know: so both may be of different releases.
 *
 * To add a field: the member in its struct, and one line at the end of the struct's table, with the
 * next tag. A tag is never given to another meaning.
 */
#ifndef STW_JOURNAL_FIELDS_H
#define STW_JOURNAL_FIELDS_H

#include <stddef.h>
#include <stdint.h>

enum field_kind {
	FIELD_UNSIGNED,
	FIELD_SIGNED,
	FIELD_TEXT, /* a char array with a closing NUL */
};

struct field {
	uint16_t tag; /* 1 to 1,000 */
	uint16_t offset;
	uint16_t bytes; /* 1, 2, 4 or 8; of text: the array's */
	uint16_t kind;
};

#define FIELD_OF(tag, type, member, kind)                                                          \
	{                                                                                          \
		(tag), offsetof(type, member), sizeof(((type *)0)->member), (kind)                 \
	}
#define FIELD(tag, type, member)          FIELD_OF(tag, type, member, FIELD_UNSIGNED)
#define FIELD_NEGATIVE(tag, type, member) FIELD_OF(tag, type, member, FIELD_SIGNED)
#define FIELD_NAME(tag, type, member)     FIELD_OF(tag, type, member, FIELD_TEXT)

/** Most bytes that a field takes beside its text. */
#define FIELD_BYTES_MAX 13

/**
 * Write an object's fields.
 *
 * @param fields  the table, tags rising
 * @param count   its lines
 * @param object  borrowed; what the table describes
 * @param out     room for FIELD_BYTES_MAX bytes and the text of each line
 * @return bytes written
 *
 * Threads:  any.
 * Progress: wait-free (bound: count).
 * Order:    none needed.
 */
size_t fields_write(const struct field *fields, size_t count, const void *object, uint8_t *out);

/**
 * Read fields into an object whose other fields stay as they are.
 *
 * @param fields  the table, tags rising
 * @param count   its lines
 * @param bytes   borrowed
 * @param size    how many
 * @param object  filled; on failure in part
 * @return 0
 * @return -EBADMSG  tags do not rise, a number is too large for its field, text is too long or has a
 *                   NUL in it, or the bytes end too early
 *
 * Threads:  any.
 * Progress: wait-free (bound: size).
 * Order:    none needed.
 */
int fields_read(const struct field *fields, size_t count, const uint8_t *bytes, size_t size,
		void *object);

#endif
