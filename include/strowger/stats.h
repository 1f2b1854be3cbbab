/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers: counters of queues and of the whole engine. They conserve:
 * offered = answered + abandoned + overflowed + timed_out + deflected + refused + waiting + ringing,
 * whenever the engine is quiet. A contact that moves to another queue or is transferred is offered
 * there, too.
 */
#ifndef STROWGER_STATS_H
#define STROWGER_STATS_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>
#include <strowger/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Counters since the definition of a queue, or the sum over an engine's queues. */
struct stw_queue_stats {
	uint64_t offered;          /**< contacts that came, refused ones included */
	uint64_t answered;         /**< contacts connected to an agent */
	uint64_t answered_in_time; /**< of them, within the queue's service_level_ns */
	uint64_t abandoned;        /**< contacts cancelled before */
	uint64_t abandoned_short;  /**< of them, within the queue's short_abandon_ns */
	uint64_t timed_out; /**< contacts that the engine let go before they were connected */
	uint64_t refused;   /**< contacts turned away: by a limit, a shut door, a surge rule */
	uint64_t refused_unstaffed; /**< of them, as refuse_when held */
	uint64_t left_unstaffed;    /**< of timed_out, as leave_when held */
	uint64_t deflected;         /**< contacts that a surge rule sent to self-service */
	uint64_t overflowed; /**< contacts sent to another queue, where they count as offered: by a
				      surge rule as they came, or while they waited */
	uint64_t
		callbacks_offered; /**< contacts queued to be offered a callback, by a surge rule */
	uint64_t callbacks;        /**< contacts that became callbacks */
	uint64_t ended;            /**< connected contacts that are over */
	uint64_t transfers;        /**< of ended: connected contacts that were transferred */
	uint64_t reaped;           /**< contacts ended as their host did not renew them */
	uint64_t resumed; /**< contacts that got the place of one given up shortly before */
	uint64_t repeats; /**< contacts of customers who were served shortly before */
	uint64_t resolution_reported; /**< contacts ended by stw_contact_end_with */
	uint64_t resolved;            /**< of these, those whose matter is settled */
	uint64_t waiting;             /**< contacts that wait now */
	uint64_t ringing;             /**< contacts whose offer rings now */
	uint64_t connected;           /**< contacts that talk now */
	uint64_t offers;              /**< offers made; one per agent who was rung */
	uint64_t offers_declined;     /**< offers declined */
	uint64_t offers_timed_out;    /**< offers that nobody answered */
	uint64_t offers_withdrawn;    /**< offers of contacts that were cancelled, or that another
					 agent who was rung accepted */
	uint64_t wait_ns_answered;    /**< waits of answered contacts, added up, nanoseconds */
	uint64_t wait_ns_abandoned;   /**< waits of abandoned contacts, added up, nanoseconds */
	uint64_t wait_ns_max;         /**< longest wait of an answered contact, nanoseconds */
	uint64_t talk_ns; /**< connected time of ended contacts, added up, nanoseconds */
};

/** Numbers of the engine beside its queues'. */
struct stw_acd_stats {
	struct stw_queue_stats queues; /**< sum over all queues, removed ones included */
	uint64_t agents_logged_in;     /**< agents not logged out, now */
	uint64_t agents_ready;         /**< agents who take new contacts, now; also while
					    all slots of theirs are in use */
	uint64_t contacts;             /**< contacts known, now */
	uint64_t events_lost;          /**< attempts to send an event that found the queue full */
	uint64_t preferred_full; /**< contacts not kept for one agent: preferred_max did wait */
	uint64_t helps;          /**< claims finished for another thread */
};

/**
 * Read a queue's numbers.
 *
 * @param acd    borrowed, not NULL
 * @param queue  which
 * @param stats  filled on success only
 * @return 0
 * @return -ESTALE  the queue was removed
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: wait-free (bound: the number of counter stripes).
 * Order:    each finished operation that returned before the call is counted; one under way may be
 *           counted in part.
 */
STW_API int stw_queue_stats(struct stw_acd *acd, struct stw_queue queue,
			    struct stw_queue_stats *stats);

/**
 * Read the engine's numbers.
 *
 * @param acd    borrowed, not NULL
 * @param stats  filled
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: wait-free (bound: counter stripes times queues_max, plus agents_max / 64).
 * Order:    as stw_queue_stats.
 */
STW_API void stw_acd_stats(struct stw_acd *acd, struct stw_acd_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
