/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Agents: the persons who answer. An agent logs in, is ready or not ready, is offered contacts,
 * talks, wraps up and is ready again.
 *
 *              login                offer                accept
 *  LOGGED_OUT --------> NOT_READY <-------> READY ------> OFFERED ------> CONNECTED
 *                           ^                 ^              |               | end
 *                           | asked for meanwhile            | decline,      v
 *                           +-------------------------------<-- time-out  WRAP_UP
 *                                                                            | time, or ready
 *                                                                            +--> READY
 *
 * An agent may have slots on several channels, or several on one: then he is offered more contacts
 * while he has some, one offer at a time, as far as a slot of the channel is free and each channel
 * on which he is busy may be interrupted by it. Wrap-up keeps the slot of the contact that is over,
 * not the agent; being ready or not decides only about new offers, and logging out waits for the
 * last contact. His events of STW_EVENT_AGENT_STATE tell what he said himself; what his slots do is
 * told by the events of his contacts.
 */
#ifndef STROWGER_AGENT_H
#define STROWGER_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/channel.h>
#include <strowger/export.h>
#include <strowger/requirement.h>
#include <strowger/skill.h>
#include <strowger/tenant.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Handle of an agent: a value, copied freely. An id of 0 names nobody. */
struct stw_agent {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nobody */
};

/** What an agent is doing. */
enum stw_agent_state {
	STW_AGENT_LOGGED_OUT, /**< not at work */
	STW_AGENT_NOT_READY,  /**< logged in, takes nothing; a reason says why */
	STW_AGENT_READY,      /**< waits for a contact */
	STW_AGENT_OFFERED,    /**< an offer rings */
	STW_AGENT_CONNECTED,  /**< has a contact */
	STW_AGENT_WRAP_UP,    /**< works after a contact, until the time is up or ready is said */
};

/** Reasons of not-ready that the engine itself gives; a host's reasons are below 1000. */
enum stw_not_ready_reason {
	STW_REASON_NONE = 0,       /**< none given */
	STW_REASON_LOGIN = 1000,   /**< just logged in, not yet ready */
	STW_REASON_MISSES = 1001,  /**< missed misses_max offers in a row */
	STW_REASON_PENALTY = 1002, /**< pauses for penalty_ns after a miss, then is ready again */
	STW_REASON_LOGOUT = 1003,  /**< logs out as soon as the last of his contacts is over */
};

/** Description of an agent. Begin with STW_AGENT_CONFIG_INIT. */
struct stw_agent_config {
	size_t struct_size;       /**< bytes of this struct as compiled; never 0 */
	const char *name;         /**< UTF-8, 1 to STW_NAME_BYTES_MAX bytes; copied */
	struct stw_tenant tenant; /**< whose; id 0: the default tenant's */
	uint64_t cookie;          /**< the host's own; handed back in events; 0 is fine */
	const struct stw_skill_level *skills; /**< copied; NULL when skills_count is 0 */
	uint32_t skills_count;                /**< 0 to the engine's skills_max */
	uint32_t misses_max; /**< declines and time-outs in a row after which the agent
						    is set not-ready; 0: never */
	uint64_t penalty_ns; /**< pause after a decline or time-out before the next
						    offer, nanoseconds; 0: none */
	const struct stw_attribute_value
		*attributes;       /**< copied; NULL when attributes_count is 0 */
	uint32_t attributes_count; /**< 0 to STW_AGENT_ATTRIBUTES_MAX */
	uint32_t position;         /**< for STW_SELECT_TOP_DOWN: the smallest comes first */
	uint32_t weight;           /**< for STW_SELECT_WEIGHTED_RANDOM: 1 to 1,000; 0: as 1 */
	struct stw_pool pool;      /**< team, site or partner he belongs to; id 0: none */
	/**
	 * Contacts that the agent may have at a time, by channel; together up to
	 * STW_AGENT_SLOTS_MAX. 0: the channel is not for him; all 0: one on STW_CHANNEL_VOICE.
	 */
	uint8_t slots[STW_CHANNEL_COUNT];
	/**
	 * By channel: bit y says that he may be offered a contact of this channel while he has one
	 * of channel y. A channel's own bit is not needed. 0: only while all others are at rest.
	 */
	uint8_t interrupts[STW_CHANNEL_COUNT];
};

