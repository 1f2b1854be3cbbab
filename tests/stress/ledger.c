/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void
ledger_create(struct ledger *ledger, uint32_t agents_max, uint32_t contacts_max)
{
	*ledger = (struct ledger){
		.agents_max = agents_max, .contacts_max = contacts_max, .ring_max = 1};
	ledger->agents = calloc(agents_max, sizeof(*ledger->agents));
	ledger->contacts =
		calloc((size_t)contacts_max * LEDGER_GENERATIONS, sizeof(*ledger->contacts));
}

void
ledger_destroy(struct ledger *ledger)
{
	free(ledger->agents);
	free(ledger->contacts);
}

static void
problem(struct ledger *ledger, const char *what, const struct stw_event *event)
{
	if (ledger->problem[0] || ledger->has_gaps)
		return;
	snprintf(ledger->problem, sizeof(ledger->problem),
		 "%s: event %" PRIu64 " type %d contact %" PRIx64 " agent %" PRIx64
		 " offer %" PRIu64 " state %d t=%" PRIu64,
		 what, ledger->taken, event->type, event->contact.id, event->agent.id,
		 event->offer.number, event->agent_state, event->time_ns);
}

/* The line of a contact; a new one takes the place of the one that has been over for longest. */
static struct ledger_contact *
contact_line(struct ledger *ledger, const struct stw_event *event)
{
	uint32_t slot = (uint32_t)event->contact.id;
	struct ledger_contact *first, *oldest = NULL;

	if (!event->contact.id || slot >= ledger->contacts_max) {
		problem(ledger, "no such contact", event);
		return NULL;
	}
	first = &ledger->contacts[(size_t)slot * LEDGER_GENERATIONS];
	for (int i = 0; i < LEDGER_GENERATIONS; i++) {
		if (first[i].id == event->contact.id)
			return &first[i];
		if ((!first[i].id || first[i].over) && (!oldest || first[i].taken < oldest->taken))
			oldest = &first[i];
	}
	if (!oldest) {
		problem(ledger, "too many lives in one slot", event);
		return NULL;
	}
	*oldest = (struct ledger_contact){.id = event->contact.id, .state = STW_CONTACT_WAITING};
	oldest->channel = ledger->queue_rules[(uint32_t)event->queue.id].channel;
	return oldest;
}

static struct ledger_agent *
agent_line(struct ledger *ledger, const struct stw_event *event)
{
	uint32_t slot = (uint32_t)event->agent.id;
	struct ledger_agent *agent = &ledger->agents[slot];

	if (!event->agent.id || slot >= ledger->agents_max) {
		problem(ledger, "no such agent", event);
		return NULL;
	}
	if (agent->id != event->agent.id) {
		if (agent->contact || agent->talking)
			problem(ledger, "agent replaced while busy", event);
		*agent = (struct ledger_agent){.id = event->agent.id};
	}
	return agent;
}

bool
ledger_is_concurrent(const struct ledger *ledger, uint64_t id)
{
	return ledger->channels &&
	       (!ledger->agent_rules || ledger_is_surely_concurrent(ledger, id));
}

/* Every third agent begins with one slot (house.c). */
bool
ledger_is_surely_concurrent(const struct ledger *ledger, uint64_t id)
{
	return ledger->channels && (uint32_t)id % 3 != 2;
}

/* What is offered must fit beside what the agent has, as far as descriptions stay. */
static void
check_slots(struct ledger *ledger, const struct ledger_contact *contact,
	    const struct ledger_agent *agent, const struct stw_event *event)
{
	const struct oracle_agent_rule *rule;
	uint32_t own = contact->channel;

	if (!ledger->channels || !ledger->agent_rules)
		return;
	rule = &ledger->agent_rules[(uint32_t)agent->id];
	if (agent->channels[own] >= rule->slots[own])
		problem(ledger, "more contacts of a channel than slots", event);
	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++) {
		if (i != own && agent->channels[i] && !(rule->interrupts[own] >> i & 1))
			problem(ledger, "interrupted where he may not be", event);
	}
}

