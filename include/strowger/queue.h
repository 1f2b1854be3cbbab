/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues: where contacts wait, what they ask of an agent, and how long they should wait at most.
 */
#ifndef STROWGER_QUEUE_H
#define STROWGER_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/calendar.h>
#include <strowger/channel.h>
#include <strowger/export.h>
#include <strowger/requirement.h>
#include <strowger/skill.h>
#include <strowger/tenant.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Classes of value (who calls) and of urgency (what about): each 0, the least, to 15. */
#define STW_CLASS_COUNT 16

/** Most skills that one routing step asks for; all of them are required. */
#define STW_STEP_TERMS_MAX 16

/** Most agents rung at once for one contact. */
#define STW_STEP_RING_MAX 8

/** Most routing steps of a queue. */
#define STW_QUEUE_STEPS_MAX 10

/** In after_ns: waiting never opens the step; its condition may. */
#define STW_STEP_NEVER UINT64_MAX

/** Handle of a queue: a value, copied freely. An id of 0 names nothing. */
struct stw_queue {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Which of a step's ready agents gets a contact. Of equal ones, who has been ready for longest. */
enum stw_select {
	STW_SELECT_LONGEST_IDLE,    /**< who has been ready for longest */
	STW_SELECT_LEAST_OCCUPIED,  /**< whose part of busy time (offered, connected, wrap-up) since
					 the login is least, compared to one part in 2^30 */
	STW_SELECT_MOST_PROFICIENT, /**< whose levels of the skills that the step names, each
					 counted once, have the highest sum */
	STW_SELECT_FEWEST_CONTACTS, /**< who has accepted fewest since stw_agents_day_begin */
	STW_SELECT_ROUND_ROBIN,     /**< who comes after him to whom this step offered last, in the
					 order in which their slots were taken */
	STW_SELECT_WEIGHTED_RANDOM, /**< anyone, with chances as the agents' weights; from the
					 engine's seed */
	STW_SELECT_TOP_DOWN,        /**< who has the smallest position; then the smallest slot */
};

/** Why a queue takes no contacts. */
enum stw_queue_door {
	STW_QUEUE_DRAINING = 1, /**< stw_queue_drain said so */
	STW_QUEUE_SHUT = 2,     /**< its calendar is closed */
};

/**
 * When a step opens to a waiting contact before its time. Looked at when the contact finds nobody,
 * and when an agent logs out or becomes not ready. The steps before it are all those already open.
 */
enum stw_step_when {
	STW_STEP_WHEN_TIME,             /**< by after_ns alone */
	STW_STEP_WHEN_NOBODY_LOGGED_IN, /**< no agent of the steps before it is logged in */
	STW_STEP_WHEN_ALL_NOT_READY,    /**< each agent of the steps before it is not ready or
					     logged out: nobody works */
	STW_STEP_WHEN_WAIT_ABOVE,       /**< who is next in the step before it has waited for more
					     than wait_bound_ns */
};

/**
 * One routing step: who may be asked. Steps open to a contact one after the other and stay open, so
 * a step only ever adds agents. Of the open steps the first that has somebody ready is asked.
 */
struct stw_step_config {
	const struct stw_skill_level
		*terms;          /**< skills required, all of them; copied; NULL: anyone */
	uint32_t terms_count;    /**< 0 to STW_STEP_TERMS_MAX; 0: anyone */
	enum stw_select select;  /**< who of them is chosen */
	uint64_t after_ns;       /**< opens so long after the contact came, nanoseconds, to 2^61; 0:
				     at once; STW_STEP_NEVER. Of the first step: 0 */
	enum stw_step_when when; /**< or when this holds; of the first step: WHEN_TIME */
	uint64_t wait_bound_ns;  /**< of WHEN_WAIT_ABOVE, nanoseconds, to 2^61; else 0 */
	const struct stw_term
		*requirement;         /**< must hold, beside the terms; copied; NULL: nothing */
	uint32_t requirement_count;   /**< 0 to STW_REQUIREMENT_TERMS_MAX; 0: nothing */
	struct stw_pool pool;         /**< only agents of this pool; id 0: of any, or none */
	struct stw_calendar calendar; /**< nobody is asked by the step while it is closed, as of the
					   last stw_acd_advance; id 0: always open */
	uint32_t reserve_agents;      /**< this step keeps so many ready agents for contacts of
				      reserve_value and above: it gives others one only while more
				      are ready (a later step that has the same agents gives them
				      by its own rule). Exact as long as calls do not overlap, else
				      off by no more than the calls that do. 0: none */
	uint8_t reserve_value;        /**< 1 to 15 with reserve_agents, else 0 */
	/**
	 * So many of them are rung at once, 1 to the engine's ring_max; 0: 1. Of the steps that are open
	 * to a contact the last one's number counts. The first who accepts gets the contact and the
	 * other offers are withdrawn (STW_EVENT_WITHDRAWN, no miss). Who is rung beside the first is
	 * chosen in the same way among those who are ready at that moment and for whom nothing else
	 * waits; nobody joins later, and a ring of fewer is fine. Each has an offer of his own. Who
	 * declines is out; the others ring on until offer_timeout_ns after the first offer. When the
	 * last declines or time is up, the contact waits again; of those who missed it, who declined
	 * last, or was rung first, is asked again only when nobody else is ready.
	 */
	uint32_t ring_count;
};

/** When nobody serves a queue: no agent of any of its steps whose calendar is open. */
enum stw_queue_when {
	STW_QUEUE_WHEN_NEVER,            /**< does not apply */
	STW_QUEUE_WHEN_NOBODY_LOGGED_IN, /**< none of them is logged in */
	STW_QUEUE_WHEN_ALL_NOT_READY,    /**< each is not ready or logged out: nobody works */
};

/** Most surge rules of a queue. */
#define STW_SURGE_RULES_MAX 8

/** What a surge rule looks at. */
enum stw_surge_metric {
	STW_SURGE_LENGTH, /**< contacts that wait in the queue */
	STW_SURGE_EWT, /**< expected wait at the queue's end, nanoseconds; 0 while nobody waits */
	/** Of the last 64 or so that were answered, or gave up later, those in time, in thousandths;
	 * 1000 while nobody waits. This one goes on when it falls. */
	STW_SURGE_SERVICE_LEVEL,
	STW_SURGE_OCCUPANCY, /**< of the engine's agents at work, those busy, in thousandths */
};

/** What becomes of newcomers while a surge rule is on. */
enum stw_surge_action {
	STW_SURGE_REFUSE,   /**< turned away: -EAGAIN */
	STW_SURGE_DEFLECT,  /**< sent to self-service: STW_ENQUEUE_DEFLECTED */
	STW_SURGE_CALLBACK, /**< queued, and to be offered a callback: STW_ENQUEUE_CALLBACK */
	STW_SURGE_OVERFLOW, /**< queued in another queue: STW_ENQUEUE_OVERFLOWED */
};

/**
 * A surge rule. It goes on when its metric reaches on_bound and off when it is back at off_bound; each
 * is told by STW_EVENT_SURGE. The first rule that is on and applies to a newcomer decides. The red
 * channel is exempt.
 */
struct stw_surge_rule {
	enum stw_surge_metric metric; /**< what it looks at */
	enum stw_surge_action action; /**< what becomes of newcomers */
	uint64_t on_bound;            /**< at or above it goes on; a service level at or below */
	uint64_t off_bound;  /**< at or below it goes off, below on_bound; a service level at or
				 above, above on_bound; in the metric's unit */
	uint8_t value_max;   /**< newcomers of a value up to this, 0 to 15; 15: all */
	uint8_t urgency_max; /**< and of an urgency up to this, 0 to 15; 15: all */
	/** With STW_SURGE_OVERFLOW: where to; its own rules are not asked. Else id 0. While it is
	 * removed the rule does not apply. */
	struct stw_queue overflow;
};

/** Description of a queue. Begin with STW_QUEUE_CONFIG_INIT. */
struct stw_queue_config {
	size_t struct_size;       /**< bytes of this struct as compiled; never 0 */
	const char *name;         /**< UTF-8, 1 to STW_NAME_BYTES_MAX bytes; copied */
	struct stw_tenant tenant; /**< whose; id 0: the default tenant's */
	uint64_t cookie;          /**< the host's own; handed back in events; 0 is fine */
	const struct stw_step_config *steps; /**< copied; NULL when steps_count is 0 */
	uint32_t steps_count;      /**< 0 to STW_QUEUE_STEPS_MAX; 0: one step that takes anyone */
	uint64_t offer_timeout_ns; /**< how long an offer rings, nanoseconds; 0: for ever */
	uint64_t wrap_up_ns;       /**< work after a contact, nanoseconds; 0: none */
	uint64_t service_level_ns; /**< answered within this counts as in time; nanoseconds */
	uint32_t length_max;       /**< contacts that may wait here; 0: the engine's limit */
	uint64_t announce_ns;      /**< how often STW_EVENT_POSITION tells of each contact that
				      waits, nanoseconds, to 2^61; 0: never */
	uint64_t short_abandon_ns; /**< abandoned within this counts as short, nanoseconds; 0: only
				      who leaves in the very instant of coming */
	struct stw_calendar calendar; /**< of its tenant, when it takes contacts; id 0: always */
	uint32_t channel;     /**< enum stw_channel: by what its contacts come; stays as defined */
	uint64_t wait_max_ns; /**< longest wait here, nanoseconds to 2^61; 0: for ever */
	/** A contact that rings or talks and is not renewed for so long is ended; ns to 2^61; 0: never. */
	uint64_t lease_ns;
	/** Who gave up less than this ago gets his place back, nanoseconds to 2^61; 0: nobody does. */
	uint64_t resume_window_ns;
	/** Who was served less than this ago counts as a repeat, nanoseconds to 2^61; 0: nobody. */
	uint64_t repeat_window_ns;
	struct stw_queue overflow; /**< of its tenant, where to after wait_max_ns; id 0: away */
	/**
	 * Target wait by [value][urgency], nanoseconds, -2^61 to 2^61. A contact's rank is its
	 * enqueue time + target - credit, the smallest rank is served first; a very negative target
	 * is strict priority. 0 everywhere: first come, first served.
	 */
	int64_t target_ns[STW_CLASS_COUNT][STW_CLASS_COUNT];
	const struct stw_surge_rule *surge_rules; /**< copied; NULL when surge_rules_count is 0 */
	uint32_t surge_rules_count;               /**< 0 to STW_SURGE_RULES_MAX */
	enum stw_queue_when refuse_when; /**< while it holds nobody is let in: -EHOSTDOWN */
	/** When it holds, who waits leaves (STW_EVENT_EXPIRED, STW_CAUSE_UNSTAFFED); not who is called
	 * back, nor, for as long as he does, who waits for an agent in person. */
	enum stw_queue_when leave_when;
};

/** A queue for anyone, first come first served, 20 s service level, 5 s short abandons, offers ring for
 * 15 s. */
#define STW_QUEUE_CONFIG_INIT                                                                      \
	{                                                                                          \
		sizeof(struct stw_queue_config), 0, {0}, 0, 0, 0, UINT64_C(15000000000), 0,        \
			UINT64_C(20000000000), 0, 0, UINT64_C(5000000000), {0}, 0, 0, 0, 0, 0,     \
			{0}, {{0}}, 0, 0, STW_QUEUE_WHEN_NEVER, STW_QUEUE_WHEN_NEVER               \
	}

/**
 * Define a queue.
 *
 * @param acd     borrowed, not NULL
 * @param config  borrowed; all of it is copied
 * @param queue   set on success only
 * @return 0
 * @return -EINVAL  a field is outside its range
 * @return -ESTALE  the tenant was removed, or a skill, attribute, pool, the calendar, or the queue of the
 *                  tenant to which a surge rule sends is not defined
 * @return -EEXIST  the tenant has a queue of that name
 * @return -ENOSPC  queues_max queues are defined, the engine's or the tenant's, or
 *                  steps_max steps
 * @return -ENOMEM  no memory for the copy
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    what is defined is seen by every call that starts after the return.
 */
STW_API int stw_queue_define(struct stw_acd *acd, const struct stw_queue_config *config,
			     struct stw_queue *queue);

/**
 * Replace a queue's description while contacts wait and are offered. Their ranks stay as they
 * were computed; the new steps, times and selection hold from the next match on. A contact keeps
 * the number of steps that are open to it, as far as there are so many. The name stays.
 *
 * @param acd     borrowed, not NULL
 * @param queue   which
 * @param config  borrowed; copied; its name may be NULL or must equal the queue's
 * @param now_ns  host's clock, nanoseconds; a waiting contact may be matched at once
 * @return 0
 * @return -EINVAL  a field is outside its range, or another name, tenant or channel
 * @return -ESTALE  the queue was removed, or a skill, attribute, pool or the calendar is not defined
 * @return -ENOSPC  more than steps_max steps; those that go count until the return
 * @return -ENOMEM  no memory for the copy
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    matches made by calls that start after the return follow the new description.
 */
STW_API int stw_queue_update(struct stw_acd *acd, struct stw_queue queue,
			     const struct stw_queue_config *config, uint64_t now_ns);

/**
 * Remove a queue that has no contact, waiting, offered or connected.
 *
 * @param acd    borrowed, not NULL
 * @param queue  which
 * @return 0
 * @return -ESTALE  the queue was removed before
 * @return -EBUSY   it has contacts
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    an enqueue that starts after the return fails with -ESTALE.
 */
STW_API int stw_queue_remove(struct stw_acd *acd, struct stw_queue queue);

/**
 * Let a queue run empty: new contacts are refused with -ESHUTDOWN and counted as refused, those that
 * wait are served as ever. A queue that has run empty can be removed; until then it can be opened
 * again. An update of the queue leaves its draining as it is.
 *
 * @param acd    borrowed, not NULL
 * @param queue  which
 * @param on     1: take no more contacts; 0: take them again
 * @return 0, also when it was so already
 * @return -EINVAL  on is neither 0 nor 1
 * @return -ESTALE  the queue was removed
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means a contact came to or left this queue.
 * Order:    with on = 1, no enqueue that starts after the return gets in; one that got in did so before.
 */
STW_API int stw_queue_drain(struct stw_acd *acd, struct stw_queue queue, int on);

/**
 * Say whether a queue takes contacts.
 *
 * @param acd     borrowed, not NULL
 * @param queue   which
 * @param now_ns  host's clock, nanoseconds, up to 2^62
 * @return 0         it takes contacts
 * @return above 0   it does not: the sum of what holds of enum stw_queue_door
 * @return -EINVAL   now_ns above 2^62
 * @return -ESTALE   the queue was removed
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: wait-free (bound: the openings of one day).
 * Order:    sees every stw_queue_drain that returned before the call.
 */
STW_API int stw_queue_door(struct stw_acd *acd, struct stw_queue queue, uint64_t now_ns);

/**
 * Find a queue by name.
 *
 * @param acd     borrowed, not NULL
 * @param tenant  whose; id 0: the default tenant's
 * @param name    borrowed until return
 * @param queue   set on success only
 * @return 0
 * @return -ESTALE  the tenant was removed
 * @return -ENOENT  no queue of the tenant has that name
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures).
 * Order:    sees every definition that returned before the call.
 */
STW_API int stw_queue_find(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
			   struct stw_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
