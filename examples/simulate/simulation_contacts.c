/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contacts come, wait, are answered or give up, talk and hang up. What becomes of one is told by the
 * engine's events alone.
 */
#include "simulation_parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Places for contacts, to begin with. */
#define FIRST_SIZE 1024

/* ---- when the next one comes */

/*
 * Poisson arrivals whose rate is constant within each stretch: an exponential variate is the amount
 * of expected arrivals until the next one, used up stretch by stretch.
 */
static uint64_t
next_at_random(const struct plan_flow *flow, struct simulation_source *source)
{
	double due = variate_exponential(&source->arrivals);
	uint64_t at_ns = source->at_ns < flow->from_ns ? flow->from_ns : source->at_ns;

	for (uint64_t i = (at_ns - flow->from_ns) / flow->step_ns; i < flow->contacts_count; i++) {
		uint64_t end_ns = flow->from_ns + (i + 1) * flow->step_ns;
		double rate = flow->contacts[i] / (double)flow->step_ns;
		double left = rate * (double)(end_ns - at_ns);

		if (due < left)
			return at_ns + (uint64_t)(due / rate);
		due -= left;
		at_ns = end_ns;
	}
	return VARIATE_NEVER;
}

void
simulation_arrival_plan(struct simulation *simulation, uint32_t index)
{
	const struct plan_flow *flow = &simulation->plan->flows[index];
	struct simulation_source *source = &simulation->sources[index];
	uint64_t at_ns = VARIATE_NEVER;

	if (source->next < flow->arrivals_count)
		at_ns = flow->arrivals[source->next].at_ns;
	else if (flow->arrivals_count == 0)
		at_ns = next_at_random(flow, source);
	source->at_ns = at_ns;
	if (at_ns != VARIATE_NEVER)
		simulation_add(simulation, at_ns, KIND_ARRIVAL, index, 0);
}

/* ---- places for contacts */

static int
grow(struct simulation *simulation)
{
	uint32_t size = simulation->contacts_size ? 2 * simulation->contacts_size : FIRST_SIZE;
	struct simulation_contact *contacts =
		realloc(simulation->contacts, size * sizeof(*contacts));

	if (!contacts)
		return -ENOMEM;
	simulation->contacts = contacts;
	simulation->contacts_size = size;
	return 0;
}

static uint32_t
take_place(struct simulation *simulation)
{
	uint32_t index = simulation->first_free;

	if (index != NO_CONTACT) {
		simulation->first_free = simulation->contacts[index].next_free;
		return index;
	}
	if (simulation->contacts_count == simulation->contacts_size && grow(simulation) != 0) {
		simulation_fail(simulation, -ENOMEM);
		return NO_CONTACT;
	}
	simulation->contacts[simulation->contacts_count].mark = 0;
	return simulation->contacts_count++;
}

static void
free_place(struct simulation *simulation, struct simulation_contact *contact)
{
	contact->state = CONTACT_FREE;
	contact->mark++;
	contact->next_free = simulation->first_free;
	simulation->first_free = (uint32_t)(contact - simulation->contacts);
}

/* ---- numbers: of the queue and of the flow */

static unsigned
cells_of(struct simulation *simulation, const struct simulation_contact *contact,
	 struct tally_cell *cells[2])
{
	const struct tally *tally = &simulation->tally;

	if (contact->interval == tally->intervals)
		return 0;
	cells[0] = tally_queue(tally, contact->queue) + contact->interval;
	cells[1] = tally_flow(tally, contact->flow) + contact->interval;
	return 2;
}

static void
count_spells(struct simulation *simulation, const struct simulation_contact *contact, size_t offset,
	     uint64_t from_ns)
{
	const struct tally *tally = &simulation->tally;
	char *rows[2] = {(char *)tally_queue(tally, contact->queue),
			 (char *)tally_flow(tally, contact->flow)};

	for (unsigned i = 0; i < 2; i++)
		tally_spell(tally, (uint64_t *)(rows[i] + offset), sizeof(struct tally_cell),
			    from_ns, simulation->now_ns);
}

