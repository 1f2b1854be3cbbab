/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration of queues: copy and publish, under the configuration lock (config.c).
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
targets_check(const struct stw_queue_config *config)
{
	const int64_t max = (int64_t)ACD_DURATION_MAX;

	for (unsigned value = 0; value < STW_CLASS_COUNT; value++)
		for (unsigned urgency = 0; urgency < STW_CLASS_COUNT; urgency++)
			if (config->target_ns[value][urgency] > max ||
			    config->target_ns[value][urgency] < -max)
				return -EINVAL;
	return 0;
}

static int
queue_config_check(struct stw_acd *acd, const struct stw_queue_config *config, uint32_t *tenant)
{
	uint32_t calendar;
	int error;

	if (config->struct_size < sizeof(*config) || config->offer_timeout_ns > ACD_DURATION_MAX ||
	    config->wrap_up_ns > ACD_DURATION_MAX || config->announce_ns > ACD_DURATION_MAX ||
	    config->wait_max_ns > ACD_DURATION_MAX || config->lease_ns > ACD_DURATION_MAX ||
	    config->resume_window_ns > ACD_DURATION_MAX ||
	    config->repeat_window_ns > ACD_DURATION_MAX ||
	    (unsigned)config->refuse_when > STW_QUEUE_WHEN_ALL_NOT_READY ||
	    (unsigned)config->leave_when > STW_QUEUE_WHEN_ALL_NOT_READY ||
	    config->channel >= STW_CHANNEL_COUNT || targets_check(config))
		return -EINVAL;
	error = acd_tenant_slot(acd, config->tenant, tenant);
	if (!error)
		error = acd_calendar_slot(acd, config->calendar, *tenant, &calendar);
	if (!error)
		error = acd_surge_rules_check(acd, *tenant, config);
	return error ? error : config_steps_check(acd, *tenant, config);
}

static void
description_free(struct acd_queue_description *queue)
{
	if (!queue)
		return;
	config_steps_free(queue);
	free(queue);
}

/* A description as the config says, with the agents that there are, without sets. */
static struct acd_queue_description *
description_make(struct stw_acd *acd, const struct stw_queue_config *config, uint32_t tenant,
		 const char *name)
{
	struct acd_queue_description *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->tenant = tenant;
	acd_calendar_slot(acd, config->calendar, tenant, &queue->calendar);
	if (config_steps_make(acd, config, queue)) {
		description_free(queue);
		return NULL;
	}
	queue->length_max = config->length_max;
	queue->channel = config->channel;
	queue->surge_rules_count = config->surge_rules_count;
	for (uint32_t i = 0; i < config->surge_rules_count; i++)
		queue->surge_rules[i] = config->surge_rules[i];
	queue->announce_ns = config->announce_ns;
	queue->short_abandon_ns = config->short_abandon_ns;
	queue->cookie = config->cookie;
	queue->offer_timeout_ns = config->offer_timeout_ns;
	queue->wrap_up_ns = config->wrap_up_ns;
	queue->service_level_ns = config->service_level_ns;
	queue->wait_max_ns = config->wait_max_ns;
	queue->overflow = config->overflow;
	queue->refuse_when = config->refuse_when;
	queue->leave_when = config->leave_when;
	queue->lease_ns = config->lease_ns;
	queue->resume_window_ns = config->resume_window_ns;
	queue->repeat_window_ns = config->repeat_window_ns;
	memcpy(queue->target_ns, config->target_ns, sizeof(queue->target_ns));
	memcpy(queue->name, name, strlen(name) + 1);
	return queue;
}

static void
agents_mark(struct stw_acd *acd, const struct acd_queue_description *queue, bool set)
{
	for (uint32_t a = 0; a < acd->agents_end; a++)
		if (acd_agent_description(acd, a))
			config_sets_mark(queue, a, acd_agent_description(acd, a), set);
}

/* Count a queue and its steps in or out among the users of their calendars. */
static void
calendar_count(struct stw_acd *acd, const struct acd_queue_description *queue, int more)
{
	for (uint32_t k = 0; k < acd->config.calendars_max; k++)
		acd->calendars[k].users += acd_calendar_uses(queue, k) * (uint32_t)more;
}

