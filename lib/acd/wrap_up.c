/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wrap-up: how long it lasts, for an agent with one slot in his own word, for one with several in the seat
 * (seats.c); and more time for it.
 *
 * The end stands beside the word, in until_ns. It is set from a value read before the word was seen to be
 * the one it is set for: a thread that comes too late finds that the next wrap-up has set its own. The timer
 * is set for the word; one that stands before until_ns is set again as soon as it is the first (timers.c), so
 * that one too many, by another thread that announced or extended the same wrap-up, does no harm. A timer
 * that was never set is made good by the sweep (timers.c), which asks until_ns.
 *
 * All calls may overlap. A retry means that another thread set until_ns or changed the word: lock-free.
 * Orders: W1 and W2 of engine.h.
 */
#include "engine.h"

#include <errno.h>

/* Set the end of what begins, or goes on, with this very word; false: it has changed. */
bool
acd_until_set(_Atomic uint64_t *until_ns, const _Atomic uint64_t *word, uint64_t seen,
	      uint64_t end_ns)
{
	for (;;) {
		uint64_t old = acd_word_read(until_ns);

		if (acd_word_read(word) != seen)
			return false;
		if (old == end_ns || acd_word_change(until_ns, old, end_ns))
			return true;
	}
}

static void
timer_set(struct stw_acd *acd, uint32_t item, uint64_t word, uint64_t deadline_ns,
	  _Atomic uint32_t *position)
{
	uint32_t at;

	acd_timer_set(acd, item, word, deadline_ns, ACD_TIMER_PLAIN, &at);
	atomic_store_explicit(position, at, memory_order_relaxed);
}

static uint32_t
seat_item(uint32_t a, uint32_t s)
{
	return ACD_TIMER_SEAT | (a * ACD_SEATS_MAX + s);
}

static void
seat_timer_set(struct stw_acd *acd, uint32_t a, uint32_t s, struct acd_seats *seats, uint64_t seat)
{
	timer_set(acd, seat_item(a, s), seat, acd_word_read(&seats->until_ns[s]),
		  &seats->timer_positions[s]);
}

/* Step P4 into a wrap-up; false: the contact of the seat, ended by this word, asks for none. */
bool
acd_wrap_up_begin(struct stw_acd *acd, uint32_t a, uint32_t s, uint64_t seat, uint64_t contact_word,
		  uint64_t now_ns)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);
	uint32_t q = acd_contact_queue(acd, word_slot(seat), contact_word);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint64_t wrap_up = seat_make(ACD_SEAT_WRAP_UP, seat_channel(seat), acd_stamp_take(acd, a));
	struct acd_seats *seats;

	if (!agent || !queue || !queue->wrap_up_ns ||
	    (word_state(contact_word) != ACD_CONTACT_ENDING &&
	     word_state(contact_word) != ACD_CONTACT_MOVING))
		return false;
	seats = agent->seats;
	acd_agent_spell(acd, a, true, now_ns);
	if (acd_until_set(&seats->until_ns[s], &seats->words[s], seat,
			  now_ns + queue->wrap_up_ns) &&
	    acd_word_change(&seats->words[s], seat, wrap_up))
		seat_timer_set(acd, a, s, seats, wrap_up);
	return true;
}

static bool
seat_wrap_up_end(struct stw_acd *acd, uint32_t a, uint32_t s, struct acd_seats *seats,
		 uint64_t seat, uint64_t now_ns)
{
	if (!acd_seat_empty(acd, a, s, seat, now_ns))
		return false;
	lower_bound_tree_remove(
		&acd->timers,
		atomic_load_explicit(&seats->timer_positions[s], memory_order_relaxed),
		seat_item(a, s), seat);
	return true;
}

/* End all wrap-ups in an agent's seats; returns how many this call has ended. */
uint32_t
acd_wrap_ups_end(struct stw_acd *acd, uint32_t a, uint64_t now_ns)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);
	uint32_t ended = 0;

	for (uint32_t s = 0; agent && agent->seats && s < ACD_SEATS_MAX; s++) {
		uint64_t seat = acd_word_read(&agent->seats->words[s]);

		if (seat_state(seat) == ACD_SEAT_WRAP_UP)
			ended += seat_wrap_up_end(acd, a, s, agent->seats, seat, now_ns);
	}
	return ended;
}

