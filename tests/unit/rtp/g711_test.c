/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Against the tables of ITU-T G.711 (11/88), built here from their description: segments of 16
 * equal steps, each twice as wide as the one before. Values are those of the tables, in 14 bits
 * for mu law and 13 bits for A law; linear samples are 4 and 8 times as large.
 */
#include <criterion/criterion.h>

#include "rtp/g711.h"

/** The positive half of a law: decision[n] to decision[n + 1] is code n and means output[n]. */
struct half {
	int scale;
	int decision[129];
	int output[128];
};

/* Tables 2a, 2b: decision values 0, 1, 3, ... 31, 35, 39, ... 95, 103, ... 8159; output 0 is 0. */
static void
pcmu_half(struct half *half)
{
	int value = 1;

	half->scale = 4;
	half->decision[0] = 0;
	half->output[0] = 0;
	for (int n = 1; n < 128; n++) {
		int step = 2 << n / 16;

		half->decision[n] = value;
		half->output[n] = value + step / 2;
		value += step;
	}
	half->decision[128] = value;
}

/* Tables 1a, 1b: decision values 0, 2, 4, ... 64, 68, ... 4096 (of 4096), outputs in the middle. */
static void
pcma_half(struct half *half)
{
	int value = 0;

	half->scale = 8;
	for (int n = 0; n < 128; n++) {
		int step = n < 16 ? 2 : 1 << n / 16;

		half->decision[n] = value;
		half->output[n] = value + step / 2;
		value += step;
	}
	half->decision[128] = value;
}

static int
code_of(const struct half *half, int magnitude)
{
	int code = 0;

	while (code < 127 && magnitude >= half->scale * half->decision[code + 1])
		code++;
	return code;
}

static void
check_law(enum stw_codec codec, const struct half *half, uint8_t positive, uint8_t negative)
{
	int16_t sample, back;
	uint8_t code;

	for (int n = 0; n < 128; n++) {
		code = (uint8_t)(positive ^ n);
		rtp_g711_decode(codec, &code, 1, &sample);
		cr_assert_eq(sample, half->scale * half->output[n], "+%d gave %d", n, sample);
		code = (uint8_t)(negative ^ n);
		rtp_g711_decode(codec, &code, 1, &sample);
		cr_assert_eq(sample, -half->scale * half->output[n], "-%d gave %d", n, sample);
	}
	for (int value = -32768; value < 32768; value++) {
		int expected = value < 0 ? negative ^ code_of(half, -value - 1)
					 : positive ^ code_of(half, value);

		sample = (int16_t)value;
		rtp_g711_encode(codec, &sample, 1, &code);
		cr_assert_eq(code, expected, "%d gave %02x not %02x", value, code, expected);
	}
	for (int n = 0; n < 256; n++) {
		uint8_t again;

		code = (uint8_t)n;
		rtp_g711_decode(codec, &code, 1, &sample);
		rtp_g711_encode(codec, &sample, 1, &again);
		rtp_g711_decode(codec, &again, 1, &back);
		cr_assert_eq(back, sample, "code %02x", n);
		cr_assert(again == code || sample == 0, "code %02x came back as %02x", n, again);
	}
}

Test(g711, mu_law_is_that_of_the_tables)
{
	struct half half;

	pcmu_half(&half);
	cr_assert_eq(half.decision[16], 31);
	cr_assert_eq(half.decision[17], 35);
	cr_assert_eq(half.decision[113], 4063 + 256);
	cr_assert_eq(half.decision[128], 8159);
	cr_assert_eq(half.output[127], 8031);
	check_law(STW_CODEC_PCMU, &half, 0xff, 0x7f);
}

Test(g711, a_law_is_that_of_the_tables)
{
	struct half half;

	pcma_half(&half);
	cr_assert_eq(half.decision[32], 64);
	cr_assert_eq(half.decision[33], 68);
	cr_assert_eq(half.decision[128], 4096);
	cr_assert_eq(half.output[127], 4032);
	check_law(STW_CODEC_PCMA, &half, 0xd5, 0x55);
}

Test(g711, silence_codes_are_the_smallest_values)
{
	const uint8_t codes[] = {RTP_PCMU_SILENCE, RTP_PCMA_SILENCE};
	int16_t sample;

	rtp_g711_decode(STW_CODEC_PCMU, &codes[0], 1, &sample);
	cr_assert_eq(sample, 0);
	rtp_g711_decode(STW_CODEC_PCMA, &codes[1], 1, &sample);
	cr_assert_eq(sample, 8);
}
