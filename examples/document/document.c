/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walks libyaml's document tree, whose nodes know their line.
 */
#include "document.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most fields of one mapping, for the marks of what was seen. */
#define FIELDS_MAX 32

static void
parse_error(struct document *document, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "cannot be read";

	if (parser->error == YAML_READER_ERROR)
		document_error(document, 0, "%s at byte %zu", problem, parser->problem_offset);
	else
		document_error(document, (uint32_t)parser->problem_mark.line + 1, "%s", problem);
}

static int
load_directory(struct document *document)
{
	const char *slash = strrchr(document->path, '/');
	size_t bytes = slash ? (size_t)(slash - document->path) + 1 : 0;

	document->directory = strndup(document->path, bytes);
	return document->directory ? 0 : -ENOMEM;
}

int
document_load(struct document *document, const char *path)
{
	yaml_parser_t parser;
	FILE *file;

	memset(document, 0, sizeof(*document));
	document->path = path;
	if (load_directory(document) != 0)
		return -ENOMEM;
	file = fopen(path, "r");
	if (!file) {
		document_error(document, 0, "%s", strerror(errno));
		return -EINVAL;
	}
	if (!yaml_parser_initialize(&parser)) {
		fclose(file);
		return -ENOMEM;
	}
	yaml_parser_set_input_file(&parser, file);
	if (yaml_parser_load(&parser, &document->yaml))
		document->loaded = true;
	else
		parse_error(document, &parser);
	yaml_parser_delete(&parser);
	fclose(file);
	return document->loaded ? 0 : -EINVAL;
}

void
document_free(struct document *document)
{
	if (document->loaded)
		yaml_document_delete(&document->yaml);
	for (size_t i = 0; i < document->paths_count; i++)
		free(document->paths[i]);
	free(document->paths);
	free(document->directory);
	free(document->errors);
	memset(document, 0, sizeof(*document));
}

yaml_node_t *
document_root(struct document *document)
{
	return yaml_document_get_root_node(&document->yaml);
}

uint32_t
document_line(const yaml_node_t *node)
{
	return (uint32_t)node->start_mark.line + 1;
}

void
document_error(struct document *document, uint32_t line, const char *format, ...)
{
	char *what = NULL, *all = NULL, place[16] = "";
	va_list arguments;
	int bytes;

	if (document->errors_count++ >= DOCUMENT_ERRORS_MAX)
		return;
	if (line)
		snprintf(place, sizeof(place), "%u:", line);
	va_start(arguments, format);
	bytes = vasprintf(&what, format, arguments);
	va_end(arguments);
	if (bytes < 0)
		return;
	bytes = asprintf(&all, "%s%s:%s %s\n", document->errors ? document->errors : "",
			 document->path, place, what);
	free(what);
	if (bytes < 0)
		return;
	free(document->errors);
	document->errors = all;
}

const char *
document_path(struct document *document, const char *path)
{
	char **paths, *made = NULL;

	paths = realloc(document->paths, (document->paths_count + 1) * sizeof(*paths));
	if (!paths)
		return NULL;
	document->paths = paths;
	if (asprintf(&made, "%s%s", path[0] == '/' ? "" : document->directory, path) < 0)
		return NULL;
	paths[document->paths_count++] = made;
	return made;
}

static const char *
scalar(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0 ||
	    strlen(text) != node->data.scalar.length)
		return NULL;
	return text;
}

static void
read_text(struct document *document, const yaml_node_t *node, const struct document_field *field,
	  struct document_text *target)
{
	const char *text = scalar(node);

	if (!text) {
		document_error(document, document_line(node), "'%s' is a text", field->name);
		return;
	}
	target->line = document_line(node);
	target->text = field->kind == DOCUMENT_PATH ? document_path(document, text) : text;
}

static void
read_number(struct document *document, const yaml_node_t *node, const struct document_field *field,
	    uint32_t *target)
{
	const char *text = scalar(node);
	unsigned long long value = 0;
	char *end = NULL;

	if (text && text[0] >= '0' && text[0] <= '9') {
		errno = 0;
		value = strtoull(text, &end, 10);
	}
	if (!end || *end || errno || value < field->min || value > field->max) {
		document_error(document, document_line(node), "'%s' is a whole number, %u to %u",
			       field->name, field->min, field->max);
		return;
	}
	*target = (uint32_t)value;
}

static bool
parse_decimal(const char *text, double *value)
{
	char *end = NULL;

	/* strtod knows more than people write: hexadecimals, infinity. */
	if (!text || strspn(text, "0123456789.-+eE") != strlen(text))
		return false;
	errno = 0;
	*value = strtod(text, &end);
	return end != text && !*end && !errno;
}

static void
read_decimal(struct document *document, const yaml_node_t *node, const struct document_field *field,
	     void *target)
{
	double value = 0;

	if (!parse_decimal(scalar(node), &value) || value < field->decimal_min ||
	    value > field->decimal_max)
		document_error(document, document_line(node), "'%s' is a number, %g to %g",
			       field->name, field->decimal_min, field->decimal_max);
	else if (field->kind == DOCUMENT_SECONDS)
		*(uint64_t *)target = (uint64_t)(value * 1e9 + 0.5);
	else
		*(double *)target = value;
}

