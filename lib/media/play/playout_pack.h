/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A WAV file as payloads of 20 ms, encoded once for each codec, in memory that the caller has.
 */
#ifndef STW_MEDIA_PLAYOUT_PACK_H
#define STW_MEDIA_PLAYOUT_PACK_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/playout.h>

#include "rtp/g711.h"

/** Bytes, that is, samples, of one payload. */
#define PLAYOUT_PAYLOAD_BYTES 160

/** Largest file read, bytes. */
#define PLAYOUT_FILE_BYTES_MAX (UINT32_C(256) << 20)

/** Where the payloads go. */
struct playout_block {
	uint8_t *payloads[RTP_CODEC_COUNT]; /**< borrowed; by enum stw_codec, each packets_max times
					       PLAYOUT_PAYLOAD_BYTES */
	uint32_t packets_max;               /**< room for so many in each, 1 or more */
	uint32_t packets;                   /**< set on success only: payloads in each, 1 or more */
};

/**
 * Read a WAV file (mono, 8 kHz, 16 bit linear or G.711) and cut it into payloads; the last one is
 * filled up with silence. A codec that the file already has is copied bit by bit.
 *
 * @param path   borrowed
 * @param block  borrowed; payloads and packets are set on success only
 * @return 0
 * @return -EINVAL   not a WAV file, or one without samples
 * @return -ENOTSUP  a WAV file of another rate, width, coding or number of channels
 * @return -ENOENT   no such file
 * @return -EIO      the file cannot be read
 * @return -ENOSPC   more than packets_max packets, or larger than PLAYOUT_FILE_BYTES_MAX
 * @return -ENOMEM   memory cannot be had
 *
 * Threads:  any.
 * Progress: blocking (waits for the file system).
 * Order:    none.
 */
int playout_pack(const char *path, struct playout_block *block);

/**
 * As playout_pack, for a file in memory.
 *
 * @param file        borrowed
 * @param file_bytes  its length
 * @param block       as for playout_pack; nothing is touched on failure
 * @return 0, -EINVAL, -ENOTSUP or -ENOSPC as playout_pack
 *
 * Threads:  any.
 * Progress: wait-free (bound: file_bytes).
 * Order:    none.
 */
int playout_pack_memory(const uint8_t *file, size_t file_bytes, struct playout_block *block);

#endif
