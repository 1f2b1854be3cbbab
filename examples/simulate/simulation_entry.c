/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A newcomer: who he is, what his queue does with him, and what he makes of that. He may wait, be
 * refused, be sent to another queue or to self-service (and perhaps call again), or be offered a
 * callback.
 */
#include "simulation_parts.h"

#include <errno.h>

#define COUNT(simulation, contact, counter)                                                        \
	simulation_count(simulation, contact, offsetof(struct tally_cell, counter))

/* ---- numbers */

static uint64_t *
counter_at(struct tally_cell *cell, size_t offset)
{
	return (uint64_t *)((char *)cell + offset);
}

static void
count_in_queue(struct simulation *simulation, const struct simulation_contact *contact,
	       size_t offset)
{
	struct tally_cell *cells[2];

	++*counter_at(&simulation->totals[contact->queue], offset);
	if (simulation_cells(simulation, contact, cells))
		++*counter_at(cells[0], offset);
}

void
simulation_count(struct simulation *simulation, const struct simulation_contact *contact,
		 size_t offset)
{
	struct tally_cell *cells[2];

	count_in_queue(simulation, contact, offset);
	if (simulation_cells(simulation, contact, cells))
		++*counter_at(cells[1], offset);
}

/* ---- rules */

void
simulation_surge(struct simulation *simulation, const struct stw_event *event)
{
	uint32_t *on = &simulation->surges[event->queue_cookie];

	*on &= ~(UINT32_C(1) << event->reason);
	*on |= (uint32_t)event->surge_on << event->reason;
}

/* Where the rules that are on send a newcomer, by the events; from 1 on, 0: nowhere else. */
static uint32_t
overflow_of(const struct simulation *simulation, uint32_t queue,
	    const struct stw_contact_request *request)
{
	const struct stw_queue_config *config = &simulation->plan->queues[queue].config;

	for (uint32_t i = 0; i < config->surge_rules_count && !request->red_channel; i++) {
		const struct stw_surge_rule *rule = &config->surge_rules[i];

		if (simulation->surges[queue] >> i & 1 && request->value <= rule->value_max &&
		    request->urgency <= rule->urgency_max)
			return rule->action == STW_SURGE_OVERFLOW ? (uint32_t)rule->overflow.id : 0;
	}
	return 0;
}

/* Where he has been put, in the engine's own words. */
static uint32_t
queue_of(struct simulation *simulation, const struct simulation_contact *contact)
{
	struct stw_contact_status status = {.queue = {0}};
	uint32_t i = 0;

	simulation_fail(simulation, stw_contact_status(simulation->acd, contact->handle, &status));
	while (i + 1 < simulation->plan->queues_count &&
	       simulation->queues[i].id != status.queue.id)
		i++;
	return i;
}

/* He counts as offered in both queues; from here on he is the other's. */
static void
overflow(struct simulation *simulation, struct simulation_contact *contact, uint32_t queue)
{
	COUNT(simulation, contact, overflowed);
	contact->queue = queue;
	count_in_queue(simulation, contact, offsetof(struct tally_cell, offered));
}

/* ---- what becomes of him */

/* Full, shut, or a rule refuses; the rules' events say whether it was another queue that did. */
static void
refused(struct simulation *simulation, uint32_t index, const struct stw_contact_request *request,
	int result)
{
	struct simulation_contact *contact = &simulation->contacts[index];
	uint32_t other;

	simulation_events(simulation);
	other = result != -EAGAIN ? overflow_of(simulation, contact->queue, request) : 0;
	if (other)
		overflow(simulation, contact, other - 1);
	COUNT(simulation, contact, refused);
	if (result != -ENOSPC && result != -EAGAIN && result != -ESHUTDOWN)
		simulation_fail(simulation, result);
	simulation_place_free(simulation, contact);
}

/* Self-service helps, or he calls again after a while; not more than once. */
static void
deflected(struct simulation *simulation, uint32_t index)
{
	struct simulation_contact *contact = &simulation->contacts[index];
	const struct plan_surge *surge = &simulation->plan->flows[contact->flow].surge;
	struct simulation_source *source = &simulation->sources[contact->flow];

	COUNT(simulation, contact, deflected);
	if (contact->returned || contact->choice > surge->returns) {
		simulation_place_free(simulation, contact);
		return;
	}
	contact->state = CONTACT_AWAY;
	simulation_add(simulation,
		       simulation->now_ns + variate_ns(&surge->returns_after, &source->choices),
		       KIND_RETURN, index, contact->mark);
}

