/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine as a whole: its memory, its beginning and its end.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Lays parts out in one piece of memory; without a base it only counts. */
struct layout {
	char *base;
	size_t used;
};

static void *
layout_take(struct layout *layout, size_t bytes)
{
	size_t at = layout->used;

	layout->used += STW_WHOLE_LINES(bytes);
	return layout->base ? layout->base + at : NULL;
}

static int
config_check(const struct stw_acd_config *config)
{
	if (config->struct_size < sizeof(*config) || !config->agents_max ||
	    config->agents_max > 1000000 || !config->queues_max || config->queues_max > 65535 ||
	    !config->contacts_max || config->contacts_max > 1000000 || !config->skills_max ||
	    config->skills_max > 4096 || config->events_max < 64 || config->events_max > 16777216 ||
	    !config->threads_max || config->threads_max > 1024 || config->steps_max > 655350 ||
	    config->attributes_max > 4096 || config->pools_max > 4096 ||
	    config->tenants_max > 65535 || config->calendars_max > 65535 ||
	    config->concurrent_max > 1000000 || config->preferred_max > 1000000 ||
	    config->customers_max > 16777216 || !acd_intervals_valid(config) ||
	    config->ring_max > ACD_RING_MAX || config->journal > 1)
		return -EINVAL;
	return 0;
}

/* The memory of each part, in the order of engine_init. */
struct parts {
	void *engine;
	void *agents, *contacts, *queues, *tenants, *calendars, *rings;
	void *idle_since, *idle[STW_CHANNEL_COUNT][3], *agent_generations, *skill_generations;
	void *seats, *seats_slots;
	void *waiting, *preferred, *timers, *counters, *events;
	void *sets, *conditional, *reviews, *history;
	void *contact_slots, *agent_slots, *queue_slots, *set_slots, *skill_slots;
	void *skill_names, *agent_names, *queue_names, *attribute_names, *pool_names, *tenant_names,
		*calendar_names;
	void *intervals;
};

/* Whose events there are: contacts, agents, positions of contacts, queues. */
static uint32_t
event_sources(const struct stw_acd_config *config)
{
	return 2 * config->contacts_max + config->agents_max + config->queues_max;
}

/* Entries that a tree must hold: one per thing, and what each thread may be about to put in. */
static uint32_t
waiting_entries(const struct stw_acd_config *config)
{
	return config->contacts_max + 2 * config->threads_max;
}

/* Sets of the waiting tree: each queue has one at least. */
static uint32_t
sets_of(const struct stw_acd_config *config)
{
	return config->steps_max > config->queues_max ? config->steps_max : config->queues_max;
}

/* Agents who may really have seats. */
static uint32_t
concurrent_max(const struct stw_acd_config *config)
{
	return config->concurrent_max < config->agents_max ? config->concurrent_max
							   : config->agents_max;
}

/* Without contacts that wait for one agent there are no sets for agents either. */
static uint32_t
preferred_sets(const struct stw_acd_config *config)
{
	return config->preferred_max ? config->agents_max * STW_CHANNEL_COUNT : 1;
}

static uint32_t
preferred_entries(const struct stw_acd_config *config)
{
	return config->preferred_max ? config->preferred_max + 2 * config->threads_max : 1;
}

static uint32_t
timer_entries(const struct stw_acd_config *config)
{
	return 2 * config->contacts_max + config->agents_max +
	       concurrent_max(config) * ACD_SEATS_MAX + 2 * config->threads_max;
}

static void
idle_lay(struct layout *layout, size_t words, struct parts *parts)
{
	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++) {
		parts->idle[i][0] = layout_take(layout, words * sizeof(uint64_t));
		parts->idle[i][1] = layout_take(layout, HINT_BITS_WORDS(words) * sizeof(uint64_t));
		parts->idle[i][2] = layout_take(layout, words * sizeof(uint64_t));
	}
}

