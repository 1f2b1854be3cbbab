/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Selection: which of a step's ready agents gets a contact. Longest idle has an index of its own
 * (idle.c); the other policies look at each agent who is listed and a member, word by word of the bits,
 * and take the least key: exact, and no index to keep right.
 *
 * All agents seen at one moment of the call compete; one who becomes ready or takes a contact meanwhile may
 * or may not. Who is listed but not ready any more is taken off by match.c, which then asks again.
 *
 * Weighted random draws from the engine's seed, the contact and its version, so the same calls give the
 * same draws, and asking again for the same waiting contact does not draw again. Round robin
 * remembers whom the step offered a contact last, whoever chose; of two offers at once, either.
 *
 * All calls may overlap; there are no retries. No order is needed: keys are hints of their own moment.
 */
#include "engine.h"

/* Agents of a word who are listed and members. */
static uint32_t
listed(struct stw_acd *acd, const struct acd_step *step, uint32_t w)
{
	if (!(hint_bits_read(&acd->idle[step->channel].available_words[w / HINT_BITS_WIDTH]) >>
		      w % HINT_BITS_WIDTH &
	      1))
		return 0;
	return (uint32_t)hint_bits_read(&acd->idle[step->channel].available[w]) &
	       atomic_load_explicit(&step->members[w], memory_order_relaxed);
}

static uint64_t
relaxed(const _Atomic uint64_t *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

/* Busy time since the login as a part of 2^32 of all time since then. */
static uint64_t
occupancy(const struct acd_agent *agent, uint64_t now_ns)
{
	uint64_t all_ns = acd_elapsed(relaxed(&agent->login_ns), now_ns);
	uint64_t busy_ns = relaxed(&agent->busy_ns) - relaxed(&agent->busy_login_ns);

	if (!all_ns)
		return 0;
	if (busy_ns > all_ns)
		busy_ns = all_ns;
	/* 62 bits of time and 32 of fraction are more than a word has. */
	while (all_ns >> 31) {
		all_ns >>= 1;
		busy_ns >>= 1;
	}
	return (busy_ns << 32) / all_ns;
}

/* What a policy compares; the least is chosen, of equal ones who has been idle for longest. */
static uint64_t
key_of(struct stw_acd *acd, uint32_t q, const struct acd_step *step, uint32_t k, uint32_t a,
       uint64_t now_ns)
{
	struct acd_agent *agent = &acd->agents[a];
	uint32_t next;

	switch (step->select) {
	case STW_SELECT_LEAST_OCCUPIED:
		return occupancy(agent, now_ns);
	case STW_SELECT_MOST_PROFICIENT:
		return UINT16_MAX - atomic_load_explicit(&step->scores[a], memory_order_relaxed);
	case STW_SELECT_FEWEST_CONTACTS:
		return atomic_load_explicit(&agent->contacts_today, memory_order_relaxed);
	case STW_SELECT_ROUND_ROBIN:
		next = atomic_load_explicit(&acd->queues[q].next[k], memory_order_relaxed);
		return a >= next ? a - next : a + acd->config.agents_max - next;
	case STW_SELECT_TOP_DOWN:
		return (uint64_t)atomic_load_explicit(&agent->position, memory_order_relaxed)
			       << 32 |
		       a;
	default:
		return 0;
	}
}

/* Whether agent a comes before b in the step's policy; of weighted random, what was drawn does. */
bool
acd_select_before(struct stw_acd *acd, uint32_t q, const struct acd_step *step, uint32_t k,
		  uint32_t a, uint32_t b, uint64_t now_ns)
{
	uint64_t key_a = key_of(acd, q, step, k, a, now_ns);
	uint64_t key_b = key_of(acd, q, step, k, b, now_ns);
	uint64_t idle_a = relaxed(&acd->idle_since_ns[a]), idle_b = relaxed(&acd->idle_since_ns[b]);

	if (step->select == STW_SELECT_WEIGHTED_RANDOM)
		return true;
	if (key_a != key_b)
		return key_a < key_b;
	return idle_a < idle_b || (idle_a == idle_b && a < b);
}

static uint32_t
least(struct stw_acd *acd, uint32_t q, const struct acd_step *step, uint32_t k, const uint32_t *but,
      uint32_t but_count, uint64_t now_ns)
{
	uint64_t best_key = 0, best_idle = 0;
	uint32_t best = ACD_NOBODY;

	for (uint32_t w = 0; w < HINT_BITS_WORDS(acd->config.agents_max); w++) {
		for (uint32_t bits = listed(acd, step, w); bits; bits &= bits - 1) {
			uint32_t a = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);
			uint64_t key = key_of(acd, q, step, k, a, now_ns);
			uint64_t idle = relaxed(&acd->idle_since_ns[a]);

			if (acd_is_among(a, but, but_count) ||
			    (best != ACD_NOBODY &&
			     (key > best_key || (key == best_key && idle >= best_idle))))
				continue;
			best = a;
			best_key = key;
			best_idle = idle;
		}
	}
	return best;
}

