/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/play/playout_pack.h"
#include "media/play/wav.h"

#define PACKETS_MAX 4

static uint8_t room[RTP_CODEC_COUNT][PACKETS_MAX * PLAYOUT_PAYLOAD_BYTES + 1];

static struct playout_block
block_make(void)
{
	struct playout_block block = {{room[0], room[1]}, PACKETS_MAX, 99};

	memset(room, 0x11, sizeof(room));
	return block;
}

/* A file of that coding whose samples count up in their codes, or in steps of 100. */
static size_t
file_make(uint8_t *file, enum wav_coding coding, size_t samples)
{
	size_t width = coding == WAV_PCM16 ? 2 : 1;

	wav_header_write(file, 1, (uint32_t)(samples * width));
	file[20] = (uint8_t)coding;
	file[34] = (uint8_t)(width * 8);
	for (size_t i = 0; i < samples; i++) {
		int16_t sample = (int16_t)(100 * i);

		if (coding == WAV_PCM16)
			memcpy(file + WAV_HEADER_BYTES + 2 * i, &sample, 2);
		else
			file[WAV_HEADER_BYTES + i] = (uint8_t)i;
	}
	return WAV_HEADER_BYTES + samples * width;
}

Test(playout_pack, codec_of_the_file_is_copied_bit_by_bit)
{
	const enum wav_coding codings[] = {WAV_PCMU, WAV_PCMA};

	for (int codec = 0; codec < RTP_CODEC_COUNT; codec++) {
		struct playout_block block = block_make();
		uint8_t file[1000];
		size_t bytes = file_make(file, codings[codec], 400);

		cr_assert_eq(playout_pack_memory(file, bytes, &block), 0);
		cr_assert_eq(block.packets, 3);
		cr_assert_eq(memcmp(room[codec], file + WAV_HEADER_BYTES, 400), 0);
	}
}

Test(playout_pack, linear_samples_are_encoded_for_both)
{
	struct playout_block block = block_make();
	uint8_t file[1000], expected[320];
	size_t bytes = file_make(file, WAV_PCM16, 320);

	cr_assert_eq(playout_pack_memory(file, bytes, &block), 0);
	cr_assert_eq(block.packets, 2);
	for (int codec = 0; codec < RTP_CODEC_COUNT; codec++) {
		rtp_g711_encode(codec, (const int16_t *)(file + WAV_HEADER_BYTES), 320, expected);
		cr_assert_eq(memcmp(room[codec], expected, 320), 0);
	}
}

Test(playout_pack, other_law_is_translated_by_way_of_linear)
{
	struct playout_block block = block_make();
	uint8_t file[1000], expected[160];
	int16_t samples[160];
	size_t bytes = file_make(file, WAV_PCMU, 160);

	cr_assert_eq(playout_pack_memory(file, bytes, &block), 0);
	rtp_g711_decode(STW_CODEC_PCMU, file + WAV_HEADER_BYTES, 160, samples);
	rtp_g711_encode(STW_CODEC_PCMA, samples, 160, expected);
	cr_assert_eq(memcmp(room[STW_CODEC_PCMA], expected, 160), 0);
}

Test(playout_pack, last_packet_is_filled_with_silence_and_no_more)
{
	struct playout_block block = block_make();
	uint8_t file[1000];
	size_t bytes = file_make(file, WAV_PCM16, 161);

	cr_assert_eq(playout_pack_memory(file, bytes, &block), 0);
	cr_assert_eq(block.packets, 2);
	for (int i = 161; i < 320; i++) {
		cr_assert_eq(room[STW_CODEC_PCMU][i], 0xff);
		cr_assert_eq(room[STW_CODEC_PCMA][i], 0xd5);
	}
	cr_assert_eq(room[STW_CODEC_PCMU][320], 0x11);
	cr_assert_eq(room[STW_CODEC_PCMA][320], 0x11);
}

Test(playout_pack, file_that_just_fits_is_packed_and_one_sample_more_is_not)
{
	struct playout_block block = block_make();
	uint8_t file[1000];

	cr_assert_eq(playout_pack_memory(file, file_make(file, WAV_PCMU, 641), &block), -ENOSPC);
	cr_assert_eq(block.packets, 99);
	cr_assert_eq(room[0][0], 0x11);
	cr_assert_eq(playout_pack_memory(file, file_make(file, WAV_PCMU, 640), &block), 0);
	cr_assert_eq(block.packets, 4);
	cr_assert_eq(room[0][640], 0x11);
}

Test(playout_pack, file_without_samples_is_invalid)
{
	struct playout_block block = block_make();
	uint8_t file[100];

	cr_assert_eq(playout_pack_memory(file, file_make(file, WAV_PCMU, 0), &block), -EINVAL);
}

Test(playout_pack, each_failure_of_a_path_has_its_error)
{
	struct playout_block block = block_make();
	char folder[] = "/tmp/strowger-pack-XXXXXX", path[100];
	uint8_t file[1000];
	size_t bytes = file_make(file, WAV_PCM16, 200);
	FILE *stream;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file.wav", folder);
	cr_assert_eq(playout_pack(path, &block), -ENOENT);
	cr_assert_eq(playout_pack(folder, &block), -EINVAL, "a folder");
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(playout_pack(path, &block), -EINVAL, "a pipe");
	unlink(path);
	stream = fopen(path, "w");
	fwrite(file, 1, bytes, stream);
	fclose(stream);
	cr_assert_eq(playout_pack(path, &block), 0);
	cr_assert_eq(block.packets, 2);
	file[22] = 2;
	stream = fopen(path, "w");
	fwrite(file, 1, bytes, stream);
	fclose(stream);
	cr_assert_eq(playout_pack(path, &block), -ENOTSUP);
	cr_assert_eq(truncate(path, (off_t)PLAYOUT_FILE_BYTES_MAX + 1), 0);
	cr_assert_eq(playout_pack(path, &block), -ENOSPC);
	unlink(path);
	rmdir(folder);
}
