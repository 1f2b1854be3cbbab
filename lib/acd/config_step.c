/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration of routing steps: their members, and the sets in which their contacts wait. All under the
 * configuration lock.
 *
 * A set belongs to one (queue, step, least value) from the moment it is taken until it is given back, which
 * is done after nobody can use any more what led to it: the description that names it has been replaced
 * and a grace period is over; the contacts have been moved; the agents' bits have been cleared and
 * another grace period is over. So a search that read what a set is finds contacts of that in it.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
step_check(const struct stw_acd *acd, const struct stw_step_config *step, bool first)
{
	if (step->terms_count > STW_STEP_TERMS_MAX || step->select > STW_SELECT_TOP_DOWN ||
	    step->when > STW_STEP_WHEN_WAIT_ABOVE || step->wait_bound_ns > ACD_DURATION_MAX ||
	    (step->after_ns > ACD_DURATION_MAX && step->after_ns != STW_STEP_NEVER))
		return -EINVAL;
	if (step->ring_count > 1 && step->ring_count > acd->config.ring_max)
		return -EINVAL;
	if (step->reserve_value >= STW_CLASS_COUNT || !step->reserve_agents != !step->reserve_value)
		return -EINVAL;
	if (first && (step->after_ns || step->when != STW_STEP_WHEN_TIME))
		return -EINVAL;
	return step->when != STW_STEP_WHEN_WAIT_ABOVE && step->wait_bound_ns ? -EINVAL : 0;
}

/* What a step asks of an agent. */
static int
requirements_check(struct stw_acd *acd, uint32_t tenant, const struct stw_step_config *step)
{
	uint32_t calendar;
	int error =
		config_requirement_check(acd, tenant, step->requirement, step->requirement_count);

	if (!error)
		error = config_terms_check(acd, tenant, step->terms, step->terms_count);
	if (!error)
		error = acd_calendar_slot(acd, step->calendar, tenant, &calendar);
	return error ? error : config_pool_check(acd, step->pool);
}

int
config_steps_check(struct stw_acd *acd, uint32_t tenant, const struct stw_queue_config *config)
{
	int error = 0;

	if (config->steps_count > STW_QUEUE_STEPS_MAX || (config->steps_count && !config->steps))
		return -EINVAL;
	for (uint32_t k = 0; k < config->steps_count && !error; k++)
		error = step_check(acd, &config->steps[k], !k);
	for (uint32_t k = 0; k < config->steps_count && !error; k++)
		error = requirements_check(acd, tenant, &config->steps[k]);
	return error;
}

void
config_steps_free(struct acd_queue_description *queue)
{
	for (uint32_t k = 0; queue->steps && k < queue->steps_count; k++) {
		free(queue->steps[k].members);
		free(queue->steps[k].scores);
		free(queue->steps[k].requirement);
	}
	free(queue->steps);
}

static int
step_make(struct stw_acd *acd, uint32_t tenant, const struct stw_step_config *config,
	  uint32_t channel, struct acd_step *step)
{
	step->tenant = tenant;
	step->channel = channel;
	step->calendar = ACD_CALENDAR_NONE;
	step->members = calloc(HINT_BITS_WORDS(acd->config.agents_max), sizeof(*step->members));
	if (!step->members)
		return -ENOMEM;
	if (config) {
		step->select = config->select;
		step->ring_count = config->ring_count;
		step->when = config->when;
		step->after_ns = config->after_ns;
		step->wait_bound_ns = config->wait_bound_ns;
		step->pool = config->pool.id;
		acd_calendar_slot(acd, config->calendar, tenant, &step->calendar);
		step->reserve_agents = config->reserve_agents;
		step->reserve_value = config->reserve_value;
		step->requirement_count = config->requirement_count;
		step->requirement =
			config_requirement_copy(config->requirement, config->requirement_count);
		if (config->requirement_count && !step->requirement)
			return -ENOMEM;
		step->terms_count = config->terms_count;
		if (config->terms_count)
			memcpy(step->terms, config->terms,
			       config->terms_count * sizeof(*config->terms));
	}
	if (step->select == STW_SELECT_MOST_PROFICIENT) {
		step->scores = calloc(acd->config.agents_max, sizeof(*step->scores));
		if (!step->scores)
			return -ENOMEM;
	}
	for (uint32_t a = 0; a < acd->agents_end; a++) {
		const struct acd_agent_description *agent = acd_agent_description(acd, a);

		if (!agent)
			continue;
		config_step_score(step, a, agent);
		config_bit_set(step->members, a, config_step_admits(step, agent));
	}
	return 0;
}

