/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle's agents with several slots: who may be offered what while he talks, and what his contacts
 * leave behind.
 */
#include "oracle_parts.h"

#include <errno.h>
#include <string.h>

uint32_t
oracle_slots(const struct oracle_agent_rule *rule)
{
	uint32_t total = 0;

	for (int i = 0; i < STW_CHANNEL_COUNT; i++)
		total += rule->slots[i];
	return total ? total : 1;
}

static uint32_t
slots_of(const struct oracle_agent_rule *rule, uint32_t channel)
{
	static const uint8_t none[STW_CHANNEL_COUNT];

	if (!memcmp(rule->slots, none, sizeof(none)))
		return channel == STW_CHANNEL_VOICE;
	return rule->slots[channel];
}

bool
oracle_serves(const struct oracle *o, int agent, int queue)
{
	return slots_of(&o->agents[agent].rule, o->queues[queue].rule.channel) > 0;
}

static uint32_t
used(const struct oracle_agent *a, uint32_t channel)
{
	uint32_t count = a->talking[channel];

	for (uint32_t i = 0; i < a->wraps_count; i++)
		count += a->wraps[i].channel == channel;
	return count;
}

uint32_t
oracle_seats_used(const struct oracle_agent *a)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++)
		count += used(a, i);
	return count;
}

uint32_t
oracle_talking(const struct oracle_agent *a)
{
	return oracle_seats_used(a) - a->wraps_count;
}

/* Ready, with a slot free, and whatever else keeps him busy may be interrupted. */
bool
oracle_is_open(const struct oracle *o, int agent, uint32_t channel)
{
	const struct oracle_agent *a = &o->agents[agent];

	if (!a->defined || a->state != STW_AGENT_READY ||
	    used(a, channel) >= slots_of(&a->rule, channel) ||
	    oracle_seats_used(a) >= STW_AGENT_SLOTS_MAX)
		return false;
	for (uint32_t other = 0; other < STW_CHANNEL_COUNT; other++) {
		if (other != channel && used(a, other) &&
		    !(a->rule.interrupts[channel] >> other & 1))
			return false;
	}
	return true;
}

enum stw_agent_state
oracle_agent_state(const struct oracle_agent *a)
{
	if (a->state == STW_AGENT_READY && oracle_talking(a))
		return STW_AGENT_CONNECTED;
	return a->state == STW_AGENT_READY && a->wraps_count ? STW_AGENT_WRAP_UP : a->state;
}

static void
idle_raise(struct oracle_agent *a, uint64_t now_ns)
{
	a->idle_ns = now_ns > a->idle_ns ? now_ns : a->idle_ns;
}

/* The contact that the agent has answered leaves him free for others. */
void
oracle_park(struct oracle *o, int agent, uint64_t now_ns)
{
	struct oracle_agent *a = &o->agents[agent];

	a->talking[o->queues[o->contacts[a->contact].queue].rule.channel]++;
	a->contact = ORACLE_NONE;
	a->misses = 0;
	idle_raise(a, now_ns);
	if (!oracle_do_asked(o, agent, now_ns))
		a->state = STW_AGENT_READY;
}

void
oracle_logout_complete(struct oracle *o, int agent, uint64_t now_ns)
{
	struct oracle_agent *a = &o->agents[agent];

	if (a->state != STW_AGENT_NOT_READY || a->reason != STW_REASON_LOGOUT)
		return;
	oracle_wraps_end(o, agent, UINT64_MAX, now_ns);
	if (!oracle_talking(a))
		oracle_agent_enter(o, agent, STW_AGENT_LOGGED_OUT, 0, now_ns);
}

/* A contact of an agent with several slots is over. */
void
oracle_unpark(struct oracle *o, int agent, int queue, uint64_t now_ns)
{
	struct oracle_agent *a = &o->agents[agent];
	const struct oracle_queue_rule *rule = &o->queues[queue].rule;

	oracle_spell(a, now_ns);
	a->talking[rule->channel]--;
	if (rule->wrap_up_ns)
		a->wraps[a->wraps_count++] =
			(struct oracle_wrap){now_ns + rule->wrap_up_ns, rule->channel};
	else
		idle_raise(a, now_ns);
	oracle_logout_complete(o, agent, now_ns);
}

void
oracle_wrap_end(struct oracle *o, int agent, uint32_t wrap, uint64_t now_ns)
{
	struct oracle_agent *a = &o->agents[agent];

	oracle_spell(a, now_ns);
	idle_raise(a, now_ns);
	for (a->wraps_count--; wrap < a->wraps_count; wrap++)
		a->wraps[wrap] = a->wraps[wrap + 1];
}

/* End those that are due; returns how many. */
uint32_t
oracle_wraps_end(struct oracle *o, int agent, uint64_t due_ns, uint64_t now_ns)
{
	struct oracle_agent *a = &o->agents[agent];
	uint32_t ended = 0;

	for (uint32_t i = a->wraps_count; i-- > 0;) {
		if (a->wraps[i].until_ns <= due_ns) {
			oracle_wrap_end(o, agent, i, now_ns);
			ended++;
		}
	}
	return ended;
}

/* More time for every wrap-up of an agent. */
int
oracle_agent_extend(struct oracle *o, uint64_t agent, uint64_t by_ns, uint64_t now_ns)
{
	int index = oracle_agent_find(o, agent);
	struct oracle_agent *a;
	int error = -EINVAL;

	if (!by_ns)
		return -EINVAL;
	if (index == ORACLE_NONE)
		return -ESTALE;
	a = &o->agents[index];
	if (a->state == STW_AGENT_WRAP_UP) {
		a->rests_until_ns =
			(a->rests_until_ns > now_ns ? a->rests_until_ns : now_ns) + by_ns;
		error = 0;
	}
	for (uint32_t i = 0; i < a->wraps_count; i++) {
		uint64_t *until_ns = &a->wraps[i].until_ns;

		*until_ns = (*until_ns > now_ns ? *until_ns : now_ns) + by_ns;
		error = 0;
	}
	return error;
}
