/* SPDX-License-Identifier: BSD-3-Clause */
/* Tones: the frequencies that are asked for, and no others, as loud as asked. */
#include <criterion/criterion.h>

#include <errno.h>
#include <math.h>

#include "rtp/tone.h"

#define COUNT 8000

/* Level of one frequency, dBm0. Source: Goertzel, "An algorithm for the evaluation of finite
 * trigonometric series", 1958. */
static double
level_of(const int16_t *samples, size_t count, double hz)
{
	double factor = 2 * cos(2 * M_PI * hz / RTP_TONE_RATE), before = 0, last = 0;
	double power;

	for (size_t i = 0; i < count; i++) {
		double now = samples[i] + factor * last - before;

		before = last;
		last = now;
	}
	power = before * before + last * last - factor * before * last;
	return 20 * log10(2 * sqrt(fmax(power, 1e-9)) / (double)count / 32767) + 3.14;
}

Test(tone, has_its_frequencies_at_their_level_and_no_others)
{
	static const uint16_t of[] = {425, 440, 480, 620, 1400};
	static int16_t samples[COUNT];

	for (unsigned i = 0; i < 5; i++) {
		struct rtp_tone tone = {{of[i], of[(i + 1) % 5]}, -16};

		rtp_tone_fill(&tone, samples, COUNT);
		cr_assert_float_eq(level_of(samples, COUNT, of[i]), -16, 0.05);
		cr_assert_float_eq(level_of(samples, COUNT, of[(i + 1) % 5]), -16, 0.05);
		cr_assert_lt(level_of(samples, COUNT, of[(i + 2) % 5]), -60);
	}
}

Test(tone, second_after_second_is_the_same_and_a_pause_is_silent)
{
	static int16_t samples[3 * COUNT];
	struct rtp_tone tone = {{697, 1633}, -10}, pause = {{0, 0}, -10};

	rtp_tone_fill(&tone, samples, 3 * COUNT);
	cr_assert_arr_eq(samples, samples + 2 * COUNT, COUNT * sizeof(*samples));
	rtp_tone_fill(&pause, samples, COUNT);
	for (unsigned i = 0; i < COUNT; i++)
		cr_assert_eq(samples[i], 0);
}

Test(tone, loud_sums_are_cut_and_do_not_turn_over)
{
	static int16_t samples[COUNT];
	struct rtp_tone tone = {{1000, 1000}, 0};

	rtp_tone_fill(&tone, samples, COUNT);
	for (unsigned i = 0; i + 1 < COUNT; i++)
		cr_assert(abs(samples[i] - samples[i + 1]) < 40000, "at %u", i);
}

Test(tone, keys_have_the_frequencies_of_their_row_and_column)
{
	uint16_t hz[2];

	cr_assert_eq(rtp_tone_key('1', hz), 0);
	cr_assert(hz[0] == 697 && hz[1] == 1209);
	cr_assert_eq(rtp_tone_key('0', hz), 0);
	cr_assert(hz[0] == 941 && hz[1] == 1336);
	cr_assert_eq(rtp_tone_key('D', hz), 0);
	cr_assert(hz[0] == 941 && hz[1] == 1633);
	cr_assert_eq(rtp_tone_key('#', hz), 0);
	cr_assert(hz[0] == 941 && hz[1] == 1477);
	cr_assert_eq(rtp_tone_key('E', hz), -EINVAL);
	cr_assert_eq(rtp_tone_key('\0', hz), -EINVAL);
}
