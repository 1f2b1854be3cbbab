/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle's agents, queues and counters.
 */
#include "oracle_parts.h"

#include <errno.h>
#include <string.h>

int
oracle_agent_find(const struct oracle *o, uint64_t id)
{
	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		if (o->agents[a].defined && o->agents[a].id == id)
			return a;
	}
	return ORACLE_NONE;
}

int
oracle_queue_find(const struct oracle *o, uint64_t id)
{
	for (int q = 0; q < ORACLE_QUEUES_MAX; q++) {
		if (o->queues[q].defined && o->queues[q].id == id)
			return q;
	}
	return ORACLE_NONE;
}

static bool
is_busy(enum stw_agent_state state)
{
	return state == STW_AGENT_OFFERED || state == STW_AGENT_CONNECTED ||
	       state == STW_AGENT_WRAP_UP;
}

void
oracle_spell(struct oracle_agent *a, uint64_t now_ns)
{
	if ((is_busy(a->state) || oracle_seats_used(a)) && now_ns > a->since_ns)
		a->busy_ns += now_ns - a->since_ns;
	a->since_ns = now_ns > a->since_ns ? now_ns : a->since_ns;
}

void
oracle_agent_enter(struct oracle *o, int agent, enum stw_agent_state state, uint32_t reason,
		   uint64_t now_ns)
{
	struct oracle_agent *a = &o->agents[agent];

	oracle_spell(a, now_ns);
	a->state = state;
	a->reason = reason;
	if (state == STW_AGENT_READY && now_ns > a->idle_ns)
		a->idle_ns = now_ns;
	a->rests_until_ns = 0;
	if (state == STW_AGENT_LOGGED_OUT)
		oracle_leave_agent(o, agent);
	if (state != STW_AGENT_OFFERED && state != STW_AGENT_CONNECTED) {
		struct stw_event *event =
			oracle_tell(o, STW_EVENT_AGENT_STATE, ORACLE_NONE, agent, now_ns);

		event->agent_state = state;
		event->reason = reason;
	}
}

bool
oracle_do_asked(struct oracle *o, int agent, uint64_t now_ns)
{
	struct oracle_agent *a = &o->agents[agent];
	enum oracle_asked asked = a->asked;

	a->asked = ORACLE_ASKED_NOTHING;
	if (asked == ORACLE_ASKED_LOGOUT && oracle_seats_used(a)) {
		oracle_agent_enter(o, agent, STW_AGENT_NOT_READY, STW_REASON_LOGOUT, now_ns);
		oracle_logout_complete(o, agent, now_ns);
	} else if (asked == ORACLE_ASKED_LOGOUT)
		oracle_agent_enter(o, agent, STW_AGENT_LOGGED_OUT, 0, now_ns);
	else if (asked == ORACLE_ASKED_NOT_READY)
		oracle_agent_enter(o, agent, STW_AGENT_NOT_READY, a->asked_reason, now_ns);
	return asked != ORACLE_ASKED_NOTHING;
}

void
oracle_agent_release(struct oracle *o, int agent, bool missed, uint64_t now_ns)
{
	struct oracle_agent *a = &o->agents[agent];

	a->contact = ORACLE_NONE;
	a->misses += missed;
	if (oracle_do_asked(o, agent, now_ns))
		return;
	if (missed && a->rule.misses_max && a->misses >= a->rule.misses_max) {
		a->misses = 0;
		oracle_agent_enter(o, agent, STW_AGENT_NOT_READY, STW_REASON_MISSES, now_ns);
	} else if (missed && a->rule.penalty_ns) {
		oracle_agent_enter(o, agent, STW_AGENT_NOT_READY, STW_REASON_PENALTY, now_ns);
		a->rests_until_ns = now_ns + a->rule.penalty_ns;
	} else {
		oracle_agent_enter(o, agent, STW_AGENT_READY, 0, now_ns);
	}
}

void
oracle_agent_wrap_up(struct oracle *o, int agent, uint64_t wrap_up_ns, uint64_t now_ns)
{
	struct oracle_agent *a = &o->agents[agent];

	a->contact = ORACLE_NONE;
	if (oracle_do_asked(o, agent, now_ns))
		return;
	if (wrap_up_ns) {
		oracle_agent_enter(o, agent, STW_AGENT_WRAP_UP, 0, now_ns);
		a->rests_until_ns = now_ns + wrap_up_ns;
	} else {
		oracle_agent_enter(o, agent, STW_AGENT_READY, 0, now_ns);
	}
}

