/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Playouts: blocks of payloads that packets are made of.
 *
 * Who frees a block: unloading needs that nobody listens; after each worker's quiescent state none
 * reads it, and plane_advance frees it.
 */
#ifndef STW_MEDIA_PLAYOUT_H
#define STW_MEDIA_PLAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <strowger/playout.h>

#include "base/base.h"
#include "playout_pack.h"

struct stw_media;
struct worker;

/** A part of a joined playout. */
struct playout_part {
	uint32_t playout; /**< slot */
	uint32_t first;   /**< place of its first packet in the whole */
};

/** A playout. Slot 0 is none. */
struct playout {
	/* Constant while anybody may play it. */
	struct playout_part *parts; /**< of a joined one, which has no payloads; else NULL */
	uint32_t parts_count;
	uint32_t again; /**< place after the last packet, when it does not end */
	uint8_t *payloads
		[RTP_CODEC_COUNT]; /**< packets times PLAYOUT_PAYLOAD_BYTES each; the first begins the block */
	uint16_t *sums[RTP_CODEC_COUNT]; /**< Internet sum of each payload */
	uint32_t packets;
	uint8_t loop;

	_Atomic uint32_t listeners
		STW_ALIGNED_LINE; /**< legs attached, joined playouts that have it */

	/* Control, under its mutex. */
	uint32_t generation STW_ALIGNED_LINE;
	uint32_t following; /**< in the list of unloaded ones; 0: last */
	uint8_t loaded;
	uint64_t token; /**< of rcu, when it was unloaded */
	_Atomic uint64_t handle;
};

/** One packet of a playout. */
struct playout_packet {
	struct playout *of; /**< whose payload it is: a part, when the playout is joined */
	uint32_t at;        /**< its place there */
};

/** Find the packet at a place of a playout. Threads: any that may play it. Progress: bound: parts. */
static inline struct playout_packet
playout_at(struct playout *playouts, struct playout *playout, uint32_t position)
{
	const struct playout_part *part = playout->parts;

	if (STW_LIKELY(!part))
		return (struct playout_packet){playout, position};
	while (part + 1 < playout->parts + playout->parts_count && part[1].first <= position)
		part++;
	return (struct playout_packet){&playouts[part->playout], position - part->first};
}

/** Slot of a loaded playout, 0 when the handle is stale. Threads: control, under the mutex. */
uint32_t playout_find(const struct stw_media *media, struct stw_playout playout);

/** A free slot, or 0. Threads: control, under the mutex. */
uint32_t playout_slot_take(struct stw_media *media);

/** Give a filled slot a handle. Threads: control, under the mutex. */
void playout_publish(struct stw_media *media, uint32_t slot, struct stw_playout *out);

/** Give the parts of a joined playout back that no worker plays any more. Threads: control, under the
 *  mutex. */
void playout_part_all(struct stw_media *media, struct playout *playout);

/** Memory for so many packets of each codec; playout_block_free frees it. 0 or -ENOMEM. Threads: any. */
int playout_block_make(struct playout_block *block, uint32_t packets_max);

/** Free the memory of a block; one that was never made is fine. Threads: any. */
void playout_block_free(struct playout_block *block);

/**
 * Make a playout of a filled block, unless filling it failed: then count what is to be counted.
 *
 * @param error  0, or why there is no block
 * @return error; or -ENOSPC when there is no room
 *
 * Threads: any, without the mutex.
 */
int playout_admit(struct stw_media *media, int error, const struct playout_block *block,
		  uint8_t loop, struct stw_playout *playout);

/** Free unloaded playouts that no worker reads. Threads: control, under the mutex. */
void playout_reclaim(struct stw_media *media);

/** Free all blocks. Threads: one, the last, when no packet refers to them. */
void playout_free_all(struct stw_media *media);

/** End what a leg listens to. Threads: control, under the mutex. */
void playout_detach(struct stw_media *media, uint32_t leg);

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

/**
 * Send a packet of our own that a leg's party hears, and count it.
 *
 * @param mbuf  taken: RTP header and payload
 * @param sum   Internet sum of them; 0: it is computed
 * @return false when there was no way; the packet is gone, too
 *
 * Threads: the worker. Progress: as datagram_send.
 */
bool play_send(struct worker *worker, uint32_t leg, struct rte_mbuf *mbuf, uint64_t sum);
/** When the worker has to look at a leg that plays, or that control asks it to: see pipeline_due. */
uint64_t play_due(const struct worker *worker);

/** Verify a worker's wheel between two turns; panics when an invariant is broken. */
void play_check(const struct worker *worker);

#endif
