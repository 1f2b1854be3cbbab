/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration of agents: copy and publish. One lock keeps those who configure apart; hot calls
 * never take it.
 *
 * Eligibility is said by one bit, agent a in a step's members. An agent's `sets` bits are there to find
 * the sets; they may be set where no member bit is, never the other way round. So a bit is set in
 * `sets` first and in `members` second, cleared in the opposite order. A new description carries
 * bits that are right, or set for both the old and the new, before it is published.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AGENT_WEIGHT_MAX 1000

void
config_bit_set(_Atomic uint32_t *bits, uint32_t i, bool set)
{
	uint32_t bit = UINT32_C(1) << i % HINT_BITS_WIDTH;

	if (set)
		atomic_fetch_or_explicit(&bits[i / HINT_BITS_WIDTH], bit, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(&bits[i / HINT_BITS_WIDTH], ~bit, memory_order_relaxed);
}

/*
 * Seats for an agent who may have several contacts at a time; they stay when the description changes (old,
 * NULL for a new agent).
 */
static int
seats_take(struct stw_acd *acd, struct acd_agent_description *agent,
	   const struct acd_agent_description *old, uint32_t slots)
{
	struct acd_seats *seats;
	uint32_t slot;

	agent->seats = old ? old->seats : NULL;
	if (agent->seats || slots <= 1)
		return 0;
	if (!acd->config.concurrent_max || slot_pool_take(&acd->seats_slots, &slot))
		return -ENOSPC;
	seats = &acd->seats[slot];
	/* Stamp 0 is before all that the agent will give out. */
	for (uint32_t s = 0; s < ACD_SEATS_MAX; s++)
		atomic_store_explicit(&seats->words[s], seat_make(ACD_SEAT_EMPTY, 0, 0),
				      memory_order_relaxed);
	atomic_store_explicit(&seats->parking, ACD_PARKING_NONE, memory_order_relaxed);
	/* Who is at work with one slot is parked only after a grace period (seats.c, growing). */
	acd_field_write_32(&seats->parks, !old);
	agent->seats = seats;
	return 0;
}

static void
seats_give(struct stw_acd *acd, struct acd_seats *seats)
{
	if (seats)
		slot_pool_give(&acd->seats_slots, (uint32_t)(seats - acd->seats));
}

static uint32_t
config_slots_total(const struct stw_agent_config *config)
{
	uint32_t total = 0;

	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++)
		total += config->slots[i];
	return total;
}

static void
slots_copy(struct acd_agent_description *agent, const struct stw_agent_config *config)
{
	memcpy(agent->slots, config->slots, sizeof(agent->slots));
	memcpy(agent->interrupts, config->interrupts, sizeof(agent->interrupts));
	if (!config_slots_total(config))
		agent->slots[STW_CHANNEL_VOICE] = 1;
	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++)
		agent->channels |= agent->slots[i] ? UINT32_C(1) << i : 0;
}

static int
agent_config_check(struct stw_acd *acd, const struct stw_agent_config *config, uint32_t *tenant)
{
	int error;

	if (config->struct_size < sizeof(*config) ||
	    config->skills_count > acd->config.skills_max ||
	    config->penalty_ns > ACD_DURATION_MAX ||
	    config_slots_total(config) > STW_AGENT_SLOTS_MAX || config->weight > AGENT_WEIGHT_MAX)
		return -EINVAL;
	error = config_attributes_check(acd, config->attributes, config->attributes_count);
	if (!error)
		error = acd_tenant_slot(acd, config->tenant, tenant);
	if (!error)
		error = config_terms_check(acd, *tenant, config->skills, config->skills_count);
	return error ? error : config_pool_check(acd, config->pool);
}

static void
description_free(struct acd_agent_description *agent)
{
	if (!agent)
		return;
	free(agent->skills);
	free(agent->attributes);
	free(agent->sets);
	free(agent);
}

