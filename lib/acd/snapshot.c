/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots in memory, and how one is taken from an engine in use.
 *
 * A contact's fields are read between two readings of its word, so they are of one instant; an
 * agent's likewise. Their sequences say which events are in it. The counters are read after that, so
 * calls under way may be counted in part; counters_fit makes them agree with the contacts, as they would
 * if those calls had been counted. Everything may overlap this; it only reads. Who reads again because a
 * word has changed waits for nobody: another thread's change has succeeded.
 */
#include "snapshot.h"
#include "ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
stw_snapshot_create(struct stw_snapshot **out, struct stw_acd *acd)
{
	struct stw_snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot)
		return -ENOMEM;
	snapshot->contacts_max = acd->config.contacts_max;
	snapshot->agents_max = acd->config.agents_max;
	snapshot->queues_max = acd->config.queues_max;
	snapshot->contacts = calloc(snapshot->contacts_max, sizeof(*snapshot->contacts));
	snapshot->agents = calloc(snapshot->agents_max, sizeof(*snapshot->agents));
	snapshot->queues = calloc(snapshot->queues_max + 1, sizeof(*snapshot->queues));
	snapshot->census = calloc(snapshot->queues_max + 1, sizeof(*snapshot->census));
	if (!snapshot->contacts || !snapshot->agents || !snapshot->queues || !snapshot->census) {
		stw_snapshot_destroy(snapshot);
		return -ENOMEM;
	}
	*out = snapshot;
	return 0;
}

void
stw_snapshot_destroy(struct stw_snapshot *snapshot)
{
	if (!snapshot)
		return;
	free(snapshot->contacts);
	free(snapshot->agents);
	free(snapshot->queues);
	free(snapshot->census);
	free(snapshot);
}

void
acd_snapshot_clear(struct stw_snapshot *snapshot)
{
	memset(&snapshot->head, 0, sizeof(snapshot->head));
	memset(snapshot->contacts, 0, snapshot->contacts_max * sizeof(*snapshot->contacts));
	memset(snapshot->agents, 0, snapshot->agents_max * sizeof(*snapshot->agents));
	memset(snapshot->queues, 0, (snapshot->queues_max + 1) * sizeof(*snapshot->queues));
}

bool
acd_snapshot_fits(const struct stw_snapshot *snapshot, const struct stw_acd *acd)
{
	return snapshot->contacts_max == acd->config.contacts_max &&
	       snapshot->agents_max == acd->config.agents_max &&
	       snapshot->queues_max == acd->config.queues_max;
}

uint64_t
stw_snapshot_time(const struct stw_snapshot *snapshot)
{
	return snapshot->head.last_ns;
}

/* Where a contact's word leaves it; what is decided counts as done. */
static enum snapshot_state
state_of(uint64_t word)
{
	switch (word_state(word)) {
	case ACD_CONTACT_WAITING:
	case ACD_CONTACT_DECLINED:
	case ACD_CONTACT_TIMED_OUT:
	case ACD_CONTACT_MOVING:
		return SNAPSHOT_WAITING;
	case ACD_CONTACT_OFFERED:
	case ACD_CONTACT_RINGING:
		return SNAPSHOT_OFFERED;
	case ACD_CONTACT_CONNECTED:
		return SNAPSHOT_CONNECTED;
	case ACD_CONTACT_RING_CLOSING:
		if (!word_ring_flag(word))
			return SNAPSHOT_CONNECTED;
		return word_contact_over(word) ? SNAPSHOT_FREE : SNAPSHOT_WAITING;
	default:
		return SNAPSHOT_FREE;
	}
}

/* Who has the contact, or missed it; of a ring whoever the word is about. */
static uint32_t
agent_of(struct stw_acd *acd, uint32_t c, uint64_t word)
{
	uint32_t place;
	uint32_t a;

	if (word_state(word) == ACD_CONTACT_MOVING)
		return ACD_AGENT_NONE;
	if (!ring_is(word))
		return word_slot(word);
	place = word_state(word) == ACD_CONTACT_RINGING || !word_ring_flag(word)
			? word_ring_last(word)
			: (uint32_t)__builtin_ctz(ring_live(word));
	a = acd_ring_agent(acd, c, place, ring_base(word));
	return a == ACD_NOBODY ? ACD_AGENT_NONE : a;
}

