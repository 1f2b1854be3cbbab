/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a leg's party tells by RTCP.
 */
#ifndef STW_MEDIA_RTCP_HEAR_H
#define STW_MEDIA_RTCP_HEAR_H

#include <stdbool.h>
#include <stddef.h>

#include "media/plane.h"

/**
 * Read a compound packet, and note what it says in the leg's row.
 *
 * @return false when a part of it is not whole; nothing is noted then
 *
 * Threads: the worker. Progress: wait-free (bound: bytes).
 */
bool rtcp_hear(struct worker *worker, uint32_t leg, const uint8_t *rtcp, size_t bytes);

#endif