static size_t
parts_lay(const struct stw_acd_config *config, char *base, struct parts *parts)
{
	struct layout layout = {.base = base};
	size_t agents = config->agents_max;
	size_t contacts = config->contacts_max;
	size_t queues = config->queues_max;
	uint32_t sets = sets_of(config);

	parts->engine = layout_take(&layout, sizeof(struct stw_acd));
	parts->agents = layout_take(&layout, agents * sizeof(struct acd_agent));
	parts->contacts = layout_take(&layout, contacts * sizeof(struct acd_contact));
	parts->queues = layout_take(&layout, (queues + 1) * sizeof(struct acd_queue));
	parts->tenants =
		layout_take(&layout, ((size_t)config->tenants_max + 1) * sizeof(struct acd_tenant));
	parts->calendars =
		layout_take(&layout, config->calendars_max * sizeof(struct acd_calendar));
	parts->rings =
		layout_take(&layout, config->ring_max > 1 ? contacts * sizeof(struct acd_ring) : 0);
	parts->idle_since = layout_take(&layout, agents * sizeof(uint64_t));
	idle_lay(&layout, HINT_BITS_WORDS(agents), parts);
	parts->seats =
		layout_take(&layout, (size_t)concurrent_max(config) * sizeof(struct acd_seats));
	parts->agent_generations = layout_take(&layout, agents * sizeof(uint32_t));
	parts->skill_generations = layout_take(&layout, config->skills_max * sizeof(uint32_t));
	parts->waiting =
		layout_take(&layout, lower_bound_tree_bytes(sets, waiting_entries(config)));
	parts->sets = layout_take(&layout, sets * sizeof(uint32_t));
	parts->conditional = layout_take(&layout, HINT_BITS_WORDS(sets) * sizeof(uint32_t));
	parts->reviews = layout_take(&layout, HINT_BITS_WORDS(queues) * sizeof(uint64_t));
	parts->history = layout_take(&layout, acd_history_entries(config->customers_max) *
						      sizeof(struct acd_history_entry));
	parts->preferred = layout_take(
		&layout, lower_bound_tree_bytes(preferred_sets(config), preferred_entries(config)));
	parts->timers = layout_take(&layout, lower_bound_tree_bytes(1, timer_entries(config)));
	parts->counters =
		layout_take(&layout, counters_bytes(config->queues_max + 2, ACD_COUNTERS));
	parts->events =
		layout_take(&layout, event_queue_bytes(config->events_max, event_sources(config),
						       sizeof(struct stw_event)));
	parts->contact_slots = layout_take(&layout, slot_pool_bytes(config->contacts_max));
	parts->agent_slots = layout_take(&layout, slot_pool_bytes(config->agents_max));
	parts->seats_slots = layout_take(&layout, slot_pool_bytes(concurrent_max(config)));
	parts->queue_slots = layout_take(&layout, slot_pool_bytes(config->queues_max));
	parts->set_slots = layout_take(&layout, slot_pool_bytes(sets));
	parts->skill_slots = layout_take(&layout, slot_pool_bytes(config->skills_max));
	parts->calendar_names = layout_take(&layout, names_bytes(config->calendars_max));
	parts->tenant_names = layout_take(&layout, names_bytes(config->tenants_max + 1));
	parts->skill_names = layout_take(&layout, names_bytes(config->skills_max));
	parts->agent_names = layout_take(&layout, names_bytes(config->agents_max));
	parts->queue_names = layout_take(&layout, names_bytes(config->queues_max));
	parts->attribute_names = layout_take(&layout, names_bytes(config->attributes_max));
	parts->pool_names = layout_take(&layout, names_bytes(config->pools_max));
	parts->intervals = layout_take(&layout, acd_intervals_bytes(config));
	return layout.used;
}

int
stw_acd_memory_needed(const struct stw_acd_config *config, size_t *bytes)
{
	struct parts parts;
	int error = config_check(config);

	if (error)
		return error;
	/* And room to begin on a cache line. */
	*bytes = parts_lay(config, NULL, &parts) + STW_CACHE_LINE;
	return 0;
}

static void
idle_init(struct stw_acd *acd, const struct parts *parts)
{
	for (uint32_t i = 0; i < STW_CHANNEL_COUNT; i++) {
		struct acd_idle *idle = &acd->idle[i];

		idle->available = parts->idle[i][0];
		idle->available_words = parts->idle[i][1];
		idle->bounds = parts->idle[i][2];
		for (uint32_t w = 0; w < HINT_BITS_WORDS(acd->config.agents_max); w++)
			atomic_init(&idle->bounds[w], LOWER_BOUND_EMPTY_WORD);
	}
}