/* The steps of a description, with the agents that there are, without sets. */
int
config_steps_make(struct stw_acd *acd, const struct stw_queue_config *config,
		  struct acd_queue_description *queue)
{
	int error = 0;

	queue->steps_count = config->steps_count ? config->steps_count : 1;
	queue->steps = calloc(queue->steps_count, sizeof(*queue->steps));
	if (!queue->steps)
		return -ENOMEM;
	for (uint32_t k = 0; k < queue->steps_count && !error; k++)
		error = step_make(acd, queue->tenant,
				  config->steps_count ? &config->steps[k] : NULL, config->channel,
				  &queue->steps[k]);
	for (uint32_t k = 0; k < queue->steps_count; k++)
		queue->round_robin |= queue->steps[k].select == STW_SELECT_ROUND_ROBIN;
	return error;
}

/* The set of a description for exactly this step and value; ACD_NOBODY: it has none. */
static uint32_t
set_find(const struct acd_queue_description *queue, uint32_t k, uint32_t value_min)
{
	const struct acd_step *step;

	if (!queue || k >= queue->steps_count)
		return ACD_NOBODY;
	step = &queue->steps[k];
	for (uint32_t i = 0; i < step->lanes_count; i++)
		if (step->lanes[i].value_min == value_min)
			return step->lanes[i].set;
	return ACD_NOBODY;
}

static int
lane_take(struct stw_acd *acd, uint32_t q, uint32_t k, struct acd_lane *lane,
	  const struct acd_queue_description *old)
{
	lane->set = set_find(old, k, lane->value_min);
	if (lane->set != ACD_NOBODY)
		return 0;
	if (slot_pool_take(&acd->set_slots, &lane->set))
		return -ENOSPC;
	atomic_store_explicit(&acd->sets[lane->set], acd_set_make(q, k, lane->value_min),
			      memory_order_relaxed);
	if (lane->set >= atomic_load_explicit(&acd->sets_end, memory_order_relaxed))
		atomic_store_explicit(&acd->sets_end, lane->set + 1, memory_order_relaxed);
	return 0;
}

/* Give back the sets of a description that another (NULL: none) does not have. */
void
config_sets_give(struct stw_acd *acd, const struct acd_queue_description *queue,
		 const struct acd_queue_description *but)
{
	for (uint32_t k = 0; k < queue->steps_count; k++) {
		const struct acd_step *step = &queue->steps[k];

		for (uint32_t i = 0; i < step->lanes_count; i++) {
			if (set_find(but, k, step->lanes[i].value_min) != ACD_NOBODY)
				continue;
			config_bit_set(acd->conditional, step->lanes[i].set, false);
			slot_pool_give(&acd->set_slots, step->lanes[i].set);
		}
	}
}

/* Take sets for the lanes of a step: they begin at the values whose bits are set in bounds. */
static int
lanes_take(struct stw_acd *acd, uint32_t q, uint32_t k, uint32_t bounds, struct acd_step *step,
	   const struct acd_queue_description *old)
{
	for (; bounds; bounds &= bounds - 1) {
		struct acd_lane *lane = &step->lanes[step->lanes_count];

		lane->value_min = (uint32_t)__builtin_ctz(bounds);
		if (lane_take(acd, q, k, lane, old))
			return -ENOSPC;
		step->lanes_count++;
	}
	return 0;
}

