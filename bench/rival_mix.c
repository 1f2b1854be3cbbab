/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The naive mixer. Source of the law: ITU-T G.711 (11/88), tables 2a and 2b.
 */
#include "rival_mix.h"

#define BIAS 33
#define CLIP 8191

static int
decode(uint8_t code)
{
	int value = ~code & 0xff;
	int magnitude = (((2 * (value & 15)) + BIAS) << (value >> 4 & 7)) - BIAS;

	return 4 * (value & 0x80 ? -magnitude : magnitude);
}

static uint8_t
encode(int sample)
{
	int sign = 0, segment = 0, magnitude;

	if (sample > INT16_MAX)
		sample = INT16_MAX;
	if (sample < INT16_MIN)
		sample = INT16_MIN;
	if (sample < 0) {
		sign = 0x80;
		sample = -sample - 1;
	}
	magnitude = sample / 4 + BIAS;
	if (magnitude > CLIP)
		magnitude = CLIP;
	while (magnitude >> (segment + 6))
		segment++;
	return (uint8_t) ~(sign | segment << 4 | (magnitude >> (segment + 1) & 15));
}

void
rival_mix(const uint8_t *const in[RIVAL_MIX_PARTIES], uint8_t *const out[RIVAL_MIX_PARTIES])
{
	int samples[RIVAL_MIX_PARTIES][RIVAL_MIX_SAMPLES];

	for (int party = 0; party < RIVAL_MIX_PARTIES; party++) {
		for (int i = 0; i < RIVAL_MIX_SAMPLES; i++)
			samples[party][i] = decode(in[party][i]);
	}
	for (int listener = 0; listener < RIVAL_MIX_PARTIES; listener++) {
		for (int i = 0; i < RIVAL_MIX_SAMPLES; i++) {
			int sum = 0;

			for (int party = 0; party < RIVAL_MIX_PARTIES; party++)
				sum += party == listener ? 0 : samples[party][i];
			out[listener][i] = encode(sum);
		}
	}
}
