/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is to be simulated, in the engine's own descriptions: whatever the engine learns, a plan can
 * say. Times are nanoseconds of the day, from its midnight on.
 *
 * Handles exist only when there is an engine. In a plan, the id of a skill is its place in the
 * plan's list, from 1 on, and likewise that of a pool, an attribute, a calendar and a queue;
 * simulation_create puts the handles in.
 */
#ifndef SIMULATE_PLAN_H
#define SIMULATE_PLAN_H

#include <stdint.h>

#include <strowger/acd.h>

#include "variate.h"

#define PLAN_SECOND_NS UINT64_C(1000000000)
#define PLAN_DAY_NS    (86400 * PLAN_SECOND_NS)

/* Longest name of anything: an agent's is his group's and a number. */
#define PLAN_NAME_BYTES_MAX (STW_NAME_BYTES_MAX - 12)

/* Time off within a shift: at the call's end if there is one. */
struct plan_break {
	uint64_t from_ns;
	uint64_t to_ns;
};

/* So many agents are at work from then to then. */
struct plan_shift {
	uint32_t agents;
	uint64_t from_ns;
	uint64_t to_ns; /* VARIATE_NEVER: they stay */
	struct plan_break *breaks;
	uint32_t breaks_count;
};

/* Agents who are alike: skills, penalties, how they answer. */
struct plan_group {
	struct stw_agent_config config; /* its name is the group's */
	struct variate answer;          /* how long a phone rings until it is answered */
	double misses;                  /* share of the offers that nobody answers, 0 to 1 */
	struct plan_shift *shifts;
	uint32_t shifts_count;
};

struct plan_queue {
	struct stw_queue_config config;
};

/* One caller of a list. */
struct plan_arrival {
	uint64_t at_ns;
	uint64_t patience_ns; /* 0: as drawn for the flow */
	uint64_t handling_ns; /* 0: as drawn for the flow */
	uint32_t queue;       /* place in plan.queues, from 0 */
	uint8_t value;
	uint8_t urgency;
};

/* What callers do whom a surge rule does not simply let wait; shares are 0 to 1. */
struct plan_surge {
	double returns; /* of the deflected: self-service is no help, they come again, once */
	struct variate returns_after;
	double accepts;        /* of those offered a callback: they hang up and keep their place */
	double reached;        /* of the accepting: who answers when he is called */
	uint64_t unreached_ns; /* what it takes an agent to find out that nobody answers */
};

/* Callers who are alike. They come at random, or one by one from a list; not both. */
struct plan_flow {
	const char *name;
	struct stw_contact_request request;
	struct variate patience; /* until he gives up */
	struct variate handling; /* connected time */
	struct plan_surge surge;
	/* At random: so many are expected in each stretch of step_ns from from_ns on. */
	uint64_t from_ns;
	uint64_t step_ns;
	double *contacts;
	uint32_t contacts_count;
	/* From a list, ordered by time. */
	struct plan_arrival *arrivals;
	uint32_t arrivals_count;
};

struct plan {
	struct stw_acd_config
		limits; /* agents, queues, steps and names are counted; 0 contacts: enough */
	/* What is counted: contacts that come in there, and what happens in there. */
	uint64_t from_ns;
	uint64_t to_ns;
	uint64_t interval_ns;
	const char **skills;
	uint32_t skills_count;
	const char **pools;
	uint32_t pools_count;
	const char **attributes;
	uint32_t attributes_count;
	struct stw_calendar_config *calendars;
	uint32_t calendars_count;
	int64_t midnight_unix_ns; /* Unix time of the day's midnight, for calendars */
	struct plan_queue *queues;
	uint32_t queues_count;
	struct plan_group *groups;
	uint32_t groups_count;
	struct plan_flow *flows;
	uint32_t flows_count;
};

/* Agents of a group, over all its shifts. */
static inline uint32_t
plan_group_agents(const struct plan_group *group)
{
	uint32_t agents = 0;

	for (uint32_t i = 0; i < group->shifts_count; i++)
		agents += group->shifts[i].agents;
	return agents;
}

#endif
