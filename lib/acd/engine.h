/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's data and what its files offer each other. How the parts work together is told in
 * claim.c. The ordered accesses to shared words are made here, by name:
 *
 *  label  where                      order    pairs with  without it
 *  W1     change of a word           acq_rel  W2          a state is seen without what led to it
 *  W2     reading a word             acquire  W1          same, seen from the reader
 *  D1     publishing a description   release  D2          a half-written description is read
 *  D2     reading its pointer        acquire  D1          same, seen from the reader
 *  D3     writing a contact's field  release  D4          a new life's field, an old life's word
 *  D4     reading a contact's field  acquire  D3          same, seen from the reader
 *  N1     arrivals: add              acq_rel  N2          a contact overtakes a better one
 *  N2     arrivals: read             acquire  N1          same, seen from the search
 *  Q1     known: a contact has gone  release  Q2          the queue goes under a contact's last steps
 *  Q2     known: close from 0        acquire  Q1          same, seen from who removes the queue
 */
#ifndef STW_ACD_ENGINE_H
#define STW_ACD_ENGINE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strowger/acd.h>

#include "base/base.h"
#include "calendar.h"
#include "interval.h"
#include "names.h"
#include "seats.h"
#include "surge.h"
#include "sync/control_lock.h"
#include "sync/counters.h"
#include "sync/event_queue.h"
#include "sync/fence.h"
#include "sync/hint_bits.h"
#include "sync/lanes.h"
#include "sync/lower_bound_tree.h"
#include "sync/lower_bound_word.h"
#include "sync/reclaim.h"
#include "sync/slot_pool.h"
#include "tenant.h"
#include "word.h"

#define ACD_NOBODY         UINT32_MAX
#define ACD_NEVER          UINT64_MAX
#define ACD_NO_POSITION    UINT32_MAX          /* of an entry that was not put in */
#define ACD_TIMER_AGENT    (UINT32_C(1) << 31) /* in a timer's item: it is an agent's */
#define ACD_TIMER_SEAT     (UINT32_C(1) << 30) /* likewise: a seat's */
#define ACD_TIMER_POSITION (UINT32_C(1) << 29) /* it tells a contact's position */
#define ACD_REVIEWS_MAX    64                  /* contacts looked at by the reviews of one call */
#define ACD_NOW_MAX        (UINT64_C(1) << 62)
#define ACD_DURATION_MAX   (UINT64_C(1) << 61)

/* A term of a requirement, an attribute of an agent: copies of what the host said. */
struct acd_term {
	enum stw_term_kind kind;
	uint32_t level;
	uint64_t what; /* skill or attribute */
	char value[STW_VALUE_BYTES_MAX + 1];
};

struct acd_attribute {
	uint64_t attribute;
	char value[STW_VALUE_BYTES_MAX + 1];
};

/* Description of an agent: replaced as a whole, read inside of read-side sections. */
struct acd_agent_description {
	uint32_t generation;
	uint32_t tenant; /* slot */
	uint32_t misses_max;
	uint64_t penalty_ns;
	uint64_t cookie;
	uint32_t skills_count;
	_Atomic uint32_t *sets; /* bits: waiting sets that he may be given contacts of */
	struct stw_skill_level *skills;
	uint32_t attributes_count;
	struct acd_attribute *attributes;
	uint64_t pool;           /* 0: none */
	uint32_t channels;       /* bits: channels with slots */
	struct acd_seats *seats; /* NULL: never had more than one slot */
	uint8_t slots[STW_CHANNEL_COUNT];
	uint8_t interrupts[STW_CHANNEL_COUNT];
	struct acd_agent_description *replaced; /* under the lock: one more to be freed */
	uint32_t position;
	uint32_t weight;
	char name[STW_NAME_BYTES_MAX + 1];
};

/* A lane: contacts of one step from a value on, to the next lane's, wait in a set of their own. */
struct acd_lane {
	uint32_t set;
	uint32_t value_min;
};

#define ACD_LANES_MAX (STW_QUEUE_STEPS_MAX + 1)

