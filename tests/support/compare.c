/* SPDX-License-Identifier: BSD-3-Clause */
#include "compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool __attribute__((format(printf, 2, 3)))
differs(struct compare *compare, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(compare->problem, sizeof(compare->problem), format, arguments);
	va_end(arguments);
	return false;
}

static bool
is_same_offer(struct compare *compare, const struct stw_event *got, const struct stw_event *wanted)
{
	uint64_t *number = &compare->number[wanted->offer.number % COMPARE_OFFERS];

	if (got->offer.contact.id != wanted->offer.contact.id)
		return false;
	if (!wanted->offer.number)
		return !got->offer.number;
	if (got->type != STW_EVENT_OFFER)
		return !*number || got->offer.number == *number;
	*number = got->offer.number;
	return got->offer.number != 0;
}

static bool
is_same_event(struct compare *compare, const struct stw_event *got, const struct stw_event *wanted)
{
	return got->type == wanted->type && got->agent_state == wanted->agent_state &&
	       got->reason == wanted->reason && got->cause == wanted->cause &&
	       got->queue_to.id == wanted->queue_to.id && got->value == wanted->value &&
	       got->urgency == wanted->urgency && got->step == wanted->step &&
	       got->time_ns == wanted->time_ns && got->wait_ns == wanted->wait_ns &&
	       got->contact.id == wanted->contact.id && got->agent.id == wanted->agent.id &&
	       got->queue.id == wanted->queue.id && got->contact_cookie == wanted->contact_cookie &&
	       got->agent_cookie == wanted->agent_cookie &&
	       got->queue_cookie == wanted->queue_cookie && got->lost == wanted->lost &&
	       is_same_offer(compare, got, wanted);
}

static bool
share_life(const struct stw_event *a, const struct stw_event *b)
{
	return (a->contact.id && a->contact.id == b->contact.id) ||
	       (a->agent.id && a->agent.id == b->agent.id);
}

static void
event_text(const struct stw_event *e, char *text, size_t bytes)
{
	snprintf(text, bytes,
		 "type=%d contact=%" PRIx64 " agent=%" PRIx64 " queue=%" PRIx64
		 " state=%d reason=%u"
		 " offer=%" PRIx64 "/%" PRIu64 " class=%u,%u step=%u t=%" PRIu64 " wait=%" PRIu64,
		 e->type, e->contact.id, e->agent.id, e->queue.id, e->agent_state, e->reason,
		 e->offer.contact.id, e->offer.number, e->value, e->urgency, e->step, e->time_ns,
		 e->wait_ns);
}

/* The first event wanted that is this one; what it may not overtake stands before it. */
static int
find_event(struct compare *compare, const struct stw_event *got, const struct stw_event *wanted,
	   uint32_t count, const bool *used, bool may_skip)
{
	for (uint32_t i = 0; i < count; i++) {
		if (used[i])
			continue;
		if (is_same_event(compare, got, &wanted[i]))
			return (int)i;
		if (!may_skip && share_life(got, &wanted[i]))
			return -1;
	}
	return -1;
}

static bool
not_expected(struct compare *compare, const struct stw_event *got, const struct stw_event *wanted,
	     uint32_t count, const bool *used)
{
	char text[300], other[300] = "none";
	uint32_t i = 0;

	while (i < count && (used[i] || !share_life(got, &wanted[i])))
		i++;
	event_text(got, text, sizeof(text));
	if (i < count)
		event_text(&wanted[i], other, sizeof(other));
	return differs(compare, "told: %s\nexpected of these two: %s", text, other);
}

