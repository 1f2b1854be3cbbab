/* SPDX-License-Identifier: BSD-3-Clause */
#include "stress/linear.h"

#include "support/oracle_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VISITS_MAX 2000000

/* How far one order of the calls has come. */
struct point {
	struct oracle oracle;
	uint32_t done;     /* bits of calls */
	uint32_t extended; /* of those, extensions of a wrap-up that was due and lasts */
	uint32_t room;     /* bits of calls not done: enqueues that have found room */
	uint64_t used;     /* bits of events */
};

/* One search. */
struct search {
	struct linear_history *history;
	struct compare *compare;
	struct stw_acd *acd;
	struct oracle found;
};

static bool
share_life(const struct stw_event *a, const struct stw_event *b)
{
	return (a->contact.id && a->contact.id == b->contact.id) ||
	       (a->agent.id && a->agent.id == b->agent.id);
}

/* The next event, in the engine's order, of the contact or agent that this one is about. */
static int
next_event_like(const struct linear_history *h, uint64_t used, const struct stw_event *event)
{
	for (uint32_t i = 0; i < h->events_count; i++) {
		if (!(used >> i & 1) && share_life(&h->events[i], event))
			return (int)i;
	}
	return -1;
}

/* Use up the events that a step has told; false when the engine told otherwise. */
static bool
use_events(struct search *search, const struct oracle_events *told, uint64_t *used)
{
	struct linear_history *h = search->history;

	for (uint32_t i = 0; i < told->count; i++) {
		int at = next_event_like(h, *used, &told->list[i]);

		if (at < 0 ||
		    !compare_events(search->compare, &h->events[at], 1, &told->list[i], 1, 0))
			return false;
		*used |= UINT64_C(1) << at;
	}
	return true;
}

static bool
is_longest_idle(const struct oracle *o, int agent, int contact)
{
	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		if (oracle_may_take(o, a, contact) &&
		    o->agents[a].since_ns < o->agents[agent].since_ns)
			return false;
	}
	return true;
}

/* The best contact for the agent. One that he has missed comes back only after he is free again, in
 * the same call; until then there is another best. */
static bool
is_best(const struct oracle *o, int agent, int contact)
{
	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		if (oracle_may_take(o, agent, c) &&
		    o->contacts[c].declined_by != o->agents[agent].id &&
		    oracle_is_before(&o->contacts[c], &o->contacts[contact]))
			return false;
	}
	return o->contacts[contact].declined_by != o->agents[agent].id ||
	       oracle_best_contact(o, agent) == contact;
}

static bool
is_fair_match(const struct search *search, const struct oracle *o, int agent, int contact)
{
	return agent != ORACLE_NONE && contact != ORACLE_NONE &&
	       oracle_may_take(o, agent, contact) && is_best(o, agent, contact) &&
	       (search->history->any_idle || is_longest_idle(o, agent, contact));
}

/* Rung beside others, at any time from the ring's first offer on. */
static bool
may_join(const struct oracle *o, int agent, int contact)
{
	const struct oracle_contact *c;

	if (agent == ORACLE_NONE || contact == ORACLE_NONE)
		return false;
	c = &o->contacts[contact];
	return c->state == STW_CONTACT_OFFERED &&
	       c->places_count < o->queues[c->queue].rule.step[c->step].ring_count &&
	       !oracle_place_of(c, agent) && c->declined_by != o->agents[agent].id &&
	       oracle_is_available(o, agent, contact) && oracle_is_eligible(o, agent, contact);
}

/* Calls not done that could be next: nobody returned before they were called. */
static bool
may_be_next(const struct linear_history *h, uint32_t done, uint32_t call)
{
	for (uint32_t i = 0; i < h->calls_count; i++) {
		if (!(done >> i & 1) && h->calls[i].returned < h->calls[call].called)
			return false;
	}
	return !(done >> call & 1);
}

/* Every call done had returned before any of the others began: a quiet instant. */
static bool
is_quiet(const struct linear_history *h, uint32_t done)
{
	uint64_t last_return = 0, first_call = UINT64_MAX;

	for (uint32_t i = 0; i < h->calls_count; i++) {
		if (done >> i & 1)
			last_return = h->calls[i].returned > last_return ? h->calls[i].returned
									 : last_return;
		else
			first_call =
				h->calls[i].called < first_call ? h->calls[i].called : first_call;
	}
	return last_return < first_call;
}

