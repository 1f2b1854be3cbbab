/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle's contacts as they wait and go: in person for one agent, not for too long, to another
 * queue, away.
 */
#include "oracle_parts.h"

#include <errno.h>

static uint64_t
wait_end_ns(const struct oracle *o, const struct oracle_contact *c)
{
	uint64_t wait_max_ns = o->queues[c->queue].rule.wait_max_ns;

	return wait_max_ns ? c->entered_ns + wait_max_ns : UINT64_MAX;
}

static uint64_t
preferred_end_ns(const struct oracle_contact *c)
{
	return c->in_person ? c->preferred_until_ns : UINT64_MAX;
}

uint64_t
oracle_review_ns(const struct oracle *o, int contact)
{
	const struct oracle_contact *c = &o->contacts[contact];
	uint64_t wait_ns = wait_end_ns(o, c), preferred_ns = preferred_end_ns(c);
	uint64_t first_ns = wait_ns < preferred_ns ? wait_ns : preferred_ns;

	return c->state == STW_CONTACT_WAITING && first_ns != UINT64_MAX ? first_ns : 0;
}

/* It waits for its agent if he is there; if it is to wait for no time, if he is ready. */
void
oracle_come(struct oracle *o, int contact, uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[contact];
	int agent = oracle_agent_find(o, c->preferred);

	c->in_person = c->preferred && agent != ORACLE_NONE &&
		       o->agents[agent].state != STW_AGENT_LOGGED_OUT &&
		       oracle_serves(o, agent, c->queue) &&
		       (c->preferred_until_ns > now_ns ||
			oracle_is_open(o, agent, o->queues[c->queue].rule.channel));
	c->declined_by = 0;
	c->step = 0;
}

void
oracle_leave_agent(struct oracle *o, int agent)
{
	for (int i = 0; i < ORACLE_CONTACTS_MAX; i++) {
		struct oracle_contact *c = &o->contacts[i];

		if (!c->known || !c->in_person || c->state != STW_CONTACT_WAITING ||
		    c->preferred != o->agents[agent].id)
			continue;
		c->in_person = false;
	}
}

static void
arrive(struct oracle *o, int contact, int queue, uint64_t preferred, uint64_t wait_ns,
       uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[contact];

	c->queue = queue;
	c->state = STW_CONTACT_WAITING;
	c->agent = ORACLE_NONE;
	c->places_count = 0;
	c->entered_ns = now_ns;
	c->preferred = preferred;
	c->preferred_until_ns = wait_ns == UINT64_MAX ? UINT64_MAX : now_ns + wait_ns;
	c->rank_ns = oracle_rank(o, c);
	oracle_come(o, contact, now_ns);
}

/* What a queue answers to one more. */
static int
admits(const struct oracle *o, int queue)
{
	const struct oracle_queue *q;

	if (queue == ORACLE_NONE)
		return -ENOENT;
	q = &o->queues[queue];
	return q->rule.length_max && q->stats.waiting >= q->rule.length_max ? -ENOSPC : 0;
}

static void
overflow(struct oracle *o, int contact, int queue, uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[contact];

	o->queues[c->queue].stats.overflowed++;
	o->queues[queue].stats.offered++;
	oracle_tell(o, STW_EVENT_MOVED, contact, ORACLE_NONE, now_ns)->queue_to.id =
		o->queues[queue].id;
	arrive(o, contact, queue, 0, 0, now_ns);
}

void
oracle_review(struct oracle *o, int contact, uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[contact];
	int to = oracle_queue_find(o, o->queues[c->queue].rule.overflow);

	if (preferred_end_ns(c) <= wait_end_ns(o, c)) {
		c->in_person = false;
	} else if (o->queues[c->queue].rule.overflow && !admits(o, to)) {
		overflow(o, contact, to, now_ns);
	} else {
		o->queues[c->queue].stats.timed_out++;
		oracle_tell(o, STW_EVENT_EXPIRED, contact, ORACLE_NONE, now_ns)->cause =
			STW_CAUSE_WAIT_MAX;
		c->known = false;
		return;
	}
	oracle_look(o, contact, now_ns);
}

int
oracle_move(struct oracle *o, uint64_t contact, uint64_t queue, uint64_t now_ns)
{
	int index = oracle_contact_find(o, contact), to = oracle_queue_find(o, queue);

	if (!queue)
		return -ENOENT;
	if (index == ORACLE_NONE)
		return -ESTALE;
	if (o->contacts[index].state != STW_CONTACT_WAITING)
		return -EBUSY;
	if (admits(o, to))
		return admits(o, to);
	overflow(o, index, to, now_ns);
	oracle_look(o, index, now_ns);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

void
oracle_agent_part(struct oracle *o, int contact, uint64_t now_ns)
{
	struct oracle_contact *c = &o->contacts[contact];

	if (o->agents[c->agent].seated && o->agents[c->agent].contact != contact)
		oracle_unpark(o, c->agent, c->queue, now_ns);
	else
		oracle_agent_wrap_up(o, c->agent, o->queues[c->queue].rule.wrap_up_ns, now_ns);
}

int
oracle_transfer(struct oracle *o, uint64_t contact, uint64_t queue, uint64_t agent,
		uint64_t agent_wait_ns, uint64_t now_ns)
{
	int index = oracle_contact_find(o, contact), to;
	struct oracle_contact *c;
	struct oracle_queue *q;

	if (index == ORACLE_NONE)
		return -ESTALE;
	c = &o->contacts[index];
	q = &o->queues[c->queue];
	if (c->state != STW_CONTACT_CONNECTED)
		return -EBUSY;
	to = queue ? oracle_queue_find(o, queue) : c->queue;
	if (admits(o, to))
		return admits(o, to);
	q->stats.ended++;
	q->stats.transfers++;
	q->stats.talk_ns += now_ns - c->answered_ns;
	o->queues[to].stats.offered++;
	oracle_tell(o, STW_EVENT_TRANSFERRED, index, c->agent, now_ns)->queue_to.id =
		o->queues[to].id;
	oracle_agent_part(o, index, now_ns);
	arrive(o, index, to, agent, agent_wait_ns, now_ns);
	oracle_look(o, index, now_ns);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}

int
oracle_end(struct oracle *o, uint64_t contact, uint64_t now_ns)
{
	int index = oracle_contact_find(o, contact);
	struct oracle_contact *c;
	struct oracle_queue *q;

	if (index == ORACLE_NONE)
		return -ESTALE;
	c = &o->contacts[index];
	q = &o->queues[c->queue];
	if (c->state != STW_CONTACT_CONNECTED)
		return -EBUSY;
	q->stats.ended++;
	q->stats.talk_ns += now_ns - c->answered_ns;
	oracle_tell(o, STW_EVENT_ENDED, index, c->agent, now_ns);
	c->known = false;
	oracle_agent_part(o, index, now_ns);
	oracle_settle(o, now_ns);
	oracle_settle_counts(o);
	return 0;
}
