/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/play/wav.h"

/** A file under construction. */
struct file {
	uint8_t bytes[400];
	size_t count;
};

static void
add(struct file *file, const void *bytes, size_t count)
{
	memcpy(file->bytes + file->count, bytes, count);
	file->count += count;
}

static void
add_word(struct file *file, uint32_t value, size_t bytes)
{
	for (; bytes > 0; bytes--, value >>= 8)
		file->bytes[file->count++] = (uint8_t)value;
}

static void
add_riff(struct file *file)
{
	add(file, "RIFF\0\0\0\0WAVE", 12);
}

static void
add_format(struct file *file, uint32_t coding, uint32_t channels, uint32_t rate, uint32_t width)
{
	add(file, "fmt ", 4);
	add_word(file, 16, 4);
	add_word(file, coding, 2);
	add_word(file, channels, 2);
	add_word(file, rate, 4);
	add_word(file, rate * channels * width / 8, 4);
	add_word(file, channels * width / 8, 2);
	add_word(file, width, 2);
}

static void
add_data(struct file *file, uint32_t claimed, size_t count)
{
	add(file, "data", 4);
	add_word(file, claimed, 4);
	for (size_t i = 0; i < count; i++)
		add_word(file, (uint32_t)i, 1);
}

/* Parse from an allocation of just that size, so that AddressSanitizer sees a byte too far. */
static int
parse(const struct file *file, size_t count, struct wav *wav, ptrdiff_t *data)
{
	uint8_t *copy = malloc(count ? count : 1);
	int error;

	memcpy(copy, file->bytes, count);
	error = wav_parse(copy, count, wav);
	if (!error)
		*data = wav->data - copy;
	free(copy);
	return error;
}

static int
parse_format(uint32_t coding, uint32_t channels, uint32_t rate, uint32_t width)
{
	struct file file = {.count = 0};
	struct wav wav;
	ptrdiff_t data;

	add_riff(&file);
	add_format(&file, coding, channels, rate, width);
	add_data(&file, 8, 8);
	return parse(&file, file.count, &wav, &data);
}

Test(wav, codings_we_know_are_taken)
{
	struct file file = {.count = 0};
	struct wav wav;
	ptrdiff_t data;

	cr_assert_eq(parse_format(WAV_PCM16, 1, 8000, 16), 0);
	cr_assert_eq(parse_format(WAV_PCMA, 1, 8000, 8), 0);
	cr_assert_eq(parse_format(WAV_PCMU, 1, 8000, 8), 0);
	add_riff(&file);
	add_format(&file, WAV_PCM16, 1, 8000, 16);
	add_data(&file, 9, 9);
	cr_assert_eq(parse(&file, file.count, &wav, &data), 0);
	cr_assert_eq(wav.coding, WAV_PCM16);
	cr_assert_eq(wav.samples, 4, "half a sample is none");
	cr_assert_eq(data, 44);
}

Test(wav, other_formats_are_not_supported)
{
	cr_assert_eq(parse_format(WAV_PCM16, 2, 8000, 16), -ENOTSUP);
	cr_assert_eq(parse_format(WAV_PCM16, 1, 16000, 16), -ENOTSUP);
	cr_assert_eq(parse_format(WAV_PCM16, 1, 8000, 8), -ENOTSUP);
	cr_assert_eq(parse_format(WAV_PCMA, 1, 8000, 16), -ENOTSUP);
	cr_assert_eq(parse_format(2, 1, 8000, 4), -ENOTSUP);
	cr_assert_eq(parse_format(3, 1, 8000, 32), -ENOTSUP);
}

Test(wav, what_is_no_wav_file_is_invalid)
{
	struct file file = {.count = 0};
	struct wav wav;
	ptrdiff_t data;

	add(&file, "RIFX\0\0\0\0WAVE", 12);
	cr_assert_eq(parse(&file, file.count, &wav, &data), -EINVAL);
	file.count = 0;
	add(&file, "RIFF\0\0\0\0AVI ", 12);
	cr_assert_eq(parse(&file, file.count, &wav, &data), -EINVAL);
	file.count = 0;
	add_riff(&file);
	add_data(&file, 8, 8);
	cr_assert_eq(parse(&file, file.count, &wav, &data), -EINVAL, "no format");
	file.count = 0;
	add_riff(&file);
	add_format(&file, WAV_PCMA, 1, 8000, 8);
	cr_assert_eq(parse(&file, file.count, &wav, &data), -EINVAL, "no data");
}

