/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mixer: frames of several parties are added up, and each listener gets the sum of those that it hears.
 * Samples are added with 32 bits and limited to 16 at the end, so no order of additions matters.
 */
#ifndef STW_RTP_MIXER_H
#define STW_RTP_MIXER_H

#include <stdint.h>

#include "base/base.h"

/** Samples of a frame: 20 ms at 8 kHz. */
#define RTP_FRAME_SAMPLES 160

/** Most parties of a mixer; who hears whom is a byte for each listener. */
#define RTP_MIXER_PARTIES 8

/** One frame of all parties. */
struct rtp_mixer {
	int32_t total[RTP_FRAME_SAMPLES] STW_ALIGNED_LINE; /**< of all that speak */
	const int16_t *frames[RTP_MIXER_PARTIES]; /**< borrowed; NULL of who does not speak */
	uint8_t speaking;                         /**< bits 1 << party: who does */
};

/**
 * Begin a frame time.
 *
 * @param mixer     changed
 * @param frames    borrowed while the mixer is used: RTP_FRAME_SAMPLES samples of each that speaks
 * @param speaking  bits 1 << party: whose frame counts; the others' is not looked at
 *
 * Threads:  one at a time for each mixer.
 * Progress: wait-free (bound: RTP_MIXER_PARTIES frames).
 * Order:    none.
 */
void rtp_mixer_begin(struct rtp_mixer *mixer, const int16_t *const frames[RTP_MIXER_PARTIES],
		     uint8_t speaking);

/**
 * Make what one listener hears.
 *
 * @param mixer  borrowed
 * @param heard  bits 1 << party: whom the listener hears, if they speak
 * @param frame  filled with RTP_FRAME_SAMPLES samples: the sum, limited to 16 bits
 * @return the bits of those in the sum; 0: the frame is silence
 *
 * Threads:  any, as long as nobody changes the mixer.
 * Progress: wait-free (bound: RTP_MIXER_PARTIES frames).
 * Order:    none.
 */
uint8_t rtp_mixer_hear(const struct rtp_mixer *mixer, uint8_t heard, int16_t *frame);

#endif
