/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is to happen in virtual time, earliest first; of the same time, what was entered first. A
 * heap with four children to a node, which are two cache lines: half as deep as one with two.
 */
#ifndef SIMULATE_AGENDA_H
#define SIMULATE_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agenda_item {
	uint64_t at_ns;
	uint64_t sequence; /* given by agenda_add */
	uint32_t kind;     /* the user's own */
	uint32_t subject;  /* the user's own */
	uint64_t mark;     /* the user's own: tells whether the item still matters */
};

struct agenda {
	struct agenda_item *items;
	size_t count;
	size_t size;
	uint64_t sequence;
};

/* Make it empty, with room for count items. 0 or -ENOMEM; agenda_free in either case. */
int agenda_create(struct agenda *agenda, size_t count);
void agenda_free(struct agenda *agenda);

/* 0, or -ENOMEM when there was no room and no memory for more. */
int agenda_add(struct agenda *agenda, const struct agenda_item *item);

/* The earliest; NULL when empty. */
const struct agenda_item *agenda_first(const struct agenda *agenda);

/* Take the earliest; the agenda is not empty. */
struct agenda_item agenda_take(struct agenda *agenda);

#endif
