/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sines, computed one sample after the other: a tone is made once and then played by reference.
 */
#include "tone.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/** Level of a sine of full scale. */
#define FULL_SCALE_DBM0 3.14

#define SAMPLE_MAX 32767

/** Keys as they lie on the pad, row by row. */
static const char keys[] = "123A456B789C*0#D";

static const uint16_t row_hz[4] = {697, 770, 852, 941};
static const uint16_t column_hz[4] = {1209, 1336, 1477, 1633};

void
rtp_tone_fill(const struct rtp_tone *tone, int16_t *samples, size_t count)
{
	double amplitude = SAMPLE_MAX * pow(10, (tone->level_dbm0 - FULL_SCALE_DBM0) / 20);

	for (size_t i = 0; i < count; i++) {
		double sum = 0;

		for (unsigned k = 0; k < 2; k++) {
			/* Whole turns are taken off first, so that long tones stay exact. */
			uint64_t turns =
				(uint64_t)tone->frequency_hz[k] * (uint64_t)i % RTP_TONE_RATE;

			sum += sin(2 * M_PI * (double)turns / RTP_TONE_RATE);
		}
		samples[i] = (int16_t)lround(fmax(-SAMPLE_MAX, fmin(SAMPLE_MAX, amplitude * sum)));
	}
}

int
rtp_tone_key(char key, uint16_t frequency_hz[2])
{
	const char *found = key ? strchr(keys, key) : NULL;

	if (!found)
		return -EINVAL;
	frequency_hz[0] = row_hz[(found - keys) / 4];
	frequency_hz[1] = column_hz[(found - keys) % 4];
	return 0;
}
