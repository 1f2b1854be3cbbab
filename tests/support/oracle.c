/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle's contacts, matching and time. Agents and queues are in oracle_house.c.
 */
#include "oracle_parts.h"

#include <errno.h>
#include <string.h>

struct oracle_events *oracle_events;
struct oracle_choices *oracle_choices;

int
oracle_contact_find(const struct oracle *o, uint64_t id)
{
	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		if (o->contacts[c].known && o->contacts[c].id == id)
			return c;
	}
	return ORACLE_NONE;
}

struct stw_event *
oracle_tell(const struct oracle *o, enum stw_event_type type, int contact, int agent,
	    uint64_t now_ns)
{
	static struct stw_event dropped;
	struct stw_event *event = oracle_events->count < ORACLE_EVENTS_MAX
					  ? &oracle_events->list[oracle_events->count++]
					  : &dropped;

	memset(event, 0, sizeof(*event));
	event->type = type;
	event->time_ns = now_ns;
	if (contact != ORACLE_NONE) {
		const struct oracle_contact *c = &o->contacts[contact];

		event->contact.id = c->id;
		event->contact_cookie = c->cookie;
		event->value = c->value;
		event->urgency = c->urgency;
		if (type != STW_EVENT_ENDED && type != STW_EVENT_ABANDONED &&
		    (type != STW_EVENT_WITHDRAWN || c->known) && type != STW_EVENT_EXPIRED)
			event->step = (uint8_t)c->step;
		event->wait_ns = now_ns > c->enqueue_ns ? now_ns - c->enqueue_ns : 0;
		event->queue.id = o->queues[c->queue].id;
		event->queue_cookie = o->queues[c->queue].rule.cookie;
		if (type != STW_EVENT_ENDED && type != STW_EVENT_ABANDONED &&
		    type != STW_EVENT_EXPIRED && type != STW_EVENT_MOVED &&
		    type != STW_EVENT_TRANSFERRED) {
			event->offer.contact.id = c->id;
			event->offer.number = oracle_place_of(c, agent)->offer;
		}
	}
	if (agent != ORACLE_NONE) {
		event->agent.id = o->agents[agent].id;
		event->agent_cookie = o->agents[agent].rule.cookie;
	}
	return event;
}

/* Red before all others and as they came; then the smallest rank, then who came first. */
bool
oracle_is_before(const struct oracle_contact *a, const struct oracle_contact *b)
{
	if (a->red != b->red)
		return a->red > b->red;
	if (!a->red && a->rank_ns != b->rank_ns)
		return a->rank_ns < b->rank_ns;
	return a->arrival < b->arrival;
}

bool
oracle_is_available(const struct oracle *o, int agent, int contact)
{
	return oracle_is_open(o, agent, o->queues[o->contacts[contact].queue].rule.channel);
}

/* The agent who just missed a contact comes last: only when no other available one is eligible. */
bool
oracle_may_take(const struct oracle *o, int agent, int contact)
{
	const struct oracle_contact *c = &o->contacts[contact];

	if (!c->known || c->state != STW_CONTACT_WAITING ||
	    !oracle_is_available(o, agent, contact) || !oracle_is_eligible(o, agent, contact))
		return false;
	if (c->declined_by != o->agents[agent].id)
		return true;
	for (int other = 0; other < ORACLE_AGENTS_MAX; other++) {
		if (other != agent && oracle_is_available(o, other, contact) &&
		    oracle_is_eligible(o, other, contact))
			return false;
	}
	return true;
}

int
oracle_best_contact(const struct oracle *o, int agent)
{
	int best = ORACLE_NONE;

	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		if (oracle_may_take(o, agent, c) &&
		    (best == ORACLE_NONE || oracle_is_before(&o->contacts[c], &o->contacts[best])))
			best = c;
	}
	return best;
}

static int
best_contact_of_all(const struct oracle *o)
{
	int best = ORACLE_NONE;

	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		int c = o->agents[a].defined ? oracle_best_contact(o, a) : ORACLE_NONE;

		if (c != ORACLE_NONE &&
		    (best == ORACLE_NONE || oracle_is_before(&o->contacts[c], &o->contacts[best])))
			best = c;
	}
	return best;
}

