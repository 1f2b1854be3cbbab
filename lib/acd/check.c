/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checking: every invariant of the engine at a quiet point (P1, P3 and P5 among them).
 */
#include "ring.h"

/* What the words say, to be compared with what was counted. */
struct census {
	uint64_t logged_in;
	uint64_t ready;
	uint64_t away;
	uint64_t holding;
	uint64_t parked;
	uint64_t rung; /* offers that ring, of all contacts */
	uint64_t contacts;
	uint64_t waiting;
	uint64_t ringing;
	uint64_t connected;
};

/* A connected contact's version follows from the claim's: one offer, or a ring of up to eight. */
static bool
connected_is_after(uint64_t claim, uint64_t contact_word)
{
	uint64_t ahead = (word_version(contact_word) - word_version(claim)) & ACD_VERSION_MASK;

	return ahead >= 2 && ahead <= 2 * ACD_RING_MAX + 1;
}

/* The seats of an agent: each contact in one seat, and it says so, too (P1). */
static void
seats_check(struct stw_acd *acd, uint32_t a, uint64_t word, struct census *census)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);
	uint64_t seats[ACD_SEATS_MAX] = {0};

	if (!agent || !agent->seats)
		return;
	STW_ASSERT(acd_field_read_32(&agent->seats->parks));
	for (uint32_t s = 0; s < ACD_SEATS_MAX; s++) {
		uint64_t contact_word;

		seats[s] = acd_word_read(&agent->seats->words[s]);
		if (seat_state(seats[s]) != ACD_SEAT_TAKEN)
			continue;
		census->parked++;
		contact_word = acd_word_read(&acd->contacts[word_slot(seats[s])].word);
		STW_ASSERT(word_state(contact_word) == ACD_CONTACT_CONNECTED &&
			   word_slot(contact_word) == a &&
			   connected_is_after(seats[s], contact_word));
		STW_ASSERT(word_state(word) != ACD_AGENT_HOLD || !claim_is_same(word, seats[s]));
		for (uint32_t other = 0; other < s; other++)
			STW_ASSERT(seat_state(seats[other]) != ACD_SEAT_TAKEN ||
				   word_slot(seats[other]) != word_slot(seats[s]));
	}
	STW_ASSERT(word_state(word) != ACD_AGENT_LOGGED_OUT || !acd_seats_busy(acd, a));
	STW_ASSERT(word_state(word) != ACD_AGENT_NOT_READY || acd_seats_busy(acd, a) ||
		   word_reason(word) != STW_REASON_LOGOUT);
}

static bool
is_seated(struct stw_acd *acd, uint32_t a, uint32_t c)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);

	for (uint32_t s = 0; agent && agent->seats && s < ACD_SEATS_MAX; s++) {
		uint64_t seat = acd_word_read(&agent->seats->words[s]);

		if (seat_state(seat) == ACD_SEAT_TAKEN && word_slot(seat) == c)
			return true;
	}
	return false;
}

static void
agent_check(struct stw_acd *acd, uint32_t a, struct census *census)
{
	uint64_t word = acd_word_read(&acd->agents[a].word);
	uint64_t contact_word;

	STW_ASSERT(!acd_agent_description(acd, a) == (word_state(word) == ACD_AGENT_FREE));
	STW_ASSERT(word_state(word) <= ACD_AGENT_WRAP_UP);
	seats_check(acd, a, word, census);
	census->logged_in += word_state(word) >= ACD_AGENT_NOT_READY;
	census->away +=
		word_state(word) == ACD_AGENT_NOT_READY || word_state(word) == ACD_AGENT_PAUSED;
	if (word_state(word) == ACD_AGENT_READY) {
		census->ready++;
		STW_ASSERT(acd_idle_listed(acd, a));
	}
	if (word_state(word) != ACD_AGENT_HOLD)
		return;
	/* P1, from the agent's side: the contact says so, too, and with the right version. */
	census->holding++;
	STW_ASSERT(word_slot(word) < acd->config.contacts_max);
	contact_word = acd_word_read(&acd->contacts[word_slot(word)].word);
	if (word_state(contact_word) == ACD_CONTACT_RINGING) {
		STW_ASSERT(acd_ring_stage(acd, word_slot(word), contact_word, a, word) ==
			   ACD_STAGE_HELD);
		return;
	}
	STW_ASSERT(word_slot(contact_word) == a);
	if (word_state(contact_word) == ACD_CONTACT_OFFERED)
		STW_ASSERT(word_version(contact_word) ==
			   ((word_version(word) + 1) & ACD_VERSION_MASK));
	else
		STW_ASSERT(!acd_agent_description(acd, a)->seats &&
			   word_state(contact_word) == ACD_CONTACT_CONNECTED &&
			   connected_is_after(word, contact_word) &&
			   (!word_ring(word) || connected_is_after(word + 1, contact_word)));
}

