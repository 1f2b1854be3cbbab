/* SPDX-License-Identifier: BSD-3-Clause */
/* What SRTP must refuse: forged, replayed, cut, foreign packets; and key material out of range. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "srtp_call.h"

TEST_SRTP(a_packet_passes_once)
{
	for (unsigned suite = 0; suite < PLAIN; suite++) {
		struct datagram datagram, seen;
		struct frame frame;

		secure_begin(call, suite, PLAIN);
		/* Of an SSRC that nobody has met, and of one that is known. */
		for (uint16_t i = 0; i < 2; i++) {
			secure_rtp(&datagram, 9 + i, 1, 160);
			secure_protect(call, 0, &datagram, false);
			/* Twice in one burst, and again later. */
			wire_udp(&frame, call->sides[0].party, &call->sides[0].local, datagram.data,
				 (uint32_t)datagram.bytes);
			wire_give(&call->wire, 0, &frame);
			wire_give(&call->wire, 0, &frame);
			wire_poll(&call->wire);
			cr_assert(secure_take(call, 1, &seen, false));
			cr_assert_not(secure_take(call, 1, &seen, false));
			cr_assert_eq(secure_inject(call, 0, &datagram, false),
				     STW_DROP_SRTP_REPLAY);
			cr_assert_eq(secure_stats(call, 0).srtp_replayed, 2 * (i + 1));
		}
		secure_end(call);
	}
}

TEST_SRTP(an_rtcp_packet_passes_once)
{
	for (unsigned suite = 0; suite < PLAIN; suite++) {
		struct datagram rtp, rtcp = {.bytes = 8, .data = {0x80, 201, 0, 1, 1, 2, 3, 4}};

		secure_begin(call, suite, PLAIN);
		secure_rtp(&rtp, 9, 0x01020304, 160);
		secure_crosses(call, 0, &rtp, false);
		secure_crosses(call, 0, &rtcp, true);
		secure_protect(call, 0, &rtcp, true);
		cr_assert_eq(secure_inject(call, 0, &rtcp, true), STW_PASS_RELAYED_RTCP);
		cr_assert_eq(secure_inject(call, 0, &rtcp, true), STW_DROP_SRTP_REPLAY);
		secure_end(call);
	}
}

TEST_SRTP(what_is_older_than_the_window_is_refused)
{
	struct datagram old, datagram;

	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, PLAIN);
	secure_rtp(&old, 1000, 1, 160);
	secure_protect(call, 0, &old, false);
	for (uint16_t i = 1; i <= 112; i++) {
		secure_rtp(&datagram, (uint16_t)(1000 + i), 1, 20);
		secure_crosses(call, 0, &datagram, false);
	}
	/* 112 behind is inside of every window. */
	cr_assert_eq(secure_inject(call, 0, &old, false), STW_PASS_RELAYED);
	cr_assert(secure_take(call, 1, &datagram, false));
	secure_rtp(&old, 1200, 1, 160);
	secure_protect(call, 0, &old, false);
	for (uint16_t i = 1; i <= 128; i++) {
		secure_rtp(&datagram, (uint16_t)(1200 + i), 1, 20);
		secure_crosses(call, 0, &datagram, false);
	}
	cr_assert_eq(secure_inject(call, 0, &old, false), STW_DROP_SRTP_REPLAY);
	secure_end(call);
}

TEST_SRTP(every_changed_byte_is_noticed)
{
	for (unsigned suite = 0; suite < PLAIN; suite++) {
		struct datagram rtp, rtcp = {.bytes = 8, .data = {0x80, 201, 0, 1, 1, 2, 3, 4}};
		uint64_t failed;

		secure_begin(call, suite, suite);
		secure_rtp(&rtp, 9, 1, 20);
		secure_crosses(call, 0, &rtp, false);
		secure_rtp(&rtp, 10, 1, 20);
		secure_protect(call, 0, &rtp, false);
		/* The first byte tells what it is and how long its header. */
		for (int i = 1; i < rtp.bytes; i++) {
			rtp.data[i] ^= 1;
			cr_assert_eq(secure_inject(call, 0, &rtp, false), STW_DROP_SRTP_AUTH,
				     "byte %d of suite %u", i, suite);
			rtp.data[i] ^= 1;
		}
		failed = secure_stats(call, 0).srtp_auth_failed;
		cr_assert_eq(failed, rtp.bytes - 1);
		secure_protect(call, 0, &rtcp, true);
		for (int i = 2; i < rtcp.bytes; i++) {
			rtcp.data[i] ^= 1;
			cr_assert_eq(secure_inject(call, 0, &rtcp, true), STW_DROP_SRTP_AUTH,
				     "RTCP's byte %d of suite %u", i, suite);
			rtcp.data[i] ^= 1;
		}
		/* None of it has moved a window: the true ones still pass. */
		cr_assert_eq(secure_inject(call, 0, &rtp, false), STW_PASS_RELAYED);
		cr_assert_eq(secure_inject(call, 0, &rtcp, true), STW_PASS_RELAYED_RTCP);
		secure_end(call);
	}
}

