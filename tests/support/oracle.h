/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle: what the engine's headers promise, told once more in plain arrays and obvious loops.
 * It is single-threaded and slow. Tests run it beside the engine and compare.
 *
 * Where the headers leave something open (which of two agents who became ready at one nanosecond,
 * which of two timers due at one nanosecond) the oracle asks oracle_choose; the test tries every
 * answer until one explains what the engine did.
 */
#ifndef TEST_ORACLE_H
#define TEST_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/acd.h>

#define ORACLE_AGENTS_MAX   24
#define ORACLE_QUEUES_MAX   6
#define ORACLE_CONTACTS_MAX 48
#define ORACLE_SKILLS_MAX   4
#define ORACLE_STEPS_MAX    4
#define ORACLE_EVENTS_MAX   512
#define ORACLE_CHOICES_MAX  64
#define ORACLE_NONE         (-1)

#define ORACLE_ATTRIBUTES_MAX   2
#define ORACLE_POOLS_MAX        2
#define ORACLE_TERMS_MAX        7
/* Of all queues. */
#define ORACLE_SHORT_ABANDON_NS UINT64_C(1000000000)

/** What an agent has asked for while a contact keeps him busy. */
enum oracle_asked { ORACLE_ASKED_NOTHING, ORACLE_ASKED_NOT_READY, ORACLE_ASKED_LOGOUT };

/** Description of an agent, as both sides are told it. */
struct oracle_agent_rule {
	uint64_t cookie;
	uint64_t penalty_ns;
	uint32_t misses_max;
	uint8_t level[ORACLE_SKILLS_MAX]; /**< 0: has it not */
	uint8_t slots[STW_CHANNEL_COUNT], interrupts[STW_CHANNEL_COUNT];
	char value[ORACLE_ATTRIBUTES_MAX]; /**< of each attribute, a letter; 0: has it not */
	uint32_t pool;                     /**< index + 1; 0: none */
	uint32_t position;
};

/** A term of an expression, postfix. */
struct oracle_term {
	enum stw_term_kind kind;
	uint8_t level;
	uint8_t what; /**< index of the skill or attribute */
	char value;   /**< a letter */
};

/** Description of a routing step, as both sides are told it. */
struct oracle_step_rule {
	uint8_t level[ORACLE_SKILLS_MAX]; /**< 0: not asked for */
	uint32_t ring_count;              /**< 0: 1 */
	uint64_t after_ns;
	enum stw_step_when when; /**< not WAIT_ABOVE, which comes true by itself */
	enum stw_select select;  /**< not LEAST_OCCUPIED, not WEIGHTED_RANDOM */
	uint32_t terms_count;
	struct oracle_term term[ORACLE_TERMS_MAX];
	uint32_t pool; /**< index + 1; 0: any */
	uint32_t reserve_agents;
	uint8_t reserve_value;
};

/** Description of a queue, as both sides are told it. */
struct oracle_queue_rule {
	uint64_t cookie;
	uint64_t offer_timeout_ns, wrap_up_ns, service_level_ns;
	uint64_t wait_max_ns;
	uint64_t lease_ns;         /**< the engine only */
	uint64_t resume_window_ns; /**< the engine only */
	uint64_t overflow;         /**< id of the queue; 0: none */
	uint32_t length_max;
	uint32_t steps_count; /**< 1 or more */
	struct oracle_step_rule step[ORACLE_STEPS_MAX];
	uint8_t channel;
	const int64_t (*target_ns)[STW_CLASS_COUNT]; /**< lives as long as the test */
};

/** A slot in wrap-up. */
struct oracle_wrap {
	uint64_t until_ns;
	uint8_t channel;
};

struct oracle_agent {
	bool defined;
	uint64_t id;
	struct oracle_agent_rule rule;
	enum stw_agent_state state;
	uint32_t reason;
	uint64_t since_ns;
	uint64_t rests_until_ns; /**< end of a wrap-up or pause; 0: neither */
	enum oracle_asked asked;
	uint32_t asked_reason;
	uint32_t misses;
	int contact; /**< index or ORACLE_NONE */
	uint64_t contacts, busy_ns;
	uint64_t idle_ns; /**< since when he is idle, if he is */
	bool seated; /**< has, or had, several slots: state and contact are only about offers */
	uint32_t talking[STW_CHANNEL_COUNT]; /**< connected contacts, if seated */
	struct oracle_wrap wraps[STW_AGENT_SLOTS_MAX];
	uint32_t wraps_count;
};

/** Who is or was rung, in the order of the offers. */
struct oracle_place {
	int agent;
	uint64_t agent_id;
	uint64_t offer; /**< oracle's own number of it, over the whole house */
	bool live;      /**< rings, or has the contact */
};

struct oracle_contact {
	bool known;
	uint64_t id;
	enum stw_contact_state state;
	int queue, agent; /**< indices; agent, the first of those who ring, or ORACLE_NONE */
	uint64_t arrival; /**< order of arrival breaks ties of rank */
	uint8_t value, urgency, red;
	uint64_t credit_ns, enqueue_ns, answered_ns, cookie;
	int64_t rank_ns;
	uint64_t rings_until_ns; /**< 0: no timer */
	uint32_t places_count;   /**< places of its last offer */
	struct oracle_place places[STW_STEP_RING_MAX];
	uint64_t declined_by; /**< id of the agent who missed its last offer; 0: nobody */
	uint32_t step;        /**< last one open to it */
	uint64_t entered_ns;  /**< when it came into its queue */
	bool in_person;       /**< it waits for `preferred` and nobody else */
	uint64_t preferred;   /**< id of an agent */
	uint64_t preferred_until_ns;
};