int
oracle_agent_define(struct oracle *o, const struct oracle_agent_rule *rule, uint64_t id)
{
	uint32_t defined = 0;
	int free = ORACLE_NONE;

	if (oracle_slots(rule) > STW_AGENT_SLOTS_MAX)
		return -EINVAL;
	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		defined += o->agents[a].defined;
		if (!o->agents[a].defined)
			free = a;
	}
	if (defined >= o->agents_max || free == ORACLE_NONE)
		return -ENOSPC;
	o->agents[free] = (struct oracle_agent){
		.defined = true,
		.id = id,
		.rule = *rule,
		.contact = ORACLE_NONE,
		.seated = oracle_slots(rule) > 1,
		/* Times of the person who had the place before stay behind. */
		.idle_ns = o->agents[free].idle_ns};
	return 0;
}

int
oracle_agent_update(struct oracle *o, uint64_t agent, const struct oracle_agent_rule *rule,
		    uint64_t now_ns)
{
	int index = oracle_agent_find(o, agent);

	if (index == ORACLE_NONE)
		return -ESTALE;
	if (oracle_slots(rule) > STW_AGENT_SLOTS_MAX)
		return -EINVAL;
	o->agents[index].rule = *rule;
	if (oracle_slots(rule) > 1)
		o->agents[index].seated = true;
	if (o->agents[index].seated && o->agents[index].state == STW_AGENT_CONNECTED)
		oracle_park(o, index, now_ns);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

int
oracle_agent_remove(struct oracle *o, uint64_t agent)
{
	int index = oracle_agent_find(o, agent);

	if (index == ORACLE_NONE)
		return -ESTALE;
	if (o->agents[index].state != STW_AGENT_LOGGED_OUT)
		return -EBUSY;
	o->agents[index].defined = false;
	return 0;
}

int
oracle_agent_login(struct oracle *o, uint64_t agent, uint64_t now_ns)
{
	int index = oracle_agent_find(o, agent);

	if (index == ORACLE_NONE)
		return -ESTALE;
	if (o->agents[index].state != STW_AGENT_LOGGED_OUT)
		return -EALREADY;
	oracle_agent_enter(o, index, STW_AGENT_NOT_READY, STW_REASON_LOGIN, now_ns);
	return 0;
}

int
oracle_agent_ready(struct oracle *o, uint64_t agent, uint64_t now_ns)
{
	int index = oracle_agent_find(o, agent);
	struct oracle_agent *a;

	if (index == ORACLE_NONE)
		return -ESTALE;
	a = &o->agents[index];
	if (a->state == STW_AGENT_LOGGED_OUT)
		return -EINVAL;
	if (a->state == STW_AGENT_READY) {
		if (!oracle_wraps_end(o, index, UINT64_MAX, now_ns))
			return -EALREADY;
		oracle_settle(o, now_ns);
		oracle_settle_counts(o);
		return 0;
	}
	if (a->contact != ORACLE_NONE) {
		if (a->asked == ORACLE_ASKED_NOTHING)
			return -EALREADY;
		a->asked = ORACLE_ASKED_NOTHING;
		return 0;
	}
	oracle_wraps_end(o, index, UINT64_MAX, now_ns);
	oracle_agent_enter(o, index, STW_AGENT_READY, 0, now_ns);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

int
oracle_agent_not_ready(struct oracle *o, uint64_t agent, uint32_t reason, uint64_t now_ns)
{
	int index = oracle_agent_find(o, agent);
	struct oracle_agent *a;

	if (reason >= STW_REASON_LOGIN)
		return -EINVAL;
	if (index == ORACLE_NONE)
		return -ESTALE;
	a = &o->agents[index];
	if (a->state == STW_AGENT_LOGGED_OUT)
		return -EINVAL;
	if (a->contact != ORACLE_NONE) {
		a->asked = ORACLE_ASKED_NOT_READY;
		a->asked_reason = reason;
		return 0;
	}
	if (a->state != STW_AGENT_NOT_READY || a->reason != reason)
		oracle_agent_enter(o, index, STW_AGENT_NOT_READY, reason, now_ns);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

int
oracle_agent_logout(struct oracle *o, uint64_t agent, uint64_t now_ns)
{
	int index = oracle_agent_find(o, agent);
	struct oracle_agent *a;

	if (index == ORACLE_NONE)
		return -ESTALE;
	a = &o->agents[index];
	if (a->state == STW_AGENT_LOGGED_OUT)
		return -EALREADY;
	if (a->contact != ORACLE_NONE) {
		a->asked = ORACLE_ASKED_LOGOUT;
		return 0;
	}
	oracle_wraps_end(o, index, UINT64_MAX, now_ns);
	if (!oracle_talking(a))
		oracle_agent_enter(o, index, STW_AGENT_LOGGED_OUT, 0, now_ns);
	else if (a->state != STW_AGENT_NOT_READY || a->reason != STW_REASON_LOGOUT)
		oracle_agent_enter(o, index, STW_AGENT_NOT_READY, STW_REASON_LOGOUT, now_ns);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

int
oracle_queue_define(struct oracle *o, const struct oracle_queue_rule *rule, uint64_t id)
{
	uint32_t defined = 0;
	int free = ORACLE_NONE;

	for (int q = 0; q < ORACLE_QUEUES_MAX; q++) {
		defined += o->queues[q].defined;
		if (!o->queues[q].defined)
			free = q;
	}
	if (defined >= o->queues_max || free == ORACLE_NONE)
		return -ENOSPC;
	o->queues[free] = (struct oracle_queue){.defined = true, .id = id, .rule = *rule};
	return 0;
}

int
oracle_queue_update(struct oracle *o, uint64_t queue, const struct oracle_queue_rule *rule,
		    uint64_t now_ns)
{
	int index = oracle_queue_find(o, queue);

	if (index == ORACLE_NONE)
		return -ESTALE;
	if (rule->channel != o->queues[index].rule.channel)
		return -EINVAL;
	o->queues[index].rule = *rule;
	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		struct oracle_contact *contact = &o->contacts[c];

		if (contact->known && contact->queue == index &&
		    contact->state == STW_CONTACT_WAITING && contact->step >= rule->steps_count)
			contact->step = rule->steps_count - 1;
	}
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

static void
add_stats(struct stw_queue_stats *sum, const struct stw_queue_stats *part)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)part;
	uint64_t longest =
		part->wait_ns_max > sum->wait_ns_max ? part->wait_ns_max : sum->wait_ns_max;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
	sum->wait_ns_max = longest;
}

int
oracle_queue_remove(struct oracle *o, uint64_t queue)
{
	int index = oracle_queue_find(o, queue);

	if (index == ORACLE_NONE)
		return -ESTALE;
	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		if (o->contacts[c].known && o->contacts[c].queue == index)
			return -EBUSY;
	}
	add_stats(&o->removed, &o->queues[index].stats);
	o->queues[index].defined = false;
	return 0;
}

void
oracle_settle_counts(struct oracle *o)
{
	for (int q = 0; q < ORACLE_QUEUES_MAX; q++) {
		struct stw_queue_stats *stats = &o->queues[q].stats;

		stats->waiting = stats->ringing = stats->connected = 0;
	}
	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		const struct oracle_contact *contact = &o->contacts[c];
		struct stw_queue_stats *stats = &o->queues[contact->queue].stats;

		stats->waiting += contact->known && contact->state == STW_CONTACT_WAITING;
		stats->ringing += contact->known && contact->state == STW_CONTACT_OFFERED;
		stats->connected += contact->known && contact->state == STW_CONTACT_CONNECTED;
	}
}

void
oracle_stats(const struct oracle *o, struct stw_acd_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->queues = o->removed;
	for (int q = 0; q < ORACLE_QUEUES_MAX; q++) {
		if (o->queues[q].defined)
			add_stats(&stats->queues, &o->queues[q].stats);
	}
	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		const struct oracle_agent *agent = &o->agents[a];

		stats->agents_logged_in += agent->defined && agent->state != STW_AGENT_LOGGED_OUT;
		stats->agents_ready += agent->defined && agent->state == STW_AGENT_READY;
	}
	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++)
		stats->contacts += o->contacts[c].known;
}
