/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recording as a stereo WAV file.
 *
 * A window of frames lies in memory: a ring of blocks, silent where nothing came yet. Samples are
 * put where they belong while their place is in the window. When a packet needs a place behind the
 * window's end, the window's first blocks are written and it moves on. So the file only grows, and
 * its header can say after each block how much of it there is.
 *
 * Places are frames since start_ns. Each side has an anchor: a place and the RTP timestamp that
 * belongs there. It moves along with each packet, so that differences stay small.
 */
#include "record_wav.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/play/wav.h"
#include "record_file.h"

#include "base/base.h"
#include "rtp/g711.h"
#include "rtp/reception.h"

/** Frames in memory. */
#define RING_FRAMES (RECORD_WAV_WINDOW_FRAMES + RECORD_WAV_BLOCK_FRAMES)

static_assert(RING_FRAMES % RECORD_WAV_BLOCK_FRAMES == 0, "blocks do not cross the ring's end");
static_assert(RECORD_WAV_DRIFT_FRAMES + RECORD_WAV_PACKET_SAMPLES < RING_FRAMES,
	      "a packet in bounds needs less than the ring");

/** Sides of a file: the caller's and the agent's, a channel each. */
#define WAV_SIDES (STW_SIDE_AGENT + 1)

/** One frame, as in the file. */
struct frame {
	int16_t samples[WAV_SIDES];
};

/** Where a timestamp belongs. */
struct anchor {
	int64_t place;
	uint32_t timestamp;
};

/** One side. */
struct track {
	bool known;           /**< ssrc and anchor are set */
	bool pending;         /**< a packet beyond bounds waits for its successor */
	uint32_t ssrc;        /**< source of the anchor and of the pending packet */
	struct anchor anchor; /**< of the last packet placed */
	struct anchor jump;   /**< of the pending packet, by arrival */
	size_t jump_count;    /**< its samples */
	int16_t jump_samples[RECORD_WAV_PACKET_SAMPLES];
};

struct record_wav {
	struct record_out out;
	int error;         /**< first failure; 0: none */
	uint64_t start_ns; /**< time of place 0 */
	int64_t base;      /**< first place in the window; a multiple of the block */
	int64_t end;       /**< one behind the last sample placed */
	struct record_wav_stats stats;
	struct track tracks[WAV_SIDES];
	struct frame ring[RING_FRAMES];
};

static int
header_write(struct record_wav *wav, int64_t frames)
{
	uint8_t header[WAV_HEADER_BYTES];

	wav_header_write(header, WAV_SIDES, (uint32_t)(frames * sizeof(struct frame)));
	return record_out_write(&wav->out, header, sizeof(header), 0);
}

int
record_wav_open(struct record_wav **out, const char *path, uint64_t start_ns, const uint8_t *key)
{
	struct record_wav *wav = calloc(1, sizeof(*wav));
	int error;

	if (!wav)
		return -ENOMEM;
	wav->start_ns = start_ns;
	error = record_out_open(&wav->out, path, key);
	if (error)
		goto fail_file;
	error = header_write(wav, 0);
	if (error)
		goto fail_header;
	wav->stats.bytes_written = record_out_bytes(&wav->out);
	*out = wav;
	return 0;

fail_header:
	record_out_close(&wav->out, NULL);
	unlink(path);
fail_file:
	free(wav);
	return error;
}

/* Write frames from the window's beginning, at most to its first block's end, and silence them. */
static int
window_write(struct record_wav *wav, int64_t frames)
{
	struct frame *block = &wav->ring[wav->base % RING_FRAMES];
	uint64_t offset = WAV_HEADER_BYTES + (uint64_t)wav->base * sizeof(struct frame);
	int error = record_out_write(&wav->out, block, (size_t)frames * sizeof(*block), offset);

	if (error)
		return error;
	memset(block, 0, (size_t)frames * sizeof(*block));
	wav->stats.bytes_written = record_out_bytes(&wav->out);
	return 0;
}

/*
 * Move the window so that it holds the places before end. A silence longer than the window becomes
 * a hole in the file.
 */
static int
window_move(struct record_wav *wav, int64_t end)
{
	int64_t stop = end - RING_FRAMES + RECORD_WAV_BLOCK_FRAMES - 1;
	int error = 0;

	if (end <= wav->base + RING_FRAMES)
		return 0;
	stop -= stop % RECORD_WAV_BLOCK_FRAMES;
	while (!error && wav->base < stop && wav->base < wav->end) {
		error = window_write(wav, RECORD_WAV_BLOCK_FRAMES);
		if (!error)
			wav->base += RECORD_WAV_BLOCK_FRAMES;
	}
	if (!error && wav->base < stop) {
		uint64_t bytes = WAV_HEADER_BYTES + (uint64_t)stop * sizeof(struct frame);

		error = record_out_extend(&wav->out, bytes);
		if (error)
			return error;
		wav->base = stop;
		wav->stats.bytes_written = record_out_bytes(&wav->out);
	}
	return error ? error : header_write(wav, wav->base);
}

/* Put samples at a place; what belongs before the window is left out. */
static int
samples_place(struct record_wav *wav, enum stw_side side, int64_t place, const int16_t *samples,
	      size_t count)
{
	int64_t end = place + (int64_t)count;
	int error;

	if (end > RECORD_WAV_FRAMES_MAX)
		return -ENOSPC;
	error = window_move(wav, end);
	if (error)
		return error;
	if (end <= wav->base) {
		wav->stats.packets_late++;
		return 0;
	}
	for (size_t i = 0; i < count; i++, place++)
		if (place >= wav->base)
			wav->ring[place % RING_FRAMES].samples[side] =
				(int16_t)htole16((uint16_t)samples[i]);
	if (end > wav->end)
		wav->end = end;
	wav->stats.packets++;
	return 0;
}

