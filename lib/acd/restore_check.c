/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Restoring, first half: what a snapshot says is looked at, and its queues, agents and tenants are found by
 * name, so that what is refused has changed nothing.
 */
#include "restore.h"

#include <errno.h>

/* In place of a contact: no agent of the snapshot has this name, so far. */
#define UNNAMED (ACD_NOBODY - 1)

static int
refuse(struct acd_plan *plan, int error, const char *why)
{
	plan->why = why;
	return error;
}

static int
engine_check(struct acd_plan *plan)
{
	struct stw_acd *acd = plan->acd;
	struct stw_acd_stats stats;

	if (!acd_snapshot_fits(plan->snapshot, acd))
		return refuse(plan, -EINVAL, "the snapshot was made for other limits");
	if (!plan->now_ns || plan->now_ns > ACD_NOW_MAX || plan->shift_ns > (int64_t)ACD_NOW_MAX ||
	    plan->shift_ns < -(int64_t)ACD_NOW_MAX)
		return refuse(plan, -EINVAL, "the time is outside its range");
	stw_acd_stats(acd, &stats);
	if (stats.contacts || stats.queues.offered || stats.agents_logged_in ||
	    slot_pool_check(&acd->contact_slots) != acd->config.contacts_max)
		return refuse(plan, -EBUSY, "the engine is not fresh");
	return 0;
}

/* The slot of a name that a tenant gave; NAMES_NONE: there is none, or no such tenant. */
static uint32_t
name_find(const struct stw_acd *acd, const struct names *names, const char *tenant,
	  const char *name)
{
	uint32_t t = ACD_TENANT_DEFAULT;

	if (tenant[0])
		t = names_find(&acd->tenant_names, ACD_TENANT_DEFAULT, tenant);
	return t == NAMES_NONE ? NAMES_NONE : names_find(names, t, name);
}

/* Find by name what the snapshot has, and leave out what is needed by nobody. */
static int
names_check(struct acd_plan *plan)
{
	const struct stw_snapshot *snapshot = plan->snapshot;

	for (uint32_t q = 0; q < snapshot->queues_max; q++)
		plan->queues[q] =
			snapshot->queues[q].id
				? name_find(plan->acd, &plan->acd->queue_names,
					    snapshot->queues[q].tenant, snapshot->queues[q].name)
				: NAMES_NONE;
	for (uint32_t a = 0; a < snapshot->agents_max; a++)
		plan->holders[a] = UNNAMED;
	for (uint32_t a = 0; a < snapshot->agents_max; a++) {
		const struct snapshot_agent *agent = &snapshot->agents[a];

		plan->agents[a] = agent->id ? name_find(plan->acd, &plan->acd->agent_names,
							agent->tenant, agent->name)
					    : NAMES_NONE;
		if (!agent->id)
			continue;
		if (agent->state > STW_AGENT_WRAP_UP || agent->state == STW_AGENT_OFFERED ||
		    agent->state == STW_AGENT_CONNECTED || agent->reason > ACD_REASON_MASK ||
		    agent->misses > 0xffff || agent->sequence >= ACD_STAMP_MASK / 2)
			return refuse(plan, -EBADMSG, "an agent's state is outside its range");
		if (plan->agents[a] == NAMES_NONE && agent->state != STW_AGENT_LOGGED_OUT)
			return refuse(plan, -ENOENT, "an agent who is logged in is not defined");
		if (plan->agents[a] == NAMES_NONE)
			continue;
		if (plan->holders[plan->agents[a]] != UNNAMED)
			return refuse(plan, -EBADMSG, "two agents have one name");
		plan->holders[plan->agents[a]] = ACD_NOBODY;
	}
	return 0;
}

/* The snapshot's agent of a handle; ACD_NOBODY: there is none such. */
uint32_t
acd_plan_agent(const struct stw_snapshot *snapshot, uint64_t id)
{
	uint32_t a = (uint32_t)id;

	return id && a < snapshot->agents_max && snapshot->agents[a].id == id ? a : ACD_NOBODY;
}

uint64_t
acd_plan_time(const struct acd_plan *plan, uint64_t time_ns)
{
	uint64_t back_ns = (uint64_t)-plan->shift_ns;

	if (!time_ns)
		return 0;
	if (plan->shift_ns >= 0)
		return time_ns + (uint64_t)plan->shift_ns;
	return time_ns > back_ns ? time_ns - back_ns : 1;
}

