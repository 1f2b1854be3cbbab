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
 * visible in between. A contact that waits on with another word (another class or step) is visible
 * throughout, though a search may come to the place of its new entry too early and to that of the old one too
 * late. So its new word is counted before the old entry goes: by who changed it, or by the search that finds
 * the old entry stale (place.c). Ties: contacts by arrival, agents by slot.
 *
 * Who missed a contact is asked again only when nobody else is ready for it, at that moment.
 *
 * Steps: of the steps that are open to a contact, the first that has somebody ready gives it its agent. A
 * contact that finds nobody is widened by what needs no wait, and looks again (widen.c).
 *
 * Progress: each round claims, or finds that another thread has changed the agent, the contact or a bit, or has
 * made a contact visible: lock-free. Whether an agent may have a contact is said by the steps' member bits
 * alone, from both sides. The agent's own bits only lead to the sets; where they do not lead to the contact for
 * which he was picked, he is given that one all the same, so the two sides agree at once, even
 * if who configures is stopped for ever between one bit and the other.
 */
#include "ring.h"

/* Agents idle for ever longer who are served before one takes a contact. */
#define MATCH_DEEP 8

#define TODO_MAX STW_ARRAY_COUNT(((struct acd_todo *)0)->items)

static void
todo_add(struct acd_todo *todo, uint32_t item)
{
	for (uint32_t i = todo->done; i < todo->count; i++)
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

/*
 * The first open step's choice for a waiting contact, and the step in *tier. `but` (ACD_AGENT_NONE:
 * nobody) is not asked.
 */
static uint32_t
choose(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t but, uint64_t now_ns,
       uint32_t *tier)
{
	uint32_t q = acd_contact_queue(acd, c, word);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint32_t value = acd_contact_value(acd, c, word);

	for (*tier = 0; queue && *tier <= word_step(word) && *tier < queue->steps_count; ++*tier) {
		const struct acd_step *step = &queue->steps[*tier];
		uint32_t a;

		if (!acd_step_asks(acd, step, value))
			continue;
		a = acd_select(acd, q, step, *tier, c, word, but, now_ns);
		if (a != ACD_NOBODY)
			return a;
	}
	return ACD_NOBODY;
}

/* Who missed a waiting contact last; ACD_AGENT_NONE: nobody, or somebody who was removed since. */
uint32_t
acd_missed_by(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	uint32_t a = word_slot(word);
	const struct acd_agent_description *agent =
		a == ACD_AGENT_NONE ? NULL : acd_agent_description(acd, a);

	if (!agent || agent->generation != acd_field_read_32(&acd->contacts[c].missed_generation))
		return ACD_AGENT_NONE;
	return a;
}

/* An agent for a contact at this word: him who missed it only if there is nobody else. */
static uint32_t
pick(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns)
{
	const struct acd_queue_description *queue =
		acd_queue_description(acd, acd_contact_queue(acd, c, word));
	uint32_t missed = acd_missed_by(acd, c, word);
	uint32_t tier;
	uint32_t a = choose(acd, c, word, missed, now_ns, &tier);

	if (!queue || a != ACD_NOBODY || missed == ACD_AGENT_NONE ||
	    !acd_agent_is_open(acd, missed, queue->channel) ||
	    !acd_step_takes(acd, queue, word_step(word), acd_contact_value(acd, c, word), missed))
		return a;
	return missed;
}

/* Whether a waiting contact would find an agent. */
bool
acd_match_finds(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns)
{
	return pick(acd, c, word, now_ns) != ACD_NOBODY;
}

/* What a search over an agent's queues knows. */
struct best {
	uint32_t channels; /* of which he could take a contact */
	bool found;
	uint64_t bound; /* of the entry; before one is found: above everything */
	uint32_t position;
	struct lower_bound_tree_entry entry;
};

/* Whether a set's channel is one of these; all: so is every set of the agent's. */
static bool
set_is_open(struct stw_acd *acd, uint32_t set, uint32_t channels, bool all)
{
	uint32_t what = atomic_load_explicit(&acd->sets[set], memory_order_relaxed);
	const struct acd_queue_description *queue =
		all ? NULL : acd_queue_description(acd, acd_set_queue(what));

	return all || (queue && channels >> queue->channel & 1);
}

static void
best_keep(struct best *best, const struct lower_bound_tree_entry *entry, uint32_t position)
{
	if (best->found && !lower_bound_tree_before(entry, &best->entry))
		return;
	best->found = true;
	best->entry = *entry;
	best->position = position;
	best->bound = lower_bound_of(entry->key);
}

static void
set_search(struct stw_acd *acd, uint32_t set, uint32_t a, struct best *best)
{
	uint32_t what = atomic_load_explicit(&acd->sets[set], memory_order_relaxed);
	const struct acd_queue_description *queue = acd_queue_description(acd, acd_set_queue(what));
	struct lower_bound_tree_entry entry;
	uint32_t position;

	if (queue && best->channels >> queue->channel & 1 &&
	    acd_step_takes(acd, queue, acd_set_step(what), acd_set_value(what), a) &&
	    lower_bound_tree_min(&acd->waiting, set, &entry, &position))
		best_keep(best, &entry, position);
}

/*
 * The contact for which an agent was picked counts, too, in whatever set the search would look for it.
 * The agent's bits lead to the sets, the steps' bits decide; while somebody configures, one may be ahead
 * of the other, and who configures may be stopped there for ever.
 */
static void
given_search(struct stw_acd *acd, uint32_t c, uint32_t a, struct best *best)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint64_t word = acd_word_read(&contact->word);
	const struct acd_queue_description *queue =
		acd_queue_description(acd, acd_contact_queue(acd, c, word));
	struct lower_bound_tree_entry entry = {
		.key = (int64_t)acd_field_read(
			(_Atomic uint64_t *)&contact->rank_ns[word_side(word)]),
		.order = acd_field_read(&contact->arrival),
		.ref = word,
		.item = c,
	};
	uint32_t position = atomic_load_explicit(&contact->entry_position, memory_order_relaxed);

	if (word_state(word) == ACD_CONTACT_WAITING && queue &&
	    best->channels >> queue->channel & 1 && word_step(word) != ACD_STEP_PREFERRED &&
	    acd_step_takes(acd, queue, word_step(word), acd_contact_value(acd, c, word), a) &&
	    acd_word_read(&contact->word) == word)
		best_keep(best, &entry, position);
}

