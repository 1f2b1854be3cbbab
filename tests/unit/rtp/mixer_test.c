/* SPDX-License-Identifier: BSD-3-Clause */
/* Mixer against sums made in double precision, for random parties; and the levels of audio. */
#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/level.h"
#include "rtp/mixer.h"

#define ROUNDS 3000
#define PI     3.14159265358979323846

static int16_t parties[RTP_MIXER_PARTIES][RTP_FRAME_SAMPLES];

static int16_t
limited(double sum)
{
	return (int16_t)(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum);
}

static void
parties_say(void)
{
	for (unsigned party = 0; party < RTP_MIXER_PARTIES; party++) {
		int loudness = 1 + rand() % 32768;

		for (unsigned n = 0; n < RTP_FRAME_SAMPLES; n++) {
			parties[party][n] = (int16_t)(rand() % (2 * loudness) - loudness);
			if (rand() % 40 == 0)
				parties[party][n] = rand() % 2 ? INT16_MIN : INT16_MAX;
		}
	}
}

Test(mixer, every_listener_hears_exactly_the_sum_of_whom_it_hears)
{
	const int16_t *frames[RTP_MIXER_PARTIES];
	int16_t heard[RTP_FRAME_SAMPLES];
	struct rtp_mixer mixer;

	srand(3);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint8_t speaking = (uint8_t)rand(), mask = (uint8_t)rand();

		parties_say();
		for (unsigned party = 0; party < RTP_MIXER_PARTIES; party++)
			frames[party] = speaking >> party & 1 ? parties[party] : NULL;
		rtp_mixer_begin(&mixer, frames, speaking);
		cr_assert_eq(rtp_mixer_hear(&mixer, mask, heard), speaking & mask);
		for (unsigned n = 0; n < RTP_FRAME_SAMPLES; n++) {
			double sum = 0;

			for (unsigned party = 0; party < RTP_MIXER_PARTIES; party++)
				if (speaking & mask & 1 << party)
					sum += parties[party][n];
			cr_assert_eq(heard[n], limited(sum), "round %u sample %u", round, n);
		}
	}
}

Test(level, is_that_of_rfc_6464)
{
	int16_t samples[8000];

	memset(samples, 0, sizeof(samples));
	cr_assert_eq(rtp_level(samples, 160), 127);
	for (unsigned n = 0; n < 8000; n++)
		samples[n] = n % 2 ? 32124 : -32124;
	cr_assert_eq(rtp_level(samples, 160), 0);
	for (int level = 1; level < 70; level++) {
		double peak = 32124 * pow(10, -level / 20.0) * sqrt(2);

		/* A sine cannot be as loud as a square wave. */
		if (peak > 32767)
			continue;
		for (unsigned n = 0; n < 8000; n++)
			samples[n] = (int16_t)lrint(peak * sin(2 * PI * 440 * n / 8000));
		cr_assert_eq(rtp_level(samples, 8000), level, "%d gave %u", level,
			     rtp_level(samples, 8000));
	}
	memset(samples, 0, sizeof(samples));
	samples[3] = 8;
	cr_assert_geq(rtp_level(samples, 160), 85);
	cr_assert_leq(rtp_level(samples, 160), 127);
}

Test(level, a_click_is_no_voice_and_a_short_pause_is_no_silence)
{
	struct rtp_voice voice = {0};

	for (unsigned i = 0; i < 20; i++)
		cr_assert_not(rtp_voice_hear(&voice, i % 5 == 0, 20));
	cr_assert_not(rtp_voice_hear(&voice, true, 20));
	cr_assert_not(rtp_voice_hear(&voice, true, 20));
	cr_assert(rtp_voice_hear(&voice, true, 20));
	for (unsigned i = 0; i < 10; i++)
		cr_assert(rtp_voice_hear(&voice, true, 20));
	for (unsigned i = 0; i < 6; i++)
		cr_assert(rtp_voice_hear(&voice, false, 20));
	cr_assert_not(rtp_voice_hear(&voice, false, 20));
	cr_assert_not(rtp_voice_hear(&voice, false, 20));
	cr_assert_not(rtp_voice_hear(&voice, true, 20));
}
