/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Audio level of a frame, and from it whether a party speaks.
 */
#ifndef STW_RTP_LEVEL_H
#define STW_RTP_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Level of a frame without any sound. */
#define RTP_LEVEL_SILENCE 127

/** Milliseconds of sound that a party must make to be heard: not by a click. */
#define RTP_VOICE_ONSET_MS 60

/** Milliseconds after the last sound in which a party still counts as speaking, at most. */
#define RTP_VOICE_HANG_MS 140

/**
 * Level of some audio, in -dBov: 0 is the loudest, a square wave at the largest number of mu law; 127 is silence.
 *
 * @param samples  borrowed; linear, 16 bits
 * @param count    1 to 65535
 * @return 0 to 127, to the nearest
 *
 * Threads:  any.
 * Progress: wait-free (bound: count).
 * Order:    none.
 * Source:   RFC 6464 3 and 4, RFC 6465 (the overload point of mu law is 8031 of its 14 bits).
 */
uint8_t rtp_level(const int16_t *samples, size_t count);

/** Whether a party speaks. All bytes 0: it does not. */
struct rtp_voice {
	uint16_t loud_ms; /**< sound of late: grows while it is loud, shrinks while it is not */
	uint8_t speaks;   /**< 1: it was enough, and is not used up yet */
};

/**
 * Hear a piece of audio.
 *
 * @param voice      changed
 * @param is_loud    true when its level is above that of silence
 * @param millis     how long it lasts
 * @return true when the party speaks
 *
 * Threads:  one at a time for each voice.
 * Progress: wait-free (bound 1).
 * Order:    none.
 */
bool rtp_voice_hear(struct rtp_voice *voice, bool is_loud, unsigned millis);

#endif
