/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * G.711: A law and mu law to 16 bit linear samples and back, a packet at a time. The 14 bits of mu
 * law and the 13 bits of A law are the upper ones of a sample.
 */
#ifndef STW_RTP_G711_H
#define STW_RTP_G711_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/session.h>

/** Codes of silence. */
#define RTP_PCMU_SILENCE 0xff
#define RTP_PCMA_SILENCE 0xd5

/** Number of codecs in enum stw_codec. */
#define RTP_CODEC_COUNT 2

/**
 * Decode a payload.
 *
 * @param codec    of the payload
 * @param payload  borrowed; count codes
 * @param count    number of codes
 * @param samples  filled with count samples
 *
 * Threads:  any.
 * Progress: wait-free (bound: count).
 * Order:    none needed.
 * Source:   ITU-T G.711 (11/88) tables 1a to 2b.
 */
void rtp_g711_decode(enum stw_codec codec, const uint8_t *payload, size_t count, int16_t *samples);

/**
 * Encode samples.
 *
 * @param codec    of the payload
 * @param samples  borrowed; count samples
 * @param count    number of samples
 * @param payload  filled with count codes
 *
 * Threads:  any.
 * Progress: wait-free (bound: count).
 * Order:    none needed.
 * Source:   ITU-T G.711 (11/88) tables 1a to 2b. A sample on a decision value belongs to the
 *           interval above it, as in the ITU-T's own tool library (G.191).
 */
void rtp_g711_encode(enum stw_codec codec, const int16_t *samples, size_t count, uint8_t *payload);

#endif
