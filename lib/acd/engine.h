/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the engine's files offer each other; its data is in data.h, the ways to it in access.h. How the parts work
 * together is told in claim.c.
 */
#ifndef STW_ACD_ENGINE_H
#define STW_ACD_ENGINE_H

#include "access.h"
#include "data.h"

/* A contact's stay in a queue: what there is of it on each side of the contact, its rank aside. */
struct acd_stay {
	uint32_t q;
	uint32_t class;
	uint64_t entered_ns;
	uint64_t preferred;
	uint64_t preferred_until_ns;
};

#define ACD_CUSTOMER_WORDS 6

/* What is remembered of a customer (history.c); 0: not known. */
struct acd_customer {
	union {
		struct {
			uint64_t key;
			uint64_t written_ns;
			uint64_t agent;      /* handle of who served him last */
			uint64_t ended_ns;   /* when */
			uint64_t gave_up_ns; /* when he hung up before he was connected */
			uint64_t place_ns;   /* enqueue time of that contact */
		};
		uint64_t words[ACD_CUSTOMER_WORDS];
	};
};

struct acd_history_entry {
	_Atomic uint64_t stamp STW_ALIGNED_LINE;
	_Atomic uint64_t words[ACD_CUSTOMER_WORDS];
};

/* What a new contact has from another: its time of enqueue, and the contact that it is a consultation for. */
struct acd_origin {
	uint64_t enqueue_ns;
	uint64_t partner;
};

/* What a contact's timer asks for when it is due. Lies in the upper half of the entry's order. */
enum acd_timer_kind {
	ACD_TIMER_PLAIN,  /* the offer has rung for long enough; or it is an agent's */
	ACD_TIMER_REVIEW, /* see what is due by now, and set the next */
};

/* Agents and contacts that a call has made matchable, to be looked at before it returns. */
struct acd_todo {
	uint32_t items[32]; /* agents with ACD_TIMER_AGENT set, contacts without */
	uint32_t count;
	uint32_t done; /* items before it were looked at */
	bool overflow; /* more than fit: look at everything */
};

/* How a contact ended for an agent. */
enum acd_outcome {
	ACD_OUTCOME_WITHDRAWN,
	ACD_OUTCOME_MISSED,
	ACD_OUTCOME_ENDED,
};

/* announce.c: events, and the timers that go with a state. */
void acd_announce_contact(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns);
void acd_announce_agent(struct stw_acd *acd, uint32_t a, uint64_t word, uint64_t now_ns);

void acd_event_contact_fill(struct stw_acd *acd, struct stw_event *event, uint32_t c,
			    uint64_t word);

/* claim.c: the claim and its end, with helping. */
bool acd_agent_move(struct stw_acd *acd, uint32_t a, uint64_t old, enum acd_agent_state state,
		    uint32_t reason, bool quiet, uint64_t now_ns);
uint64_t acd_agent_settle(struct stw_acd *acd, uint32_t a, uint64_t now_ns, struct acd_todo *todo);
void acd_claim(struct stw_acd *acd, uint32_t a, uint64_t agent_word,
	       const struct lower_bound_tree_entry *entry, uint32_t position, uint64_t now_ns,
	       struct acd_todo *todo);
void acd_agent_spell(struct stw_acd *acd, uint32_t a, bool was_busy, uint64_t now_ns);

/* idle.c: the agents who may be ready. */
void acd_idle_list(struct stw_acd *acd, uint32_t a);
bool acd_idle_listed(struct stw_acd *acd, uint32_t a);
void acd_idle_ensure(struct stw_acd *acd, uint32_t a);
void acd_idle_unlist(struct stw_acd *acd, uint32_t a);
uint32_t acd_idle_longest_but(struct stw_acd *acd, uint32_t channel,
			      const _Atomic uint32_t *members, const uint32_t *but,
			      uint32_t but_count);

/* door.c: whether a queue takes contacts. */
const struct acd_queue_description *acd_queue_named(struct stw_acd *acd, struct stw_queue handle);
int acd_queue_find(struct stw_acd *acd, struct stw_queue handle, uint32_t *q);
int acd_queue_enter(struct stw_acd *acd, struct stw_queue handle, uint64_t now_ns, uint32_t *q);
void acd_queue_leave(struct stw_acd *acd, uint32_t q);

/* finish.c: what follows a decided contact, with helping. */
void acd_contact_finish(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns,
			struct acd_todo *todo);