/* A description as the config says, for the queues that there are. */
static struct acd_agent_description *
description_make(struct stw_acd *acd, const struct stw_agent_config *config, uint32_t tenant,
		 const char *name)
{
	struct acd_agent_description *agent = calloc(1, sizeof(*agent));

	if (!agent)
		return NULL;
	agent->sets = calloc(HINT_BITS_WORDS(acd->sets_max), sizeof(*agent->sets));
	agent->skills = calloc((size_t)config->skills_count + 1, sizeof(*agent->skills));
	if (!agent->sets || !agent->skills ||
	    config_attributes_copy(agent, config->attributes, config->attributes_count)) {
		description_free(agent);
		return NULL;
	}
	if (config->skills_count)
		memcpy(agent->skills, config->skills,
		       config->skills_count * sizeof(*agent->skills));
	agent->tenant = tenant;
	agent->skills_count = config->skills_count;
	agent->misses_max = config->misses_max;
	agent->penalty_ns = config->penalty_ns;
	agent->cookie = config->cookie;
	agent->pool = config->pool.id;
	slots_copy(agent, config);
	agent->position = config->position;
	agent->weight = config->weight ? config->weight : 1;
	memcpy(agent->name, name, strlen(name) + 1);
	return agent;
}

/* Make an agent a member of the steps that admit him as described, or no member of those that do not. */
static void
members_mark(struct stw_acd *acd, uint32_t a, const struct acd_agent_description *agent, bool set)
{
	for (uint32_t q = 0; q < acd->queues_end; q++) {
		struct acd_queue_description *queue = acd_queue_description(acd, q);

		for (uint32_t k = 0; queue && k < queue->steps_count; k++)
			if ((agent && config_step_admits(&queue->steps[k], agent)) == set)
				config_bit_set(queue->steps[k].members, a, set);
	}
}

/* Set the bits of an agent's sets in which he may be given contacts, or clear the others. */
static void
sets_mark(struct stw_acd *acd, uint32_t a, struct acd_agent_description *agent, bool set)
{
	for (uint32_t q = 0; q < acd->queues_end; q++)
		if (acd_queue_description(acd, q))
			config_sets_mark(acd_queue_description(acd, q), a, agent, set);
}

/* Set the bits of the sets that an agent will be a member for. */
static void
sets_expect(struct stw_acd *acd, struct acd_agent_description *agent)
{
	for (uint32_t q = 0; q < acd->queues_end; q++) {
		struct acd_queue_description *queue = acd_queue_description(acd, q);
		bool admits = false;

		for (uint32_t k = 0; queue && k < queue->steps_count; k++) {
			admits = admits || config_step_admits(&queue->steps[k], agent);
			for (uint32_t i = 0; admits && i < queue->steps[k].lanes_count; i++)
				config_bit_set(agent->sets, queue->steps[k].lanes[i].set, true);
		}
	}
}

/* Note what the policies ask of an agent as described. */
static void
scores_note(struct stw_acd *acd, uint32_t a, const struct acd_agent_description *agent)
{
	atomic_store_explicit(&acd->agents[a].position, agent->position, memory_order_relaxed);
	atomic_store_explicit(&acd->agents[a].weight, agent->weight, memory_order_relaxed);
	for (uint32_t q = 0; q < acd->queues_end; q++) {
		struct acd_queue_description *queue = acd_queue_description(acd, q);

		for (uint32_t k = 0; queue && k < queue->steps_count; k++)
			config_step_score(&queue->steps[k], a, agent);
	}
}

/* Publish an agent's new description, keeping both sides' bits in order. */
static void
description_publish(struct stw_acd *acd, uint32_t a, struct acd_agent_description *new)
{
	scores_note(acd, a, new);
	sets_mark(acd, a, new, true);
	sets_expect(acd, new);
	acd_agent_description_publish(acd, a, new);
	members_mark(acd, a, new, true);
	members_mark(acd, a, new, false);
	sets_mark(acd, a, new, false);
}

