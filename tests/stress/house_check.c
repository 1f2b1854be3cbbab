/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must hold at a quiet point: nobody is missed, counters conserve, the ledger and the statuses
 * agree, and each offer was answered once.
 */
#include "stress/house.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The house as its statuses show it. */
struct picture {
	uint32_t contacts;
	struct stw_agent_status agents[HOUSE_AGENTS_MAX];
	uint64_t ids[HOUSE_CONTACTS_MAX];
	struct stw_contact_status statuses[HOUSE_CONTACTS_MAX];
};

static bool __attribute__((format(printf, 2, 3)))
wrong(struct house *house, const char *format, ...)
{
	va_list arguments;

	if (house->problem[0])
		return false;
	va_start(arguments, format);
	vsnprintf(house->problem, sizeof(house->problem), format, arguments);
	va_end(arguments);
	return false;
}

static void
restore_box(struct house *house, uint32_t slot, uint64_t id,
	    const struct stw_contact_status *status)
{
	struct house_box *box = &house->boxes[slot];

	if (status->state == STW_CONTACT_CONNECTED)
		atomic_store_explicit(&box->talking, id, memory_order_relaxed);
	else
		atomic_store_explicit(&box->waiting, id, memory_order_relaxed);
}

static bool
look(struct house *house, struct picture *picture)
{
	memset(picture, 0, sizeof(*picture));
	for (uint32_t a = 0; a < house->plan.agents; a++) {
		if (stw_agent_status(house->acd, house->agents[a], &picture->agents[a]))
			return wrong(house, "agent %u has no status", a);
	}
	for (uint32_t slot = 0; slot < house->plan.contacts_max; slot++) {
		uint64_t id = house->alive[slot];
		struct stw_contact_status status;

		/* Boxes may be empty; the logs know the slot's latest handle. */
		for (uint32_t t = 0; t < house->plan.threads; t++) {
			const struct house_thread *thread = &house->threads[t];

			for (uint32_t i = 0; i < thread->log_count; i++) {
				if (thread->log[i].kind == STEP_ENQUEUE &&
				    (uint32_t)thread->log[i].contact == slot &&
				    thread->log[i].contact > id)
					id = thread->log[i].contact;
			}
		}
		if (id && !stw_contact_status(house->acd, (struct stw_contact){id}, &status)) {
			house->alive[slot] = id;
			/* Some thread took it out of its box in vain: hand it out anew. */
			restore_box(house, slot, id, &status);
			picture->ids[picture->contacts] = id;
			picture->statuses[picture->contacts++] = status;
		}
	}
	return true;
}

static bool
is_admitted(const struct house *house, uint32_t a, const struct oracle_step_rule *step)
{
	for (uint32_t i = 0; i < house->plan.skills; i++) {
		if (house->agent_rules[a].level[i] < step->level[i])
			return false;
	}
	return true;
}

static bool
is_eligible(const struct house *house, uint32_t a, const struct stw_contact_status *contact)
{
	if (contact->preferred.id)
		return contact->preferred.id == house->agents[a].id;
	for (uint32_t q = 0; q < house->plan.queues; q++) {
		if (house->queues[q].id != contact->queue.id)
			continue;
		for (uint32_t k = 0; k <= contact->step; k++) {
			if (is_admitted(house, a, &house->queue_rules[q].step[k]))
				return true;
		}
	}
	return false;
}

static bool
is_open(const struct house *house, const struct picture *picture, uint32_t a, uint64_t queue)
{
	return picture->agents[a].open >> house->queue_rules[(uint32_t)queue].channel & 1;
}

/* P3. Who missed a contact is asked last, but is asked: so there is no exception. */
static bool
check_nobody_is_missed(struct house *house, const struct picture *picture)
{
	for (uint32_t a = 0; a < house->plan.agents; a++) {
		if (!picture->agents[a].open)
			continue;
		for (uint32_t c = 0; c < picture->contacts; c++) {
			if (picture->statuses[c].state == STW_CONTACT_WAITING &&
			    is_open(house, picture, a, picture->statuses[c].queue.id) &&
			    is_eligible(house, a, &picture->statuses[c]))
				return wrong(house,
					     "P3: agent %u is ready since %" PRIu64
					     ", contact %" PRIx64 " waits since %" PRIu64,
					     a, picture->agents[a].since_ns, picture->ids[c],
					     picture->statuses[c].enqueue_ns);
		}
	}
	return true;
}

/* Whether an agent's status is what his events have told. */
static bool
is_in_book(const struct house *house, const struct ledger_agent *book,
	   const struct stw_agent_status *seen)
{
	uint64_t contact = book->contact ? book->contact : book->talking ? seen->contact_id : 0;
	enum stw_agent_state state = book->state;

	if (seen->contact_id != contact || seen->connected != book->talking)
		return false;
	if (!ledger_is_concurrent(&house->ledger, book->id))
		return seen->state == state;
	if (!ledger_is_surely_concurrent(&house->ledger, book->id))
		return (seen->state == STW_AGENT_OFFERED) == (state == STW_AGENT_OFFERED);
	if (state == STW_AGENT_READY && book->talking)
		state = STW_AGENT_CONNECTED;
	else if (state == STW_AGENT_READY && seen->wrapping)
		state = STW_AGENT_WRAP_UP;
	return seen->state == state;
}