/* A routing step of a queue, part of its description. */
struct acd_step {
	_Atomic uint32_t *members; /* bits: agents who meet what the step asks for */
	uint32_t calendar;         /* slot: nobody is asked while it is closed; ACD_CALENDAR_NONE */
	uint32_t channel;          /* the queue's */
	_Atomic uint16_t *scores;  /* per agent, for the most proficient; else NULL */
	enum stw_select select;
	enum stw_step_when when;
	uint64_t after_ns;
	uint64_t wait_bound_ns;
	uint32_t ring_count; /* agents rung at once */
	uint32_t terms_count;
	uint32_t requirement_count;
	struct acd_term *requirement;
	uint32_t tenant; /* slot, the queue's */
	uint64_t pool;   /* 0: any */
	uint32_t reserve_agents;
	uint32_t
		reserve_value; /* contacts below it are given nobody of the reserve; 0: no reserve */
	uint32_t lanes_count;  /* 1 or more */
	struct acd_lane lanes[ACD_LANES_MAX];
	struct stw_skill_level terms[STW_STEP_TERMS_MAX];
};

/* Description of a queue: likewise. */
struct acd_queue_description {
	uint32_t generation;
	uint32_t tenant;   /* slot */
	uint32_t calendar; /* slot; ACD_CALENDAR_NONE: always open */
	uint32_t length_max;
	uint32_t channel;
	uint64_t cookie;
	uint64_t offer_timeout_ns;
	uint64_t wrap_up_ns;
	uint64_t service_level_ns;
	uint64_t short_abandon_ns;
	uint64_t announce_ns;
	uint32_t surge_rules_count;
	struct stw_surge_rule surge_rules[STW_SURGE_RULES_MAX];
	struct acd_step *steps;
	uint32_t steps_count; /* 1 or more */
	bool round_robin;     /* a step goes round */
	uint64_t wait_max_ns;
	uint64_t lease_ns;
	uint64_t resume_window_ns;
	uint64_t repeat_window_ns;
	struct stw_queue overflow; /* id 0: none */
	enum stw_queue_when refuse_when;
	enum stw_queue_when leave_when;
	int64_t target_ns[STW_CLASS_COUNT][STW_CLASS_COUNT];
	char name[STW_NAME_BYTES_MAX + 1];
};

struct acd_agent {
	_Atomic uint64_t word STW_ALIGNED_LINE;
	_Atomic uint64_t stamps;   /* last stamp given out */
	_Atomic uint64_t told;     /* stamp of the last word told by an event */
	_Atomic uint64_t misses;   /* misses in a row, and which claim was counted last */
	_Atomic uint64_t until_ns; /* end of the wrap-up or pause */
	_Atomic uint64_t since_ns; /* begin of the state */
	_Atomic uint32_t after_reason;
	_Atomic uint32_t timer_position;
	_Atomic uint32_t last_contact;   /* what the agent held last */
	_Atomic uint32_t decline_reason; /* of a decline while several rang */
	_Atomic(struct acd_agent_description *) description STW_ALIGNED_LINE;
	_Atomic uint64_t contacts;
	_Atomic uint64_t busy_ns;
	_Atomic uint64_t login_ns;      /* when he logged in last */
	_Atomic uint64_t busy_login_ns; /* busy_ns then */
	_Atomic uint32_t contacts_today;
	_Atomic uint32_t position;
	_Atomic uint32_t weight; /* 1 or more */
};