static struct ledger_offer *
offer_of(struct ledger_contact *contact, uint64_t number)
{
	for (uint32_t i = 0; i < contact->offers_count; i++) {
		if (contact->offers[i].number == number)
			return &contact->offers[i];
	}
	return NULL;
}

/* Whom the contact's status shows while it rings. */
static void
contact_show(struct ledger_contact *contact)
{
	contact->agent = 0;
	for (uint32_t i = contact->offers_count; i-- > 0;) {
		if (contact->offers[i].rings)
			contact->agent = contact->offers[i].agent;
	}
}

static void
enter_offer(struct ledger *ledger, struct ledger_contact *contact, struct ledger_agent *agent,
	    const struct stw_event *event)
{
	if (contact->over)
		problem(ledger, "contact offered after its end", event);
	if (contact->state == STW_CONTACT_CONNECTED || contact->ringing == ledger->ring_max)
		problem(ledger, "contact given to too many agents", event);
	if (agent->contact)
		problem(ledger, "agent given two contacts", event);
	if (agent->talking && !ledger_is_concurrent(ledger, agent->id))
		problem(ledger, "agent given two contacts", event);
	check_slots(ledger, contact, agent, event);
	if (agent->state != STW_AGENT_READY &&
	    !(agent->state == STW_AGENT_CONNECTED && ledger_is_concurrent(ledger, agent->id)))
		problem(ledger, "offered to an agent who is not ready", event);
	if (offer_of(contact, event->offer.number) || !event->offer.number)
		problem(ledger, "number of offer is not new", event);
	if (!contact->ringing)
		contact->offers_count = 0;
	if (contact->offers_count == STW_STEP_RING_MAX) {
		problem(ledger, "too many offers in one ring", event);
		return;
	}
	contact->offers[contact->offers_count++] =
		(struct ledger_offer){agent->id, event->offer.number, true};
	contact->ringing++;
	contact->state = STW_CONTACT_OFFERED;
	contact_show(contact);
	agent->contact = contact->id;
	agent->number = event->offer.number;
	agent->state = STW_AGENT_OFFERED;
	agent->missed_ns = 0;
}

/* CONNECTED, DECLINED, TIMED_OUT, WITHDRAWN: exactly one of them for each offer; and when one is
 * connected no other rings. */
static void
enter_answer(struct ledger *ledger, struct ledger_contact *contact, struct ledger_agent *agent,
	     const struct stw_event *event)
{
	struct ledger_offer *offer = offer_of(contact, event->offer.number);
	bool connected = event->type == STW_EVENT_CONNECTED;

	if (contact->over)
		problem(ledger, "answered after its end", event);
	if (contact->state != STW_CONTACT_OFFERED || !offer || !offer->rings) {
		problem(ledger, "answer to an offer that does not ring", event);
		return;
	}
	if (offer->agent != agent->id || agent->contact != contact->id)
		problem(ledger, "answer of another agent", event);
	if (connected && contact->ringing > 1)
		problem(ledger, "connected while others ring", event);
	offer->rings = false;
	contact->ringing--;
	agent->contact = 0;
	if (connected) {
		contact->state = STW_CONTACT_CONNECTED;
		contact->agent = agent->id;
		agent->state = ledger_is_surely_concurrent(ledger, agent->id) ? STW_AGENT_READY
									      : STW_AGENT_CONNECTED;
		agent->talking++;
		agent->channels[contact->channel]++;
		return;
	}
	if (!contact->ringing)
		contact->state = STW_CONTACT_WAITING;
	contact_show(contact);
	agent->missed_ns = event->type == STW_EVENT_WITHDRAWN ? 0 : event->time_ns;
}

