/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mixes. A leg in a mix has an *input*, taken from a pool: a queue of pieces of packets, which whichever
 * worker receives the leg's packets fills, and behind it the party's frame source, which is the mix's
 * worker's alone (slot of the mix modulo workers), as is what the mix sends.
 *
 *  part of       writer                                          read by
 *  input.queue   the worker that receives the leg's packets      the mix's worker
 *  input.source  the mix's worker                                control, its numbers
 *  mix           control: who is there, who hears whom           the mix's worker
 *  mix.turn      the mix's worker                                control, its numbers
 *
 * A leg's row here says which input it has; it is looked at only for legs with LEG_MIX. Inputs and mixes are used
 * again when every worker has passed a quiescent state since they were given up, a mix also only
 * after its worker has taken it off its list.
 */
#ifndef STW_MEDIA_MIX_H
#define STW_MEDIA_MIX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "roles.h"
#include "rtp/conceal.h"

struct stw_media;
struct stw_media_config;
struct worker;

/** Milliseconds of a frame. */
#define MIX_FRAME_MS 20

/** Codes of a piece, and pieces of a queue: 320 ms. */
#define MIX_PIECE_BYTES 160
#define MIX_PIECES      16

/** A piece of a packet on its way to the mix's worker. */
struct mix_piece {
	struct rtp_piece piece;
	uint8_t codes[MIX_PIECE_BYTES];
};

/** Numbers of an input, for control. */
enum mix_number {
	MIX_CONCEALED, /**< frames */
	MIX_DROPPED,   /**< frames */
	MIX_INSERTED,  /**< frames */
	MIX_LATE,      /**< packets */
	MIX_SENT,      /**< packets */
	MIX_NOT_SENT,  /**< packets */
	MIX_NUMBERS,
};

/** A leg's side of a mix. Slot 0 is none. */
struct mix_input {
	struct {
		_Atomic uint32_t put;     /**< pieces put, over all; the worker that receives */
		_Atomic uint32_t putting; /**< 1: a worker is at it */
		_Atomic uint64_t refused; /**< packets that found no room; any worker */
	} queue STW_ALIGNED_LINE;

	struct {
		_Atomic uint32_t taken;                /**< pieces taken, over all */
		_Atomic uint64_t voice;                /**< turn at the leg (stream/egress.h) */
		_Atomic uint64_t numbers[MIX_NUMBERS]; /**< */
		uint16_t sequence;                     /**< of the next packet to the leg */
	} source STW_ALIGNED_LINE;

	struct rtp_conceal conceal STW_ALIGNED_LINE; /**< the mix's worker's */
	struct mix_piece pieces[MIX_PIECES] STW_ALIGNED_LINE;

	/* Control, under its mutex. */
	uint64_t token STW_ALIGNED_LINE; /**< of rcu, when it was given up */
	uint32_t following;              /**< in the list of those given up; 0: last */
};

/*
 * Word of a place: bits 48 - 63 serial of its taking, bits 24 - 47 input, bits 0 - 23 leg; input 0: free. With
 * the serial a word that is the same twice was the same all the time in between.
 */
#define MIX_SLOT_BITS 24
#define MIX_SLOT_MASK ((UINT64_C(1) << MIX_SLOT_BITS) - 1)

static inline uint32_t
mix_place_leg(uint64_t word)
{
	return (uint32_t)(word & MIX_SLOT_MASK);
}

static inline uint32_t
mix_place_input(uint64_t word)
{
	return (uint32_t)(word >> MIX_SLOT_BITS & MIX_SLOT_MASK);
}

/** A mix. Slot 0 is none. */
struct mix {
	/* Control writes, the mix's worker reads. */
	_Atomic uint64_t places[MIX_PLACES] STW_ALIGNED_LINE; /**< words of places */
	_Atomic uint64_t matrix STW_ALIGNED_LINE;             /**< who hears whom (roles.h) */
	_Atomic uint64_t start_ns;                            /**< when the first frame is due */
	_Atomic uint32_t used;       /**< 0: removed; its worker takes it off its list */
	_Atomic uint32_t asked_next; /**< in the list of new mixes; 0: last */

