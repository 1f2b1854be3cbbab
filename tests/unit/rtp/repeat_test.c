/* SPDX-License-Identifier: BSD-3-Clause */
/* Repetition: a gap in a voiced sound goes on in its pitch. */
#include <criterion/criterion.h>

#include <math.h>

#include "rtp/conceal.h"
#include "rtp/g711.h"

#define FRAME 160
#define SSRC  0x1234u
#define PI    3.14159265358979323846

static struct rtp_conceal conceal;
static const int16_t *frame;

/* How loud the difference between what came out and a tone is, against the tone. */
static double
tone_error(double hertz, unsigned lost)
{
	struct rtp_piece piece = {.ssrc = SSRC, .codec = STW_CODEC_PCMU, .bytes = FRAME};
	double error = 0, energy = 0;

	rtp_conceal_init(&conceal, 320);
	for (unsigned i = 0; i < 20; i++) {
		uint8_t codes[FRAME];
		int16_t samples[FRAME];

		for (unsigned n = 0; n < FRAME; n++)
			samples[n] =
				(int16_t)lrint(8000 * sin(2 * PI * hertz * (i * FRAME + n) / 8000));
		rtp_g711_encode(STW_CODEC_PCMU, samples, FRAME, codes);
		piece.timestamp = i * FRAME;
		if (i < 10 || i >= 10 + lost)
			rtp_conceal_take(&conceal, &piece, codes);
		rtp_conceal_frame(&conceal, &frame);
		/* The first 10 ms of a gap are as loud as what is missing. */
		for (unsigned n = 0; i == 12 && n < 80; n++) {
			double wanted = 8000 * sin(2 * PI * hertz * (10 * FRAME + n) / 8000);

			error += (frame[n] - wanted) * (frame[n] - wanted);
			energy += wanted * wanted;
		}
	}
	return sqrt(error / energy);
}

Test(repeat, a_lost_packet_of_a_voiced_sound_goes_on_in_its_pitch)
{
	const double tones[] = {80, 100, 125, 160, 200};

	for (unsigned i = 0; i < 5; i++) {
		cr_assert_lt(tone_error(tones[i], 1), 0.1, "%.0f Hz: %.2f", tones[i],
			     tone_error(tones[i], 1));
		cr_assert_lt(tone_error(tones[i], 0), 0.03, "%.0f Hz", tones[i]);
	}
}
