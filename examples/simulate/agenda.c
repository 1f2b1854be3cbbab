/* SPDX-License-Identifier: BSD-3-Clause */
/* The heap: items move by copy into the hole that wanders, not by exchange. */
#include "agenda.h"

#include <errno.h>
#include <stdlib.h>

#define CHILDREN 4

int
agenda_create(struct agenda *agenda, size_t count)
{
	*agenda = (struct agenda){.size = count ? count : 1};
	agenda->items = malloc(agenda->size * sizeof(*agenda->items));
	return agenda->items ? 0 : -ENOMEM;
}

void
agenda_free(struct agenda *agenda)
{
	free(agenda->items);
	*agenda = (struct agenda){0};
}

static bool
is_before(const struct agenda_item *a, const struct agenda_item *b)
{
	return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->sequence < b->sequence);
}

static int
grow(struct agenda *agenda)
{
	struct agenda_item *items = realloc(agenda->items, 2 * agenda->size * sizeof(*items));

	if (!items)
		return -ENOMEM;
	agenda->items = items;
	agenda->size *= 2;
	return 0;
}

int
agenda_add(struct agenda *agenda, const struct agenda_item *item)
{
	struct agenda_item added = *item;
	size_t at = agenda->count;

	if (at == agenda->size && grow(agenda) != 0)
		return -ENOMEM;
	agenda->count++;
	added.sequence = agenda->sequence++;
	while (at > 0) {
		size_t parent = (at - 1) / CHILDREN;

		if (!is_before(&added, &agenda->items[parent]))
			break;
		agenda->items[at] = agenda->items[parent];
		at = parent;
	}
	agenda->items[at] = added;
	return 0;
}

const struct agenda_item *
agenda_first(const struct agenda *agenda)
{
	return agenda->count ? &agenda->items[0] : NULL;
}

static size_t
first_child(const struct agenda *agenda, size_t at)
{
	size_t child = at * CHILDREN + 1, best = child;

	for (size_t i = child + 1; i < child + CHILDREN && i < agenda->count; i++)
		if (is_before(&agenda->items[i], &agenda->items[best]))
			best = i;
	return best;
}

struct agenda_item
agenda_take(struct agenda *agenda)
{
	struct agenda_item first = agenda->items[0], last = agenda->items[--agenda->count];
	size_t at = 0;

	while (at * CHILDREN + 1 < agenda->count) {
		size_t child = first_child(agenda, at);

		if (!is_before(&agenda->items[child], &last))
			break;
		agenda->items[at] = agenda->items[child];
		at = child;
	}
	agenda->items[at] = last;
	return first;
}
