/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Widening: routing steps open to a contact that waits, one after the other.
 *
 * A contact's step is in its WAITING word; to open one is to change the word to the next version with
 * the step counted up. Before the change an entry for the new word goes into the set of the new step;
 * after it the old entry goes out, the arrivals count up, and the contact looks for an agent: for everybody
 * else it is as if the contact had just come, with the rank that it had. A claim of the old word that is under way
 * fails in its second step. Nobody owns anything meanwhile: who is stopped before the change leaves an entry that
 * never counts, after it one that is stale.
 *
 * What opens a step:
 *  - time: the contact's timer (due.c) is set for the next step's.
 *  - a condition: when a contact looks for an agent and finds nobody (match.c), and when an agent stops
 *    working. The latter asks for a review of his queues, a hint bit per queue, and whoever
 *    comes by runs it: a bounded number of contacts per call, the rest by the calls that follow. Who
 *    enqueues publishes the contact and then looks at the agents; who stops working changes his word and then
 *    looks at the contacts, with a full fence between (F1): one of the two sees the other.
 *  - stw_acd_advance reviews some queues in turn, for conditions that come true by themselves, and for what
 *    a thread that stopped has left.
 *
 * Progress: each retry here means that the contact's word was changed, or a bit set, by another thread: lock-free.
 *
 *  label  where                order    pairs with  without it
 *  V1     reviews asked: add   release  V2          the count is seen, the bit is not
 *  V2     reviews asked: read  acquire  V1          same, seen from who runs them
 */
#include "engine.h"

/* When the next step opens to a waiting contact by time. */
uint64_t
acd_step_due_ns(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	const struct acd_queue_description *queue =
		acd_queue_description(acd, acd_contact_queue(acd, c, word));
	uint32_t next = word_step(word) + 1;

	if (!queue || next >= queue->steps_count || queue->steps[next].after_ns == STW_STEP_NEVER)
		return ACD_NEVER;
	return acd_field_read(&acd->contacts[c].entered_ns[word_side(word)]) +
	       queue->steps[next].after_ns;
}

/* Whether an agent of the open steps 0 to k is in the state or a busier one. */
static bool
members_any(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t k,
	    enum acd_agent_state least)
{
	for (uint32_t w = 0; w < HINT_BITS_WORDS(acd->config.agents_max); w++) {
		uint32_t bits = 0;

		for (uint32_t j = 0; j <= k; j++)
			if (acd_step_open(acd, &queue->steps[j]))
				bits |= atomic_load_explicit(&queue->steps[j].members[w],
							     memory_order_relaxed);
		for (; bits; bits &= bits - 1) {
			uint32_t a = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);

			if (word_state(acd_word_read(&acd->agents[a].word)) >= least)
				return true;
		}
	}
	return false;
}

/* Whether nobody serves a queue, in the one sense or the other. */
bool
acd_queue_is_unstaffed(struct stw_acd *acd, const struct acd_queue_description *queue,
		       enum stw_queue_when when)
{
	return !members_any(acd, queue, queue->steps_count - 1,
			    when == STW_QUEUE_WHEN_NOBODY_LOGGED_IN ? ACD_AGENT_NOT_READY
								    : ACD_AGENT_READY);
}

/* Let a contact go that waits in a queue which nobody serves any more; false: it stays, or its word has changed. */
bool
acd_contact_desert(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns,
		   struct acd_todo *todo)
{
	const struct acd_queue_description *queue =
		acd_queue_description(acd, acd_contact_queue(acd, c, word));

	return queue && queue->leave_when && word_step(word) != ACD_STEP_PREFERRED &&
	       !acd_contact_is_callback(acd, c) &&
	       acd_queue_is_unstaffed(acd, queue, queue->leave_when) &&
	       !acd_contact_leave(acd, c, word, STW_CAUSE_UNSTAFFED, now_ns, todo);
}

