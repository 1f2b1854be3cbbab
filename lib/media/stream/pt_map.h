/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Payload-type maps: what a leg gets instead of a payload type that another party sends. Few different ones
 * serve all legs, so each is kept once, and a leg has its number in a byte of its traits.
 */
#ifndef STW_MEDIA_PT_MAP_H
#define STW_MEDIA_PT_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/session.h>

struct stw_media;
union leg_traits;

/** Maps at one time, number 0, none, included. */
#define PT_MAPS 256

/** All maps. */
struct pt_maps {
	/* Constant while a leg has the map, and until no worker sees such a leg. */
	uint8_t to[PT_MAPS][128];

	/* Control, under its mutex. */
	uint32_t legs[PT_MAPS];  /**< legs that have it */
	uint64_t token[PT_MAPS]; /**< of rcu, when the last leg left it */
};

/** Whether the pairs of a description are in their ranges. Threads: any. */
bool pt_map_is_valid(const struct stw_leg_config *config);

/**
 * Get the number of a description's map for one more leg.
 *
 * @param number  set on success only; 0: none is needed
 * @return 0
 * @return -ENOSPC  so many different ones are in use, or were a moment ago
 *
 * Threads: control, under the mutex.
 */
int pt_map_take(struct stw_media *media, const struct stw_leg_config *config, uint8_t *number);

/** A leg has it no more; workers may still see it. Threads: control, under the mutex. */
void pt_map_leave(struct stw_media *media, uint8_t number);

/**
 * Say what a payload type becomes on its way from one leg to another: what the other's map says, else
 * telephone events become its telephone events, and audio its audio when both are of one codec.
 *
 * Threads: any that may see the legs. Progress: wait-free (bound 1).
 */
uint8_t pt_translate(const struct stw_media *media, union leg_traits from, union leg_traits to,
		     uint8_t payload_type);

/** Whether any payload type changes on that way. Threads: as pt_translate. */
bool pt_changes(union leg_traits from, union leg_traits to);

#endif
