/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What other programs can read: the status file, replaced once a second, and the summary of a whole
 * run, written when everything was released.
 */
#ifndef SWITCH_STATUS_H
#define SWITCH_STATUS_H

#include "exchange.h"

/* Replace the status file, if there is one. */
void status_write(struct exchange *exchange);

/* What the packet plane and the engine still hold when all calls are over. */
struct status_end {
	struct stw_media_stats media;
	uint64_t contacts;
	uint64_t seconds;
};

/* Read the numbers, before packet plane and engine are destroyed. */
void status_end_read(struct exchange *exchange, struct status_end *end);

/* Write the summary, after that. 0 or a negative errno. */
int status_summary(const struct exchange *exchange, const struct status_end *end, const char *path);

#endif
