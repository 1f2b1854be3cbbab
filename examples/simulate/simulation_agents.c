/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Agents come, take breaks and go. What they do in between is asked of the engine whenever an event
 * names one, so that the numbers hold whatever an event means.
 */
#include "simulation_parts.h"

/* The host's reason for being not ready: a break. */
#define REASON_BREAK 1

void
simulation_agents_plan(struct simulation *simulation)
{
	for (uint32_t i = 0; i < simulation->persons_count; i++) {
		const struct plan_shift *shift = simulation->persons[i].shift;

		simulation_add(simulation, shift->from_ns, KIND_LOGIN, i, 0);
		for (uint32_t j = 0; j < shift->breaks_count; j++) {
			simulation_add(simulation, shift->breaks[j].from_ns, KIND_BREAK, i, 0);
			simulation_add(simulation, shift->breaks[j].to_ns, KIND_BACK, i, 0);
		}
		if (shift->to_ns != VARIATE_NEVER)
			simulation_add(simulation, shift->to_ns, KIND_LOGOUT, i, 0);
	}
}

/* Where what is counted of a state is kept; NULL: not at work. */
static uint64_t *
counter_of(struct tally_staff *staff, uint32_t state)
{
	switch (state) {
	case STW_AGENT_LOGGED_OUT:
		return NULL;
	case STW_AGENT_NOT_READY:
		return &staff->not_ready_ns;
	case STW_AGENT_READY:
		return &staff->ready_ns;
	default:
		return &staff->busy_ns;
	}
}

/* Count the state that ends now. */
static void
close_spell(struct simulation *simulation, struct simulation_person *person)
{
	const struct tally *tally = &simulation->tally;
	struct tally_staff *staff = tally_group(tally, person->numbers.group);
	uint64_t *own = counter_of(&person->numbers.staff, person->state);

	if (own) {
		*own += tally_clip(tally, person->since_ns, simulation->now_ns);
		tally_spell(tally, counter_of(staff, person->state), sizeof(*staff),
			    person->since_ns, simulation->now_ns);
	}
	person->since_ns = simulation->now_ns;
}

void
simulation_agent_look(struct simulation *simulation, uint32_t index)
{
	struct simulation_person *person = &simulation->persons[index];
	struct stw_agent_status status;
	int result = stw_agent_status(simulation->acd, person->handle, &status);

	simulation_fail(simulation, result);
	if (result == 0 && status.state != person->state) {
		close_spell(simulation, person);
		person->state = status.state;
	}
}

void
simulation_agent_act(struct simulation *simulation, const struct agenda_item *item)
{
	struct stw_agent agent = simulation->persons[item->subject].handle;
	struct stw_acd *acd = simulation->acd;
	uint64_t now_ns = simulation_now(simulation);

	/* Ready when already ready, and the like, is fine: the engine has its own reasons, too. */
	switch (item->kind) {
	case KIND_LOGIN:
		simulation_fail(simulation, stw_agent_login(acd, agent, now_ns));
		stw_agent_ready(acd, agent, now_ns);
		break;
	case KIND_LOGOUT:
		simulation_fail(simulation, stw_agent_logout(acd, agent, now_ns));
		break;
	case KIND_BREAK:
		stw_agent_not_ready(acd, agent, REASON_BREAK, now_ns);
		break;
	case KIND_LOOK:
		simulation_agent_look(simulation, item->subject);
		break;
	default:
		stw_agent_ready(acd, agent, now_ns);
		break;
	}
}

void
simulation_agents_close(struct simulation *simulation)
{
	/* Nothing happens any more, but those who stay are still at work until the end of what counts. */
	uint64_t end_ns = simulation->tally.from_ns +
			  simulation->tally.intervals * simulation->tally.interval_ns;

	if (simulation->now_ns < end_ns)
		simulation->now_ns = end_ns;
	for (uint32_t i = 0; i < simulation->persons_count; i++)
		close_spell(simulation, &simulation->persons[i]);
}

uint32_t
simulation_agents(const struct simulation *simulation)
{
	return simulation->persons_count;
}

void
simulation_agent(const struct simulation *simulation, uint32_t index,
		 struct simulation_agent *agent)
{
	*agent = simulation->persons[index].numbers;
}