/* End those whose time is over, though their timers may not have been set. */
static void
seats_expire(struct stw_acd *acd, uint32_t a, struct acd_seats *seats, uint64_t now_ns,
	     struct acd_todo *todo)
{
	for (uint32_t s = 0; s < ACD_SEATS_MAX; s++) {
		uint64_t seat = acd_word_read(&seats->words[s]);

		if (seat_state(seat) == ACD_SEAT_WRAP_UP &&
		    acd_word_read(&seats->until_ns[s]) <= now_ns &&
		    seat_wrap_up_end(acd, a, s, seats, seat, now_ns))
			acd_todo_agent(todo, a);
	}
}

/* The sweep: wrap-ups and pauses that nobody will end. The agent's word was just read. */
void
acd_wrap_ups_sweep(struct stw_acd *acd, uint32_t a, uint64_t word, uint64_t now_ns,
		   struct acd_todo *todo)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);

	if (agent && agent->seats)
		seats_expire(acd, a, agent->seats, now_ns, todo);
	if ((word_state(word) == ACD_AGENT_WRAP_UP || word_state(word) == ACD_AGENT_PAUSED) &&
	    acd_word_read(&acd->agents[a].until_ns) <= now_ns &&
	    acd_agent_move(acd, a, word, ACD_AGENT_READY, 0, false, now_ns))
		acd_todo_agent(todo, a);
}

/* A timer of an agent's own wrap-up or pause; false: it is not the end yet, or no more. One that stands before the
 * end is set again though the end may be due, too: what is due comes by its deadline. */
bool
acd_wrap_up_fire(struct stw_acd *acd, const struct lower_bound_tree_entry *entry, uint64_t now_ns,
		 struct acd_todo *todo)
{
	uint32_t a = entry->item & ~ACD_TIMER_AGENT;
	struct acd_agent *agent = &acd->agents[a];
	uint64_t until_ns = acd_word_read(&agent->until_ns);
	uint64_t word = entry->ref;

	if (acd_word_read(&agent->word) != word)
		return false;
	if ((int64_t)until_ns > entry->key) {
		timer_set(acd, a | ACD_TIMER_AGENT, word, until_ns, &agent->timer_position);
		return false;
	}
	acd_announce_agent(acd, a, word, now_ns);
	if (!acd_agent_move(acd, a, word, ACD_AGENT_READY, 0, false, now_ns))
		return false;
	acd_todo_agent(todo, a);
	return true;
}

/* A timer of a seat: likewise. */
bool
acd_wrap_up_fire_seat(struct stw_acd *acd, const struct lower_bound_tree_entry *entry,
		      uint64_t now_ns, struct acd_todo *todo)
{
	uint32_t a = (entry->item & ~ACD_TIMER_SEAT) / ACD_SEATS_MAX;
	uint32_t s = entry->item % ACD_SEATS_MAX;
	const struct acd_agent_description *agent = acd_agent_description(acd, a);
	struct acd_seats *seats = agent ? agent->seats : NULL;
	uint64_t seat = entry->ref;

	if (!seats || acd_word_read(&seats->words[s]) != seat)
		return false;
	if ((int64_t)acd_word_read(&seats->until_ns[s]) > entry->key) {
		seat_timer_set(acd, a, s, seats, seat);
		return false;
	}
	if (!seat_wrap_up_end(acd, a, s, seats, seat, now_ns))
		return false;
	acd_todo_agent(todo, a);
	return true;
}

/* Whether a timer stands before the end of the wrap-up or pause that it is for. */
bool
acd_wrap_up_timer_early(struct stw_acd *acd, uint32_t item, int64_t deadline_ns)
{
	const struct acd_agent_description *agent;
	uint32_t seat = item & ~ACD_TIMER_SEAT;
	uint64_t until_ns = 0;

	if (item & ACD_TIMER_AGENT) {
		until_ns = acd_word_read(&acd->agents[item & ~ACD_TIMER_AGENT].until_ns);
	} else if (item & ACD_TIMER_SEAT) {
		agent = acd_agent_description(acd, seat / ACD_SEATS_MAX);
		if (agent && agent->seats)
			until_ns = acd_word_read(&agent->seats->until_ns[seat % ACD_SEATS_MAX]);
	}
	return (int64_t)until_ns > deadline_ns;
}

