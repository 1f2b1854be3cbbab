/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Matching: which agent for a contact, which contact for an agent. A call collects whom it has made
 * matchable and looks at them before it returns.
 *
 * A contact looks for the agent who has been idle for longest; but what that agent gets is the best contact
 * waiting for him, whoever made him look: so an arrival that runs into an agent who has just become
 * ready does not overtake those who wait. The contact looks again until it waits no more or nobody
 * is ready for it. In the same way an agent who has become ready and finds a contact that another
 * thread has made visible and not given out yet leaves it to who has been idle for longer than he.
 *
 * Exactness: among the agents ready and the contacts visible at one instant of the call. `arrivals` is read
 * before and after the search for the best contact, and the search repeated if a contact became
 * visible in between. Ties: contacts by arrival, agents by slot.
 *
 * Who missed a contact is asked again only when nobody else is ready for it, at that moment.
 *
 * Progress: each round claims, or finds that another thread has changed the agent, the contact or a bit, or has
 * made a contact visible: lock-free. An agent is asked as to eligibility by the queue's member bit
 * alone (config_queue.c), from both sides, so the two sides never disagree for long.
 */
#include "engine.h"

/* Agents idle for ever longer who are served before one takes a contact. */
#define MATCH_DEEP 8

#define TODO_MAX STW_ARRAY_COUNT(((struct acd_todo *)0)->items)

static void
todo_add(struct acd_todo *todo, uint32_t item)
{
	for (uint32_t i = 0; i < todo->count; i++)
		if (todo->items[i] == item)
			return;
	if (todo->count == TODO_MAX)
		todo->overflow = true;
	else
		todo->items[todo->count++] = item;
}

void
acd_todo_agent(struct acd_todo *todo, uint32_t a)
{
	todo_add(todo, a | ACD_TIMER_AGENT);
}

void
acd_todo_contact(struct acd_todo *todo, uint32_t c)
{
	todo_add(todo, c);
}

static bool
bit_of(const _Atomic uint32_t *bits, uint32_t i)
{
	return atomic_load_explicit(&bits[i / HINT_BITS_WIDTH], memory_order_relaxed) >>
		       i % HINT_BITS_WIDTH &
	       1;
}

/* An agent for a contact of the queue whom `missed` (ACD_AGENT_NONE: nobody) has missed. */
static uint32_t
pick(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t missed)
{
	uint32_t a = acd_idle_longest(acd, queue->members, missed);

	if (a != ACD_NOBODY || missed == ACD_AGENT_NONE || !bit_of(queue->members, missed))
		return a;
	if (word_state(acd_word_read(&acd->agents[missed].word)) != ACD_AGENT_READY)
		return ACD_NOBODY;
	return missed;
}

/* Who missed a waiting contact last; ACD_AGENT_NONE: nobody, or somebody who was removed since. */
static uint32_t
missed_by(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	uint32_t a = word_slot(word);
	const struct acd_agent_description *agent =
		a == ACD_AGENT_NONE ? NULL : acd_agent_description(acd, a);

	if (!agent || agent->generation != acd_field_read_32(&acd->contacts[c].missed_generation))
		return ACD_AGENT_NONE;
	return a;
}

static bool
entry_before(const struct lower_bound_tree_entry *a, const struct lower_bound_tree_entry *b)
{
	return a->key != b->key ? a->key < b->key : a->order < b->order;
}

/* What a search over an agent's queues knows. */
struct best {
	bool found;
	uint64_t bound; /* of the entry; before one is found: above everything */
	uint32_t position;
	struct lower_bound_tree_entry entry;
};

static void
queue_search(struct stw_acd *acd, uint32_t q, uint32_t a, struct best *best)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	struct lower_bound_tree_entry entry;
	uint32_t position;

	if (!queue || !bit_of(queue->members, a) ||
	    !lower_bound_tree_min(&acd->waiting, q, &entry, &position))
		return;
	if (best->found && !entry_before(&entry, &best->entry))
		return;
	best->found = true;
	best->entry = entry;
	best->position = position;
	best->bound = lower_bound_of(entry.key);
}

/* Clear the bit of a queue in which nobody waits. */
static void
queue_unlist(struct stw_acd *acd, uint32_t q)
{
	_Atomic uint64_t *word = &acd->waiting.occupied[q / HINT_BITS_WIDTH];
	uint64_t seen = hint_bits_read(word);

	if (lower_bound_tree_root(&acd->waiting, q) == LOWER_BOUND_TREE_EMPTY)
		hint_bits_clear(word, q % HINT_BITS_WIDTH, seen);
}

/* The queue with the lowest root among those that the agent may serve; its contacts come first, most likely. */
static uint32_t
queue_lowest(struct stw_acd *acd, const struct acd_agent_description *agent)
{
	uint32_t lowest = ACD_NOBODY;
	uint64_t lowest_bound = LOWER_BOUND_TREE_EMPTY;

	for (uint32_t w = 0; w < HINT_BITS_WORDS(acd->config.queues_max); w++) {
		uint32_t bits = (uint32_t)hint_bits_read(&acd->waiting.occupied[w]) &
				atomic_load_explicit(&agent->queues[w], memory_order_relaxed);

		for (; bits; bits &= bits - 1) {
			uint32_t q = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);
			uint64_t bound = lower_bound_tree_root(&acd->waiting, q);

			if (bound == LOWER_BOUND_TREE_EMPTY)
				queue_unlist(acd, q);
			if (bound < lowest_bound) {
				lowest = q;
				lowest_bound = bound;
			}
		}
	}
	return lowest;
}

