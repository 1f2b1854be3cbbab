/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTP header: the payload that it claims lies within the packet, every byte of it readable.
 */
#include "fuzz.h"

#include <strowger/rtp.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct stw_rtp_header header;
	uint64_t sum = 0;

	if (stw_rtp_read(bytes, count, &header) != 0)
		return 0;
	FUZZ_ASSERT(header.payload_offset >= STW_RTP_HEADER_BYTES);
	FUZZ_ASSERT((size_t)header.payload_offset + header.payload_bytes <= count);
	FUZZ_ASSERT(header.marker <= 1 && header.payload_type <= 127);
	for (uint32_t i = 0; i < header.payload_bytes; i++)
		sum += bytes[header.payload_offset + i];
	FUZZ_ASSERT(sum <= UINT64_C(255) * header.payload_bytes);
	return 0;
}
