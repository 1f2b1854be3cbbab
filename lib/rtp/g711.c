/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * G.711. Both laws are a sign, three bits of segment (the place of the magnitude's leading bit)
 * and four bits of interval (the bits after it); and that is what the exponent and the
 * upper fraction of a float with the magnitude as its value are, so a conversion replaces the search for the
 * segment, and the loops have no branch and become wide ones. A negative sample's magnitude is its one's complement, which makes both signs
 * the same number of steps wide, as in the ITU-T's tool library.
 */
#include "g711.h"

#include <string.h>

#include "wide.h"

/** Magnitudes of mu law are 14 bits with a bias that puts the leading bit at 5 or above. */
#define PCMU_BIAS          33
#define PCMU_MAGNITUDE_MAX 0x1fff

/** Every second bit of an A law code is inverted on the line. */
#define PCMA_TOGGLE 0x55

/** Fraction bits of a float below the four that are the interval. */
#define FLOAT_SHIFT 19

/** Exponent of a float whose value has bit 0 as its leading one, as it stands above the interval. */
#define FLOAT_BIAS (127 << 4)

/** Bits of the float 33: a leading bit at 5, interval 0, and its middle. */
#define FLOAT_FIRST ((127u + 5) << 23 | 1u << 18)

/** Of a magnitude up to 16383: its leading bit's place times 16, and the four bits after it; below 0 of 0. */
static RTP_LOOP int
leading_bits(int magnitude)
{
	float value = (float)magnitude;
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return (int)(bits >> FLOAT_SHIFT) - FLOAT_BIAS;
}

/** The middle of the interval whose segment and interval these seven bits are; the first one begins at 32. */
static RTP_LOOP int
interval_middle(int bits)
{
	uint32_t whole = ((uint32_t)bits << FLOAT_SHIFT) + FLOAT_FIRST;
	float value;

	memcpy(&value, &whole, sizeof(value));
	return (int)value;
}

static RTP_LOOP int16_t
pcmu_decode(uint8_t code)
{
	int value = code ^ 0xff;
	int magnitude = interval_middle(value & 0x7f) - PCMU_BIAS;
	int sign = -(value >> 7);

	return (int16_t)(4 * ((magnitude ^ sign) - sign));
}

static RTP_LOOP uint8_t
pcmu_encode(int16_t sample)
{
	int sign = sample >> 15;
	int magnitude = ((sample ^ sign) >> 2) + PCMU_BIAS;

	if (magnitude > PCMU_MAGNITUDE_MAX)
		magnitude = PCMU_MAGNITUDE_MAX;
	/* The bias puts the leading bit at 5 or above. */
	return (uint8_t) ~((sign & 0x80) | (leading_bits(magnitude) - (5 << 4)));
}

/** One of two numbers, without a branch. */
static RTP_LOOP int
either(bool first, int one, int other)
{
	return other ^ ((one ^ other) & -(int)first);
}

static RTP_LOOP int16_t
pcma_decode(uint8_t code)
{
	int value = code ^ PCMA_TOGGLE;
	int bits = value & 0x7f;
	/* The second segment is as wide as the first, so the others are half of what mu law's are. */
	int magnitude = either(bits < 16, 2 * bits + 1, interval_middle(bits) >> 1);
	int sign = (value >> 7) - 1;

	return (int16_t)(8 * ((magnitude ^ sign) - sign));
}

static RTP_LOOP uint8_t
pcma_encode(int16_t sample)
{
	int sign = sample >> 15;
	int magnitude = (sample ^ sign) >> 4;
	int code = leading_bits(magnitude) - (3 << 4);

	/* The first two segments have intervals of one width: there the magnitude is the code. */
	code = either(magnitude < 32, magnitude, code);
	return (uint8_t)(((~sign & 0x80) | code) ^ PCMA_TOGGLE);
}

static RTP_LOOP void
decode_loop(enum stw_codec codec, const uint8_t *payload, size_t count, int16_t *samples)
{
	if (codec == STW_CODEC_PCMA)
		for (size_t i = 0; i < count; i++)
			samples[i] = pcma_decode(payload[i]);
	else
		for (size_t i = 0; i < count; i++)
			samples[i] = pcmu_decode(payload[i]);
}

static RTP_LOOP void
encode_loop(enum stw_codec codec, const int16_t *samples, size_t count, uint8_t *payload)
{
	if (codec == STW_CODEC_PCMA)
		for (size_t i = 0; i < count; i++)
			payload[i] = pcma_encode(samples[i]);
	else
		for (size_t i = 0; i < count; i++)
			payload[i] = pcmu_encode(samples[i]);
}

static RTP_WIDE void
decode_wide(enum stw_codec codec, const uint8_t *payload, size_t count, int16_t *samples)
{
	decode_loop(codec, payload, count, samples);
}

static RTP_WIDE void
encode_wide(enum stw_codec codec, const int16_t *samples, size_t count, uint8_t *payload)
{
	encode_loop(codec, samples, count, payload);
}

void
rtp_g711_decode(enum stw_codec codec, const uint8_t *payload, size_t count, int16_t *samples)
{
	if (rtp_is_wide())
		decode_wide(codec, payload, count, samples);
	else
		decode_loop(codec, payload, count, samples);
}

void
rtp_g711_encode(enum stw_codec codec, const int16_t *samples, size_t count, uint8_t *payload)
{
	if (rtp_is_wide())
		encode_wide(codec, samples, count, payload);
	else
		encode_loop(codec, samples, count, payload);
}