uint32_t acd_misses_count(struct acd_agent *agent, uint64_t hold, bool missed);
bool acd_agent_release(struct stw_acd *acd, uint32_t a, uint64_t claim, uint64_t word,
		       enum acd_outcome outcome, uint64_t now_ns);
void acd_contact_requeue(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t missed_by,
			 uint64_t now_ns, struct acd_todo *todo);
void acd_contact_free(struct stw_acd *acd, uint32_t c, uint64_t word);
void acd_contact_slot_leave(struct stw_acd *acd, uint32_t c, uint64_t flags_set,
			    uint64_t flags_cleared);

/* match.c */
void acd_todo_agent(struct acd_todo *todo, uint32_t a);
void acd_todo_contact(struct acd_todo *todo, uint32_t c);
bool acd_match_finds(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns);
void acd_match_set(struct stw_acd *acd, uint32_t set, uint64_t now_ns, struct acd_todo *todo);
uint32_t acd_missed_by(struct stw_acd *acd, uint32_t c, uint64_t word);
bool acd_agent_is_waited_for(struct stw_acd *acd, uint32_t a);
void acd_match_run(struct stw_acd *acd, struct acd_todo *todo, uint64_t now_ns);

/* offer.c */
void acd_answer_count(struct stw_acd *acd, uint64_t entered_ns, uint32_t q, uint32_t a,
		      uint64_t now_ns);

/* place.c: where a waiting contact stands. */
int acd_contact_stay_write(struct stw_acd *acd, uint32_t c, unsigned side,
			   const struct acd_stay *stay);
struct acd_stay acd_contact_stay(const struct stw_acd *acd, uint32_t c, uint64_t word);
int acd_entry_insert(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t *position);
void acd_entry_passed(struct stw_acd *acd, uint32_t c);
void acd_entry_remove(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t position);
int acd_contact_place(struct stw_acd *acd, uint32_t c, uint64_t from, uint64_t to, uint64_t now_ns,
		      struct acd_todo *todo);
int acd_contact_step(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t step, uint64_t now_ns,
		     struct acd_todo *todo);

/* preferred.c: waiting for one agent in person. */
uint32_t acd_preferred_agent(struct stw_acd *acd, uint32_t c, unsigned side);
uint32_t acd_preferred_step(struct stw_acd *acd, uint32_t c, unsigned side);
uint32_t acd_preferred_waits(const struct stw_acd *acd, uint32_t a);
void acd_preferred_leave(struct stw_acd *acd, uint32_t a, uint64_t now_ns, struct acd_todo *todo);

/* move.c: from queue to queue. */
int acd_contact_own(struct stw_acd *acd, uint32_t c, uint64_t generation);
int acd_contact_overflow(struct stw_acd *acd, uint32_t c, uint64_t word, struct stw_queue to,
			 uint64_t now_ns, struct acd_todo *todo);

/* consult.c: consultations, callbacks, leases. */
bool acd_contact_is_callback(const struct stw_acd *acd, uint32_t c);

/* history.c: what is remembered of customers. */
uint32_t acd_history_entries(uint32_t customers_max);
uint64_t acd_customer_key(const struct stw_acd *acd, uint32_t q, uint64_t name);
uint64_t acd_customer_name(const struct stw_acd *acd, uint32_t q, uint64_t key);
bool acd_history_read(const struct stw_acd *acd, uint64_t key, struct acd_customer *customer);
void acd_history_write(struct stw_acd *acd, const struct acd_customer *customer, bool forgets);
void acd_history_apply(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t q,
		       struct stw_contact_request *request, struct acd_origin *origin,
		       uint64_t now_ns);

/* rank.c */
int64_t acd_rank(uint64_t enqueue_ns, int64_t target_ns, uint64_t credit_ns);

/* step.c */
bool acd_step_open(struct stw_acd *acd, const struct acd_step *step);
bool acd_step_takes(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t k,
		    uint32_t value, uint32_t a);
bool acd_step_member(const struct acd_queue_description *queue, uint32_t k, uint32_t a);
uint32_t acd_step_set(const struct acd_queue_description *queue, uint32_t k, uint32_t value);

uint32_t acd_step_tier(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t k,
		       uint32_t value, uint32_t a);
bool acd_step_asks(struct stw_acd *acd, const struct acd_step *step, uint32_t value);

