/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle's routing: who may have a contact, who of several gets it, and when more may.
 */
#include "oracle_parts.h"

uint32_t
oracle_choose(uint32_t width)
{
	uint32_t at = oracle_choices->made++;

	if (at >= ORACLE_CHOICES_MAX)
		return 0;
	oracle_choices->width[at] = (uint8_t)width;
	if (at >= oracle_choices->given)
		oracle_choices->answer[at] = 0;
	return oracle_choices->answer[at];
}

bool
oracle_choices_next(struct oracle_choices *choices)
{
	uint32_t at = choices->made < ORACLE_CHOICES_MAX ? choices->made : ORACLE_CHOICES_MAX;

	while (at-- > 0) {
		if (choices->answer[at] + 1 < choices->width[at]) {
			choices->answer[at]++;
			choices->given = at + 1;
			choices->made = 0;
			return true;
		}
	}
	return false;
}

static bool
is_admitted(const struct oracle *o, int agent, const struct oracle_step_rule *step)
{
	for (int skill = 0; skill < ORACLE_SKILLS_MAX; skill++) {
		if (o->agents[agent].rule.level[skill] < step->level[skill])
			return false;
	}
	return true;
}

uint32_t
oracle_tier(const struct oracle *o, int agent, int contact)
{
	const struct oracle_contact *c = &o->contacts[contact];
	uint32_t k = 0;

	if (!oracle_serves(o, agent, c->queue))
		return c->step + 1;
	while (k <= c->step && !is_admitted(o, agent, &o->queues[c->queue].rule.step[k]))
		k++;
	return k;
}

bool
oracle_is_eligible(const struct oracle *o, int agent, int contact)
{
	return oracle_tier(o, agent, contact) <= o->contacts[contact].step;
}

/* Whether the step after the contact's last one opens by itself: no agent of those before works. */
static bool
is_deserted(const struct oracle *o, int contact, const struct oracle_step_rule *next)
{
	if (next->when == STW_STEP_WHEN_TIME)
		return false;
	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		enum stw_agent_state state = o->agents[a].state;
		bool works = state != STW_AGENT_LOGGED_OUT &&
			     (state != STW_AGENT_NOT_READY ||
			      next->when == STW_STEP_WHEN_NOBODY_LOGGED_IN);

		if (o->agents[a].defined && works && oracle_is_eligible(o, a, contact))
			return false;
	}
	return true;
}

/* Open the steps that are due to a contact that has waited for so long. */
bool
oracle_widen(struct oracle *o, int contact, uint64_t waited_ns)
{
	struct oracle_contact *c = &o->contacts[contact];
	const struct oracle_queue_rule *rule = &o->queues[c->queue].rule;
	uint32_t before = c->step;

	while (c->step + 1 < rule->steps_count &&
	       (rule->step[c->step + 1].after_ns <= waited_ns ||
		is_deserted(o, contact, &rule->step[c->step + 1])))
		c->step++;
	return c->step > before;
}

static bool
finds_somebody(const struct oracle *o, int contact)
{
	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		if (oracle_may_take(o, a, contact))
			return true;
	}
	return false;
}

void
oracle_widen_all(struct oracle *o)
{
	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		if (o->contacts[c].known && o->contacts[c].state == STW_CONTACT_WAITING &&
		    !finds_somebody(o, c))
			oracle_widen(o, c, 0);
	}
}

/* When the next step opens to a contact by time; 0: not before something else happens. */
uint64_t
oracle_widens_ns(const struct oracle *o, int contact)
{
	const struct oracle_contact *c = &o->contacts[contact];
	const struct oracle_queue_rule *rule = &o->queues[c->queue].rule;

	if (!c->known || c->state != STW_CONTACT_WAITING || c->step + 1 >= rule->steps_count ||
	    rule->step[c->step + 1].after_ns == STW_STEP_NEVER)
		return 0;
	return c->enqueue_ns + rule->step[c->step + 1].after_ns;
}

/* Of the first step that has somebody ready, the agent who has been ready for longest; the test says who of
 * several at one nanosecond. */
int
oracle_agent_choose(const struct oracle *o, int contact)
{
	uint32_t ties = 0, tier = ORACLE_STEPS_MAX;
	int tied[ORACLE_AGENTS_MAX];

	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		if (!oracle_may_take(o, a, contact) || oracle_tier(o, a, contact) > tier)
			continue;
		if (oracle_tier(o, a, contact) < tier)
			ties = 0;
		tier = oracle_tier(o, a, contact);
		if (ties && o->agents[a].idle_ns > o->agents[tied[0]].idle_ns)
			continue;
		if (ties && o->agents[a].idle_ns < o->agents[tied[0]].idle_ns)
			ties = 0;
		tied[ties++] = a;
	}
	return tied[ties > 1 ? oracle_choose(ties) : 0];
}
