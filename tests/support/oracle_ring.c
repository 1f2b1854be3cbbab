/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle's rings: who is rung for a contact, one or several at once, and how that ends.
 */
#include "oracle_parts.h"

/* An agent's place in the contact's last offer. */
struct oracle_place *
oracle_place_of(const struct oracle_contact *c, int agent)
{
	struct oracle_place *places = (struct oracle_place *)c->places;

	for (uint32_t i = 0; i < c->places_count; i++) {
		if (places[i].agent == agent)
			return &places[i];
	}
	return NULL;
}

void
oracle_place_add(struct oracle *o, int agent, int contact, uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[contact];

	c->places[c->places_count++] =
		(struct oracle_place){agent, o->agents[agent].id, ++o->offers, true};
	o->agents[agent].contact = contact;
	oracle_agent_enter(o, agent, STW_AGENT_OFFERED, 0, now_ns);
	o->queues[c->queue].stats.offers++;
	oracle_tell(o, STW_EVENT_OFFER, contact, agent, now_ns);
}

/* Rung beside the first: who is ready, never was in this ring, did not miss the contact before, and for whom
 * nothing else waits. */
static bool
may_ring_beside(const struct oracle *o, int agent, int contact)
{
	const struct oracle_contact *c = &o->contacts[contact];

	if (!oracle_is_available(o, agent, contact) || !oracle_is_eligible(o, agent, contact) ||
	    c->declined_by == o->agents[agent].id)
		return false;
	for (uint32_t i = 0; i < c->places_count; i++) {
		if (c->places[i].agent_id == o->agents[agent].id)
			return false;
	}
	for (int other = 0; other < ORACLE_CONTACTS_MAX; other++) {
		if (o->contacts[other].known && o->contacts[other].state == STW_CONTACT_WAITING &&
		    oracle_is_available(o, agent, other) && oracle_is_eligible(o, agent, other))
			return false;
	}
	return true;
}

/* Ring others beside the first, as many as the queue says. */
void
oracle_ring_fill(struct oracle *o, int contact, uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[contact];

	while (!c->in_person &&
	       c->places_count < o->queues[c->queue].rule.step[c->step].ring_count) {
		int agent = oracle_agent_choose(o, contact, may_ring_beside);

		if (agent == ORACLE_NONE)
			return;
		oracle_place_add(o, agent, contact, now_ns);
	}
}

/* Stop ringing, but at the winner's. */
void
oracle_withdraw(struct oracle *o, int contact, const struct oracle_place *winner, uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[contact];

	for (uint32_t i = 0; i < c->places_count; i++) {
		struct oracle_place *place = &c->places[i];

		if (!place->live || place == winner)
			continue;
		place->live = false;
		o->queues[c->queue].stats.offers_withdrawn++;
		oracle_tell(o, STW_EVENT_WITHDRAWN, contact, place->agent, now_ns);
		oracle_agent_release(o, place->agent, false, now_ns);
	}
}

/* The place that an offer means and that rings or has the contact. */
struct oracle_place *
oracle_place_live(struct oracle_contact *c, uint64_t offer)
{
	for (uint32_t i = 0; i < c->places_count; i++) {
		if (c->places[i].offer == offer && c->places[i].live)
			return &c->places[i];
	}
	return NULL;
}

/* Declined or timed out: the agent has missed one. */
void
oracle_miss(struct oracle *o, int index, struct oracle_place *place, enum stw_event_type type,
	    uint32_t reason, uint64_t now_ns)
{
	struct oracle_queue *q = &o->queues[o->contacts[index].queue];

	q->stats.offers_declined += type == STW_EVENT_DECLINED;
	q->stats.offers_timed_out += type == STW_EVENT_TIMED_OUT;
	place->live = false;
	oracle_tell(o, type, index, place->agent, now_ns)->reason = reason;
	oracle_agent_release(o, place->agent, true, now_ns);
}

/* The first who rings still is shown; when nobody does, the contact waits again with its rank. */
void
oracle_misses_end(struct oracle *o, int index, uint64_t missed_by, uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[index];

	c->agent = ORACLE_NONE;
	for (uint32_t i = c->places_count; i-- > 0;)
		c->agent = c->places[i].live ? c->places[i].agent : c->agent;
	if (c->agent == ORACLE_NONE) {
		c->state = STW_CONTACT_WAITING;
		c->rings_until_ns = 0;
		c->declined_by = missed_by;
		c->in_person = false;
		if (c->step >= o->queues[c->queue].rule.steps_count)
			c->step = o->queues[c->queue].rule.steps_count - 1;
		oracle_look(o, index, now_ns);
	}
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
}

void
oracle_time_out(struct oracle *o, int index, uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[index];
	uint64_t first = o->agents[c->agent].id;

	for (uint32_t i = 0; i < c->places_count; i++) {
		if (c->places[i].live)
			oracle_miss(o, index, &c->places[i], STW_EVENT_TIMED_OUT, 0, now_ns);
	}
	oracle_misses_end(o, index, first, now_ns);
}
