/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine: a passive, lock-free automatic call distributor. It has no thread, no lock on a hot
 * path, no clock and no I/O; every call takes now_ns. The thread whose call makes a match possible
 * makes the match in that call, and the event queue says so.
 *
 * now_ns is the host's monotonic clock in nanoseconds, 1 to 2^62. Threads may be slightly out of
 * step with each other; what happens then is only that an idle or waiting time is off by as much.
 *
 * A thread's first call registers it with liburcu, which takes a lock for a moment. A host that
 * cannot have that on its hot path makes a call, such as stw_acd_advance, when the thread starts.
 */
#ifndef STROWGER_ACD_H
#define STROWGER_ACD_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/agent.h>
#include <strowger/agents.h>
#include <strowger/calendar.h>
#include <strowger/channel.h>
#include <strowger/contact.h>
#include <strowger/event.h>
#include <strowger/export.h>
#include <strowger/journal.h>
#include <strowger/numbers.h>
#include <strowger/offer.h>
#include <strowger/queue.h>
#include <strowger/requirement.h>
#include <strowger/skill.h>
#include <strowger/stats.h>
#include <strowger/tenant.h>
#include <strowger/transfer.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Limits of an engine; its memory is fixed by them. Begin with STW_ACD_CONFIG_INIT. */
struct stw_acd_config {
	size_t struct_size;    /**< bytes of this struct as compiled; never 0 */
	uint32_t agents_max;   /**< 1 to 1,000,000 */
	uint32_t queues_max;   /**< 1 to 65,535 */
	uint32_t contacts_max; /**< waiting, offered and connected together; 1 to 1,000,000 */
	uint32_t skills_max;   /**< 1 to 4,096 */
	uint32_t events_max;   /**< events not yet taken; 64 to 16,777,216 */
	uint32_t threads_max;  /**< threads that may be inside hot calls at one time; 1 to 1,024 */
	uint64_t seed;         /**< of all random choices; 0 is a seed like any other */
	uint32_t steps_max;    /**< routing steps of all queues together, to 655,350; a step
				    counts once more for each different reserve_value of its
				    own and of the steps before it; 0, or fewer
				    than queues_max: queues_max */
	uint32_t attributes_max; /**< to 4,096; 0: none */
	uint32_t pools_max;      /**< to 4,096; 0: none */
	uint32_t tenants_max;    /**< beside the default tenant; 0 (none but it) to 65,535 */
	uint32_t calendars_max;  /**< over all tenants; 0 to 65,535 */
	uint32_t concurrent_max; /**< agents that may have several slots, at one time; 0: nobody */
	uint64_t interval_ns;    /**< length of an interval of numbers.h, 1 ms to 1 day */
	/** Added to the host's clock before it is cut into intervals, to 2^61; 0: they begin at the
	 * clock's multiples of interval_ns. */
	uint64_t interval_offset_ns;
	uint32_t intervals_max; /**< intervals kept beside the one under way, to 1,000; 0: none */
	uint32_t ring_max;      /**< most agents rung at once for one contact, to
				    STW_STEP_RING_MAX; 0 or 1: one, which saves memory */
	/** Contacts that wait for one agent in person, 0 to 1,000,000; more go to the steps at once. */
	uint32_t preferred_max;
	uint32_t customers_max; /**< customers remembered, to 16,777,216; 0: none */
	uint32_t journal; /**< 1: also send STW_EVENT_QUEUED, which a journal needs; 0: do not */
};

/** A house of 1,000 agents, 100 queues and 10,000 contacts, with the last three quarters of an
 * hour and the one under way, and rings of any size. */
#define STW_ACD_CONFIG_INIT                                                                        \
	{                                                                                          \
		sizeof(struct stw_acd_config), 1000, 100, 10000, 64, 65536, 64, 1, 400, 64, 64, 0, \
			0, 1000, UINT64_C(900000000000), 0, 3, 8, 1250, 10000, 0                   \
	}

/**
 * Make an engine.
 *
 * @param out     given: set on success only; free with stw_acd_destroy
 * @param config  borrowed; copied
 * @return 0
 * @return -EINVAL  a limit is outside its range
 * @return -ENOMEM  the memory that stw_acd_memory_needed tells cannot be had
 *
 * Threads:  any.
 * Progress: blocking (waits for memory).
 * Order:    the caller hands the engine to other threads.
 */
STW_API int stw_acd_create(struct stw_acd **out, const struct stw_acd_config *config);

/**
 * Free an engine. No other call on it may be under way or follow.
 *
 * @param acd  taken; NULL is fine
 *
 * Threads:  one, after all others have stopped using the engine.
 * Progress: blocking (waits for read-side sections of liburcu to end).
 * Order:    the caller has joined or otherwise synchronised with the other users.
 */
STW_API void stw_acd_destroy(struct stw_acd *acd);

/**
 * Say how much memory an engine with these limits takes at creation. Definitions of agents and
 * queues take what their descriptions need beside it.
 *
 * @param config  borrowed
 * @param bytes   set on success only
 * @return 0
 * @return -EINVAL  a limit is outside its range
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
STW_API int stw_acd_memory_needed(const struct stw_acd_config *config, size_t *bytes);

/**
 * Let time pass: offers time out, wrap-ups and penalties end, and what that makes possible is
 * matched. Call it at least when *next_ns is reached. It also looks at a few agents and contacts in
 * turn and finishes what a thread that stopped for good has left half done.
 *
 * @param acd      borrowed, not NULL
 * @param now_ns   host's clock, nanoseconds
 * @param budget   most timers to fire in this call; 1 or more
 * @param next_ns  set to the time of the next timer or change of a calendar, to now_ns when the
 *                 budget ran out, to UINT64_MAX when there is none; NULL: not wanted
 * @return number of timers fired
 * @return -EINVAL  budget is 0
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread fired or set a timer.
 * Order:    every timer due at now_ns when the call began is fired by this call or by another,
 *           within the budget.
 */
STW_API int stw_acd_advance(struct stw_acd *acd, uint64_t now_ns, uint32_t budget,
			    uint64_t *next_ns);

/**
 * Verify every invariant of the engine's data; for tests and simulations at quiet points.
 *
 * @param acd  borrowed, not NULL
 * @return 0, or ends in the panic handler
 *
 * Threads:  one, while no other call is under way.
 * Progress: wait-free (bound: everything that the limits allow).
 * Order:    the caller has synchronised with the other users.
 */
STW_API int stw_acd_check(struct stw_acd *acd);

#ifdef __cplusplus
}
#endif

#endif
