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

uint32_t
simulation_place_take(struct simulation *simulation)
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

void
simulation_place_free(struct simulation *simulation, struct simulation_contact *contact)
{
	contact->state = CONTACT_FREE;
	contact->mark++;
	contact->next_free = simulation->first_free;
	simulation->first_free = (uint32_t)(contact - simulation->contacts);
}

/* ---- numbers: of the queue and of the flow */

unsigned
simulation_cells(struct simulation *simulation, const struct simulation_contact *contact,
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

	simulation->totals[contact->queue].answered++;
	for (unsigned i = simulation_cells(simulation, contact, cells); i-- > 0;) {
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

	simulation->totals[contact->queue].abandoned++;
	for (unsigned i = simulation_cells(simulation, contact, cells); i-- > 0;) {
		cells[i]->abandoned++;
		cells[i]->waited++;
		cells[i]->wait_abandoned_ns += simulation->now_ns - contact->arrived_ns;
	}
	count_spells(simulation, contact, offsetof(struct tally_cell, waiting_ns),
		     contact->arrived_ns);
}

/* What was told of his wait when he came, and what came of it: until he is offered. */
static void
count_told(struct simulation *simulation, struct simulation_contact *contact)
{
	uint64_t came_ns = simulation->now_ns - contact->arrived_ns;
	uint64_t error_ns = contact->told_ns > came_ns ? contact->told_ns - came_ns
						       : came_ns - contact->told_ns;
	struct tally_cell *cells[2];

	if (contact->told_ns == VARIATE_NEVER)
		return;
	for (unsigned i = simulation_cells(simulation, contact, cells); i-- > 0;) {
		cells[i]->told++;
		cells[i]->told_ns += contact->told_ns;
		cells[i]->came_ns += came_ns;
		cells[i]->error_ns += error_ns;
		if (came_ns >= TALLY_SHORT_NS) {
			cells[i]->told_long++;
			cells[i]->error_share += (double)error_ns / (double)came_ns;
		}
	}
	contact->told_ns = VARIATE_NEVER;
}

/* ---- what happens when it is time */

/* Of several who are rung, another may have been quicker. */
static void
answer(struct simulation *simulation, const struct simulation_contact *contact,
       struct stw_offer offer)
{
	int result = stw_offer_accept(simulation->acd, offer, simulation_now(simulation));

	if (result != -ESTALE || contact->rings < 2)
		simulation_fail(simulation, result);
}

static void
answer_late(struct simulation *simulation, const struct agenda_item *item)
{
	const struct simulation_person *person = &simulation->persons[item->subject];

	if (person->offer.number && person->offers == item->mark)
		simulation_fail(simulation, stw_offer_accept(simulation->acd, person->offer,
							     simulation_now(simulation)));
}

void
simulation_contact_act(struct simulation *simulation, const struct agenda_item *item)
{
	struct stw_acd *acd = simulation->acd;
	uint64_t now_ns = simulation_now(simulation);
	struct simulation_contact *contact;

	if (item->kind == KIND_ARRIVAL) {
		simulation_arrive(simulation, item->subject);
		return;
	}
	if (item->kind == KIND_ANSWER) {
		answer_late(simulation, item);
		return;
	}
	contact = &simulation->contacts[item->subject];
	if (contact->mark != item->mark)
		return;
	if (item->kind == KIND_RETURN)
		simulation_return(simulation, item->subject);
	else if (item->kind == KIND_HANG_UP)
		simulation_fail(simulation, stw_contact_end(acd, contact->handle, now_ns));
	else if (contact->state == CONTACT_WAITING)
		simulation_fail(simulation, stw_contact_cancel(acd, contact->handle, now_ns));
}

/* ---- what the engine says */

/* The phone rings: answered at once, after a while, or not at all. */
static void
ring(struct simulation *simulation, struct simulation_contact *contact,
     const struct stw_event *event)
{
	struct simulation_person *person = &simulation->persons[event->agent_cookie];
	const struct plan_group *group = &simulation->plan->groups[person->numbers.group];
	uint64_t after_ns;

	person->offer = event->offer;
	person->offers++;
	contact->rings++;
	if (group->misses > 0 && variate_unit(&simulation->answers) <= group->misses)
		return;
	after_ns = variate_ns(&group->answer, &simulation->answers);
	if (after_ns == 0)
		answer(simulation, contact, event->offer);
	else if (after_ns != VARIATE_NEVER)
		simulation_add(simulation, simulation->now_ns + after_ns, KIND_ANSWER,
			       (uint32_t)event->agent_cookie, person->offers);
}

static void
connected(struct simulation *simulation, uint32_t index, const struct stw_event *event)
{
	struct simulation_contact *contact = &simulation->contacts[index];
	struct simulation_person *person = &simulation->persons[event->agent_cookie];

	count_answered(simulation, contact);
	if (contact->unreached)
		simulation_count(simulation, contact, offsetof(struct tally_cell, unreached));
	contact->state = CONTACT_CONNECTED;
	contact->connected_ns = simulation->now_ns;
	person->offer = (struct stw_offer){0};
	person->numbers.contacts++;
	simulation_add(simulation, simulation->now_ns + contact->handling_ns, KIND_HANG_UP, index,
		       contact->mark);
}

static void
ended(struct simulation *simulation, struct simulation_contact *contact,
      const struct stw_event *event)
{
	const struct plan *plan = simulation->plan;
	uint32_t group = simulation->persons[event->agent_cookie].numbers.group;
	uint64_t wrap_up_ns = plan->queues[contact->queue].config.wrap_up_ns;

	count_spells(simulation, contact, offsetof(struct tally_cell, talk_ns),
		     contact->connected_ns);
	simulation_place_free(simulation, contact);
	if (wrap_up_ns && simulation_slots(&plan->groups[group].config) > 1)
		simulation_add(simulation, simulation->now_ns + wrap_up_ns, KIND_LOOK,
			       (uint32_t)event->agent_cookie, 0);
}

void
simulation_contact_event(struct simulation *simulation, const struct stw_event *event)
{
	uint32_t index = (uint32_t)event->contact_cookie;
	struct simulation_contact *contact = &simulation->contacts[index];

	switch (event->type) {
	case STW_EVENT_OFFER:
		count_told(simulation, contact);
		ring(simulation, contact, event);
		break;
	case STW_EVENT_WITHDRAWN:
	case STW_EVENT_DECLINED:
	case STW_EVENT_TIMED_OUT:
		contact->rings--;
		simulation->persons[event->agent_cookie].offer = (struct stw_offer){0};
		break;
	case STW_EVENT_CONNECTED:
		connected(simulation, index, event);
		break;
	case STW_EVENT_ENDED:
		ended(simulation, contact, event);
		break;
	case STW_EVENT_ABANDONED:
		count_abandoned(simulation, contact);
		simulation_place_free(simulation, contact);
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
		for (unsigned j = simulation_cells(simulation, contact, cells); j-- > 0;)
			cells[j]->left++;
		count_spells(simulation, contact, offsetof(struct tally_cell, waiting_ns),
			     contact->arrived_ns);
	}
}