static bool
check_book(struct house *house, const struct picture *picture)
{
	for (uint32_t a = 0; a < house->plan.agents; a++) {
		const struct ledger_agent *book = ledger_agent(&house->ledger, house->agents[a].id);
		const struct stw_agent_status *seen = &picture->agents[a];

		if (!is_in_book(house, book, seen))
			return wrong(house,
				     "agent %u shows state %d contact %" PRIx64
				     " and %u, events say %d %" PRIx64 " and %u",
				     a, seen->state, seen->contact_id, seen->connected, book->state,
				     book->contact, book->talking);
	}
	for (uint32_t c = 0; c < picture->contacts; c++) {
		const struct ledger_contact *book = ledger_contact(&house->ledger, picture->ids[c]);
		const struct stw_contact_status *seen = &picture->statuses[c];
		enum stw_contact_state state = book ? book->state : STW_CONTACT_WAITING;
		uint64_t agent = book ? book->agent : 0;

		if ((book && book->over) || state != seen->state || agent != seen->agent.id)
			return wrong(house,
				     "contact %" PRIx64 " shows state %d agent %" PRIx64
				     ", events say %d %" PRIx64,
				     picture->ids[c], seen->state, seen->agent.id, state, agent);
	}
	return true;
}

/* Whether he would be offered something if a slot of his were free. */
static bool
is_ready(const struct house *house, uint32_t a, const struct stw_agent_status *seen)
{
	return seen->state == STW_AGENT_READY ||
	       (ledger_is_surely_concurrent(&house->ledger, house->agents[a].id) &&
		(seen->state == STW_AGENT_CONNECTED || seen->state == STW_AGENT_WRAP_UP));
}

/* Of agents who get more slots one cannot tell by their status. */
static bool
has_learners(const struct house *house)
{
	return house->plan.channels && house->plan.mix.configure;
}

/* P5, and the counters are those of the events and of the successes. */
static bool
check_counters(struct house *house, const struct picture *picture)
{
	uint64_t enqueued = 0, accepted = 0, declined = 0, cancelled = 0, ended = 0, refused = 0;
	uint64_t moved = 0, transferred = 0;
	const uint64_t *told = house->ledger.count;
	struct stw_acd_stats stats;
	struct stw_queue_stats *q = &stats.queues;
	uint64_t states[3] = {0}, ready = 0, in = 0;

	for (uint32_t c = 0; c < picture->contacts; c++)
		states[picture->statuses[c].state]++;
	for (uint32_t a = 0; a < house->plan.agents; a++) {
		ready += is_ready(house, a, &picture->agents[a]);
		in += picture->agents[a].state != STW_AGENT_LOGGED_OUT;
	}
	for (uint32_t t = 0; t < house->plan.threads; t++) {
		enqueued += house->threads[t].enqueued;
		refused += house->threads[t].refused;
		accepted += house->threads[t].accepted;
		declined += house->threads[t].declined;
		cancelled += house->threads[t].cancelled;
		ended += house->threads[t].ended;
		moved += house->threads[t].moved;
		transferred += house->threads[t].transferred;
	}
	stw_acd_stats(house->acd, &stats);
	if (q->offered != q->answered + q->abandoned + q->overflowed + q->timed_out + q->deflected +
				  q->refused + q->waiting + q->ringing)
		return wrong(house, "P5: counters do not conserve");
	if (q->transfers != transferred || q->overflowed < moved)
		return wrong(house, "P5: counted %" PRIu64 " %" PRIu64 " moves", q->overflowed,
			     q->transfers);
	ended += transferred + house->ledger.reaped;
	enqueued += transferred + q->overflowed;
	if (q->offered != enqueued + refused || q->refused != refused || q->answered != accepted ||
	    q->offers_declined != declined || q->abandoned != cancelled || q->ended != ended)
		return wrong(house,
			     "P5: counted %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
			     " %" PRIu64 ", returned %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
			     " %" PRIu64 " %" PRIu64,
			     q->offered, q->refused, q->answered, q->offers_declined, q->abandoned,
			     q->ended, enqueued + refused, refused, accepted, declined, cancelled,
			     ended);
	if (q->waiting != states[STW_CONTACT_WAITING] ||
	    q->ringing != states[STW_CONTACT_OFFERED] ||
	    q->connected != states[STW_CONTACT_CONNECTED] || stats.contacts != picture->contacts ||
	    (stats.agents_ready != ready && !has_learners(house)) || stats.agents_logged_in != in)
		return wrong(house,
			     "P5: counted %" PRIu64 " %" PRIu64 " %" PRIu64 " of %" PRIu64
			     ", seen %" PRIu64 " %" PRIu64 " %" PRIu64 " of %u",
			     q->waiting, q->ringing, q->connected, stats.contacts, states[0],
			     states[1], states[2], picture->contacts);
	if (stats.events_lost != house->ledger.lost)
		return wrong(house, "%" PRIu64 " events lost, told %" PRIu64, stats.events_lost,
			     house->ledger.lost);
	if (house->ledger.has_gaps)
		return true;
	if (q->offers != told[STW_EVENT_OFFER] || q->answered != told[STW_EVENT_CONNECTED] ||
	    q->offers_declined != told[STW_EVENT_DECLINED] ||
	    q->offers_timed_out != told[STW_EVENT_TIMED_OUT] ||
	    q->offers_withdrawn != told[STW_EVENT_WITHDRAWN] ||
	    q->abandoned != told[STW_EVENT_ABANDONED] || q->timed_out != told[STW_EVENT_EXPIRED] ||
	    q->overflowed != told[STW_EVENT_MOVED] || q->transfers != told[STW_EVENT_TRANSFERRED] ||
	    q->ended != told[STW_EVENT_ENDED] + told[STW_EVENT_TRANSFERRED])
		return wrong(house, "P5: events do not add up to the counters");
	return true;
}