bool
oracle_can_match(const struct oracle *o)
{
	return best_contact_of_all(o) != ORACLE_NONE;
}

void
oracle_offer(struct oracle *o, int agent, int contact, uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[contact];
	struct oracle_queue *q = &o->queues[c->queue];

	oracle_offer_note(o, agent, contact);
	c->state = STW_CONTACT_OFFERED;
	c->agent = agent;
	c->places_count = 0;
	c->rings_until_ns = q->rule.offer_timeout_ns ? now_ns + q->rule.offer_timeout_ns : 0;
	oracle_place_add(o, agent, contact, now_ns);
	/* Else the test says who is rung beside. */
	if (o->settles)
		oracle_ring_fill(o, contact, now_ns);
}

void
oracle_settle(struct oracle *o, uint64_t now_ns)
{
	int contact;

	if (!o->settles)
		return;
	for (;;) {
		oracle_widen_all(o);
		contact = best_contact_of_all(o);
		if (contact == ORACLE_NONE)
			return;
		oracle_offer(o, oracle_agent_choose(o, contact, oracle_may_take), contact, now_ns);
	}
}

int64_t
oracle_rank(const struct oracle *o, const struct oracle_contact *c)
{
	return (int64_t)c->enqueue_ns + o->queues[c->queue].rule.target_ns[c->value][c->urgency] -
	       (int64_t)c->credit_ns;
}

