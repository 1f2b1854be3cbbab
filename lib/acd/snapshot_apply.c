/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Applying events to a snapshot: what the engine has done, done again on plain data.
 *
 * An event is passed over if its sequence is not after that of its contact or agent, so applying a
 * journal twice, or one that begins before the snapshot, changes nothing. Each event of a contact
 * says all that there is to know of it, so one that was lost costs no more than its own: what must
 * have happened before this one could is counted as if it had been told (be_offered and so on).
 */
#include "snapshot.h"

#include <errno.h>

/* Whom an event is about; NULL: not named. */
struct parts {
	struct stw_snapshot *snapshot;
	struct snapshot_contact *contact;
	struct snapshot_queue *queue;
	struct snapshot_queue *queue_to;
	struct snapshot_agent *agent;
};

static bool
is_newer(uint64_t sequence, uint64_t known)
{
	return (int64_t)(sequence - known) > 0;
}

/* Count an offer's fate, or an answer, for the queue and for the agent, if he is known. */
static void
count(struct snapshot_queue *queue, struct snapshot_agent *agent, enum acd_counter of_queue,
      enum acd_agent_column of_agent, uint64_t amount)
{
	queue->counters[of_queue] += amount;
	if (agent)
		agent->numbers[of_agent] += amount;
}

/* The agent of a handle; NULL: the snapshot has none such. */
static struct snapshot_agent *
agent_find(struct stw_snapshot *snapshot, uint64_t id)
{
	uint32_t a = (uint32_t)id;

	if (!id || a >= snapshot->agents_max || snapshot->agents[a].id != id)
		return NULL;
	return &snapshot->agents[a];
}

/* All offers of a contact have ended, untold: of several who were rung, one of them stands for all. */
static void
offers_end(struct snapshot_queue *queue, struct snapshot_agent *agent,
	   struct snapshot_contact *contact, enum acd_counter of_queue,
	   enum acd_agent_column of_agent)
{
	count(queue, agent, of_queue, of_agent, 1u + contact->rung);
	queue->counters[ACD_COUNT_OFFERS_BESIDE] -= contact->rung;
	contact->rung = contact->ring = 0;
}

/* Its agent is free of a connected contact. */
static void
agent_ends(struct snapshot_queue *queue, struct snapshot_agent *agent, bool transferred)
{
	count(queue, agent, ACD_COUNT_ENDED, ACD_AGENT_ENDED, 1);
	if (transferred)
		count(queue, agent, ACD_COUNT_TRANSFERS, ACD_AGENT_TRANSFERS, 1);
	if (agent)
		agent->misses = 0;
}

/* The end of a life, counted as this unless it was connected, which was not told then. */
static void
be_over(struct stw_snapshot *snapshot, struct snapshot_contact *contact, enum acd_counter as)
{
	struct snapshot_queue *queue = &snapshot->queues[(uint32_t)contact->queue];
	struct snapshot_agent *agent = agent_find(snapshot, contact->agent);

	if (contact->state == SNAPSHOT_CONNECTED)
		agent_ends(queue, agent, false);
	else if (contact->state != SNAPSHOT_FREE)
		queue->counters[as]++;
	if (contact->state == SNAPSHOT_OFFERED)
		offers_end(queue, agent, contact, ACD_COUNT_WITHDRAWN, ACD_AGENT_WITHDRAWN);
	contact->state = SNAPSHOT_FREE;
}

/* A contact goes from where it is to this queue, where it waits. */
static void
be_moved(struct stw_snapshot *snapshot, struct snapshot_contact *contact, struct snapshot_queue *to)
{
	struct snapshot_queue *from = &snapshot->queues[(uint32_t)contact->queue];
	struct snapshot_agent *agent = agent_find(snapshot, contact->agent);

	if (contact->state == SNAPSHOT_OFFERED)
		offers_end(from, agent, contact, ACD_COUNT_TIMED_OUT, ACD_AGENT_TIMED_OUT);
	if (contact->state == SNAPSHOT_CONNECTED)
		agent_ends(from, agent, true);
	else
		from->counters[ACD_COUNT_OVERFLOWED]++;
	to->counters[ACD_COUNT_OFFERED]++;
	contact->state = SNAPSHOT_WAITING;
	contact->queue = to->id;
	contact->agent = 0;
}

