/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of a leg: given, changed in mid-call, refused, and given back. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "srtp_call.h"
#include "wire_suite.h"

static uint32_t
contexts(struct secure_call *call)
{
	struct stw_srtp_info info;

	cr_assert_eq(stw_srtp_info(call->wire.media, &info), 0);
	cr_assert_eq(info.contexts_max, 8);
	cr_assert_gt(info.context_bytes, 0);
	return info.contexts;
}

static void
keys_change(struct secure_call *call, unsigned side, uint64_t seed)
{
	struct secure_side *of = &call->sides[side];

	of->in = srtp_keys_of(of->in.suite, seed);
	of->out = srtp_keys_of(of->out.suite, seed + 1);
	cr_assert_eq(stw_leg_update(call->wire.media, of->leg, &of->config, call->wire.now_ns), 0);
}

TEST_SRTP(former_keys_are_taken_for_a_while)
{
	for (unsigned suite = 0; suite < PLAIN; suite++) {
		struct srtp_peer former;
		struct secure_side *caller = &call->sides[0];
		struct datagram datagram, late[3], seen;

		secure_begin(call, suite, PLAIN);
		for (uint16_t i = 0; i < 10; i++) {
			secure_rtp(&datagram, i, 1, 160);
			secure_crosses(call, 0, &datagram, false);
			secure_crosses(call, 1, &datagram, false);
		}
		for (uint16_t i = 0; i < 3; i++) {
			secure_rtp(&late[i], (uint16_t)(10 + i), 1, 160);
			secure_protect(call, 0, &late[i], false);
		}
		former = caller->peer;
		keys_change(call, 0, 900 + suite);
		srtp_peer_open(&caller->peer, &caller->in, &caller->out);
		cr_assert_eq(contexts(call), 2);
		/* What is sent goes by the new keys at once. */
		secure_rtp(&datagram, 10, 1, 160);
		secure_crosses(call, 1, &datagram, false);
		/* Late ones, old and new between each other. */
		cr_assert_eq(secure_inject(call, 0, &late[1], false), STW_PASS_RELAYED);
		secure_rtp(&datagram, 13, 1, 160);
		cr_assert(secure_take(call, 1, &seen, false));
		secure_crosses(call, 0, &datagram, false);
		cr_assert_eq(secure_inject(call, 0, &late[0], false), STW_PASS_RELAYED);
		cr_assert(secure_take(call, 1, &seen, false));
		secure_rtp(&datagram, 10, 1, 160);
		cr_assert_eq(
			memcmp(seen.data + 12, datagram.data + 12, (size_t)datagram.bytes - 12), 0);
		cr_assert_eq(secure_inject(call, 0, &late[0], false), STW_DROP_SRTP_AUTH);
		/* The overlap is over by the clock, whether or not anybody advances. */
		call->wire.now_ns += STW_SRTP_OVERLAP_NS;
		cr_assert_eq(secure_inject(call, 0, &late[2], false), STW_DROP_SRTP_AUTH);
		stw_media_advance(call->wire.media, call->wire.now_ns);
		wire_poll(&call->wire);
		stw_media_advance(call->wire.media, call->wire.now_ns);
		secure_rtp(&datagram, 14, 1, 160);
		secure_crosses(call, 0, &datagram, false);
		srtp_peer_close(&former);
		secure_end(call);
	}
}

TEST_SRTP(equal_keys_change_nothing)
{
	struct secure_side *caller = &call->sides[0];
	struct datagram datagram, again;

	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, PLAIN);
	secure_rtp(&datagram, 1, 1, 160);
	again = datagram;
	secure_protect(call, 0, &again, false);
	cr_assert_eq(secure_inject(call, 0, &again, false), STW_PASS_RELAYED);
	cr_assert_eq(
		stw_leg_update(call->wire.media, caller->leg, &caller->config, call->wire.now_ns),
		0);
	/* The window is what it was. */
	cr_assert_eq(secure_inject(call, 0, &again, false), STW_DROP_SRTP_REPLAY);
	secure_end(call);
}