static bool explore(struct search *search, struct point *here);

/* Matches come when the engine's next event of both is that offer. */
static bool
explore_matches(struct search *search, const struct point *here)
{
	struct linear_history *h = search->history;
	const struct oracle *o = &here->oracle;

	for (uint32_t i = 0; i < h->events_count; i++) {
		const struct stw_event *event = &h->events[i];
		struct oracle_events told = {.count = 0};
		struct point next;
		int agent, contact;
		bool joins;

		if (here->used >> i & 1 || event->type != STW_EVENT_OFFER)
			continue;
		agent = oracle_agent_find(o, event->agent.id);
		contact = oracle_contact_find(o, event->contact.id);
		joins = may_join(o, agent, contact);
		if (!joins && !is_fair_match(search, o, agent, contact))
			continue;
		next = *here;
		oracle_events = &told;
		if (joins)
			oracle_place_add(&next.oracle, agent, contact, event->time_ns);
		else
			oracle_offer(&next.oracle, agent, contact, event->time_ns);
		oracle_settle_counts(&next.oracle);
		if (use_events(search, &told, &next.used) && explore(search, &next))
			return true;
	}
	return false;
}

static bool
overlap(const struct linear_call *a, const struct linear_call *b)
{
	return a->called < b->returned && b->called < a->returned;
}

/* The header allows a second re-prioritise of a contact at the same moment to be refused. */
static bool
may_be_busy(const struct linear_history *h, uint32_t call)
{
	const struct linear_call *this = &h->calls[call];

	for (uint32_t i = 0; i < h->calls_count; i++) {
		if (i != call && h->calls[i].step.kind == STEP_REPRIORITISE &&
		    h->calls[i].step.contact == this->step.contact && overlap(&h->calls[i], this))
			return this->step.kind == STEP_REPRIORITISE && this->step.result == -EBUSY;
	}
	return false;
}

/* A place is free again when the call that ends a contact returns, not before; and who is about to be
 * refused may take one for a moment. So each call under way may hold one. */
static bool
may_be_full(const struct linear_history *h, uint32_t call, const struct oracle *o, int queue)
{
	const struct linear_call *this = &h->calls[call];
	uint32_t held = 0, known = 0;

	if (this->step.kind != STEP_ENQUEUE || this->step.result != -ENOSPC || queue == ORACLE_NONE)
		return false;
	for (uint32_t i = 0; i < h->calls_count; i++)
		held += i != call && overlap(&h->calls[i], this);
	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++)
		known += o->contacts[c].known;
	return held &&
	       (known + held >= o->contacts_max ||
		(o->queues[queue].rule.length_max &&
		 o->queues[queue].stats.waiting + held >= o->queues[queue].rule.length_max));
}

static bool
has_room(const struct oracle *o, int queue)
{
	uint32_t known = 0;

	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++)
		known += o->contacts[c].known;
	return known < o->contacts_max &&
	       (!o->queues[queue].rule.length_max ||
		o->queues[queue].stats.waiting < o->queues[queue].rule.length_max);
}

/* Enqueues that may be under way by now and find room. */
static void
note_room(const struct linear_history *h, struct point *here)
{
	for (uint32_t i = 0; i < h->calls_count; i++) {
		const struct step *step = &h->calls[i].step;
		int queue = oracle_queue_find(&here->oracle, step->request.queue.id);

		if (step->kind == STEP_ENQUEUE && !step->result && queue != ORACLE_NONE &&
		    may_be_next(h, here->done, i) && has_room(&here->oracle, queue))
			here->room |= UINT32_C(1) << i;
	}
}

/*
 * The header lets a contact come that has found room in its queue, though others were put back there before it came.
 * There is room in the engine, as it has its place there.
 */
static bool
explore_late_arrival(struct search *search, const struct point *here, uint32_t call)
{
	const struct step *step = &search->history->calls[call].step;
	int queue = oracle_queue_find(&here->oracle, step->request.queue.id);
	struct oracle_events told = {.count = 0};
	struct point next = *here;
	uint32_t *length_max;
	uint64_t next_ns;

	if (!(here->room >> call & 1) || has_room(&here->oracle, queue))
		return false;
	length_max = &next.oracle.queues[queue].rule.length_max;
	next.done |= UINT32_C(1) << call;
	oracle_events = &told;
	*length_max = 0;
	if (step_oracle(&next.oracle, step, &next_ns))
		return false;
	*length_max = here->oracle.queues[queue].rule.length_max;
	return use_events(search, &told, &next.used) && explore(search, &next);
}

