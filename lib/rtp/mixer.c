/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mixer. Most listeners hear all but themselves, so their frame is the sum of all less one; who hears few is
 * added up from them. Both give the same, as 32 bits hold every sum of eight samples.
 */
#include "mixer.h"

#include <string.h>

#include "wide.h"

static RTP_LOOP void
frame_add(int32_t *restrict sum, const int16_t *restrict frame)
{
	for (unsigned i = 0; i < RTP_FRAME_SAMPLES; i++)
		sum[i] += frame[i];
}

static RTP_LOOP void
frame_subtract(int32_t *restrict sum, const int16_t *restrict frame)
{
	for (unsigned i = 0; i < RTP_FRAME_SAMPLES; i++)
		sum[i] -= frame[i];
}

static RTP_LOOP void
frame_limit(const int32_t *restrict sum, int16_t *restrict frame)
{
	for (unsigned i = 0; i < RTP_FRAME_SAMPLES; i++) {
		int32_t sample = sum[i];

		sample = sample > INT16_MAX ? INT16_MAX : sample;
		sample = sample < INT16_MIN ? INT16_MIN : sample;
		frame[i] = (int16_t)sample;
	}
}

static RTP_LOOP void
begin_loop(struct rtp_mixer *mixer)
{
	memset(mixer->total, 0, sizeof(mixer->total));
	for (unsigned rest = mixer->speaking; rest; rest &= rest - 1)
		frame_add(mixer->total, mixer->frames[__builtin_ctz(rest)]);
}

static RTP_LOOP void
hear_loop(const struct rtp_mixer *mixer, uint8_t heard, int16_t *frame)
{
	unsigned others = mixer->speaking & ~heard;
	int32_t sum[RTP_FRAME_SAMPLES] STW_ALIGNED_LINE;

	if (!others) {
		frame_limit(mixer->total, frame);
		return;
	}
	if (__builtin_popcount(others) < __builtin_popcount(heard)) {
		memcpy(sum, mixer->total, sizeof(sum));
		for (; others; others &= others - 1)
			frame_subtract(sum, mixer->frames[__builtin_ctz(others)]);
	} else {
		memset(sum, 0, sizeof(sum));
		for (unsigned rest = heard; rest; rest &= rest - 1)
			frame_add(sum, mixer->frames[__builtin_ctz(rest)]);
	}
	frame_limit(sum, frame);
}

static RTP_WIDE void
begin_wide(struct rtp_mixer *mixer)
{
	begin_loop(mixer);
}

static RTP_WIDE void
hear_wide(const struct rtp_mixer *mixer, uint8_t heard, int16_t *frame)
{
	hear_loop(mixer, heard, frame);
}

void
rtp_mixer_begin(struct rtp_mixer *mixer, const int16_t *const frames[RTP_MIXER_PARTIES],
		uint8_t speaking)
{
	for (unsigned i = 0; i < RTP_MIXER_PARTIES; i++)
		mixer->frames[i] = speaking >> i & 1 ? frames[i] : NULL;
	mixer->speaking = speaking;
	/* Of one alone there is no sum. */
	if (!(speaking & (speaking - 1)))
		return;
	if (rtp_is_wide())
		begin_wide(mixer);
	else
		begin_loop(mixer);
}

uint8_t
rtp_mixer_hear(const struct rtp_mixer *mixer, uint8_t heard, int16_t *frame)
{
	heard &= mixer->speaking;
	if (!heard)
		memset(frame, 0, RTP_FRAME_SAMPLES * sizeof(*frame));
	else if (!(heard & (heard - 1)))
		memcpy(frame, mixer->frames[__builtin_ctz(heard)],
		       RTP_FRAME_SAMPLES * sizeof(*frame));
	else if (rtp_is_wide())
		hear_wide(mixer, heard, frame);
	else
		hear_loop(mixer, heard, frame);
	return heard;
}