static int
agent_define(struct stw_acd *acd, const struct stw_agent_config *config, struct stw_agent *handle)
{
	struct acd_agent_description *agent;
	struct acd_agent *hot;
	uint32_t tenant;
	uint32_t a;
	int error = agent_config_check(acd, config, &tenant);

	if (error)
		return error;
	if (names_find(&acd->agent_names, tenant, config->name) != NAMES_NONE)
		return -EEXIST;
	agent = description_make(acd, config, tenant, config->name);
	if (!agent)
		return -ENOMEM;
	error = acd_tenant_take(acd, tenant, ACD_TENANT_AGENTS);
	if (error)
		goto made;
	error = seats_take(acd, agent, NULL, config_slots_total(config));
	if (error)
		goto taken;
	error = slot_pool_take(&acd->agent_slots, &a);
	if (error)
		goto seated;
	hot = &acd->agents[a];
	acd->agent_generations[a] += 1 + (acd->agent_generations[a] == UINT32_MAX);
	agent->generation = acd->agent_generations[a];
	acd->agents_end = a >= acd->agents_end ? a + 1 : acd->agents_end;
	names_add(&acd->agent_names, tenant, a, config->name);
	/* No hot call can name the agent yet. */
	atomic_store_explicit(&hot->contacts, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->contacts_today, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->busy_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->since_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->misses, 0, memory_order_relaxed);
	acd_word_change(
		&hot->word, acd_word_read(&hot->word),
		word_agent_make(ACD_AGENT_LOGGED_OUT, 0, ACD_QUIET_BIT,
				atomic_fetch_add_explicit(&hot->stamps, 1, memory_order_relaxed) +
					1));
	acd_agent_group_set(acd, a, config_team(config->pool), tenant, 0);
	description_publish(acd, a, agent);
	handle->id = acd_handle(a, agent->generation);
	return 0;

seated:
	seats_give(acd, agent->seats);
taken:
	acd_tenant_give(acd, tenant, ACD_TENANT_AGENTS);
made:
	description_free(agent);
	return error;
}

int
stw_agent_define(struct stw_acd *acd, const struct stw_agent_config *config,
		 struct stw_agent *agent)
{
	int error;

	if (!names_valid(config->name))
		return -EINVAL;
	control_lock_take(&acd->lock);
	error = agent_define(acd, config, agent);
	control_lock_leave(&acd->lock);
	return error;
}

/* Replace a description; on success the old one is the first to be freed after a grace period. */
static int
agent_update(struct stw_acd *acd, uint32_t a, const struct stw_agent_config *config,
	     struct acd_agent_description **replaced)
{
	struct acd_agent_description *old = acd_agent_description(acd, a);
	struct acd_agent_description *agent;
	uint32_t tenant;
	int error = agent_config_check(acd, config, &tenant);

	if (config->name && strcmp(config->name, old->name))
		return -EINVAL;
	if (error)
		return error;
	if (tenant != old->tenant)
		return -EINVAL;
	agent = description_make(acd, config, tenant, old->name);
	if (!agent)
		return -ENOMEM;
	error = seats_take(acd, agent, old, config_slots_total(config));
	if (error) {
		description_free(agent);
		return error;
	}
	agent->generation = old->generation;
	description_publish(acd, a, agent);
	old->replaced = *replaced;
	*replaced = old;
	return 0;
}

/* What a new description makes possible for an agent; again when nobody reads the old one any more, as its readers
 * may have parked or listed him by that. */
static void
agent_rematch(struct stw_acd *acd, struct stw_agent handle, uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	uint32_t a;

	reclaim_enter();
	if (!acd_agent_find(acd, handle, &a)) {
		uint64_t word = acd_agent_settle(acd, a, now_ns, &todo);

		if (word_state(word) == ACD_AGENT_READY)
			acd_idle_list(acd, a);
		acd_idle_unlist(acd, a);
		acd_todo_agent(&todo, a);
	}
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
}

