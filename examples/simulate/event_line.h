/* SPDX-License-Identifier: BSD-3-Clause */
/* An event of the engine as a line of text. */
#ifndef SIMULATE_EVENT_LINE_H
#define SIMULATE_EVENT_LINE_H

#include <stddef.h>

#include <strowger/event.h>

/* Room for any line. */
#define EVENT_LINE_BYTES 512

/* The names of the fields, as CSV. */
extern const char event_line_names[];

/* Everything an event says, as a line of CSV with its end. Returns the line's bytes. */
size_t event_line(char line[EVENT_LINE_BYTES], const struct stw_event *event);

#endif