/** An agent without skills, without penalties, with one slot for calls. */
#define STW_AGENT_CONFIG_INIT                                                                      \
	{                                                                                          \
		sizeof(struct stw_agent_config), 0, {0}, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, {0},      \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

/** What a reader sees of an agent at one instant. */
struct stw_agent_status {
	enum stw_agent_state
		state;       /**< what the agent does; with several slots: NOT_READY, OFFERED,
					 else CONNECTED with any contact, WRAP_UP after any */
	uint32_t reason;     /**< of NOT_READY: the host's or enum stw_not_ready_reason; else 0 */
	uint64_t since_ns;   /**< when the state began, host's clock; 0: never logged in */
	uint64_t contact_id; /**< id of the contact offered or connected; 0: none; with several
					 slots: offered, else any that is connected */
	uint64_t contacts;   /**< contacts accepted since the definition */
	uint64_t busy_ns;    /**< nanoseconds spent OFFERED, CONNECTED and in WRAP_UP, finished
					 spells only, since the definition */
	uint32_t open;       /**< bit per channel: a contact of it could be offered now */
	uint32_t wrapping;   /**< slots in wrap-up; of an agent with one slot 0 or 1 */
	uint32_t connected;  /**< contacts in connected_ids */
	uint64_t connected_ids[STW_AGENT_SLOTS_MAX]; /**< ids of his connected contacts */
};

/**
 * Define an agent, logged out.
 *
 * @param acd     borrowed, not NULL
 * @param config  borrowed; all of it is copied
 * @param agent   set on success only
 * @return 0
 * @return -EINVAL  a field is outside its range
 * @return -ESTALE  the tenant was removed, or a skill, attribute or pool is not defined
 * @return -EEXIST  the tenant has an agent of that name
 * @return -ENOSPC  agents_max agents are defined, the engine's or the tenant's, or concurrent_max
 *                  with several slots
 * @return -ENOMEM  no memory for the copy
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    what is defined is seen by every call that starts after the return.
 */
STW_API int stw_agent_define(struct stw_acd *acd, const struct stw_agent_config *config,
			     struct stw_agent *agent);

/**
 * Replace an agent's description (skills, penalties, slots, cookie), at work or not. The name stays.
 * Contacts that he has stay his, also when he has no slot for them any more. Who has once had
 * several slots counts for concurrent_max until he is removed.
 *
 * @param acd     borrowed, not NULL
 * @param agent   whom
 * @param config  borrowed; copied; its name may be NULL or must equal the agent's
 * @param now_ns  host's clock, nanoseconds; a new skill may match a waiting contact at once
 * @return 0
 * @return -EINVAL  a field is outside its range, or another name or tenant
 * @return -ESTALE  the agent was removed, or a skill, attribute or pool is not defined
 * @return -ENOSPC  concurrent_max agents have several slots
 * @return -ENOMEM  no memory for the copy
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    matches made by calls that start after the return follow the new description.
 */
STW_API int stw_agent_update(struct stw_acd *acd, struct stw_agent agent,
			     const struct stw_agent_config *config, uint64_t now_ns);

/**
 * Remove an agent who is logged out. The handle is stale from then on.
 *
 * @param acd    borrowed, not NULL
 * @param agent  whom
 * @return 0
 * @return -ESTALE  the agent was removed before
 * @return -EBUSY   the agent is not logged out
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    no offer is made to the agent after the return.
 */
STW_API int stw_agent_remove(struct stw_acd *acd, struct stw_agent agent);

/**
 * Find an agent by name.
 *
 * @param acd     borrowed, not NULL
 * @param tenant  whose; id 0: the default tenant's
 * @param name    borrowed until return
 * @param agent   set on success only
 * @return 0
 * @return -ESTALE  the tenant was removed
 * @return -ENOENT  nobody has that name
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures).
 * Order:    sees every definition that returned before the call.
 */
STW_API int stw_agent_find(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
			   struct stw_agent *agent);

/**
 * Log an agent in, as NOT_READY with STW_REASON_LOGIN.
 *
 * @param acd     borrowed, not NULL
 * @param agent   whom
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -ESTALE    the agent was removed
 * @return -EALREADY  the agent is logged in
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this agent.
 * Order:    the state is seen by every call that starts after the return.
 */
STW_API int stw_agent_login(struct stw_acd *acd, struct stw_agent agent, uint64_t now_ns);

/**
 * Make an agent ready: from NOT_READY or out of WRAP_UP. The best waiting contact that the agent
 * may serve is offered before the return. With a contact, it undoes a not-ready or logout that
 * was asked for meanwhile. With several slots, it ends the wrap-up of all of them.
 *
 * @param acd     borrowed, not NULL
 * @param agent   whom
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -ESTALE    the agent was removed
 * @return -EINVAL    the agent is logged out
 * @return -EALREADY  the agent is ready, or will be
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread's offer, change of state or enqueue finished.
 * Order:    a contact published before the call and still waiting for nobody but this agent is
 *           offered by this call or by another before that one returns.
 */
STW_API int stw_agent_ready(struct stw_acd *acd, struct stw_agent agent, uint64_t now_ns);

/**
 * Make an agent not ready. Offered or connected, it takes effect when that contact is over (after
 * a connected contact instead of wrap-up's end); with several slots, when the offer is answered.
 *
 * @param acd     borrowed, not NULL
 * @param agent   whom
 * @param reason  the host's own, below 1000; shown in status and events
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  the agent was removed
 * @return -EINVAL  the agent is logged out, or the reason is 1000 or more
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this agent.
 * Order:    no offer is made to the agent after the return (one made before stands). Of two calls at
 *           the same time either's reason may be the one that is shown.
 */
STW_API int stw_agent_not_ready(struct stw_acd *acd, struct stw_agent agent, uint32_t reason,
				uint64_t now_ns);

/**
 * Log an agent out. Offered or connected, it takes effect when that contact is over; with several
 * slots, when the last one is (he is NOT_READY with STW_REASON_LOGOUT until then). Wrap-ups end.
 *
 * @param acd     borrowed, not NULL
 * @param agent   whom
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -ESTALE    the agent was removed
 * @return -EALREADY  the agent is logged out
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this agent.
 * Order:    no offer is made to the agent after the return (one made before stands).
 */
STW_API int stw_agent_logout(struct stw_acd *acd, struct stw_agent agent, uint64_t now_ns);

/**
 * Give an agent more time for his wrap-up; with several slots, for each wrap-up he is in.
 *
 * @param acd     borrowed, not NULL
 * @param agent   whom
 * @param by_ns   how much later it ends, nanoseconds, 1 to 2^61; no wrap-up ends more than 2^61
 *                after now_ns
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  the agent was removed
 * @return -EINVAL  the agent is in no wrap-up, or by_ns is outside its range
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this agent.
 * Order:    the wrap-up is not ended by time before its new end by calls that start after the return;
 *           an stw_acd_advance under way at the same time may still end it at its old end.
 */
STW_API int stw_agent_wrap_up_extend(struct stw_acd *acd, struct stw_agent agent, uint64_t by_ns,
				     uint64_t now_ns);

/**
 * Begin a new day: every agent's contacts for STW_SELECT_FEWEST_CONTACTS count from 0 again.
 *
 * @param acd  borrowed, not NULL
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: wait-free (bound agents_max).
 * Order:    an accept at the same time counts for either day.
 */
STW_API void stw_agents_day_begin(struct stw_acd *acd);

/**
 * Read what an agent is doing.
 *
 * @param acd     borrowed, not NULL
 * @param agent   whom
 * @param status  filled on success only
 * @return 0
 * @return -ESTALE  the agent was removed
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this agent.
 * Order:    state and contact_id are of one instant for an agent with one slot; the other fields,
 *           and those of one with several, may be of several instants of the call.
 */
STW_API int stw_agent_status(struct stw_acd *acd, struct stw_agent agent,
			     struct stw_agent_status *status);

#ifdef __cplusplus
}
#endif

#endif