/* The contact is known, of this life and in this queue. */
static void
be_known(const struct parts *parts, const struct stw_event *event)
{
	struct snapshot_contact *contact = parts->contact;

	if (contact->state != SNAPSHOT_FREE && contact->id == event->contact.id) {
		if (contact->queue != event->queue.id)
			be_moved(parts->snapshot, contact, parts->queue);
		return;
	}
	be_over(parts->snapshot, contact, ACD_COUNT_ABANDONED);
	contact->state = SNAPSHOT_WAITING;
	contact->queue = event->queue.id;
	contact->agent = 0;
	parts->queue->counters[ACD_COUNT_OFFERED]++;
}

/* Who was connected and is no more was transferred, though it was not told. */
static void
be_waiting(const struct parts *parts)
{
	struct snapshot_contact *contact = parts->contact;

	if (contact->state == SNAPSHOT_CONNECTED)
		be_moved(parts->snapshot, contact, parts->queue);
	if (contact->state == SNAPSHOT_OFFERED)
		offers_end(parts->queue, agent_find(parts->snapshot, contact->agent), contact,
			   ACD_COUNT_TIMED_OUT, ACD_AGENT_TIMED_OUT);
	contact->state = SNAPSHOT_WAITING;
}

static void
be_offered(const struct parts *parts)
{
	if (parts->contact->state == SNAPSHOT_CONNECTED)
		be_waiting(parts);
	if (parts->contact->state == SNAPSHOT_WAITING)
		count(parts->queue, parts->agent, ACD_COUNT_OFFERS, ACD_AGENT_OFFERS, 1);
	parts->contact->state = SNAPSHOT_OFFERED;
}

/* The others who were rung, if nothing was told of that, were withdrawn. */
static void
one_left(const struct parts *parts)
{
	parts->queue->counters[ACD_COUNT_WITHDRAWN] += parts->contact->rung;
	parts->queue->counters[ACD_COUNT_OFFERS_BESIDE] -= parts->contact->rung;
	parts->contact->rung = 0;
}

/* One more is rung. */
static void
be_offered_beside(const struct parts *parts)
{
	if (parts->contact->state != SNAPSHOT_OFFERED || parts->contact->rung >= ACD_RING_MAX - 1) {
		be_offered(parts);
		return;
	}
	count(parts->queue, parts->agent, ACD_COUNT_OFFERS, ACD_AGENT_OFFERS, 1);
	parts->queue->counters[ACD_COUNT_OFFERS_BESIDE]++;
	parts->contact->rung++;
	parts->contact->ring = 1;
}

static void
be_connected(const struct parts *parts)
{
	if (parts->contact->state == SNAPSHOT_CONNECTED)
		return;
	be_offered(parts);
	one_left(parts);
	parts->contact->ring = 0;
	count(parts->queue, parts->agent, ACD_COUNT_ANSWERED, ACD_AGENT_ANSWERED, 1);
	parts->contact->state = SNAPSHOT_CONNECTED;
}

/* A spell of the agent's ends, and another begins. */
static void
spell(struct snapshot_agent *agent, uint32_t column, uint64_t now_ns)
{
	uint64_t spell_ns = acd_elapsed(agent->since_ns, now_ns);

	if (agent->busy)
		agent->busy_ns += spell_ns;
	if (agent->spell && agent->spell <= ACD_AGENT_COLUMNS - ACD_AGENT_READY_NS)
		agent->numbers[ACD_AGENT_READY_NS + agent->spell - 1] += spell_ns;
	agent->since_ns = now_ns;
	agent->spell = acd_spell_of_column(column);
	agent->busy = column == ACD_AGENT_OFFERED_NS || column == ACD_AGENT_CONNECTED_NS ||
		      column == ACD_AGENT_WRAP_UP_NS;
}