struct acd_contact {
	_Atomic uint64_t word STW_ALIGNED_LINE;
	_Atomic uint64_t told; /* version of the last word told by an event */
	_Atomic uint64_t enqueue_ns;
	_Atomic uint64_t arrival;
	_Atomic uint64_t holders; /* generation << 2 | ACD_RANKING | ACD_CLOSED */
	_Atomic uint32_t generation;
	_Atomic uint32_t reason;            /* of a decline */
	_Atomic uint32_t missed_generation; /* of the agent in a WAITING word */
	_Atomic uint32_t entry_position;
	_Atomic uint32_t timer_position;
	_Atomic int64_t rank_ns[2] STW_ALIGNED_LINE; /* the word's side says which is valid */
	_Atomic uint32_t class[2];                   /* value * 16 + urgency */
	_Atomic uint32_t queue[2];
	_Atomic uint64_t credit_ns; /* UINT64_MAX: red channel */
	_Atomic uint64_t cookie;
	_Atomic uint64_t connect_ns;
	_Atomic uint64_t told_count; /* generation << 32 | positions told (position.c) */
	/* Of the two copies the word's side says which is valid, as with rank and queue. */
	_Atomic uint64_t entered_ns[2] STW_ALIGNED_LINE; /* when it came into its queue */
	_Atomic uint64_t preferred[2];                   /* handle of the agent it wants; 0: none */
	_Atomic uint64_t preferred_until_ns[2];          /* it waits for him till then */
	_Atomic uint64_t offer_ns;                       /* when it was offered last */
	_Atomic uint64_t renewed_ns;                     /* when its host renewed it last */
	_Atomic uint64_t partner STW_ALIGNED_LINE; /* handle of whom it is a consultation for; 0 */
	_Atomic uint64_t successor; /* handle of the consultation that goes on for it; 0 */
	_Atomic uint64_t customer;  /* key; 0: none */
	_Atomic uint64_t callback;  /* generation << 1 | whether its caller is to be called back */
};

static_assert(sizeof(struct acd_agent) == 2 * STW_CACHE_LINE, "one agent, two lines");
static_assert(sizeof(struct acd_contact) == 4 * STW_CACHE_LINE, "one contact, four lines");

/* Who is rung for a contact, place by place (ring.c); for every contact, if there are rings at all. */
struct acd_ring {
	_Atomic uint64_t places[ACD_RING_MAX] STW_ALIGNED_LINE;
};

/* Flags in holders, below the generation: who still needs the slot. */
#define ACD_RANKING      1u /* a thread computes the class anew */
#define ACD_CLOSED       2u /* the contact is over */
#define ACD_HOLDERS_BITS 2

struct acd_queue {
	_Atomic uint64_t known STW_ALIGNED_LINE; /* contacts of the queue; ACD_QUEUE_FLAGS */
	_Atomic int64_t waiting;                 /* of them, waiting */
	_Atomic uint64_t wait_ns_max;
	_Atomic uint32_t next[STW_QUEUE_STEPS_MAX]; /* per step: agent whose turn it is */
	_Atomic uint64_t start; /* pace.c: last offer to one who waited << 1 | others waited on */
	_Atomic uint64_t gap;   /* pace.c: mean gap between two such */
	_Atomic uint64_t level; /* surge.c: service level of late */
	_Atomic uint64_t surge; /* surge.c: which rules are on */
	_Atomic uint64_t surge_told;
	_Atomic(struct acd_queue_description *) description STW_ALIGNED_LINE;
	_Atomic uint64_t rolled; /* intervals before this one have been closed (interval.c) */
	_Atomic uint64_t first;  /* interval of the definition */
	uint32_t tenant;         /* slot; constant from definition to removal */
	uint32_t generation;     /* of the last definition; under the configuration lock */
	uint32_t channel;        /* likewise */
};

static_assert(offsetof(struct acd_queue, description) % STW_CACHE_LINE == 0,
	      "counts change with every contact, the description with the configuration");

/* Flags in known, above the count: who enters reads both in one. */
#define ACD_QUEUE_CLOSED   (UINT64_C(1) << 63) /* removed */
#define ACD_QUEUE_DRAINING (UINT64_C(1) << 62) /* takes no new contact */
#define ACD_QUEUE_FLAGS    (ACD_QUEUE_CLOSED | ACD_QUEUE_DRAINING)

