/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many agents in one call: one after the other, so that each is matched as if alone, and nobody else waits
 * for more than the change of one.
 */
#include <strowger/agents.h>

#include <stddef.h>

/* Keep the result of one; returns 1 if it is 0. */
static uint32_t
keep(int *results, uint32_t i, int result)
{
	if (results)
		results[i] = result;
	return result == 0;
}

uint32_t
stw_agents_login(struct stw_acd *acd, const struct stw_agent *agents, uint32_t count,
		 uint64_t now_ns, int *results)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < count; i++)
		done += keep(results, i, stw_agent_login(acd, agents[i], now_ns));
	return done;
}

uint32_t
stw_agents_ready(struct stw_acd *acd, const struct stw_agent *agents, uint32_t count,
		 uint64_t now_ns, int *results)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < count; i++)
		done += keep(results, i, stw_agent_ready(acd, agents[i], now_ns));
	return done;
}

uint32_t
stw_agents_not_ready(struct stw_acd *acd, const struct stw_agent *agents, uint32_t count,
		     uint32_t reason, uint64_t now_ns, int *results)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < count; i++)
		done += keep(results, i, stw_agent_not_ready(acd, agents[i], reason, now_ns));
	return done;
}

uint32_t
stw_agents_logout(struct stw_acd *acd, const struct stw_agent *agents, uint32_t count,
		  uint64_t now_ns, int *results)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < count; i++)
		done += keep(results, i, stw_agent_logout(acd, agents[i], now_ns));
	return done;
}