/* How long the contact was in its queue. */
static uint64_t
waited_ns(const struct stw_event *event)
{
	return event->entered_ns ? acd_elapsed(event->entered_ns, event->time_ns) : event->wait_ns;
}

static void
connected(const struct parts *parts, const struct stw_event *event)
{
	struct snapshot_queue *queue = parts->queue;

	be_connected(parts);
	count(queue, parts->agent, ACD_COUNT_ANSWERED_IN_TIME, ACD_AGENT_ANSWERED_IN_TIME,
	      event->in_time);
	count(queue, parts->agent, ACD_COUNT_WAIT_NS, ACD_AGENT_WAIT_NS, waited_ns(event));
	if (waited_ns(event) > queue->wait_ns_max)
		queue->wait_ns_max = waited_ns(event);
	parts->contact->connect_ns = event->time_ns;
	parts->agent->contacts++;
	parts->agent->contacts_today++;
	spell(parts->agent, ACD_AGENT_CONNECTED_NS, event->time_ns);
}

static void
missed(const struct parts *parts, enum acd_counter counter, enum acd_agent_column column,
       bool counts)
{
	be_offered(parts);
	count(parts->queue, parts->agent, counter, column, 1);
	if (parts->contact->rung) {
		parts->contact->rung--;
		parts->queue->counters[ACD_COUNT_OFFERS_BESIDE]--;
	} else {
		parts->contact->state = SNAPSHOT_WAITING;
		parts->contact->ring = 0;
	}
	if (counts && parts->agent->misses < 0xffff)
		parts->agent->misses++;
}

static void
talk_over(const struct parts *parts, const struct stw_event *event)
{
	be_connected(parts);
	parts->contact->agent = event->agent.id;
	parts->queue->counters[ACD_COUNT_TALK_NS] +=
		acd_elapsed(parts->contact->connect_ns, event->time_ns);
}

static void
ended(const struct parts *parts, const struct stw_event *event)
{
	talk_over(parts, event);
	agent_ends(parts->queue, parts->agent, event->cause == STW_CAUSE_TRANSFER);
	parts->queue->counters[ACD_COUNT_REAPED] += event->cause == STW_CAUSE_LEASE;
	parts->contact->state = SNAPSHOT_FREE;
}

static void
abandoned(const struct parts *parts, const struct stw_event *event)
{
	be_over(parts->snapshot, parts->contact, ACD_COUNT_ABANDONED);
	parts->queue->counters[ACD_COUNT_ABANDONED_WAIT_NS] += waited_ns(event);
	parts->queue->counters[ACD_COUNT_ABANDONED_SHORT] += event->in_time;
}

static void
expired(const struct parts *parts, const struct stw_event *event)
{
	be_over(parts->snapshot, parts->contact, ACD_COUNT_EXPIRED);
	parts->queue->counters[ACD_COUNT_REAPED] += event->cause == STW_CAUSE_LEASE;
	parts->queue->counters[ACD_COUNT_LEFT_UNSTAFFED] += event->cause == STW_CAUSE_UNSTAFFED;
}

/* What is counted without an event of its own: contacts that came and were sent elsewhere, and marks. */
static void
told_beside(uint64_t *n, const struct stw_event *event)
{
	const struct {
		enum acd_counter counter;
		bool offered; /* and does not wait */
		uint64_t told;
	} lines[] = {
		{ACD_COUNT_REFUSED, true, event->refused},
		{ACD_COUNT_REFUSED_UNSTAFFED, false, event->refused_unstaffed},
		{ACD_COUNT_DEFLECTED, true, event->deflected},
		{ACD_COUNT_OVERFLOWED, true, event->overflowed},
		{ACD_COUNT_CALLBACKS_OFFERED, false, event->callbacks_offered},
		{ACD_COUNT_CALLBACKS, false, event->callbacks},
		{ACD_COUNT_RESUMED, false, event->resumed},
		{ACD_COUNT_REPEATS, false, event->repeats},
		{ACD_COUNT_REPORTED, false, event->resolution_reported},
		{ACD_COUNT_RESOLVED, false, event->resolved},
	};

	for (uint32_t i = 0; i < STW_ARRAY_COUNT(lines); i++) {
		uint64_t *counted = &n[lines[i].counter];
		uint64_t more = lines[i].told > *counted ? lines[i].told - *counted : 0;

		*counted += more;
		n[ACD_COUNT_OFFERED] += lines[i].offered ? more : 0;
	}
}

