/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Agents: what they say of themselves. Each call settles the agent's word first (claim.c), announces
 * it, and changes it by one compare-exchange; a failed one means that another thread changed this
 * agent.
 *
 * A handle is checked against the description, inside of a read-side section: the slot is used for another
 * agent only after all sections that might have seen the old description are over, so
 * the word cannot become another person's before the section ends; a removed agent's word says FREE.
 */
#include "ring.h"

#include <errno.h>

int
acd_agent_find(struct stw_acd *acd, struct stw_agent handle, uint32_t *a)
{
	const struct acd_agent_description *description;
	uint32_t slot = (uint32_t)handle.id;

	if (slot >= acd->config.agents_max || !handle.id)
		return -ESTALE;
	description = acd_agent_description(acd, slot);
	if (!description || description->generation != handle.id >> 32)
		return -ESTALE;
	*a = slot;
	return 0;
}

/* Set what an agent who holds does afterwards. -EAGAIN: the word has changed. */
static int
agent_after(struct stw_acd *acd, uint32_t a, uint64_t word, enum acd_after after)
{
	uint64_t next =
		word_agent_hold(word_slot(word), word_version(word), after, word_ring(word));

	return acd_word_change(&acd->agents[a].word, word, next) ? 0 : -EAGAIN;
}

/* Who was set not-ready for missing too many begins anew when that state is left. While the word is
 * the same nothing is counted, so this is done once, whoever does it. */
static void
misses_forget(struct stw_acd *acd, uint32_t a, uint64_t word)
{
	struct acd_agent *agent = &acd->agents[a];
	uint64_t misses = acd_word_read(&agent->misses);

	if (word_state(word) == ACD_AGENT_NOT_READY && word_reason(word) == STW_REASON_MISSES &&
	    acd_word_read(&agent->word) == word)
		acd_word_change(&agent->misses, misses, misses & ACD_MISS_TAG);
}

static int
agent_change(struct stw_acd *acd, uint32_t a, uint64_t word, enum acd_agent_state state,
	     uint32_t reason, uint64_t now_ns)
{
	acd_announce_agent(acd, a, word, now_ns);
	misses_forget(acd, a, word);
	return acd_agent_move(acd, a, word, state, reason, false, now_ns) ? 0 : -EAGAIN;
}

/* One attempt of a call to change a settled word. -EAGAIN: it has changed; settle again. */
typedef int (*agent_step_fn)(struct stw_acd *acd, uint32_t a, uint64_t word, uint32_t reason,
			     uint64_t now_ns, struct acd_todo *todo);

static int
agent_call(struct stw_acd *acd, struct stw_agent handle, agent_step_fn step, uint32_t reason,
	   uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	uint32_t a;
	int error;

	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	error = acd_agent_find(acd, handle, &a);
	if (!error) {
		do {
			uint64_t word = acd_agent_settle(acd, a, now_ns, &todo);

			if (word_state(word) == ACD_AGENT_READY)
				acd_idle_ensure(acd, a);
			error = word_state(word) == ACD_AGENT_FREE
					? -ESTALE
					: step(acd, a, word, reason, now_ns, &todo);
		} while (error == -EAGAIN);
	}
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error;
}

static int
step_login(struct stw_acd *acd, uint32_t a, uint64_t word, uint32_t reason, uint64_t now_ns,
	   struct acd_todo *todo)
{
	if (word_state(word) != ACD_AGENT_LOGGED_OUT)
		return -EALREADY;
	return agent_change(acd, a, word, ACD_AGENT_NOT_READY, STW_REASON_LOGIN, now_ns);
}

static int
step_ready(struct stw_acd *acd, uint32_t a, uint64_t word, uint32_t reason, uint64_t now_ns,
	   struct acd_todo *todo)
{
	int error;

	switch (word_state(word)) {
	case ACD_AGENT_LOGGED_OUT:
		return -EINVAL;
	case ACD_AGENT_READY:
		/* Who made him ready may not have looked for work yet. */
		acd_todo_agent(todo, a);
		return acd_wrap_ups_end(acd, a, now_ns) ? 0 : -EALREADY;
	case ACD_AGENT_HOLD:
		if (word_after(word) == ACD_AFTER_NOTHING)
			return -EALREADY;
		return agent_after(acd, a, word, ACD_AFTER_NOTHING);
	default:
		acd_wrap_ups_end(acd, a, now_ns);
		error = agent_change(acd, a, word, ACD_AGENT_READY, 0, now_ns);
		if (!error)
			acd_todo_agent(todo, a);
		return error;
	}
}