/* Clear the bit of a set in which nobody waits. */
static void
set_unlist(struct lower_bound_tree *tree, uint32_t set)
{
	_Atomic uint64_t *word = &tree->occupied[set / HINT_BITS_WIDTH];
	uint64_t seen = hint_bits_read(word);

	if (lower_bound_tree_root(tree, set) == LOWER_BOUND_TREE_EMPTY)
		hint_bits_clear(word, set % HINT_BITS_WIDTH, seen);
}

/* The best of those who wait for the agent in person. */
static void
preferred_search(struct stw_acd *acd, uint32_t a, struct best *best)
{
	for (uint32_t bits = acd_preferred_waits(acd, a) & best->channels; bits; bits &= bits - 1) {
		uint32_t set = a * STW_CHANNEL_COUNT + (uint32_t)__builtin_ctz(bits);
		struct lower_bound_tree_entry entry;
		uint32_t position;

		if (lower_bound_tree_min(&acd->preferred, set, &entry, &position))
			best_keep(best, &entry, position);
		else
			set_unlist(&acd->preferred, set);
	}
}

/* Sets of a word that may have contacts for the agent. */
static uint32_t
sets_of(struct stw_acd *acd, const struct acd_agent_description *agent, uint32_t w)
{
	return (uint32_t)hint_bits_read(&acd->waiting.occupied[w]) &
	       atomic_load_explicit(&agent->sets[w], memory_order_relaxed);
}

