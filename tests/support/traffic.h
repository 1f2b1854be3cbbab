/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traffic: a small house and random calls to its engine, from a seed, for tests of what comes out of
 * an engine rather than of its decisions.
 */
#ifndef TEST_TRAFFIC_H
#define TEST_TRAFFIC_H

#include <stdint.h>

#include <strowger/acd.h>

#include "random.h"

#define TRAFFIC_AGENTS   12
#define TRAFFIC_QUEUES   3
#define TRAFFIC_CONTACTS 40

struct traffic {
	struct stw_acd *acd;
	struct random random;
	uint64_t now_ns;
	struct stw_agent agents[TRAFFIC_AGENTS];
	struct stw_queue queues[TRAFFIC_QUEUES];
	struct stw_contact contacts[TRAFFIC_CONTACTS]; /* id 0: none */
	struct stw_offer offers[TRAFFIC_CONTACTS];     /* the last of each slot */
	uint64_t enqueued;
	uint32_t still; /* 1: time does not pass */
};

/** The limits of the house; events are also sent for a journal. */
void traffic_config(struct stw_acd_config *config);

/** Define the house in a fresh engine. 0, or the error of a definition. */
int traffic_define(struct traffic *traffic, struct stw_acd *acd, uint64_t seed, uint64_t now_ns);

/** One random call. */
void traffic_step(struct traffic *traffic);

/** Whether a snapshot keeps what an event tells, if it is new. */
int traffic_is_kept(const struct stw_event *event);

/** Learn from an event which contacts there are and what rings. */
void traffic_learn(struct traffic *traffic, const struct stw_event *event);

#endif