/* Columns of the counters, a row per queue; one row more for removed queues, one for the engine. */
enum acd_counter {
	ACD_COUNT_OFFERED,
	ACD_COUNT_ANSWERED,
	ACD_COUNT_ANSWERED_IN_TIME,
	ACD_COUNT_ABANDONED,
	ACD_COUNT_REFUSED,
	ACD_COUNT_ENDED,
	ACD_COUNT_OFFERS,
	ACD_COUNT_DECLINED,
	ACD_COUNT_TIMED_OUT,
	ACD_COUNT_WITHDRAWN,
	ACD_COUNT_WAIT_NS,
	ACD_COUNT_TALK_NS,
	ACD_COUNT_ABANDONED_SHORT,
	ACD_COUNT_ABANDONED_WAIT_NS,
	ACD_COUNT_DEFLECTED,
	ACD_COUNT_EXPIRED,           /* contacts that the engine let go before an agent had them */
	ACD_COUNT_REFUSED_UNSTAFFED, /* of those refused */
	ACD_COUNT_LEFT_UNSTAFFED,    /* of those expired */
	ACD_COUNT_OVERFLOWED, /* sent to another queue as they came, or moved while waiting */
	ACD_COUNT_TRANSFERS,  /* moved to another queue while connected */
	ACD_COUNT_REAPED,     /* ended as the lease was over, whatever the state */
	ACD_COUNT_CALLBACKS_OFFERED,
	ACD_COUNT_CALLBACKS,     /* became callbacks */
	ACD_COUNT_RESUMED,       /* got the place of a contact given up */
	ACD_COUNT_REPEATS,       /* of customers who were served shortly before */
	ACD_COUNT_REPORTED,      /* ended with a word whether the matter is settled */
	ACD_COUNT_RESOLVED,      /* of these, settled */
	ACD_COUNT_OFFERS_BESIDE, /* offers that ring now beside another of the same contact */
	ACD_COUNTERS,
	/* Of the engine's row. */
	ACD_COUNT_LOGGED_IN = 0,
	ACD_COUNT_READY,
	ACD_COUNT_HELPS,
	ACD_COUNT_NOT_READY,
	ACD_COUNT_PREFERRED_FULL,
};

/* Agents who may be ready for a channel (idle.c). */
struct acd_idle {
	_Atomic uint64_t *available;       /* hint bits, one per agent */
	_Atomic uint64_t *available_words; /* hint bits: words of available with a bit set */
	_Atomic uint64_t *bounds;          /* per word of available: lower bound of idle_since_ns */
};

struct stw_acd {
	struct acd_agent *agents;
	struct acd_contact *contacts;
	struct acd_queue *queues;
	struct acd_tenant *tenants;
	struct acd_calendar *calendars;
	struct acd_ring *rings;          /* per contact; NULL: nothing rings at several */
	_Atomic uint64_t *idle_since_ns; /* per agent; right while the agent is ready */
	struct acd_idle idle[STW_CHANNEL_COUNT];
	struct acd_seats *seats; /* concurrent_max of them */
	struct stw_acd_config config;
	struct lower_bound_tree waiting; /* a set per lane; item: contact, ref: its WAITING word */
	_Atomic uint32_t *sets;          /* per set: queue, step and least value (step.c) */
	_Atomic uint32_t *conditional;   /* bits: sets of a step whose next has a condition */
	_Atomic uint64_t *reviews;       /* hint bits: queues whose conditions may hold (widen.c) */
	_Atomic uint32_t sets_end;       /* sets at or above were never used */
	uint32_t sets_max;
	struct lower_bound_tree preferred; /* a set per agent and channel: who waits for him */
	struct lower_bound_tree timers;    /* one set; ref: the word for which the timer was set */
	struct acd_history_entry *history; /* customers (history.c) */
	struct counters counters;
	struct acd_intervals intervals;
	struct slot_pool contact_slots;
	struct event_queue events;
	_Atomic uint64_t arrivals STW_ALIGNED_LINE; /* contacts that have become visible */
	_Atomic uint64_t arrival_numbers STW_ALIGNED_LINE;
	_Atomic uint32_t sweep STW_ALIGNED_LINE;
	_Atomic uint64_t reviews_asked STW_ALIGNED_LINE;
	_Atomic uint64_t reviews_done;
	_Atomic uint32_t calendars_end;  /* slots at or above were never used */
	_Atomic int64_t unix_ns_at_zero; /* Unix time minus the host's clock */
	/* Below: under the configuration lock. */
	struct control_lock lock STW_ALIGNED_LINE;
	struct names tenant_names;
	struct names skill_names;
	struct names agent_names;
	struct names queue_names;
	struct names calendar_names;
	struct slot_pool agent_slots;
	struct slot_pool seats_slots;
	struct slot_pool queue_slots;
	struct slot_pool set_slots;
	struct slot_pool skill_slots;
	uint32_t *agent_generations;
	uint32_t *skill_generations;
	struct names attribute_names;
	struct names pool_names;
	uint32_t attributes_count;
	uint32_t pools_count;
	uint32_t agents_end; /* slots at or above were never used */
	uint32_t queues_end;
	void *memory;
};

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
void acd_idle_unlist(struct stw_acd *acd, uint32_t a);
uint32_t acd_idle_longest_but(struct stw_acd *acd, uint32_t channel,
			      const _Atomic uint32_t *members, const uint32_t *but,
			      uint32_t but_count);