int
oracle_enqueue(struct oracle *o, const struct stw_contact_request *request, uint64_t now_ns,
	       uint64_t id)
{
	int queue = oracle_queue_find(o, request->queue.id), free = ORACLE_NONE;
	struct oracle_contact *c;
	struct oracle_queue *q;
	uint32_t known = 0;

	if (request->value >= STW_CLASS_COUNT || request->urgency >= STW_CLASS_COUNT ||
	    request->red_channel > 1)
		return -EINVAL;
	if (queue == ORACLE_NONE)
		return -ESTALE;
	q = &o->queues[queue];
	for (int i = 0; i < ORACLE_CONTACTS_MAX; i++) {
		known += o->contacts[i].known;
		if (!o->contacts[i].known)
			free = i;
	}
	q->stats.offered++;
	if (known >= o->contacts_max || free == ORACLE_NONE ||
	    (q->rule.length_max && q->stats.waiting >= q->rule.length_max)) {
		q->stats.refused++;
		return -ENOSPC;
	}
	q->stats.waiting++;
	c = &o->contacts[free];
	*c = (struct oracle_contact){.known = true,
				     .id = id,
				     .queue = queue,
				     .agent = ORACLE_NONE,
				     .arrival = ++o->arrivals,
				     .value = request->value,
				     .urgency = request->urgency,
				     .red = request->red_channel,
				     .credit_ns = request->credit_ns,
				     .enqueue_ns = now_ns,
				     .entered_ns = now_ns,
				     .preferred = request->preferred.id,
				     .preferred_until_ns =
					     request->preferred_wait_ns == UINT64_MAX
						     ? UINT64_MAX
						     : now_ns + request->preferred_wait_ns,
				     .cookie = request->cookie};
	c->rank_ns = oracle_rank(o, c);
	oracle_come(o, free, now_ns);
	oracle_settle_counts(o);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

int
oracle_reprioritise(struct oracle *o, uint64_t contact, uint8_t value, uint8_t urgency,
		    uint64_t now_ns)
{
	int index = oracle_contact_find(o, contact);
	struct oracle_contact *c;

	if (value >= STW_CLASS_COUNT || urgency >= STW_CLASS_COUNT)
		return -EINVAL;
	if (index == ORACLE_NONE)
		return -ESTALE;
	c = &o->contacts[index];
	if (c->state != STW_CONTACT_WAITING)
		return -EBUSY;
	c->value = value;
	c->urgency = urgency;
	c->rank_ns = oracle_rank(o, c);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

int
oracle_cancel(struct oracle *o, uint64_t contact, uint64_t now_ns)
{
	int index = oracle_contact_find(o, contact);
	struct oracle_contact *c;
	struct oracle_queue *q;

	if (index == ORACLE_NONE)
		return -ESTALE;
	c = &o->contacts[index];
	q = &o->queues[c->queue];
	if (c->state == STW_CONTACT_CONNECTED)
		return -EBUSY;
	q->stats.abandoned++;
	q->stats.wait_ns_abandoned += now_ns - c->entered_ns;
	q->stats.abandoned_short += now_ns - c->entered_ns <= ORACLE_SHORT_ABANDON_NS;
	c->known = false;
	if (c->state == STW_CONTACT_OFFERED)
		oracle_withdraw(o, index, NULL, now_ns);
	oracle_tell(o, STW_EVENT_ABANDONED, index, ORACLE_NONE, now_ns);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

int
oracle_accept(struct oracle *o, uint64_t contact, uint64_t offer, uint64_t now_ns)
{
	int index = oracle_contact_find(o, contact);
	struct oracle_contact *c;
	struct oracle_place *place;
	struct oracle_queue *q;
	uint64_t wait_ns;

	place = index == ORACLE_NONE ? NULL : oracle_place_live(&o->contacts[index], offer);
	if (!place)
		return -ESTALE;
	c = &o->contacts[index];
	q = &o->queues[c->queue];
	if (c->state == STW_CONTACT_CONNECTED)
		return -EALREADY;
	wait_ns = now_ns - c->entered_ns;
	q->stats.answered++;
	q->stats.answered_in_time += wait_ns <= q->rule.service_level_ns;
	q->stats.wait_ns_answered += wait_ns;
	if (wait_ns > q->stats.wait_ns_max)
		q->stats.wait_ns_max = wait_ns;
	oracle_withdraw(o, index, place, now_ns);
	c->state = STW_CONTACT_CONNECTED;
	c->agent = place->agent;
	c->answered_ns = now_ns;
	c->rings_until_ns = 0;
	o->agents[c->agent].contacts++;
	o->agents[c->agent].misses = 0;
	oracle_agent_enter(o, c->agent, STW_AGENT_CONNECTED, 0, now_ns);
	oracle_tell(o, STW_EVENT_CONNECTED, index, c->agent, now_ns);
	if (o->agents[c->agent].seated)
		oracle_park(o, c->agent, now_ns);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

int
oracle_decline(struct oracle *o, uint64_t contact, uint64_t offer, uint32_t reason, uint64_t now_ns)
{
	int index = oracle_contact_find(o, contact);
	struct oracle_place *place =
		index == ORACLE_NONE ? NULL : oracle_place_live(&o->contacts[index], offer);

	if (!place || o->contacts[index].state != STW_CONTACT_OFFERED)
		return -ESTALE;
	oracle_miss(o, index, place, STW_EVENT_DECLINED, reason, now_ns);
	oracle_misses_end(o, index, place->agent_id, now_ns);
	return 0;
}

/* A timer is a contact's ring or next step, or an agent's wrap-up or pause: kind and index. */
struct timer {
	uint64_t due_ns;
	enum { RING, REVIEW, REST, WIDEN, WRAP } kind;
	int index;
	uint32_t wrap;
};

static uint32_t
keep_earliest(struct timer *first, uint32_t count, struct timer timer)
{
	if (!timer.due_ns || (count && timer.due_ns > first[0].due_ns))
		return count;
	if (count && timer.due_ns < first[0].due_ns)
		count = 0;
	first[count++] = timer;
	return count;
}

static uint64_t
timer_place(const struct oracle *o, const struct timer *timer)
{
	uint64_t id =
		timer->kind == REST ? o->agents[timer->index].id : o->contacts[timer->index].id;

	return (uint64_t)(timer->kind == WIDEN || timer->kind == REVIEW) << 40 |
	       (uint64_t)(timer->kind == REST) << 32 | (uint32_t)id;
}

/* In the order in which the engine happens to fire timers of one nanosecond: likely the right answer. */
static void
timers_sort(const struct oracle *o, struct timer *timers, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		for (uint32_t j = i;
		     j > 0 && timer_place(o, &timers[j]) < timer_place(o, &timers[j - 1]); j--) {
			struct timer timer = timers[j];

			timers[j] = timers[j - 1];
			timers[j - 1] = timer;
		}
	}
}

/* Every timer that is next; there may be several at one nanosecond. */
static uint32_t
earliest_timers(const struct oracle *o, struct timer *first)
{
	uint32_t count = 0;

	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		if (o->contacts[c].known)
			count = keep_earliest(
				first, count,
				(struct timer){o->contacts[c].rings_until_ns, RING, c, 0});
		if (o->contacts[c].known)
			count = keep_earliest(first, count,
					      (struct timer){oracle_review_ns(o, c), REVIEW, c, 0});
		count = keep_earliest(first, count,
				      (struct timer){oracle_widens_ns(o, c), WIDEN, c, 0});
	}
	/* In the order of their slots: most likely the first is right, and many offers may have been made at
	 * one time. */
	for (uint32_t i = 1; i < count; i++) {
		for (uint32_t j = i; j && (uint32_t)o->contacts[first[j].index].id <
						  (uint32_t)o->contacts[first[j - 1].index].id;
		     j--) {
			struct timer later = first[j - 1];

			first[j - 1] = first[j];
			first[j] = later;
		}
	}
	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		const struct oracle_agent *agent = &o->agents[a];

		if (!agent->defined)
			continue;
		count = keep_earliest(first, count,
				      (struct timer){agent->rests_until_ns, REST, a, 0});
		for (uint32_t i = 0; i < agent->wraps_count; i++)
			count = keep_earliest(first, count,
					      (struct timer){agent->wraps[i].until_ns, WRAP, a, i});
	}
	timers_sort(o, first, count);
	return count;
}

/* Those of which one is fired next. Of two calls at one time one may pass over what the other fires, so
 * then it is any that is due. */
static uint32_t
next_timers(const struct oracle *o, uint64_t now_ns, struct timer *timers)
{
	uint32_t count = 0;

	if (o->settles)
		return earliest_timers(o, timers);
	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		if (o->contacts[c].known && o->contacts[c].rings_until_ns &&
		    o->contacts[c].rings_until_ns <= now_ns)
			timers[count++] = (struct timer){o->contacts[c].rings_until_ns, RING, c, 0};
	}
	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		const struct oracle_agent *agent = &o->agents[a];

		if (agent->defined && agent->rests_until_ns && agent->rests_until_ns <= now_ns)
			timers[count++] = (struct timer){agent->rests_until_ns, REST, a, 0};
		for (uint32_t i = 0; agent->defined && i < agent->wraps_count; i++) {
			if (agent->wraps[i].until_ns <= now_ns)
				timers[count++] =
					(struct timer){agent->wraps[i].until_ns, WRAP, a, i};
		}
	}
	return count;
}