static int
step_not_ready(struct stw_acd *acd, uint32_t a, uint64_t word, uint32_t reason, uint64_t now_ns,
	       struct acd_todo *todo)
{
	bool other = word_after(word) == ACD_AFTER_NOT_READY;
	int error;

	switch (word_state(word)) {
	case ACD_AGENT_LOGGED_OUT:
		return -EINVAL;
	case ACD_AGENT_NOT_READY:
		if (word_reason(word) == reason)
			return 0;
		return agent_change(acd, a, word, ACD_AGENT_NOT_READY, reason, now_ns);
	case ACD_AGENT_HOLD:
		/* Not where the reason stands that was asked before: until the word changes, that one is
		 * shown. Of two calls at once either's reason may be. */
		atomic_store_explicit(&acd->agents[a].after_reasons[other], (uint16_t)reason,
				      memory_order_relaxed);
		return agent_after(acd, a, word,
				   other ? ACD_AFTER_NOT_READY_TOO : ACD_AFTER_NOT_READY);
	default:
		error = agent_change(acd, a, word, ACD_AGENT_NOT_READY, reason, now_ns);
		if (!error)
			acd_idle_unlist(acd, a);
		return error;
	}
}

/* He logs out when his last contact is over (seats.c). */
static int
logout_later(struct stw_acd *acd, uint32_t a, uint64_t word, uint64_t now_ns, struct acd_todo *todo)
{
	int error = 0;

	if (word_state(word) != ACD_AGENT_NOT_READY || word_reason(word) != STW_REASON_LOGOUT)
		error = agent_change(acd, a, word, ACD_AGENT_NOT_READY, STW_REASON_LOGOUT, now_ns);
	if (error)
		return error;
	acd_idle_unlist(acd, a);
	/* It may have been over before the word was changed. */
	acd_todo_agent(todo, a);
	return 0;
}

static int
step_logout(struct stw_acd *acd, uint32_t a, uint64_t word, uint32_t reason, uint64_t now_ns,
	    struct acd_todo *todo)
{
	int error;

	switch (word_state(word)) {
	case ACD_AGENT_LOGGED_OUT:
		return -EALREADY;
	case ACD_AGENT_HOLD:
		return agent_after(acd, a, word, ACD_AFTER_LOGOUT);
	default:
		acd_wrap_ups_end(acd, a, now_ns);
		if (acd_seats_busy(acd, a))
			return logout_later(acd, a, word, now_ns, todo);
		error = agent_change(acd, a, word, ACD_AGENT_LOGGED_OUT, 0, now_ns);
		/* He is taken off the list, and who waits for him in person goes to the steps. */
		if (!error)
			acd_todo_agent(todo, a);
		return error;
	}
}

int
stw_agent_login(struct stw_acd *acd, struct stw_agent agent, uint64_t now_ns)
{
	return agent_call(acd, agent, step_login, 0, now_ns);
}

int
stw_agent_ready(struct stw_acd *acd, struct stw_agent agent, uint64_t now_ns)
{
	return agent_call(acd, agent, step_ready, 0, now_ns);
}

int
stw_agent_not_ready(struct stw_acd *acd, struct stw_agent agent, uint32_t reason, uint64_t now_ns)
{
	if (reason >= STW_REASON_LOGIN)
		return -EINVAL;
	return agent_call(acd, agent, step_not_ready, reason, now_ns);
}

int
stw_agent_logout(struct stw_acd *acd, struct stw_agent agent, uint64_t now_ns)
{
	return agent_call(acd, agent, step_logout, 0, now_ns);
}

/* What the host sees of an agent without a contact. */
enum stw_agent_state
acd_agent_state_of(uint64_t word)
{
	switch (word_state(word)) {
	case ACD_AGENT_NOT_READY:
	case ACD_AGENT_PAUSED:
		return STW_AGENT_NOT_READY;
	case ACD_AGENT_READY:
		return STW_AGENT_READY;
	case ACD_AGENT_WRAP_UP:
		return STW_AGENT_WRAP_UP;
	default:
		return STW_AGENT_LOGGED_OUT;
	}
}