/* door.c: whether a queue takes contacts. */
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

/* interval.c: if an interval has ended, another begins. Each call that counts asks that first. */
static inline void
acd_interval_tick(struct stw_acd *acd, uint64_t now_ns)
{
	if (STW_UNLIKELY(now_ns >=
			 atomic_load_explicit(&acd->intervals.end_ns, memory_order_relaxed)))
		acd_interval_pass(acd, now_ns);
}

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

static inline void
acd_count(struct stw_acd *acd, uint32_t queue, enum acd_counter counter, uint64_t amount)
{
	/* A queue's first count in an interval closes those before. */
	if (STW_UNLIKELY(atomic_load_explicit(&acd->queues[queue].rolled, memory_order_relaxed) !=
			 atomic_load_explicit(&acd->intervals.number, memory_order_relaxed)))
		acd_queue_roll(acd, queue);
	counters_add(&acd->counters, queue, counter, amount);
}

static inline void
acd_count_engine(struct stw_acd *acd, enum acd_counter counter, uint64_t amount)
{
	counters_add(&acd->counters, acd->config.queues_max + 1, counter, amount);
}

static inline struct acd_agent_description *
acd_agent_description(struct stw_acd *acd, uint32_t a)
{
	/* D2, pairs with D1: the description was written before it was published. */
	return atomic_load_explicit(&acd->agents[a].description, memory_order_acquire);
}

static inline struct acd_queue_description *
acd_queue_description(struct stw_acd *acd, uint32_t q)
{
	/* D2, pairs with D1 */
	return atomic_load_explicit(&acd->queues[q].description, memory_order_acquire);
}

static inline void
acd_agent_description_publish(struct stw_acd *acd, uint32_t a, struct acd_agent_description *new)
{
	/* D1, pairs with D2 */
	atomic_store_explicit(&acd->agents[a].description, new, memory_order_release);
}

static inline void
acd_queue_description_publish(struct stw_acd *acd, uint32_t q, struct acd_queue_description *new)
{
	/* D1, pairs with D2 */
	atomic_store_explicit(&acd->queues[q].description, new, memory_order_release);
}

/* A contact has become visible: searches under way look again. */
static inline void
acd_arrivals_add(struct stw_acd *acd)
{
	/* N1, pairs with N2 */
	atomic_fetch_add_explicit(&acd->arrivals, 1, memory_order_acq_rel);
}

static inline uint64_t
acd_arrivals_read(const struct stw_acd *acd)
{
	/* N2, pairs with N1 */
	return atomic_load_explicit(&acd->arrivals, memory_order_acquire);
}

/* A contact of the queue is no more. */
static inline void
acd_queue_known_drop(struct stw_acd *acd, uint32_t q)
{
	acd_tenant_contact_leave(acd, acd->queues[q].tenant);
	/* Q1, pairs with Q2 */
	atomic_fetch_sub_explicit(&acd->queues[q].known, 1, memory_order_release);
}

/* Close a queue for contacts; false: it has some. */
static inline bool
acd_queue_close(struct stw_acd *acd, uint32_t q)
{
	uint64_t known = atomic_load_explicit(&acd->queues[q].known, memory_order_relaxed);

	while (!(known & ~ACD_QUEUE_DRAINING)) {
		/* Q2, pairs with Q1; a retry: a contact came and went, or draining was turned. */
		if (atomic_compare_exchange_weak_explicit(&acd->queues[q].known, &known,
							  ACD_QUEUE_CLOSED, memory_order_acquire,
							  memory_order_relaxed))
			return true;
	}
	return false;
}