TEST_SRTP(cut_packets_are_refused)
{
	for (unsigned suite = 0; suite < PLAIN; suite++) {
		struct datagram rtp, rtcp = {.bytes = 8, .data = {0x80, 201, 0, 1, 1, 2, 3, 4}};
		struct datagram cut;

		secure_begin(call, suite, suite);
		secure_rtp(&rtp, 9, 1, 20);
		secure_crosses(call, 0, &rtp, false);
		secure_rtp(&rtp, 10, 1, 20);
		secure_protect(call, 0, &rtp, false);
		secure_protect(call, 0, &rtcp, true);
		for (int bytes = 0; bytes < rtp.bytes; bytes++) {
			cut = rtp;
			cut.bytes = bytes;
			cr_assert_geq(secure_inject(call, 0, &cut, false), STW_DROP_NOT_OURS);
		}
		for (int bytes = 0; bytes < rtcp.bytes; bytes++) {
			cut = rtcp;
			cut.bytes = bytes;
			cr_assert_geq(secure_inject(call, 0, &cut, true), STW_DROP_NOT_OURS);
		}
		cr_assert_gt(secure_stats(call, 0).srtp_malformed, 0);
		secure_end(call);
	}
}

TEST_SRTP(plain_rtp_does_not_pass_for_srtp)
{
	struct datagram datagram;

	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, PLAIN);
	secure_rtp(&datagram, 1, 1, 160);
	cr_assert_eq(secure_inject(call, 0, &datagram, false), STW_DROP_SRTP_AUTH);
	secure_end(call);
}

TEST_SRTP(only_an_authentic_packet_latches)
{
	struct stw_media_event event;
	struct datagram datagram, forged;

	secure_begin(call, STW_SRTP_AEAD_AES_128_GCM, PLAIN);
	call->sides[0].config.remote = (struct stw_endpoint){0};
	cr_assert_eq(stw_leg_update(call->wire.media, call->sides[0].leg, &call->sides[0].config,
				    call->wire.now_ns),
		     0);
	secure_rtp(&forged, 1, 1, 160);
	forged.bytes += 16;
	cr_assert_eq(secure_inject(call, 0, &forged, false), STW_DROP_SRTP_AUTH);
	cr_assert_eq(secure_stats(call, 0).latched, 0);
	cr_assert_eq(wire_event_take(&call->wire, &event), 0);
	secure_rtp(&datagram, 2, 1, 160);
	secure_crosses(call, 0, &datagram, false);
	cr_assert_eq(secure_stats(call, 0).latched, 1);
	cr_assert_eq(wire_event_take(&call->wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_LATCHED);
	secure_end(call);
}

TEST_SRTP(a_ninth_ssrc_of_one_key_is_refused)
{
	struct datagram datagram;

	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, PLAIN);
	for (uint32_t ssrc = 0; ssrc < STW_SRTP_SSRCS_MAX; ssrc++) {
		secure_rtp(&datagram, (uint16_t)(1000 * ssrc), ssrc, 160);
		secure_crosses(call, 0, &datagram, false);
	}
	secure_rtp(&datagram, 1, 99, 160);
	secure_protect(call, 0, &datagram, false);
	cr_assert_eq(secure_inject(call, 0, &datagram, false), STW_DROP_SRTP_SSRC);
	cr_assert_eq(secure_stats(call, 0).srtp_refused, 1);
	/* The others go on. */
	secure_rtp(&datagram, 1001, 1, 160);
	secure_crosses(call, 0, &datagram, false);
	secure_end(call);
}

TEST_SRTP(a_number_is_sent_once)
{
	struct datagram datagram;
	struct stw_leg_stats stats;

	secure_begin(call, PLAIN, STW_SRTP_AES_CM_128_HMAC_SHA1_80);
	secure_rtp(&datagram, 7, 1, 160);
	secure_crosses(call, 0, &datagram, false);
	datagram.data[20] ^= 1;
	cr_assert_eq(secure_inject(call, 0, &datagram, false), STW_DROP_SRTP_REPLAY);
	stats = secure_stats(call, 1);
	cr_assert_eq(stats.srtp_unsent, 1);
	cr_assert_eq(stats.packets_sent, 1);
	cr_assert_not(wire_take(&call->wire, 1, &(struct frame){0}));
	secure_end(call);
}