static void
count_answered(struct simulation *simulation, const struct simulation_contact *contact)
{
	const struct plan_queue *queue = &simulation->plan->queues[contact->queue];
	uint64_t wait_ns = simulation->now_ns - contact->arrived_ns;
	struct tally_cell *cells[2];

	simulation->answered++;
	for (unsigned i = cells_of(simulation, contact, cells); i-- > 0;) {
		cells[i]->answered++;
		cells[i]->in_time += wait_ns <= queue->config.service_level_ns;
		cells[i]->waited += wait_ns > 0;
		cells[i]->wait_answered_ns += wait_ns;
		if (cells[i]->wait_max_ns < wait_ns)
			cells[i]->wait_max_ns = wait_ns;
	}
	count_spells(simulation, contact, offsetof(struct tally_cell, waiting_ns),
		     contact->arrived_ns);
}

static void
count_abandoned(struct simulation *simulation, const struct simulation_contact *contact)
{
	struct tally_cell *cells[2];

	simulation->abandoned++;
	for (unsigned i = cells_of(simulation, contact, cells); i-- > 0;) {
		cells[i]->abandoned++;
		cells[i]->waited++;
		cells[i]->wait_abandoned_ns += simulation->now_ns - contact->arrived_ns;
	}
	count_spells(simulation, contact, offsetof(struct tally_cell, waiting_ns),
		     contact->arrived_ns);
}

/* ---- a new contact */

/* Draw what this caller is like: always the same numbers, whatever becomes of him. */
static uint64_t
draw(struct simulation *simulation, struct simulation_contact *contact,
     const struct plan_arrival *arrival)
{
	const struct plan_flow *flow = &simulation->plan->flows[contact->flow];
	struct simulation_source *source = &simulation->sources[contact->flow];
	uint64_t patience_ns = variate_ns(&flow->patience, &source->patience);

	contact->handling_ns = variate_ns(&flow->handling, &source->handling);
	if (arrival && arrival->handling_ns)
		contact->handling_ns = arrival->handling_ns;
	return arrival && arrival->patience_ns ? arrival->patience_ns : patience_ns;
}

static void
enqueue(struct simulation *simulation, uint32_t index, const struct stw_contact_request *request,
	uint64_t patience_ns)
{
	struct simulation_contact *contact = &simulation->contacts[index];
	struct tally_cell *cells[2];
	int result = stw_contact_enqueue(simulation->acd, request, simulation_now(simulation),
					 &contact->handle);

	simulation->offered++;
	for (unsigned i = cells_of(simulation, contact, cells); i-- > 0;) {
		cells[i]->offered++;
		cells[i]->refused += result != 0;
	}
	if (result != 0) {
		simulation->refused++;
		if (result != -ENOSPC)
			simulation_fail(simulation, result);
		free_place(simulation, contact);
		return;
	}
	simulation_events(simulation);
	if (contact->state == CONTACT_WAITING && patience_ns != VARIATE_NEVER)
		simulation_add(simulation, simulation->now_ns + patience_ns, KIND_PATIENCE, index,
			       contact->mark);
}

static void
arrive(struct simulation *simulation, uint32_t flow_index)
{
	const struct plan_flow *flow = &simulation->plan->flows[flow_index];
	struct simulation_source *source = &simulation->sources[flow_index];
	const struct plan_arrival *arrival =
		flow->arrivals_count ? &flow->arrivals[source->next++] : NULL;
	struct stw_contact_request request = flow->request;
	uint32_t index = take_place(simulation);
	struct simulation_contact *contact;
	uint64_t patience_ns;

	if (index == NO_CONTACT)
		return;
	contact = &simulation->contacts[index];
	if (arrival) {
		request.value = arrival->value;
		request.urgency = arrival->urgency;
	}
	contact->queue = arrival ? arrival->queue : (uint32_t)flow->request.queue.id - 1;
	request.queue = simulation->queues[contact->queue];
	request.cookie = index;
	contact->state = CONTACT_WAITING;
	contact->flow = flow_index;
	contact->offer = (struct stw_offer){0};
	contact->arrived_ns = simulation->now_ns;
	contact->interval = tally_interval(&simulation->tally, simulation->now_ns);
	patience_ns = draw(simulation, contact, arrival);
	simulation->arrivals++;
	enqueue(simulation, index, &request, patience_ns);
	simulation_arrival_plan(simulation, flow_index);
}

