/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Playouts: blocks of payloads that packets refer to.
 *
 * Who frees a block: unloading needs that nobody listens; after each worker's quiescent state no
 * new packet refers to it, and when the last buffer that does is freed (by a driver, on any
 * thread), plane_advance frees it.
 */
#ifndef STW_MEDIA_PLAYOUT_H
#define STW_MEDIA_PLAYOUT_H

#include <stdatomic.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <strowger/playout.h>

#include "base/base.h"
#include "playout_pack.h"

/** References of one worker's buffers to a playout's block. */
struct playout_share {
	struct rte_mbuf_ext_shared_info info;
	_Atomic uint32_t freed; /**< 1: unloaded, and the last reference is gone */
} STW_ALIGNED_LINE;

/** A playout. Slot 0 is none. */
struct playout {
	/* Constant while anybody may play it. */
	uint8_t *payloads[RTP_CODEC_COUNT]; /**< packets times PLAYOUT_PAYLOAD_BYTES each */
	uint16_t *sums[RTP_CODEC_COUNT];    /**< Internet sum of each payload */
	uint32_t packets;
	uint8_t loop;
	struct playout_share *shares; /**< one for each worker */

	_Atomic uint32_t listeners STW_ALIGNED_LINE; /**< legs attached */

	/* Control, under its mutex. */
	uint32_t generation STW_ALIGNED_LINE;
	uint32_t following; /**< in the list of unloaded ones; 0: last */
	uint8_t loaded;
	uint8_t released; /**< unloaded, and control's own references are given up */
	uint64_t token;   /**< of rcu, when it was unloaded */
	_Atomic uint64_t handle;
};

struct stw_media;
struct worker;

/** Free unloaded playouts that nothing refers to. Threads: control, under the mutex. */
void playout_reclaim(struct stw_media *media);

/** Free all blocks. Threads: one, the last, when no packet refers to them. */
void playout_free_all(struct stw_media *media);

/** End what a leg listens to. Threads: control, under the mutex. */
void playout_detach(struct stw_media *media, uint32_t leg);

/** Prepare the stream of a new leg. Threads: control, under the mutex. */
void playout_leg_init(struct stw_media *media, uint32_t leg);

/**
 * Look at legs whose attachment changed, and make the packets that are due: at most
 * WORKER_PLAY_BURST, into the send queues.
 *
 * @return number of packets made
 *
 * Threads:  the worker.
 * Progress: wait-free (bound: WORKER_PLAY_BURST packets, WORKER_TICKS slots of the wheel).
 */
unsigned play_turn(struct worker *worker);

/** Verify a worker's wheel between two turns; panics when an invariant is broken. */
void play_check(const struct worker *worker);

#endif
