/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Consumers: frames go to them by reference.
 *
 * For each worker a consumer has a fixed number of slots, and two rings of slot numbers, each with one
 * writer and one reader: `out` from the worker, `back` from the consumer. A slot number is in one of
 * three places: vacant with the worker, in one of the rings, or taken by the consumer. So neither
 * ring can be full, the buffers that a consumer holds are bounded by its slots, and a consumer that
 * stops at any instruction holds up nobody.
 *
 * Life: open -> closing (no fork goes to it, nothing is taken: each worker frees what waits and says
 * so) -> leaving (out of the workers' sight, until each has passed a quiescent state) -> freed.
 */
#ifndef STW_MEDIA_CONSUMER_H
#define STW_MEDIA_CONSUMER_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strowger/consumer.h>

#include "base/base.h"
#include "copy.h"

/** A frame's place. */
struct consumer_slot {
	struct stw_frame frame; /**< written by the worker while it is vacant */
	struct rte_mbuf *mbuf;  /**< a reference; the worker's; NULL: vacant */
	uint8_t taken;          /**< the consumer's; 1: between take and give */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct consumer_slot) == STW_CACHE_LINE, "one line a frame");

/** What a consumer and one worker share. */
struct consumer_ring {
	/* Constant. */
	struct consumer_slot *slots;
	uint32_t *out;    /**< slots that wait, written by the worker */
	uint32_t *back;   /**< slots given back, written by the consumer */
	uint32_t *vacant; /**< slots that nobody has, as a stack; the worker's */
	uint32_t mask;    /**< slots less one */

	/* The worker's. */
	_Atomic uint32_t out_head STW_ALIGNED_LINE; /**< slots ever put into `out` and shown */
	uint32_t filled;                            /**< slots ever put into `out` */
	uint32_t vacant_count;
	uint32_t back_tail;       /**< slots ever taken out of `back` */
	_Atomic uint32_t drained; /**< 1: closing, and the worker has let go of all slots */

	/* The consumer's. */
	_Atomic uint32_t back_head STW_ALIGNED_LINE; /**< slots ever put into `back` */
	uint32_t out_tail;                           /**< slots ever taken out of `out` */
	uint32_t taken;                              /**< slots between take and give */
};

enum consumer_state {
	CONSUMER_OPEN,
	CONSUMER_CLOSING,
	CONSUMER_LEAVING,
};

struct stw_consumer {
	struct stw_media *media; /**< borrowed */
	uint32_t index;          /**< in media->consumers */
	uint32_t frames_max;     /**< of each worker */
	size_t bytes;            /**< of the whole memory */
	struct consumer_slot *slots;
	uint32_t ring_next; /**< the consumer's: whose frames are taken first */

	/* Control, under its mutex. */
	_Atomic uint32_t state STW_ALIGNED_LINE; /**< enum consumer_state; read by workers */
	uint32_t forks;                          /**< that go to it */
	uint64_t token;                          /**< of rcu, when it was put out of sight */

	struct consumer_ring rings[]; /**< of each worker */
};

/** Consumers of a packet plane. */
struct consumers {
	_Atomic uint64_t seen; /**< bits of those that workers look at */
	struct stw_consumer
		*at[STW_CONSUMERS_MAX]; /**< under the mutex of control; constant while seen */
	uint32_t frames;                /**< slots of all, under the mutex */
	uint32_t frames_max;            /**< limit of that; constant */
};

/** Put a frame into the ring of a fork's consumer; false when there is no vacant slot. */
bool frame_copy(struct worker *worker, const struct copy_source *source, uint32_t fork);

/** Show the frames of a burst to their consumers. Threads: the worker. */
void frames_show(struct worker *worker);

/** Free what consumers gave back, and what those that close leave. Threads: the worker. */
void frames_turn(struct worker *worker);

/** Free closed consumers, a step for each. Threads: control, under the mutex. */
void consumer_reclaim(struct stw_media *media);

/** Free all consumers and their frames' buffers. Threads: one, the last; workers have stopped. */
void consumer_release_all(struct stw_media *media);

/** Verify the invariants while nobody else uses them. */
void consumer_check(struct stw_media *media);

#endif