bool
document_clock(const char *text, uint64_t *time_ns)
{
	unsigned hours, minutes, seconds = 0;
	int bytes = 0, all = (int)strlen(text);

	if (text[0] < '0' || text[0] > '9' || strspn(text, "0123456789:") != (size_t)all)
		return false;
	if ((sscanf(text, "%2u:%2u%n", &hours, &minutes, &bytes) != 2 || bytes != all) &&
	    (sscanf(text, "%2u:%2u:%2u%n", &hours, &minutes, &seconds, &bytes) != 3 ||
	     bytes != all))
		return false;
	if (minutes > 59 || seconds > 59)
		return false;
	*time_ns = ((hours * 60 + minutes) * UINT64_C(60) + seconds) * UINT64_C(1000000000);
	return true;
}

static void
read_clock(struct document *document, const yaml_node_t *node, const struct document_field *field,
	   uint64_t *target)
{
	const char *text = scalar(node);

	if (!text || !document_clock(text, target))
		document_error(document, document_line(node), "'%s' is a time, HH:MM or HH:MM:SS",
			       field->name);
}

static void
read_bool(struct document *document, const yaml_node_t *node, const struct document_field *field,
	  bool *target)
{
	const char *text = scalar(node);

	if (text && (!strcmp(text, "true") || !strcmp(text, "yes")))
		*target = true;
	else if (text && (!strcmp(text, "false") || !strcmp(text, "no")))
		*target = false;
	else
		document_error(document, document_line(node), "'%s' is true or false", field->name);
}

static void
read_word(struct document *document, const yaml_node_t *node, const struct document_field *field,
	  uint32_t *target)
{
	const char *text = scalar(node);
	char known[256] = "";
	uint32_t i;

	for (i = 0; field->words[i]; i++) {
		if (text && !strcmp(text, field->words[i])) {
			*target = i;
			return;
		}
		strncat(known, i ? ", " : "", sizeof(known) - strlen(known) - 1);
		strncat(known, field->words[i], sizeof(known) - strlen(known) - 1);
	}
	document_error(document, document_line(node), "'%s' is one of: %s", field->name, known);
}

void
document_value(struct document *document, yaml_node_t *node, const struct document_field *field,
	       void *target)
{
	void *at = (char *)target + field->offset;

	if (field->line_offset)
		*(uint32_t *)((char *)target + field->line_offset) = document_line(node);
	switch (field->kind) {
	case DOCUMENT_TEXT:
	case DOCUMENT_PATH:
		read_text(document, node, field, at);
		break;
	case DOCUMENT_NUMBER:
		read_number(document, node, field, at);
		break;
	case DOCUMENT_DECIMAL:
	case DOCUMENT_SECONDS:
		read_decimal(document, node, field, at);
		break;
	case DOCUMENT_CLOCK:
		read_clock(document, node, field, at);
		break;
	case DOCUMENT_BOOL:
		read_bool(document, node, field, at);
		break;
	case DOCUMENT_WORD:
		read_word(document, node, field, at);
		break;
	case DOCUMENT_NODE:
		field->read(document, node, at);
		break;
	}
}

static uint32_t
find_field(const struct document_field *fields, const char *name)
{
	uint32_t i = 0;

	while (fields[i].name && (!name || strcmp(fields[i].name, name)))
		i++;
	return i;
}

void
document_mapping(struct document *document, yaml_node_t *node, const struct document_field *fields,
		 void *target)
{
	bool seen[FIELDS_MAX] = {false};
	yaml_node_pair_t *pair;
	uint32_t i;

	if (node->type != YAML_MAPPING_NODE) {
		document_error(document, document_line(node), "here belong 'name: value' pairs");
		return;
	}
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_document_get_node(&document->yaml, pair->key);
		yaml_node_t *value = yaml_document_get_node(&document->yaml, pair->value);
		const char *name = scalar(key);

		i = find_field(fields, name);
		if (!fields[i].name) {
			document_error(document, document_line(key), "'%s' is not known here",
				       name ? name : "?");
		} else if (seen[i]) {
			document_error(document, document_line(key), "'%s' is here twice", name);
		} else {
			seen[i] = true;
			document_value(document, value, &fields[i], target);
		}
	}
	for (i = 0; fields[i].name; i++)
		if (fields[i].required && !seen[i])
			document_error(document, document_line(node), "'%s' is missing here",
				       fields[i].name);
}

void
document_sequence(struct document *document, yaml_node_t *node, size_t size, document_read_fn read,
		  void **array, uint32_t *count)
{
	yaml_node_item_t *item;
	size_t items;
	char *made;

	if (node->type != YAML_SEQUENCE_NODE) {
		document_error(document, document_line(node), "here belongs a list");
		return;
	}
	items = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (items == 0)
		return;
	made = calloc(items, size);
	if (!made) {
		document_error(document, document_line(node), "no memory for the list");
		return;
	}
	*array = made;
	*count = (uint32_t)items;
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		read(document, yaml_document_get_node(&document->yaml, *item), made);
		made += size;
	}
}
