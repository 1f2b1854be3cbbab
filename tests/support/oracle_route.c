/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle's routing: who may have a contact, who of several gets it, and when more may.
 */
#include "oracle_parts.h"

#include <string.h>

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

/* Evaluates the expression that ends at *at, and goes before it. */
static bool
holds(const struct oracle_agent_rule *agent, const struct oracle_term *terms, uint32_t *at)
{
	const struct oracle_term *term = &terms[--*at];
	bool right;

	switch (term->kind) {
	case STW_TERM_SKILL:
		return agent->level[term->what] >= term->level;
	case STW_TERM_ATTRIBUTE_IS:
		return agent->value[term->what] == term->value;
	case STW_TERM_ATTRIBUTE_IS_NOT:
		return agent->value[term->what] != term->value;
	case STW_TERM_NOT:
		return !holds(agent, terms, at);
	default:
		right = holds(agent, terms, at);
		if (term->kind == STW_TERM_AND)
			return holds(agent, terms, at) && right;
		return holds(agent, terms, at) || right;
	}
}

static bool
is_admitted(const struct oracle *o, int agent, const struct oracle_step_rule *step)
{
	const struct oracle_agent_rule *rule = &o->agents[agent].rule;
	uint32_t at = step->terms_count;

	for (int skill = 0; skill < ORACLE_SKILLS_MAX; skill++) {
		if (rule->level[skill] < step->level[skill])
			return false;
	}
	if (step->pool && step->pool != rule->pool)
		return false;
	return !at || holds(rule, step->term, &at);
}

/* Whether the step has more ready than it keeps, or keeps none from contacts of this value. */
static bool
is_spared(const struct oracle *o, const struct oracle_step_rule *step, int contact)
{
	uint32_t ready = 0;

	if (o->contacts[contact].value >= step->reserve_value)
		return true;
	for (int a = 0; a < ORACLE_AGENTS_MAX; a++)
		ready += o->agents[a].defined && oracle_is_available(o, a, contact) &&
			 oracle_serves(o, a, o->contacts[contact].queue) && is_admitted(o, a, step);
	return ready > step->reserve_agents;
}

/* The first step open to the contact that admits the agent, whatever it keeps in reserve. */
static uint32_t
member_tier(const struct oracle *o, int agent, int contact)
{
	const struct oracle_contact *c = &o->contacts[contact];
	uint32_t k = 0;

	if (c->in_person)
		return c->preferred == o->agents[agent].id ? 0 : ORACLE_STEPS_MAX;
	if (!oracle_serves(o, agent, c->queue))
		return c->step + 1;
	while (k <= c->step && !is_admitted(o, agent, &o->queues[c->queue].rule.step[k]))
		k++;
	return k;
}

