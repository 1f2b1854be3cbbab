/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A YAML file in memory, read into structs by tables of fields. What is wrong with it is gathered as
 * lines "FILE:LINE: what is wrong", all of them in one pass. libcyaml was tried: it has lost the
 * line by the time a value is known to be wrong in itself (an unknown skill, a port range).
 */
#ifndef DOCUMENT_H
#define DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yaml.h>

/* A text of the file and the line where it stands; text NULL: not given. */
struct document_text {
	const char *text;
	uint32_t line;
};

struct document {
	const char *path;
	char *directory; /* of the file, with the last slash; "" when it has none */
	yaml_document_t yaml;
	bool loaded;
	char **paths; /* made by document_path */
	size_t paths_count;
	char *errors; /* lines; NULL: none */
	size_t errors_count;
};

/* Reads one node into target. */
typedef void (*document_read_fn)(struct document *document, yaml_node_t *node, void *target);

enum document_kind {
	DOCUMENT_TEXT,    /* struct document_text, not empty */
	DOCUMENT_PATH,    /* struct document_text; relative to the file's directory */
	DOCUMENT_NUMBER,  /* uint32_t, min to max */
	DOCUMENT_DECIMAL, /* double, decimal_min to decimal_max */
	DOCUMENT_SECONDS, /* uint64_t nanoseconds; a decimal of seconds, 0 to decimal_max */
	DOCUMENT_CLOCK,   /* uint64_t nanoseconds since midnight; HH:MM or HH:MM:SS, to 99:59 */
	DOCUMENT_BOOL,    /* bool: true or false, yes or no */
	DOCUMENT_WORD,    /* uint32_t: index into words */
	DOCUMENT_NODE,    /* by read */
};

struct document_field {
	const char *name;
	enum document_kind kind;
	size_t offset; /* into the struct */
	bool required;
	uint32_t min;             /* NUMBER */
	uint32_t max;             /* NUMBER */
	const char *const *words; /* WORD; closed by NULL */
	document_read_fn read;    /* NODE */
	size_t line_offset;       /* of a uint32_t for the value's line; 0: not kept */
	double decimal_min;       /* DECIMAL */
	double decimal_max;       /* DECIMAL, SECONDS */
};

/* Errors that are kept; the ones after them are dropped. */
#define DOCUMENT_ERRORS_MAX 50

/* Parse a file. 0, or -EINVAL with errors set; document_free in either case. */
int document_load(struct document *document, const char *path);
void document_free(struct document *document);

/* Root node; NULL when the file is empty. */
yaml_node_t *document_root(struct document *document);

/* Keep an error about a line (0: about the whole file). */
void document_error(struct document *document, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

uint32_t document_line(const yaml_node_t *node);

/* Read a mapping into target by a table of fields closed by a name of NULL. */
void document_mapping(struct document *document, yaml_node_t *node,
		      const struct document_field *fields, void *target);

/* Read a sequence into a new array of elements of size bytes each (NULL when it is empty). */
void document_sequence(struct document *document, yaml_node_t *node, size_t size,
		       document_read_fn read, void **array, uint32_t *count);

/* Read one text, number or other value that stands alone, as an element of a sequence does. */
void document_value(struct document *document, yaml_node_t *node,
		    const struct document_field *field, void *target);

/* Read HH:MM or HH:MM:SS, to 99:59:59. Whether it is one. */
bool document_clock(const char *text, uint64_t *time_ns);

/* A path of the file as seen from where the process runs; lives as long as the document. */
const char *document_path(struct document *document, const char *path);

#endif