static uint32_t
weight_of(const struct stw_acd *acd, uint32_t a)
{
	return atomic_load_explicit(&acd->agents[a].weight, memory_order_relaxed);
}

/*
 * A number from the seed and what is drawn for. Source: G. Steele, D. Lea, C. Flood, "Fast splittable
 * pseudorandom number generators", OOPSLA 2014, for the mixing.
 */
static uint64_t
draw(uint64_t seed, uint32_t c, uint64_t version)
{
	uint64_t x =
		seed + UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)c << ACD_VERSION_BITS | version);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Anyone, by weight. If the agents change between the two rounds, the last one seen may get more. */
static uint32_t
any_by_weight(struct stw_acd *acd, const struct acd_step *step, const uint32_t *but,
	      uint32_t but_count, uint64_t random)
{
	uint32_t words = HINT_BITS_WORDS(acd->config.agents_max);
	uint32_t last = ACD_NOBODY;
	uint64_t sum = 0, at;

	for (uint32_t w = 0; w < words; w++)
		for (uint32_t bits = listed(acd, step, w); bits; bits &= bits - 1) {
			uint32_t a = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);

			sum += acd_is_among(a, but, but_count) ? 0 : weight_of(acd, a);
		}
	at = sum ? random % sum : 0;
	for (uint32_t w = 0; w < words; w++)
		for (uint32_t bits = listed(acd, step, w); bits; bits &= bits - 1) {
			uint32_t a = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);

			if (acd_is_among(a, but, but_count))
				continue;
			if (at < weight_of(acd, a))
				return a;
			at -= weight_of(acd, a);
			last = a;
		}
	return last;
}

/* The choice of step k for a contact at this word, those in `but` excepted; ACD_NOBODY: nobody is ready. */
uint32_t
acd_select_but(struct stw_acd *acd, uint32_t q, const struct acd_step *step, uint32_t k, uint32_t c,
	       uint64_t word, const uint32_t *but, uint32_t but_count, uint64_t now_ns)
{
	switch (step->select) {
	case STW_SELECT_LONGEST_IDLE:
		return acd_idle_longest_but(acd, step->channel, step->members, but, but_count);
	case STW_SELECT_WEIGHTED_RANDOM:
		return any_by_weight(acd, step, but, but_count,
				     draw(acd->config.seed, c, word_version(word)));
	default:
		return least(acd, q, step, k, but, but_count, now_ns);
	}
}

uint32_t
acd_select(struct stw_acd *acd, uint32_t q, const struct acd_step *step, uint32_t k, uint32_t c,
	   uint64_t word, uint32_t but, uint64_t now_ns)
{
	return acd_select_but(acd, q, step, k, c, word, &but, 1, now_ns);
}

/* An agent has been offered a contact that waited with this word: round robin goes on from there. */
void
acd_select_offered(struct stw_acd *acd, uint32_t q, uint64_t word, uint32_t a)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint32_t tier;

	/* Who was waited for in person was nobody's choice. */
	if (!queue || !queue->round_robin || word_step(word) == ACD_STEP_PREFERRED)
		return;
	/* The reserve is not asked: it has changed by now. */
	tier = acd_step_tier(acd, queue, word_step(word), STW_CLASS_COUNT, a);
	if (tier < queue->steps_count && queue->steps[tier].select == STW_SELECT_ROUND_ROBIN)
		atomic_store_explicit(&acd->queues[q].next[tier],
				      a + 1 < acd->config.agents_max ? a + 1 : 0,
				      memory_order_relaxed);
}

void
stw_agents_day_begin(struct stw_acd *acd)
{
	for (uint32_t a = 0; a < acd->config.agents_max; a++)
		atomic_store_explicit(&acd->agents[a].contacts_today, 0, memory_order_relaxed);
}
