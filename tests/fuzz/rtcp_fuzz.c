/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP: a compound packet that passes is one for whoever walks it by its lengths, too.
 */
#include "fuzz.h"

#include "rtp/demux.h"
#include "rtp/rtcp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	int packets = rtp_rtcp_check(bytes, count);
	size_t place = 0;

	if (packets < 0)
		return 0;
	FUZZ_ASSERT(packets > 0 && count % 4 == 0);
	FUZZ_ASSERT(rtp_demux(bytes, count) == RTP_KIND_RTCP);
	for (; packets > 0; packets--) {
		FUZZ_ASSERT(place + 4 <= count && bytes[place] >> 6 == 2);
		place += 4 + 4 * ((size_t)bytes[place + 2] << 8 | bytes[place + 3]);
	}
	FUZZ_ASSERT(place == count);
	return 0;
}
