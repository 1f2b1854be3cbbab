/* SPDX-License-Identifier: BSD-3-Clause */
/* What a queue is when it stands on its own, and what the flows bring to it. */
#include "staffing_parts.h"

#include "simulation.h"

static double
expected_at_random(const struct plan_flow *flow, uint64_t from_ns, uint64_t to_ns)
{
	double sum = 0;

	for (uint32_t i = 0; i < flow->contacts_count; i++) {
		uint64_t begin_ns = flow->from_ns + i * flow->step_ns;
		uint64_t end_ns = begin_ns + flow->step_ns;

		if (begin_ns < from_ns)
			begin_ns = from_ns;
		if (end_ns > to_ns)
			end_ns = to_ns;
		if (begin_ns < end_ns)
			sum += flow->contacts[i] * (double)(end_ns - begin_ns) /
			       (double)flow->step_ns;
	}
	return sum;
}

double
staffing_expected(const struct plan_flow *flow, uint32_t queue, uint64_t from_ns, uint64_t to_ns)
{
	double sum = 0;

	if (flow->arrivals_count == 0)
		return flow->request.queue.id == queue + 1
			       ? expected_at_random(flow, from_ns, to_ns)
			       : 0;
	for (uint32_t i = 0; i < flow->arrivals_count; i++)
		if (flow->arrivals[i].queue == queue && flow->arrivals[i].at_ns >= from_ns &&
		    flow->arrivals[i].at_ns < to_ns)
			sum++;
	return sum;
}

uint32_t
staffing_intervals(const struct plan *plan)
{
	return (uint32_t)((plan->to_ns - plan->from_ns + plan->interval_ns - 1) /
			  plan->interval_ns);
}

/* Agents of the queue are like those of the first group that serves it. */
struct plan_group
staffing_group(const struct plan *plan, uint32_t queue)
{
	struct plan_group group = {.config = STW_AGENT_CONFIG_INIT,
				   .answer = {.kind = VARIATE_CONSTANT}};

	for (uint32_t i = plan->groups_count; i-- > 0;)
		if (simulation_serves(plan, i, queue))
			group = plan->groups[i];
	group.config.name = plan->queues[queue].config.name;
	group.config.skills = NULL;
	group.config.skills_count = 0;
	group.config.pool.id = 0;
	group.config.attributes = NULL;
	group.config.attributes_count = 0;
	return group;
}

struct stw_queue_config
staffing_queue(const struct plan *plan, uint32_t queue, const struct staffing_goal *goal)
{
	struct stw_queue_config config = plan->queues[queue].config;

	config.steps = NULL;
	config.steps_count = 0;
	config.calendar.id = 0;
	config.surge_rules = NULL;
	config.surge_rules_count = 0;
	config.service_level_ns = (uint64_t)(goal->within_s * 1e9);
	return config;
}
