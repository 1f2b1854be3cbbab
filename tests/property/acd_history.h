/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random histories: a house made up from a seed, and one step after the other for it.
 */
#ifndef TEST_ACD_HISTORY_H
#define TEST_ACD_HISTORY_H

#include "support/compare.h"
#include "support/random.h"
#include "support/step.h"

#define HISTORY_TABLES 6  /**< different tables of target waits in a house */
#define HISTORY_OLD    32 /**< handles and offers that are over, kept to be tried again */
#define HISTORY_TOLD   20 /**< operations told when a step fails */

/** How large a house is and what happens in it. */
struct house_size {
	const char *name;
	uint32_t agents_max, queues_max, contacts_max, events_max;
	uint32_t channels;        /**< how many are used; 0: calls only, one at a time */
	uint32_t skills;          /**< how many of the skills are asked for; fewer: more eligible */
	uint32_t busy_per_mille;  /**< chance that a step brings a contact */
	uint32_t house_per_mille; /**< chance that a step changes agents' or queues' descriptions */
	uint32_t steps;           /**< most routing steps of a queue; 0: one */
	bool routes;              /**< policies, expressions, pools and reserves, too */
	uint32_t wander_per_mille; /**< chance of a longest wait, an agent in person, a move */
	uint32_t starve_steps;     /**< 0, or take events only after so many steps */
};

struct old_offer {
	uint64_t contact, number, offer;
};

struct history {
	const struct house_size *size;
	uint64_t seed, steps;
	struct random random;
	uint64_t now_ns;
	uint32_t names; /**< used so far */
	struct oracle oracle, before;
	struct compare compare;
	struct old_offer old[HISTORY_OLD];
	uint64_t old_agents[4], old_queues[4];
	uint32_t olds;
	int64_t target_ns[HISTORY_TABLES][STW_CLASS_COUNT][STW_CLASS_COUNT];
	char told[HISTORY_TOLD][700];
};

/** Begin a history; the same size and seed make the same one. */
void history_begin(struct history *history, const struct house_size *size, uint64_t seed);

/** Make up the next step. */
void history_next(struct history *history, struct step *step);

/** Remember handles that the step has made stale. Call it before the oracle does the step. */
void history_remember(struct history *history, const struct step *step);

#endif
