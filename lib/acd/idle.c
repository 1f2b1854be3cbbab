/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may be ready, and who of them has been idle for longest: for each channel a list of those who could take
 * a contact of it, so that a search for one channel does not meet those whom others keep busy. Agents are listed by a hint bit each;
 * per word of 32 agents there is a lower-bound word over their idle_since_ns, which keeps a search from
 * most of the words, and per 32 words a word of hint bits that tell which of them have any bit set, so
 * that a search costs next to nothing while nobody is ready.
 *
 * I1  An agent whose listing is done, and who was not unlisted since, has the bit set, the bit of its word
 *     set, and the word's bound at most at the bound of idle_since_ns; on the list of each channel
 *     that was open to him when he was listed. Whatever opens a channel to him is followed by a listing.
 *
 * Listing sets the agent's bit, then lowers the bound, then sets the bit above: what a search uses to pass over
 * an agent is always published after what it would look at. The bits are hint_bits' I1, the upper one
 * with "the word has a bit set" as its thing. The bound is lower_bound_word.h's I1 with "listed" as the
 * thing below: who raises it reads the word first, then the bits, then the times; idle_since_ns of an agent
 * only grows, so a bound stays right when it changes. A thread that stops before the listing is done hides that
 * one agent only, until the sweep of stw_acd_advance lists him (timers.c). One that stops before it
 * raised a bound leaves it too low, which costs time.
 *
 * A search passes over the words of an upper word all at once (lanes.h), each by what excludes it by itself: no bit set,
 * no member, a bound too high; so it does not matter in which order these are read. What is left it reads again, one
 * by one, that with the lowest bound first, as a find early in the search excludes most of the others.
 *
 * All calls may overlap in any way. Unlisting retries when another thread set or cleared a bit of the
 * word: lock-free. The search has no retries. Orders: those of hint_bits.h and lower_bound_word.h.
 */
#include "engine.h"

static uint64_t
idle_since(const struct stw_acd *acd, uint32_t a)
{
	return atomic_load_explicit(&acd->idle_since_ns[a], memory_order_relaxed);
}

/* List an agent who has become ready, or a slot of whom has become free. */
void
acd_idle_list(struct stw_acd *acd, uint32_t a)
{
	uint32_t channels = acd_agent_channels(acd, a);
	uint32_t w = a / HINT_BITS_WIDTH;

	for (; channels; channels &= channels - 1) {
		struct acd_idle *idle = &acd->idle[__builtin_ctz(channels)];

		hint_bits_set(&idle->available[w], a % HINT_BITS_WIDTH);
		lower_bound_word_lower(&idle->bounds[w],
				       lower_bound_of((int64_t)idle_since(acd, a)));
		hint_bits_set(&idle->available_words[w / HINT_BITS_WIDTH], w % HINT_BITS_WIDTH);
	}
}

static bool
is_listed(const struct stw_acd *acd, const struct acd_idle *idle, uint32_t a)
{
	uint32_t w = a / HINT_BITS_WIDTH;
	uint64_t bound = lower_bound_word_bound(lower_bound_word_read(&idle->bounds[w]));

	return (hint_bits_read(&idle->available[w]) >> a % HINT_BITS_WIDTH & 1) &&
	       (hint_bits_read(&idle->available_words[w / HINT_BITS_WIDTH]) >> w % HINT_BITS_WIDTH &
		1) &&
	       bound <= lower_bound_of((int64_t)idle_since(acd, a));
}

/* Whether a search would find the agent, for every channel that is open to him. */
bool
acd_idle_listed(struct stw_acd *acd, uint32_t a)
{
	uint32_t channels = acd_agent_channels(acd, a);

	for (; channels; channels &= channels - 1)
		if (!is_listed(acd, &acd->idle[__builtin_ctz(channels)], a))
			return false;
	return true;
}

/*
 * Who has made an agent ready may not have come to list him. Whoever has seen him ready, and says so or goes by
 * it, lists him first: what is matched after that must find him.
 */
void
acd_idle_ensure(struct stw_acd *acd, uint32_t a)
{
	if (word_state(acd_word_read(&acd->agents[a].word)) == ACD_AGENT_READY &&
	    !acd_idle_listed(acd, a))
		acd_idle_list(acd, a);
}

/* Raise the bound of a word to the lowest of those that it lists. */
static void
bound_raise(struct stw_acd *acd, struct acd_idle *idle, uint32_t w, uint64_t seen)
{
	uint32_t bits = (uint32_t)hint_bits_read(&idle->available[w]);
	uint64_t lowest = LOWER_BOUND_EMPTY;

	for (; bits; bits &= bits - 1) {
		uint32_t a = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);
		uint64_t bound = lower_bound_of((int64_t)idle_since(acd, a));

		lowest = bound < lowest ? bound : lowest;
	}
	if (lowest > lower_bound_word_bound(seen))
		lower_bound_word_raise(&idle->bounds[w], seen, lowest);
}

