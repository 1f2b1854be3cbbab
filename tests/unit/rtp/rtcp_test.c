/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/rtcp.h"

/* A receiver report without blocks, a source description of one empty chunk, a goodbye. */
static const uint8_t compound[] = {
	0x80, 201, 0, 1, 1, 2, 3,    4,   0x81, 202, 0, 2, 1, 2,
	3,    4,   0, 0, 0, 0, 0x81, 203, 0,    1,   1, 2, 3, 4,
};

static int
check_exact(const uint8_t *packet, size_t bytes)
{
	uint8_t *copy = malloc(bytes ? bytes : 1);
	int result;

	memcpy(copy, packet, bytes);
	result = rtp_rtcp_check(copy, bytes);
	free(copy);
	return result;
}

Test(rtcp, whole_compound_packet_is_counted)
{
	cr_assert_eq(check_exact(compound, sizeof(compound)), 3);
	cr_assert_eq(check_exact(compound, 8), 1);
	cr_assert_eq(check_exact(compound, 20), 2);
}

Test(rtcp, packet_cut_anywhere_else_is_refused)
{
	for (size_t bytes = 0; bytes < sizeof(compound); bytes++)
		if (bytes != 8 && bytes != 20)
			cr_assert_eq(check_exact(compound, bytes), -EINVAL, "%zu", bytes);
}

Test(rtcp, first_packet_must_be_a_report)
{
	cr_assert_eq(check_exact(compound + 8, sizeof(compound) - 8), -EINVAL);
}

Test(rtcp, reduced_size_packet_may_begin_with_any_type)
{
	const uint8_t other[] = {0x80, 191, 0, 0};

	cr_assert_eq(rtp_rtcp_check_reduced(compound + 8, sizeof(compound) - 8), 2);
	cr_assert_eq(rtp_rtcp_check_reduced(compound, sizeof(compound)), 3);
	cr_assert_eq(rtp_rtcp_check_reduced(other, sizeof(other)), -EINVAL);
	for (size_t bytes = 0; bytes < sizeof(compound); bytes++)
		if (bytes != 8 && bytes != 20)
			cr_assert_eq(rtp_rtcp_check_reduced(compound, bytes), -EINVAL, "%zu",
				     bytes);
}

Test(rtcp, every_version_is_looked_at)
{
	for (size_t place = 0; place < sizeof(compound); place += place == 8 ? 12 : 8) {
		uint8_t packet[sizeof(compound)];

		memcpy(packet, compound, sizeof(packet));
		packet[place] &= 0x3f;
		cr_assert_eq(check_exact(packet, sizeof(packet)), -EINVAL, "%zu", place);
	}
}

Test(rtcp, padding_is_allowed_in_the_last_packet_only)
{
	uint8_t packet[sizeof(compound) + 4];

	memcpy(packet, compound, sizeof(compound));
	memset(packet + sizeof(compound), 0, 4);
	packet[20] |= 0x20;
	packet[23] = 2;
	packet[sizeof(packet) - 1] = 4;
	cr_assert_eq(check_exact(packet, sizeof(packet)), 3);
	packet[sizeof(packet) - 1] = 3;
	cr_assert_eq(check_exact(packet, sizeof(packet)), -EINVAL, "not a multiple of 4");
	packet[sizeof(packet) - 1] = 12;
	cr_assert_eq(check_exact(packet, sizeof(packet)), -EINVAL, "eats the header");
	packet[sizeof(packet) - 1] = 4;
	packet[8] |= 0x20;
	packet[19] = 4;
	cr_assert_eq(check_exact(packet, sizeof(packet)), -EINVAL, "padding in the middle");
	packet[8] &= (uint8_t)~0x20;
	packet[0] |= 0x20;
	cr_assert_eq(check_exact(packet, sizeof(packet)), -EINVAL, "padding in the first");
}
