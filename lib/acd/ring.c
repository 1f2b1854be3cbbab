/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ringing several agents at once: contact c, which was WAITING at version k (its base), rings at up to
 * eight agents, each in a place of his own. The first who accepts wins. An extension of claim.c:
 *
 *  1   agent    READY               -> HOLD c, k, place i    place 0: seeing WAITING at k, as ever; others:
 *                                                           seeing RINGING of base k without place i
 *  2a  entry i  another version     -> (k, a)               seeing the contact at base k after reading it
 *  2b  contact  WAITING k, RINGING  -> RINGING with i       whose place i is (k, a); i joined and live
 *  then for each place at most one of
 *  3   contact  RINGING, i live     -> RINGING, i not live  declined; others ring on
 *      contact  RINGING, i live     -> RING_CLOSING         i accepted (won by i), or was the last to decline
 *      contact  RINGING             -> RING_CLOSING         cancelled or timed out, for all live places
 *  4   agent    HOLD c, k, i        -> what follows         joined and not live: at once; others: closing
 *  5   contact  RING_CLOSING        -> CONNECTED a | WAITING | FREE, after 4 for all places but the winner's
 *
 * Steps 2a, 2b, 4 and 5 are done by whoever comes (acd_agent_settle, acd_contact_finish). The entries say
 * who has which place; the contact's word alone says what has become of him. ring_base() gives k back from
 * any word of the ring, so a hold is judged as in claim.c: place i not joined: step 2 is open; joined by
 * another: it came to nothing; joined and live: the agent rings; joined and not live: he is to be released
 * with a miss; closing: do steps 4 and 5.
 *
 * R1  The versions in an entry only grow, and (k, a) in entry i stays while the contact is at base k. Who
 *     writes version k has read the old entry before he saw the contact at base k, so what he replaces
 *     was written when the contact was at an earlier base, and no entry of version k is replaced by another
 *     of version k.
 * R2  An agent's hold of (c, k, i) ends, before 4, only by rolling back; and that is done after a word past
 *     base k was seen, or a closing one without place i, or place i joined by another. In each case no
 *     2b for him can succeed any more: the word is past what it would change, or the entry is another's.
 *     So when 2b succeeds, the agent of the entry holds (c, k, i); and so everybody may do 2b for whoever
 *     the entry names. That also is what keeps place i from being stuck with a stopped thread.
 * R3  An agent holds (c, k, i) at most once, ever. Place 0: as I1 of claim.c. Place i: an earlier hold ended
 *     after the contact was seen with i joined or past base k; the claimer has seen it at base k without i, while
 *     the agent was READY throughout.
 * R4  An agent joins at most one place of (c, k): the claimer reads that he is READY, then looks for him in
 *     all entries of version k. Had he joined before, his entry was there before he was released.
 * R5  RING_CLOSING stays until all who joined, but the winner, are released; there is one such word per base, so
 *     whoever releases them does the same. CONNECTED a after it: a holds (c, k, i), as before, or has it in a
 *     seat (seats.c). While the contact is CONNECTED a or ENDING a, a's hold of c, or his seat with c, is that
 *     one, whatever its version: another would have been made after the contact was seen WAITING, within
 *     a time in which he was READY; and a seat is EMPTY before the contact goes on.
 *
 * Each RINGING word tells one event, of its last place; RING_CLOSING up to nine (ring_tell.c). As no
 * word is changed before it is announced, no event is missing and the order is that of the words.
 *
 * A ring's timer is set with its first word and stays right until the ring closes (timers.c), so all its offers
 * end at one time. A thread that stops while it fills a ring leaves one with fewer places.
 *
 * Progress: as in claim.c; a ring has at most eight joins, seven declines and one closing. A failed
 * compare-exchange means that another thread's step for this contact or agent was done: lock-free.
 * The entries are words like the others: W1 and W2 of engine.h; without them an agent could be seen
 * released and his entry not yet (R4).
 */
#include "ring.h"

#include <errno.h>

static bool
place_is_of(uint64_t entry, uint64_t k)
{
	return entry >> ACD_PLACE_VERSION_SHIFT == (ACD_PLACE_SET | k);
}

/* Whose a place is in the ring of base k; ACD_NOBODY: nobody's yet, or the contact has gone on. */
uint32_t
acd_ring_agent(const struct stw_acd *acd, uint32_t c, uint32_t place, uint64_t k)
{
	uint64_t entry = acd_word_read(&acd->rings[c].places[place]);

	return place_is_of(entry, k) ? (uint32_t)(entry & ACD_SLOT_MASK) : ACD_NOBODY;
}