void
simulation_contact_act(struct simulation *simulation, const struct agenda_item *item)
{
	struct stw_acd *acd = simulation->acd;
	uint64_t now_ns = simulation_now(simulation);
	struct simulation_contact *contact;

	if (item->kind == KIND_ARRIVAL) {
		arrive(simulation, item->subject);
		return;
	}
	contact = &simulation->contacts[item->subject];
	if (item->kind == KIND_ANSWER) {
		if (contact->state == CONTACT_WAITING && contact->offer.number == item->mark)
			simulation_fail(simulation, stw_offer_accept(acd, contact->offer, now_ns));
	} else if (contact->mark == item->mark) {
		if (item->kind == KIND_HANG_UP)
			simulation_fail(simulation, stw_contact_end(acd, contact->handle, now_ns));
		else if (contact->state == CONTACT_WAITING)
			simulation_fail(simulation,
					stw_contact_cancel(acd, contact->handle, now_ns));
	}
}

/* ---- what the engine says */

/* The phone rings: answered at once, after a while, or not at all. */
static void
ring(struct simulation *simulation, struct simulation_contact *contact,
     const struct stw_event *event)
{
	const struct simulation_person *person = &simulation->persons[event->agent_cookie];
	const struct plan_group *group = &simulation->plan->groups[person->numbers.group];
	uint64_t after_ns;

	contact->offer = event->offer;
	if (group->misses > 0 && variate_unit(&simulation->answers) <= group->misses)
		return;
	after_ns = variate_ns(&group->answer, &simulation->answers);
	if (after_ns == 0)
		simulation_fail(simulation, stw_offer_accept(simulation->acd, event->offer,
							     simulation_now(simulation)));
	else if (after_ns != VARIATE_NEVER)
		simulation_add(simulation, simulation->now_ns + after_ns, KIND_ANSWER,
			       (uint32_t)event->contact_cookie, event->offer.number);
}

void
simulation_contact_event(struct simulation *simulation, const struct stw_event *event)
{
	uint32_t index = (uint32_t)event->contact_cookie;
	struct simulation_contact *contact = &simulation->contacts[index];

	switch (event->type) {
	case STW_EVENT_OFFER:
		ring(simulation, contact, event);
		break;
	case STW_EVENT_WITHDRAWN:
	case STW_EVENT_DECLINED:
	case STW_EVENT_TIMED_OUT:
		contact->offer = (struct stw_offer){0};
		break;
	case STW_EVENT_CONNECTED:
		count_answered(simulation, contact);
		contact->state = CONTACT_CONNECTED;
		contact->connected_ns = simulation->now_ns;
		simulation->persons[event->agent_cookie].numbers.contacts++;
		simulation_add(simulation, simulation->now_ns + contact->handling_ns, KIND_HANG_UP,
			       index, contact->mark);
		break;
	case STW_EVENT_ENDED:
		count_spells(simulation, contact, offsetof(struct tally_cell, talk_ns),
			     contact->connected_ns);
		free_place(simulation, contact);
		break;
	case STW_EVENT_ABANDONED:
		count_abandoned(simulation, contact);
		free_place(simulation, contact);
		break;
	default:
		break;
	}
}

void
simulation_contacts_close(struct simulation *simulation)
{
	for (uint32_t i = 0; i < simulation->contacts_count; i++) {
		struct simulation_contact *contact = &simulation->contacts[i];
		struct tally_cell *cells[2];

		if (contact->state != CONTACT_WAITING)
			continue;
		for (unsigned j = cells_of(simulation, contact, cells); j-- > 0;)
			cells[j]->left++;
		count_spells(simulation, contact, offsetof(struct tally_cell, waiting_ns),
			     contact->arrived_ns);
	}
}
