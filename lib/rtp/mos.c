/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The E-model: R = Ro - Is - Id - Ie,eff. Names are the recommendation's.
 */
#include "mos.h"

#include <math.h>

/** Basic signal-to-noise ratio, and what is subtracted for loudness, sidetone, quantising. */
#define RO 94.769
#define IS 1.415

/** Loudness ratings of echo: talker's and weighted path, dB (table 2: defaults). */
#define TELR 65.0
#define WEPL 110.0

/** Roe = -1.5 (No - RLR) with No = -61.179 dBm0p and RLR = 2 dB. */
#define ROE 94.768

/** Equipment impairment of G.711, and its robustness against loss (G.113 appendix I). */
#define IE            0.0
#define BPL_PLAIN     4.3
#define BPL_CONCEALED 25.1

/** A burst ratio above that is not in the model's range. */
#define BURSTINESS_MAX 10.0

/** Talker echo, G.107 7.4 (Idte), for sidetone between 9 and 20 dB. */
static double
impairment_talker_echo(double t_ms)
{
	double terv =
		TELR - 40 * log10((1 + t_ms / 10) / (1 + t_ms / 150)) + 6 * exp(-0.3 * t_ms * t_ms);
	double re = 80 + 2.5 * (terv - 14);
	double half = (ROE - re) / 2;

	return (half + sqrt(half * half + 100) - 1) * (1 - exp(-t_ms));
}

/** Listener echo, G.107 7.4 (Idle). */
static double
impairment_listener_echo(double t_ms)
{
	double rle = 10.5 * (WEPL + 7) * pow(2 * t_ms + 1, -0.25);
	double half = (RO - rle) / 2;

	return half + sqrt(half * half + 169);
}

/** Too long a delay, even without echo, G.107 7.4 (Idd). */
static double
impairment_delay(double t_ms)
{
	double x;

	if (t_ms <= 100)
		return 0;
	x = log2(t_ms / 100);
	return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

/** Codec and loss, G.107 7.5 (Ie,eff). */
static double
impairment_equipment(const struct rtp_path *path)
{
	double bpl = path->concealed ? BPL_CONCEALED : BPL_PLAIN;
	double ppl = 100 * path->loss;

	return IE + (95 - IE) * ppl / (ppl / path->burstiness + bpl);
}

double
rtp_rating(const struct rtp_path *path)
{
	double rating = RO - IS - impairment_talker_echo(path->delay_ms) -
			impairment_listener_echo(path->delay_ms) -
			impairment_delay(path->delay_ms) - impairment_equipment(path);

	return rating > 0 ? rating : 0;
}

double
rtp_mos(double rating)
{
	double mos;

	if (rating <= 0)
		return 1;
	if (rating >= 100)
		return 4.5;
	mos = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
	/* The polynomial dips below 1 for the lowest ratings. */
	return mos > 1 ? mos : 1;
}

double
rtp_burstiness(uint64_t expected, uint64_t missing, uint64_t gaps)
{
	double burstiness;

	if (gaps == 0 || missing == 0 || missing >= expected)
		return 1;
	burstiness = (double)missing / (double)gaps * (1 - (double)missing / (double)expected);
	if (burstiness < 1)
		return 1;
	return burstiness < BURSTINESS_MAX ? burstiness : BURSTINESS_MAX;
}
