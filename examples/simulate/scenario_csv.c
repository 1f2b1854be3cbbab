/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Callers from a CSV file. Its first line names the columns, in any order: `time` (seconds since
 * midnight, or HH:MM:SS) must be there; `queue`, `value`, `urgency`, `patience_s` and `handling_s`
 * may be, and where a field is empty the flow's own holds. Fields are plain, without quotes.
 */
#include "scenario_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 64

enum column { TIME, QUEUE, VALUE, URGENCY, PATIENCE, HANDLING, COLUMNS, UNKNOWN };

static const char *const column_names[COLUMNS] = {"time",    "queue",      "value",
						  "urgency", "patience_s", "handling_s"};

struct reader {
	struct scenario *scenario;
	struct scenario_flow *flow;
	enum column columns[COLUMNS_MAX];
	uint32_t columns_count;
	uint32_t line;
	struct plan_arrival *arrivals;
	uint32_t count;
	uint32_t size;
	bool failed;
};

static void
fail(struct reader *reader, const char *what, const char *text)
{
	if (!reader->failed)
		document_error(&reader->scenario->document, reader->flow->csv.line,
			       "%s:%u: %s '%s'", reader->flow->csv.text, reader->line, what, text);
	reader->failed = true;
}

static double
number(struct reader *reader, const char *text, double max)
{
	char *end = NULL;
	double value = strtod(text, &end);

	if (end != text && !*end && value >= 0 && value <= max)
		return value;
	fail(reader, "this is no number that may stand here:", text);
	return 0;
}

static uint64_t
time_of(struct reader *reader, const char *text, double max_s)
{
	uint64_t time_ns;

	if (document_clock(text, &time_ns))
		return time_ns;
	return (uint64_t)(number(reader, text, max_s) * 1e9);
}

static void
read_names(struct reader *reader, char *line)
{
	bool timed = false;

	for (char *name; (name = strsep(&line, ",")) && reader->columns_count < COLUMNS_MAX;) {
		uint32_t column = 0;

		while (column < COLUMNS && strcmp(name, column_names[column]))
			column++;
		timed = timed || column == TIME;
		if (column == COLUMNS)
			fail(reader, "there is no column", name);
		reader->columns[reader->columns_count++] = column;
	}
	if (!timed)
		fail(reader, "there must be a column", column_names[TIME]);
}

static void
read_cell(struct reader *reader, enum column column, const char *text, struct plan_arrival *arrival)
{
	uint32_t place;

	switch (column) {
	case TIME:
		arrival->at_ns = time_of(reader, text, SCENARIO_SECONDS_MAX);
		break;
	case QUEUE:
		place = scenario_queue_place(reader->scenario, text);
		if (place == 0)
			fail(reader, "there is no queue", text);
		arrival->queue = place - 1;
		break;
	case VALUE:
		arrival->value = (uint8_t)number(reader, text, STW_CLASS_COUNT - 1);
		break;
	case URGENCY:
		arrival->urgency = (uint8_t)number(reader, text, STW_CLASS_COUNT - 1);
		break;
	case PATIENCE:
		arrival->patience_ns = time_of(reader, text, SCENARIO_SECONDS_MAX);
		break;
	default:
		arrival->handling_ns = time_of(reader, text, SCENARIO_SECONDS_MAX);
		break;
	}
}

static struct plan_arrival *
next_arrival(struct reader *reader)
{
	if (reader->count == reader->size) {
		uint32_t size = reader->size ? 2 * reader->size : 1024;
		struct plan_arrival *arrivals = realloc(reader->arrivals, size * sizeof(*arrivals));

		if (!arrivals) {
			fail(reader, "no memory for", "the list");
			return NULL;
		}
		reader->arrivals = arrivals;
		reader->size = size;
	}
	return &reader->arrivals[reader->count++];
}

static void
read_line(struct reader *reader, char *line)
{
	struct plan_arrival *arrival = next_arrival(reader);
	uint32_t column = 0;

	if (!arrival)
		return;
	*arrival = (struct plan_arrival){.queue = (uint32_t)reader->flow->flow.request.queue.id - 1,
					 .value = (uint8_t)reader->flow->value,
					 .urgency = (uint8_t)reader->flow->urgency};
	for (char *text; (text = strsep(&line, ",")); column++) {
		if (column >= reader->columns_count)
			fail(reader, "one field too many:", text);
		else if (*text)
			read_cell(reader, reader->columns[column], text, arrival);
	}
	if (arrival->queue >= reader->scenario->queues_count)
		fail(reader, "this caller has no", column_names[QUEUE]);
}

static int
by_time(const void *a, const void *b)
{
	const struct plan_arrival *first = a, *second = b;

	return (first->at_ns > second->at_ns) - (first->at_ns < second->at_ns);
}

/* The list becomes the scenario's, in the order of time. */
static void
keep(struct reader *reader)
{
	struct plan_arrival *kept = scenario_array(reader->scenario, reader->count, sizeof(*kept));

	if (!kept)
		return;
	if (reader->count)
		memcpy(kept, reader->arrivals, reader->count * sizeof(*kept));
	qsort(kept, reader->count, sizeof(*kept), by_time);
	reader->flow->flow.arrivals = kept;
	reader->flow->flow.arrivals_count = reader->count;
}

void
scenario_make_arrivals(struct scenario *scenario, struct scenario_flow *flow)
{
	struct reader reader = {.scenario = scenario, .flow = flow};
	FILE *file = fopen(flow->csv.text, "r");
	char *line = NULL;
	size_t bytes = 0;

	if (!file) {
		document_error(&scenario->document, flow->csv.line, "%s: %s", flow->csv.text,
			       strerror(errno));
		return;
	}
	while (!reader.failed && getline(&line, &bytes, file) >= 0) {
		line[strcspn(line, "\r\n")] = 0;
		if (++reader.line == 1)
			read_names(&reader, line);
		else if (*line)
			read_line(&reader, line);
	}
	if (reader.count == 0)
		fail(&reader, "nobody calls in", flow->csv.text);
	else
		keep(&reader);
	free(reader.arrivals);
	free(line);
	fclose(file);
}