/* P1, for a contact that rings at several: who is live holds his place, and nobody else does. */
static void
ring_check(struct stw_acd *acd, uint32_t c, uint64_t word, struct census *census)
{
	uint64_t k = ring_base(word);

	STW_ASSERT(acd->rings && ring_live(word));
	STW_ASSERT(!(ring_live(word) & ~ring_joined(word)));
	STW_ASSERT(ring_joined(word) & 1);
	for (uint32_t place = 0; place < ACD_RING_MAX; place++) {
		uint32_t a = acd_ring_agent(acd, c, place, k);
		uint64_t hold = word_agent_hold(c, k, ACD_AFTER_NOTHING, place);
		uint64_t agent_word;

		STW_ASSERT(!(ring_joined(word) >> place & 1) || a < acd->config.agents_max);
		if (a == ACD_NOBODY)
			continue;
		agent_word =
			acd_word_read(&acd->agents[a].word) & ~(UINT64_C(3) << ACD_AFTER_SHIFT);
		STW_ASSERT((agent_word == hold) == (ring_live(word) >> place & 1));
	}
	census->ringing++;
	census->rung += (uint64_t)__builtin_popcount(ring_live(word));
}

/* P3: whom it waits for is logged in and busy. */
static void
preferred_check(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	uint32_t a = acd_preferred_agent(acd, c, word_side(word));

	STW_ASSERT(a != ACD_NOBODY);
	STW_ASSERT(!acd_agent_is_open(
		acd, a, acd_queue_description(acd, acd_contact_queue(acd, c, word))->channel));
}

/* P3: nobody who is ready could serve it. */
static void
waiting_check(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	uint32_t q = acd_contact_queue(acd, c, word);
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint32_t k = word_step(word);
	uint32_t value = acd_contact_value(acd, c, word);

	const struct acd_idle *idle;

	STW_ASSERT(queue);
	if (k == ACD_STEP_PREFERRED) {
		preferred_check(acd, c, word);
		return;
	}
	STW_ASSERT(k < queue->steps_count);
	idle = &acd->idle[queue->channel];
	for (uint32_t w = 0; w < HINT_BITS_WORDS(acd->config.agents_max); w++) {
		uint32_t bits = (uint32_t)hint_bits_read(&idle->available[w]);

		for (; bits; bits &= bits - 1) {
			uint32_t a = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);

			STW_ASSERT(!acd_agent_is_open(acd, a, queue->channel) ||
				   !acd_step_takes(acd, queue, k, value, a));
		}
	}
}

/* Each set of a queue says so, and each agent's bits are those of the steps. */
static void
sets_check(struct stw_acd *acd, uint32_t q, const struct acd_queue_description *queue)
{
	for (uint32_t k = 0; k < queue->steps_count; k++) {
		const struct acd_step *step = &queue->steps[k];

		STW_ASSERT(step->lanes_count >= 1 && step->lanes[0].value_min == 0);
		for (uint32_t i = 0; i < step->lanes_count; i++) {
			uint32_t set = step->lanes[i].set;

			STW_ASSERT(atomic_load_explicit(&acd->sets[set], memory_order_relaxed) ==
				   acd_set_make(q, k, step->lanes[i].value_min));
			for (uint32_t a = 0; a < acd->agents_end; a++) {
				const struct acd_agent_description *agent =
					acd_agent_description(acd, a);

				STW_ASSERT(!agent || acd_bit(agent->sets, set) ==
							     acd_step_member(queue, k, a));
			}
		}
	}
}