/* What a timer of a seat was set for, as far as it is there. */
uint64_t
acd_seat_timer_word(struct stw_acd *acd, uint32_t item)
{
	const struct acd_agent_description *agent =
		acd_agent_description(acd, (item & ~ACD_TIMER_SEAT) / ACD_SEATS_MAX);

	return agent && agent->seats ? acd_word_read(&agent->seats->words[item % ACD_SEATS_MAX])
				     : 0;
}

/* The end of a wrap-up, and the timer and word that go with it. */
struct wrap_up {
	_Atomic uint64_t *until_ns;
	const _Atomic uint64_t *word;
	_Atomic uint32_t *timer_position;
	uint32_t item;
	uint64_t seen; /* the word while it lasts */
};

/* The old timer is taken out only after the new one is in; left there it would find nothing to do. */
static bool
until_extend(struct stw_acd *acd, const struct wrap_up *wrap_up, uint64_t by_ns, uint64_t now_ns)
{
	uint64_t max_ns = now_ns + ACD_DURATION_MAX;
	uint32_t position = atomic_load_explicit(wrap_up->timer_position, memory_order_relaxed);

	for (;;) {
		uint64_t old = acd_word_read(wrap_up->until_ns);
		uint64_t end_ns = (old > now_ns ? old : now_ns) + by_ns;

		end_ns = end_ns < max_ns ? end_ns : max_ns;
		if (acd_word_read(wrap_up->word) != wrap_up->seen)
			return false;
		if (!acd_word_change(wrap_up->until_ns, old, end_ns))
			continue;
		timer_set(acd, wrap_up->item, wrap_up->seen, end_ns, wrap_up->timer_position);
		lower_bound_tree_remove(&acd->timers, position, wrap_up->item, wrap_up->seen);
		return true;
	}
}

static bool
agent_extend(struct stw_acd *acd, uint32_t a, uint64_t word, uint64_t by_ns, uint64_t now_ns)
{
	struct acd_agent *agent = &acd->agents[a];
	struct wrap_up wrap_up = {&agent->until_ns, &agent->word, &agent->timer_position,
				  a | ACD_TIMER_AGENT, word};

	if (word_state(word) != ACD_AGENT_WRAP_UP)
		return false;
	acd_announce_agent(acd, a, word, now_ns);
	return until_extend(acd, &wrap_up, by_ns, now_ns);
}

static bool
seats_extend(struct stw_acd *acd, uint32_t a, uint64_t by_ns, uint64_t now_ns)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);
	bool extended = false;

	for (uint32_t s = 0; agent && agent->seats && s < ACD_SEATS_MAX; s++) {
		struct acd_seats *seats = agent->seats;
		uint64_t seat = acd_word_read(&seats->words[s]);
		struct wrap_up wrap_up = {&seats->until_ns[s], &seats->words[s],
					  &seats->timer_positions[s], seat_item(a, s), seat};

		if (seat_state(seat) == ACD_SEAT_WRAP_UP)
			extended |= until_extend(acd, &wrap_up, by_ns, now_ns);
	}
	return extended;
}

int
stw_agent_wrap_up_extend(struct stw_acd *acd, struct stw_agent agent, uint64_t by_ns,
			 uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	bool extended = false;
	uint32_t a;
	int error;

	if (!by_ns || by_ns > ACD_DURATION_MAX)
		return -EINVAL;
	reclaim_enter();
	error = acd_agent_find(acd, agent, &a);
	if (!error) {
		uint64_t word = acd_agent_settle(acd, a, now_ns, &todo);

		extended = seats_extend(acd, a, by_ns, now_ns);
		extended |= agent_extend(acd, a, word, by_ns, now_ns);
		/* The wrap-up may have ended just now. */
		acd_idle_ensure(acd, a);
	}
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error ? error : extended ? 0 : -EINVAL;
}