/* How long the contacts have waited that are next at step k: the longest of the lanes. */
static uint64_t
step_wait_ns(struct stw_acd *acd, const struct acd_step *step, uint64_t now_ns)
{
	uint64_t longest_ns = 0;

	for (uint32_t i = 0; i < step->lanes_count; i++) {
		struct lower_bound_tree_entry entry;
		uint32_t position;
		uint64_t wait_ns;

		if (!lower_bound_tree_min(&acd->waiting, step->lanes[i].set, &entry, &position))
			continue;
		wait_ns =
			acd_elapsed(acd_field_read(&acd->contacts[entry.item].enqueue_ns), now_ns);
		longest_ns = wait_ns > longest_ns ? wait_ns : longest_ns;
	}
	return longest_ns;
}

/* Whether the condition holds for the step after k. */
static bool
condition_holds(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t k,
		uint64_t now_ns)
{
	const struct acd_step *next = &queue->steps[k + 1];

	switch (next->when) {
	case STW_STEP_WHEN_NOBODY_LOGGED_IN:
		return !members_any(acd, queue, k, ACD_AGENT_NOT_READY);
	case STW_STEP_WHEN_ALL_NOT_READY:
		return !members_any(acd, queue, k, ACD_AGENT_READY);
	case STW_STEP_WHEN_WAIT_ABOVE:
		return step_wait_ns(acd, &queue->steps[k], now_ns) > next->wait_bound_ns;
	default:
		return false;
	}
}

/* The last step that is open to a contact that stands at k and has waited for so long. */
uint32_t
acd_step_target(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t k,
		uint64_t waited_ns, uint64_t now_ns)
{
	while (k + 1 < queue->steps_count && (queue->steps[k + 1].after_ns <= waited_ns ||
					      condition_holds(acd, queue, k, now_ns)))
		k++;
	return k;
}

/* Let a waiting contact stand at step k, in the set where it belongs; false: its word has changed. */
bool
acd_contact_move(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t k, uint64_t now_ns)
{
	return !acd_contact_step(acd, c, word, k, now_ns, NULL);
}

/* Open the steps to a waiting contact that are due when it has waited for so long; false: none is, or
 * the word has changed. Who opened one looks for an agent. */
bool
acd_contact_widen(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t waited_ns,
		  uint64_t now_ns)
{
	const struct acd_queue_description *queue =
		acd_queue_description(acd, acd_contact_queue(acd, c, word));
	uint32_t k = word_step(word);
	uint32_t target = queue ? acd_step_target(acd, queue, k, waited_ns, now_ns) : k;

	return target > k && acd_contact_move(acd, c, word, target, now_ns);
}

/* A waiting contact has come to a step, and others may in the same call: open the steps whose conditions hold
 * before any of them is matched, so that rank decides and not who is looked at first. */
void
acd_contact_widen_early(struct stw_acd *acd, uint32_t c, uint64_t now_ns)
{
	uint64_t word = acd_word_read(&acd->contacts[c].word);

	if (word_state(word) == ACD_CONTACT_WAITING && word_step(word) != ACD_STEP_PREFERRED &&
	    !acd_match_finds(acd, c, word, now_ns))
		acd_contact_widen(acd, c, word, 0, now_ns);
}

/* Ask for a look at a queue's conditions. */
void
acd_review_ask(struct stw_acd *acd, uint32_t q)
{
	hint_bits_set(&acd->reviews[q / HINT_BITS_WIDTH], q % HINT_BITS_WIDTH);
	/* V1, pairs with V2 */
	atomic_fetch_add_explicit(&acd->reviews_asked, 1, memory_order_release);
}

