/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offers: accepted and declined. An offer's number is the version of the contact's OFFERED word, so
 * an answer applies to exactly that word, and one compare-exchange decides between accept, decline,
 * cancel and time-out. While several ring (ring.c) the number has the version after the base's and
 * the place, and the word says whether that place rings still.
 */
#include "ring.h"

#include <errno.h>

/* What a word in which the contact rings or is connected says of an offer that is not a single one's. */
static int
ring_find(struct stw_acd *acd, struct stw_offer offer, uint32_t c, uint64_t word)
{
	uint64_t place = offer.number >> ACD_RING_PLACE_SHIFT;
	uint64_t claim = 0;
	uint64_t k;
	bool claimed;
	bool won;

	if (word_state(word) == ACD_CONTACT_RINGING)
		return place < ACD_RING_MAX && ring_live(word) >> place & 1 &&
				       offer.number ==
					       offer_number(ring_base(word), (uint32_t)place)
			       ? 0
			       : -ESTALE;
	if (offer.number <= ACD_VERSION_MASK &&
	    word_version(word) == ((offer.number + 1) & ACD_VERSION_MASK))
		return -EALREADY;
	claimed = acd_seats_claim(acd, word_slot(word), c, &claim);
	k = word_version(claim);
	won = claimed && acd->rings && place < ACD_RING_MAX &&
	      offer.number == offer_number(k, (uint32_t)place) &&
	      acd_ring_agent(acd, c, (uint32_t)place, k) == word_slot(word);
	if (acd_word_read(&acd->contacts[c].word) != word)
		return -EAGAIN;
	return won ? -EALREADY : -ESTALE;
}

/*
 * Find the contact of an offer that rings. -EALREADY: it is connected by this very offer; -EAGAIN: find it again.
 * If it waits again, whoever sees that looks for an agent, too: he may be quicker than the one who made it wait.
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
	if (word_state(*word) == ACD_CONTACT_CONNECTED || word_state(*word) == ACD_CONTACT_RINGING)
		return ring_find(acd, offer, *c, *word);
	if (word_state(*word) == ACD_CONTACT_WAITING)
		acd_todo_contact(todo, *c);
	return -ESTALE;
}

void
acd_answer_count(struct stw_acd *acd, uint64_t entered_ns, uint32_t q, uint32_t a, uint64_t now_ns)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint64_t wait_ns = acd_elapsed(entered_ns, now_ns);

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

/* Whose an offer is that rings or was accepted at this word; ACD_NOBODY: the contact has gone on. */
static uint32_t
offer_agent(struct stw_acd *acd, struct stw_offer offer, uint32_t c, uint64_t word)
{
	if (word_state(word) != ACD_CONTACT_RINGING)
		return word_slot(word);
	return acd_ring_agent(acd, c, (uint32_t)(offer.number >> ACD_RING_PLACE_SHIFT),
			      ring_base(word));
}

/* Accept from this word; -EAGAIN: it has changed. */
static int
offer_accept(struct stw_acd *acd, struct stw_offer offer, uint32_t c, uint64_t word,
	     uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t next = word_contact_next(word, ACD_CONTACT_CONNECTED, word_slot(word));
	uint32_t q = acd_contact_queue(acd, c, word);
	uint64_t entered_ns = acd_field_read(&acd->contacts[c].entered_ns[word_side(word)]);

	if (word_state(word) == ACD_CONTACT_RINGING)
		return acd_ring_accept(acd, c, word,
				       (uint32_t)(offer.number >> ACD_RING_PLACE_SHIFT), now_ns,
				       todo);
	acd_announce_contact(acd, c, word, now_ns);
	acd_time_raise(&acd->contacts[c].connect_ns, now_ns);
	acd_agent_spell(acd, word_slot(word), true, now_ns);
	if (!acd_word_change(&acd->contacts[c].word, word, next))
		return -EAGAIN;
	acd_contact_disarm(acd, c, word);
	acd_answer_count(acd, entered_ns, q, word_slot(word), now_ns);
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
		uint32_t a = ACD_NOBODY;
		uint32_t c;

		error = offer_find(acd, offer, &c, &word, now_ns, &todo);
		if (!error || error == -EALREADY)
			a = offer_agent(acd, offer, c, word);
		if (!error)
			error = offer_accept(acd, offer, c, word, now_ns, &todo);
		if ((!error || error == -EALREADY) && a != ACD_NOBODY)
			acd_seats_connected(acd, a, now_ns, &todo);
	} while (error == -EAGAIN);
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error;
}

/* Decline from this word; -EAGAIN: it has changed. */
static int
offer_decline(struct stw_acd *acd, struct stw_offer offer, uint32_t c, uint64_t word,
	      uint32_t reason, uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t next = word_contact_next(word, ACD_CONTACT_DECLINED, word_slot(word));
	uint32_t q = acd_contact_queue(acd, c, word);

	if (word_state(word) == ACD_CONTACT_RINGING)
		return acd_ring_decline(acd, c, word,
					(uint32_t)(offer.number >> ACD_RING_PLACE_SHIFT), reason,
					now_ns, todo);
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
			error = offer_decline(acd, offer, c, word, reason, now_ns, &todo);
	} while (error == -EAGAIN);
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error == -EALREADY ? -ESTALE : error;
}