static void
contact_check(struct stw_acd *acd, uint32_t c, struct census *census)
{
	uint64_t word = acd_word_read(&acd->contacts[c].word);
	uint64_t agent_word;

	STW_ASSERT(!word_contact_closing(word));
	if (word_state(word) == ACD_CONTACT_FREE)
		return;
	census->contacts++;
	if (word_state(word) == ACD_CONTACT_WAITING) {
		census->waiting++;
		waiting_check(acd, c, word);
		return;
	}
	STW_ASSERT(atomic_load_explicit(&acd->contacts[c].told, memory_order_relaxed) ==
		   word_version(word));
	if (word_state(word) == ACD_CONTACT_RINGING) {
		ring_check(acd, c, word, census);
		return;
	}
	census->ringing += word_state(word) == ACD_CONTACT_OFFERED;
	census->rung += word_state(word) == ACD_CONTACT_OFFERED;
	census->connected += word_state(word) == ACD_CONTACT_CONNECTED;
	STW_ASSERT(word_slot(word) < acd->config.agents_max);
	/* P1, from the contact's side. */
	agent_word = acd_word_read(&acd->agents[word_slot(word)].word);
	STW_ASSERT((word_state(agent_word) == ACD_AGENT_HOLD && word_slot(agent_word) == c) ||
		   is_seated(acd, word_slot(word), c));
}

static void
queues_check(struct stw_acd *acd, const struct census *census)
{
	uint64_t known = 0;
	int64_t waiting = 0;

	for (uint32_t q = 0; q < acd->config.queues_max; q++) {
		struct acd_queue *queue = &acd->queues[q];

		if (!acd_queue_description(acd, q))
			continue;
		sets_check(acd, q, acd_queue_description(acd, q));
		known += atomic_load_explicit(&queue->known, memory_order_relaxed) &
			 ~ACD_QUEUE_FLAGS;
		waiting += atomic_load_explicit(&queue->waiting, memory_order_relaxed);
		STW_ASSERT(atomic_load_explicit(&queue->waiting, memory_order_relaxed) >= 0);
	}
	STW_ASSERT(known == census->contacts);
	STW_ASSERT((uint64_t)waiting == census->waiting);
}

/* P5 */
static void
stats_check(struct stw_acd *acd, const struct census *census)
{
	struct stw_acd_stats stats;
	const struct stw_queue_stats *sum = &stats.queues;

	stw_acd_stats(acd, &stats);
	STW_ASSERT(stats.agents_logged_in == census->logged_in);
	STW_ASSERT(stats.agents_ready == census->ready);
	STW_ASSERT(counters_read(&acd->counters, acd->config.queues_max + 1, ACD_COUNT_NOT_READY) ==
		   census->away);
	STW_ASSERT(stats.contacts == census->contacts);
	STW_ASSERT(sum->waiting == census->waiting);
	STW_ASSERT(sum->ringing == census->ringing);
	STW_ASSERT(sum->connected == census->connected);
	STW_ASSERT(sum->offered == sum->answered + sum->abandoned + sum->overflowed +
					   sum->timed_out + sum->deflected + sum->refused +
					   sum->waiting + sum->ringing);
	STW_ASSERT(sum->transfers <= sum->ended);
	STW_ASSERT(sum->answered == sum->ended + sum->connected);
}

int
stw_acd_check(struct stw_acd *acd)
{
	struct census census = {.contacts = 0};
	uint32_t live, live_preferred;

	for (uint32_t a = 0; a < acd->config.agents_max; a++)
		agent_check(acd, a, &census);
	for (uint32_t c = 0; c < acd->config.contacts_max; c++)
		contact_check(acd, c, &census);
	STW_ASSERT(census.holding + census.parked == census.rung + census.connected);
	lower_bound_tree_check(&acd->waiting, &live);
	lower_bound_tree_check(&acd->preferred, &live_preferred);
	STW_ASSERT(live + live_preferred == census.waiting);
	lower_bound_tree_check(&acd->timers, NULL);
	STW_ASSERT(slot_pool_check(&acd->contact_slots) + census.contacts ==
		   acd->config.contacts_max);
	event_queue_check(&acd->events);
	queues_check(acd, &census);
	acd_tenants_check(acd);
	acd_calendars_check(acd);
	stats_check(acd, &census);
	acd_numbers_check(acd);
	return 0;
}
