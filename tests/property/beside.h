/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine and the oracle side by side, step by step.
 */
#ifndef TEST_BESIDE_H
#define TEST_BESIDE_H

#include "property/acd_history.h"

#define EVENTS_KEPT 65536 /**< most events between two takes in a starving history */

struct beside {
	struct history history;
	struct step_skills skills;
	struct stw_acd *acd;
	struct oracle_events events;
	struct oracle_choices choices;
	struct stw_event got[EVENTS_KEPT], wanted[EVENTS_KEPT];
	uint32_t wanted_count; /**< expected, and not compared yet */
	uint64_t lost, events_taken, refusals;
};

/** Make an engine and begin a history. Returns false when something is wrong. */
bool beside_open(struct beside *run, const struct house_size *size, uint64_t seed);
void beside_close(struct beside *run);

/** Make up a step, do it to both, compare everything. Returns false when they differ. */
bool beside_step(struct beside *run);

/** Take all events into run->got. Returns false when taking fails. */
bool beside_take(struct beside *run, uint32_t *count, uint64_t *lost);

/** What differs, the seed, and the last operations: a text that lives until the next call. */
const char *beside_story(const struct beside *run);

#endif
