/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Consumers: opened and closed by control; frames taken and given back by their threads.
 *
 *  label  where                               order    pairs with  without it
 *  K1     (frames.c) out_head: frames shown   release  K2          -
 *  K2     out_head: read                      acquire  K1          a frame is read before it is filled
 *  K3     back_head: given back               release  K4          a buffer is freed while it is read
 *  K4     (frames.c) back_head: read          acquire  K3          -
 *  K5     seen: consumer put in               release  K6          a worker meets it unfilled
 *  K6     (frames.c) seen: read               acquire  K5          -
 *  K7     state: closing                      release  K8          a buffer is freed while it is read
 *  K8     (frames.c) state: read              acquire  K7          -
 *  K9     (frames.c) drained: said            release  K10         -
 *  K10    drained: read                       acquire  K9          the memory goes while it is used
 */
#include "consumer.h"

#include <errno.h>

#include "media/memory.h"
#include "media/plane.h"

#define FRAMES_MIN 64
#define FRAMES_MAX 65536
#define COUNT_MAX  65536

static size_t
round_line(size_t bytes)
{
	return RTE_ALIGN_CEIL(bytes, STW_CACHE_LINE);
}

/** All of a consumer lies in one piece of memory: itself, slots, then each worker's numbers. */
static struct stw_consumer *
consumer_make(struct stw_media *media, uint32_t frames_max)
{
	size_t workers = media->workers_count;
	size_t head =
		round_line(sizeof(struct stw_consumer) + workers * sizeof(struct consumer_ring));
	size_t slots = workers * frames_max * sizeof(struct consumer_slot);
	size_t numbers = round_line(frames_max * sizeof(uint32_t));
	size_t bytes = head + slots + workers * 3 * numbers;
	uint8_t *memory = memory_map(bytes), *place;
	struct stw_consumer *consumer = (struct stw_consumer *)(void *)memory;

	if (!memory)
		return NULL;
	consumer->media = media;
	consumer->frames_max = frames_max;
	consumer->bytes = bytes;
	consumer->slots = (struct consumer_slot *)(void *)(memory + head);
	place = memory + head + slots;
	for (size_t i = 0; i < workers; i++, place += 3 * numbers) {
		struct consumer_ring *ring = &consumer->rings[i];

		ring->slots = consumer->slots + i * frames_max;
		ring->out = (uint32_t *)(void *)place;
		ring->back = (uint32_t *)(void *)(place + numbers);
		ring->vacant = (uint32_t *)(void *)(place + 2 * numbers);
		ring->mask = frames_max - 1;
		ring->vacant_count = frames_max;
		for (uint32_t slot = 0; slot < frames_max; slot++)
			ring->vacant[slot] = frames_max - 1 - slot;
	}
	return consumer;
}

/** Give a new consumer its place; -ENOSPC when there is none for it. */
static int
consumer_enter(struct stw_media *media, struct stw_consumer *consumer)
{
	struct consumers *consumers = &media->consumers;
	uint32_t frames = consumer->frames_max * media->workers_count;
	uint32_t index = 0;

	consumer_reclaim(media);
	while (index < STW_CONSUMERS_MAX && consumers->at[index])
		index++;
	if (index == STW_CONSUMERS_MAX || consumers->frames + frames > consumers->frames_max) {
		return plane_refuse(media, STW_LIMIT_CONSUMERS);
	}
	consumer->index = index;
	consumers->at[index] = consumer;
	consumers->frames += frames;
	/* K5, pairs with K6: a worker that sees it finds it filled. */
	atomic_fetch_or_explicit(&consumers->seen, UINT64_C(1) << index, memory_order_release);
	return 0;
}

int
stw_consumer_open(struct stw_media *media, const struct stw_consumer_config *config,
		  struct stw_consumer **out)
{
	uint32_t frames_max = config->frames_max;
	struct stw_consumer *consumer;
	int error;

	if (config->struct_size < sizeof(*config) || frames_max < FRAMES_MIN ||
	    frames_max > FRAMES_MAX || (frames_max & (frames_max - 1)))
		return -EINVAL;
	consumer = consumer_make(media, frames_max);
	if (!consumer)
		return -ENOMEM;
	plane_lock(media);
	error = consumer_enter(media, consumer);
	plane_unlock(media);
	if (error < 0) {
		memory_unmap(consumer, consumer->bytes);
		return error;
	}
	*out = consumer;
	return 0;
}

/** Take from one worker's ring. */
static uint32_t
ring_take(struct consumer_ring *ring, const struct stw_frame **frames, uint32_t count)
{
	/* K2, pairs with K1: frames up to there are filled. */
	uint32_t head = atomic_load_explicit(&ring->out_head, memory_order_acquire);
	uint32_t taken = 0;

	while (taken < count && ring->out_tail != head) {
		struct consumer_slot *slot = &ring->slots[ring->out[ring->out_tail++ & ring->mask]];

		slot->taken = 1;
		frames[taken++] = &slot->frame;
	}
	ring->taken += taken;
	return taken;
}

int
stw_consumer_take(struct stw_consumer *consumer, const struct stw_frame **frames, uint32_t count)
{
	uint32_t workers = consumer->media->workers_count, taken = 0;

	if (count < 1 || count > COUNT_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < workers && taken < count; i++) {
		taken += ring_take(&consumer->rings[consumer->ring_next], &frames[taken],
				   count - taken);
		consumer->ring_next = (consumer->ring_next + 1) % workers;
	}
	return (int)taken;
}

