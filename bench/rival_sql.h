/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rival of the acd-sql bench: the dispatcher of an ACD that keeps agents, tiers and members in
 * a database and polls it, as FreeSWITCH's mod_callcenter does. A pass goes over the waiting
 * members by score; for each it asks for the agents of the queue's tiers in the order of the
 * strategy, longest idle, passes over those who are taken, and marks the first who is not.
 *
 * As its model does, the plain one has no index on its tables and formulates each statement anew. The
 * tuned one is what a careful user of the database would write: names are indexed, statements are
 * prepared once. In both a pass is one transaction, and the reading ends with the agent found.
 */
#ifndef BENCH_RIVAL_SQL_H
#define BENCH_RIVAL_SQL_H

#include <stdbool.h>
#include <stdint.h>

struct rival_sql;

/** A database in memory: one queue, agents in its tier, and members; agent 0 and member 0 came first. */
struct rival_sql *rival_sql_create(uint32_t agents, uint32_t members, bool is_tuned);
void rival_sql_destroy(struct rival_sql *rival);

/** Make all members wait, and all agents available, again. */
void rival_sql_reset(struct rival_sql *rival);

/** One pass of the dispatcher; returns how many members got an agent. */
uint32_t rival_sql_pass(struct rival_sql *rival);

/** Who serves each member; UINT32_MAX: nobody. */
void rival_sql_agents(struct rival_sql *rival, uint32_t *agent_by_member);

#endif
