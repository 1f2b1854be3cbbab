/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recording as a stereo WAV file, 16 bit linear, 8 kHz: caller left, agent right, both on one
 * line of time that begins at start_ns.
 *
 * The first packet of a source (SSRC) lies where its arrival says; the following ones lie where
 * their RTP timestamps say relative to it. What never comes is silence.
 */
#ifndef STW_MEDIA_RECORD_WAV_H
#define STW_MEDIA_RECORD_WAV_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/session.h>

/** Frames (a sample of each side) held in memory at least, so that late packets find their place. */
#define RECORD_WAV_WINDOW_FRAMES 16384

/** Frames written at once. */
#define RECORD_WAV_BLOCK_FRAMES 4096

/** Most samples of one packet; longer ones are ignored and counted as stray. */
#define RECORD_WAV_PACKET_SAMPLES 2048

/** Most frames of a file: its sizes have 32 bits. 37 hours. */
#define RECORD_WAV_FRAMES_MAX UINT32_C(1073741812)

/** Distance between a packet's place by timestamp and by arrival at which one must be wrong. */
#define RECORD_WAV_DRIFT_FRAMES 16000

struct record_wav;

/** Numbers of a recording. */
struct record_wav_stats {
	uint64_t packets;       /**< packets in the file or in the window */
	uint64_t packets_late;  /**< came after their place was written: left out */
	uint64_t packets_stray; /**< timestamp beyond bounds, not confirmed by the next: left out */
	uint64_t packets_anchored; /**< placed by arrival: first of a source, or a confirmed jump */
	uint64_t bytes_written;    /**< bytes of the file so far, its header included */
};

/**
 * Make the file.
 *
 * @param out       given: set on success only; free with record_wav_close
 * @param path      borrowed; must not exist; made with mode 0600
 * @param start_ns  time 0 of the file, on the clock of the packets' arrival_ns
 * @param key       borrowed; the file is encrypted with it (record_seal.h); NULL: it is plain
 * @return 0
 * @return -ENOMEM  memory cannot be had
 * @return -EEXIST  something is at that path
 * @return -ENOSPC  the disk is full
 * @return -EIO     the file cannot be made or written
 *
 * Threads:  any.
 * Progress: blocking (waits for the file system).
 * Order:    none.
 */
int record_wav_open(struct record_wav **out, const char *path, uint64_t start_ns,
		    const uint8_t *key);

/**
 * Add a packet. Packets of other payloads than the codec's (comfort noise, events) are not given.
 *
 * A packet whose timestamp is more than RECORD_WAV_DRIFT_FRAMES off its arrival is kept aside: if
 * the side's next packet follows it, the sender has set its clock and both are placed by arrival;
 * if not, it is left out. So no timestamp moves the file's end beyond the packets' arrival and
 * RECORD_WAV_DRIFT_FRAMES.
 *
 * @param wav            borrowed
 * @param side           whose
 * @param codec          of the payload
 * @param ssrc           RTP source
 * @param timestamp      RTP timestamp
 * @param payload        borrowed
 * @param payload_bytes  its length; 0 does nothing
 * @param arrival_ns     when the packet came, on the clock of start_ns
 * @return 0
 * @return -ENOSPC  the disk is full, or the file has RECORD_WAV_FRAMES_MAX frames
 * @return -EIO     the file cannot be written
 *                  (after either, every later call returns it again)
 *
 * Threads:  one at a time for each file.
 * Progress: blocking (waits for the file system).
 * Order:    packets come in any order.
 */
int record_wav_write(struct record_wav *wav, enum stw_side side, enum stw_codec codec,
		     uint32_t ssrc, uint32_t timestamp, const uint8_t *payload,
		     size_t payload_bytes, uint64_t arrival_ns);

/**
 * Read the numbers.
 *
 * Threads:  one at a time with record_wav_write.
 * Progress: wait-free (bound 1).
 * Order:    none.
 */
void record_wav_stats(const struct record_wav *wav, struct record_wav_stats *stats);

/**
 * Write what is in memory, put the sizes into the header, close the file, free all. The file is
 * readable before, too: after each block the header says what is there.
 *
 * @param wav    taken; NULL is fine
 * @param stats  the last numbers; NULL is fine
 * @return 0
 * @return -ENOSPC  the disk is full, or was
 * @return -EIO     the file could not be written; it holds what could
 *
 * Threads:  one, after the last record_wav_write.
 * Progress: blocking (waits for the file system).
 * Order:    none.
 */
int record_wav_close(struct record_wav *wav, struct record_wav_stats *stats);

/** Verify the invariants; ends in the host's panic handler when one is broken. */
void record_wav_check(const struct record_wav *wav);

#endif
