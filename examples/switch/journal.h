/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What outlives the process: the engine's events in a journal, written by a thread of its own, and
 * where the phones are. A switch that was killed begins where its journal ends.
 */
#ifndef SWITCH_JOURNAL_H
#define SWITCH_JOURNAL_H

#include "exchange.h"

struct journal;

/*
 * Restore what the directory holds to the engine, in which everything is defined, and begin to write.
 * Without `journal` in the configuration nothing is done. 0 or a negative errno; the log says why.
 */
int journal_start(struct exchange *exchange);

/* Stop writing; what was appended is written before. */
void journal_stop(struct exchange *exchange);

/* Events that were taken from the engine. Never waits. */
void journal_append(struct exchange *exchange, const struct stw_event *events, uint32_t count);

/* What the journal has done; false: there is none. */
bool journal_stats(const struct exchange *exchange, struct stw_journal_stats *stats);

#endif
