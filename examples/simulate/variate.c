/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Distributions by inversion, the normal one by Box and Muller's formula; bits by xoshiro256++.
 * Source: Blackman, Vigna, "Scrambled linear pseudorandom number generators", 2021.
 */
#include "variate.h"

#include <math.h>

/* Longer than any day; what is longer is cut to it. */
#define LONGEST_NS 1e17

static uint64_t
rotate(uint64_t word, unsigned by)
{
	return word << by | word >> (64 - by);
}

uint64_t
variate_next(struct variate_stream *stream)
{
	uint64_t *s = stream->state, result = rotate(s[0] + s[3], 23) + s[0], shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate(s[3], 45);
	return result;
}

void
variate_seed(struct variate_stream *stream, uint64_t seed, uint64_t use, uint64_t which)
{
	/* Near-by numbers start near-by streams; the first draws mix them until nothing is left. */
	stream->state[0] = seed;
	stream->state[1] = use;
	stream->state[2] = which;
	stream->state[3] = UINT64_C(0x243f6a8885a308d3);
	for (int i = 0; i < 64; i++)
		variate_next(stream);
}

double
variate_unit(struct variate_stream *stream)
{
	return (double)((variate_next(stream) >> 11) + 1) * 0x1p-53;
}

double
variate_exponential(struct variate_stream *stream)
{
	return -log(variate_unit(stream));
}

static double
normal(struct variate_stream *stream)
{
	double radius = sqrt(2 * variate_exponential(stream));

	return radius * cos(2 * M_PI * variate_unit(stream));
}

static double
lognormal(const struct variate *variate, struct variate_stream *stream)
{
	double spread = variate->deviation_s / variate->mean_s, variance = log1p(spread * spread);

	return variate->mean_s * exp(sqrt(variance) * normal(stream) - variance / 2);
}

static double
seconds(const struct variate *variate, struct variate_stream *stream)
{
	switch (variate->kind) {
	case VARIATE_EXPONENTIAL:
		return variate->mean_s * variate_exponential(stream);
	case VARIATE_LOGNORMAL:
		return variate->mean_s > 0 ? lognormal(variate, stream) : 0;
	case VARIATE_WEIBULL:
		return variate->mean_s / tgamma(1 + 1 / variate->shape) *
		       pow(variate_exponential(stream), 1 / variate->shape);
	case VARIATE_UNIFORM:
		return fmax(0, variate->mean_s +
				       variate->deviation_s * (2 * variate_unit(stream) - 1));
	default:
		return variate->mean_s;
	}
}

uint64_t
variate_ns(const struct variate *variate, struct variate_stream *stream)
{
	if (variate->kind == VARIATE_NEVER_ENDS)
		return VARIATE_NEVER;
	return (uint64_t)fmin(LONGEST_NS, seconds(variate, stream) * 1e9);
}
