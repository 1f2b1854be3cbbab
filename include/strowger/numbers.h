/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers for wallboards and reports: live, and per interval of time (a quarter of an hour unless configured
 * otherwise), of queues, agents, teams, channels and tenants. Each finished operation counts in exactly
 * one interval; times are cut where an interval ends.
 *
 * An interval is named by its number: (now_ns + interval_offset_ns) / interval_ns, as stw_interval_at
 * says. The engine keeps the one under way and intervals_max before it; a host that wants more reads each
 * when it is over. Of the intervals before a queue or an agent was defined, all numbers are 0.
 */
#ifndef STROWGER_NUMBERS_H
#define STROWGER_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/agent.h>
#include <strowger/export.h>
#include <strowger/queue.h>
#include <strowger/requirement.h>
#include <strowger/stats.h>
#include <strowger/tenant.h>

#ifdef __cplusplus
extern "C" {
#endif

/** In place of an interval's number: since the definition. */
#define STW_INTERVAL_LIVE UINT64_MAX

/** Reasons of not-ready whose time is told apart: 0 to one less than this. */
#define STW_NOT_READY_REASONS 16

/** What an agent, or all of a team or tenant, did. Times include the spell under way. */
struct stw_agent_numbers {
	uint64_t offers;              /**< offers made */
	uint64_t answered;            /**< offers accepted */
	uint64_t answered_in_time;    /**< of them, within the contact's queue's service_level_ns */
	uint64_t declined;            /**< offers declined */
	uint64_t timed_out;           /**< offers not answered in time */
	uint64_t withdrawn;           /**< offers whose contact was cancelled */
	uint64_t ended;               /**< connected contacts that are over */
	uint64_t transfers;           /**< of them, those that were transferred */
	uint64_t resolution_reported; /**< of them, those ended by stw_contact_end_with */
	uint64_t resolved;            /**< of these, those whose matter is settled */
	uint64_t wait_ns;             /**< waits of the contacts answered, added up, nanoseconds */
	uint64_t ready_ns;            /**< nanoseconds READY */
	uint64_t offered_ns;          /**< nanoseconds OFFERED */
	uint64_t connected_ns; /**< nanoseconds CONNECTED, or with contacts or wrap-ups in slots */
	uint64_t wrap_up_ns;   /**< nanoseconds in WRAP_UP */
	uint64_t not_ready_ns[STW_NOT_READY_REASONS]; /**< nanoseconds NOT_READY, by reason */
	uint64_t not_ready_other_ns; /**< nanoseconds NOT_READY for all other reasons */
};

/**
 * Say in which interval a time lies.
 *
 * @param acd     borrowed, not NULL
 * @param now_ns  host's clock, nanoseconds
 * @return the interval's number; 0 when intervals_max is 0
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
STW_API uint64_t stw_interval_at(struct stw_acd *acd, uint64_t now_ns);

/**
 * Read a queue's numbers of an interval. What waits, rings and is connected is told as of its end, or
 * as of now.
 *
 * @param acd       borrowed, not NULL
 * @param queue     which
 * @param interval  number of the interval, or STW_INTERVAL_LIVE
 * @param now_ns    host's clock, nanoseconds, 1 to 2^62
 * @param stats     filled on success only; sums of times are in steps of 16,384 ns in an interval
 * @return 0
 * @return -EINVAL  now_ns is outside its range
 * @return -ESTALE  the queue was removed
 * @return -ERANGE  the interval has not begun, or is not kept any more
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means that an interval has ended.
 * Order:    each finished operation that returned before the call is counted, in one interval; the
 *           numbers of an interval that is over never change.
 */
STW_API int stw_queue_interval(struct stw_acd *acd, struct stw_queue queue, uint64_t interval,
			       uint64_t now_ns, struct stw_queue_stats *stats);

/**
 * Read an agent's numbers of an interval.
 *
 * @param acd       borrowed, not NULL
 * @param agent     whom
 * @param interval  number of the interval, or STW_INTERVAL_LIVE
 * @param now_ns    host's clock, nanoseconds, 1 to 2^62; the spell under way counts up to it
 * @param numbers   filled on success only
 * @return 0
 * @return -EINVAL  now_ns is outside its range
 * @return -ESTALE  the agent was removed
 * @return -ERANGE  the interval has not begun, or is not kept any more
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means that the agent's state changed.
 * Order:    each finished operation that returned before the call is counted, in one interval.
 */
STW_API int stw_agent_interval(struct stw_acd *acd, struct stw_agent agent, uint64_t interval,
			       uint64_t now_ns, struct stw_agent_numbers *numbers);

/**
 * Read the numbers of a channel: the sum over its queues, removed ones included.
 *
 * @param acd       borrowed, not NULL
 * @param channel   0 (voice) to 7
 * @param interval  number of the interval, or STW_INTERVAL_LIVE
 * @param now_ns    host's clock, nanoseconds, 1 to 2^62
 * @param stats     filled on success only
 * @return 0
 * @return -EINVAL  a value is outside its range
 * @return -ERANGE  the interval has not begun, or is not kept any more
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    as stw_queue_interval.
 */
STW_API int stw_channel_interval(struct stw_acd *acd, uint32_t channel, uint64_t interval,
				 uint64_t now_ns, struct stw_queue_stats *stats);

/**
 * Read the numbers of a team: the sum over its agents, and what those did in it who have left.
 *
 * @param acd       borrowed, not NULL
 * @param team      which: a pool; id 0: agents without one
 * @param interval  number of the interval, or STW_INTERVAL_LIVE
 * @param now_ns    host's clock, nanoseconds, 1 to 2^62
 * @param numbers   filled on success only
 * @return 0
 * @return -EINVAL  now_ns is outside its range
 * @return -ESTALE  the pool is not defined
 * @return -ERANGE  the interval has not begun, or is not kept any more
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    as stw_agent_interval.
 */
STW_API int stw_team_interval(struct stw_acd *acd, struct stw_pool team, uint64_t interval,
			      uint64_t now_ns, struct stw_agent_numbers *numbers);

/**
 * Read the numbers of a tenant: the sums over its queues and over its agents, removed ones included.
 *
 * @param acd       borrowed, not NULL
 * @param tenant    which; id 0: the default one
 * @param interval  number of the interval, or STW_INTERVAL_LIVE
 * @param now_ns    host's clock, nanoseconds, 1 to 2^62
 * @param stats     filled on success only; NULL: not wanted
 * @param numbers   filled on success only; NULL: not wanted
 * @return 0
 * @return -EINVAL  now_ns is outside its range
 * @return -ESTALE  the tenant was removed
 * @return -ERANGE  the interval has not begun, or is not kept any more
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    as stw_queue_interval.
 */
STW_API int stw_tenant_interval(struct stw_acd *acd, struct stw_tenant tenant, uint64_t interval,
				uint64_t now_ns, struct stw_queue_stats *stats,
				struct stw_agent_numbers *numbers);

/**
 * Service level: answered in time, of those answered, or abandoned but not shortly.
 *
 * @param stats  borrowed
 * @return 0 to 1; 1 when there are none
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline double
stw_service_level(const struct stw_queue_stats *stats)
{
	uint64_t of = stats->answered + stats->abandoned - stats->abandoned_short;

	return of ? (double)stats->answered_in_time / (double)of : 1.0;
}

/**
 * Average speed of answer: mean wait of answered contacts.
 *
 * @param stats  borrowed
 * @return nanoseconds; 0 when there are none
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline uint64_t
stw_asa_ns(const struct stw_queue_stats *stats)
{
	return stats->answered ? stats->wait_ns_answered / stats->answered : 0;
}

/**
 * Mean time that ended contacts were connected.
 *
 * @param stats  borrowed
 * @return nanoseconds; 0 when there are none
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline uint64_t
stw_talk_ns(const struct stw_queue_stats *stats)
{
	return stats->ended ? stats->talk_ns / stats->ended : 0;
}

/**
 * Average handling time: connected and wrap-up, per ended contact.
 *
 * @param numbers  borrowed
 * @return nanoseconds; 0 when none ended
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline uint64_t
stw_aht_ns(const struct stw_agent_numbers *numbers)
{
	return numbers->ended ? (numbers->connected_ns + numbers->wrap_up_ns) / numbers->ended : 0;
}

/**
 * Time logged in: the sum of all states.
 *
 * @param numbers  borrowed
 * @return nanoseconds
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline uint64_t
stw_logged_in_ns(const struct stw_agent_numbers *numbers)
{
	uint64_t sum_ns = numbers->ready_ns + numbers->offered_ns + numbers->connected_ns +
			  numbers->wrap_up_ns + numbers->not_ready_other_ns;
	int reason;

	for (reason = 0; reason < STW_NOT_READY_REASONS; reason++)
		sum_ns += numbers->not_ready_ns[reason];
	return sum_ns;
}

/**
 * Occupancy: busy (offered, connected, wrap-up), of the time busy or ready.
 *
 * @param numbers  borrowed
 * @return 0 to 1; 0 when there is no such time
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline double
stw_occupancy(const struct stw_agent_numbers *numbers)
{
	uint64_t busy_ns = numbers->offered_ns + numbers->connected_ns + numbers->wrap_up_ns;

	return busy_ns ? (double)busy_ns / (double)(busy_ns + numbers->ready_ns) : 0.0;
}

#ifdef __cplusplus
}
#endif

#endif