TEST_SRTP(a_key_lasts_for_its_lifetime)
{
	struct datagram datagram;

	for (unsigned side = 0; side < 2; side++) {
		call->sides[side].in = srtp_keys_of(STW_SRTP_AES_CM_128_HMAC_SHA1_80, side);
		call->sides[side].out = srtp_keys_of(STW_SRTP_AES_CM_128_HMAC_SHA1_80, 2 + side);
	}
	call->sides[0].in.packets_max = 3;
	call->sides[0].out.packets_max = 2;
	secure_begin_with(call, true, true);
	for (uint16_t i = 0; i < 4; i++) {
		secure_rtp(&datagram, i, 1, 160);
		if (i < 3) {
			secure_crosses(call, 0, &datagram, false);
			continue;
		}
		secure_protect(call, 0, &datagram, false);
		cr_assert_eq(secure_inject(call, 0, &datagram, false), STW_DROP_SRTP_EXPIRED);
	}
	for (uint16_t i = 0; i < 3; i++) {
		secure_rtp(&datagram, i, 1, 160);
		if (i < 2) {
			secure_crosses(call, 1, &datagram, false);
			continue;
		}
		secure_protect(call, 1, &datagram, false);
		cr_assert_eq(secure_inject(call, 1, &datagram, false), STW_DROP_SRTP_EXPIRED);
	}
	cr_assert_eq(secure_stats(call, 0).srtp_refused, 1);
	cr_assert_eq(secure_stats(call, 0).srtp_unsent, 1);
	secure_end(call);
}

/* Bytes of the tag behind the key identifier in an RTP packet. */
static int
tag_bytes_behind(unsigned suite)
{
	switch (suite) {
	case STW_SRTP_AES_CM_128_HMAC_SHA1_32:
	case STW_SRTP_AES_256_CM_HMAC_SHA1_32:
		return 4;
	case STW_SRTP_AEAD_AES_128_GCM:
	case STW_SRTP_AEAD_AES_256_GCM:
		return 0;
	default:
		return 10;
	}
}

TEST_SRTP(a_key_identifier_must_be_right)
{
	for (unsigned suite = 0; suite < PLAIN; suite++) {
		struct datagram datagram,
			rtcp = {.bytes = 8, .data = {0x80, 201, 0, 1, 0, 0, 0, 1}};

		for (unsigned side = 0; side < 2; side++) {
			struct stw_srtp_keys *keys[2] = {&call->sides[side].in,
							 &call->sides[side].out};

			for (unsigned i = 0; i < 2; i++) {
				*keys[i] = srtp_keys_of(suite, 2 * side + i);
				keys[i]->mki_bytes = 4;
				memcpy(keys[i]->mki, "\1\2\3\4", 4);
			}
		}
		secure_begin_with(call, true, true);
		for (uint16_t i = 0; i < 3; i++) {
			secure_rtp(&datagram, i, 1, 30);
			secure_crosses(call, 0, &datagram, false);
			/* libsrtp 2.5 looks for RTCP's identifier where that of RTP would be. */
			if (tag_bytes_behind(suite) != 4)
				secure_crosses(call, 0, &rtcp, true);
		}
		secure_rtp(&datagram, 3, 1, 30);
		secure_protect(call, 0, &datagram, false);
		datagram.data[datagram.bytes - 1 - tag_bytes_behind(suite)] ^= 1;
		cr_assert_eq(secure_inject(call, 0, &datagram, false), STW_DROP_SRTP_AUTH);
		secure_end(call);
	}
}

TEST_SRTP(rtcp_that_is_not_enciphered_is_taken_when_authentic)
{
	for (unsigned suite = 0; suite < PLAIN; suite += 4) {
		struct datagram rtp, rtcp = {.bytes = 8, .data = {0x80, 201, 0, 1, 0, 0, 0, 1}};
		struct datagram seen;

		secure_begin(call, suite, PLAIN);
		srtp_peer_close(&call->sides[0].peer);
		srtp_peer_open_clear_rtcp(&call->sides[0].peer, &call->sides[0].in);
		secure_rtp(&rtp, 1, 1, 30);
		secure_crosses(call, 0, &rtp, false);
		seen = rtcp;
		secure_protect(call, 0, &seen, true);
		cr_assert_eq(memcmp(seen.data, rtcp.data, 8), 0);
		secure_crosses(call, 0, &rtcp, true);
		secure_end(call);
	}
}

TEST_SRTP(what_deciphers_to_no_rtcp_is_refused)
{
	struct datagram rtp, rtcp = {.bytes = 12, .data = {0x80, 201, 0, 9, 0, 0, 0, 1}};

	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, PLAIN);
	secure_rtp(&rtp, 1, 1, 30);
	secure_crosses(call, 0, &rtp, false);
	secure_protect(call, 0, &rtcp, true);
	cr_assert_eq(secure_inject(call, 0, &rtcp, true), STW_DROP_SRTP_MALFORMED);
	secure_end(call);
}
