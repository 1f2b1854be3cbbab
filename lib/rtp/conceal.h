/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frame source of one party: packets of any length go in as they come, frames of 20 ms come out, one at each
 * call. In between lies a jitter buffer by RTP timestamp; what is missing when it is due is concealed by
 * repetition for up to 60 ms (repeat.h), then by silence.
 *
 * The buffer keeps codes, a bit for each sample says whether it has come, and `position` is the timestamp of
 * the sample to be played next. So packets of 10 to 60 ms, reordered, doubled, partly late or beginning anywhere
 * are all one case. The first packet is played `delay` samples after the next frame begins.
 *
 * - Late: a packet whose samples were due before. Three in a row say that the way has become longer: the buffer is
 *   anchored anew at the last of them.
 * - Clock drift: over a window of packets, the least and the greatest of how much too early they were. If even the
 *   latest came a frame before it had to, frames are left out; if even the earliest has lost a frame of the delay, one
 *   is put in.
 * - A new source (SSRC), or a timestamp far off that begins a talk spurt, comes when nothing is played, or is
 *   confirmed by its successor: anchored anew. A single one far off is a stray.
 * - Silence suppression: when nothing has come for 60 ms, the next packet is anchored anew, whatever its timestamp;
 *   comfort noise (RFC 3389) says at once that nothing is missing.
 *
 * One thread at a time; plain memory.
 */
#ifndef STW_RTP_CONCEAL_H
#define STW_RTP_CONCEAL_H

#include <stdint.h>

#include <strowger/rtp.h>
#include <strowger/session.h>

#include "mixer.h"
#include "repeat.h"

/** Samples that the buffer holds: 256 ms. A power of 2. */
#define RTP_CONCEAL_SAMPLES 2048

/** Most samples of delay: 120 ms. */
#define RTP_CONCEAL_DELAY_MAX 960

/** Payload type of comfort noise at 8 kHz (RFC 3551 table 4, RFC 3389). */
#define RTP_PT_COMFORT_NOISE 13

/** What a frame is made of. */
enum rtp_frame_kind {
	RTP_FRAME_SILENT,    /**< nothing: all samples are 0 */
	RTP_FRAME_HEARD,     /**< what the party sent */
	RTP_FRAME_CONCEALED, /**< repetition, in part or as a whole */
};

/** Numbers of a frame source. */
struct rtp_conceal_counts {
	uint64_t frames;    /**< that came out */
	uint64_t concealed; /**< of `frames`: with repetition */
	uint64_t late;      /**< packets that came after they were due, in part or as a whole */
	uint64_t dropped;   /**< frames left out, as too much was waiting */
	uint64_t inserted;  /**< frames put in, as too little was waiting */
	uint64_t anchored;  /**< times that the buffer was anchored, the first included */
	uint64_t strays;    /**< packets far off that no other confirmed */
};

/** A piece of a packet. */
struct rtp_piece {
	uint32_t ssrc;
	uint32_t timestamp; /**< of its first sample */
	uint16_t bytes;     /**< codes of audio, 1 or more; 0: comfort noise */
	uint8_t codec;      /**< enum stw_codec */
	uint8_t marker;     /**< 1: begins a talk spurt */
	uint8_t follows;    /**< 1: of the same packet as the piece before */
};

/** A party's frame source. */
struct rtp_conceal {
	uint64_t present[RTP_CONCEAL_SAMPLES / 64]; /**< a bit for each sample that has come */
	uint8_t codes[RTP_CONCEAL_SAMPLES];         /**< by timestamp */
	int16_t line[RTP_REPEAT_PAST + RTP_FRAME_SAMPLES]; /**< what was played, the frame last */
	struct rtp_repeat repeat;
	struct rtp_conceal_counts counts;
	uint32_t position; /**< timestamp of the next sample to be played */
	uint32_t end;      /**< timestamp after the last sample that has come, or position */
	uint32_t newest;   /**< as `end`, but it stays when nothing comes */
	uint32_t ssrc;
	uint32_t jump;       /**< timestamp that would confirm a jump */
	uint32_t noise;      /**< timestamp from which there is comfort noise */
	int32_t early_least; /**< samples; of the window, as early_most */
	int32_t early_most;  /**< */
	uint16_t delay;      /**< samples between the first packet and its playing */
	uint16_t window;     /**< packets of the window so far */
	uint8_t late_row;    /**< packets late in a row */
	uint8_t codec;       /**< enum stw_codec of what is in the buffer */
	uint8_t begun;       /**< 1: anchored; 0: no packet yet */
	uint8_t quiet;       /**< 1: comfort noise from `noise` on */
	uint8_t jumping;     /**< 1: `jump` is set */
};

/**
 * Begin.
 *
 * @param conceal        filled
 * @param delay_samples  0 to RTP_CONCEAL_DELAY_MAX: how much later than the last frame before it a packet may come
 *
 * Threads: one. Progress: wait-free (bound 1). Order: none.
 */
void rtp_conceal_init(struct rtp_conceal *conceal, unsigned delay_samples);

/**
 * Take a piece of a packet.
 *
 * @param conceal  changed
 * @param piece    borrowed
 * @param codes    borrowed; piece->bytes of them, at most RTP_CONCEAL_SAMPLES / 2
 *
 * Threads:  one at a time for each.
 * Progress: wait-free (bound: piece->bytes).
 * Order:    none.
 * Source:   RFC 3550 5.1 (timestamps, marker), RFC 3551 4.1 (talk spurts), RFC 3389.
 */
void rtp_conceal_take(struct rtp_conceal *conceal, const struct rtp_piece *piece,
		      const uint8_t *codes);

/**
 * Make the next frame.
 *
 * @param conceal  changed
 * @param frame    set: RTP_FRAME_SAMPLES samples, good until the next call; also of a silent frame
 * @return what it is made of
 *
 * Threads:  one at a time for each.
 * Progress: wait-free (bound: RTP_FRAME_SAMPLES, and the search for a pitch).
 * Order:    none.
 */
enum rtp_frame_kind rtp_conceal_frame(struct rtp_conceal *conceal, const int16_t **frame);

/**
 * Leave out what was due while nobody asked for frames.
 *
 * @param conceal  changed
 * @param samples  how much time that was
 *
 * Threads: one at a time for each. Progress: wait-free (bound 1). Order: none.
 */
void rtp_conceal_miss(struct rtp_conceal *conceal, uint32_t samples);

/** Verify the invariants; ends in the host's panic handler. Threads: as the others. */
void rtp_conceal_check(const struct rtp_conceal *conceal);

#endif
