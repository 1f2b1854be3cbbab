/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the oracle say to each other. */
#ifndef TEST_ORACLE_PARTS_H
#define TEST_ORACLE_PARTS_H

#include "oracle.h"

/** One of `width` answers, as the test wants it. */
uint32_t oracle_choose(uint32_t width);

/** Note an event; the caller may add to it. */
struct stw_event *oracle_tell(const struct oracle *o, enum stw_event_type type, int contact,
			      int agent, uint64_t now_ns);

/** The agent's state changes; a change that is no offer and no answer is told. */
void oracle_agent_enter(struct oracle *o, int agent, enum stw_agent_state state, uint32_t reason,
			uint64_t now_ns);

/** The agent's offer is over without an answer; missed: by decline or time-out. */
void oracle_agent_release(struct oracle *o, int agent, bool missed, uint64_t now_ns);

/** What the agent has asked for meanwhile happens now; false: nothing. */
bool oracle_do_asked(struct oracle *o, int agent, uint64_t now_ns);

/** A spell of the agent's time ends, and counts if it was busy. */
void oracle_spell(struct oracle_agent *agent, uint64_t now_ns);

/* oracle_seats.c: agents with several slots. */
uint32_t oracle_slots(const struct oracle_agent_rule *rule);
void oracle_park(struct oracle *o, int agent, uint64_t now_ns);
void oracle_unpark(struct oracle *o, int agent, int queue, uint64_t now_ns);
void oracle_wrap_end(struct oracle *o, int agent, uint32_t wrap, uint64_t now_ns);
uint32_t oracle_wraps_end(struct oracle *o, int agent, uint64_t due_ns, uint64_t now_ns);
void oracle_logout_complete(struct oracle *o, int agent, uint64_t now_ns);

/** The agent's contact is over. */
void oracle_agent_wrap_up(struct oracle *o, int agent, uint64_t wrap_up_ns, uint64_t now_ns);

/** Whether an agent could take a contact of this one's channel now. */
bool oracle_is_available(const struct oracle *o, int agent, int contact);

/** The agent who gets a contact that somebody may take. */
int oracle_agent_choose(const struct oracle *o, int contact);

/** A waiting contact looks for an agent, before the agents look: where a reserve counts who is still
 * ready, the order shows. */
void oracle_look(struct oracle *o, int contact, uint64_t now_ns);

/** An agent is offered the contact: whose turn is it next? */
void oracle_offer_note(struct oracle *o, int agent, int contact);

/** Open the steps that are due to a contact that has waited for so long; returns whether one was. */
bool oracle_widen(struct oracle *o, int contact, uint64_t waited_ns);

/** Open the steps that need no wait to all who wait and find nobody. */
void oracle_widen_all(struct oracle *o);

/** When the next step opens to a contact by time; 0: not before something else happens. */
uint64_t oracle_widens_ns(const struct oracle *o, int contact);

#endif
