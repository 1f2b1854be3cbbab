/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Repetition. The pitch is the shift at which the last 20 ms are most like what came before them: the greatest
 * normalised cross-correlation. Samples are compared with 12 bits, so that a sum of products has 32.
 */
#include "repeat.h"

#include <string.h>

#include "wide.h"

/** Bits of a sample that the comparison leaves out. */
#define PITCH_SHIFT 4

static RTP_LOOP int32_t
products(const int16_t *one, const int16_t *other)
{
	int32_t sum = 0;

	for (unsigned i = 0; i < RTP_PITCH_WINDOW; i++)
		sum += one[i] * other[i];
	return sum;
}

static RTP_LOOP unsigned
pitch_loop(const int16_t *past)
{
	int16_t coarse[RTP_REPEAT_PAST];
	const int16_t *last = coarse + RTP_PITCH_MAX;
	unsigned pitch = RTP_PITCH_MAX;
	float best = 0;

	for (unsigned i = 0; i < RTP_REPEAT_PAST; i++)
		coarse[i] = (int16_t)(past[(int)i - RTP_REPEAT_PAST] >> PITCH_SHIFT);
	for (unsigned shift = RTP_PITCH_MIN; shift <= RTP_PITCH_MAX; shift++) {
		float like = (float)products(last, last - shift);
		float energy = (float)products(last - shift, last - shift);

		if (like <= 0 || energy <= 0)
			continue;
		like = like * like / energy;
		if (like > best) {
			best = like;
			pitch = shift;
		}
	}
	return pitch;
}

static RTP_WIDE unsigned
pitch_wide(const int16_t *past)
{
	return pitch_loop(past);
}

void
rtp_repeat_begin(struct rtp_repeat *repeat, const int16_t *past)
{
	unsigned pitch = rtp_is_wide() ? pitch_wide(past) : pitch_loop(past);

	memcpy(repeat->period, past - pitch, pitch * sizeof(*past));
	repeat->pitch = (uint16_t)pitch;
	repeat->phase = 0;
	repeat->made = 0;
	repeat->blended = 0;
	repeat->gap = 1;
}

void
rtp_repeat_silence(struct rtp_repeat *repeat)
{
	repeat->made = RTP_REPEAT_END;
	repeat->blended = 0;
	repeat->gap = 1;
}

/** The repetition's next sample. */
static int
repeat_next(struct rtp_repeat *repeat)
{
	int sample, gain;

	if (repeat->made >= RTP_REPEAT_END)
		return 0;
	sample = repeat->period[repeat->phase];
	gain = repeat->made < RTP_REPEAT_LOUD ? RTP_REPEAT_END - RTP_REPEAT_LOUD
					      : RTP_REPEAT_END - repeat->made;
	repeat->phase = (uint16_t)(repeat->phase + 1 == repeat->pitch ? 0 : repeat->phase + 1);
	repeat->made++;
	return sample * gain / (RTP_REPEAT_END - RTP_REPEAT_LOUD);
}

void
rtp_repeat_fill(struct rtp_repeat *repeat, int16_t *samples, unsigned count)
{
	repeat->blended = 0;
	if (repeat->made >= RTP_REPEAT_END) {
		memset(samples, 0, count * sizeof(*samples));
		return;
	}
	for (unsigned i = 0; i < count; i++)
		samples[i] = (int16_t)repeat_next(repeat);
}

void
rtp_repeat_blend(struct rtp_repeat *repeat, int16_t *samples, unsigned count)
{
	/* What follows silence begins as it is. */
	if (repeat->made >= RTP_REPEAT_END) {
		repeat->gap = 0;
		return;
	}
	for (unsigned i = 0; i < count && repeat->blended < RTP_REPEAT_BLEND; i++) {
		int weight = ++repeat->blended;

		samples[i] = (int16_t)((samples[i] * weight +
					repeat_next(repeat) * (RTP_REPEAT_BLEND - weight)) /
				       RTP_REPEAT_BLEND);
	}
	if (repeat->blended == RTP_REPEAT_BLEND)
		repeat->gap = 0;
}