static int
by_contact(const void *a, const void *b)
{
	const struct house_success *x = a, *y = b;

	if (x->contact != y->contact)
		return x->contact < y->contact ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return 0;
}

/* P1 by returns: an offer is answered once, a contact ends once. Empties the logs. */
static bool
check_successes(struct house *house)
{
	uint32_t count = 0;
	struct house_success *all;
	bool right = true;

	for (uint32_t t = 0; t < house->plan.threads; t++)
		count += house->threads[t].log_count;
	all = calloc(count + 1, sizeof(*all));
	count = 0;
	for (uint32_t t = 0; t < house->plan.threads; t++) {
		struct house_thread *thread = &house->threads[t];

		for (uint32_t i = 0; i < thread->log_count; i++) {
			if (thread->log[i].kind == STEP_ENQUEUE)
				continue;
			all[count] = thread->log[i];
			/* An end of life is one whatever number its box held. */
			if (all[count].kind == STEP_END || all[count].kind == STEP_CANCEL)
				all[count].number = 0;
			count++;
		}
		thread->log_count = 0;
	}
	qsort(all, count, sizeof(*all), by_contact);
	for (uint32_t i = 1; i < count && right; i++) {
		if (!by_contact(&all[i - 1], &all[i]))
			right = wrong(house, "P1: two answers to offer %" PRIx64 "/%" PRIu64,
				      all[i].contact, all[i].number);
	}
	free(all);
	return right;
}

bool
house_check_ledger(struct house *house)
{
	if (house->ledger.problem[0])
		return wrong(house, "%s", house->ledger.problem);
	if (house->wrong_result)
		return wrong(house, "call %d returned %d", house->wrong_kind, house->wrong_result);
	return !house->problem[0];
}

/* Advance looks at 8 agents and contacts a time. */
static void
go_round(struct house *house)
{
	struct random random = {2};
	uint32_t rounds = (house->plan.agents + house->plan.contacts_max) / 8 + 2;

	while (rounds--)
		stw_acd_advance(house->acd, house_now(house, &random), 1000, NULL);
	while (house_take(house))
		;
}

bool
house_check_stopped(struct house *house)
{
	struct picture picture;

	go_round(house);
	return house_check_ledger(house) && look(house, &picture) &&
	       check_nobody_is_missed(house, &picture) && check_book(house, &picture);
}

bool
house_check(struct house *house)
{
	struct random random = {1};
	struct picture picture;
	int fired;

	if (!house_check_ledger(house) || !look(house, &picture))
		return false;
	if (stw_acd_check(house->acd))
		return wrong(house, "stw_acd_check fails");
	if (!check_nobody_is_missed(house, &picture) || !check_counters(house, &picture))
		return false;
	if (!house->ledger.has_gaps && !check_book(house, &picture))
		return false;
	if (!check_successes(house))
		return false;
	/* And again when every timer has fired: nobody is left behind in a pause either. */
	atomic_fetch_add(&house->clock_ns, 1 + (uint64_t)house->plan.offer_timeout_ns +
						   house->plan.wait_max_ns + house->plan.lease_ns +
						   house->plan.wrap_up_ns + house->plan.penalty_ns);
	do {
		fired = stw_acd_advance(house->acd, house_now(house, &random), 1000, NULL);
	} while (fired == 1000);
	while (house_take(house))
		;
	if (!look(house, &picture) || !check_nobody_is_missed(house, &picture) ||
	    !check_counters(house, &picture))
		return false;
	if (!house->ledger.has_gaps && !check_book(house, &picture))
		return false;
	return house_check_ledger(house);
}