/* What a contact's RINGING or RING_CLOSING word says of an agent's hold. */
enum acd_stage
acd_ring_stage(const struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t a, uint64_t hold)
{
	bool closing = word_state(word) == ACD_CONTACT_RING_CLOSING;
	uint32_t place = word_ring(hold);
	uint32_t agent;

	if (ring_base(word) != word_version(hold))
		return ACD_STAGE_OVER;
	if (!(ring_joined(word) >> place & 1))
		return closing ? ACD_STAGE_OVER : ACD_STAGE_OPEN;
	agent = acd_ring_agent(acd, c, place, word_version(hold));
	if (agent == ACD_NOBODY)
		return ACD_STAGE_AGAIN;
	if (agent != a)
		return ACD_STAGE_OVER;
	if (closing)
		return ACD_STAGE_CLOSING;
	return ring_live(word) >> place & 1 ? ACD_STAGE_HELD : ACD_STAGE_DECLINED;
}

/* How many are rung at once for a contact at this word: the last of its steps says it. */
uint32_t
acd_ring_count(const struct acd_queue_description *queue, uint64_t word)
{
	uint32_t k = word_step(word);

	/* Who waits for one agent in person is rung for him alone. */
	if (k == ACD_STEP_PREFERRED)
		return 1;
	return queue->steps[k < queue->steps_count ? k : queue->steps_count - 1].ring_count;
}

/* Whether the open step of a hold is a join: the contact rings, or is to ring at several. */
bool
acd_ring_asked(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t hold)
{
	const struct acd_queue_description *queue;

	if (!acd->rings)
		return false;
	if (word_state(word) == ACD_CONTACT_RINGING || word_ring(hold))
		return true;
	queue = acd_queue_description(acd, acd_contact_queue(acd, c, word));
	return queue && acd_ring_count(queue, word) > 1;
}

/* Step 2a for agent a, who holds the place: whose is it? ACD_NOBODY: the contact has gone on. A retry means that
 * a thread stopped at an earlier base has gone on and set the entry. */
static uint32_t
place_settle(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t k, uint32_t place, uint32_t a)
{
	_Atomic uint64_t *at = &acd->rings[c].places[place];

	for (;;) {
		uint64_t seen = acd_word_read(at);

		if (place_is_of(seen, k))
			return (uint32_t)(seen & ACD_SLOT_MASK);
		/* R1: the entry was read before the word. */
		if (acd_word_read(&acd->contacts[c].word) != word)
			return ACD_NOBODY;
		if (acd_word_change(at, seen, (ACD_PLACE_SET | k) << ACD_PLACE_VERSION_SHIFT | a))
			return a;
	}
}

/*
 * Steps 2a and 2b from this word, in which the place is not joined, for agent a, who was seen to hold it, or for
 * whoever was before him. The winner counts the offer; whoever comes announces it.
 */
bool
acd_ring_join(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t place, uint32_t a,
	      uint64_t now_ns)
{
	struct acd_contact *contact = &acd->contacts[c];
	bool first = word_state(word) == ACD_CONTACT_WAITING;
	uint64_t k = first ? word_version(word) : ring_base(word);
	uint32_t joined = (first ? 0 : ring_joined(word)) | 1u << place;
	uint32_t live = (first ? 0 : ring_live(word)) | 1u << place;
	uint32_t agent = place_settle(acd, c, word, k, place, a);
	uint32_t q = acd_contact_queue(acd, c, word);
	uint64_t next =
		word_contact_next(word, ACD_CONTACT_RINGING, ring_bits(joined, live, place, 0));

	if (agent == ACD_NOBODY)
		return false;
	acd_announce_contact(acd, c, word, now_ns);
	acd_agent_spell(acd, agent, false, now_ns);
	if (!acd_word_change(&contact->word, word, next))
		return false;
	acd_count(acd, q, ACD_COUNT_OFFERS, 1);
	acd_agent_count(acd, agent, ACD_AGENT_OFFERS, 1);
	acd_select_offered(acd, q, word, agent);
	if (first) {
		int64_t left = atomic_fetch_sub_explicit(&acd->queues[q].waiting, 1,
							 memory_order_relaxed) -
			       1;

		if (word_slot(word) == ACD_AGENT_NONE)
			acd_pace_start(acd, q, left > 0, now_ns);
		acd_entry_remove(
			acd, c, word,
			atomic_load_explicit(&contact->entry_position, memory_order_relaxed));
		acd_contact_disarm(acd, c, word);
	} else {
		acd_count(acd, q, ACD_COUNT_OFFERS_BESIDE, 1);
	}
	acd_announce_contact(acd, c, next, now_ns);
	return true;
}

