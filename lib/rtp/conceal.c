/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frame source of one party.
 *
 * I1  Bits of `present` are set for timestamps from position on, and less than RTP_CONCEAL_SAMPLES ahead.
 * I2  No bit is set at `end` or beyond it.
 */
#include "conceal.h"

#include <stdbool.h>
#include <string.h>

#include "base/base.h"
#include "g711.h"

/** Packets late in a row after which the buffer is anchored anew. */
#define LATE_ROW 3

/** Packets of a drift window. */
#define WINDOW_PACKETS 64

/** How much after a jump may be missing and still confirm it. */
#define JUMP_SLACK RTP_FRAME_SAMPLES

#define MASK (RTP_CONCEAL_SAMPLES - 1)

/** Samples from one timestamp to another. */
static int32_t
distance(uint32_t from, uint32_t to)
{
	return (int32_t)(to - from);
}

/** Set or clear the bits of `count` samples, RTP_CONCEAL_SAMPLES at most. */
static void
bits_write(struct rtp_conceal *conceal, uint32_t first, uint32_t count, bool set)
{
	while (count) {
		uint32_t at = first & MASK, shift = at % 64;
		uint32_t here = 64 - shift < count ? 64 - shift : count;
		uint64_t bits = UINT64_MAX >> (64 - here) << shift;

		if (set)
			conceal->present[at / 64] |= bits;
		else
			conceal->present[at / 64] &= ~bits;
		first += here;
		count -= here;
	}
}

/** Samples from `first` on, `most` at most, that have all come (wanted) or have all not. */
static unsigned
bits_run(const struct rtp_conceal *conceal, uint32_t first, unsigned most, bool wanted)
{
	unsigned run = 0;

	while (run < most) {
		uint32_t at = (first + run) & MASK, shift = at % 64, here = 64 - shift;
		uint64_t other = wanted ? ~conceal->present[at / 64] : conceal->present[at / 64];

		other >>= shift;
		if (other) {
			run += (unsigned)__builtin_ctzll(other);
			break;
		}
		run += here;
	}
	return run < most ? run : most;
}

/** Move on to a later position. */
static void
position_skip(struct rtp_conceal *conceal, uint32_t samples)
{
	bits_write(conceal, conceal->position,
		   samples < RTP_CONCEAL_SAMPLES ? samples : RTP_CONCEAL_SAMPLES, false);
	conceal->position += samples;
	if (distance(conceal->position, conceal->end) < 0)
		conceal->end = conceal->position;
}

static void
window_begin(struct rtp_conceal *conceal)
{
	conceal->window = 0;
	conceal->early_least = INT32_MAX;
	conceal->early_most = INT32_MIN;
}

/** Begin anew: the sample of this timestamp is played after the delay, what was waiting is not. */
static void
anchor(struct rtp_conceal *conceal, const struct rtp_piece *piece)
{
	memset(conceal->present, 0, sizeof(conceal->present));
	conceal->position = piece->timestamp - conceal->delay;
	conceal->end = conceal->position;
	conceal->ssrc = piece->ssrc;
	conceal->codec = piece->codec;
	conceal->begun = 1;
	conceal->quiet = 0;
	conceal->jumping = 0;
	conceal->late_row = 0;
	conceal->counts.anchored++;
	window_begin(conceal);
}

/** The past as the repetition wants it: the end of what was played. */
static const int16_t *
past_end(const struct rtp_conceal *conceal)
{
	return conceal->line + STW_ARRAY_COUNT(conceal->line);
}

/** Go by how early the window's packets were: less delay, or more. */
static void
drift_follow(struct rtp_conceal *conceal)
{
	int32_t excess = conceal->early_least - conceal->delay;

	if (excess >= RTP_FRAME_SAMPLES) {
		uint32_t frames = (uint32_t)excess / RTP_FRAME_SAMPLES;

		if (!conceal->repeat.gap)
			rtp_repeat_begin(&conceal->repeat, past_end(conceal));
		position_skip(conceal, frames * RTP_FRAME_SAMPLES);
		conceal->counts.dropped += frames;
	} else if (conceal->early_most <= conceal->delay - RTP_FRAME_SAMPLES &&
		   distance(conceal->position, conceal->end) <
			   RTP_CONCEAL_SAMPLES - 2 * RTP_FRAME_SAMPLES) {
		conceal->position -= RTP_FRAME_SAMPLES;
		conceal->counts.inserted++;
	}
	window_begin(conceal);
}

