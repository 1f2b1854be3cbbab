/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Comparing what the engine did and shows with what the oracle says.
 *
 * Order of events: the headers promise it per contact and per agent. So two lists agree when one
 * can be turned into the other by swapping neighbours that share neither contact nor agent.
 */
#ifndef TEST_COMPARE_H
#define TEST_COMPARE_H

#include "oracle.h"

/** The engine's number of the oracle's offer n is known[n % COMPARE_OFFERS]; 0: not seen. */
#define COMPARE_OFFERS 65536

struct compare {
	uint64_t number[COMPARE_OFFERS];
	char problem[800]; /**< set when something differs */
};

/**
 * Whether the events got are those wanted; `lost` of those wanted may be missing. Learns offer
 * numbers on the way.
 */
bool compare_events(struct compare *compare, const struct stw_event *got, uint32_t got_count,
		    const struct stw_event *wanted, uint32_t wanted_count, uint64_t lost);

/** Whether each agent and contact shows the same status. */
bool compare_statuses(struct compare *compare, struct stw_acd *acd, const struct oracle *o);

/** Whether all counters agree and conserve. */
bool compare_stats(struct compare *compare, struct stw_acd *acd, const struct oracle *o);

#endif
