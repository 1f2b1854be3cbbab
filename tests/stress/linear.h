/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linearisability in small: can a short history of two or three threads be explained by doing its calls one
 * after the other, in an order that respects who had returned before whom was called?
 *
 * A call takes effect at one instant between call and return. Matches are steps of their own, at any time
 * after what makes them possible, each by the rules: the best contact of the agent, the agent who has been
 * idle for longest. When no call is under way, no match may be left to do.
 */
#ifndef TEST_LINEAR_H
#define TEST_LINEAR_H

#include "support/compare.h"
#include "support/step.h"

#define LINEAR_CALLS_MAX  12
#define LINEAR_EVENTS_MAX 64

struct linear_call {
	struct step step;
	uint64_t called, returned; /**< stamps of one counter for all threads */
};

struct linear_history {
	uint32_t calls_count, events_count;
	struct linear_call calls[LINEAR_CALLS_MAX];
	struct stw_event events[LINEAR_EVENTS_MAX];
	bool any_idle; /**< any of the eligible agents will do, not only the longest idle one */
	uint64_t visited;
	char unlike
		[300]; /**< an order of all calls whose end the engine does not show: what differs */
};

/** Explain it, beginning in the oracle's state and ending in what the engine shows. On success
 * the oracle is in the state reached. */
bool linear_explain(struct linear_history *history, struct oracle *oracle, struct compare *compare,
		    struct stw_acd *acd);

/** Say how the house was before, all calls and events, for a history that cannot be explained. */
void linear_text(const struct linear_history *history, const struct oracle *before, char *text,
		 size_t bytes);

#endif