/* select.c: the policies. */
uint32_t acd_select(struct stw_acd *acd, uint32_t q, const struct acd_step *step, uint32_t k,
		    uint32_t c, uint64_t word, uint32_t but, uint64_t now_ns);
uint32_t acd_select_but(struct stw_acd *acd, uint32_t q, const struct acd_step *step, uint32_t k,
			uint32_t c, uint64_t word, const uint32_t *but, uint32_t but_count,
			uint64_t now_ns);
bool acd_select_before(struct stw_acd *acd, uint32_t q, const struct acd_step *step, uint32_t k,
		       uint32_t a, uint32_t b, uint64_t now_ns);
void acd_select_offered(struct stw_acd *acd, uint32_t q, uint64_t word, uint32_t a);

/* widen.c: steps that open to waiting contacts. */
uint64_t acd_step_due_ns(struct stw_acd *acd, uint32_t c, uint64_t word);
uint32_t acd_step_target(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t k,
			 uint64_t waited_ns, uint64_t now_ns);
bool acd_contact_move(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t k, uint64_t now_ns);
bool acd_contact_widen(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t waited_ns,
		       uint64_t now_ns);
void acd_contact_widen_early(struct stw_acd *acd, uint32_t c, uint64_t now_ns);
bool acd_queue_is_unstaffed(struct stw_acd *acd, const struct acd_queue_description *queue,
			    enum stw_queue_when when);
bool acd_contact_desert(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns,
			struct acd_todo *todo);
void acd_review_ask(struct stw_acd *acd, uint32_t q);
void acd_review_ask_of(struct stw_acd *acd, const struct acd_agent_description *agent);
void acd_review_run(struct stw_acd *acd, uint32_t *budget, uint64_t now_ns, struct acd_todo *todo);

/* timers.c */
enum lower_bound_tree_verdict acd_timer_check(void *context, uint32_t item, uint64_t ref);
void acd_timer_set(struct stw_acd *acd, uint32_t item, uint64_t word, uint64_t deadline_ns,
		   enum acd_timer_kind kind, uint32_t *position);

/* due.c: what a contact's timer is for, and what happens when it is due. */
uint64_t acd_contact_review_ns(struct stw_acd *acd, uint32_t c, uint64_t word);
void acd_contact_arm(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns);
void acd_contact_disarm(struct stw_acd *acd, uint32_t c, uint64_t word);
bool acd_contact_due(struct stw_acd *acd, const struct lower_bound_tree_entry *entry,
		     uint32_t position, uint64_t now_ns, struct acd_todo *todo);

/* contact.c */
void acd_leave_count(struct stw_acd *acd, uint32_t q, enum stw_cause cause, uint64_t wait_ns);
int acd_contact_end(struct stw_acd *acd, uint32_t c, uint64_t word, enum stw_cause cause,
		    uint64_t now_ns, struct acd_todo *todo);
int acd_contact_leave(struct stw_acd *acd, uint32_t c, uint64_t word, enum stw_cause cause,
		      uint64_t now_ns, struct acd_todo *todo);
enum lower_bound_tree_verdict acd_contact_entry_check(void *context, uint32_t item, uint64_t ref);
int acd_contact_put(struct stw_acd *acd, struct stw_queue where,
		    const struct stw_contact_request *request, const struct acd_origin *origin,
		    uint64_t now_ns, struct stw_contact *handle);
int acd_contact_request_check(const struct stw_contact_request *request, uint64_t now_ns);
int acd_contact_find(struct stw_acd *acd, struct stw_contact handle, uint32_t *c, uint64_t *word);
int acd_contact_settle(struct stw_acd *acd, struct stw_contact handle, uint32_t *c, uint64_t *word,
		       uint64_t now_ns, struct acd_todo *todo);

/* stats.c */
void acd_stats_add(struct stw_queue_stats *stats, const uint64_t n[ACD_COUNTERS]);
void acd_queue_stats(struct stw_acd *acd, uint32_t q, struct stw_queue_stats *stats);
void acd_stats_clip(struct stw_queue_stats *stats);

/* agent.c */
int acd_agent_find(struct stw_acd *acd, struct stw_agent handle, uint32_t *a);
enum stw_agent_state acd_agent_state_of(uint64_t word);

/* Before a WAITING word is changed: only for a journal does it have an event. */
static inline void
acd_announce_waiting(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns)
{
	if (acd->config.journal)
		acd_announce_contact(acd, c, word, now_ns);
}

#endif