static int
queue_define(struct stw_acd *acd, const struct stw_queue_config *config, struct stw_queue *handle)
{
	struct acd_queue_description *queue;
	struct acd_queue *hot;
	uint32_t tenant;
	uint32_t q;
	int error = queue_config_check(acd, config, &tenant);

	if (error)
		return error;
	if (names_find(&acd->queue_names, tenant, config->name) != NAMES_NONE)
		return -EEXIST;
	queue = description_make(acd, config, tenant, config->name);
	if (!queue)
		return -ENOMEM;
	error = acd_tenant_take(acd, tenant, ACD_TENANT_QUEUES);
	if (error)
		goto made;
	error = slot_pool_take(&acd->queue_slots, &q);
	if (error)
		goto counted;
	error = config_sets_take(acd, q, queue, NULL);
	if (error)
		goto taken;
	hot = &acd->queues[q];
	hot->generation += 1 + (hot->generation == UINT32_MAX);
	queue->generation = hot->generation;
	acd->queues_end = q >= acd->queues_end ? q + 1 : acd->queues_end;
	names_add(&acd->queue_names, tenant, q, config->name);
	/* No hot call can name the queue yet. */
	hot->tenant = tenant;
	atomic_store_explicit(&hot->wait_ns_max, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->waiting, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->start, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->gap, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->level, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->known, 0, memory_order_relaxed);
	acd_queue_numbers_begin(acd, q, queue->channel);
	calendar_count(acd, queue, 1);
	for (uint32_t k = 0; k < STW_QUEUE_STEPS_MAX; k++)
		atomic_store_explicit(&hot->next[k], 0, memory_order_relaxed);
	agents_mark(acd, queue, true);
	acd_queue_description_publish(acd, q, queue);
	handle->id = acd_handle(q, queue->generation);
	return 0;

taken:
	slot_pool_give(&acd->queue_slots, q);
counted:
	acd_tenant_give(acd, tenant, ACD_TENANT_QUEUES);
made:
	description_free(queue);
	return error;
}

int
stw_queue_define(struct stw_acd *acd, const struct stw_queue_config *config,
		 struct stw_queue *queue)
{
	int error;

	if (!names_valid(config->name))
		return -EINVAL;
	control_lock_take(&acd->lock);
	error = queue_define(acd, config, queue);
	control_lock_leave(&acd->lock);
	return error;
}

/* Lanes of a queue of which the best has found nobody: none does, as all of a lane ask the same. */
struct lanes_tried {
	bool tried[STW_QUEUE_STEPS_MAX][ACD_LANES_MAX];
};

/* The best contact of the lanes not tried; returns the mark of its lane, NULL: there is none. */
static bool *
best_untried(struct stw_acd *acd, const struct acd_queue_description *queue,
	     struct lanes_tried *lanes, struct lower_bound_tree_entry *best)
{
	bool *mark = NULL;

	for (uint32_t k = 0; k < queue->steps_count; k++) {
		for (uint32_t i = 0; i < queue->steps[k].lanes_count; i++) {
			struct lower_bound_tree_entry entry;
			uint32_t position;

			if (lanes->tried[k][i] ||
			    !lower_bound_tree_min(&acd->waiting, queue->steps[k].lanes[i].set,
						  &entry, &position))
				continue;
			if (mark && (entry.key > best->key ||
				     (entry.key == best->key && entry.order > best->order)))
				continue;
			*best = entry;
			mark = &lanes->tried[k][i];
		}
	}
	return mark;
}

/* Agents who were not admitted before may be ready: offer them the best, again and again. */
static void
queue_match(struct stw_acd *acd, uint32_t q, uint64_t now_ns)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	struct lanes_tried lanes = {{{false}}};
	struct acd_todo todo = {.count = 0};
	struct lower_bound_tree_entry best;
	bool *mark;

	acd_review_ask(acd, q);
	acd_match_run(acd, &todo, now_ns);
	while ((mark = best_untried(acd, queue, &lanes, &best))) {
		acd_todo_contact(&todo, best.item);
		acd_match_run(acd, &todo, now_ns);
		*mark = acd_word_read(&acd->contacts[best.item].word) == best.ref;
	}
}