static int64_t
arrival_place(const struct record_wav *wav, uint64_t arrival_ns)
{
	if (arrival_ns <= wav->start_ns)
		return 0;
	return (int64_t)((arrival_ns - wav->start_ns) / RTP_TICK_NS);
}

static int64_t
anchor_place(const struct anchor *anchor, uint32_t timestamp)
{
	return anchor->place + (int32_t)(timestamp - anchor->timestamp);
}

static bool
place_is_near(int64_t place, int64_t arrival)
{
	return llabs(place - arrival) <= RECORD_WAV_DRIFT_FRAMES;
}

static int
jump_confirm(struct record_wav *wav, enum stw_side side)
{
	struct track *track = &wav->tracks[side];

	track->pending = false;
	track->anchor = track->jump;
	wav->stats.packets_stray--;
	wav->stats.packets_anchored++;
	return samples_place(wav, side, track->jump.place, track->jump_samples, track->jump_count);
}

/*
 * Where a packet belongs: 1 when it is known, 0 when its successor has to say. The anchor moves to
 * it.
 */
static int
packet_anchor(struct record_wav *wav, enum stw_side side, uint32_t ssrc, uint32_t timestamp,
	      int64_t arrival)
{
	struct track *track = &wav->tracks[side];
	int error;

	if (!track->known || track->ssrc != ssrc) {
		track->known = true;
		track->pending = false;
		track->ssrc = ssrc;
		track->anchor = (struct anchor){arrival, timestamp};
		wav->stats.packets_anchored++;
		return 1;
	}
	if (!place_is_near(anchor_place(&track->anchor, timestamp), arrival)) {
		if (!track->pending ||
		    !place_is_near(anchor_place(&track->jump, timestamp), arrival))
			return 0;
		error = jump_confirm(wav, side);
		if (error)
			return error;
	}
	track->pending = false;
	track->anchor.place = anchor_place(&track->anchor, timestamp);
	track->anchor.timestamp = timestamp;
	return 1;
}

static void
jump_keep(struct record_wav *wav, struct track *track, uint32_t timestamp, int64_t arrival,
	  const int16_t *samples, size_t count)
{
	track->pending = true;
	track->jump = (struct anchor){arrival, timestamp};
	track->jump_count = count;
	memcpy(track->jump_samples, samples, count * sizeof(*samples));
	wav->stats.packets_stray++;
}

int
record_wav_write(struct record_wav *wav, enum stw_side side, enum stw_codec codec, uint32_t ssrc,
		 uint32_t timestamp, const uint8_t *payload, size_t payload_bytes,
		 uint64_t arrival_ns)
{
	struct track *track = &wav->tracks[side];
	int64_t arrival = arrival_place(wav, arrival_ns);
	int16_t samples[RECORD_WAV_PACKET_SAMPLES];
	int known;

	if (wav->error || payload_bytes == 0)
		return wav->error;
	if (payload_bytes > RECORD_WAV_PACKET_SAMPLES) {
		wav->stats.packets_stray++;
		return 0;
	}
	rtp_g711_decode(codec, payload, payload_bytes, samples);
	known = packet_anchor(wav, side, ssrc, timestamp, arrival);
	if (known == 0)
		jump_keep(wav, track, timestamp, arrival, samples, payload_bytes);
	else if (known < 0)
		wav->error = known;
	else
		wav->error = samples_place(wav, side, track->anchor.place, samples, payload_bytes);
	return wav->error;
}

void
record_wav_stats(const struct record_wav *wav, struct record_wav_stats *stats)
{
	*stats = wav->stats;
}

static int
window_drain(struct record_wav *wav)
{
	int error = 0;

	while (!error && wav->base < wav->end) {
		int64_t frames = wav->end - wav->base;

		if (frames > RECORD_WAV_BLOCK_FRAMES)
			frames = RECORD_WAV_BLOCK_FRAMES;
		error = window_write(wav, frames);
		if (!error)
			wav->base += frames;
	}
	return error ? error : header_write(wav, wav->base);
}

int
record_wav_close(struct record_wav *wav, struct record_wav_stats *stats)
{
	int error, closed;

	if (!wav)
		return 0;
	error = window_drain(wav);
	if (wav->error)
		error = wav->error;
	closed = record_out_close(&wav->out, &wav->stats.bytes_written);
	if (!error)
		error = closed;
	if (stats)
		*stats = wav->stats;
	free(wav);
	return error;
}

void
record_wav_check(const struct record_wav *wav)
{
	STW_ASSERT(wav->base % RECORD_WAV_BLOCK_FRAMES == 0);
	STW_ASSERT(wav->end <= wav->base + RING_FRAMES);
	STW_ASSERT(wav->end <= RECORD_WAV_FRAMES_MAX);
	STW_ASSERT(wav->out.bytes == WAV_HEADER_BYTES + (uint64_t)wav->base * sizeof(struct frame));
	for (int side = 0; side < WAV_SIDES; side++) {
		STW_ASSERT(wav->tracks[side].known || !wav->tracks[side].pending);
		STW_ASSERT(wav->tracks[side].jump_count <= RECORD_WAV_PACKET_SAMPLES);
	}
}