TEST_SRTP(a_kept_roll_over_counter_outlives_a_key_change)
{
	struct secure_side *caller = &call->sides[0];
	struct datagram datagram, first;

	secure_begin(call, STW_SRTP_AEAD_AES_128_GCM, PLAIN);
	for (uint32_t sequence = 65000; sequence < 65536 + 100; sequence += 50) {
		secure_rtp(&datagram, (uint16_t)sequence, 4, 160);
		secure_crosses(call, 0, &datagram, false);
	}
	srtp_peer_close(&caller->peer);
	caller->in = srtp_keys_of(caller->in.suite, 77);
	caller->in.roc_kept = 1;
	cr_assert_eq(
		stw_leg_update(call->wire.media, caller->leg, &caller->config, call->wire.now_ns),
		0);
	srtp_peer_open(&caller->peer, &caller->in, &caller->out);
	secure_rtp(&first, 200, 4, 160);
	secure_protect(call, 0, &first, false);
	srtp_peer_roc(&caller->peer, 4, 1);
	secure_rtp(&datagram, 201, 4, 160);
	secure_crosses(call, 0, &datagram, false);
	secure_end(call);
}

TEST_SRTP(keys_may_come_and_go)
{
	struct secure_side *caller = &call->sides[0];
	struct datagram datagram;

	secure_begin(call, PLAIN, PLAIN);
	secure_rtp(&datagram, 1, 1, 160);
	secure_crosses(call, 0, &datagram, false);
	cr_assert_eq(contexts(call), 0);
	caller->in = srtp_keys_of(STW_SRTP_AEAD_AES_256_GCM, 1);
	caller->out = srtp_keys_of(STW_SRTP_AES_CM_128_HMAC_SHA1_32, 2);
	caller->config.srtp_in = &caller->in;
	caller->config.srtp_out = &caller->out;
	cr_assert_eq(
		stw_leg_update(call->wire.media, caller->leg, &caller->config, call->wire.now_ns),
		0);
	cr_assert_eq(contexts(call), 2);
	srtp_peer_open(&caller->peer, &caller->in, &caller->out);
	for (uint16_t i = 2; i < 9; i++) {
		secure_rtp(&datagram, i, 1, 160);
		secure_crosses(call, 0, &datagram, false);
		secure_crosses(call, 1, &datagram, false);
	}
	caller->config.srtp_in = NULL;
	caller->config.srtp_out = NULL;
	cr_assert_eq(
		stw_leg_update(call->wire.media, caller->leg, &caller->config, call->wire.now_ns),
		0);
	srtp_peer_close(&caller->peer);
	cr_assert_eq(contexts(call), 0);
	secure_rtp(&datagram, 9, 1, 160);
	secure_crosses(call, 0, &datagram, false);
	secure_end(call);
}

TEST_SRTP(contexts_are_bounded_and_come_back)
{
	struct stw_leg leg;
	struct stw_endpoint local;

	for (unsigned round = 0; round < 50; round++) {
		struct secure_side *caller = &call->sides[0];

		secure_begin(call, round % PLAIN, (round + 1) % PLAIN);
		cr_assert_eq(contexts(call), 4);
		cr_assert_eq(stw_leg_add(call->wire.media, call->session, &caller->config,
					 call->wire.now_ns, &leg, &local),
			     0);
		cr_assert_eq(stw_leg_add(call->wire.media, call->session, &caller->config,
					 call->wire.now_ns, &leg, &local),
			     0);
		cr_assert_eq(contexts(call), 8);
		/* Full: nothing more, but keys may still change. */
		keys_change(call, 0, 1000 + round);
		keys_change(call, 0, 2000 + round);
		caller->config.srtp_out = NULL;
		cr_assert_eq(stw_leg_remove(call->wire.media, leg, call->wire.now_ns), 0);
		cr_assert_eq(stw_leg_add(call->wire.media, call->session, &caller->config,
					 call->wire.now_ns, &leg, &local),
			     0);
		caller->config.srtp_out = &caller->out;
		cr_assert_eq(stw_leg_remove(call->wire.media, leg, call->wire.now_ns), 0);
		secure_end(call);
		cr_assert_eq(contexts(call), 0);
	}
}

