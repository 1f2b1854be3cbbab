/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Demultiplexing: a datagram goes one way, and what a reader of a protocol accepts went that way.
 */
#include "fuzz.h"

#include <strowger/rtp.h>

#include "rtp/demux.h"
#include "rtp/rtcp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	enum rtp_kind kind = rtp_demux(bytes, count);
	struct stw_rtp_header header;

	FUZZ_ASSERT(kind <= RTP_KIND_DTLS);
	FUZZ_ASSERT(rtp_demux(bytes, count < 2 ? count : 2) == kind);
	if (stw_rtp_read(bytes, count, &header) == 0)
		FUZZ_ASSERT(kind == RTP_KIND_RTP || kind == RTP_KIND_RTCP);
	if (rtp_rtcp_check(bytes, count) > 0)
		FUZZ_ASSERT(kind == RTP_KIND_RTCP);
	return 0;
}
