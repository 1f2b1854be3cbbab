/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encrypted recordings: whatever the bytes are, what is given out has the length that is reported, lies in
 * bounds, and a file is called whole only when the writer made it so. Files of the corpus were made
 * with the key below, so that bytes behind the header are reached.
 */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "unseal.h"

static const uint8_t key[UNSEAL_KEY_BYTES] = "an example's key of 32 bytes...";

/** What was given out. */
struct given {
	uint64_t bytes;
};

static int
take_data(void *context, const uint8_t *bytes, size_t count)
{
	struct given *given = context;
	volatile uint8_t last = count ? bytes[count - 1] : 0;

	(void)last;
	given->bytes += count;
	return 0;
}

static int
take_zeros(void *context, uint64_t count)
{
	struct given *given = context;

	FUZZ_ASSERT(given->bytes + count >= count);
	given->bytes += count;
	return 0;
}

static int
take_patch(void *context, uint64_t offset, const uint8_t *bytes, size_t count)
{
	struct given *given = context;

	FUZZ_ASSERT(offset + count <= given->bytes);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct given given = {0};
	const struct unseal_sink sink = {&given, take_data, take_zeros, take_patch};
	struct unseal_report report;
	enum unseal_result result;
	FILE *file = fmemopen(count ? (void *)(uintptr_t)bytes : (void *)&given, count ? count : 1,
			      "rb");

	if (!file)
		return 0;
	if (!count)
		fgetc(file);
	result = unseal(file, key, &sink, &report);
	fclose(file);
	FUZZ_ASSERT(result <= UNSEAL_UNREAD);
	FUZZ_ASSERT(report.plain_bytes == given.bytes);
	FUZZ_ASSERT(report.sealed_bytes <= count);
	FUZZ_ASSERT(result != UNSEAL_WHOLE || report.sealed_bytes == count);
	FUZZ_ASSERT((result != UNSEAL_FOREIGN && result != UNSEAL_WRONG_KEY) || given.bytes == 0);
	return 0;
}
