/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Announcing: the event that a word of a contact or agent brings, and the timer that goes with it. A
 * contact's WAITING word brings an event only for a journal, else only a timer (due.c); without a
 * journal it may be changed unannounced.
 *
 * Rule: nobody changes a word before that word is announced; who wants to change it announces it
 * himself if `told` says that it may not have been. So the events of one contact, or of one agent's states, enter the
 * event queue in the order of its life, though nobody waits for the thread that made the change; what
 * two threads both announce the taker hands out once (event_queue.c). An agent's word is changed
 * after a contact is over only when that contact's event is in, so events keep that order, too.
 *
 * I1  told is the version (stamp) of a word whose events are all in the queue, or counted as lost.
 * I2  An event's fields are of the contact's life that its word belongs to: the word is read again
 *     after the fields.
 *
 * Both calls may overlap everything. A retry means that another thread moved told on: lock-free. The
 * time in the event is that of the call that announced, in practice the one that made the change.
 * A timer that was set twice, or for a word that has passed, is harmless: its ref is that word.
 *
 *  label  where        order    pairs with  without it
 *  A1     told: raise  release  A2          the word is changed before its event is in
 *  A2     told: read   acquire  A1          same, seen from who changes the word
 */
#include "ring.h"

/* Bits for which of the events of a word it is. */
#define NTH_BITS 4

static_assert(ACD_TOLD_MAX <= 1 << NTH_BITS, "events of one word are told apart");

/* Sequence of a contact's event: word by word, the events of one word apart; compared over the wrap. */
static uint64_t
contact_sequence(uint64_t word, uint32_t nth)
{
	return (word_version(word) << NTH_BITS | nth) << (64 - ACD_VERSION_BITS - NTH_BITS);
}

static void
event_agent_fill(struct stw_acd *acd, struct stw_event *event, uint32_t a)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);

	if (!agent)
		return;
	event->agent.id = acd_handle(a, agent->generation);
	event->agent_cookie = agent->cookie;
}

/* In time is what counts so in the queue: an answer, or an abandonment that is a short one. */
static bool
is_in_time(const struct acd_queue_description *queue, uint64_t word, uint64_t wait_ns)
{
	switch (word_state(word)) {
	case ACD_CONTACT_CONNECTED:
		return wait_ns <= queue->service_level_ns;
	case ACD_CONTACT_WITHDRAWN:
	case ACD_CONTACT_CANCELLED:
		return word_step(word) == STW_CAUSE_HOST && wait_ns <= queue->short_abandon_ns;
	case ACD_CONTACT_RING_CLOSING:
		return ring_closed_by(word, ACD_RING_CANCELLED) &&
		       wait_ns <= queue->short_abandon_ns;
	default:
		return false;
	}
}

/* What is counted without an event, who waits in the queue tells of. */
static void
event_newcomers_fill(struct stw_acd *acd, struct stw_event *event, uint32_t q)
{
	event->refused = counters_read(&acd->counters, q, ACD_COUNT_REFUSED);
	event->refused_unstaffed = counters_read(&acd->counters, q, ACD_COUNT_REFUSED_UNSTAFFED);
	event->deflected = counters_read(&acd->counters, q, ACD_COUNT_DEFLECTED);
	event->overflowed = counters_read(&acd->counters, q, ACD_COUNT_OVERFLOWED);
	event->callbacks_offered = counters_read(&acd->counters, q, ACD_COUNT_CALLBACKS_OFFERED);
	event->callbacks = counters_read(&acd->counters, q, ACD_COUNT_CALLBACKS);
	event->resumed = counters_read(&acd->counters, q, ACD_COUNT_RESUMED);
	event->repeats = counters_read(&acd->counters, q, ACD_COUNT_REPEATS);
	event->resolution_reported = counters_read(&acd->counters, q, ACD_COUNT_REPORTED);
	event->resolved = counters_read(&acd->counters, q, ACD_COUNT_RESOLVED);
}

/* How the contact stands in its queue; of one that moves, in the queue that it goes to. */
static void
event_stay_fill(struct acd_contact *contact, struct stw_event *event, uint64_t word)
{
	unsigned side = word_side(word_contact_settled(word));

	event->rank_ns = (int64_t)acd_field_read((_Atomic uint64_t *)&contact->rank_ns[side]);
	event->entered_ns = acd_field_read(&contact->entered_ns[side]);
	if (!word_contact_in_person(word))
		return;
	event->preferred.id = acd_field_read(&contact->preferred[side]);
	event->preferred_until_ns = acd_field_read(&contact->preferred_until_ns[side]);
}