static void
engine_init(struct stw_acd *acd, const struct stw_acd_config *config, const struct parts *parts)
{
	acd->config = *config;
	acd->agents = parts->agents;
	acd->contacts = parts->contacts;
	acd->queues = parts->queues;
	acd->tenants = parts->tenants;
	acd->calendars = parts->calendars;
	acd->rings = config->ring_max > 1 ? parts->rings : NULL;
	acd->idle_since_ns = parts->idle_since;
	acd->seats = parts->seats;
	idle_init(acd, parts);
	acd->agent_generations = parts->agent_generations;
	acd->skill_generations = parts->skill_generations;
	acd->sets = parts->sets;
	acd->conditional = parts->conditional;
	acd->reviews = parts->reviews;
	acd->history = parts->history;
	acd->sets_max = sets_of(config);
	lower_bound_tree_init(&acd->waiting, parts->waiting, acd->sets_max, waiting_entries(config),
			      acd_contact_entry_check, acd);
	lower_bound_tree_init(&acd->preferred, parts->preferred, preferred_sets(config),
			      preferred_entries(config), acd_contact_entry_check, acd);
	if (!config->preferred_max)
		acd->preferred.sets_count = 0;
	lower_bound_tree_init(&acd->timers, parts->timers, 1, timer_entries(config),
			      acd_timer_check, acd);
	counters_init(&acd->counters, parts->counters, config->queues_max + 2, ACD_COUNTERS);
	event_queue_init(&acd->events, parts->events, config->events_max, event_sources(config),
			 sizeof(struct stw_event));
	slot_pool_init(&acd->contact_slots, parts->contact_slots, config->contacts_max);
	slot_pool_init(&acd->agent_slots, parts->agent_slots, config->agents_max);
	if (concurrent_max(config))
		slot_pool_init(&acd->seats_slots, parts->seats_slots, concurrent_max(config));
	slot_pool_init(&acd->queue_slots, parts->queue_slots, config->queues_max);
	slot_pool_init(&acd->set_slots, parts->set_slots, acd->sets_max);
	slot_pool_init(&acd->skill_slots, parts->skill_slots, config->skills_max);
	names_init(&acd->calendar_names, parts->calendar_names, config->calendars_max);
	names_init(&acd->tenant_names, parts->tenant_names, config->tenants_max + 1);
	names_init(&acd->skill_names, parts->skill_names, config->skills_max);
	names_init(&acd->agent_names, parts->agent_names, config->agents_max);
	names_init(&acd->queue_names, parts->queue_names, config->queues_max);
	names_init(&acd->attribute_names, parts->attribute_names, config->attributes_max);
	names_init(&acd->pool_names, parts->pool_names, config->pools_max);
	acd_intervals_init(acd, parts->intervals);
	control_lock_init(&acd->lock);
	for (uint32_t c = 0; c < config->contacts_max; c++)
		atomic_init(&acd->contacts[c].word, (uint64_t)ACD_AGENT_NONE << ACD_VERSION_BITS);
}

int
stw_acd_create(struct stw_acd **out, const struct stw_acd_config *config)
{
	struct parts parts;
	struct stw_acd *acd;
	size_t bytes;
	char *memory;
	char *base;
	int error = stw_acd_memory_needed(config, &bytes);

	if (error)
		return error;
	memory = calloc(1, bytes);
	if (!memory)
		return -ENOMEM;
	base = memory + (-(uintptr_t)memory & (STW_CACHE_LINE - 1));
	parts_lay(config, base, &parts);
	acd = parts.engine;
	acd->memory = memory;
	engine_init(acd, config, &parts);
	*out = acd;
	return 0;
}

void
stw_acd_destroy(struct stw_acd *acd)
{
	if (!acd)
		return;
	reclaim_wait();
	config_agents_free(acd);
	config_queues_free(acd);
	acd_calendars_free(acd);
	control_lock_destroy(&acd->lock);
	free(acd->memory);
}
