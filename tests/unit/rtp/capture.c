/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <stdio.h>
#include <string.h>

static uint32_t
word(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* Ethernet, IPv4, UDP; anything else is not expected in these files. */
static int
packet_read(struct capture_packet *packet, const uint8_t *record, const uint8_t *frame,
	    size_t frame_bytes)
{
	size_t udp = 14 + 4 * (size_t)(frame[14] & 0x0f);
	size_t udp_bytes = (size_t)frame[udp + 4] << 8 | frame[udp + 5];

	if (frame[12] != 8 || frame[13] != 0 || frame[23] != 17 || udp + udp_bytes > frame_bytes)
		return -1;
	packet->frame = frame;
	packet->frame_bytes = frame_bytes;
	packet->payload = frame + udp + 8;
	packet->payload_bytes = udp_bytes - 8;
	packet->time_ns = word(record) * UINT64_C(1000000000) + word(record + 4) * UINT64_C(1000);
	return 0;
}

int
capture_read(struct capture *capture, const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t bytes, offset = 24;

	if (!file)
		return -1;
	bytes = fread(capture->bytes, 1, sizeof(capture->bytes), file);
	fclose(file);
	if (bytes < offset || bytes == sizeof(capture->bytes) ||
	    word(capture->bytes) != 0xa1b2c3d4 || word(capture->bytes + 20) != 1)
		return -1;
	for (capture->count = 0; offset + 16 <= bytes; capture->count++) {
		const uint8_t *record = capture->bytes + offset;
		size_t frame_bytes = word(record + 8);

		offset += 16 + frame_bytes;
		if (capture->count == CAPTURE_PACKETS_MAX || frame_bytes < 42 || offset > bytes)
			return -1;
		if (packet_read(&capture->packets[capture->count], record, record + 16,
				frame_bytes))
			return -1;
	}
	return 0;
}
