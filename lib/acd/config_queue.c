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
queue_config_check(struct stw_acd *acd, const struct stw_queue_config *config)
{
	const struct stw_step_config *step = config->steps;

	if (config->struct_size < sizeof(*config) || config->steps_count > STW_QUEUE_STEPS_MAX ||
	    (config->steps_count && !step) || config->offer_timeout_ns > ACD_DURATION_MAX ||
	    config->wrap_up_ns > ACD_DURATION_MAX || targets_check(config))
		return -EINVAL;
	if (!config->steps_count)
		return 0;
	if (step->terms_count > STW_STEP_TERMS_MAX || step->select != STW_SELECT_LONGEST_IDLE)
		return -EINVAL;
	return config_terms_check(acd, step->terms, step->terms_count);
}

static void
description_free(struct acd_queue_description *queue)
{
	if (!queue)
		return;
	free(queue->members);
	free(queue);
}

/* A description as the config says, with the agents that there are. */
static struct acd_queue_description *
description_make(struct stw_acd *acd, const struct stw_queue_config *config, const char *name)
{
	struct acd_queue_description *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->members = calloc(HINT_BITS_WORDS(acd->config.agents_max), sizeof(*queue->members));
	if (!queue->members) {
		description_free(queue);
		return NULL;
	}
	if (config->steps_count) {
		queue->terms_count = config->steps->terms_count;
		if (queue->terms_count)
			memcpy(queue->terms, config->steps->terms,
			       queue->terms_count * sizeof(*queue->terms));
	}
	queue->length_max = config->length_max;
	queue->cookie = config->cookie;
	queue->offer_timeout_ns = config->offer_timeout_ns;
	queue->wrap_up_ns = config->wrap_up_ns;
	queue->service_level_ns = config->service_level_ns;
	memcpy(queue->target_ns, config->target_ns, sizeof(queue->target_ns));
	memcpy(queue->name, name, strlen(name) + 1);
	for (uint32_t a = 0; a < acd->agents_end; a++)
		if (acd_agent_description(acd, a))
			config_bit_set(queue->members, a,
				       acd_step_admits(queue, acd_agent_description(acd, a)));
	return queue;
}

/* Publish a queue's new description, setting the agents' bits before and clearing them after. */
static void
description_publish(struct stw_acd *acd, uint32_t q, struct acd_queue_description *new)
{
	for (int clearing = 0; clearing <= 1; clearing++) {
		for (uint32_t a = 0; a < acd->agents_end; a++) {
			struct acd_agent_description *agent = acd_agent_description(acd, a);

			if (agent && acd_step_admits(new, agent) == !clearing)
				config_bit_set(agent->queues, q, !clearing);
		}
		if (!clearing)
			acd_queue_description_publish(acd, q, new);
	}
}

static int
queue_define(struct stw_acd *acd, const struct stw_queue_config *config, struct stw_queue *handle)
{
	struct acd_queue_description *queue;
	struct acd_queue *hot;
	uint32_t q;
	int error = queue_config_check(acd, config);

	if (error)
		return error;
	if (names_find(&acd->queue_names, config->name) != NAMES_NONE)
		return -EEXIST;
	queue = description_make(acd, config, config->name);
	if (!queue)
		return -ENOMEM;
	error = slot_pool_take(&acd->queue_slots, &q);
	if (error) {
		description_free(queue);
		return error;
	}
	hot = &acd->queues[q];
	hot->generation += 1 + (hot->generation == UINT32_MAX);
	queue->generation = hot->generation;
	acd->queues_end = q >= acd->queues_end ? q + 1 : acd->queues_end;
	names_add(&acd->queue_names, q, config->name);
	/* No hot call can name the queue yet. */
	atomic_store_explicit(&hot->wait_ns_max, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->waiting, 0, memory_order_relaxed);
	atomic_store_explicit(&hot->known, 0, memory_order_relaxed);
	description_publish(acd, q, queue);
	handle->id = acd_handle(q, queue->generation);
	return 0;
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

static int
queue_find(struct stw_acd *acd, struct stw_queue handle, uint32_t *q)
{
	uint32_t slot = (uint32_t)handle.id;
	struct acd_queue_description *queue;

	if (slot >= acd->config.queues_max || !handle.id)
		return -ESTALE;
	queue = acd_queue_description(acd, slot);
	if (!queue || queue->generation != handle.id >> 32)
		return -ESTALE;
	*q = slot;
	return 0;
}

/* Agents who were not admitted before may be ready: offer them the best, again and again. */
static void
queue_match(struct stw_acd *acd, uint32_t q, uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	struct lower_bound_tree_entry entry;
	uint32_t position;

	reclaim_enter();
	while (lower_bound_tree_min(&acd->waiting, q, &entry, &position)) {
		acd_todo_contact(&todo, entry.item);
		acd_match_run(acd, &todo, now_ns);
		if (acd_word_read(&acd->contacts[entry.item].word) == entry.ref)
			break;
	}
	reclaim_exit();
}

static int
queue_update(struct stw_acd *acd, uint32_t q, const struct stw_queue_config *config,
	     struct acd_queue_description **old)
{
	struct acd_queue_description *queue;
	int error = queue_config_check(acd, config);

	*old = acd_queue_description(acd, q);
	if (config->name && strcmp(config->name, (*old)->name))
		return -EINVAL;
	if (error)
		return error;
	queue = description_make(acd, config, (*old)->name);
	if (!queue)
		return -ENOMEM;
	queue->generation = (*old)->generation;
	description_publish(acd, q, queue);
	return 0;
}

int
stw_queue_update(struct stw_acd *acd, struct stw_queue queue, const struct stw_queue_config *config,
		 uint64_t now_ns)
{
	struct acd_queue_description *old;
	uint32_t q;
	int error;

	control_lock_take(&acd->lock);
	error = queue_find(acd, queue, &q);
	if (!error)
		error = queue_update(acd, q, config, &old);
	if (!error) {
		queue_match(acd, q, now_ns);
		reclaim_wait();
		description_free(old);
	}
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
	for (uint32_t a = 0; a < acd->agents_end; a++)
		if (acd_agent_description(acd, a))
			config_bit_set(acd_agent_description(acd, a)->queues, q, false);
	for (uint32_t i = 0; i < ACD_COUNTERS; i++)
		counters_add(&acd->counters, removed, i, counters_read(&acd->counters, q, i));
	counters_clear(&acd->counters, q);
	acd_time_raise(&acd->queues[removed].wait_ns_max,
		       atomic_load_explicit(&hot->wait_ns_max, memory_order_relaxed));
	atomic_store_explicit(&hot->wait_ns_max, 0, memory_order_relaxed);
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
	error = queue_find(acd, queue, &q);
	if (!error)
		error = queue_remove(acd, q);
	control_lock_leave(&acd->lock);
	return error;
}

int
stw_queue_find(struct stw_acd *acd, const char *name, struct stw_queue *queue)
{
	uint32_t q;

	control_lock_take(&acd->lock);
	q = names_find(&acd->queue_names, name);
	if (q != NAMES_NONE)
		queue->id = acd_handle(q, acd->queues[q].generation);
	control_lock_leave(&acd->lock);
	return q == NAMES_NONE ? -ENOENT : 0;
}

void
config_queues_free(struct stw_acd *acd)
{
	for (uint32_t q = 0; q < acd->queues_end; q++)
		description_free(acd_queue_description(acd, q));
}