/* An agent has stopped working: ask for a look at the conditions of his queues. */
void
acd_review_ask_of(struct stw_acd *acd, const struct acd_agent_description *agent)
{
	uint32_t sets = atomic_load_explicit(&acd->sets_end, memory_order_relaxed);

	for (uint32_t w = 0; agent && w < HINT_BITS_WORDS(sets); w++) {
		uint32_t bits = atomic_load_explicit(&acd->conditional[w], memory_order_relaxed) &
				atomic_load_explicit(&agent->sets[w], memory_order_relaxed);

		for (; bits; bits &= bits - 1) {
			uint32_t set = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);

			acd_review_ask(acd, acd_set_queue(atomic_load_explicit(
						    &acd->sets[set], memory_order_relaxed)));
		}
	}
}

/* Let all go who wait in a queue that nobody serves, as far as the budget goes. Those behind one that stays are
 * let go when the sweep looks at them. */
static void
desert_queue(struct stw_acd *acd, const struct acd_queue_description *queue, uint64_t now_ns,
	     uint32_t *budget, struct acd_todo *todo)
{
	for (uint32_t k = 0; k < queue->steps_count; k++) {
		for (uint32_t i = 0; i < queue->steps[k].lanes_count; i++) {
			struct lower_bound_tree_entry entry;
			uint32_t position;

			while (*budget &&
			       lower_bound_tree_min(&acd->waiting, queue->steps[k].lanes[i].set,
						    &entry, &position)) {
				--*budget;
				if (!acd_contact_desert(acd, entry.item, entry.ref, now_ns, todo) &&
				    acd_word_read(&acd->contacts[entry.item].word) == entry.ref)
					break;
			}
		}
	}
}

/* Widen all contacts of a queue for which a condition holds, as far as the budget goes. */
static void
review_queue(struct stw_acd *acd, uint32_t q, uint64_t now_ns, uint32_t *budget,
	     struct acd_todo *todo)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);

	if (queue && queue->leave_when && acd_queue_is_unstaffed(acd, queue, queue->leave_when))
		desert_queue(acd, queue, now_ns, budget, todo);
	for (uint32_t k = 0; queue && k + 1 < queue->steps_count; k++) {
		if (!condition_holds(acd, queue, k, now_ns))
			continue;
		for (uint32_t i = 0; i < queue->steps[k].lanes_count && *budget; i++) {
			struct lower_bound_tree_entry entry;
			uint32_t position;

			while (*budget &&
			       lower_bound_tree_min(&acd->waiting, queue->steps[k].lanes[i].set,
						    &entry, &position)) {
				--*budget;
				if (acd_contact_widen(acd, entry.item, entry.ref, 0, now_ns))
					acd_todo_contact(todo, entry.item);
				else if (acd_word_read(&acd->contacts[entry.item].word) ==
					 entry.ref)
					break;
			}
		}
	}
}

/* Run the reviews that were asked for; *budget: how many contacts may still be looked at. */
void
acd_review_run(struct stw_acd *acd, uint32_t *budget, uint64_t now_ns, struct acd_todo *todo)
{
	/* V2, pairs with V1 */
	uint64_t asked = atomic_load_explicit(&acd->reviews_asked, memory_order_acquire);
	uint64_t done = atomic_load_explicit(&acd->reviews_done, memory_order_relaxed);

	if (asked == done || !*budget)
		return;
	/* F1, pairs with F1: what was asked for comes after the agent's change. */
	sync_fence_full();
	for (uint32_t w = 0; w < HINT_BITS_WORDS(acd->config.queues_max); w++) {
		uint64_t seen = hint_bits_read(&acd->reviews[w]);

		for (uint32_t bits = (uint32_t)seen; bits && *budget; bits &= bits - 1) {
			uint32_t bit = (uint32_t)__builtin_ctz(bits);

			review_queue(acd, w * HINT_BITS_WIDTH + bit, now_ns, budget, todo);
			if (*budget && hint_bits_clear(&acd->reviews[w], bit, seen))
				seen = hint_bits_read(&acd->reviews[w]);
		}
	}
	if (*budget)
		atomic_compare_exchange_strong_explicit(&acd->reviews_done, &done, asked,
							memory_order_relaxed, memory_order_relaxed);
}
