/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * WAV files: find the samples of one that is in memory, and write a header.
 */
#ifndef STW_MEDIA_WAV_H
#define STW_MEDIA_WAV_H

#include <stddef.h>
#include <stdint.h>

/** Bytes of the header that wav_header_write makes. */
#define WAV_HEADER_BYTES 44

/** Samples a second of every file we take or make. */
#define WAV_RATE_HZ 8000

/** Coding of the samples, as numbered in the file. */
enum wav_coding {
	WAV_PCM16 = 1, /**< 16 bit linear, little endian */
	WAV_PCMA = 6,  /**< G.711 A law */
	WAV_PCMU = 7,  /**< G.711 mu law */
};

/** Samples of a file. */
struct wav {
	enum wav_coding coding; /**< how they are coded */
	const uint8_t *data;    /**< borrowed from the file's memory; unaligned */
	size_t samples;         /**< how many, whole ones; 0 is possible */
};

/**
 * Find the samples of a mono 8 kHz WAV file. Chunks come in any order; those not known are
 * skipped; no size in the file is trusted: data that claims to be longer than the file (as a
 * recorder leaves it that was stopped) ends with the file.
 *
 * @param file        borrowed; the wav points into it
 * @param file_bytes  its length
 * @param wav         set on success only
 * @return 0
 * @return -EINVAL   not a WAV file: no RIFF WAVE, no or a short format, no data
 * @return -ENOTSUP  a WAV file of another rate, width, coding or number of channels
 *
 * Threads:  any.
 * Progress: wait-free (bound: file_bytes / 8).
 * Order:    none needed.
 * Source:   Microsoft/IBM, Multimedia Programming Interface and Data Specifications 1.0 (1991),
 *           "RIFF" and "WAVE"; RFC 2361 for the numbers of the codings.
 */
int wav_parse(const uint8_t *file, size_t file_bytes, struct wav *wav);

/**
 * Make the header of a 16 bit linear 8 kHz file.
 *
 * @param header      filled
 * @param channels    1 or 2
 * @param data_bytes  bytes of samples that follow, at most UINT32_MAX - WAV_HEADER_BYTES
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
void wav_header_write(uint8_t header[WAV_HEADER_BYTES], uint16_t channels, uint32_t data_bytes);

#endif