uint32_t
oracle_tier(const struct oracle *o, int agent, int contact)
{
	const struct oracle_contact *c = &o->contacts[contact];
	const struct oracle_queue_rule *rule = &o->queues[c->queue].rule;
	uint32_t k = 0;

	if (c->in_person)
		return c->preferred == o->agents[agent].id ? 0 : ORACLE_STEPS_MAX;
	if (!oracle_serves(o, agent, c->queue))
		return c->step + 1;
	while (k <= c->step &&
	       (!is_admitted(o, agent, &rule->step[k]) || !is_spared(o, &rule->step[k], contact)))
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

		if (o->agents[a].defined && works &&
		    member_tier(o, a, contact) <= o->contacts[contact].step)
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

	while (!c->in_person && c->step + 1 < rule->steps_count &&
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

	if (!c->known || c->in_person || c->state != STW_CONTACT_WAITING ||
	    c->step + 1 >= rule->steps_count || rule->step[c->step + 1].after_ns == STW_STEP_NEVER)
		return 0;
	return c->entered_ns + rule->step[c->step + 1].after_ns;
}

/* How proficient an agent is in what the step names. */
static uint32_t
proficiency(const struct oracle_agent_rule *agent, const struct oracle_step_rule *step)
{
	uint32_t sum = 0;

	for (uint8_t skill = 0; skill < ORACLE_SKILLS_MAX; skill++) {
		bool named = step->level[skill] > 0;

		for (uint32_t i = 0; i < step->terms_count; i++)
			named |=
				step->term[i].kind == STW_TERM_SKILL && step->term[i].what == skill;
		sum += named ? agent->level[skill] : 0;
	}
	return sum;
}

/* What the step's policy compares; the smallest is chosen. */
static uint64_t
merit(const struct oracle *o, const struct oracle_queue *queue, uint32_t k, int agent)
{
	const struct oracle_agent *a = &o->agents[agent];
	uint32_t slot = (uint32_t)a->id;

	switch (queue->rule.step[k].select) {
	case STW_SELECT_MOST_PROFICIENT:
		return 10000 - proficiency(&a->rule, &queue->rule.step[k]);
	case STW_SELECT_FEWEST_CONTACTS:
		return a->contacts;
	case STW_SELECT_ROUND_ROBIN:
		return (slot + o->agents_max - queue->next[k]) % o->agents_max;
	case STW_SELECT_TOP_DOWN:
		return (uint64_t)a->rule.position * 1000 + slot;
	default:
		return 0;
	}
}

void
oracle_offer_note(struct oracle *o, int agent, int contact)
{
	struct oracle_queue *queue = &o->queues[o->contacts[contact].queue];
	uint32_t k = member_tier(o, agent, contact);

	if (!o->contacts[contact].in_person && queue->rule.step[k].select == STW_SELECT_ROUND_ROBIN)
		queue->next[k] = ((uint32_t)o->agents[agent].id + 1) % o->agents_max;
}

/* Keep those who tie in the order of their slots: most likely the first is right, and who is tried first
 * matters when a ring takes many of many. */
static void
tied_add(const struct oracle *o, int *tied, uint32_t ties, int agent)
{
	while (ties && (uint32_t)o->agents[tied[ties - 1]].id > (uint32_t)o->agents[agent].id) {
		tied[ties] = tied[ties - 1];
		ties--;
	}
	tied[ties] = agent;
}

/* Of the first step that has somebody to give, the policy's choice; of equal ones, who has been ready for
 * longest; the test says who of several at one nanosecond. */
int
oracle_agent_choose(const struct oracle *o, int contact, oracle_may_fn may)
{
	const struct oracle_queue *queue = &o->queues[o->contacts[contact].queue];
	uint64_t best[3] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
	int tied[ORACLE_AGENTS_MAX];
	uint32_t ties = 0;

	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		uint64_t place[3];
		int compared = 0;

		if (!may(o, a, contact))
			continue;
		place[0] = oracle_tier(o, a, contact);
		place[1] = merit(o, queue, (uint32_t)place[0], a);
		place[2] = o->agents[a].idle_ns;
		for (int i = 0; i < 3 && !compared; i++)
			compared = (place[i] > best[i]) - (place[i] < best[i]);
		if (compared > 0)
			continue;
		if (compared < 0)
			ties = 0;
		memcpy(best, place, sizeof(best));
		tied_add(o, tied, ties++, a);
	}
	if (!ties)
		return ORACLE_NONE;
	return tied[ties > 1 ? oracle_choose(ties) : 0];
}

/* The best of the contacts that an agent is eligible for, also of those that he missed. */
static int
best_or_missed(const struct oracle *o, int agent)
{
	int best = ORACLE_NONE;

	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		if (o->contacts[c].known && o->contacts[c].state == STW_CONTACT_WAITING &&
		    oracle_is_available(o, agent, c) && oracle_is_eligible(o, agent, c) &&
		    (best == ORACLE_NONE || oracle_is_before(&o->contacts[c], &o->contacts[best])))
			best = c;
	}
	return best;
}

/* An agent is served with the best for him, of which others who come before him are served first. */
static void
serve(struct oracle *o, int agent, int given, int deep, uint64_t now_ns)
{
	int best;

	while ((best = best_or_missed(o, agent)) != ORACLE_NONE) {
		int other = deep && best != given ? oracle_agent_choose(o, best, oracle_may_take)
						  : agent;

		if (other == agent)
			oracle_offer(o, agent, best, now_ns);
		else
			serve(o, other, best, deep - 1, now_ns);
	}
}

void
oracle_look(struct oracle *o, int contact, uint64_t now_ns)
{
	if (o->settles)
		oracle_widen_all(o);
	while (o->settles && o->contacts[contact].state == STW_CONTACT_WAITING) {
		if (finds_somebody(o, contact))
			serve(o, oracle_agent_choose(o, contact, oracle_may_take), contact, 8,
			      now_ns);
		else if (!oracle_widen(o, contact, 0))
			return;
	}
}