/* The set with the lowest root among those that the agent may serve; its contacts come first, most likely. */
static uint32_t
set_lowest(struct stw_acd *acd, const struct acd_agent_description *agent, uint32_t words,
	   uint32_t channels)
{
	bool all = channels == agent->channels;
	uint32_t lowest = ACD_NOBODY;
	uint64_t lowest_bound = LOWER_BOUND_TREE_EMPTY;

	for (uint32_t w = 0; w < words; w++) {
		for (uint32_t bits = sets_of(acd, agent, w); bits; bits &= bits - 1) {
			uint32_t set = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);
			uint64_t bound = lower_bound_tree_root(&acd->waiting, set);

			if (bound == LOWER_BOUND_TREE_EMPTY)
				set_unlist(&acd->waiting, set);
			if (bound < lowest_bound && set_is_open(acd, set, channels, all)) {
				lowest = set;
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
	uint32_t words =
		HINT_BITS_WORDS(atomic_load_explicit(&acd->sets_end, memory_order_relaxed));
	uint32_t first;

	best->found = false;
	best->bound = LOWER_BOUND_TREE_EMPTY;
	if (!agent)
		return;
	preferred_search(acd, a, best);
	first = set_lowest(acd, agent, words, best->channels);
	if (first == ACD_NOBODY)
		return;
	set_search(acd, first, a, best);
	for (uint32_t w = 0; w < words; w++) {
		for (uint32_t bits = sets_of(acd, agent, w); bits; bits &= bits - 1) {
			uint32_t set = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);
			uint64_t bound = lower_bound_tree_root(&acd->waiting, set);

			if (set != first && bound < LOWER_BOUND_TREE_EMPTY && bound <= best->bound)
				set_search(acd, set, a, best);
		}
	}
}

/* Whether any contact waits that the agent may serve. */
bool
acd_agent_is_waited_for(struct stw_acd *acd, uint32_t a)
{
	struct best best = {.channels = acd_agent_channels(acd, a)};

	best_contact(acd, a, &best);
	return best.found;
}

/*
 * Who should have the entry's contact rather than a, who is ready: somebody of a step before his, or
 * whom the policy of his step puts before him, or anybody when a has missed it. ACD_NOBODY: a it is.
 */
static uint32_t
better_agent(struct stw_acd *acd, uint32_t a, const struct lower_bound_tree_entry *entry,
	     uint64_t now_ns)
{
	uint32_t missed = acd_missed_by(acd, entry->item, entry->ref);
	uint32_t q = acd_contact_queue(acd, entry->item, entry->ref);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint32_t tier, tier_a, other;

	/* Nobody else is to have him who waits for a in person. */
	if (word_step(entry->ref) == ACD_STEP_PREFERRED)
		return ACD_NOBODY;
	other = choose(acd, entry->item, entry->ref, missed, now_ns, &tier);
	if (!queue || other == ACD_NOBODY || other == a)
		return ACD_NOBODY;
	if (missed == a)
		return other;
	tier_a = acd_step_tier(acd, queue, word_step(entry->ref),
			       acd_contact_value(acd, entry->item, entry->ref), a);
	if (tier != tier_a)
		return tier < tier_a ? other : ACD_NOBODY;
	return acd_select_before(acd, q, &queue->steps[tier], tier, other, a, now_ns) ? other
										      : ACD_NOBODY;
}

/* Whether an agent has become ready since this call began: he may have been chosen for how long he was before. */
static bool
is_ready_anew(const struct stw_acd *acd, uint32_t a, uint64_t now_ns)
{
	return atomic_load_explicit(&acd->idle_since_ns[a], memory_order_relaxed) >= now_ns;
}

/*
 * Give an agent the best contact that waits for him, as long as he is ready and there is one. `given` is
 * the contact for which he was chosen as the one who is idle for longest (ACD_NOBODY: he was not
 * chosen); before he takes another, or takes it in another spell than he was chosen in, who has been idle for
 * longer than he is served, `deep` such steps.
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
			if (word_state(word) < ACD_AGENT_NOT_READY)
				acd_preferred_leave(acd, a, now_ns, todo);
			return;
		}
		best.channels = acd_seats_look(acd, a);
		if (!best.channels)
			return;
		arrivals = acd_arrivals_read(acd);
		best_contact(acd, a, &best);
		if (arrivals != acd_arrivals_read(acd))
			continue;
		if (given != ACD_NOBODY && (!best.found || best.entry.item != given))
			given_search(acd, given, a, &best);
		if (!best.found)
			return;
		if (deep && (best.entry.item != given || is_ready_anew(acd, a, now_ns)))
			other = better_agent(acd, a, &best.entry, now_ns);
		if (other != ACD_NOBODY) {
			match_agent(acd, other, best.entry.item, deep - 1, now_ns, todo);
		} else {
			acd_claim(acd, a, word, &best.entry, best.position, now_ns, todo);
			acd_ring_fill(acd, &best.entry, now_ns, todo);
		}
	}
}

/* Whom a waiting contact is to be given to; ACD_NOBODY: nobody who could have it is ready. */
static uint32_t
agent_for(struct stw_acd *acd, uint32_t c, uint64_t word, uint64_t now_ns, struct acd_todo *todo)
{
	const struct acd_queue_description *queue =
		acd_queue_description(acd, acd_contact_queue(acd, c, word));
	uint32_t a;

	if (word_step(word) != ACD_STEP_PREFERRED)
		return pick(acd, c, word, now_ns);
	a = acd_preferred_agent(acd, c, word_side(word));
	/* He has logged out or was removed: to the steps, where it is looked at again. */
	if (a == ACD_NOBODY)
		acd_contact_step(acd, c, word, 0, now_ns, todo);
	if (a == ACD_NOBODY || !queue || !acd_agent_is_open(acd, a, queue->channel))
		return ACD_NOBODY;
	return a;
}

static void
match_contact(struct stw_acd *acd, uint32_t c, uint64_t now_ns, struct acd_todo *todo)
{
	for (;;) {
		uint64_t word = acd_word_read(&acd->contacts[c].word);
		uint32_t a;

		if (word_state(word) != ACD_CONTACT_WAITING)
			return;
		a = agent_for(acd, c, word, now_ns, todo);
		if (a != ACD_NOBODY)
			match_agent(acd, a, c, MATCH_DEEP, now_ns, todo);
		else if (!acd_contact_desert(acd, c, word, now_ns, todo) &&
			 !acd_contact_widen(acd, c, word, 0, now_ns) &&
			 acd_word_read(&acd->contacts[c].word) == word)
			return;
	}
}

static void
tree_set_match(struct stw_acd *acd, struct lower_bound_tree *tree, uint32_t set, uint64_t now_ns,
	       struct acd_todo *todo)
{
	struct lower_bound_tree_entry entry;
	uint32_t position;

	while (lower_bound_tree_min(tree, set, &entry, &position)) {
		match_contact(acd, entry.item, now_ns, todo);
		if (acd_word_read(&acd->contacts[entry.item].word) == entry.ref)
			break;
	}
}

/* Offer the contacts of a set, the best first, until one finds nobody. */
void
acd_match_set(struct stw_acd *acd, uint32_t set, uint64_t now_ns, struct acd_todo *todo)
{
	tree_set_match(acd, &acd->waiting, set, now_ns, todo);
}

/* More has become matchable than todo holds: ask for the best contact of each set. All of a set ask
 * the same of an agent, so when its best finds nobody, none does. */
static void
match_everything(struct stw_acd *acd, uint64_t now_ns, struct acd_todo *todo)
{
	uint32_t sets = atomic_load_explicit(&acd->sets_end, memory_order_relaxed);

	for (uint32_t a = 0; a < acd->config.agents_max; a++)
		for (uint32_t bits = acd_preferred_waits(acd, a); bits; bits &= bits - 1)
			tree_set_match(acd, &acd->preferred,
				       a * STW_CHANNEL_COUNT + (uint32_t)__builtin_ctz(bits),
				       now_ns, todo);
	for (uint32_t w = 0; w < HINT_BITS_WORDS(sets); w++) {
		uint32_t bits = (uint32_t)hint_bits_read(&acd->waiting.occupied[w]);

		for (; bits; bits &= bits - 1)
			acd_match_set(acd, w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits),
				      now_ns, todo);
	}
}

void
acd_match_run(struct stw_acd *acd, struct acd_todo *todo, uint64_t now_ns)
{
	uint32_t reviews = ACD_REVIEWS_MAX;

	acd_review_run(acd, &reviews, now_ns, todo);
	while (todo->done < todo->count || todo->overflow) {
		uint32_t item;

		/* F1, pairs with F1: what made the item matchable comes before the search. */
		sync_fence_full();
		if (todo->overflow) {
			todo->overflow = false;
			todo->done = todo->count = 0;
			match_everything(acd, now_ns, todo);
			continue;
		}
		item = todo->items[todo->done++];
		if (item & ACD_TIMER_AGENT)
			match_agent(acd, item & ~ACD_TIMER_AGENT, ACD_NOBODY, MATCH_DEEP, now_ns,
				    todo);
		else
			match_contact(acd, item, now_ns, todo);
		if (todo->done == todo->count) {
			todo->done = todo->count = 0;
			acd_review_run(acd, &reviews, now_ns, todo);
		}
	}
}
