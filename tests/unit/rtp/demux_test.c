/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include "rtp/demux.h"

/* RFC 7983 section 7, figure 3, and RFC 5761 section 4, as a table of first bytes. */
static enum rtp_kind
kind_by_the_book(int first, int second)
{
	if (first < 4)
		return RTP_KIND_STUN;
	if (first < 20)
		return RTP_KIND_OTHER; /* unassigned, ZRTP */
	if (first < 64)
		return RTP_KIND_DTLS;
	if (first < 128)
		return RTP_KIND_OTHER; /* TURN channels, unassigned */
	if (first >= 192)
		return RTP_KIND_OTHER;
	return second >= 192 && second <= 223 ? RTP_KIND_RTCP : RTP_KIND_RTP;
}

Test(demux, every_pair_of_first_bytes_is_told_by_the_book)
{
	for (int first = 0; first < 256; first++)
		for (int second = 0; second < 256; second++) {
			uint8_t packet[2] = {(uint8_t)first, (uint8_t)second};

			cr_assert_eq(rtp_demux(packet, 2), kind_by_the_book(first, second), "%d %d",
				     first, second);
		}
}

Test(demux, nothing_is_nothing)
{
	cr_assert_eq(rtp_demux(NULL, 0), RTP_KIND_OTHER);
}

Test(demux, one_byte_is_enough_but_for_rtcp)
{
	uint8_t packet[1] = {0x80};

	cr_assert_eq(rtp_demux(packet, 1), RTP_KIND_RTP);
}