/* State and contact of an agent who holds; false: the agent's word has changed meanwhile. */
static bool
status_of_hold(struct stw_acd *acd, uint32_t a, uint64_t word, struct stw_agent_status *status)
{
	struct acd_contact *contact = &acd->contacts[word_slot(word)];
	uint64_t contact_word = acd_word_read(&contact->word);
	uint32_t generation = acd_field_read_32(&contact->generation);

	status->state = STW_AGENT_READY;
	if (ring_is(contact_word)) {
		enum acd_stage stage = acd_ring_stage(acd, word_slot(word), contact_word, a, word);

		if (stage == ACD_STAGE_HELD || stage == ACD_STAGE_DECLINED ||
		    stage == ACD_STAGE_CLOSING) {
			status->state =
				!word_ring_flag(contact_word) && stage == ACD_STAGE_CLOSING &&
						word_ring_last(contact_word) == word_ring(word)
					? STW_AGENT_CONNECTED
					: STW_AGENT_OFFERED;
			status->contact_id = acd_handle(word_slot(word), generation);
		}
	} else if (word_state(contact_word) >= ACD_CONTACT_OFFERED &&
		   word_slot(contact_word) == a) {
		status->state = word_state(contact_word) == ACD_CONTACT_CONNECTED ||
						word_state(contact_word) == ACD_CONTACT_ENDING ||
						word_state(contact_word) == ACD_CONTACT_MOVING
					? STW_AGENT_CONNECTED
					: STW_AGENT_OFFERED;
		status->contact_id = acd_handle(word_slot(word), generation);
	}
	/* While the agent holds, a contact that is his stays his. */
	return acd_word_read(&acd->agents[a].word) == word;
}

/* What is in the seats of an agent. */
static void
status_of_seats(struct stw_acd *acd, uint32_t a, struct stw_agent_status *status)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);

	for (uint32_t s = 0; agent && agent->seats && s < ACD_SEATS_MAX; s++) {
		uint64_t seat = acd_word_read(&agent->seats->words[s]);
		uint32_t generation;
		uint64_t id;

		status->wrapping += seat_state(seat) == ACD_SEAT_WRAP_UP;
		if (seat_state(seat) != ACD_SEAT_TAKEN)
			continue;
		generation = acd_field_read_32(&acd->contacts[word_slot(seat)].generation);
		id = acd_handle(word_slot(seat), generation);
		/* While the seat is taken, its contact's slot is not used anew. One that is just
		 * being parked was seen in the agent's word. */
		if (acd_word_read(&agent->seats->words[s]) == seat && id != status->contact_id &&
		    status->connected < STW_AGENT_SLOTS_MAX)
			status->connected_ids[status->connected++] = id;
	}
	if (!status->contact_id && status->connected)
		status->contact_id = status->connected_ids[0];
	if (status->state == STW_AGENT_READY && status->connected)
		status->state = STW_AGENT_CONNECTED;
	else if (status->state == STW_AGENT_READY && status->wrapping)
		status->state = STW_AGENT_WRAP_UP;
}

static void
status_complete(struct stw_acd *acd, uint32_t a, uint64_t word, struct stw_agent_status *status)
{
	if (word_state(word) == ACD_AGENT_READY)
		status->open = acd_agent_channels(acd, a);
	if (status->state == STW_AGENT_CONNECTED)
		status->connected_ids[status->connected++] = status->contact_id;
	status->wrapping = status->state == STW_AGENT_WRAP_UP;
	status_of_seats(acd, a, status);
	/* A claim that comes to nothing moves since_ns, but the agent was idle all along. */
	status->since_ns =
		atomic_load_explicit(status->state == STW_AGENT_READY ? &acd->idle_since_ns[a]
								      : &acd->agents[a].since_ns,
				     memory_order_relaxed);
	status->contacts = atomic_load_explicit(&acd->agents[a].contacts, memory_order_relaxed);
	status->busy_ns = atomic_load_explicit(&acd->agents[a].busy_ns, memory_order_relaxed);
}

int
stw_agent_status(struct stw_acd *acd, struct stw_agent agent, struct stw_agent_status *status)
{
	struct stw_agent_status seen;
	uint64_t word;
	uint32_t a;
	int error;

	reclaim_enter();
	error = acd_agent_find(acd, agent, &a);
	if (error)
		goto out;
	do {
		seen = (struct stw_agent_status){.state = STW_AGENT_LOGGED_OUT};
		word = acd_word_read(&acd->agents[a].word);
		if (word_state(word) == ACD_AGENT_HOLD)
			continue;
		seen.state = acd_agent_state_of(word);
		seen.reason = word_state(word) == ACD_AGENT_NOT_READY ||
					      word_state(word) == ACD_AGENT_PAUSED
				      ? word_reason(word)
				      : 0;
	} while (word_state(word) == ACD_AGENT_HOLD && !status_of_hold(acd, a, word, &seen));
	status_complete(acd, a, word, &seen);
	*status = seen;
out:
	reclaim_exit();
	return error;
}
