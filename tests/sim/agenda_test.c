/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts that the simulation stands on: the order of the agenda, and the random variates. */
#include <criterion/criterion.h>

#include <math.h>

#include "agenda.h"
#include "support/random.h"
#include "variate.h"

#define ITEMS   20000
#define SAMPLES 200000

Test(agenda, items_come_by_time_and_of_one_time_as_entered)
{
	struct random random = {7};
	struct agenda_item before = {0};
	struct agenda agenda;
	uint32_t taken = 0;

	cr_assert_eq(agenda_create(&agenda, 1), 0);
	for (uint32_t i = 0; i < ITEMS; i++) {
		struct agenda_item item = {.at_ns = random_below(&random, 500), .subject = i};

		cr_assert_eq(agenda_add(&agenda, &item), 0);
		/* Now and then one is taken; a later one may then be earlier again. */
		if (random_happens(&random, 300)) {
			agenda_take(&agenda);
			taken++;
		}
	}
	for (; agenda_first(&agenda); taken++) {
		struct agenda_item item = agenda_take(&agenda);

		cr_assert(item.at_ns > before.at_ns ||
				  (item.at_ns == before.at_ns && item.subject >= before.subject),
			  "item %u of %lu after item %u of %lu", item.subject, item.at_ns,
			  before.subject, before.at_ns);
		before = item;
	}
	cr_assert_eq(taken, ITEMS);
	agenda_free(&agenda);
}

static void
check_moments(const struct variate *variate, double mean_s, double deviation_s)
{
	double sum = 0, squares = 0, mean, deviation;
	struct variate_stream stream;

	variate_seed(&stream, 1, 2, variate->kind);
	for (int i = 0; i < SAMPLES; i++) {
		double value = (double)variate_ns(variate, &stream) / 1e9;

		cr_assert(value >= 0);
		sum += value;
		squares += value * value;
	}
	mean = sum / SAMPLES;
	deviation = sqrt(fmax(0, squares / SAMPLES - mean * mean));
	cr_expect(fabs(mean - mean_s) <= 4 * deviation_s / sqrt(SAMPLES) + 1e-9,
		  "kind %u: mean %g and not %g", variate->kind, mean, mean_s);
	cr_expect(fabs(deviation - deviation_s) <= 0.02 * deviation_s + 1e-4,
		  "kind %u: deviation %g and not %g", variate->kind, deviation, deviation_s);
}

Test(variate, distributions_have_their_means_and_deviations)
{
	check_moments(&(struct variate){VARIATE_CONSTANT, 30}, 30, 0);
	check_moments(&(struct variate){VARIATE_EXPONENTIAL, 180}, 180, 180);
	check_moments(&(struct variate){VARIATE_LOGNORMAL, 240, 100}, 240, 100);
	check_moments(&(struct variate){VARIATE_UNIFORM, 20, 10}, 20, 10 / sqrt(3));
	/* Shape 2: the deviation is the mean times sqrt(4 / pi - 1). */
	check_moments(&(struct variate){VARIATE_WEIBULL, 60, 0, 2}, 60, 60 * sqrt(4 / M_PI - 1));
}

Test(variate, who_never_ends_does_not)
{
	struct variate_stream stream;

	variate_seed(&stream, 1, 1, 1);
	cr_assert_eq(variate_ns(&(struct variate){VARIATE_NEVER_ENDS}, &stream), VARIATE_NEVER);
}

Test(variate, streams_of_a_seed_differ)
{
	struct variate_stream streams[4];
	uint64_t first[4];

	variate_seed(&streams[0], 1, 0, 0);
	variate_seed(&streams[1], 1, 0, 1);
	variate_seed(&streams[2], 1, 1, 0);
	variate_seed(&streams[3], 2, 0, 0);
	for (int i = 0; i < 4; i++) {
		first[i] = variate_next(&streams[i]);
		for (int j = 0; j < i; j++)
			cr_expect_neq(first[i], first[j]);
	}
}
