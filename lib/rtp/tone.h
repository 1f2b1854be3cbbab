/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Samples of tones: sums of two sines, in steps of whole packets.
 */
#ifndef STW_RTP_TONE_H
#define STW_RTP_TONE_H

#include <stddef.h>
#include <stdint.h>

/** Samples a second. */
#define RTP_TONE_RATE 8000

/** A tone, or a pause. */
struct rtp_tone {
	uint16_t frequency_hz[2]; /**< 0: none */
	int8_t level_dbm0;        /**< of each */
};

/**
 * Write samples of a tone, from its phase 0 on.
 *
 * @param tone     borrowed
 * @param samples  filled with count samples, 16 bit linear
 * @param count    number of samples
 *
 * Threads:  any.
 * Progress: wait-free (bound: count).
 * Order:    none needed.
 * Source:   ITU-T G.711 table 5: a sine of full scale is 3.14 dBm0 in A law (3.17 in mu law).
 */
void rtp_tone_fill(const struct rtp_tone *tone, int16_t *samples, size_t count);

/**
 * Frequencies of a key.
 *
 * @param key           '0' to '9', '*', '#', 'A' to 'D'
 * @param frequency_hz  set on success only: the low and the high one
 * @return 0
 * @return -EINVAL  no such key
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 * Source:   ITU-T Q.23.
 */
int rtp_tone_key(char key, uint16_t frequency_hz[2]);

#endif
