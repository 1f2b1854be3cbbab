/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <math.h>

#include "rtp/mos.h"

static double
rating(double delay_ms, double loss, double burstiness, bool concealed)
{
	const struct rtp_path path = {delay_ms, loss, burstiness, concealed};

	return rtp_rating(&path);
}

static void
near(double value, double expected, double within)
{
	cr_assert(fabs(value - expected) <= within, "%f, not %f", value, expected);
}

/* G.107: all parameters at their defaults. */
Test(mos, perfect_path_is_93_2)
{
	near(rating(0, 0, 1, true), 93.2, 0.05);
	near(rtp_mos(93.2), 4.41, 0.005);
}

/* What is constant here, by the formulae of G.107 7.2 and 7.3 and the defaults of its table 2. */
Test(mos, constants_follow_from_the_defaults)
{
	double pre = 35 + 10 * log10(1 + pow(10, (10 - 18.0) / 10));
	double nor = 2 - 121 + pre + 0.008 * (pre - 35) * (pre - 35);
	double nos = 35 - 8 - 3 - 100 + 0.004 * 8 * 8;
	double no =
		10 * log10(pow(10, -7.0) + pow(10, nos / 10) + pow(10, nor / 10) + pow(10, -6.2));
	double ro = 15 - 1.5 * (8 + no), x = 10 + 0.2 * (64 + no - 2);
	double iolr = 20 * (pow(1 + pow(x / 8, 8), 0.125) - x / 8);
	double st = -10 * log10(pow(10, -1.5) + pow(10, -6.5));
	double ist = 12 * pow(1 + pow((st - 13) / 6, 8), 0.125) -
		     28 * pow(1 + pow((st + 1) / 19.4, 35), 1.0 / 35) -
		     13 * pow(1 + pow((st - 3) / 33, 13), 1.0 / 13) + 29;
	double g = 1.07 + 0.258 * 37 + 0.0602 * 37 * 37;
	double iq = 15 * log10(1 + pow(10, (ro - 100) / 15 + 46 / 8.4 - g / 9) +
			       pow(10, 46 / 30.0 - g / 40));
	/* Without delay what is left of Id is the listener's echo. */
	double half = (ro - 10.5 * 117) / 2, idle = half + sqrt(half * half + 169);

	near(rating(0, 0, 1, true), ro - (iolr + ist + iq) - idle, 0.01);
}

/* G.107 annex B, table B.1. */
Test(mos, opinion_scores_are_those_of_the_table)
{
	near(rtp_mos(90), 4.34, 0.005);
	near(rtp_mos(80), 4.03, 0.007);
	near(rtp_mos(70), 3.60, 0.005);
	near(rtp_mos(60), 3.10, 0.005);
	near(rtp_mos(50), 2.58, 0.006);
	near(rtp_mos(0), 1, 0);
	near(rtp_mos(-5), 1, 0);
	near(rtp_mos(100), 4.5, 0);
	for (double r = 0; r < 100; r += 0.5)
		cr_assert(rtp_mos(r) >= 1 && rtp_mos(r) <= 4.5, "%f", r);
}

/* Cole and Rosenbluth, "Voice over IP performance monitoring" (2001): Id of G.107's defaults. */
Test(mos, delay_costs_what_is_published)
{
	for (double delay_ms = 0; delay_ms <= 300; delay_ms += 10) {
		double cost = 0.024 * delay_ms;

		if (delay_ms > 177.3)
			cost += 0.11 * (delay_ms - 177.3);
		near(93.2 - rating(delay_ms, 0, 1, true), cost, 1.0);
	}
}

/* Ie,eff = 95 Ppl / (Ppl / BurstR + Bpl) for G.711, G.113 appendix I. */
Test(mos, loss_costs_what_the_formula_says)
{
	near(93.2 - rating(0, 0.01, 1, true), 3.64, 0.05);
	near(93.2 - rating(0, 0.05, 1, true), 15.78, 0.05);
	near(93.2 - rating(0, 0.05, 2, true), 17.21, 0.05);
	near(93.2 - rating(0, 0.01, 1, false), 17.92, 0.05);
	near(93.2 - rating(0, 0.05, 1, false), 51.08, 0.05);
	cr_assert_geq(rating(2000, 1, 10, false), 0);
}

Test(mos, burstiness_is_one_for_random_loss_and_grows_with_gaps)
{
	near(rtp_burstiness(0, 0, 0), 1, 0);
	near(rtp_burstiness(1000, 100, 90), 1, 1e-9);
	near(rtp_burstiness(1000, 100, 30), 3, 1e-9);
	near(rtp_burstiness(1000, 100, 1), 10, 0);
	near(rtp_burstiness(1000, 100, 100), 1, 0);
	near(rtp_burstiness(1000, 1000, 1), 1, 0);
}