/* Where it stands in its queue, on this side. */
static void
stay_read(const struct acd_contact *contact, uint64_t word, struct snapshot_contact *to)
{
	unsigned side = word_side(word_contact_settled(word));

	to->rank_ns = (int64_t)acd_field_read((const _Atomic uint64_t *)&contact->rank_ns[side]);
	to->class = acd_field_read_32(&contact->class[side]);
	to->entered_ns = acd_field_read(&contact->entered_ns[side]);
	if (word_contact_in_person(word))
		to->preferred = acd_field_read(&contact->preferred[side]);
	if (to->preferred)
		to->preferred_until_ns = acd_field_read(&contact->preferred_until_ns[side]);
	to->step = to->preferred ? ACD_STEP_PREFERRED : (uint8_t)word_step_open(word);
}

static bool
contact_read(struct stw_acd *acd, uint32_t c, uint64_t word, struct snapshot_contact *to)
{
	struct acd_contact *contact = &acd->contacts[c];
	uint32_t q = acd_contact_queue(acd, c, word_contact_settled(word));
	uint32_t a = agent_of(acd, c, word);
	uint32_t generation = acd_field_read_32(&contact->generation);
	const struct acd_agent_description *agent =
		a == ACD_AGENT_NONE ? NULL : acd_agent_description(acd, a);
	/* Of whoever reads this word's events, all are in it. */
	uint64_t sequence = word_version(word) << (64 - ACD_VERSION_BITS) |
			    ((UINT64_C(1) << (64 - ACD_VERSION_BITS)) - 1);

	*to = (struct snapshot_contact){
		.id = generation ? acd_handle(c, generation) : 0,
		.sequence = generation ? sequence : 0,
		.state = state_of(word),
	};
	if (to->state != SNAPSHOT_FREE) {
		const struct acd_queue_description *queue = acd_queue_description(acd, q);

		to->queue = queue ? acd_handle(q, queue->generation) : 0;
		to->agent = agent ? acd_handle(a, agent->generation) : 0;
		to->enqueue_ns = acd_field_read(&contact->enqueue_ns);
		to->credit_ns = acd_field_read(&contact->credit_ns);
		to->arrival = acd_field_read(&contact->arrival);
		to->cookie = acd_field_read(&contact->cookie);
		to->connect_ns = acd_field_read(&contact->connect_ns);
		to->customer = acd_customer_name(acd, q, acd_field_read(&contact->customer));
		to->partner = acd_field_read(&contact->partner);
		to->callback = acd_contact_is_callback(acd, c);
		stay_read(contact, word, to);
		if (word_state(word) == ACD_CONTACT_RINGING) {
			to->ring = ring_joined(word) != 1;
			to->rung = (uint8_t)(__builtin_popcount(ring_live(word)) - 1);
		}
	}
	return acd_word_read(&contact->word) == word;
}

/* The name of a tenant; under the configuration lock. */
static void
tenant_read(const struct stw_acd *acd, uint32_t t, char *to)
{
	if (t != ACD_TENANT_DEFAULT)
		memcpy(to, acd->tenant_names.texts[t], STW_NAME_BYTES_MAX + 1);
}

static bool
agent_read(struct stw_acd *acd, uint32_t a, uint64_t word, struct snapshot_agent *to)
{
	struct acd_agent *agent = &acd->agents[a];
	const struct acd_agent_description *description = acd_agent_description(acd, a);
	bool hold = word_state(word) == ACD_AGENT_HOLD;

	*to = (struct snapshot_agent){.id = 0};
	if (!description)
		return true;
	to->id = acd_handle(a, description->generation);
	memcpy(to->name, description->name, sizeof(to->name));
	tenant_read(acd, description->tenant, to->tenant);
	to->state = (uint8_t)(hold ? STW_AGENT_READY : acd_agent_state_of(word));
	to->reason = hold ? 0 : word_reason(word);
	to->busy = hold || word_state(word) == ACD_AGENT_WRAP_UP;
	/* A claim is made only after the word before it was told. */
	to->sequence =
		hold ? atomic_load_explicit(&agent->told, memory_order_relaxed) : word_stamp(word);
	to->since_ns = atomic_load_explicit(&agent->since_ns, memory_order_relaxed);
	to->idle_since_ns = atomic_load_explicit(&acd->idle_since_ns[a], memory_order_relaxed);
	if (word_state(word) == ACD_AGENT_WRAP_UP || word_state(word) == ACD_AGENT_PAUSED)
		to->until_ns = atomic_load_explicit(&agent->until_ns, memory_order_relaxed);
	to->contacts = atomic_load_explicit(&agent->contacts, memory_order_relaxed);
	to->busy_ns = atomic_load_explicit(&agent->busy_ns, memory_order_relaxed);
	to->login_ns = atomic_load_explicit(&agent->login_ns, memory_order_relaxed);
	to->busy_login_ns = atomic_load_explicit(&agent->busy_login_ns, memory_order_relaxed);
	to->contacts_today = atomic_load_explicit(&agent->contacts_today, memory_order_relaxed);
	to->misses = (uint32_t)(acd_word_read(&agent->misses) >> ACD_MISS_SHIFT);
	to->spell = acd_spell_of_column(acd_agent_time_column(acd, a));
	acd_agent_cells_read(acd, a, to->numbers);
	return acd_word_read(&agent->word) == word &&
	       acd_word_read(&agent->since_ns) == to->since_ns;
}

