/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offers: accepted and declined. An offer's number is the version of the contact's OFFERED word, so
 * an answer applies to exactly that word, and one compare-exchange decides between accept, decline,
 * cancel and time-out.
 */
#include "engine.h"

#include <errno.h>

/*
 * Find the contact of an offer that rings. -EALREADY: it is connected by this very offer. If it waits
 * again, whoever sees that looks for an agent, too: he may be quicker than the one who made it wait.
 */
static int
offer_find(struct stw_acd *acd, struct stw_offer offer, uint32_t *c, uint64_t *word,
	   uint64_t now_ns, struct acd_todo *todo)
{
	int error = acd_contact_settle(acd, offer.contact, c, word, now_ns, todo);

	if (error)
		return error;
	if (word_state(*word) == ACD_CONTACT_OFFERED && word_version(*word) == offer.number)
		return 0;
	if (word_state(*word) == ACD_CONTACT_CONNECTED &&
	    word_version(*word) == ((offer.number + 1) & ACD_VERSION_MASK))
		return -EALREADY;
	if (word_state(*word) == ACD_CONTACT_WAITING)
		acd_todo_contact(todo, *c);
	return -ESTALE;
}

static void
answer_count(struct stw_acd *acd, uint32_t c, uint32_t q, uint32_t a, uint64_t now_ns)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint64_t wait_ns = acd_elapsed(acd_field_read(&acd->contacts[c].enqueue_ns), now_ns);

	acd_count(acd, q, ACD_COUNT_ANSWERED, 1);
	acd_agent_count(acd, a, ACD_AGENT_ANSWERED, 1);
	if (queue && wait_ns <= queue->service_level_ns) {
		acd_count(acd, q, ACD_COUNT_ANSWERED_IN_TIME, 1);
		acd_agent_count(acd, a, ACD_AGENT_ANSWERED_IN_TIME, 1);
	}
	acd_surge_served(acd, q, queue && wait_ns <= queue->service_level_ns);
	acd_count(acd, q, ACD_COUNT_WAIT_NS, wait_ns);
	acd_agent_count(acd, a, ACD_AGENT_WAIT_NS, wait_ns);
	acd_time_raise(&acd->queues[q].wait_ns_max, wait_ns);
	acd_queue_wait_raise(acd, q, wait_ns);
	atomic_fetch_add_explicit(&acd->agents[a].contacts, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&acd->agents[a].contacts_today, 1, memory_order_relaxed);
}

/* Accept from this word; -EAGAIN: it has changed. */
static int
offer_accept(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns)
{
	uint64_t next = word_contact_next(word, ACD_CONTACT_CONNECTED, word_slot(word));
	uint32_t q = acd_contact_queue(acd, c, word);

	acd_announce_contact(acd, c, word, now_ns);
	acd_time_raise(&acd->contacts[c].connect_ns, now_ns);
	acd_agent_spell(acd, word_slot(word), true, now_ns);
	if (!acd_word_change(&acd->contacts[c].word, word, next))
		return -EAGAIN;
	acd_contact_disarm(acd, c, word);
	answer_count(acd, c, q, word_slot(word), now_ns);
	acd_announce_contact(acd, c, next, now_ns);
	return 0;
}

int
stw_offer_accept(struct stw_acd *acd, struct stw_offer offer, uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	int error;

	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	do {
		uint64_t word;
		uint32_t c;

		error = offer_find(acd, offer, &c, &word, now_ns, &todo);
		if (!error)
			error = offer_accept(acd, c, word, now_ns);
		if (!error || error == -EALREADY)
			acd_seats_connected(acd, word_slot(word), now_ns, &todo);
	} while (error == -EAGAIN);
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error;
}

/* Decline from this word; -EAGAIN: it has changed. */
static int
offer_decline(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t reason, uint64_t now_ns,
	      struct acd_todo *todo)
{
	uint64_t next = word_contact_next(word, ACD_CONTACT_DECLINED, word_slot(word));
	uint32_t q = acd_contact_queue(acd, c, word);

	acd_announce_contact(acd, c, word, now_ns);
	/* Of two declines at once, the event may carry either's reason. */
	acd_field_write_32(&acd->contacts[c].reason, reason);
	if (!acd_word_change(&acd->contacts[c].word, word, next))
		return -EAGAIN;
	acd_contact_disarm(acd, c, word);
	acd_count(acd, q, ACD_COUNT_DECLINED, 1);
	acd_agent_count(acd, word_slot(word), ACD_AGENT_DECLINED, 1);
	acd_contact_finish(acd, c, next, now_ns, todo);
	return 0;
}

int
stw_offer_decline(struct stw_acd *acd, struct stw_offer offer, uint32_t reason, uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	int error;

	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	do {
		uint64_t word;
		uint32_t c;

		error = offer_find(acd, offer, &c, &word, now_ns, &todo);
		if (!error)
			error = offer_decline(acd, c, word, reason, now_ns, &todo);
	} while (error == -EAGAIN);
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error == -EALREADY ? -ESTALE : error;
}