int
oracle_advance(struct oracle *o, uint64_t now_ns, uint32_t budget, uint64_t *next_ns)
{
	struct timer first[(1 + STW_AGENT_SLOTS_MAX) * ORACLE_AGENTS_MAX + 3 * ORACLE_CONTACTS_MAX];
	uint32_t fired = 0, count;

	while ((count = next_timers(o, now_ns, first)) && first[0].due_ns <= now_ns &&
	       fired < budget) {
		struct timer timer = first[count > 1 ? oracle_choose(count) : 0];

		fired++;
		if (timer.kind == REVIEW) {
			oracle_review(o, timer.index, now_ns);
		} else if (timer.kind == WIDEN) {
			oracle_widen(o, timer.index, now_ns - o->contacts[timer.index].entered_ns);
			oracle_look(o, timer.index, now_ns);
		} else if (timer.kind == RING) {
			oracle_time_out(o, timer.index, now_ns);
		} else if (timer.kind == WRAP) {
			oracle_wrap_end(o, timer.index, timer.wrap, now_ns);
		} else {
			oracle_agent_enter(o, timer.index, STW_AGENT_READY, 0, now_ns);
		}
		oracle_settle(o, now_ns);
		oracle_settle_counts(o);
	}
	count = earliest_timers(o, first);
	*next_ns = fired == budget ? now_ns : count ? first[0].due_ns : UINT64_MAX;
	return (int)fired;
}
