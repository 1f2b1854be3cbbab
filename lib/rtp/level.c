/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Audio level: the mean square of the samples, and a table of where one decibel becomes the next. No logarithm, no
 * floating point.
 *
 * Voice: a sum of milliseconds with a floor and a ceiling, which loud audio raises and other audio lowers. At the
 * onset's worth of sound the party speaks, at 0 it does not any more; so single clicks do not count, and
 * short pauses between words do not, either.
 */
#include "level.h"

#include "base/base.h"
#include "wide.h"

/** Mean squares at which the level is half a decibel above n: 32124 squared, times 10^(-(n + 0.5) / 10). */
static const uint32_t level_bounds[] = {
	919727632, 730565626, 580308904, 460955748, 366150165, 290843414, 231025136, 183509788,
	145767006, 115786849, 91972763,  73056563,  58030890,  46095575,  36615017,  29084341,
	23102514,  18350979,  14576701,  11578685,  9197276,   7305656,   5803089,   4609557,
	3661502,   2908434,   2310251,   1835098,   1457670,   1157868,   919728,    730566,
	580309,    460956,    366150,    290843,    231025,    183510,    145767,    115787,
	91973,     73057,     58031,     46096,     36615,     29084,     23103,     18351,
	14577,     11579,     9197,      7306,      5803,      4610,      3662,      2908,
	2310,      1835,      1458,      1158,      920,       731,       580,       461,
	366,       291,       231,       184,       146,       116,       92,        73,
	58,        46,        37,        29,        23,        18,        15,        12,
	9,         7,         6,         5,         4,         3,         2,         2,
	1,         1,         1,         1,         1,
};

static RTP_LOOP uint64_t
energy_loop(const int16_t *samples, size_t count)
{
	uint64_t energy = 0;

	for (size_t i = 0; i < count; i++)
		energy += (uint32_t)(samples[i] * samples[i]);
	return energy;
}

static RTP_WIDE uint64_t
energy_wide(const int16_t *samples, size_t count)
{
	return energy_loop(samples, count);
}

uint8_t
rtp_level(const int16_t *samples, size_t count)
{
	uint64_t energy = rtp_is_wide() ? energy_wide(samples, count) : energy_loop(samples, count);
	uint64_t mean = (energy + count / 2) / count;
	uint32_t low = 0, high = STW_ARRAY_COUNT(level_bounds);

	/* The bounds fall: how many are above the mean? */
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (level_bounds[middle] > mean)
			low = middle + 1;
		else
			high = middle;
	}
	return mean ? (uint8_t)low : RTP_LEVEL_SILENCE;
}

bool
rtp_voice_hear(struct rtp_voice *voice, bool is_loud, unsigned millis)
{
	unsigned loud_ms = voice->loud_ms;

	if (is_loud)
		loud_ms =
			loud_ms + millis < RTP_VOICE_HANG_MS ? loud_ms + millis : RTP_VOICE_HANG_MS;
	else
		loud_ms = loud_ms > millis ? loud_ms - millis : 0;
	voice->loud_ms = (uint16_t)loud_ms;
	if (loud_ms >= RTP_VOICE_ONSET_MS)
		voice->speaks = 1;
	else if (loud_ms == 0)
		voice->speaks = 0;
	return voice->speaks;
}
