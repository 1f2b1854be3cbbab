/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The claim: giving contact c to agent a, two words changed by anybody, neither locked. Ringing at
 * several agents is told in ring.c.
 *
 *  1  agent    READY                -> HOLD c, version k      after seeing the contact WAITING at k
 *  2  contact  WAITING, version k   -> OFFERED a, k + 1       who wins this has made the offer
 * then, as the host decides, exactly one of
 *  3  contact  OFFERED a, k + 1     -> CONNECTED | DECLINED | TIMED_OUT | WITHDRAWN, k + 2
 *     contact  CONNECTED a, k + 2   -> ENDING a | MOVING a, k + 3
 *  4  agent    HOLD c, k            -> what follows (finish.c), when the contact's word is closing
 *  5  contact  closing              -> WAITING | FREE, only after 4
 * If 2 is lost because the contact has gone, the agent goes from HOLD back to READY. An agent with
 * several slots leaves the hold as soon as the contact is connected, and has it in a seat until
 * step 4 (seats.c).
 *
 * An agent who holds says nothing but "ask contact c about version k"; the contact's word says the
 * rest: WAITING at k: step 2 is open; OFFERED a or CONNECTED a with the version that follows from k:
 * the agent has the contact; closing: step 4 is open; anything else: the claim came to nothing.
 * Whoever meets an agent who holds does the open step for him (acd_agent_settle), so a thread that is
 * stopped after any step holds up nobody who needs that agent or that contact.
 *
 * I1  An agent holds (c, k) at most once, ever. The claimer reads the agent's word, then sees the
 *     contact waiting at k, then changes the agent's word from what he read. Stamps never repeat, so
 *     the agent was READY throughout. An earlier hold of (c, k) would have ended before, and it ends
 *     only after the contact has moved on from k, which was yet seen at k.
 * I2  OFFERED a or CONNECTED a at the version after k (or, after a ring, later) implies that agent a holds (c, k): step 2 is
 *     only done while that holds, and the hold ends only by step 4, or by rolling back, which is done
 *     after the contact was seen beyond k and not with a: then step 2 cannot succeed any more.
 * I3  Each word belongs to one contact and one agent: I1, I2 and the compare-exchange of step 2
 *     give the contact to one agent, and the agent one contact (P1).
 * I4  A decided contact keeps its closing word until its agent is released, so whoever releases the
 *     agent knows how the contact ended, and the slot is not used again before.
 *
 * Nobody is missed: who makes a contact WAITING puts it into the tree, changes the word, adds to
 * `arrivals`, fences (F1), and then looks for an agent. Who makes an agent READY changes the word,
 * is listed (idle.c), fences, and then looks for a contact. One of the two sees the other. Whoever takes an
 * agent back from a claim (rolls back) looks for work for that agent as if he had just become ready.
 *
 * What a thread that is stopped for ever holds, at most: the contact that it was just enqueueing, not
 * yet known to its host; one entry, one timer, one event node, one contact slot; the first look for
 * a match of the one agent and the one contact it had just changed, which the next call that meets
 * them, or stw_acd_advance in its round (timers.c), does. Nothing else.
 *
 * Progress: a compare-exchange here fails only when another thread's step, for this very agent or contact,
 * succeeded, and each agent and contact has finitely many steps per call of the host: lock-free.
 */
#include "ring.h"

static enum acd_stage
claim_stage(const struct stw_acd *acd, uint32_t c, uint64_t contact_word, uint32_t a, uint64_t hold)
{
	uint64_t ahead = (word_version(contact_word) - word_version(hold)) & ACD_VERSION_MASK;
	unsigned state = word_state(contact_word);

	if (ring_is(contact_word))
		return acd_ring_stage(acd, c, contact_word, a, hold);
	if (ahead == 0)
		return state == ACD_CONTACT_WAITING ? ACD_STAGE_OPEN : ACD_STAGE_OVER;
	if (word_slot(contact_word) != a)
		return ACD_STAGE_OVER;
	if (ahead == 1 && state == ACD_CONTACT_OFFERED)
		return ACD_STAGE_HELD;
	/* After a ring there are more versions in between (I2). */
	if (ahead >= 2 && state == ACD_CONTACT_CONNECTED)
		return ACD_STAGE_HELD;
	if (ahead == 2 && (state == ACD_CONTACT_DECLINED || state == ACD_CONTACT_TIMED_OUT ||
			   state == ACD_CONTACT_WITHDRAWN))
		return ACD_STAGE_CLOSING;
	if (ahead >= 3 && (state == ACD_CONTACT_ENDING || state == ACD_CONTACT_MOVING))
		return ACD_STAGE_CLOSING;
	return ACD_STAGE_OVER;
}

