/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams of a leg: what each of its sources was like, from totals at the moments when one was replaced.
 */
#ifndef STW_MEDIA_STREAMS_H
#define STW_MEDIA_STREAMS_H

#include <stdint.h>

struct stw_media;

/**
 * The source of a leg is about to be replaced: note the totals. Nothing when there was none.
 *
 * Threads: the worker that receives for the leg. Progress: wait-free (bound 1).
 */
void stream_end(struct stw_media *media, uint32_t leg);

/**
 * Totals of all sources of a leg before its n-th, the first being 0: n is 1 or more, and one of the last
 * STW_LEG_STREAMS_MAX.
 *
 * Threads: any. Progress: wait-free (bound 1).
 */
void stream_totals_before(const struct stw_media *media, uint32_t leg, uint32_t stream,
			  uint64_t *expected, uint64_t *packets);

#endif