bool
compare_events(struct compare *compare, const struct stw_event *got, uint32_t got_count,
	       const struct stw_event *wanted, uint32_t wanted_count, uint64_t lost)
{
	bool *used = calloc(wanted_count + 1, sizeof(*used));
	char text[300];
	uint64_t left = wanted_count;
	bool same = true;

	for (uint32_t i = 0; i < got_count && same; i++) {
		int at = find_event(compare, &got[i], wanted, wanted_count, used, lost > 0);

		if (at < 0) {
			same = not_expected(compare, &got[i], wanted, wanted_count, used);
		} else {
			used[at] = true;
			left--;
		}
	}
	for (uint32_t i = 0; i < wanted_count && same && left != lost; i++) {
		if (!used[i]) {
			event_text(&wanted[i], text, sizeof(text));
			same = differs(compare, "%" PRIu64 " missing, %" PRIu64 " lost: %s", left,
				       lost, text);
		}
	}
	if (same && left != lost)
		same = differs(compare, "%" PRIu64 " events missing, %" PRIu64 " lost", left, lost);
	free(used);
	return same;
}

/* What the agent's slots hold, and what they leave open. */
static bool
compare_seats(struct compare *compare, const struct oracle *o, const struct oracle_agent *agent,
	      const struct stw_agent_status *status)
{
	int index = (int)(agent - o->agents);
	uint32_t talking = 0, open = 0;
	uint32_t wrapping = agent->wraps_count + (agent->state == STW_AGENT_WRAP_UP);

	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		const struct oracle_contact *contact = &o->contacts[c];
		bool listed = false;

		if (!contact->known || contact->state != STW_CONTACT_CONNECTED ||
		    contact->agent != index)
			continue;
		talking++;
		for (uint32_t i = 0; i < status->connected; i++)
			listed |= status->connected_ids[i] == contact->id;
		if (!listed)
			return differs(compare, "agent %" PRIx64 " does not show contact %" PRIx64,
				       agent->id, contact->id);
	}
	for (uint32_t channel = 0; channel < STW_CHANNEL_COUNT; channel++)
		open |= oracle_is_open(o, index, channel) ? UINT32_C(1) << channel : 0;
	if (status->connected != talking || status->wrapping != wrapping || status->open != open)
		return differs(compare,
			       "agent %" PRIx64 ": %u connected, %u in wrap-up, open %x, expected"
			       " %u %u %x",
			       agent->id, status->connected, status->wrapping, status->open,
			       talking, wrapping, open);
	return true;
}

static bool
compare_agent(struct compare *compare, struct stw_acd *acd, const struct oracle *o,
	      const struct oracle_agent *agent)
{
	uint64_t contact = agent->contact == ORACLE_NONE ? 0 : o->contacts[agent->contact].id;
	enum stw_agent_state state = oracle_agent_state(agent);
	uint64_t since_ns = state == STW_AGENT_READY ? agent->idle_ns : agent->since_ns;
	struct stw_agent_status status;
	int result = stw_agent_status(acd, (struct stw_agent){agent->id}, &status);

	if (result)
		return differs(compare, "status of agent %" PRIx64 ": %d", agent->id, result);
	if (!contact && oracle_talking(agent))
		contact = status.contact_id;
	if (status.state != state || status.contact_id != contact)
		return differs(compare,
			       "agent %" PRIx64 ": state %d contact %" PRIx64
			       ", expected state %d contact %" PRIx64,
			       agent->id, status.state, status.contact_id, state, contact);
	if (!compare_seats(compare, o, agent, &status))
		return false;
	if (status.reason != agent->reason || status.since_ns != since_ns ||
	    status.contacts != agent->contacts || status.busy_ns != agent->busy_ns)
		return differs(compare,
			       "agent %" PRIx64 " (state %d): reason %u since %" PRIu64
			       " contacts %" PRIu64 " busy %" PRIu64 ", expected %u %" PRIu64
			       " %" PRIu64 " %" PRIu64,
			       agent->id, agent->state, status.reason, status.since_ns,
			       status.contacts, status.busy_ns, agent->reason, since_ns,
			       agent->contacts, agent->busy_ns);
	return true;
}