/* The second half of an update: the old descriptions are read no more. */
static void
agents_finish(struct stw_acd *acd, const struct stw_agent *agents, uint32_t count,
	      struct acd_agent_description *replaced, uint64_t now_ns)
{
	uint32_t a;

	reclaim_wait();
	while (replaced) {
		struct acd_agent_description *next = replaced->replaced;

		description_free(replaced);
		replaced = next;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (acd_agent_find(acd, agents[i], &a))
			continue;
		if (acd_agent_description(acd, a)->seats)
			acd_field_write_32(&acd_agent_description(acd, a)->seats->parks, 1);
		agent_rematch(acd, agents[i], now_ns);
	}
}

uint32_t
stw_agents_update(struct stw_acd *acd, const struct stw_agent *agents,
		  const struct stw_agent_config *configs, uint32_t count, uint64_t now_ns,
		  int *results)
{
	struct acd_agent_description *replaced = NULL;
	uint32_t done = 0;

	control_lock_take(&acd->lock);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t a;
		int error = acd_agent_find(acd, agents[i], &a);

		if (!error)
			error = agent_update(acd, a, &configs[i], &replaced);
		if (!error) {
			acd_agent_group_set(acd, a, config_team(configs[i].pool),
					    acd->intervals.groups[a].tenant, now_ns);
			acd_review_ask_of(acd, replaced);
			agent_rematch(acd, agents[i], now_ns);
		}
		done += !error;
		if (results)
			results[i] = error;
	}
	if (done)
		agents_finish(acd, agents, count, replaced, now_ns);
	control_lock_leave(&acd->lock);
	return done;
}

int
stw_agent_update(struct stw_acd *acd, struct stw_agent agent, const struct stw_agent_config *config,
		 uint64_t now_ns)
{
	int error;

	stw_agents_update(acd, &agent, config, 1, now_ns, &error);
	return error;
}

static int
agent_remove(struct stw_acd *acd, uint32_t a)
{
	struct acd_agent *hot = &acd->agents[a];
	struct acd_agent_description *old = acd_agent_description(acd, a);
	uint64_t word = acd_word_read(&hot->word);
	uint64_t stamp = atomic_fetch_add_explicit(&hot->stamps, 1, memory_order_relaxed) + 1;

	if (word_state(word) != ACD_AGENT_LOGGED_OUT)
		return -EBUSY;
	acd_announce_agent(acd, a, word, 0);
	if (!acd_word_change(&hot->word, word,
			     word_agent_make(ACD_AGENT_FREE, 0, ACD_QUIET_BIT, stamp)))
		return -EBUSY;
	members_mark(acd, a, NULL, false);
	acd_agent_description_publish(acd, a, NULL);
	names_remove(&acd->agent_names, a);
	acd_tenant_give(acd, old->tenant, ACD_TENANT_AGENTS);
	reclaim_wait();
	seats_give(acd, old->seats);
	acd_agent_numbers_end(acd, a);
	description_free(old);
	slot_pool_give(&acd->agent_slots, a);
	return 0;
}

int
stw_agent_remove(struct stw_acd *acd, struct stw_agent agent)
{
	uint32_t a;
	int error;

	control_lock_take(&acd->lock);
	error = acd_agent_find(acd, agent, &a);
	if (!error)
		error = agent_remove(acd, a);
	control_lock_leave(&acd->lock);
	return error;
}

int
stw_agent_find(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
	       struct stw_agent *agent)
{
	uint32_t a;
	int error;

	control_lock_take(&acd->lock);
	error = config_name_find(acd, &acd->agent_names, tenant, name, &a);
	if (!error)
		agent->id = acd_handle(a, acd->agent_generations[a]);
	control_lock_leave(&acd->lock);
	return error;
}

void
config_agents_free(struct stw_acd *acd)
{
	for (uint32_t a = 0; a < acd->agents_end; a++)
		description_free(acd_agent_description(acd, a));
}
