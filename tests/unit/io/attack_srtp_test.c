/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks on a call that speaks SRTP, by who can forge addresses and has recorded every packet: nothing of it
 * is heard, and the call loses nothing. Source: RFC 3711 3.3, 9; RFC 7714 9.
 */
#include "srtp_call.h"

#include <string.h>

#define RECORDED 100

static struct datagram recorded[RECORDED];

/* The caller speaks, and the attacker listens on the wire. */
static void
record(struct secure_call *call, uint16_t first)
{
	struct datagram seen;

	for (uint16_t i = 0; i < RECORDED; i++) {
		secure_rtp(&recorded[i], (uint16_t)(first + i), 7, 160);
		secure_protect(call, 0, &recorded[i], false);
		cr_assert_eq(secure_inject(call, 0, &recorded[i], false), STW_PASS_RELAYED);
		cr_assert(secure_take(call, 1, &seen, false));
	}
}

static void
nothing_is_heard(struct secure_call *call)
{
	cr_assert_eq(wire_drop_all(&call->wire, 0), 0);
	cr_assert_eq(wire_drop_all(&call->wire, 1), 0);
}

TEST_SRTP(a_recorded_call_played_again_is_heard_by_nobody)
{
	struct datagram next;

	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, STW_SRTP_AEAD_AES_128_GCM);
	/* Over the end of the sequence numbers. */
	record(call, 65536 - RECORDED / 2);
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned i = 0; i < RECORDED; i++)
			cr_assert_eq(secure_inject(call, 0, &recorded[i], false),
				     STW_DROP_SRTP_REPLAY);
		nothing_is_heard(call);
		secure_rtp(&next, (uint16_t)(RECORDED / 2 + turn), 7, 160);
		secure_crosses(call, 0, &next, false);
	}
	/* Nor by the party that it came from, from the other leg's port. */
	for (unsigned i = 0; i < RECORDED; i++)
		cr_assert_geq(secure_inject(call, 1, &recorded[i], false), STW_DROP_SRTP_AUTH);
	nothing_is_heard(call);
	cr_assert_eq(secure_stats(call, 0).srtp_replayed, 3 * RECORDED);
	cr_assert_eq(secure_stats(call, 0).packets_lost, 0);
	secure_end(call);
}

TEST_SRTP(half_a_turn_of_numbers_forged_moves_no_roll_over_counter)
{
	struct datagram forged, next;

	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, PLAIN);
	record(call, 100);
	/* Each would be the counter's next turn, or the one before, if it were believed. */
	for (uint32_t number = 0; number < 65536; number += 199) {
		forged = recorded[0];
		forged.data[2] = (uint8_t)(number >> 8);
		forged.data[3] = (uint8_t)number;
		if (number < 100 || number >= 100 + RECORDED)
			cr_assert_geq(secure_inject(call, 0, &forged, false), STW_DROP_SRTP_AUTH);
	}
	nothing_is_heard(call);
	secure_rtp(&next, 100 + RECORDED, 7, 160);
	secure_crosses(call, 0, &next, false);
	/* And one who has the keys but another counter is no party either. */
	srtp_peer_roc(&call->sides[0].peer, 7, 3);
	secure_rtp(&forged, 101 + RECORDED, 7, 160);
	secure_protect(call, 0, &forged, false);
	cr_assert_eq(secure_inject(call, 0, &forged, false), STW_DROP_SRTP_AUTH);
	cr_assert_eq(secure_stats(call, 0).ssrc_changes, 0);
	secure_end(call);
}

TEST_SRTP(forged_sources_are_heard_by_nobody_and_use_nothing_up)
{
	struct datagram forged, next;
	struct frame frame;

	secure_begin(call, STW_SRTP_AEAD_AES_256_GCM, PLAIN);
	record(call, 1);
	for (uint32_t source = 0; source < 64; source++) {
		secure_rtp(&forged, (uint16_t)(300 + source), 0x66000000 + source, 176);
		cr_assert_eq(secure_inject(call, 0, &forged, false), STW_DROP_SRTP_AUTH);
	}
	/* Plain RTP and RTCP in its name. */
	secure_rtp(&forged, 1 + RECORDED, 7, 160);
	cr_assert_eq(secure_inject(call, 0, &forged, false), STW_DROP_SRTP_AUTH);
	wire_rtcp(&frame, &wire_caller, &call->sides[0].local);
	cr_assert_geq(wire_verdict(&call->wire, 0, &frame), STW_DROP_SRTP_MALFORMED);
	nothing_is_heard(call);
	for (uint32_t source = 7; source < 7 + STW_SRTP_SSRCS_MAX; source++) {
		secure_rtp(&next, (uint16_t)(1 + RECORDED), source, 160);
		secure_crosses(call, 0, &next, false);
		call->wire.now_ns += 100 * WIRE_MS;
	}
	secure_end(call);
}

TEST_SRTP(who_cannot_sign_does_not_become_the_source)
{
	struct party attacker = wire_caller;
	struct datagram datagram;
	struct frame frame;

	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, PLAIN);
	attacker.udp_port += 2;
	for (uint16_t i = 0; i < 50; i++) {
		secure_rtp(&datagram, i, 7, 170);
		wire_udp(&frame, &attacker, &call->sides[0].local, datagram.data,
			 (uint32_t)datagram.bytes);
		cr_assert_eq(wire_verdict(&call->wire, 0, &frame), STW_DROP_SRTP_AUTH);
	}
	cr_assert_eq(secure_stats(call, 0).latched, 0);
	secure_rtp(&datagram, 0, 7, 160);
	secure_crosses(call, 0, &datagram, false);
	cr_assert_eq(secure_stats(call, 0).latched, 1);
	/* What it has recorded is foreign from elsewhere. */
	secure_rtp(&datagram, 1, 7, 160);
	secure_protect(call, 0, &datagram, false);
	wire_udp(&frame, &attacker, &call->sides[0].local, datagram.data, (uint32_t)datagram.bytes);
	cr_assert_eq(wire_verdict(&call->wire, 0, &frame), STW_DROP_SOURCE);
	cr_assert_eq(secure_inject(call, 0, &datagram, false), STW_PASS_RELAYED);
	secure_end(call);
}
