/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions, and handles of all kinds.
 */
#ifndef STW_MEDIA_SESSION_H
#define STW_MEDIA_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/session.h>

struct stw_media;
struct rtp_reception;

/** A session. Slot 0 is none. Control only, under the mutex. */
struct session {
	uint64_t cookie;
	uint32_t generation;
	uint32_t legs[STW_SESSION_LEGS_MAX]; /**< slots; 0: none */
	uint32_t fork_first;                 /**< first fork; 0: none */
	uint32_t mix;                        /**< its mix; 0: none */
	uint8_t used;
	uint8_t place; /**< enum stw_place */
};

static inline uint64_t
handle_make(uint32_t slot, uint32_t generation)
{
	return (uint64_t)generation << 32 | slot;
}

static inline uint32_t
handle_slot(uint64_t handle)
{
	return (uint32_t)handle;
}

/** Slot of a session, 0 when the handle is stale. Threads: control, under the mutex. */
uint32_t session_find(const struct stw_media *media, struct stw_session session);

/** Slot of a leg, 0 when the handle is stale. Threads: control, under the mutex. */
uint32_t leg_find(const struct stw_media *media, struct stw_leg leg);

/** Connect a leg to another of its session, or to nobody (0). Threads: control, under the mutex. */
void session_connect(struct stw_media *media, uint32_t from, uint32_t to);

/** Remove a leg that exists. Threads: control, under the mutex. */
void leg_remove(struct stw_media *media, uint32_t leg, uint64_t now_ns);

/**
 * Copy a leg's reception, which its worker may be changing: true give or take a packet.
 *
 * Threads: any. Progress: wait-free (bound 1).
 */
void leg_reception_read(struct stw_media *media, uint32_t leg, struct rtp_reception *to);

/** Fill in the numbers of quality and RTCP. Threads: control, under the mutex. */
void leg_quality_read(struct stw_media *media, uint32_t leg, const struct rtp_reception *reception,
		      struct stw_leg_stats *stats);

/** Free slots of removed legs that no worker sees any more, a bounded number. */
void leg_reclaim(struct stw_media *media, uint64_t now_ns);

/** Verify the invariants of sessions and legs while nobody else uses them. */
void session_check(struct stw_media *media);

#endif