static bool
is_in_due_wrap_up(const struct oracle *o, const struct step *step)
{
	int agent = oracle_agent_find(o, step->agent);

	return agent != ORACLE_NONE && o->agents[agent].state == STW_AGENT_WRAP_UP &&
	       o->agents[agent].rests_until_ns <= step->now_ns;
}

/* The wrap-ups that are over by now need not be remembered. */
static void
forget_extended(const struct linear_history *h, struct point *point)
{
	for (uint32_t i = 0; i < h->calls_count; i++) {
		int agent = oracle_agent_find(&point->oracle, h->calls[i].step.agent);

		if (agent == ORACLE_NONE || point->oracle.agents[agent].state != STW_AGENT_WRAP_UP)
			point->extended &= ~(UINT32_C(1) << i);
	}
}

/* What the headers allow only because other calls are under way: nothing changed. */
static bool
explore_allowed(struct search *search, const struct point *here, uint32_t call)
{
	const struct linear_history *h = search->history;
	int queue = oracle_queue_find(&here->oracle, h->calls[call].step.request.queue.id);
	bool full = may_be_full(h, call, &here->oracle, queue);
	struct point next;

	if (!full && !may_be_busy(h, call))
		return false;
	next = *here;
	next.done |= UINT32_C(1) << call;
	if (full) {
		next.oracle.queues[queue].stats.offered++;
		next.oracle.queues[queue].stats.refused++;
	}
	return explore(search, &next);
}

/*
 * The header lets an advance end a wrap-up at its old end though it was extended meanwhile: the advance was under way
 * beside the extension and the old end was due. Others, who began after the extension, go by the new end.
 */
static bool
explore_old_end(struct search *search, const struct point *here, uint32_t call)
{
	const struct linear_history *h = search->history;
	const struct step *step = &h->calls[call].step;

	if (step->kind != STEP_ADVANCE || step->result != 1)
		return false;
	for (uint32_t i = 0; i < h->calls_count; i++) {
		struct oracle_events told = {.count = 0};
		struct point next = *here;

		if (!(here->extended >> i & 1) || !overlap(&h->calls[i], &h->calls[call]))
			continue;
		next.done |= UINT32_C(1) << call;
		oracle_events = &told;
		oracle_agent_enter(&next.oracle,
				   oracle_agent_find(&next.oracle, h->calls[i].step.agent),
				   STW_AGENT_READY, 0, step->now_ns);
		forget_extended(h, &next);
		if (use_events(search, &told, &next.used) && explore(search, &next))
			return true;
	}
	return false;
}

static bool
explore_call(struct search *search, const struct point *here, uint32_t call)
{
	const struct step *step = &search->history->calls[call].step;
	bool was_due = step->kind == STEP_EXTEND && !step->result &&
		       is_in_due_wrap_up(&here->oracle, step);
	struct oracle_choices choices = {.made = 0};

	if (explore_allowed(search, here, call) || explore_old_end(search, here, call) ||
	    explore_late_arrival(search, here, call))
		return true;
	do {
		struct oracle_events told = {.count = 0};
		struct point next = *here;
		uint64_t next_ns;

		next.done |= UINT32_C(1) << call;
		oracle_events = &told;
		oracle_choices = &choices;
		if (step_oracle(&next.oracle, step, &next_ns) != step->result)
			continue;
		next.extended |= (uint32_t)was_due << call;
		forget_extended(search->history, &next);
		if (use_events(search, &told, &next.used) && explore(search, &next))
			return true;
	} while (oracle_choices_next(&choices));
	return false;
}

/* Whether all calls and events in this order end in what the engine shows. */
static bool
ends_alike(struct search *search, const struct oracle *o)
{
	struct linear_history *h = search->history;

	if (oracle_can_match(o)) {
		snprintf(h->unlike, sizeof(h->unlike), "somebody could still be matched");
		return false;
	}
	if (compare_statuses(search->compare, search->acd, o) &&
	    compare_stats(search->compare, search->acd, o))
		return true;
	snprintf(h->unlike, sizeof(h->unlike), "%.*s", (int)sizeof(h->unlike) - 1,
		 search->compare->problem);
	return false;
}