static void
drift_note(struct rtp_conceal *conceal, int32_t early)
{
	if (early < conceal->early_least)
		conceal->early_least = early;
	if (early > conceal->early_most)
		conceal->early_most = early;
	if (++conceal->window == WINDOW_PACKETS)
		drift_follow(conceal);
}

/** True when nothing is played and nothing waits: whatever comes may begin anew. */
static bool
is_idle(const struct rtp_conceal *conceal)
{
	return conceal->repeat.gap && conceal->repeat.made >= RTP_REPEAT_END &&
	       distance(conceal->position, conceal->end) <= 0;
}

/** True when a timestamp is so far off that the buffer cannot hold it, or behind anything late. */
static bool
is_far(const struct rtp_conceal *conceal, const struct rtp_piece *piece, int32_t early)
{
	return early < -RTP_CONCEAL_SAMPLES || early + piece->bytes > RTP_CONCEAL_SAMPLES;
}

/** A timestamp far off: anchor anew, or wait for its successor. True when it was anchored. */
static bool
jump_follow(struct rtp_conceal *conceal, const struct rtp_piece *piece)
{
	int32_t after = distance(conceal->jump, piece->timestamp);

	if (piece->marker || (conceal->jumping && after >= 0 && after <= JUMP_SLACK)) {
		anchor(conceal, piece);
		return true;
	}
	conceal->jumping = 1;
	conceal->jump = piece->timestamp + piece->bytes;
	conceal->counts.strays++;
	return false;
}

/** Keep what is not due yet of a piece. */
static void
piece_store(struct rtp_conceal *conceal, const struct rtp_piece *piece, const uint8_t *codes)
{
	int32_t early = distance(conceal->position, piece->timestamp);
	uint32_t skip = early < 0 ? (uint32_t)-early : 0;
	uint32_t first = piece->timestamp + skip, count = piece->bytes - skip;
	uint32_t at = first & MASK, before = RTP_CONCEAL_SAMPLES - at;

	codes += skip;
	if (count <= before) {
		memcpy(conceal->codes + at, codes, count);
	} else {
		memcpy(conceal->codes + at, codes, before);
		memcpy(conceal->codes, codes + before, count - before);
	}
	bits_write(conceal, first, count, true);
	if (distance(conceal->end, first + count) > 0)
		conceal->end = conceal->newest = first + count;
}

/** Late or not; and what that says of the way. */
static void
packet_note(struct rtp_conceal *conceal, const struct rtp_piece *piece)
{
	int32_t early = distance(conceal->position, piece->timestamp);

	if (early >= 0) {
		conceal->late_row = 0;
	} else {
		conceal->counts.late++;
		if (++conceal->late_row == LATE_ROW) {
			anchor(conceal, piece);
			early = conceal->delay;
		}
	}
	if (early + piece->bytes > 0)
		drift_note(conceal, early);
}

void
rtp_conceal_init(struct rtp_conceal *conceal, unsigned delay_samples)
{
	STW_DEBUG_ASSERT(delay_samples <= RTP_CONCEAL_DELAY_MAX);
	memset(conceal, 0, sizeof(*conceal));
	conceal->delay = (uint16_t)delay_samples;
	rtp_repeat_silence(&conceal->repeat);
	window_begin(conceal);
}

void
rtp_conceal_take(struct rtp_conceal *conceal, const struct rtp_piece *piece, const uint8_t *codes)
{
	int32_t early;

	STW_DEBUG_ASSERT(piece->bytes <= RTP_CONCEAL_SAMPLES / 2);
	if (!piece->bytes) {
		conceal->quiet = conceal->begun && conceal->ssrc == piece->ssrc;
		conceal->noise = piece->timestamp;
		return;
	}
	early = distance(conceal->position, piece->timestamp);
	if (!conceal->begun || conceal->ssrc != piece->ssrc || conceal->codec != piece->codec ||
	    (is_idle(conceal) &&
	     (early < -RTP_CONCEAL_SAMPLES || distance(conceal->newest, piece->timestamp) >= 0)))
		anchor(conceal, piece);
	else if (is_far(conceal, piece, early) && !jump_follow(conceal, piece))
		return;
	if (!piece->follows)
		packet_note(conceal, piece);
	if (distance(conceal->position, piece->timestamp + piece->bytes) <= 0)
		return;
	if (conceal->quiet && distance(conceal->noise, piece->timestamp) >= 0)
		conceal->quiet = 0;
	piece_store(conceal, piece, codes);
}

