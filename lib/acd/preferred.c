/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The preferred agent: a contact waits for one person for a time, then takes the steps of its queue. Meanwhile its
 * entry stands in a set of that agent's and its channel's, so it keeps nobody else from anything; when he becomes ready
 * he compares it by rank with what waits in his queues (match.c).
 *
 * It goes on to the steps when the time is over (due.c), when he misses it (finish.c), and when he is not logged
 * in: who logs him out changes his word, fences (F1) and then looks at his set; who lets a contact wait
 * for him publishes it, fences and then looks at his word. One of the two sees the other.
 *
 * Progress: each round takes one contact out of the agent's set, or another thread did: lock-free.
 */
#include "engine.h"

static_assert(HINT_BITS_WIDTH % STW_CHANNEL_COUNT == 0, "an agent's sets share a word of bits");

/* Whom a contact waits for in person, by its word; ACD_NOBODY: he is not logged in any more. */
uint32_t
acd_preferred_agent(struct stw_acd *acd, uint32_t c, unsigned side)
{
	uint64_t handle = acd_field_read(&acd->contacts[c].preferred[side]);
	uint32_t q = acd_field_read_32(&acd->contacts[c].queue[side]);
	const struct acd_agent_description *agent;
	uint32_t a = (uint32_t)handle;

	if (!handle || a >= acd->config.agents_max)
		return ACD_NOBODY;
	agent = acd_agent_description(acd, a);
	if (!agent || agent->generation != handle >> 32 || agent->tenant != acd->queues[q].tenant ||
	    word_state(acd_word_read(&acd->agents[a].word)) < ACD_AGENT_NOT_READY)
		return ACD_NOBODY;
	return a;
}

/* The step at which a contact that comes into a queue begins to wait. */
uint32_t
acd_preferred_step(struct stw_acd *acd, uint32_t c, unsigned side)
{
	struct acd_contact *contact = &acd->contacts[c];
	const struct acd_queue_description *queue =
		acd_queue_description(acd, acd_field_read_32(&contact->queue[side]));
	uint32_t a = acd_preferred_agent(acd, c, side);
	/* Gone, if he was removed since. */
	const struct acd_agent_description *agent =
		a == ACD_NOBODY ? NULL : acd_agent_description(acd, a);

	if (!agent || !queue || !(agent->channels >> queue->channel & 1))
		return 0;
	/* Not to be waited for at all: only if he is ready this moment. */
	if (acd_field_read(&contact->preferred_until_ns[side]) ==
		    acd_field_read(&contact->entered_ns[side]) &&
	    !acd_agent_is_open(acd, a, queue->channel))
		return 0;
	return ACD_STEP_PREFERRED;
}

/* Channels of which contacts may wait for an agent in person. */
uint32_t
acd_preferred_waits(const struct stw_acd *acd, uint32_t a)
{
	uint32_t set = a * STW_CHANNEL_COUNT;

	if (set >= acd->preferred.sets_count)
		return 0;
	return (uint32_t)hint_bits_read(&acd->preferred.occupied[set / HINT_BITS_WIDTH]) >>
		       set % HINT_BITS_WIDTH &
	       ((1u << STW_CHANNEL_COUNT) - 1);
}

/* An agent has logged out: who waits for him goes to the steps. */
void
acd_preferred_leave(struct stw_acd *acd, uint32_t a, uint64_t now_ns, struct acd_todo *todo)
{
	for (uint32_t bits = acd_preferred_waits(acd, a); bits; bits &= bits - 1) {
		uint32_t set = a * STW_CHANNEL_COUNT + (uint32_t)__builtin_ctz(bits);
		struct lower_bound_tree_entry entry;
		uint32_t position;

		while (word_state(acd_word_read(&acd->agents[a].word)) < ACD_AGENT_NOT_READY &&
		       lower_bound_tree_min(&acd->preferred, set, &entry, &position))
			if (!acd_contact_step(acd, entry.item, entry.ref, 0, now_ns, todo))
				acd_contact_widen_early(acd, entry.item, now_ns);
	}
}