/** Slot of a frame that is taken; NULL when it is none. */
static struct consumer_slot *
slot_find(const struct stw_consumer *consumer, const struct stw_frame *frame)
{
	uintptr_t offset = (uintptr_t)frame - (uintptr_t)consumer->slots;
	size_t slots = (size_t)consumer->frames_max * consumer->media->workers_count;
	struct consumer_slot *slot = &consumer->slots[offset / sizeof(*slot)];

	if (offset % sizeof(*slot) || offset / sizeof(*slot) >= slots || !slot->taken)
		return NULL;
	return slot;
}

static void
slot_give(struct stw_consumer *consumer, const struct consumer_slot *slot)
{
	uint32_t number = (uint32_t)(slot - consumer->slots);
	struct consumer_ring *ring = &consumer->rings[number / consumer->frames_max];
	uint32_t head = atomic_load_explicit(&ring->back_head, memory_order_relaxed);

	ring->back[head & ring->mask] = number % consumer->frames_max;
	ring->taken--;
	/* K3, pairs with K4: what we read of the buffer was read before. */
	atomic_store_explicit(&ring->back_head, head + 1, memory_order_release);
}

int
stw_consumer_give(struct stw_consumer *consumer, const struct stw_frame *const *frames,
		  uint32_t count)
{
	uint32_t known = 0;

	if (count > COUNT_MAX)
		return -EINVAL;
	for (; known < count; known++) {
		struct consumer_slot *slot = slot_find(consumer, frames[known]);

		if (!slot)
			goto fail;
		slot->taken = 0;
	}
	for (uint32_t i = 0; i < count; i++)
		slot_give(consumer, (const struct consumer_slot *)(const void *)frames[i]);
	return 0;
fail:
	while (known)
		((struct consumer_slot *)(uintptr_t)frames[--known])->taken = 1;
	return -EINVAL;
}

int
stw_consumer_recover(struct stw_consumer *consumer)
{
	uint32_t slots = consumer->frames_max * consumer->media->workers_count;
	int recovered = 0;

	for (uint32_t number = 0; number < slots; number++) {
		struct consumer_slot *slot = &consumer->slots[number];

		if (!slot->taken)
			continue;
		slot->taken = 0;
		slot_give(consumer, slot);
		recovered++;
	}
	return recovered;
}

int
stw_consumer_close(struct stw_consumer *consumer)
{
	struct stw_media *media;
	uint32_t taken = 0;

	if (!consumer)
		return 0;
	media = consumer->media;
	plane_lock(media);
	for (uint32_t i = 0; i < media->workers_count; i++)
		taken += consumer->rings[i].taken;
	if (consumer->forks || taken) {
		plane_unlock(media);
		return -EBUSY;
	}
	/* K7, pairs with K8: nothing of a buffer is read any more. */
	atomic_store_explicit(&consumer->state, CONSUMER_CLOSING, memory_order_release);
	plane_unlock(media);
	return 0;
}

static bool
consumer_is_drained(const struct stw_media *media, struct stw_consumer *consumer)
{
	for (uint32_t i = 0; i < media->workers_count; i++) {
		/* K10, pairs with K9: the worker is done with the ring. */
		if (!atomic_load_explicit(&consumer->rings[i].drained, memory_order_acquire))
			return false;
	}
	return true;
}

static void
consumer_free(struct stw_media *media, struct stw_consumer *consumer)
{
	media->consumers.frames -= consumer->frames_max * media->workers_count;
	media->consumers.at[consumer->index] = NULL;
	memory_unmap(consumer, consumer->bytes);
}

void
consumer_reclaim(struct stw_media *media)
{
	for (unsigned i = 0; i < STW_CONSUMERS_MAX; i++) {
		struct stw_consumer *consumer = media->consumers.at[i];
		uint32_t state;

		if (!consumer)
			continue;
		state = atomic_load_explicit(&consumer->state, memory_order_relaxed);
		if (state == CONSUMER_CLOSING && consumer_is_drained(media, consumer)) {
			atomic_fetch_and_explicit(&media->consumers.seen, ~(UINT64_C(1) << i),
						  memory_order_relaxed);
			atomic_store_explicit(&consumer->state, CONSUMER_LEAVING,
					      memory_order_relaxed);
			consumer->token = rte_rcu_qsbr_start(media->rcu);
		} else if (state == CONSUMER_LEAVING && plane_passed(media, consumer->token)) {
			consumer_free(media, consumer);
		}
	}
}

void
consumer_release_all(struct stw_media *media)
{
	for (unsigned i = 0; i < STW_CONSUMERS_MAX; i++) {
		struct stw_consumer *consumer = media->consumers.at[i];
		uint32_t slots;

		if (!consumer)
			continue;
		slots = consumer->frames_max * media->workers_count;
		for (uint32_t number = 0; number < slots; number++)
			rte_pktmbuf_free(consumer->slots[number].mbuf);
		consumer_free(media, consumer);
	}
}

void
consumer_check(struct stw_media *media)
{
	uint32_t frames = 0;

	for (unsigned i = 0; i < STW_CONSUMERS_MAX; i++) {
		const struct stw_consumer *consumer = media->consumers.at[i];

		if (!consumer)
			continue;
		STW_ASSERT(consumer->index == i);
		frames += consumer->frames_max * media->workers_count;
		for (uint32_t j = 0; j < media->workers_count; j++) {
			const struct consumer_ring *ring = &consumer->rings[j];
			uint32_t held = 0;

			for (uint32_t slot = 0; slot <= ring->mask; slot++)
				held += ring->slots[slot].mbuf != NULL;
			STW_ASSERT(held + ring->vacant_count == ring->mask + 1);
			STW_ASSERT(ring->filled == ring->out_head);
		}
	}
	STW_ASSERT(frames == media->consumers.frames);
}
