/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routing steps: who may be given a contact that stands at one, and where it waits.
 *
 * A contact at step k may be given to the agents of the steps 0 to k that are open. It waits in the set of
 * the waiting tree that belongs to (queue, k) and, as steps may treat values differently, to its lane. All
 * contacts of one set ask the same of an agent; so an agent's search asks once per set.
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

/* Whether an agent may be given a contact that stands at step k. */
bool
acd_step_takes(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t k,
	       uint32_t value, uint32_t a)
{
	for (uint32_t j = 0; j <= k && j < queue->steps_count; j++) {
		const struct acd_step *step = &queue->steps[j];

		if (acd_step_open(acd, step) && acd_bit(step->members, a))
			return true;
	}
	return false;
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
