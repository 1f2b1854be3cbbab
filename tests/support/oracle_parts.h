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
/** The contact comes into its queue: it waits for whom it prefers, if it can, or for anybody. */
void oracle_come(struct oracle *o, int contact, uint64_t now_ns);

/** An agent has logged out: nobody waits for him in person. */
void oracle_leave_agent(struct oracle *o, int agent);

/** When a contact has waited for its agent or at all for long enough; 0: never. */
uint64_t oracle_review_ns(const struct oracle *o, int contact);

/** An agent and the contact that he talks to part. */
void oracle_agent_part(struct oracle *o, int contact, uint64_t now_ns);

/** It has. */
void oracle_review(struct oracle *o, int contact, uint64_t now_ns);

/** Rank of a contact by its class, its queue and when it came. */
int64_t oracle_rank(const struct oracle *o, const struct oracle_contact *contact);

/** The agent's contact is over. */
void oracle_agent_wrap_up(struct oracle *o, int agent, uint64_t wrap_up_ns, uint64_t now_ns);

/** Whether the agent is ready, for a contact of that channel. */
bool oracle_is_available(const struct oracle *o, int agent, int contact);

/** Asked of an agent: whether he may have the contact. */
typedef bool (*oracle_may_fn)(const struct oracle *o, int agent, int contact);

/** The agent of those who may who gets a contact; ORACLE_NONE: none. */
int oracle_agent_choose(const struct oracle *o, int contact, oracle_may_fn may);

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

/** An agent's place in the contact's last offer; NULL: none. */
struct oracle_place *oracle_place_of(const struct oracle_contact *c, int agent);

/** The place that an offer means and that rings or has the contact; NULL: none. */
struct oracle_place *oracle_place_live(struct oracle_contact *c, uint64_t offer);

/** Ring an agent. */
void oracle_place_add(struct oracle *o, int agent, int contact, uint64_t now_ns);

/** Ring others beside the first, as many as the queue says. */
void oracle_ring_fill(struct oracle *o, int contact, uint64_t now_ns);

/** Stop ringing, but at the winner's; winner NULL: everywhere. */
void oracle_withdraw(struct oracle *o, int contact, const struct oracle_place *winner,
		     uint64_t now_ns);

/** Declined or timed out: the agent has missed one. Then oracle_misses_end. */
void oracle_miss(struct oracle *o, int index, struct oracle_place *place, enum stw_event_type type,
		 uint32_t reason, uint64_t now_ns);

/** After a miss: the contact rings on or waits again. */
void oracle_misses_end(struct oracle *o, int index, uint64_t missed_by, uint64_t now_ns);

/** All who ring have missed it. */
void oracle_time_out(struct oracle *o, int index, uint64_t now_ns);

#endif