/** Fill a part of the frame with what has not come. True when that is more than silence. */
static bool
gap_fill(struct rtp_conceal *conceal, uint32_t position, int16_t *samples, unsigned count)
{
	bool silent;

	if (!conceal->repeat.gap)
		rtp_repeat_begin(&conceal->repeat, samples);
	if (conceal->quiet && distance(conceal->noise, position) >= 0)
		rtp_repeat_silence(&conceal->repeat);
	silent = conceal->repeat.made >= RTP_REPEAT_END;
	rtp_repeat_fill(&conceal->repeat, samples, count);
	return !silent;
}

static void
codes_decode(const struct rtp_conceal *conceal, uint32_t position, int16_t *samples, unsigned count)
{
	uint32_t at = position & MASK, before = RTP_CONCEAL_SAMPLES - at;

	if (count <= before) {
		rtp_g711_decode(conceal->codec, conceal->codes + at, count, samples);
		return;
	}
	rtp_g711_decode(conceal->codec, conceal->codes + at, before, samples);
	rtp_g711_decode(conceal->codec, conceal->codes, count - before, samples + before);
}

enum rtp_frame_kind
rtp_conceal_frame(struct rtp_conceal *conceal, const int16_t **frame)
{
	int16_t *samples = conceal->line + RTP_REPEAT_PAST;
	bool heard = false, concealed = false;
	unsigned done = 0;

	memmove(conceal->line, conceal->line + RTP_FRAME_SAMPLES,
		RTP_REPEAT_PAST * sizeof(*conceal->line));
	*frame = samples;
	while (done < RTP_FRAME_SAMPLES) {
		uint32_t position = conceal->position + done;
		unsigned rest = RTP_FRAME_SAMPLES - done;
		unsigned run = bits_run(conceal, position, rest, true);

		if (run) {
			codes_decode(conceal, position, samples + done, run);
			if (conceal->repeat.gap)
				rtp_repeat_blend(&conceal->repeat, samples + done, run);
			heard = true;
		} else {
			run = bits_run(conceal, position, rest, false);
			concealed |= gap_fill(conceal, position, samples + done, run);
		}
		done += run;
	}
	if (conceal->begun)
		position_skip(conceal, RTP_FRAME_SAMPLES);
	conceal->counts.frames++;
	conceal->counts.concealed += concealed;
	if (concealed)
		return RTP_FRAME_CONCEALED;
	return heard ? RTP_FRAME_HEARD : RTP_FRAME_SILENT;
}

void
rtp_conceal_miss(struct rtp_conceal *conceal, uint32_t samples)
{
	int32_t waiting = distance(conceal->position, conceal->end);

	if (!conceal->begun)
		return;
	if (waiting > 0) {
		uint32_t left_out = (uint32_t)waiting < samples ? (uint32_t)waiting : samples;

		conceal->counts.dropped += (left_out + RTP_FRAME_SAMPLES - 1) / RTP_FRAME_SAMPLES;
	}
	position_skip(conceal, samples);
	rtp_repeat_silence(&conceal->repeat);
	window_begin(conceal);
}

void
rtp_conceal_check(const struct rtp_conceal *conceal)
{
	int32_t waiting = distance(conceal->position, conceal->end);

	if (!conceal->begun)
		return;
	STW_ASSERT(waiting >= 0);
	STW_ASSERT(waiting <= RTP_CONCEAL_SAMPLES);
	/* I1, I2: nothing between the end and the position of one turn later. */
	STW_ASSERT(bits_run(conceal, conceal->end, RTP_CONCEAL_SAMPLES - (unsigned)waiting,
			    false) == RTP_CONCEAL_SAMPLES - (unsigned)waiting);
	STW_ASSERT(conceal->repeat.made <= RTP_REPEAT_END);
	STW_ASSERT(conceal->repeat.pitch <= RTP_PITCH_MAX);
}
