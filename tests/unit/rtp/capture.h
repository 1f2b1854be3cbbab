/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader of classic pcap files for tests: what UDP carried, and when.
 */
#ifndef STW_TEST_CAPTURE_H
#define STW_TEST_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

/** Where Debian's sip-tester keeps its captures. */
#define CAPTURE_FOLDER "/usr/share/sip-tester/"

/** Most packets and bytes of a capture. */
#define CAPTURE_PACKETS_MAX 512
#define CAPTURE_BYTES_MAX   131072

/** One packet. */
struct capture_packet {
	const uint8_t *frame; /**< Ethernet frame */
	size_t frame_bytes;
	const uint8_t *payload; /**< what UDP carried */
	size_t payload_bytes;
	uint64_t time_ns;
};

/** A capture in memory. */
struct capture {
	size_t count;
	struct capture_packet packets[CAPTURE_PACKETS_MAX];
	uint8_t bytes[CAPTURE_BYTES_MAX];
};

/** Read a capture; 0, or -1 when it is not there or not as expected. */
int capture_read(struct capture *capture, const char *path);

#endif