static bool
compare_contact(struct compare *compare, struct stw_acd *acd, const struct oracle *o,
		const struct oracle_contact *contact)
{
	uint64_t agent = contact->agent == ORACLE_NONE ? 0 : o->agents[contact->agent].id;
	struct stw_contact_status status;
	int result = stw_contact_status(acd, (struct stw_contact){contact->id}, &status);

	if (result)
		return differs(compare, "status of contact %" PRIx64 ": %d", contact->id, result);
	if (status.state != contact->state || status.agent.id != agent ||
	    status.queue.id != o->queues[contact->queue].id)
		return differs(compare,
			       "contact %" PRIx64 ": state %d agent %" PRIx64
			       ", expected state %d agent %" PRIx64,
			       contact->id, status.state, status.agent.id, contact->state, agent);
	if (status.step != contact->step)
		return differs(compare, "contact %" PRIx64 " stands at step %u, expected %u",
			       contact->id, status.step, contact->step);
	if (status.entered_ns != contact->entered_ns ||
	    status.preferred.id != (contact->in_person && contact->agent == ORACLE_NONE
					    ? contact->preferred
					    : 0) ||
	    status.enqueue_ns != contact->enqueue_ns || status.cookie != contact->cookie ||
	    (!contact->red && status.rank_ns != contact->rank_ns))
		return differs(compare,
			       "contact %" PRIx64 ": came %" PRIu64 " rank %" PRId64
			       ", expected %" PRIu64 " %" PRId64,
			       contact->id, status.enqueue_ns, status.rank_ns, contact->enqueue_ns,
			       contact->rank_ns);
	return true;
}

bool
compare_statuses(struct compare *compare, struct stw_acd *acd, const struct oracle *o)
{
	for (int a = 0; a < ORACLE_AGENTS_MAX; a++) {
		if (o->agents[a].defined && !compare_agent(compare, acd, o, &o->agents[a]))
			return false;
	}
	for (int c = 0; c < ORACLE_CONTACTS_MAX; c++) {
		if (o->contacts[c].known && !compare_contact(compare, acd, o, &o->contacts[c]))
			return false;
	}
	return true;
}

static bool
compare_counters(struct compare *compare, const char *whose, const struct stw_queue_stats *got,
		 const struct stw_queue_stats *wanted)
{
	const uint64_t *a = (const uint64_t *)got, *b = (const uint64_t *)wanted;

	if (got->offered != got->answered + got->abandoned + got->overflowed + got->timed_out +
				    got->deflected + got->refused + got->waiting + got->ringing)
		return differs(compare, "counters of %s do not conserve", whose);
	for (size_t i = 0; i < sizeof(*got) / sizeof(*a); i++) {
		if (a[i] != b[i])
			return differs(compare, "counter %zu of %s: %" PRIu64 ", expected %" PRIu64,
				       i, whose, a[i], b[i]);
	}
	return true;
}

bool
compare_stats(struct compare *compare, struct stw_acd *acd, const struct oracle *o)
{
	struct stw_acd_stats got, wanted;
	char whose[40];

	for (int q = 0; q < ORACLE_QUEUES_MAX; q++) {
		struct stw_queue_stats stats;
		int result;

		if (!o->queues[q].defined)
			continue;
		result = stw_queue_stats(acd, (struct stw_queue){o->queues[q].id}, &stats);
		snprintf(whose, sizeof(whose), "queue %" PRIx64, o->queues[q].id);
		if (result)
			return differs(compare, "stats of %s: %d", whose, result);
		if (!compare_counters(compare, whose, &stats, &o->queues[q].stats))
			return false;
	}
	oracle_stats(o, &wanted);
	stw_acd_stats(acd, &got);
	if (got.agents_logged_in != wanted.agents_logged_in ||
	    got.agents_ready != wanted.agents_ready || got.contacts != wanted.contacts)
		return differs(compare,
			       "engine: %" PRIu64 " logged in, %" PRIu64 " ready, %" PRIu64
			       " contacts, expected %" PRIu64 " %" PRIu64 " %" PRIu64,
			       got.agents_logged_in, got.agents_ready, got.contacts,
			       wanted.agents_logged_in, wanted.agents_ready, wanted.contacts);
	return compare_counters(compare, "the engine", &got.queues, &wanted.queues);
}
