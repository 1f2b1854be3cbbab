/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routing steps: who may be given a contact that stands at one, and where it waits.
 *
 * A contact at step k may be given to the agents of the steps 0 to k that are open. It waits in the set of
 * the waiting tree that belongs to (queue, k) and to its lane: where steps 0 to k keep agents in reserve, the
 * values between two of their bounds are a lane. So all contacts of one set ask the same of an
 * agent, and an agent's search asks once per set.
 *
 * A reserve is counted when somebody asks, from the agents' words. Two calls at once may both see the
 * same agent above the reserve, and each take one: so it is exact only as far as calls do not
 * overlap. Nobody is missed: who makes the count rise is a member himself, and looks for contacts of all
 * lanes after he is counted; the policy may then give the contact to another of the step (match.c).
 */
#include "engine.h"

/* Whether an agent is a member of one of the steps 0 to k, open or not. */
bool
acd_step_member(const struct acd_queue_description *queue, uint32_t k, uint32_t a)
{
	for (uint32_t j = 0; j <= k; j++)
		if (acd_bit(queue->steps[j].members, a))
			return true;
	return false;
}

/* Whether a step's agents are asked: by its calendar as of the last advance, for both sides alike. */
bool
acd_step_open(struct stw_acd *acd, const struct acd_step *step)
{
	return acd_calendar_noted(acd, step->calendar);
}

/* Whether more agents of a step are ready than it keeps in reserve. */
static bool
reserve_spares(struct stw_acd *acd, const struct acd_step *step)
{
	uint32_t ready = 0;

	for (uint32_t w = 0; w < HINT_BITS_WORDS(acd->config.agents_max); w++) {
		uint32_t bits = (uint32_t)hint_bits_read(&acd->idle[step->channel].available[w]) &
				atomic_load_explicit(&step->members[w], memory_order_relaxed);

		for (; bits; bits &= bits - 1) {
			uint32_t a = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);

			ready += acd_agent_is_open(acd, a, step->channel);
			if (ready > step->reserve_agents)
				return true;
		}
	}
	return false;
}

/* Whether a step gives agents to contacts of the value now. */
bool
acd_step_asks(struct stw_acd *acd, const struct acd_step *step, uint32_t value)
{
	return acd_step_open(acd, step) &&
	       (value >= step->reserve_value || reserve_spares(acd, step));
}

/* The first step by which an agent may be given a contact of the value at step k now; above k: none. */
uint32_t
acd_step_tier(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t k,
	      uint32_t value, uint32_t a)
{
	uint32_t tier = 0;

	while (tier <= k &&
	       (tier >= queue->steps_count || !acd_bit(queue->steps[tier].members, a) ||
		!acd_step_asks(acd, &queue->steps[tier], value)))
		tier++;
	return tier;
}

/* Whether an agent may be given a contact of the value that stands at step k, as things are now. */
bool
acd_step_takes(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t k,
	       uint32_t value, uint32_t a)
{
	return acd_step_tier(acd, queue, k, value, a) <= k;
}

/* The set in which a contact of the value waits at step k, or at the last one if there are fewer. */
uint32_t
acd_step_set(const struct acd_queue_description *queue, uint32_t k, uint32_t value)
{
	const struct acd_step *step =
		&queue->steps[k < queue->steps_count ? k : queue->steps_count - 1];
	uint32_t lane = step->lanes_count - 1;

	while (value < step->lanes[lane].value_min)
		lane--;
	return step->lanes[lane].set;
}
