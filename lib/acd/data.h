/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's data: descriptions, agents, contacts, queues, and all of it together.
 */
#ifndef STW_ACD_DATA_H
#define STW_ACD_DATA_H

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
	_Atomic uint64_t stamps;           /* last stamp given out */
	_Atomic uint64_t told;             /* stamp of the last word told by an event */
	_Atomic uint64_t misses;           /* misses in a row, and which claim was counted last */
	_Atomic uint64_t until_ns;         /* end of the wrap-up or pause */
	_Atomic uint64_t since_ns;         /* begin of the state */
	_Atomic uint16_t after_reasons[2]; /* of what is asked while he holds (word.h) */
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

#endif
