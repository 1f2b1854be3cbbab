/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The naive mixer: decodes each party's frame by G.711's formula, adds up for each listener, limits, encodes
 * by a search for the segment. No packets, no jitter buffer, no loss, no roles: the arithmetic alone.
 */
#ifndef BENCH_RIVAL_MIX_H
#define BENCH_RIVAL_MIX_H

#include <stdint.h>

#define RIVAL_MIX_SAMPLES 160
#define RIVAL_MIX_PARTIES 3

/** Mix one frame of three parties, mu law: each hears the two others. */
void rival_mix(const uint8_t *const in[RIVAL_MIX_PARTIES], uint8_t *const out[RIVAL_MIX_PARTIES]);

#endif