/*
 * A spell of a state is about to end: count it if the agent was busy, or has contacts in seats. Called before the change of the word,
 * so that whoever sees the next state finds its begin; who moves the begin on counts what lies between,
 * so each nanosecond counts once, whoever of several then makes the change.
 */
void
acd_agent_spell(struct stw_acd *acd, uint32_t a, bool was_busy, uint64_t now_ns)
{
	struct acd_agent *agent = &acd->agents[a];
	uint64_t since_ns = atomic_load_explicit(&agent->since_ns, memory_order_relaxed);
	uint32_t column;

	was_busy = was_busy || acd_seats_busy(acd, a);
	do {
		if (since_ns >= now_ns)
			return;
		column = acd_agent_time_column(acd, a);
	} while (!atomic_compare_exchange_weak_explicit(
		&agent->since_ns, &since_ns, now_ns, memory_order_relaxed, memory_order_relaxed));
	if (was_busy)
		atomic_fetch_add_explicit(&agent->busy_ns, now_ns - since_ns, memory_order_relaxed);
	acd_agent_time_add(acd, a, column, since_ns, now_ns);
}

static uint64_t
agent_is_away(uint64_t word)
{
	return word_state(word) == ACD_AGENT_NOT_READY || word_state(word) == ACD_AGENT_PAUSED;
}

static void
agent_count_change(struct stw_acd *acd, uint64_t old, uint64_t new)
{
	uint64_t in = (uint64_t)(word_state(new) >= ACD_AGENT_NOT_READY) -
		      (uint64_t)(word_state(old) >= ACD_AGENT_NOT_READY);
	uint64_t ready = (uint64_t)(word_state(new) == ACD_AGENT_READY) -
			 (uint64_t)(word_state(old) == ACD_AGENT_READY);

	uint64_t away = agent_is_away(new) - agent_is_away(old);

	if (away)
		acd_count_engine(acd, ACD_COUNT_NOT_READY, away);
	if (in)
		acd_count_engine(acd, ACD_COUNT_LOGGED_IN, in);
	if (ready)
		acd_count_engine(acd, ACD_COUNT_READY, ready);
}

/*
 * Change an agent's word to a state without contact; false: the word is not `old` any more. Quiet:
 * a hold is rolled back, so the agent was idle all along and nothing is told. The caller has
 * announced `old`, and looks for work for an agent that is now ready.
 */
bool
acd_agent_move(struct stw_acd *acd, uint32_t a, uint64_t old, enum acd_agent_state state,
	       uint32_t reason, bool quiet, uint64_t now_ns)
{
	struct acd_agent *agent = &acd->agents[a];
	unsigned old_state = word_state(old);
	uint64_t new =
		word_agent_make(state, reason, quiet ? ACD_QUIET_BIT : 0, acd_stamp_take(acd, a));

	if (!quiet)
		acd_agent_spell(acd, a,
				old_state == ACD_AGENT_HOLD || old_state == ACD_AGENT_WRAP_UP,
				now_ns);
	if (state == ACD_AGENT_READY && !quiet)
		acd_time_raise(&acd->idle_since_ns[a], now_ns);
	if (old_state == ACD_AGENT_LOGGED_OUT) {
		/* Before the change, so that who sees him logged in sees since when. */
		atomic_store_explicit(&agent->login_ns, now_ns, memory_order_relaxed);
		atomic_store_explicit(&agent->busy_login_ns,
				      atomic_load_explicit(&agent->busy_ns, memory_order_relaxed),
				      memory_order_relaxed);
	}
	if (!acd_word_change(&agent->word, old, new))
		return false;
	agent_count_change(acd, old, new);
	/* Before an event, or a timer that is gone, tells of him. */
	if (state == ACD_AGENT_READY)
		acd_idle_list(acd, a);
	if (old_state == ACD_AGENT_WRAP_UP || old_state == ACD_AGENT_PAUSED)
		lower_bound_tree_remove(
			&acd->timers,
			atomic_load_explicit(&agent->timer_position, memory_order_relaxed),
			a | ACD_TIMER_AGENT, old);
	if (state <= ACD_AGENT_PAUSED && (unsigned)state < old_state)
		acd_review_ask_of(acd, acd_agent_description(acd, a));
	acd_announce_agent(acd, a, new, now_ns);
	return true;
}

/* Step 2. The winner counts the offer; whoever comes announces it. */
static bool
claim_commit(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t a, uint64_t now_ns)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint64_t offered = word_contact_next(word, ACD_CONTACT_OFFERED, a);
	uint32_t q = acd_contact_queue(acd, c, word);
	int64_t left;

	acd_announce_waiting(acd, c, word, now_ns);
	acd_agent_spell(acd, a, false, now_ns);
	if (!acd_word_change(&contact->word, word, offered))
		return false;
	left = atomic_fetch_sub_explicit(&acd->queues[q].waiting, 1, memory_order_relaxed) - 1;
	if (word_slot(word) == ACD_AGENT_NONE)
		acd_pace_start(acd, q, left > 0, now_ns);
	acd_count(acd, q, ACD_COUNT_OFFERS, 1);
	acd_select_offered(acd, q, word, a);
	acd_agent_count(acd, a, ACD_AGENT_OFFERS, 1);
	acd_entry_remove(acd, c, word,
			 atomic_load_explicit(&contact->entry_position, memory_order_relaxed));
	acd_contact_disarm(acd, c, word);
	acd_announce_contact(acd, c, offered, now_ns);
	return true;
}

