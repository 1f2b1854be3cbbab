/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many agents in one call: a shift begins, breaks, ends, or learns something new. Each agent is changed
 * by himself, as the function for one does it, so others go on between two of them, and what one of them is
 * refused does not concern the next.
 */
#ifndef STROWGER_AGENTS_H
#define STROWGER_AGENTS_H

#include <stdint.h>

#include <strowger/agent.h>
#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Log agents in, as stw_agent_login does.
 *
 * @param acd      borrowed, not NULL
 * @param agents   borrowed, count of them
 * @param count    how many; 0 is fine
 * @param now_ns   host's clock, nanoseconds
 * @param results  filled with what stw_agent_login returned for each; NULL: not wanted
 * @return how many returned 0
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread's offer or change of one of these agents finished.
 * Order:    that of stw_agent_login, agent by agent in the order given.
 */
STW_API uint32_t stw_agents_login(struct stw_acd *acd, const struct stw_agent *agents,
				  uint32_t count, uint64_t now_ns, int *results);

/**
 * Make agents ready, as stw_agent_ready does.
 *
 * @param acd      borrowed, not NULL
 * @param agents   borrowed, count of them
 * @param count    how many; 0 is fine
 * @param now_ns   host's clock, nanoseconds
 * @param results  filled with what stw_agent_ready returned for each; NULL: not wanted
 * @return how many returned 0
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread's offer or change of one of these agents finished.
 * Order:    that of stw_agent_ready, agent by agent in the order given.
 */
STW_API uint32_t stw_agents_ready(struct stw_acd *acd, const struct stw_agent *agents,
				  uint32_t count, uint64_t now_ns, int *results);

/**
 * Make agents not ready, as stw_agent_not_ready does.
 *
 * @param acd      borrowed, not NULL
 * @param agents   borrowed, count of them
 * @param count    how many; 0 is fine
 * @param reason   the host's own, below 1000; of all of them
 * @param now_ns   host's clock, nanoseconds
 * @param results  filled with what stw_agent_not_ready returned for each; NULL: not wanted
 * @return how many returned 0
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread's offer or change of one of these agents finished.
 * Order:    that of stw_agent_not_ready, agent by agent in the order given.
 */
STW_API uint32_t stw_agents_not_ready(struct stw_acd *acd, const struct stw_agent *agents,
				      uint32_t count, uint32_t reason, uint64_t now_ns,
				      int *results);

/**
 * Log agents out, as stw_agent_logout does.
 *
 * @param acd      borrowed, not NULL
 * @param agents   borrowed, count of them
 * @param count    how many; 0 is fine
 * @param now_ns   host's clock, nanoseconds
 * @param results  filled with what stw_agent_logout returned for each; NULL: not wanted
 * @return how many returned 0
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread's offer or change of one of these agents finished.
 * Order:    that of stw_agent_logout, agent by agent in the order given.
 */
STW_API uint32_t stw_agents_logout(struct stw_acd *acd, const struct stw_agent *agents,
				   uint32_t count, uint64_t now_ns, int *results);

/**
 * Replace the descriptions of agents, as stw_agent_update does, waiting for readers of the old ones only
 * once for all.
 *
 * @param acd      borrowed, not NULL
 * @param agents   borrowed, count of them
 * @param configs  borrowed, one per agent; copied
 * @param count    how many; 0 is fine
 * @param now_ns   host's clock, nanoseconds; a new skill may match a waiting contact at once
 * @param results  filled with what stw_agent_update returned for each; NULL: not wanted
 * @return how many returned 0
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    matches made by calls that start after the return follow the new descriptions.
 */
STW_API uint32_t stw_agents_update(struct stw_acd *acd, const struct stw_agent *agents,
				   const struct stw_agent_config *configs, uint32_t count,
				   uint64_t now_ns, int *results);

#ifdef __cplusplus
}
#endif

#endif
