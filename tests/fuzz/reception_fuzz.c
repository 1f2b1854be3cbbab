/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reception statistics: the input is a row of packets of 8 bytes (SSRC, sequence number, timestamp,
 * milliseconds). Each packet is received or a stray, and no gap is larger than a row allows.
 */
#include "fuzz.h"

#include "rtp/reception.h"

#define PACKET_BYTES 8

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct rtp_reception reception = {0};
	uint64_t packets = 0, arrival_ns = 0;

	for (; count >= PACKET_BYTES; bytes += PACKET_BYTES, count -= PACKET_BYTES) {
		struct stw_rtp_header header = {
			.ssrc = bytes[0] & 3,
			.sequence = (uint16_t)(bytes[1] << 8 | bytes[2]),
			.timestamp = (uint32_t)bytes[3] << 24 | (uint32_t)bytes[4] << 16 |
				     (uint32_t)bytes[5] << 8 | bytes[6],
		};

		arrival_ns += bytes[7] * UINT64_C(1000000);
		rtp_reception_count(&reception, &header, arrival_ns);
		rtp_reception_check(&reception);
		packets++;
		FUZZ_ASSERT(reception.packets + reception.packets_stray == packets);
		FUZZ_ASSERT(rtp_reception_expected(&reception) <= packets * RTP_DROPOUT_MAX);
		FUZZ_ASSERT(rtp_reception_missing(&reception) < rtp_reception_expected(&reception));
	}
	return 0;
}
