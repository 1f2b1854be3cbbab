/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tones as playouts: a cadence of sines is encoded and stored like a file.
 */
#include "rtp/tone.h"

#include <errno.h>
#include <stdlib.h>

#include <strowger/tone.h>

#include "playout.h"

#define PART_MS_MIN 20
#define PART_MS_MAX 10000
#define KEY_MS_MIN  40
#define KEY_MS_MAX  5000
#define HZ_MIN      100
#define HZ_MAX      3700
#define LEVEL_MIN   (-63)
#define LEVEL_MAX   (-3)

/** Level of a key's two frequencies. Source: ITU-T Q.24 table A-1 lies around it. */
#define KEY_LEVEL_DBM0 (-9)

static const struct stw_tone_config presets[STW_TONE_KIND_COUNT] = {
	[STW_TONE_RING_BACK] = {.parts = {{{425, 0}, 1000}, {{0, 0}, 4000}}, .parts_count = 2},
	[STW_TONE_BUSY] = {.parts = {{{425, 0}, 500}, {{0, 0}, 500}}, .parts_count = 2},
	[STW_TONE_CONGESTION] = {.parts = {{{425, 0}, 240}, {{0, 0}, 240}}, .parts_count = 2},
	[STW_TONE_RING_BACK_US] = {.parts = {{{440, 480}, 2000}, {{0, 0}, 4000}}, .parts_count = 2},
	[STW_TONE_BUSY_US] = {.parts = {{{480, 620}, 500}, {{0, 0}, 500}}, .parts_count = 2},
	[STW_TONE_CONGESTION_US] = {.parts = {{{480, 620}, 240}, {{0, 0}, 260}}, .parts_count = 2},
	[STW_TONE_CALL_WAITING] =
		{.parts = {{{425, 0}, 200}, {{0, 0}, 200}, {{425, 0}, 200}, {{0, 0}, 9400}},
		 .parts_count = 4},
	[STW_TONE_RECORD_BEEP] = {.parts = {{{1400, 0}, 400}, {{0, 0}, 7400}, {{0, 0}, 7200}},
				  .parts_count = 3},
	[STW_TONE_INTERCEPT_BEEP] = {.parts = {{{1400, 0}, 200}}, .parts_count = 1},
};

int
stw_tone_preset(enum stw_tone_kind kind, struct stw_tone_config *config)
{
	if ((unsigned)kind >= STW_TONE_KIND_COUNT)
		return -EINVAL;
	*config = presets[kind];
	config->struct_size = sizeof(*config);
	config->level_dbm0 = -16;
	config->loop = kind != STW_TONE_INTERCEPT_BEEP;
	return 0;
}

int
stw_tone_key(char key, uint16_t duration_ms, struct stw_tone_config *config)
{
	struct stw_tone_config made = STW_TONE_CONFIG_INIT;

	if (duration_ms < KEY_MS_MIN || duration_ms > KEY_MS_MAX ||
	    duration_ms % STW_PLAYOUT_PACKET_MS ||
	    rtp_tone_key(key, made.parts[0].frequency_hz) < 0)
		return -EINVAL;
	made.parts[0].duration_ms = duration_ms;
	made.parts_count = 1;
	made.level_dbm0 = KEY_LEVEL_DBM0;
	made.loop = 0;
	*config = made;
	return 0;
}

static bool
frequency_is_valid(uint16_t hz)
{
	return hz == 0 || (hz >= HZ_MIN && hz <= HZ_MAX);
}

/** Packets of a tone; 0 when its description is outside the ranges. */
static uint32_t
tone_packets(const struct stw_tone_config *config)
{
	uint32_t ms = 0;

	if (config->struct_size < sizeof(*config) || config->parts_count < 1 ||
	    config->parts_count > STW_TONE_PARTS_MAX || config->level_dbm0 < LEVEL_MIN ||
	    config->level_dbm0 > LEVEL_MAX || config->loop > 1)
		return 0;
	for (unsigned i = 0; i < config->parts_count; i++) {
		const struct stw_tone_part *part = &config->parts[i];

		if (part->duration_ms < PART_MS_MIN || part->duration_ms > PART_MS_MAX ||
		    part->duration_ms % STW_PLAYOUT_PACKET_MS ||
		    !frequency_is_valid(part->frequency_hz[0]) ||
		    !frequency_is_valid(part->frequency_hz[1]))
			return 0;
		ms += part->duration_ms;
	}
	return ms / STW_PLAYOUT_PACKET_MS;
}

/** Make the samples of all parts, one after the other. */
static void
samples_fill(const struct stw_tone_config *config, int16_t *samples)
{
	for (unsigned i = 0; i < config->parts_count; i++) {
		const struct stw_tone_part *part = &config->parts[i];
		size_t count = (size_t)part->duration_ms * RTP_TONE_RATE / 1000;
		struct rtp_tone tone = {{part->frequency_hz[0], part->frequency_hz[1]},
					config->level_dbm0};

		rtp_tone_fill(&tone, samples, count);
		samples += count;
	}
}

int
stw_tone_load(struct stw_media *media, const struct stw_tone_config *config,
	      struct stw_playout *playout)
{
	uint32_t packets = tone_packets(config);
	struct playout_block block = {0};
	size_t samples_count = (size_t)packets * PLAYOUT_PAYLOAD_BYTES;
	int16_t *samples;
	int error;

	if (!packets)
		return -EINVAL;
	samples = malloc(samples_count * sizeof(*samples));
	error = samples ? playout_block_make(&block, packets) : -ENOMEM;
	if (error == 0) {
		samples_fill(config, samples);
		for (unsigned codec = 0; codec < RTP_CODEC_COUNT; codec++)
			rtp_g711_encode((enum stw_codec)codec, samples, samples_count,
					block.payloads[codec]);
		block.packets = packets;
	}
	error = playout_admit(media, error, &block, config->loop, playout);
	playout_block_free(&block);
	free(samples);
	return error;
}