/* A description to follow the old one, with sets. */
static int
queue_remake(struct stw_acd *acd, uint32_t q, const struct stw_queue_config *config,
	     const struct acd_queue_description *old, struct acd_queue_description **new)
{
	struct acd_queue_description *queue;
	uint32_t tenant;
	int error = queue_config_check(acd, config, &tenant);

	if (config->name && strcmp(config->name, old->name))
		return -EINVAL;
	if (error)
		return error;
	if (tenant != old->tenant)
		return -EINVAL;
	/* Slots are counted by channel, so what is under way must keep its own. */
	if (config->channel != old->channel)
		return -EINVAL;
	queue = description_make(acd, config, tenant, old->name);
	if (!queue)
		return -ENOMEM;
	error = config_sets_take(acd, q, queue, old);
	if (error) {
		description_free(queue);
		return error;
	}
	queue->generation = old->generation;
	*new = queue;
	return 0;
}

/* Replace a description: the agents' bits are set before it is published, and cleared after. */
static void
queue_replace(struct stw_acd *acd, uint32_t q, struct acd_queue_description *old,
	      struct acd_queue_description *new, uint64_t now_ns)
{
	/* A contact that gets another word gets a timer for the new times, too. */
	bool differ = config_steps_differ(old, new) || old->wait_max_ns != new->wait_max_ns;

	calendar_count(acd, new, 1);
	agents_mark(acd, new, true);
	acd_queue_description_publish(acd, q, new);
	if (differ)
		reclaim_wait();
	reclaim_enter();
	if (differ)
		config_steps_move(acd, q, now_ns);
	agents_mark(acd, new, false);
	config_sets_clear(acd, old, new);
	queue_match(acd, q, now_ns);
	reclaim_exit();
	reclaim_wait();
	config_sets_give(acd, old, new);
	calendar_count(acd, old, -1);
	description_free(old);
}

int
stw_queue_update(struct stw_acd *acd, struct stw_queue queue, const struct stw_queue_config *config,
		 uint64_t now_ns)
{
	struct acd_queue_description *old, *new;
	uint32_t q;
	int error;

	control_lock_take(&acd->lock);
	error = acd_queue_find(acd, queue, &q);
	if (!error) {
		old = acd_queue_description(acd, q);
		error = queue_remake(acd, q, config, old, &new);
	}
	if (!error)
		queue_replace(acd, q, old, new, now_ns);
	control_lock_leave(&acd->lock);
	return error;
}

static int
queue_remove(struct stw_acd *acd, uint32_t q)
{
	struct acd_queue *hot = &acd->queues[q];
	struct acd_queue_description *old = acd_queue_description(acd, q);
	uint32_t removed = acd->config.queues_max;

	if (!acd_queue_close(acd, q))
		return -EBUSY;
	acd_queue_description_publish(acd, q, NULL);
	names_remove(&acd->queue_names, q);
	reclaim_wait();
	config_sets_clear(acd, old, NULL);
	reclaim_wait();
	config_sets_give(acd, old, NULL);
	acd_queue_numbers_end(acd, q);
	for (uint32_t i = 0; i < ACD_COUNTERS; i++)
		counters_add(&acd->counters, removed, i, counters_read(&acd->counters, q, i));
	counters_clear(&acd->counters, q);
	acd_time_raise(&acd->queues[removed].wait_ns_max,
		       atomic_load_explicit(&hot->wait_ns_max, memory_order_relaxed));
	atomic_store_explicit(&hot->wait_ns_max, 0, memory_order_relaxed);
	acd_tenant_give(acd, old->tenant, ACD_TENANT_QUEUES);
	calendar_count(acd, old, -1);
	description_free(old);
	slot_pool_give(&acd->queue_slots, q);
	return 0;
}

int
stw_queue_remove(struct stw_acd *acd, struct stw_queue queue)
{
	uint32_t q;
	int error;

	control_lock_take(&acd->lock);
	error = acd_queue_find(acd, queue, &q);
	if (!error)
		error = queue_remove(acd, q);
	control_lock_leave(&acd->lock);
	return error;
}

int
stw_queue_find(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
	       struct stw_queue *queue)
{
	uint32_t q;
	int error;

	control_lock_take(&acd->lock);
	error = config_name_find(acd, &acd->queue_names, tenant, name, &q);
	if (!error)
		queue->id = acd_handle(q, acd->queues[q].generation);
	control_lock_leave(&acd->lock);
	return error;
}

void
config_queues_free(struct stw_acd *acd)
{
	for (uint32_t q = 0; q < acd->queues_end; q++)
		description_free(acd_queue_description(acd, q));
}