Test(wav, chunks_come_in_any_order_with_padding)
{
	struct file file = {.count = 0};
	struct wav wav;
	ptrdiff_t data;

	add_riff(&file);
	add(&file, "LIST\3\0\0\0abc\0", 12);
	add_data(&file, 5, 6);
	add(&file, "fact\4\0\0\0\5\0\0\0", 12);
	add_format(&file, WAV_PCMU, 1, 8000, 8);
	add(&file, "junk\377\377\377\377", 8);
	cr_assert_eq(parse(&file, file.count, &wav, &data), 0);
	cr_assert_eq(wav.coding, WAV_PCMU);
	cr_assert_eq(wav.samples, 5);
	cr_assert_eq(data, 12 + 12 + 8);
}

Test(wav, coding_given_by_guid_is_read)
{
	static const uint8_t rest[] = {0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71};
	struct file file = {.count = 0};
	struct wav wav;
	ptrdiff_t data;

	add_riff(&file);
	add_format(&file, 0xfffe, 1, 8000, 16);
	file.bytes[16] = 40;
	add_word(&file, 22, 2);
	add_word(&file, 16, 2);
	add_word(&file, 4, 4);
	add_word(&file, WAV_PCM16, 2);
	add(&file, rest, sizeof(rest));
	add_data(&file, 8, 8);
	cr_assert_eq(parse(&file, file.count, &wav, &data), 0);
	cr_assert_eq(wav.samples, 4);
	file.bytes[12 + 8 + 39] ^= 1;
	cr_assert_eq(parse(&file, file.count, &wav, &data), -ENOTSUP);
}

Test(wav, format_that_ends_before_its_guid_is_invalid)
{
	struct file file = {.count = 0};
	struct wav wav;
	ptrdiff_t data;

	add_riff(&file);
	add_data(&file, 8, 8);
	add_format(&file, 0xfffe, 1, 8000, 16);
	cr_assert_eq(parse(&file, file.count, &wav, &data), -EINVAL);
}

Test(wav, data_that_claims_too_much_ends_with_the_file)
{
	const uint32_t claims[] = {0xffffffff, 0x7fffffff, 11};

	for (int i = 0; i < 3; i++) {
		struct file file = {.count = 0};
		struct wav wav;
		ptrdiff_t data;

		add_riff(&file);
		add_format(&file, WAV_PCMA, 1, 8000, 8);
		add_data(&file, claims[i], 10);
		cr_assert_eq(parse(&file, file.count, &wav, &data), 0);
		cr_assert_eq(wav.samples, 10);
	}
}

Test(wav, file_cut_anywhere_is_read_within_its_bounds)
{
	struct file file = {.count = 0};
	struct wav wav;
	ptrdiff_t data;

	add_riff(&file);
	add_format(&file, WAV_PCMA, 1, 8000, 8);
	add_data(&file, 10, 10);
	for (size_t count = 0; count <= file.count; count++) {
		int error = parse(&file, count, &wav, &data);

		cr_assert_eq(error, count < 44 ? -EINVAL : 0, "%zu", count);
		if (!error)
			cr_assert_eq(wav.samples, count - 44);
	}
}

Test(wav, failure_leaves_the_result_alone)
{
	struct wav wav = {.samples = 77};

	cr_assert_eq(wav_parse((const uint8_t *)"RIFF", 4, &wav), -EINVAL);
	cr_assert_eq(wav.samples, 77);
}

Test(wav, header_is_one_that_we_read)
{
	struct file file = {.count = WAV_HEADER_BYTES};
	struct wav wav;
	ptrdiff_t data;

	wav_header_write(file.bytes, 1, 6);
	add(&file, "abcdefgh", 8);
	cr_assert_eq(parse(&file, file.count, &wav, &data), 0);
	cr_assert_eq(wav.samples, 3);
	cr_assert_eq(memcmp(file.bytes + 4, "\52\0\0\0", 4), 0, "42 bytes after this word");
	wav_header_write(file.bytes, 2, 8);
	cr_assert_eq(memcmp(file.bytes + 22, "\2\0\100\37\0\0\0\175\0\0\4\0\20\0", 14), 0);
}