TEST_SRTP(one_key_set_too_many_is_refused)
{
	struct secure_side *caller = &call->sides[0];
	struct stw_leg legs[2];
	struct stw_endpoint local;
	uint64_t refused;

	secure_begin(call, 0, 1);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(stw_leg_add(call->wire.media, call->session, &caller->config,
					 call->wire.now_ns, &legs[i], &local),
			     0);
	cr_assert_eq(stw_leg_remove(call->wire.media, legs[1], call->wire.now_ns), 0);
	caller->config.srtp_out = NULL;
	cr_assert_eq(stw_leg_add(call->wire.media, call->session, &caller->config,
				 call->wire.now_ns, &legs[1], &local),
		     0);
	/* One place is left, two are needed: neither is taken. */
	cr_assert_eq(stw_leg_remove(call->wire.media, legs[0], call->wire.now_ns), 0);
	caller->config.srtp_out = &caller->out;
	cr_assert_eq(stw_leg_add(call->wire.media, call->session, &caller->config,
				 call->wire.now_ns, &legs[0], &local),
		     0);
	cr_assert_eq(contexts(call), 7);
	refused = wire_stats(&call->wire).refused;
	cr_assert_eq(stw_leg_remove(call->wire.media, legs[1], call->wire.now_ns), 0);
	cr_assert_eq(stw_leg_add(call->wire.media, call->session, &caller->config,
				 call->wire.now_ns, &legs[1], &local),
		     0);
	cr_assert_eq(contexts(call), 8);
	cr_assert_eq(stw_leg_remove(call->wire.media, call->sides[1].leg, call->wire.now_ns), 0);
	cr_assert_eq(stw_leg_add(call->wire.media, call->session, &caller->config,
				 call->wire.now_ns, &call->sides[1].leg, &local),
		     0);
	{
		struct stw_session_config session = STW_SESSION_CONFIG_INIT;
		struct stw_session other;
		struct stw_leg leg = {0};

		cr_assert_eq(stw_session_add(call->wire.media, &session, &other), 0);
		cr_assert_eq(stw_leg_add(call->wire.media, other, &caller->config,
					 call->wire.now_ns, &leg, &local),
			     -ENOSPC);
		cr_assert_eq(leg.id, 0);
		cr_assert_eq(wire_stats(&call->wire).refused, refused + 1);
		cr_assert_eq(stw_session_remove(call->wire.media, other, call->wire.now_ns), 0);
	}
	cr_assert_eq(contexts(call), 8);
	secure_end(call);
}

TEST_SRTP(keys_out_of_range_are_refused)
{
	struct secure_side *caller = &call->sides[0];
	struct stw_leg_config config;
	struct stw_srtp_keys keys;

	secure_begin(call, 0, PLAIN);
	config = caller->config;
	config.srtp_in = &keys;
	for (unsigned i = 0; i < 5; i++) {
		keys = srtp_keys_of(0, 1);
		if (i == 0)
			keys.struct_size = 4;
		else if (i == 1)
			keys.suite = STW_SRTP_SUITE_COUNT;
		else if (i == 2)
			keys.mki_bytes = STW_SRTP_MKI_BYTES_MAX + 1;
		else if (i == 3)
			keys.packets_max = STW_SRTP_PACKETS_MAX + 1;
		else
			keys.roc_kept = 2;
		cr_assert_eq(
			stw_leg_update(call->wire.media, caller->leg, &config, call->wire.now_ns),
			-EINVAL);
	}
	cr_assert_eq(contexts(call), 2);
	secure_end(call);
}

Test(srtp_without, keys_need_srtp_max)
{
	static struct wire wire;
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config leg_config;
	struct stw_srtp_keys keys = srtp_keys_of(0, 1);
	struct stw_srtp_info info;
	struct stw_session session;
	struct stw_endpoint local;
	struct stw_leg leg;

	wire_begin(&wire);
	leg_config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	leg_config.srtp_out = &keys;
	cr_assert_eq(stw_session_add(wire.media, &session_config, &session), 0);
	cr_assert_eq(stw_leg_add(wire.media, session, &leg_config, wire.now_ns, &leg, &local),
		     -ENOTSUP);
	cr_assert_eq(stw_srtp_info(wire.media, &info), -ENOTSUP);
	wire_close(&wire);
	stw_eal_stop();
}

Test(srtp_without, suites_have_their_names)
{
	cr_assert_str_eq(stw_srtp_suite_name(STW_SRTP_AES_CM_128_HMAC_SHA1_80),
			 "AES_CM_128_HMAC_SHA1_80");
	cr_assert_str_eq(stw_srtp_suite_name(STW_SRTP_AEAD_AES_256_GCM), "AEAD_AES_256_GCM");
	cr_assert_str_eq(stw_srtp_suite_name((enum stw_srtp_suite)99), "unknown");
}
