/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options of a leg: what most legs do not have. Control's side; workers' is in stage/guard.c and translate.h.
 */
#ifndef STW_MEDIA_OPTIONS_H
#define STW_MEDIA_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/session.h>

struct stw_media;

/** Whether the fields of a description are in their ranges. Threads: any. */
bool options_are_valid(const struct stw_leg_config *config);

/** Bits of enum leg_feature that follow from a description. Threads: any. */
uint16_t options_features(const struct stw_leg_config *config);

/** Write a leg's row, before its features are published. Threads: control, under the mutex. */
void options_set(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config);

/** Empty the row of a new leg. Threads: control, under the mutex; no worker sees the leg. */
void options_clear(struct stw_media *media, uint32_t leg);

/**
 * Set LEG_PT_MAP of a leg, by whether payload types change on its way to `to`; 0: to nobody.
 *
 * Threads: control, under the mutex.
 */
void options_way(struct stw_media *media, uint32_t leg, uint32_t to);

/** The same for each leg that is connected to this one, and for itself. */
void options_ways(struct stw_media *media, uint32_t leg);

#endif