static bool
explore(struct search *search, struct point *here)
{
	struct linear_history *h = search->history;
	uint64_t all_events = h->events_count ? UINT64_MAX >> (64 - h->events_count) : 0;

	if (h->visited++ > VISITS_MAX)
		return false;
	note_room(h, here);
	if (here->done == (UINT32_C(1) << h->calls_count) - 1 && here->used == all_events &&
	    ends_alike(search, &here->oracle)) {
		search->found = here->oracle;
		return true;
	}
	if (explore_matches(search, here))
		return true;
	if (is_quiet(h, here->done) && oracle_can_match(&here->oracle))
		return false;
	for (uint32_t call = 0; call < h->calls_count; call++) {
		if (may_be_next(h, here->done, call) && explore_call(search, here, call))
			return true;
	}
	return false;
}

bool
linear_explain(struct linear_history *history, struct oracle *oracle, struct compare *compare,
	       struct stw_acd *acd)
{
	struct search search = {.history = history, .compare = compare, .acd = acd};
	struct point start = {.oracle = *oracle};

	history->visited = 0;
	history->unlike[0] = '\0';
	start.oracle.settles = false;
	if (!explore(&search, &start))
		return false;
	*oracle = search.found;
	oracle->settles = true;
	return true;
}

static size_t
house_text(const struct oracle *o, char *text, size_t bytes)
{
	size_t used = 0;

	for (int q = 0; q < ORACLE_QUEUES_MAX && used < bytes; q++) {
		const struct oracle_queue_rule *rule = &o->queues[q].rule;

		if (o->queues[q].defined)
			used += (size_t)snprintf(
				text + used, bytes - used,
				"  queue %" PRIx64 ": %" PRIu64 " wait, %u at most,"
				" wrap-up %" PRIu64 ", rings %u\n",
				o->queues[q].id, o->queues[q].stats.waiting, rule->length_max,
				rule->wrap_up_ns, rule->step[0].ring_count);
	}
	for (int a = 0; a < ORACLE_AGENTS_MAX && used < bytes; a++) {
		const struct oracle_agent *agent = &o->agents[a];

		if (agent->defined)
			used += (size_t)snprintf(text + used, bytes - used,
						 "  agent %" PRIx64 ": state %d since %" PRIu64
						 " until %" PRIu64 ", %u misses of %u\n",
						 agent->id, agent->state, agent->since_ns,
						 agent->rests_until_ns, agent->misses,
						 agent->rule.misses_max);
	}
	for (int c = 0; c < ORACLE_CONTACTS_MAX && used < bytes; c++) {
		const struct oracle_contact *contact = &o->contacts[c];

		if (contact->known)
			used += (size_t)snprintf(
				text + used, bytes - used,
				"  contact %" PRIx64 ": queue %" PRIx64 " state %d rank %" PRId64
				" missed by %" PRIx64 " rings until %" PRIu64 "\n",
				contact->id, o->queues[contact->queue].id, contact->state,
				contact->rank_ns, contact->declined_by, contact->rings_until_ns);
	}
	return used < bytes ? used : bytes;
}

void
linear_text(const struct linear_history *h, const struct oracle *o, char *text, size_t bytes)
{
	size_t used = house_text(o, text, bytes);
	char line[300];

	if (used < bytes)
		used += (size_t)snprintf(text + used, bytes - used,
					 "  %" PRIu64
					 " orders begun, ends unlike the engine's: %s\n",
					 h->visited, h->unlike[0] ? h->unlike : "none reached");
	for (uint32_t i = 0; i < h->calls_count && used < bytes; i++) {
		step_text(&h->calls[i].step, line, sizeof(line));
		used += (size_t)snprintf(text + used, bytes - used,
					 "  %" PRIu64 "..%" PRIu64 " %s\n", h->calls[i].called,
					 h->calls[i].returned, line);
	}
	for (uint32_t i = 0; i < h->events_count && used < bytes; i++) {
		const struct stw_event *e = &h->events[i];

		used += (size_t)snprintf(text + used, bytes - used,
					 "  event type=%d contact=%" PRIx64 " agent=%" PRIx64
					 " state=%d reason=%u offer=%" PRIu64 "\n",
					 e->type, e->contact.id, e->agent.id, e->agent_state,
					 e->reason, e->offer.number);
	}
}
