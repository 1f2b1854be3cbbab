/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * G.711. Both laws are a sign, three bits of segment (the place of the magnitude's leading bit)
 * and four bits of interval (the bits after it); so a count of leading zeros replaces the search
 * for the segment. A negative sample's magnitude is its one's complement, which makes both signs
 * the same number of steps wide, as in the ITU-T's tool library.
 */
#include "g711.h"

/** Magnitudes of mu law are 14 bits with a bias that puts the leading bit at 5 or above. */
#define PCMU_BIAS          33
#define PCMU_MAGNITUDE_MAX 0x1fff

/** Every second bit of an A law code is inverted on the line. */
#define PCMA_TOGGLE 0x55

static inline unsigned
leading_bit(unsigned value)
{
	return 31 - (unsigned)__builtin_clz(value);
}

static inline int16_t
pcmu_decode(uint8_t code)
{
	unsigned value = (uint8_t)~code;
	unsigned segment = value >> 4 & 7;
	int magnitude = (int)((2 * (value & 0xf) + PCMU_BIAS) << segment) - PCMU_BIAS;
	int sign = -(int)(value >> 7);

	return (int16_t)(4 * ((magnitude ^ sign) - sign));
}

static inline uint8_t
pcmu_encode(int16_t sample)
{
	int sign = sample >> 15;
	unsigned magnitude = ((unsigned)(sample ^ sign) >> 2) + PCMU_BIAS;
	unsigned segment;

	if (magnitude > PCMU_MAGNITUDE_MAX)
		magnitude = PCMU_MAGNITUDE_MAX;
	segment = leading_bit(magnitude) - 5;
	return (uint8_t) ~((sign & 0x80) | segment << 4 | (magnitude >> (segment + 1) & 0xf));
}

static inline int16_t
pcma_decode(uint8_t code)
{
	unsigned value = code ^ PCMA_TOGGLE;
	unsigned segment = value >> 4 & 7;
	unsigned leading = segment > 0;
	int magnitude = (int)((2 * (value & 0xf) + 1 + 32 * leading) << (segment - leading));
	int sign = (int)(value >> 7) - 1;

	return (int16_t)(8 * ((magnitude ^ sign) - sign));
}

static inline uint8_t
pcma_encode(int16_t sample)
{
	int sign = sample >> 15;
	unsigned magnitude = (unsigned)(sample ^ sign) >> 4;
	unsigned segment = leading_bit(magnitude | 8) - 3;
	unsigned shift = segment - (segment > 0);

	return (uint8_t)(((~sign & 0x80) | segment << 4 | (magnitude >> shift & 0xf)) ^
			 PCMA_TOGGLE);
}

void
rtp_g711_decode(enum stw_codec codec, const uint8_t *payload, size_t count, int16_t *samples)
{
	if (codec == STW_CODEC_PCMA)
		for (size_t i = 0; i < count; i++)
			samples[i] = pcma_decode(payload[i]);
	else
		for (size_t i = 0; i < count; i++)
			samples[i] = pcmu_decode(payload[i]);
}

void
rtp_g711_encode(enum stw_codec codec, const int16_t *samples, size_t count, uint8_t *payload)
{
	if (codec == STW_CODEC_PCMA)
		for (size_t i = 0; i < count; i++)
			payload[i] = pcma_encode(samples[i]);
	else
		for (size_t i = 0; i < count; i++)
			payload[i] = pcmu_encode(samples[i]);
}