/* Fields of a contact are written while its slot is free, and read by anybody at any time. Who reads
 * them reads the word before and after: the same word means that the fields are of that life. */
static inline uint64_t
acd_field_read(const _Atomic uint64_t *field)
{
	/* D4, pairs with D3 */
	return atomic_load_explicit(field, memory_order_acquire);
}

static inline uint32_t
acd_field_read_32(const _Atomic uint32_t *field)
{
	/* D4, pairs with D3 */
	return atomic_load_explicit(field, memory_order_acquire);
}

static inline void
acd_field_write(_Atomic uint64_t *field, uint64_t value)
{
	/* D3, pairs with D4 */
	atomic_store_explicit(field, value, memory_order_release);
}

static inline void
acd_field_write_32(_Atomic uint32_t *field, uint32_t value)
{
	/* D3, pairs with D4 */
	atomic_store_explicit(field, value, memory_order_release);
}

static inline uint64_t
acd_word_read(const _Atomic uint64_t *word)
{
	/* W2, pairs with W1 */
	return atomic_load_explicit(word, memory_order_acquire);
}

/* Change a word from exactly this value. */
static inline bool
acd_word_change(_Atomic uint64_t *word, uint64_t from, uint64_t to)
{
	/* W1, pairs with W2 */
	return atomic_compare_exchange_strong_explicit(word, &from, to, memory_order_acq_rel,
						       memory_order_relaxed);
}

static inline bool
acd_bit(const _Atomic uint32_t *bits, uint32_t i)
{
	return atomic_load_explicit(&bits[i / HINT_BITS_WIDTH], memory_order_relaxed) >>
		       i % HINT_BITS_WIDTH &
	       1;
}

/* Value of a contact whose word this is. */
static inline uint32_t
acd_contact_value(const struct stw_acd *acd, uint32_t c, uint64_t word)
{
	return acd_field_read_32(&acd->contacts[c].class[word_side(word)]) / STW_CLASS_COUNT;
}

/* What a set of the waiting tree is: queue, step, least value. */
static inline uint32_t
acd_set_make(uint32_t q, uint32_t k, uint32_t value_min)
{
	return value_min << 20 | k << 16 | q;
}

static inline uint32_t
acd_set_queue(uint32_t what)
{
	return what & 0xffff;
}

static inline uint32_t
acd_set_step(uint32_t what)
{
	return what >> 16 & 0xf;
}

static inline uint32_t
acd_set_value(uint32_t what)
{
	return what >> 20;
}

/* Queue of a contact whose word this is. */
static inline uint32_t
acd_contact_queue(const struct stw_acd *acd, uint32_t c, uint64_t word)
{
	return acd_field_read_32(&acd->contacts[c].queue[word_side(word)]);
}

static inline bool
acd_is_among(uint32_t a, const uint32_t *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] == a)
			return true;
	return false;
}

static inline uint64_t
acd_handle(uint32_t slot, uint32_t generation)
{
	return (uint64_t)generation << 32 | slot;
}

static inline uint64_t
acd_elapsed(uint64_t from_ns, uint64_t now_ns)
{
	return now_ns > from_ns ? now_ns - from_ns : 0;
}

/* A time after another; for ever after is never. */
static inline uint64_t
acd_later(uint64_t from_ns, uint64_t after_ns)
{
	return after_ns == UINT64_MAX ? ACD_NEVER : from_ns + after_ns;
}

/* Raise a time to now unless it is later already. */
static inline void
acd_time_raise(_Atomic uint64_t *time_ns, uint64_t now_ns)
{
	uint64_t old = atomic_load_explicit(time_ns, memory_order_relaxed);

	while (old < now_ns &&
	       !atomic_compare_exchange_weak_explicit(time_ns, &old, now_ns, memory_order_relaxed,
						      memory_order_relaxed)) {
	}
}

#endif
