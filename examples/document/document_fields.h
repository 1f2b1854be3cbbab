/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of the tables that say what may stand in a mapping: the name in the file, the struct and its
 * field, whether it must be there, and its limits. For the files that hold such tables.
 */
#ifndef DOCUMENT_FIELDS_H
#define DOCUMENT_FIELDS_H

#include "document.h"

#define TEXT(name, type, field, needed)                                                            \
	{                                                                                          \
		name, DOCUMENT_TEXT, offsetof(type, field), needed, 0, 0, NULL, NULL               \
	}
#define PATH(name, type, field, needed)                                                            \
	{                                                                                          \
		name, DOCUMENT_PATH, offsetof(type, field), needed, 0, 0, NULL, NULL               \
	}
#define NUMBER(name, type, field, needed, min, max)                                                \
	{                                                                                          \
		name, DOCUMENT_NUMBER, offsetof(type, field), needed, min, max, NULL, NULL         \
	}
#define BOOL(name, type, field)                                                                    \
	{                                                                                          \
		name, DOCUMENT_BOOL, offsetof(type, field), false, 0, 0, NULL, NULL                \
	}
#define WORD(name, type, field, words)                                                             \
	{                                                                                          \
		name, DOCUMENT_WORD, offsetof(type, field), false, 0, 0, words, NULL               \
	}
#define NODE(name, type, field, needed, read)                                                      \
	{                                                                                          \
		name, DOCUMENT_NODE, offsetof(type, field), needed, 0, 0, NULL, read               \
	}
/* A part whose keys are fields of the whole configuration. */
#define PART(name, needed, read)                                                                   \
	{                                                                                          \
		name, DOCUMENT_NODE, 0, needed, 0, 0, NULL, read                                   \
	}
#define DECIMAL(name, type, field, needed, min, max)                                               \
	{                                                                                          \
		name, DOCUMENT_DECIMAL, offsetof(type, field), needed, 0, 0, NULL, NULL, 0, min,   \
			max                                                                        \
	}
/* Up to max seconds in the file, nanoseconds in the struct. */
#define SECONDS(name, type, field, needed, max)                                                    \
	{                                                                                          \
		name, DOCUMENT_SECONDS, offsetof(type, field), needed, 0, 0, NULL, NULL, 0, 0, max \
	}
#define CLOCK(name, type, field, needed)                                                           \
	{                                                                                          \
		name, DOCUMENT_CLOCK, offsetof(type, field), needed, 0, 0, NULL, NULL              \
	}

#endif