	/* The mix's worker. */
	struct {
		uint64_t due_ns;         /**< when the next frame is due */
		uint32_t following;      /**< in the worker's list; 0: last */
		uint32_t timestamp;      /**< of the next frame */
		_Atomic uint32_t listed; /**< 1: in a list of the worker; control sets it */
		_Atomic uint64_t frames; /**< mixed */
		_Atomic uint64_t late;   /**< frames left out */
	} turn STW_ALIGNED_LINE;

	/* Control, under its mutex. */
	struct mix_seat seats[MIX_PLACES] STW_ALIGNED_LINE;
	uint64_t former[MIX_NUMBERS]; /**< numbers of legs that have left */
	uint64_t former_refused;
	uint64_t token; /**< of rcu, when it was removed */
	uint32_t generation;
	uint32_t session;
	uint32_t following; /**< in the list of those removed; 0: last */
	uint16_t delay;     /**< samples */
	uint16_t serial;    /**< of the last place taken */
};

/** Which input a leg has. */
struct mix_leg {
	_Atomic uint32_t input; /**< 0: none */
	uint32_t mix;           /**< control's */
};

/** All mixes of a packet plane. */
struct mixes {
	/* Constant while workers run. */
	struct mix *mixes;
	struct mix_input *inputs;
	struct mix_leg *legs;
	uint32_t mixes_max;
	uint32_t inputs_max;
	uint32_t legs_slots;

	/* Control, under its mutex. */
	uint32_t *mixes_free;
	uint32_t *inputs_free;
	uint32_t mixes_free_count;
	uint32_t inputs_free_count;
	uint32_t mixes_removed;       /**< first of the list; 0: none */
	uint32_t inputs_given_up;     /**< first of the list, the oldest; 0: none */
	uint32_t inputs_given_up_end; /**< last of the list */
};

/** Mixes of one worker, in the order of their next frames; a worker's own. */
struct mix_list {
	uint32_t first; /**< 0: none */
	uint32_t last;
};

/** Whether a description's limits of mixes are in their ranges. Threads: any. */
bool mixes_config_is_valid(const struct stw_media_config *config);

/** 0 or -ENOMEM. Threads: one. */
int mixes_init(struct stw_media *media, const struct stw_media_config *config);

/** Free the tables. Threads: one, the last. */
void mixes_destroy(struct stw_media *media);

/** Free mixes and inputs that no worker sees any more. Threads: control, under the mutex. */
void mixes_reclaim(struct stw_media *media);

/** Take a leg out of the mix that it is in, if it is in one. Threads: control, under the mutex. */
void mix_leg_leave(struct stw_media *media, uint32_t leg);

/** Remove the mix of a session that ends, if it has one. Threads: control, under the mutex. */
void mix_session_leave(struct stw_media *media, uint32_t session);

/** Mixes now. Threads: control, under the mutex. */
uint32_t mixes_count(const struct stw_media *media);

/** Slot of a leg's input in its mix; 0: it is in none. Threads: control, under the mutex. */
uint32_t mix_leg_input(const struct stw_media *media, uint32_t leg);

/** RTP packets that a leg's present mix has sent it. Threads: control, under the mutex. */
uint64_t mix_leg_sent(const struct stw_media *media, uint32_t leg);

/**
 * Mix frames that are due, and put them into the send queues: at most WORKER_PLAY_BURST packets.
 *
 * @return true when the burst is full and more may be due
 *
 * Threads:  the worker.
 * Progress: wait-free (bound: WORKER_PLAY_BURST packets and mixes).
 */
bool mix_turn(struct worker *worker);

/** When a frame is due, or control has a new mix for the worker: see pipeline_due. */
uint64_t mix_due(const struct worker *worker);

/** Verify the invariants while nobody else uses the plane; panics when one is broken. */
void mixes_check(struct stw_media *media);

#endif