/* Take sets for the steps of a new description: those of the old (NULL: none) where they fit. */
int
config_sets_take(struct stw_acd *acd, uint32_t q, struct acd_queue_description *queue,
		 const struct acd_queue_description *old)
{
	uint32_t bounds = 1;

	for (uint32_t k = 0; k < queue->steps_count; k++) {
		bounds |= 1u << queue->steps[k].reserve_value;
		if (lanes_take(acd, q, k, bounds, &queue->steps[k], old)) {
			config_sets_give(acd, queue, old);
			return -ENOSPC;
		}
	}
	for (uint32_t k = 0; k < queue->steps_count; k++)
		for (uint32_t i = 0; i < queue->steps[k].lanes_count; i++)
			config_bit_set(acd->conditional, queue->steps[k].lanes[i].set,
				       queue->leave_when ||
					       (k + 1 < queue->steps_count &&
						queue->steps[k + 1].when != STW_STEP_WHEN_TIME));
	return 0;
}

/* Set the bits of an agent's sets of a queue for which he is a member, or clear those for which he is not. */
void
config_sets_mark(const struct acd_queue_description *queue, uint32_t a,
		 struct acd_agent_description *agent, bool set)
{
	bool member = false;

	for (uint32_t k = 0; k < queue->steps_count; k++) {
		member = member || acd_bit(queue->steps[k].members, a);
		for (uint32_t i = 0; member == set && i < queue->steps[k].lanes_count; i++)
			config_bit_set(agent->sets, queue->steps[k].lanes[i].set, set);
	}
}

/* Clear every agent's bits for the sets of a description that another (NULL: none) does not have. */
void
config_sets_clear(struct stw_acd *acd, const struct acd_queue_description *queue,
		  const struct acd_queue_description *but)
{
	for (uint32_t k = 0; k < queue->steps_count; k++) {
		const struct acd_step *step = &queue->steps[k];

		for (uint32_t i = 0; i < step->lanes_count; i++) {
			if (set_find(but, k, step->lanes[i].value_min) != ACD_NOBODY)
				continue;
			for (uint32_t a = 0; a < acd->agents_end; a++)
				if (acd_agent_description(acd, a))
					config_bit_set(acd_agent_description(acd, a)->sets,
						       step->lanes[i].set, false);
		}
	}
}

/* Whether contacts that wait have to be moved, or their timers set anew. */
bool
config_steps_differ(const struct acd_queue_description *a, const struct acd_queue_description *b)
{
	if (a->steps_count != b->steps_count)
		return true;
	for (uint32_t k = 0; k < a->steps_count; k++)
		if (a->steps[k].after_ns != b->steps[k].after_ns ||
		    a->steps[k].lanes_count != b->steps[k].lanes_count ||
		    memcmp(a->steps[k].lanes, b->steps[k].lanes, sizeof(a->steps[k].lanes)))
			return true;
	return false;
}

/*
 * Move every contact that waits in a queue to where its description wants it. No call under way uses an
 * older one, so a contact whose word changes meanwhile is where it belongs.
 */
void
config_steps_move(struct stw_acd *acd, uint32_t q, uint64_t now_ns)
{
	uint32_t last = acd_queue_description(acd, q)->steps_count - 1;

	for (uint32_t c = 0; c < acd->config.contacts_max; c++) {
		uint64_t word = acd_word_read(&acd->contacts[c].word);
		uint32_t k = word_step(word);

		if (word_state(word) != ACD_CONTACT_WAITING || acd_contact_queue(acd, c, word) != q)
			continue;
		if (k != ACD_STEP_PREFERRED)
			k = k < last ? k : last;
		if (!acd_contact_move(acd, c, word, k, now_ns) || k == ACD_STEP_PREFERRED)
			continue;
		acd_contact_widen_early(acd, c, now_ns);
	}
}