/* Everything that an event says of its contact. */
static void
contact_fill(struct snapshot_contact *contact, const struct stw_event *event)
{
	contact->id = event->contact.id;
	contact->sequence = event->sequence;
	if (!event->queue_to.id) {
		contact->queue = event->queue.id;
		contact->agent = event->agent.id;
	}
	contact->enqueue_ns = event->enqueue_ns;
	contact->rank_ns = event->rank_ns;
	contact->credit_ns = event->credit_ns;
	contact->arrival = event->arrival;
	contact->cookie = event->contact_cookie;
	contact->class = event->value * (uint32_t)STW_CLASS_COUNT + event->urgency;
	contact->entered_ns = event->entered_ns;
	contact->preferred = event->preferred.id;
	contact->preferred_until_ns = event->preferred_until_ns;
	contact->customer = event->customer_key;
	contact->partner = event->contact_for.id;
	contact->callback = event->callback;
	contact->step = event->preferred.id ? ACD_STEP_PREFERRED : event->step;
}

static void
contact_apply(const struct parts *parts, const struct stw_event *event)
{
	be_known(parts, event);
	switch (event->type) {
	case STW_EVENT_QUEUED:
		be_waiting(parts);
		told_beside(parts->queue->counters, event);
		break;
	case STW_EVENT_OFFER:
		if (event->offer.number >> ACD_RING_PLACE_SHIFT) {
			be_offered_beside(parts);
		} else {
			be_waiting(parts);
			be_offered(parts);
		}
		spell(parts->agent, ACD_AGENT_OFFERED_NS, event->time_ns);
		break;
	case STW_EVENT_CONNECTED:
		connected(parts, event);
		break;
	case STW_EVENT_DECLINED:
		missed(parts, ACD_COUNT_DECLINED, ACD_AGENT_DECLINED, true);
		break;
	case STW_EVENT_TIMED_OUT:
		missed(parts, ACD_COUNT_TIMED_OUT, ACD_AGENT_TIMED_OUT, true);
		break;
	case STW_EVENT_WITHDRAWN:
		missed(parts, ACD_COUNT_WITHDRAWN, ACD_AGENT_WITHDRAWN, false);
		break;
	case STW_EVENT_ENDED:
		ended(parts, event);
		break;
	case STW_EVENT_MOVED:
		be_waiting(parts);
		be_moved(parts->snapshot, parts->contact, parts->queue_to);
		break;
	case STW_EVENT_TRANSFERRED:
		talk_over(parts, event);
		be_moved(parts->snapshot, parts->contact, parts->queue_to);
		break;
	case STW_EVENT_EXPIRED:
		expired(parts, event);
		break;
	default: /* STW_EVENT_ABANDONED */
		abandoned(parts, event);
		break;
	}
	contact_fill(parts->contact, event);
}

static struct snapshot_queue *
queue_find(struct stw_snapshot *snapshot, uint64_t id)
{
	uint32_t q = (uint32_t)id;

	if (!id || q >= snapshot->queues_max || snapshot->queues[q].id != id)
		return NULL;
	return &snapshot->queues[q];
}

static bool
in_range(const struct stw_snapshot *snapshot, const struct stw_event *event)
{
	bool moves = event->type == STW_EVENT_MOVED || event->type == STW_EVENT_TRANSFERRED;

	return event->contact.id && (uint32_t)event->contact.id < snapshot->contacts_max &&
	       event->value < STW_CLASS_COUNT && event->urgency < STW_CLASS_COUNT &&
	       event->in_time <= 1 && event->callback <= 1 && event->sequence &&
	       (unsigned)event->cause <= STW_CAUSE_UNSTAFFED && moves == !!event->queue_to.id;
}