struct oracle_queue {
	bool defined;
	uint64_t id;
	struct oracle_queue_rule rule;
	struct stw_queue_stats stats;
	uint32_t next[ORACLE_STEPS_MAX]; /**< slot whose turn it is */
};

/** Answers to oracle_choose, one after the other; beyond them the answer is 0. */
struct oracle_choices {
	uint32_t made;  /**< asked so far in this step */
	uint32_t given; /**< answers that are set */
	uint8_t answer[ORACLE_CHOICES_MAX];
	uint8_t width[ORACLE_CHOICES_MAX]; /**< how many answers there were */
};

/** A house; copied as a value when a test must go back. */
struct oracle {
	uint32_t agents_max, queues_max, contacts_max;
	uint64_t arrivals, offers;
	struct oracle_agent agents[ORACLE_AGENTS_MAX];
	struct oracle_queue queues[ORACLE_QUEUES_MAX];
	struct oracle_contact contacts[ORACLE_CONTACTS_MAX];
	struct stw_queue_stats removed; /**< counters of removed queues */
	bool settles;                   /**< match at the end of each call; else the test does */
};

/** Events that the oracle expects of one step; offer.number is the oracle's own number. */
struct oracle_events {
	uint32_t count;
	struct stw_event list[ORACLE_EVENTS_MAX];
};

/** Where a step leaves its events and gets its choices; set before calling, never NULL. */
extern struct oracle_events *oracle_events;
extern struct oracle_choices *oracle_choices;

/** Go on to the next set of answers. Returns false when all were tried. */
bool oracle_choices_next(struct oracle_choices *choices);

/* The calls of the engine. Handles are ids as the engine gave them. */
int oracle_agent_define(struct oracle *o, const struct oracle_agent_rule *rule, uint64_t id);
int oracle_agent_update(struct oracle *o, uint64_t agent, const struct oracle_agent_rule *rule,
			uint64_t now_ns);
int oracle_agent_remove(struct oracle *o, uint64_t agent);
int oracle_agent_login(struct oracle *o, uint64_t agent, uint64_t now_ns);
int oracle_agent_ready(struct oracle *o, uint64_t agent, uint64_t now_ns);
int oracle_agent_not_ready(struct oracle *o, uint64_t agent, uint32_t reason, uint64_t now_ns);
int oracle_agent_logout(struct oracle *o, uint64_t agent, uint64_t now_ns);
int oracle_agent_extend(struct oracle *o, uint64_t agent, uint64_t by_ns, uint64_t now_ns);
int oracle_queue_define(struct oracle *o, const struct oracle_queue_rule *rule, uint64_t id);
int oracle_queue_update(struct oracle *o, uint64_t queue, const struct oracle_queue_rule *rule,
			uint64_t now_ns);
int oracle_queue_remove(struct oracle *o, uint64_t queue);
int oracle_enqueue(struct oracle *o, const struct stw_contact_request *request, uint64_t now_ns,
		   uint64_t id);
int oracle_cancel(struct oracle *o, uint64_t contact, uint64_t now_ns);
int oracle_reprioritise(struct oracle *o, uint64_t contact, uint8_t value, uint8_t urgency,
			uint64_t now_ns);
int oracle_move(struct oracle *o, uint64_t contact, uint64_t queue, uint64_t now_ns);
int oracle_transfer(struct oracle *o, uint64_t contact, uint64_t queue, uint64_t agent,
		    uint64_t agent_wait_ns, uint64_t now_ns);
int oracle_end(struct oracle *o, uint64_t contact, uint64_t now_ns);
int oracle_accept(struct oracle *o, uint64_t contact, uint64_t offer, uint64_t now_ns);
int oracle_decline(struct oracle *o, uint64_t contact, uint64_t offer, uint32_t reason,
		   uint64_t now_ns);
int oracle_advance(struct oracle *o, uint64_t now_ns, uint32_t budget, uint64_t *next_ns);

/* Looking, and matching by hand (for tests of several threads). */
int oracle_agent_find(const struct oracle *o, uint64_t id);
int oracle_queue_find(const struct oracle *o, uint64_t id);
int oracle_contact_find(const struct oracle *o, uint64_t id);
bool oracle_is_eligible(const struct oracle *o, int agent, int contact);
/** The first step that is open to the contact and has the agent; above its last: none. */
uint32_t oracle_tier(const struct oracle *o, int agent, int contact);
bool oracle_may_take(const struct oracle *o, int agent, int contact);
/** Whether a queue's contacts are for the agent at all, and now. */
bool oracle_serves(const struct oracle *o, int agent, int queue);
bool oracle_is_open(const struct oracle *o, int agent, uint32_t channel);
/** State as the engine shows it; slots in use; contacts connected, if seated. */
enum stw_agent_state oracle_agent_state(const struct oracle_agent *agent);
uint32_t oracle_seats_used(const struct oracle_agent *agent);
uint32_t oracle_talking(const struct oracle_agent *agent);
bool oracle_is_before(const struct oracle_contact *a, const struct oracle_contact *b);
int oracle_best_contact(const struct oracle *o, int agent);
bool oracle_can_match(const struct oracle *o);
void oracle_offer(struct oracle *o, int agent, int contact, uint64_t now_ns);
void oracle_settle(struct oracle *o, uint64_t now_ns);
/** Count anew what waits, rings and talks. */
void oracle_settle_counts(struct oracle *o);
void oracle_stats(const struct oracle *o, struct stw_acd_stats *stats);

#endif