void
acd_event_contact_fill(struct stw_acd *acd, struct stw_event *event, uint32_t c, uint64_t word)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint32_t q = acd_contact_queue(acd, c, word);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint32_t class = acd_field_read_32(&contact->class[word_side(word)]);

	event->callback = acd_contact_is_callback(acd, c);
	event->value = (uint8_t)(class / STW_CLASS_COUNT);
	event->urgency = class % STW_CLASS_COUNT;
	event->enqueue_ns = acd_field_read(&contact->enqueue_ns);
	event->wait_ns = acd_elapsed(event->enqueue_ns, event->time_ns);
	event->step = (uint8_t)word_step_open(word);
	event->credit_ns = acd_field_read(&contact->credit_ns);
	event->arrival = acd_field_read(&contact->arrival);
	event->contact_for.id = acd_field_read(&contact->partner);
	event->customer_key = acd_customer_name(acd, q, acd_field_read(&contact->customer));
	event_stay_fill(contact, event, word);
	event->contact.id = acd_handle(c, acd_field_read_32(&contact->generation));
	event->contact_cookie = acd_field_read(&contact->cookie);
	if (queue) {
		event->queue.id = acd_handle(q, queue->generation);
		event->queue_cookie = queue->cookie;
		event->in_time = is_in_time(
			queue, word,
			acd_elapsed(acd_field_read(&contact->entered_ns[word_side(word)]),
				    event->time_ns));
	}
	if (word_state(word) == ACD_CONTACT_WAITING && acd->config.journal)
		event_newcomers_fill(acd, event, q);
}

/* Of a contact that left before it was connected. */
struct acd_told_event
acd_leave_event(enum stw_cause cause)
{
	return (struct acd_told_event){
		.type = cause == STW_CAUSE_HOST ? STW_EVENT_ABANDONED : STW_EVENT_EXPIRED,
		.cause = cause,
		.agent = ACD_AGENT_NONE,
	};
}

/* Where a contact that moves goes to: the queue of its other side. */
static struct stw_queue
queue_to(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	uint32_t q = acd_contact_queue(acd, c, word ^ ACD_SIDE_BIT);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);

	return (struct stw_queue){queue ? acd_handle(q, queue->generation) : 0};
}

/* Number of the offer by which a contact is connected: the agent's hold says it, while it is. */
static uint64_t
connected_offer(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	uint64_t hold = acd_word_read(&acd->agents[word_slot(word)].word);

	if (word_state(hold) == ACD_AGENT_HOLD && word_slot(hold) == c)
		return offer_number(word_version(hold), word_ring(hold));
	return (word_version(word) - 1) & ACD_VERSION_MASK;
}

/* Events of a contact's word; returns how many. */
static uint32_t
events_of(struct stw_acd *acd, uint32_t c, uint64_t word, struct acd_told_event *events)
{
	uint64_t before = (word_version(word) - 1) & ACD_VERSION_MASK;
	struct acd_told_event event = {.agent = word_slot(word)};

	switch (word_state(word)) {
	case ACD_CONTACT_WAITING:
		event.type = STW_EVENT_QUEUED;
		break;
	case ACD_CONTACT_OFFERED:
		event.type = STW_EVENT_OFFER;
		event.offer = word_version(word);
		break;
	case ACD_CONTACT_CONNECTED:
		event.type = STW_EVENT_CONNECTED;
		event.offer = connected_offer(acd, c, word);
		break;
	case ACD_CONTACT_DECLINED:
		event.type = STW_EVENT_DECLINED;
		event.reason = acd_field_read_32(&acd->contacts[c].reason);
		event.offer = before;
		break;
	case ACD_CONTACT_TIMED_OUT:
		event.type = STW_EVENT_TIMED_OUT;
		event.offer = before;
		break;
	case ACD_CONTACT_WITHDRAWN:
		event.type = STW_EVENT_WITHDRAWN;
		event.offer = before;
		events[1] = acd_leave_event((enum stw_cause)word_step(word));
		break;
	case ACD_CONTACT_ENDING:
		event.type = STW_EVENT_ENDED;
		event.cause = (enum stw_cause)word_step(word);
		break;
	case ACD_CONTACT_MOVING:
		event.type =
			word_slot(word) == ACD_AGENT_NONE ? STW_EVENT_MOVED : STW_EVENT_TRANSFERRED;
		break;
	case ACD_CONTACT_RINGING:
	case ACD_CONTACT_RING_CLOSING:
		return acd_ring_events(acd, c, word, events);
	default:
		event = acd_leave_event((enum stw_cause)word_step(word));
		break;
	}
	events[0] = event;
	return word_state(word) == ACD_CONTACT_WITHDRAWN ? 2 : 1;
}

