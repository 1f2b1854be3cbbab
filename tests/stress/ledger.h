/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger: one thread reads all events in the order taken and keeps book of who rings and who talks.
 * An agent with two contacts, a contact with two agents, an offer answered twice: it notes a problem.
 * It learns only from events, so it is compared with the statuses when all is quiet.
 */
#ifndef TEST_LEDGER_H
#define TEST_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "support/oracle.h"

/** Generations of one contact slot that may be in the book at a time. */
#define LEDGER_GENERATIONS 8

#define LEDGER_EVENT_TYPES (STW_EVENT_TRANSFERRED + 1)

/** An offer of a ring; the number stays when it is over. */
struct ledger_offer {
	uint64_t agent, number;
	bool rings;
};

struct ledger_contact {
	uint64_t id; /**< 0: free */
	uint32_t channel;
	enum stw_contact_state state;
	bool over;
	uint64_t agent; /**< who talks, or the first of those who ring; 0: nobody */
	uint32_t offers_count, ringing;
	struct ledger_offer offers[STW_STEP_RING_MAX]; /**< of the last ring, in order */
	uint64_t taken; /**< count of events when it was last heard of */
};

struct ledger_agent {
	uint64_t id; /**< 0: never heard of */
	enum stw_agent_state state;
	uint64_t contact, number;             /**< what rings, or of one slot, what he has */
	uint32_t talking;                     /**< contacts connected */
	uint32_t channels[STW_CHANNEL_COUNT]; /**< of them, by channel */
	uint64_t
		missed_ns; /**< time of its last decline or time-out; 0: not since it was offered */
};

struct ledger {
	uint32_t agents_max, contacts_max;
	uint32_t ring_max;               /**< most offers of one contact that ring at once */
	struct ledger_agent *agents;     /**< by slot */
	struct ledger_contact *contacts; /**< by slot, LEDGER_GENERATIONS each */
	uint64_t count[LEDGER_EVENT_TYPES];
	uint64_t taken, lost;
	uint32_t channels;                           /**< 0: all agents have one slot */
	const struct oracle_agent_rule *agent_rules; /**< by slot; NULL: they change */
	const struct oracle_queue_rule *queue_rules; /**< by slot; their channels stay */
	uint64_t reaped;   /**< connected contacts that ended as nobody renewed them */
	bool has_gaps;     /**< events may be lost: only counted, not understood */
	char problem[300]; /**< the first one; "" while all is well */
};

void ledger_create(struct ledger *ledger, uint32_t agents_max, uint32_t contacts_max);
void ledger_destroy(struct ledger *ledger);

/** Enter an event. */
void ledger_enter(struct ledger *ledger, const struct stw_event *event);

/** What the book says of a contact; NULL when it was never offered. */
const struct ledger_contact *ledger_contact(const struct ledger *ledger, uint64_t id);

/** Whether an agent may, or may come to, have several contacts; surely: he does from the start. */
bool ledger_is_concurrent(const struct ledger *ledger, uint64_t id);
bool ledger_is_surely_concurrent(const struct ledger *ledger, uint64_t id);

/** What the book says of an agent. */
const struct ledger_agent *ledger_agent(const struct ledger *ledger, uint64_t id);

#endif
