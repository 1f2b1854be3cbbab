/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a simulation has found, for people, for programs and as pictures. Writers return 0 or a
 * negative errno.
 */
#ifndef SIMULATE_REPORT_H
#define SIMULATE_REPORT_H

#include <stdio.h>

#include "simulation.h"
#include "staffing.h"

/* What is told about a run. */
struct report {
	const struct plan *plan;
	const struct simulation *simulation;
	uint64_t seed;
	const struct staffing_goal *goal; /* NULL: no search for agents was made */
	const struct staffing_row *rows;
	uint32_t rows_count;
};

/* report_text.c: tables; *bytes of them fit a terminal. */
void report_text(const struct report *report, FILE *to);

/* report_json.c: summary.json in a directory. */
int report_json(const struct report *report, const char *directory);

/* report_csv.c: day.csv, queues.csv, groups.csv, agents.csv and, after a search, staffing.csv. */
int report_csv(const struct report *report, const char *directory);

/* report_plot.c: PNGs drawn by gnuplot from day.csv. */
int report_plot(const struct report *report, const char *directory);

/* Agents who serve a queue: their time in one interval, or in all of them. */
struct tally_staff report_queue_staff(const struct report *report, uint32_t queue,
				      uint32_t interval);
struct tally_staff report_queue_staff_all(const struct report *report, uint32_t queue);

/* HH:MM of an interval's beginning. */
const char *report_clock(const struct tally *tally, uint32_t interval, char text[16]);

FILE *report_open(const char *directory, const char *name);

/* Close a file that was written; 0, or what went wrong since it was opened. */
int report_close(FILE *file);

#endif
