/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers: what a contact waits for (due.c), positions to be told, wrap-ups and pauses that end. A timer is an
 * entry of a tree keyed by its deadline; its ref is the very word for which it was set, so it fires by a compare-exchange from that word
 * or, when the contact or agent has moved on, not at all.
 *
 * Each advance also looks at a few agents and contacts in turn, whatever their state. That finds what a thread
 * left half done that will never run again: an event not pushed, an agent not released, a contact not put
 * back, a timer not set. Normally it finds nothing and costs a few loads.
 *
 * Progress: each round of the loop fires or removes a timer, or another thread did: lock-free.
 */
#include "ring.h"

#include <errno.h>

/* Agents, and contacts, looked at in one advance. */
#define SWEEP_STEPS 8

enum lower_bound_tree_verdict
acd_timer_check(void *context, uint32_t item, uint64_t ref)
{
	struct stw_acd *acd = context;
	uint64_t word;

	if (item & ACD_TIMER_POSITION)
		return acd_position_timer_check(acd, item & ~ACD_TIMER_POSITION, ref);
	word = item & ACD_TIMER_AGENT  ? acd_word_read(&acd->agents[item & ~ACD_TIMER_AGENT].word)
	       : item & ACD_TIMER_SEAT ? acd_seat_timer_word(acd, item)
				       : acd_word_read(&acd->contacts[item].word);

	/* A ring's timer is that of its first word. */
	if (!(item & ACD_TIMER_AGENT) && word_state(word) == ACD_CONTACT_RINGING)
		word = ring_first_word(word);
	return word == ref ? LOWER_BOUND_TREE_LIVE : LOWER_BOUND_TREE_STALE;
}

/* Set a timer for a word, the contact's or agent's that the item says. */
void
acd_timer_set(struct stw_acd *acd, uint32_t item, uint64_t word, uint64_t deadline_ns,
	      enum acd_timer_kind kind, uint32_t *position)
{
	struct lower_bound_tree_entry entry = {
		.key = (int64_t)deadline_ns,
		.order = (uint64_t)kind << 32 | item,
		.ref = word,
		.item = item,
	};

	/* There is room for twice what can be set, and stale ones are taken out before it fails. */
	if (lower_bound_tree_insert(&acd->timers, 0, &entry, position))
		*position = ACD_NO_POSITION;
}

static bool
fire(struct stw_acd *acd, const struct lower_bound_tree_entry *entry, uint32_t position,
     uint64_t now_ns, struct acd_todo *todo)
{
	bool fired;

	if (entry->item & ACD_TIMER_POSITION)
		fired = acd_position_fire(acd, entry->item & ~ACD_TIMER_POSITION, entry->ref,
					  now_ns);
	else if (entry->item & ACD_TIMER_AGENT)
		fired = acd_wrap_up_fire(acd, entry, now_ns, todo);
	else if (entry->item & ACD_TIMER_SEAT)
		fired = acd_wrap_up_fire_seat(acd, entry, now_ns, todo);
	else
		fired = acd_contact_due(acd, entry, position, now_ns, todo);
	/* By us or by others, the word has changed, or another timer is set for it. */
	lower_bound_tree_remove(&acd->timers, position, entry->item, entry->ref);
	acd_match_run(acd, todo, now_ns);
	return fired;
}

/* late: every timer that is due has fired, so what is over by now had none. */
static void
sweep_agent(struct stw_acd *acd, uint32_t a, bool late, uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t word = acd_agent_settle(acd, a, now_ns, todo);

	if (word_state(word) == ACD_AGENT_FREE)
		return;
	acd_idle_ensure(acd, a);
	acd_announce_agent(acd, a, word, now_ns);
	if (late)
		acd_wrap_ups_sweep(acd, a, word, now_ns, todo);
	/* A contact left waiting is looked at in its own turn, and asks who has been idle for longest;
	 * this agent would take one that has just come, whoever is before him. */
}

static void
sweep_contact(struct stw_acd *acd, uint32_t c, uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t word = acd_word_read(&acd->contacts[c].word);

	if (word_contact_closing(word))
		acd_contact_finish(acd, c, word, now_ns, todo);
	else
		acd_announce_contact(acd, c, word, now_ns);
	if (word_state(word) == ACD_CONTACT_WAITING)
		acd_todo_contact(todo, c);
}

/* Conditions that come true by themselves. */
static void
sweep_queue(struct stw_acd *acd, uint32_t q)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);

	if (queue && queue->leave_when)
		acd_review_ask(acd, q);
	for (uint32_t k = 1; queue && k < queue->steps_count; k++) {
		if (queue->steps[k].when != STW_STEP_WHEN_TIME) {
			acd_review_ask(acd, q);
			return;
		}
	}
}

static void
sweep(struct stw_acd *acd, bool late, uint64_t now_ns, struct acd_todo *todo)
{
	uint32_t first = atomic_fetch_add_explicit(&acd->sweep, SWEEP_STEPS, memory_order_relaxed);

	for (uint32_t i = first; i < first + SWEEP_STEPS; i++) {
		sweep_agent(acd, i % acd->config.agents_max, late, now_ns, todo);
		sweep_contact(acd, i % acd->config.contacts_max, now_ns, todo);
		sweep_queue(acd, i % acd->config.queues_max);
		acd_surge_review(acd, i % acd->config.queues_max, now_ns);
		acd_match_run(acd, todo, now_ns);
	}
}

int
stw_acd_advance(struct stw_acd *acd, uint64_t now_ns, uint32_t budget, uint64_t *next_ns)
{
	struct acd_todo todo = {.count = 0};
	uint64_t next = now_ns;
	uint64_t calendars_ns;
	uint32_t fired = 0;

	if (!budget)
		return -EINVAL;
	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	calendars_ns = acd_calendars_advance(acd, now_ns, &todo);
	while (fired < budget) {
		struct lower_bound_tree_entry entry;
		uint32_t position;

		if (!lower_bound_tree_min(&acd->timers, 0, &entry, &position)) {
			next = UINT64_MAX;
			break;
		}
		/* An early one is put where it belongs, or it would be told as the next. */
		if (entry.key > (int64_t)now_ns &&
		    !acd_wrap_up_timer_early(acd, entry.item, entry.key)) {
			next = (uint64_t)entry.key;
			break;
		}
		fired += fire(acd, &entry, position, now_ns, &todo);
	}
	sweep(acd, fired < budget, now_ns, &todo);
	reclaim_exit();
	if (next_ns)
		*next_ns = next < calendars_ns ? next : calendars_ns;
	return (int)fired;
}