/* Let what was counted agree with the contacts that there are (see stats.c, row_add). */
static void
counters_fit(uint64_t *n, const struct snapshot_census *census)
{
	n[ACD_COUNT_ENDED] = n[ACD_COUNT_ANSWERED] - census->of[SNAPSHOT_CONNECTED];
	n[ACD_COUNT_OFFERS_BESIDE] = census->beside;
	n[ACD_COUNT_OFFERS] = census->of[SNAPSHOT_OFFERED] + n[ACD_COUNT_ANSWERED] +
			      n[ACD_COUNT_DECLINED] + n[ACD_COUNT_TIMED_OUT] +
			      n[ACD_COUNT_WITHDRAWN] + census->beside;
	n[ACD_COUNT_OFFERED] = census->of[SNAPSHOT_WAITING] + census->of[SNAPSHOT_OFFERED] +
			       n[ACD_COUNT_ANSWERED] + n[ACD_COUNT_REFUSED] +
			       n[ACD_COUNT_DEFLECTED] + n[ACD_COUNT_OVERFLOWED] +
			       n[ACD_COUNT_ABANDONED] + n[ACD_COUNT_EXPIRED];
}

static void
queue_read(struct stw_acd *acd, uint32_t q, const struct snapshot_census *census,
	   struct snapshot_queue *to)
{
	const struct acd_queue_description *queue =
		q == acd->config.queues_max ? NULL : acd_queue_description(acd, q);

	if (queue) {
		to->id = acd_handle(q, queue->generation);
		memcpy(to->name, queue->name, sizeof(to->name));
		tenant_read(acd, queue->tenant, to->tenant);
	}
	to->wait_ns_max = atomic_load_explicit(&acd->queues[q].wait_ns_max, memory_order_relaxed);
	for (uint32_t i = 0; i < ACD_COUNTERS; i++)
		to->counters[i] = counters_read(&acd->counters, q, i);
	counters_fit(to->counters, census);
}

static void
contacts_take(struct stw_snapshot *snapshot, struct stw_acd *acd)
{
	memset(snapshot->census, 0, (snapshot->queues_max + 1) * sizeof(*snapshot->census));
	for (uint32_t c = 0; c < snapshot->contacts_max; c++) {
		struct snapshot_contact *to = &snapshot->contacts[c];

		while (!contact_read(acd, c, acd_word_read(&acd->contacts[c].word), to)) {
		}
		if (to->state == SNAPSHOT_FREE)
			continue;
		snapshot->census[(uint32_t)to->queue].of[to->state]++;
		snapshot->census[(uint32_t)to->queue].beside += to->rung;
	}
}

int
stw_snapshot_take(struct stw_snapshot *snapshot, struct stw_acd *acd, struct stw_journal *journal,
		  uint64_t now_ns)
{
	if (!acd_snapshot_fits(snapshot, acd))
		return -EINVAL;
	acd_snapshot_clear(snapshot);
	/* Before anything is read: all events up to here are in what is read. */
	snapshot->head.through = journal ? acd_journal_number(journal) - 1 : 0;
	snapshot->head.last_ns = now_ns;
	control_lock_take(&acd->lock);
	reclaim_enter();
	contacts_take(snapshot, acd);
	for (uint32_t a = 0; a < snapshot->agents_max; a++)
		while (!agent_read(acd, a, acd_word_read(&acd->agents[a].word),
				   &snapshot->agents[a])) {
		}
	for (uint32_t q = 0; q <= snapshot->queues_max; q++)
		queue_read(acd, q, &snapshot->census[q], &snapshot->queues[q]);
	reclaim_exit();
	control_lock_leave(&acd->lock);
	return 0;
}
