/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports of our own to a party that speaks SRTP. */
#include <criterion/criterion.h>

#include "rtp/rtcp_read.h"
#include "srtp_call.h"

/* Let time pass until something was sent to the caller; false: nothing. */
static bool
wait_rtcp(struct secure_call *call, struct datagram *datagram)
{
	for (unsigned passed_ms = 0; passed_ms < 8000; passed_ms += 10) {
		call->wire.now_ns += 10 * WIRE_MS;
		wire_poll(&call->wire);
		if (secure_take(call, 0, datagram, true)) {
			cr_assert_gt(datagram->bytes, 0, "not authentic");
			return true;
		}
	}
	return false;
}

static unsigned
types_read(const struct datagram *datagram, uint8_t types[4])
{
	struct rtp_rtcp_walk walk = rtp_rtcp_walk(datagram->data, (size_t)datagram->bytes);
	struct rtp_rtcp_part part;
	unsigned count = 0;

	while (count < 4 && rtp_rtcp_next(&walk, &part) > 0)
		types[count++] = part.type;
	return count;
}

TEST_SRTP(reports_and_the_goodbye_are_protected)
{
	struct secure_side *caller = &call->sides[0];
	struct datagram datagram;
	uint8_t types[4];

	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, PLAIN);
	caller->config.rtcp = STW_RTCP_END;
	cr_assert_eq(
		stw_leg_update(call->wire.media, caller->leg, &caller->config, call->wire.now_ns),
		0);
	secure_rtp(&datagram, 1, 0x11223344, 160);
	secure_send(call, 1, &datagram, false);
	cr_assert(secure_take(call, 0, &datagram, false));
	for (unsigned i = 0; i < 3; i++) {
		cr_assert(wait_rtcp(call, &datagram));
		cr_assert_eq(types_read(&datagram, types), 2);
		cr_assert_eq(types[0], i < 2 ? RTP_RTCP_SR : RTP_RTCP_RR);
		cr_assert_eq(types[1], RTP_RTCP_SDES);
	}
	cr_assert_eq(stw_leg_remove(call->wire.media, caller->leg, call->wire.now_ns), 0);
	cr_assert(wait_rtcp(call, &datagram));
	cr_assert_eq(types_read(&datagram, types), 3);
	cr_assert_eq(types[2], RTP_RTCP_BYE);
	secure_end(call);
}