/* The agents of the places, but for one, ACD_NOBODY where the ring has gone on already. */
static void
agents_of(const struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t but,
	  uint32_t agents[ACD_RING_MAX])
{
	for (uint32_t i = 0; i < ACD_RING_MAX; i++)
		agents[i] = ring_live(word) >> i & 1 && i != but
				    ? acd_ring_agent(acd, c, i, ring_base(word))
				    : ACD_NOBODY;
}

/* Count the end of the offers of a ring: for the queue, and for each of the agents. */
static void
offers_count(struct stw_acd *acd, uint32_t q, const uint32_t agents[ACD_RING_MAX],
	     enum acd_counter counter, enum acd_agent_column column)
{
	for (uint32_t i = 0; i < ACD_RING_MAX; i++) {
		if (agents[i] == ACD_NOBODY)
			continue;
		acd_count(acd, q, counter, 1);
		acd_agent_count(acd, agents[i], column, 1);
	}
}

/* Close the ring, and count that; `last` is the place of the winner or, when there is none (ACD_NOBODY), the cause. */
static bool
ring_close(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t last, uint32_t winner,
	   uint64_t now_ns, struct acd_todo *todo)
{
	bool won = winner != ACD_NOBODY;
	uint32_t live = ring_live(word);
	uint64_t rang = (uint64_t)__builtin_popcount(live);
	uint32_t q = acd_contact_queue(acd, c, word);
	uint64_t entered_ns = acd_field_read(&acd->contacts[c].entered_ns[word_side(word)]);
	uint64_t next = word_contact_next(word, ACD_CONTACT_RING_CLOSING,
					  ring_bits(ring_joined(word), live, last, !won));
	uint32_t agents[ACD_RING_MAX];

	/* Read before the change: the places stay as they are while the word does. */
	agents_of(acd, c, word, won ? last : ACD_RING_MAX, agents);
	if (!acd_word_change(&acd->contacts[c].word, word, next))
		return false;
	acd_contact_disarm(acd, c, ring_first_word(word));
	acd_count(acd, q, ACD_COUNT_OFFERS_BESIDE, 1 - rang);
	if (won) {
		offers_count(acd, q, agents, ACD_COUNT_WITHDRAWN, ACD_AGENT_WITHDRAWN);
		acd_answer_count(acd, entered_ns, q, winner, now_ns);
	} else if (word_contact_over(next)) {
		offers_count(acd, q, agents, ACD_COUNT_WITHDRAWN, ACD_AGENT_WITHDRAWN);
		acd_leave_count(acd, q, ring_leave_cause(next), acd_elapsed(entered_ns, now_ns));
	} else if (last == ACD_RING_TIMED_OUT) {
		offers_count(acd, q, agents, ACD_COUNT_TIMED_OUT, ACD_AGENT_TIMED_OUT);
	} else {
		offers_count(acd, q, agents, ACD_COUNT_DECLINED, ACD_AGENT_DECLINED);
	}
	acd_contact_finish(acd, c, next, now_ns, todo);
	return true;
}

/* End a ring that nobody has won, from this word; false: it has changed. */
bool
acd_ring_close(struct stw_acd *acd, uint32_t c, uint64_t word, enum acd_ring_cause cause,
	       uint64_t now_ns, struct acd_todo *todo)
{
	acd_announce_contact(acd, c, word, now_ns);
	return ring_close(acd, c, word, cause, ACD_NOBODY, now_ns, todo);
}

/* The place is live in this word, and its agent accepts. -EAGAIN: the word has changed. */
int
acd_ring_accept(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t place, uint64_t now_ns,
		struct acd_todo *todo)
{
	uint32_t a = acd_ring_agent(acd, c, place, ring_base(word));

	if (a == ACD_NOBODY)
		return -EAGAIN;
	acd_announce_contact(acd, c, word, now_ns);
	acd_time_raise(&acd->contacts[c].connect_ns, now_ns);
	acd_agent_spell(acd, a, true, now_ns);
	return ring_close(acd, c, word, place, a, now_ns, todo) ? 0 : -EAGAIN;
}

