/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <strowger/rtp.h>

#include "capture.h"

static const uint8_t plain[] = {0x80, 0x88, 0x12, 0x34, 0x01, 0x02, 0x03,
				0x04, 0xde, 0xad, 0xbe, 0xef, 0xd5, 0xd5};

/* Read from an allocation of just that size, so that AddressSanitizer sees a byte too far. */
static int
read_exact(const uint8_t *packet, size_t bytes, struct stw_rtp_header *header)
{
	uint8_t *copy = malloc(bytes ? bytes : 1);
	int error;

	memcpy(copy, packet, bytes);
	error = stw_rtp_read(copy, bytes, header);
	free(copy);
	return error;
}

Test(header, fields_are_read_in_network_order)
{
	struct stw_rtp_header header;

	cr_assert_eq(read_exact(plain, sizeof(plain), &header), 0);
	cr_assert_eq(header.marker, 1);
	cr_assert_eq(header.payload_type, 8);
	cr_assert_eq(header.sequence, 0x1234);
	cr_assert_eq(header.timestamp, 0x01020304u);
	cr_assert_eq(header.ssrc, 0xdeadbeefu);
	cr_assert_eq(header.payload_offset, 12);
	cr_assert_eq(header.payload_bytes, 2);
}

Test(header, every_shorter_packet_is_refused)
{
	struct stw_rtp_header header;

	for (size_t bytes = 0; bytes < STW_RTP_HEADER_BYTES; bytes++)
		cr_assert_eq(read_exact(plain, bytes, &header), -EINVAL);
}

Test(header, other_versions_are_refused)
{
	struct stw_rtp_header header;

	for (int version = 0; version < 4; version++) {
		uint8_t packet[sizeof(plain)];

		memcpy(packet, plain, sizeof(plain));
		packet[0] = (uint8_t)(version << 6);
		cr_assert_eq(read_exact(packet, sizeof(packet), &header),
			     version == 2 ? 0 : -EINVAL);
	}
}

Test(header, sources_extension_and_padding_are_left_out_of_the_payload)
{
	uint8_t packet[12 + 8 + 4 + 4 + 3 + 2] = {0x80 | 0x20 | 0x10 | 2};
	struct stw_rtp_header header;

	packet[12 + 8 + 3] = 1; /* one word of extension */
	packet[sizeof(packet) - 1] = 2;
	cr_assert_eq(read_exact(packet, sizeof(packet), &header), 0);
	cr_assert_eq(header.payload_offset, 28);
	cr_assert_eq(header.payload_bytes, 3);
}

Test(header, claims_beyond_the_packet_are_refused)
{
	uint8_t packet[16] = {0x80 | 2};
	struct stw_rtp_header header;

	cr_assert_eq(read_exact(packet, sizeof(packet), &header), -EINVAL, "sources");
	packet[0] = 0x80 | 0x10;
	packet[15] = 1;
	cr_assert_eq(read_exact(packet, sizeof(packet), &header), -EINVAL, "extension");
	packet[0] = 0x80 | 0x20;
	packet[15] = 5;
	cr_assert_eq(read_exact(packet, sizeof(packet), &header), -EINVAL, "padding");
	packet[15] = 0;
	cr_assert_eq(read_exact(packet, sizeof(packet), &header), -EINVAL, "no padding");
}

Test(header, captured_speech_is_a_law_of_30_ms)
{
	static struct capture capture;
	struct stw_rtp_header header;

	cr_assert_eq(capture_read(&capture, CAPTURE_FOLDER "g711a.pcap"), 0);
	cr_assert_eq(capture.count, 236);
	for (size_t i = 0; i < capture.count; i++) {
		const struct capture_packet *packet = &capture.packets[i];

		cr_assert_eq(read_exact(packet->payload, packet->payload_bytes, &header), 0);
		cr_assert_eq(header.payload_type, STW_RTP_PT_PCMA);
		cr_assert_eq(header.payload_bytes, 240);
		cr_assert_eq(header.timestamp, 240 * (i + 1));
	}
}