/* Push one of the events of a word; false: it is lost. */
static bool
event_push(struct stw_acd *acd, uint32_t c, uint64_t sequence, const struct stw_event *common,
	   const struct acd_told_event *told)
{
	struct stw_event event = *common;

	event.type = told->type;
	event.cause = told->cause;
	event.sequence = sequence;
	event.reason = told->reason;
	if (told->agent != ACD_AGENT_NONE)
		event_agent_fill(acd, &event, told->agent);
	if (told->offer) {
		event.offer.contact = event.contact;
		event.offer.number = told->offer;
	}
	return event_queue_push(&acd->events, c, sequence, &event);
}

/* Move told on to the word. */
static void
contact_told(struct acd_contact *contact, uint64_t word)
{
	uint64_t told = atomic_load_explicit(&contact->told, memory_order_relaxed);

	while (word_version_after(word_version(word), told)) {
		/* A1, pairs with A2 */
		if (atomic_compare_exchange_weak_explicit(&contact->told, &told, word_version(word),
							  memory_order_release,
							  memory_order_relaxed))
			return;
	}
}

void
acd_announce_contact(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns)
{
	struct acd_contact *contact = &acd->contacts[c];
	struct acd_told_event events[ACD_TOLD_MAX];
	struct stw_event common = {.time_ns = now_ns};
	uint32_t lost = 0;
	uint32_t count;
	uint64_t told;

	/* A2, pairs with A1 */
	told = atomic_load_explicit(&contact->told, memory_order_acquire);
	if (word_state(word) == ACD_CONTACT_FREE || !word_version_after(word_version(word), told))
		return;
	if (!word_contact_closing(word))
		acd_contact_arm(acd, c, word, now_ns);
	if (word_state(word) == ACD_CONTACT_WAITING && !acd->config.journal) {
		contact_told(contact, word);
		return;
	}
	acd_event_contact_fill(acd, &common, c, word);
	if (word_state(word) == ACD_CONTACT_MOVING)
		common.queue_to = queue_to(acd, c, word);
	if (word_state(word) == ACD_CONTACT_ENDING && word_step(word) == STW_CAUSE_TRANSFER)
		common.contact_to.id = acd_field_read(&contact->successor);
	count = events_of(acd, c, word, events);
	if (acd_word_read(&contact->word) != word)
		return;
	for (uint32_t i = 0; i < count; i++)
		lost += !event_push(acd, c, contact_sequence(word, i), &common, &events[i]);
	if (lost)
		event_queue_lose(&acd->events, lost);
	contact_told(contact, word);
}

static void
agent_told(struct acd_agent *agent, uint64_t word)
{
	uint64_t told = atomic_load_explicit(&agent->told, memory_order_relaxed);

	while (word_stamp(word) > told) {
		/* A1, pairs with A2 */
		if (atomic_compare_exchange_weak_explicit(&agent->told, &told, word_stamp(word),
							  memory_order_release,
							  memory_order_relaxed))
			return;
	}
}

void
acd_announce_agent(struct stw_acd *acd, uint32_t a, uint64_t word, uint64_t now_ns)
{
	struct acd_agent *agent = &acd->agents[a];
	struct stw_event event = {.type = STW_EVENT_AGENT_STATE, .time_ns = now_ns};
	uint32_t position;
	uint64_t told;

	/* A2, pairs with A1 */
	told = atomic_load_explicit(&agent->told, memory_order_acquire);
	if (word_state(word) == ACD_AGENT_HOLD || word & ACD_QUIET_BIT || word_stamp(word) <= told)
		return;
	if (word_state(word) == ACD_AGENT_WRAP_UP || word_state(word) == ACD_AGENT_PAUSED) {
		acd_timer_set(acd, a | ACD_TIMER_AGENT, word,
			      atomic_load_explicit(&agent->until_ns, memory_order_relaxed),
			      ACD_TIMER_PLAIN, &position);
		atomic_store_explicit(&agent->timer_position, position, memory_order_relaxed);
	}
	event_agent_fill(acd, &event, a);
	event.agent_state = acd_agent_state_of(word);
	event.reason = word_reason(word);
	event.sequence = word_stamp(word);
	if (word_state(word) == ACD_AGENT_WRAP_UP || word_state(word) == ACD_AGENT_PAUSED)
		event.until_ns = atomic_load_explicit(&agent->until_ns, memory_order_relaxed);
	if (acd_word_read(&agent->word) != word)
		return;
	if (!event_queue_push(&acd->events, acd->config.contacts_max + a, event.sequence, &event))
		event_queue_lose(&acd->events, 1);
	agent_told(agent, word);
}
