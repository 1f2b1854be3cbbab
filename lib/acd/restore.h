/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Restoring, its two halves: looking at everything (restore_check.c), then putting it in (restore.c).
 */
#ifndef STW_ACD_RESTORE_H
#define STW_ACD_RESTORE_H

#include "snapshot.h"

/* What the snapshot's slots are in this engine. */
struct acd_plan {
	struct stw_acd *acd;
	const struct stw_snapshot *snapshot;
	int64_t shift_ns;
	uint64_t now_ns;
	const char *why;
	uint32_t *queues;  /* of the snapshot's queue; ACD_NOBODY: not defined */
	uint32_t *agents;  /* likewise */
	uint32_t *holders; /* by the engine's agent: which contact he has; ACD_NOBODY: none */
	uint32_t *seated;  /* by the engine's agent: contacts in his seats */
	struct snapshot_census *contacts; /* by the snapshot's queue: how many */
	uint64_t *tenants;                /* by the engine's tenant: how many contacts */
};

/* 0: all of it can be put in, and the plan says where; else why not. */
int acd_plan_check(struct acd_plan *plan);

/* The snapshot's agent of a handle; ACD_NOBODY: there is none such. */
uint32_t acd_plan_agent(const struct stw_snapshot *snapshot, uint64_t id);

/* What a contact is to be: one that rang at several agents waits. */
static inline enum snapshot_state
acd_plan_state(const struct snapshot_contact *contact)
{
	return contact->state == SNAPSHOT_OFFERED && contact->ring
		       ? SNAPSHOT_WAITING
		       : (enum snapshot_state)contact->state;
}

/* A time of the snapshot on the clock of now. */
uint64_t acd_plan_time(const struct acd_plan *plan, uint64_t time_ns);

#endif
