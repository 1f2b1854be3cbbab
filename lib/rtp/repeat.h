/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Repetition: what is played where a packet is missing. The last pitch period that was heard is repeated, fades to
 * silence within 60 ms, and is blended into what comes afterwards.
 *
 * In the spirit of ITU-T G.711 Appendix I, by a method of our own that adds no delay: there is no blending into
 * the repetition, as the period begins one pitch before the gap and therefore continues what came before; and the
 * one period is repeated, not several.
 */
#ifndef STW_RTP_REPEAT_H
#define STW_RTP_REPEAT_H

#include <stdint.h>

/** Samples of the longest and the shortest pitch period: 66 to 200 Hz. */
#define RTP_PITCH_MAX 120
#define RTP_PITCH_MIN 40

/** Samples that are compared to find the pitch. */
#define RTP_PITCH_WINDOW 160

/** Samples of the past that a gap's beginning needs. */
#define RTP_REPEAT_PAST (RTP_PITCH_MAX + RTP_PITCH_WINDOW)

/** Samples of a gap that are repeated as loud as before; and at which it has faded to silence. */
#define RTP_REPEAT_LOUD 80
#define RTP_REPEAT_END  480

/** Samples in which the repetition is blended into what comes after the gap. */
#define RTP_REPEAT_BLEND 32

/** A gap under way, or none. All bytes 0: none. */
struct rtp_repeat {
	int16_t period[RTP_PITCH_MAX]; /**< what is repeated */
	uint16_t pitch;                /**< its samples */
	uint16_t phase;                /**< next sample of it */
	uint16_t made;   /**< samples made, up to RTP_REPEAT_END: silence from there */
	uint8_t blended; /**< samples of the blending done; 0: it has not begun */
	uint8_t gap;     /**< 1: under way, its blending included */
};

/**
 * Begin a gap.
 *
 * @param repeat  changed
 * @param past    borrowed: the end of RTP_REPEAT_PAST samples that were played last
 *
 * Threads:  one at a time for each.
 * Progress: wait-free (bound: about 13,000 products).
 * Order:    none.
 */
void rtp_repeat_begin(struct rtp_repeat *repeat, const int16_t *past);

/** Begin a gap in silence: nothing is repeated, nothing blended. As rtp_repeat_begin. */
void rtp_repeat_silence(struct rtp_repeat *repeat);

/**
 * Fill the gap on: the repetition, then silence.
 *
 * Threads: as rtp_repeat_begin. Progress: wait-free (bound: count). Order: none.
 */
void rtp_repeat_fill(struct rtp_repeat *repeat, int16_t *samples, unsigned count);

/**
 * Blend the repetition into samples that follow the gap; at the end of that there is no gap any more.
 *
 * @param samples  changed: the next count samples after the gap
 *
 * Threads: as rtp_repeat_begin. Progress: wait-free (bound: RTP_REPEAT_BLEND). Order: none.
 */
void rtp_repeat_blend(struct rtp_repeat *repeat, int16_t *samples, unsigned count);

#endif