static int
contact_event(struct stw_snapshot *snapshot, const struct stw_event *event)
{
	bool agentless = event->type == STW_EVENT_QUEUED || event->type == STW_EVENT_ABANDONED ||
			 event->type == STW_EVENT_EXPIRED || event->type == STW_EVENT_MOVED;
	struct parts parts = {.snapshot = snapshot};

	if (!in_range(snapshot, event))
		return -EBADMSG;
	parts.contact = &snapshot->contacts[(uint32_t)event->contact.id];
	if (parts.contact->id && !is_newer(event->sequence, parts.contact->sequence))
		return 0;
	parts.queue = queue_find(snapshot, event->queue.id);
	parts.queue_to = queue_find(snapshot, event->queue_to.id);
	if (!parts.queue || (event->queue_to.id && !parts.queue_to))
		return -ENOENT;
	parts.agent = agent_find(snapshot, event->agent.id);
	if (!parts.agent && !agentless)
		return -ENOENT;
	contact_apply(&parts, event);
	return 1;
}

static uint32_t
state_column(const struct stw_event *event)
{
	switch (event->agent_state) {
	case STW_AGENT_READY:
		return ACD_AGENT_READY_NS;
	case STW_AGENT_NOT_READY:
		return acd_not_ready_column(event->reason);
	case STW_AGENT_WRAP_UP:
		return ACD_AGENT_WRAP_UP_NS;
	default:
		return ACD_AGENT_NO_COLUMN;
	}
}

static int
agent_event(struct stw_snapshot *snapshot, const struct stw_event *event)
{
	struct snapshot_agent *agent = agent_find(snapshot, event->agent.id);

	if (!agent)
		return -ENOENT;
	if (event->agent_state > STW_AGENT_WRAP_UP || event->agent_state == STW_AGENT_OFFERED ||
	    event->agent_state == STW_AGENT_CONNECTED || event->reason > ACD_REASON_MASK)
		return -EBADMSG;
	if (!is_newer(event->sequence, agent->sequence))
		return 0;
	if (agent->state == STW_AGENT_NOT_READY && agent->reason == STW_REASON_MISSES)
		agent->misses = 0;
	spell(agent, state_column(event), event->time_ns);
	if (agent->state == STW_AGENT_LOGGED_OUT) {
		agent->login_ns = event->time_ns;
		agent->busy_login_ns = agent->busy_ns;
	}
	if (event->agent_state == STW_AGENT_READY)
		agent->idle_since_ns = event->time_ns;
	agent->sequence = event->sequence;
	agent->state = (uint8_t)event->agent_state;
	agent->reason = event->reason;
	agent->until_ns = event->until_ns;
	return 1;
}

int
stw_snapshot_apply(struct stw_snapshot *snapshot, const struct stw_event *event)
{
	int applied;

	switch (event->type) {
	case STW_EVENT_LOST:
		snapshot->head.lost += event->lost;
		return 1;
	case STW_EVENT_AGENT_STATE:
		applied = agent_event(snapshot, event);
		break;
	case STW_EVENT_QUEUED:
	case STW_EVENT_OFFER:
	case STW_EVENT_WITHDRAWN:
	case STW_EVENT_DECLINED:
	case STW_EVENT_TIMED_OUT:
	case STW_EVENT_CONNECTED:
	case STW_EVENT_ENDED:
	case STW_EVENT_ABANDONED:
	case STW_EVENT_EXPIRED:
	case STW_EVENT_MOVED:
	case STW_EVENT_TRANSFERRED:
		applied = contact_event(snapshot, event);
		break;
	default:
		return 0;
	}
	if (applied == 1 && event->time_ns > snapshot->head.last_ns)
		snapshot->head.last_ns = event->time_ns;
	return applied;
}