/* Who accepts keeps his place without waiting at the phone, so he has all the patience. */
static void
called_back(struct simulation *simulation, struct simulation_contact *contact)
{
	const struct plan_surge *surge = &simulation->plan->flows[contact->flow].surge;

	COUNT(simulation, contact, callbacks);
	if (contact->choice > surge->accepts)
		return;
	COUNT(simulation, contact, accepted);
	simulation_fail(simulation, stw_contact_callback(simulation->acd, contact->handle, 1,
							 simulation_now(simulation)));
	contact->patience_ns = VARIATE_NEVER;
	contact->unreached = contact->choice > surge->accepts * surge->reached;
	if (contact->unreached)
		contact->handling_ns = surge->unreached_ns;
}

static void
enqueue(struct simulation *simulation, uint32_t index, const struct stw_contact_request *request)
{
	struct simulation_contact *contact = &simulation->contacts[index];
	int result = stw_contact_enqueue(simulation->acd, request, simulation_now(simulation),
					 &contact->handle);

	COUNT(simulation, contact, offered);
	if (result < 0) {
		refused(simulation, index, request, result);
		return;
	}
	if (result == STW_ENQUEUE_DEFLECTED) {
		deflected(simulation, index);
		simulation_events(simulation);
		return;
	}
	if (result == STW_ENQUEUE_OVERFLOWED)
		overflow(simulation, contact, queue_of(simulation, contact));
	else if (result == STW_ENQUEUE_CALLBACK)
		called_back(simulation, contact);
	if (stw_contact_ewt(simulation->acd, contact->handle, simulation_now(simulation),
			    &contact->told_ns) != 0)
		contact->told_ns = VARIATE_NEVER;
	simulation_events(simulation);
	contact = &simulation->contacts[index];
	if (contact->state == CONTACT_WAITING && contact->patience_ns != VARIATE_NEVER)
		simulation_add(simulation, simulation->now_ns + contact->patience_ns, KIND_PATIENCE,
			       index, contact->mark);
}

/* ---- who he is */

/* Draw what this caller is like: always the same numbers, whatever becomes of him. */
static void
draw(struct simulation *simulation, struct simulation_contact *contact,
     const struct plan_arrival *arrival)
{
	const struct plan_flow *flow = &simulation->plan->flows[contact->flow];
	struct simulation_source *source = &simulation->sources[contact->flow];

	contact->patience_ns = variate_ns(&flow->patience, &source->patience);
	contact->handling_ns = variate_ns(&flow->handling, &source->handling);
	if (arrival && arrival->handling_ns)
		contact->handling_ns = arrival->handling_ns;
	if (arrival && arrival->patience_ns)
		contact->patience_ns = arrival->patience_ns;
}

/* Comes to the queue of his list or flow, for the first time or again. */
static void
come(struct simulation *simulation, uint32_t index)
{
	struct simulation_contact *contact = &simulation->contacts[index];
	struct stw_contact_request request = simulation->plan->flows[contact->flow].request;

	request.value = contact->value;
	request.urgency = contact->urgency;
	request.queue = simulation->queues[contact->queue];
	request.cookie = index;
	contact->state = CONTACT_WAITING;
	contact->unreached = false;
	contact->rings = 0;
	contact->choice = variate_unit(&simulation->sources[contact->flow].choices);
	contact->arrived_ns = simulation->now_ns;
	contact->interval = tally_interval(&simulation->tally, simulation->now_ns);
	enqueue(simulation, index, &request);
}

void
simulation_arrive(struct simulation *simulation, uint32_t flow_index)
{
	const struct plan_flow *flow = &simulation->plan->flows[flow_index];
	struct simulation_source *source = &simulation->sources[flow_index];
	const struct plan_arrival *arrival =
		flow->arrivals_count ? &flow->arrivals[source->next++] : NULL;
	uint32_t index = simulation_place_take(simulation);
	struct simulation_contact *contact;

	if (index == NO_CONTACT)
		return;
	contact = &simulation->contacts[index];
	contact->value = arrival ? arrival->value : flow->request.value;
	contact->urgency = arrival ? arrival->urgency : flow->request.urgency;
	contact->queue = arrival ? arrival->queue : (uint32_t)flow->request.queue.id - 1;
	contact->flow = flow_index;
	contact->returned = false;
	draw(simulation, contact, arrival);
	simulation->arrivals++;
	come(simulation, index);
	simulation_arrival_plan(simulation, flow_index);
}

void
simulation_return(struct simulation *simulation, uint32_t index)
{
	simulation->contacts[index].returned = true;
	come(simulation, index);
}