/* The place is live in this word, and its agent declines. -EAGAIN: the word has changed. */
int
acd_ring_decline(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t place, uint32_t reason,
		 uint64_t now_ns, struct acd_todo *todo)
{
	uint32_t a = acd_ring_agent(acd, c, place, ring_base(word));
	uint32_t live = ring_live(word) & ~(1u << place);
	uint64_t next = word_contact_next(word, ACD_CONTACT_RINGING,
					  ring_bits(ring_joined(word), live, place, 1));
	uint32_t q = acd_contact_queue(acd, c, word);

	if (a == ACD_NOBODY)
		return -EAGAIN;
	/* Of two declines of one offer at once, the event may carry either's reason. */
	acd_field_write_32(&acd->agents[a].decline_reason, reason);
	if (!live)
		return acd_ring_close(acd, c, word, ACD_RING_DECLINED, now_ns, todo) ? 0 : -EAGAIN;
	acd_announce_contact(acd, c, word, now_ns);
	if (!acd_word_change(&acd->contacts[c].word, word, next))
		return -EAGAIN;
	acd_count(acd, q, ACD_COUNT_DECLINED, 1);
	acd_agent_count(acd, a, ACD_AGENT_DECLINED, 1);
	acd_count(acd, q, ACD_COUNT_OFFERS_BESIDE, (uint64_t)-1);
	acd_announce_contact(acd, c, next, now_ns);
	acd_agent_settle(acd, a, now_ns, todo);
	return 0;
}

/* Step 4 for an agent who declined while others ring on. */
void
acd_ring_release_declined(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t a, uint64_t hold,
			  uint64_t now_ns, struct acd_todo *todo)
{
	acd_announce_contact(acd, c, word, now_ns);
	if (!acd_agent_release(acd, a, hold, word, ACD_OUTCOME_MISSED, now_ns))
		return;
	acd_preferred_leave(acd, a, now_ns, todo);
	acd_todo_agent(todo, a);
}

/* What a closing ring is to the agent of a place who did not win it. */
static enum acd_outcome
place_outcome(uint64_t word, uint32_t place)
{
	if (!(ring_live(word) >> place & 1))
		return ACD_OUTCOME_MISSED;
	return !word_ring_flag(word) || word_contact_over(word) ? ACD_OUTCOME_WITHDRAWN
								: ACD_OUTCOME_MISSED;
}

/* Step 4 for all places; returns those whose agents this call made ready. */
static uint32_t
places_release(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t agents[], uint64_t now_ns)
{
	uint64_t k = ring_base(word);
	uint32_t ready = 0;

	for (uint32_t bits = ring_joined(word); bits; bits &= bits - 1) {
		uint32_t place = (uint32_t)__builtin_ctz(bits);
		uint64_t hold = word_agent_hold(c, k, ACD_AFTER_NOTHING, place);

		agents[place] = acd_ring_agent(acd, c, place, k);
		/* The contact has gone on, so all of this has been done. */
		if (agents[place] == ACD_NOBODY)
			break;
		if (!word_ring_flag(word) && word_ring_last(word) == place)
			continue;
		if (acd_agent_release(acd, agents[place], hold, word, place_outcome(word, place),
				      now_ns))
			ready |= 1u << place;
	}
	return ready;
}

/*
 * Do what is left for a contact whose ring closes with this word, read before. Whom it makes matchable goes
 * to todo, the contact first.
 */
void
acd_ring_finish(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns,
		struct acd_todo *todo)
{
	uint32_t agents[ACD_RING_MAX];
	uint32_t ready;
	uint32_t a;

	acd_announce_contact(acd, c, word, now_ns);
	ready = places_release(acd, c, word, agents, now_ns);
	/* Who has it now, or who missed it. */
	a = acd_ring_agent(acd, c,
			   word_ring_flag(word) ? (uint32_t)__builtin_ctz(ring_live(word))
						: word_ring_last(word),
			   ring_base(word));
	/* If that logged any of them out: before anybody is matched, and again after a fence (match.c). */
	for (uint32_t bits = ready; bits; bits &= bits - 1)
		acd_preferred_leave(acd, agents[__builtin_ctz(bits)], now_ns, todo);
	if (word_contact_over(word)) {
		acd_contact_free(acd, c, word);
	} else if (a != ACD_NOBODY && word_ring_flag(word)) {
		acd_contact_requeue(acd, c, word, a, now_ns, todo);
	} else if (a != ACD_NOBODY) {
		uint64_t next = word_contact_next(word, ACD_CONTACT_CONNECTED, a);

		if (acd_word_change(&acd->contacts[c].word, word, next))
			acd_announce_contact(acd, c, next, now_ns);
	}
	for (; ready; ready &= ready - 1)
		acd_todo_agent(todo, agents[__builtin_ctz(ready)]);
}