/* Step 2 for an agent who was seen to hold, from the contact's word at the hold's version or in a ring. */
static bool
open_step(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t a, uint64_t hold,
	  uint64_t now_ns)
{
	if (acd_ring_asked(acd, c, word, hold))
		return acd_ring_join(acd, c, word, word_ring(hold), a, now_ns);
	return claim_commit(acd, c, word, a, now_ns);
}

/*
 * An agent is released before the contact that he held goes on (steps 4 and 5). Who sees him released makes
 * that contact go on first: it may be the best for him or for others, and nobody is served before it.
 */
static bool
last_contact_finish(struct stw_acd *acd, uint32_t a, uint64_t now_ns, struct acd_todo *todo)
{
	uint32_t c = atomic_load_explicit(&acd->agents[a].last_contact, memory_order_relaxed);
	uint64_t word = acd_word_read(&acd->contacts[c].word);

	if (!word_contact_closing(word) ||
	    (word_state(word) != ACD_CONTACT_RING_CLOSING && word_slot(word) != a))
		return false;
	acd_contact_finish(acd, c, word, now_ns, todo);
	return true;
}

/*
 * Bring an agent's word to one that says the truth by itself: finish what other threads have begun.
 * Returns the word: without a contact, or a hold whose contact the agent really has and keeps. Agents and
 * contacts that become matchable on the way go to todo.
 */
uint64_t
acd_agent_settle(struct stw_acd *acd, uint32_t a, uint64_t now_ns, struct acd_todo *todo)
{
	for (;;) {
		uint64_t word = acd_word_read(&acd->agents[a].word);
		uint64_t contact_word;
		uint32_t c;

		if (word_state(word) != ACD_AGENT_HOLD) {
			if (last_contact_finish(acd, a, now_ns, todo) ||
			    acd_seats_settle(acd, a, word, now_ns, todo))
				continue;
			return word;
		}
		c = word_slot(word);
		contact_word = acd_word_read(&acd->contacts[c].word);
		switch (claim_stage(acd, c, contact_word, a, word)) {
		case ACD_STAGE_HELD:
			acd_announce_contact(acd, c, contact_word, now_ns);
			if (word_state(contact_word) != ACD_CONTACT_CONNECTED ||
			    !acd_seats_park(acd, a, word, false, now_ns))
				return word;
			acd_todo_agent(todo, a);
			break;
		case ACD_STAGE_OPEN:
			if (open_step(acd, c, contact_word, a, word, now_ns))
				acd_count_engine(acd, ACD_COUNT_HELPS, 1);
			break;
		case ACD_STAGE_DECLINED:
			acd_ring_release_declined(acd, c, contact_word, a, word, now_ns, todo);
			break;
		case ACD_STAGE_CLOSING:
			acd_contact_finish(acd, c, contact_word, now_ns, todo);
			break;
		case ACD_STAGE_OVER:
			if (acd_agent_move(acd, a, word, ACD_AGENT_READY, 0, true, now_ns))
				acd_todo_agent(todo, a);
			break;
		case ACD_STAGE_AGAIN:
			break;
		}
	}
}

/*
 * Claim the contact of an entry for an agent. agent_word was read before the entry was seen to be live (I1).
 * Whether it succeeds shows in the words.
 */
void
acd_claim(struct stw_acd *acd, uint32_t a, uint64_t agent_word,
	  const struct lower_bound_tree_entry *entry, uint32_t position, uint64_t now_ns,
	  struct acd_todo *todo)
{
	uint32_t c = entry->item;
	uint64_t hold = word_agent_hold(c, word_version(entry->ref), ACD_AFTER_NOTHING, 0);

	acd_announce_agent(acd, a, agent_word, now_ns);
	if (!acd_word_change(&acd->agents[a].word, agent_word, hold))
		return;
	acd_count_engine(acd, ACD_COUNT_READY, (uint64_t)-1);
	open_step(acd, c, entry->ref, a, hold, now_ns);
	/* By us or by others, the contact has moved on from the entry. */
	acd_entry_passed(acd, c);
	acd_entry_remove(acd, c, entry->ref, position);
	acd_agent_settle(acd, a, now_ns, todo);
	acd_idle_unlist(acd, a);
}