static void
channel_unlist(struct stw_acd *acd, uint32_t a, uint32_t channel)
{
	struct acd_idle *idle = &acd->idle[channel];
	uint32_t w = a / HINT_BITS_WIDTH;
	uint64_t seen;

	do {
		seen = hint_bits_read(&idle->available[w]);
		if (!(seen >> a % HINT_BITS_WIDTH & 1) || acd_agent_is_open(acd, a, channel))
			return;
	} while (!hint_bits_clear(&idle->available[w], a % HINT_BITS_WIDTH, seen));
	seen = lower_bound_word_read(&idle->bounds[w]);
	if (lower_bound_of((int64_t)idle_since(acd, a)) <= lower_bound_word_bound(seen))
		bound_raise(acd, idle, w, seen);
}

/* Take an agent off the lists of the channels that are not open to him, as when he is not ready. */
void
acd_idle_unlist(struct stw_acd *acd, uint32_t a)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);
	uint32_t channels = agent ? agent->channels : (1u << STW_CHANNEL_COUNT) - 1;

	for (; channels; channels &= channels - 1)
		channel_unlist(acd, a, (uint32_t)__builtin_ctz(channels));
}

/* A search: what for, and what it knows so far. */
struct search {
	const struct acd_idle *idle;
	const _Atomic uint32_t *members;
	const uint32_t *but;
	uint32_t but_count;
	uint32_t agent;
	uint64_t since_ns;
	uint64_t limit; /* a word's bound above it excludes the word */
};

static void
word_search(const struct stw_acd *acd, struct search *search, uint32_t w)
{
	uint32_t bits = (uint32_t)hint_bits_read(&search->idle->available[w]) &
			atomic_load_explicit(&search->members[w], memory_order_relaxed);

	for (; bits; bits &= bits - 1) {
		uint32_t a = w * HINT_BITS_WIDTH + (uint32_t)__builtin_ctz(bits);
		uint64_t since_ns = idle_since(acd, a);

		if (since_ns > search->since_ns ||
		    (since_ns == search->since_ns && a > search->agent) ||
		    acd_is_among(a, search->but, search->but_count))
			continue;
		search->agent = a;
		search->since_ns = since_ns;
		search->limit = lower_bound_word_limit(lower_bound_of((int64_t)since_ns));
	}
}

/* Those of the words under one word of available_words that list a member and are not excluded. */
static uint32_t
words_of(const struct search *search, uint32_t first, uint32_t count)
{
	const struct acd_idle *idle = search->idle;
	const struct lanes_rows rows = {idle->available, search->members, idle->bounds};
	_Atomic uint64_t *above = &idle->available_words[first / HINT_BITS_WIDTH];
	uint64_t seen = hint_bits_read(above);
	uint32_t listed;
	uint32_t words;
	uint32_t empty;

	if (!(uint32_t)seen)
		return 0;
	words = lanes_words(&rows, first, count, search->limit, &listed) & (uint32_t)seen;
	for (empty = (uint32_t)seen & ~listed; empty; empty &= empty - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(empty);

		if (!hint_bits_clear(above, i, seen))
			break;
		seen &= ~(UINT64_C(1) << i);
	}
	return words;
}

/* That of the words, counted from first, with the lowest bound. */
static uint32_t
word_lowest(const struct acd_idle *idle, uint32_t first, uint32_t words)
{
	uint32_t lowest = (uint32_t)__builtin_ctz(words);
	uint64_t lowest_bound = lower_bound_word_read(&idle->bounds[first + lowest]);

	for (words &= words - 1; words; words &= words - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(words);
		uint64_t bound = lower_bound_word_read(&idle->bounds[first + i]);

		lowest = bound < lowest_bound ? i : lowest;
		lowest_bound = bound < lowest_bound ? bound : lowest_bound;
	}
	return lowest;
}

/* The member not among `but` who could take a contact of the channel and has been idle for longest, as the
 * bits say; of several the first. */
uint32_t
acd_idle_longest_but(struct stw_acd *acd, uint32_t channel, const _Atomic uint32_t *members,
		     const uint32_t *but, uint32_t but_count)
{
	const struct acd_idle *idle = &acd->idle[channel];
	struct search search = {
		idle, members, but, but_count, ACD_NOBODY, UINT64_MAX, UINT64_MAX,
	};
	uint32_t words = HINT_BITS_WORDS(acd->config.agents_max);

	for (uint32_t first = 0; first < words; first += HINT_BITS_WIDTH) {
		uint32_t count = words - first < HINT_BITS_WIDTH ? words - first : HINT_BITS_WIDTH;
		uint32_t left = words_of(&search, first, count);

		/* A good first find excludes most of the others. */
		if (left && search.agent == ACD_NOBODY) {
			uint32_t lowest = word_lowest(idle, first, left);

			word_search(acd, &search, first + lowest);
			left &= ~(UINT32_C(1) << lowest);
		}
		for (; left; left &= left - 1) {
			uint32_t w = first + (uint32_t)__builtin_ctz(left);

			if (lower_bound_word_read(&idle->bounds[w]) <= search.limit)
				word_search(acd, &search, w);
		}
	}
	return search.agent;
}