static void
best_contact(struct stw_acd *acd, uint32_t a, struct best *best)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);
	uint32_t first;

	best->found = false;
	best->bound = LOWER_BOUND_TREE_EMPTY;
	if (!agent)
		return;
	first = queue_lowest(acd, agent);
	if (first == ACD_NOBODY)
		return;
	queue_search(acd, first, a, best);
	for (uint32_t w = 0; w < HINT_BITS_WORDS(acd->config.queues_max); w++) {
		uint32_t bits = (uint32_t)hint_bits_read(&acd->waiting.occupied[w]) &
				atomic_load_explicit(&agent->queues[w], memory_order_relaxed);

		for (; bits; bits &= bits - 1) {
			uint32_t q = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);
			uint64_t bound = lower_bound_tree_root(&acd->waiting, q);

			if (q != first && bound < LOWER_BOUND_TREE_EMPTY && bound <= best->bound)
				queue_search(acd, q, a, best);
		}
	}
}

/*
 * Who should have the entry's contact rather than a, who is ready: who has been idle for longer, or
 * anybody when a has missed it. ACD_NOBODY: a it is.
 */
static uint32_t
better_agent(struct stw_acd *acd, uint32_t a, const struct lower_bound_tree_entry *entry)
{
	uint32_t missed = missed_by(acd, entry->item, entry->ref);
	const struct acd_queue_description *queue;
	uint64_t idle_ns, other_ns;
	uint32_t other;

	queue = acd_queue_description(acd, acd_contact_queue(acd, entry->item, entry->ref));
	other = queue ? acd_idle_longest(acd, queue->members, missed) : ACD_NOBODY;
	if (other == ACD_NOBODY || other == a)
		return ACD_NOBODY;
	if (missed == a)
		return other;
	idle_ns = atomic_load_explicit(&acd->idle_since_ns[a], memory_order_relaxed);
	other_ns = atomic_load_explicit(&acd->idle_since_ns[other], memory_order_relaxed);
	return other_ns < idle_ns || (other_ns == idle_ns && other < a) ? other : ACD_NOBODY;
}

/*
 * Give an agent the best contact that waits for him, as long as he is ready and there is one. `given` is
 * the contact for which he was chosen as the one who is idle for longest (ACD_NOBODY: he was not
 * chosen); before he takes another, who has been idle for longer than he is served, `deep` such steps.
 */
static void
match_agent(struct stw_acd *acd, uint32_t a, uint32_t given, unsigned deep, uint64_t now_ns,
	    struct acd_todo *todo)
{
	for (;;) {
		uint64_t word = acd_agent_settle(acd, a, now_ns, todo);
		uint32_t other = ACD_NOBODY;
		uint64_t arrivals;
		struct best best;

		if (word_state(word) != ACD_AGENT_READY) {
			acd_idle_unlist(acd, a);
			return;
		}
		arrivals = acd_arrivals_read(acd);
		best_contact(acd, a, &best);
		if (arrivals != acd_arrivals_read(acd))
			continue;
		if (!best.found)
			return;
		if (deep && best.entry.item != given)
			other = better_agent(acd, a, &best.entry);
		if (other != ACD_NOBODY)
			match_agent(acd, other, best.entry.item, deep - 1, now_ns, todo);
		else
			acd_claim(acd, a, word, &best.entry, best.position, now_ns, todo);
	}
}

static void
match_contact(struct stw_acd *acd, uint32_t c, uint64_t now_ns, struct acd_todo *todo)
{
	for (;;) {
		uint64_t word = acd_word_read(&acd->contacts[c].word);
		const struct acd_queue_description *queue;
		uint32_t a;

		if (word_state(word) != ACD_CONTACT_WAITING)
			return;
		queue = acd_queue_description(acd, acd_contact_queue(acd, c, word));
		a = queue ? pick(acd, queue, missed_by(acd, c, word)) : ACD_NOBODY;
		if (a == ACD_NOBODY)
			return;
		match_agent(acd, a, c, MATCH_DEEP, now_ns, todo);
	}
}

/* More has become matchable than todo holds: ask for the best contact of each queue. One step asks
 * the same of an agent for all contacts of a queue, so when its best finds nobody, none does. */
static void
match_everything(struct stw_acd *acd, uint64_t now_ns, struct acd_todo *todo)
{
	for (uint32_t q = 0; q < acd->config.queues_max; q++) {
		struct lower_bound_tree_entry entry;
		uint32_t position;

		while (lower_bound_tree_min(&acd->waiting, q, &entry, &position)) {
			match_contact(acd, entry.item, now_ns, todo);
			if (acd_word_read(&acd->contacts[entry.item].word) == entry.ref)
				break;
		}
	}
}

void
acd_match_run(struct stw_acd *acd, struct acd_todo *todo, uint64_t now_ns)
{
	uint32_t done = 0;

	while (done < todo->count || todo->overflow) {
		uint32_t item;

		/* F1, pairs with F1: what made the item matchable comes before the search. */
		sync_fence_full();
		if (todo->overflow) {
			todo->overflow = false;
			done = todo->count = 0;
			match_everything(acd, now_ns, todo);
			continue;
		}
		item = todo->items[done++];
		if (item & ACD_TIMER_AGENT)
			match_agent(acd, item & ~ACD_TIMER_AGENT, ACD_NOBODY, MATCH_DEEP, now_ns,
				    todo);
		else
			match_contact(acd, item, now_ns, todo);
		if (done == todo->count)
			done = todo->count = 0;
	}
}