static bool
in_range(const struct acd_plan *plan, const struct snapshot_contact *contact)
{
	return contact->state <= SNAPSHOT_CONNECTED && contact->ring <= 1 &&
	       contact->rung < ACD_RING_MAX &&
	       (!contact->rung || (contact->ring && contact->state == SNAPSHOT_OFFERED)) &&
	       contact->id >> 32 && contact->step <= ACD_STEP_MASK && contact->enqueue_ns &&
	       contact->enqueue_ns <= ACD_NOW_MAX && contact->entered_ns <= ACD_NOW_MAX &&
	       acd_plan_time(plan, contact->entered_ns) <= ACD_NOW_MAX &&
	       (contact->preferred_until_ns <= ACD_NOW_MAX + ACD_DURATION_MAX ||
		contact->preferred_until_ns == UINT64_MAX) &&
	       contact->callback <= 1 && acd_plan_time(plan, contact->enqueue_ns) <= ACD_NOW_MAX &&
	       (contact->credit_ns <= ACD_DURATION_MAX || contact->credit_ns == UINT64_MAX) &&
	       contact->class < STW_CLASS_COUNT * STW_CLASS_COUNT;
}

static int
contact_check(struct acd_plan *plan, uint32_t c, const struct snapshot_contact *contact)
{
	const struct stw_snapshot *snapshot = plan->snapshot;
	uint32_t q = (uint32_t)contact->queue;
	uint32_t a = acd_plan_agent(snapshot, contact->agent);

	if (!contact->id || contact->state == SNAPSHOT_FREE)
		return 0;
	if ((uint32_t)contact->id != c || !in_range(plan, contact) || q >= snapshot->queues_max ||
	    snapshot->queues[q].id != contact->queue)
		return refuse(plan, -EBADMSG, "a contact says what cannot be");
	if (plan->queues[q] == NAMES_NONE)
		return refuse(plan, -ENOENT, "a queue that has contacts is not defined");
	plan->contacts[q].of[contact->state]++;
	plan->contacts[q].rings += contact->state == SNAPSHOT_OFFERED && contact->ring;
	plan->contacts[q].beside += contact->rung;
	plan->tenants[acd_queue_description(plan->acd, plan->queues[q])->tenant]++;
	if (acd_plan_state(contact) == SNAPSHOT_WAITING)
		return 0;
	if (a == ACD_NOBODY || snapshot->agents[a].state == STW_AGENT_LOGGED_OUT)
		return refuse(plan, -EBADMSG, "a contact's agent is not at work");
	if (plan->agents[a] == NAMES_NONE)
		return refuse(plan, -ENOENT, "an agent who has a contact is not defined");
	if (acd_agent_description(plan->acd, plan->agents[a])->tenant !=
	    acd_queue_description(plan->acd, plan->queues[q])->tenant)
		return refuse(plan, -EBADMSG, "a contact's agent is another tenant's");
	if (contact->state == SNAPSHOT_CONNECTED &&
	    acd_agent_description(plan->acd, plan->agents[a])->seats)
		return ++plan->seated[plan->agents[a]] <= ACD_SEATS_MAX
			       ? 0
			       : refuse(plan, -EBADMSG, "an agent has more contacts than seats");
	if (plan->holders[plan->agents[a]] != ACD_NOBODY)
		return refuse(plan, -EBADMSG, "an agent has two contacts");
	plan->holders[plan->agents[a]] = c;
	return 0;
}

/* The counters tell as many contacts as there are (stats.c, row_add). */
static bool
counters_agree(const uint64_t *n, const struct snapshot_census *census)
{
	struct stw_queue_stats stats = {.offered = 0};

	acd_stats_add(&stats, n);
	return stats.waiting == census->of[SNAPSHOT_WAITING] &&
	       stats.ringing == census->of[SNAPSHOT_OFFERED] &&
	       stats.connected == census->of[SNAPSHOT_CONNECTED] &&
	       n[ACD_COUNT_OFFERS_BESIDE] == census->beside;
}

int
acd_plan_check(struct acd_plan *plan)
{
	const struct stw_snapshot *snapshot = plan->snapshot;
	int error = engine_check(plan);

	if (!error)
		error = names_check(plan);
	for (uint32_t c = 0; c < snapshot->contacts_max && !error; c++)
		error = contact_check(plan, c, &snapshot->contacts[c]);
	for (uint32_t t = 0; t <= plan->acd->config.tenants_max && !error; t++)
		if (plan->acd->tenants[t].contacts_max &&
		    plan->tenants[t] > plan->acd->tenants[t].contacts_max)
			error = refuse(plan, -ENOSPC, "a tenant has more contacts than it may");
	for (uint32_t q = 0; q <= snapshot->queues_max && !error; q++)
		if (!counters_agree(snapshot->queues[q].counters, &plan->contacts[q]))
			error = refuse(plan, -EBADMSG, "counters and contacts do not agree");
	return error;
}
