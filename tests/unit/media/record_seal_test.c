/* SPDX-License-Identifier: BSD-3-Clause */
/* Encrypted files: the reader that shares no code with the writer gets back what was written. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "media/fork/record_file.h"
#include "media/fork/record_seal.h"
#include "unseal.h"

#define PLAIN_MAX  (1 << 20)
#define SEALED_MAX (PLAIN_MAX + 65536)

static const uint8_t key[SEAL_KEY_BYTES] = "an example's key of 32 bytes...";

static char path[] = "/tmp/stw-seal-XXXXXX";
static uint8_t plain[PLAIN_MAX], read_back[PLAIN_MAX], sealed[SEALED_MAX];
static size_t plain_bytes, sealed_bytes, read_bytes;

static void
open_file(void)
{
	close(mkstemp(path));
	unlink(path);
	plain_bytes = 0;
}

static void
close_file(void)
{
	unlink(path);
}

TestSuite(seal, .init = open_file, .fini = close_file);

/* What the reader gives out goes to memory. */
static int
memory_data(void *context, const uint8_t *bytes, size_t count)
{
	if (read_bytes + count > PLAIN_MAX)
		return -1;
	memcpy(read_back + read_bytes, bytes, count);
	read_bytes += count;
	return 0;
}

static int
memory_zeros(void *context, uint64_t count)
{
	if (read_bytes + count > PLAIN_MAX)
		return -1;
	memset(read_back + read_bytes, 0, count);
	read_bytes += count;
	return 0;
}

static int
memory_patch(void *context, uint64_t offset, const uint8_t *bytes, size_t count)
{
	cr_assert_leq(offset + count, read_bytes);
	memcpy(read_back + offset, bytes, count);
	return 0;
}

static enum unseal_result
read_sealed(const uint8_t *with, size_t bytes, struct unseal_report *report)
{
	const struct unseal_sink sink = {NULL, memory_data, memory_zeros, memory_patch};
	FILE *file = fmemopen(sealed, bytes ? bytes : 1, "rb");
	enum unseal_result result;

	if (!bytes)
		fgetc(file);
	read_bytes = 0;
	result = unseal(file, with, &sink, report);
	fclose(file);
	return result;
}

static void
file_load(void)
{
	FILE *file = fopen(path, "rb");

	cr_assert_not_null(file);
	sealed_bytes = fread(sealed, 1, SEALED_MAX, file);
	fclose(file);
}

static void
append(struct record_out *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		plain[plain_bytes + i] = (uint8_t)(plain_bytes + i * 7 + (i >> 8));
	cr_assert_eq(record_out_write(out, plain + plain_bytes, count, plain_bytes), 0);
	plain_bytes += count;
}

static void
extend(struct record_out *out, size_t count)
{
	memset(plain + plain_bytes, 0, count);
	plain_bytes += count;
	cr_assert_eq(record_out_extend(out, plain_bytes), 0);
}

static void
patch(struct record_out *out, size_t offset, size_t count)
{
	memset(plain + offset, (int)(offset + count), count);
	cr_assert_eq(record_out_write(out, plain + offset, count, offset), 0);
}

/* A file with all that there is, of some chunks. */
static void
file_make(size_t data)
{
	struct record_out out;
	uint64_t bytes;

	cr_assert_eq(record_out_open(&out, path, key), 0);
	append(&out, 44);
	append(&out, data);
	patch(&out, 4, 8);
	extend(&out, 1000);
	append(&out, 3);
	patch(&out, 0, 44);
	cr_assert_eq(out.bytes, plain_bytes);
	cr_assert_eq(record_out_close(&out, &bytes), 0);
	file_load();
	cr_assert_eq(bytes, sealed_bytes);
}

Test(seal, what_was_written_is_read)
{
	static const size_t sizes[] = {0, 1, 16339, 16340, 16341, 50000, 400000};
	struct unseal_report report;

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		plain_bytes = 0;
		file_make(sizes[i]);
		cr_assert_eq(read_sealed(key, sealed_bytes, &report), UNSEAL_WHOLE);
		cr_assert_eq(report.plain_bytes, plain_bytes);
		cr_assert_eq(report.sealed_bytes, sealed_bytes);
		cr_assert_eq(read_bytes, plain_bytes);
		cr_assert_eq(memcmp(read_back, plain, plain_bytes), 0);
		unlink(path);
	}
}

Test(seal, nothing_of_the_plain_file_is_in_the_sealed_one)
{
	file_make(50000);
	for (size_t at = 0; at + 16 < plain_bytes; at += 97) {
		if (plain[at] || plain[at + 1])
			cr_assert_null(memmem(sealed, sealed_bytes, plain + at, 16));
	}
}

Test(seal, same_bytes_are_sealed_differently_each_time)
{
	static uint8_t before[SEALED_MAX];

	file_make(1000);
	memcpy(before, sealed, sealed_bytes);
	unlink(path);
	plain_bytes = 0;
	file_make(1000);
	cr_assert_neq(memcmp(before + 16, sealed + 16, 24), 0);
	cr_assert_neq(memcmp(before + 100, sealed + 100, 500), 0);
}