static void
enter_end(struct ledger *ledger, struct ledger_contact *contact, const struct stw_event *event)
{
	struct ledger_agent *agent;

	if (contact->over)
		problem(ledger, "ended twice", event);
	if (event->type == STW_EVENT_ABANDONED || event->type == STW_EVENT_EXPIRED) {
		if (contact->state != STW_CONTACT_WAITING)
			problem(ledger, "abandoned while it rings or talks", event);
	} else {
		agent = agent_line(ledger, event);
		ledger->reaped += event->cause == STW_CAUSE_LEASE;
		if (contact->state != STW_CONTACT_CONNECTED)
			problem(ledger, "ended before it talked", event);
		if (!agent || contact->agent != agent->id || !agent->talking) {
			problem(ledger, "ended by another agent", event);
		} else {
			agent->talking--;
			agent->channels[contact->channel]--;
		}
	}
	contact->over = true;
	contact->agent = 0;
}

static void
enter_move(struct ledger *ledger, struct ledger_contact *contact, const struct stw_event *event)
{
	uint32_t channel = ledger->queue_rules[(uint32_t)event->queue_to.id].channel;
	struct ledger_agent *agent;

	if (contact->over || !event->queue_to.id)
		problem(ledger, "moved after its end, or nowhere", event);
	if (event->type == STW_EVENT_MOVED) {
		if (contact->state != STW_CONTACT_WAITING)
			problem(ledger, "moved while it rings or talks", event);
		contact->channel = channel;
		return;
	}
	agent = agent_line(ledger, event);
	if (contact->state != STW_CONTACT_CONNECTED || !agent || contact->agent != agent->id ||
	    !agent->talking) {
		problem(ledger, "transferred by another agent", event);
	} else {
		agent->talking--;
		agent->channels[contact->channel]--;
	}
	contact->channel = channel;
	contact->state = STW_CONTACT_WAITING;
	contact->agent = 0;
}

static void
enter_state(struct ledger *ledger, struct ledger_agent *agent, const struct stw_event *event)
{
	if (agent->contact || (agent->talking && !ledger_is_concurrent(ledger, agent->id)))
		problem(ledger, "agent changes while a contact keeps him", event);
	if (agent->state == STW_AGENT_LOGGED_OUT && event->agent_state != STW_AGENT_NOT_READY)
		problem(ledger, "agent at work without login", event);
	agent->state = event->agent_state;
}

void
ledger_enter(struct ledger *ledger, const struct stw_event *event)
{
	struct ledger_contact *contact;
	struct ledger_agent *agent;

	ledger->taken++;
	if (event->type <= STW_EVENT_NONE || event->type > STW_EVENT_TRANSFERRED) {
		problem(ledger, "no such event", event);
		return;
	}
	ledger->count[event->type]++;
	if (event->type == STW_EVENT_LOST) {
		ledger->lost += event->lost;
		return;
	}
	if (event->type == STW_EVENT_AGENT_STATE) {
		agent = agent_line(ledger, event);
		if (agent)
			enter_state(ledger, agent, event);
		return;
	}
	contact = contact_line(ledger, event);
	if (!contact)
		return;
	contact->taken = ledger->taken;
	if (event->type == STW_EVENT_MOVED || event->type == STW_EVENT_TRANSFERRED) {
		enter_move(ledger, contact, event);
		return;
	}
	if (event->type == STW_EVENT_ABANDONED || event->type == STW_EVENT_ENDED ||
	    event->type == STW_EVENT_EXPIRED) {
		enter_end(ledger, contact, event);
		return;
	}
	agent = agent_line(ledger, event);
	if (!agent)
		return;
	if (event->type == STW_EVENT_OFFER)
		enter_offer(ledger, contact, agent, event);
	else
		enter_answer(ledger, contact, agent, event);
}

const struct ledger_contact *
ledger_contact(const struct ledger *ledger, uint64_t id)
{
	const struct ledger_contact *first =
		&ledger->contacts[(size_t)(uint32_t)id * LEDGER_GENERATIONS];

	for (int i = 0; i < LEDGER_GENERATIONS; i++) {
		if (first[i].id == id)
			return &first[i];
	}
	return NULL;
}

const struct ledger_agent *
ledger_agent(const struct ledger *ledger, uint64_t id)
{
	return &ledger->agents[(uint32_t)id];
}
