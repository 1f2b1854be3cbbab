/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TZif files: whatever the bytes, a zone that is made has offsets within their range, and an offset
 * holds until the instant that is told.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/zone.h"

/* The offset at an instant and just before its end are the same, and time goes on. */
static int64_t
step(const struct zone *zone, int64_t unix_s)
{
	int64_t until_s;
	int64_t later_s;
	int32_t offset_s = zone_offset(zone, unix_s, &until_s);

	FUZZ_ASSERT(offset_s >= ZONE_OFFSET_MIN && offset_s <= ZONE_OFFSET_MAX);
	FUZZ_ASSERT(until_s > unix_s);
	if (until_s <= ZONE_SECOND_MAX) {
		FUZZ_ASSERT(zone_offset(zone, until_s - 1, &later_s) == offset_s);
		FUZZ_ASSERT(later_s == until_s);
	}
	return until_s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static const int64_t starts[] = {
		-ZONE_SECOND_MAX,    INT64_C(-2208988800), 0,
		INT64_C(1700000000), INT64_C(4102444800),  ZONE_SECOND_MAX};
	struct zone *zone = NULL;
	int error = zone_create(&zone, bytes, count);

	if (error) {
		FUZZ_ASSERT(error == -EBADMSG || error == -ENOTSUP);
		FUZZ_ASSERT(!zone);
		return 0;
	}
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		int64_t at_s = starts[i];

		for (int steps = 0; steps < 8 && at_s <= ZONE_SECOND_MAX; steps++)
			at_s = step(zone, at_s);
	}
	zone_free(zone);
	return 0;
}