Test(seal, wrong_key_is_told)
{
	uint8_t other[SEAL_KEY_BYTES];
	struct unseal_report report;

	file_make(100);
	memcpy(other, key, sizeof(other));
	other[31] ^= 1;
	cr_assert_eq(read_sealed(other, sealed_bytes, &report), UNSEAL_WRONG_KEY);
	cr_assert_eq(read_bytes, 0);
}

/* Every byte of the file matters: whichever is changed, it is told, and what came before is right. */
Test(seal, every_changed_byte_is_told)
{
	struct unseal_report report;

	file_make(300);
	for (size_t at = 0; at < sealed_bytes; at++) {
		enum unseal_result result;

		sealed[at] ^= 0x10;
		result = read_sealed(key, sealed_bytes, &report);
		cr_assert_neq(result, UNSEAL_WHOLE, "byte %zu", at);
		if (at < 8)
			cr_assert_eq(result, UNSEAL_FOREIGN);
		else if (at >= 12 && at < SEAL_HEADER_BYTES)
			cr_assert_eq(result, UNSEAL_WRONG_KEY, "byte %zu", at);
		else if (at >= SEAL_HEADER_BYTES)
			cr_assert(result == UNSEAL_CORRUPT || result == UNSEAL_CUT);
		cr_assert(read_bytes <= 44 ||
			  memcmp(read_back + 44, plain + 44, read_bytes - 44) == 0);
		sealed[at] ^= 0x10;
	}
}

Test(seal, every_cut_is_told_and_what_is_whole_is_read)
{
	struct unseal_report report;
	size_t most = 0;

	file_make(40000);
	for (size_t bytes = 0; bytes < sealed_bytes; bytes += bytes < 2000 ? 1 : 37) {
		enum unseal_result result = read_sealed(key, bytes, &report);

		cr_assert_eq(result, bytes < 8 ? UNSEAL_FOREIGN : UNSEAL_CUT, "%zu bytes", bytes);
		cr_assert_leq(report.sealed_bytes, bytes);
		cr_assert_geq(read_bytes, most);
		cr_assert(read_bytes <= 44 ||
			  memcmp(read_back + 44, plain + 44, read_bytes - 44) == 0);
		most = read_bytes;
	}
	cr_assert_eq(most, plain_bytes);
}

Test(seal, chunks_in_another_order_or_after_the_end_are_told)
{
	static uint8_t chunk[20000];
	struct unseal_report report;
	size_t first = SEAL_HEADER_BYTES, length;

	file_make(40000);
	length = 4 + (sealed[first] | (size_t)sealed[first + 1] << 8);
	memcpy(chunk, sealed + first, length);
	memmove(sealed + first, sealed + first + length, length);
	memcpy(sealed + first + length, chunk, length);
	cr_assert_eq(read_sealed(key, sealed_bytes, &report), UNSEAL_CORRUPT);
	cr_assert_eq(read_bytes, 0);
	file_load();
	memmove(sealed + first, sealed + first + length, sealed_bytes - first - length);
	cr_assert_eq(read_sealed(key, sealed_bytes - length, &report), UNSEAL_CORRUPT);
	file_load();
	sealed[sealed_bytes] = 0;
	cr_assert_eq(read_sealed(key, sealed_bytes + 1, &report), UNSEAL_CORRUPT);
}

Test(seal, full_disk_leaves_whole_chunks)
{
	struct rlimit small = {40000, 40000};
	struct unseal_report report;
	struct record_out out;
	int error = 0;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	cr_assert_eq(record_out_open(&out, path, key), 0);
	for (unsigned i = 0; i < 100 && !error; i++) {
		memset(plain + plain_bytes, (int)i, 1000);
		error = record_out_write(&out, plain + plain_bytes, 1000, plain_bytes);
		plain_bytes += 1000;
	}
	cr_assert_eq(error, -ENOSPC);
	cr_assert_eq(record_out_write(&out, plain, 10, plain_bytes), -ENOSPC, "for good");
	cr_assert_eq(record_out_close(&out, NULL), -ENOSPC);
	file_load();
	cr_assert_eq(read_sealed(key, sealed_bytes, &report), UNSEAL_CUT);
	cr_assert_eq(report.sealed_bytes, sealed_bytes);
	cr_assert_eq(read_bytes, 2 * SEAL_CHUNK_BYTES);
	cr_assert_eq(memcmp(read_back, plain, read_bytes), 0);
}

Test(seal, file_that_cannot_be_begun_is_not_left_behind)
{
	struct rlimit none = {10, 10};
	struct record_out out;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	cr_assert_eq(record_out_open(&out, path, key), -ENOSPC);
	cr_assert_neq(access(path, F_OK), 0);
}
