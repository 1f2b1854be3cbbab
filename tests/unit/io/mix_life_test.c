/* SPDX-License-Identifier: BSD-3-Clause */
/* Mixes come, change and go: streams, numbers, limits, mistakes, workers that are late. */
#include <criterion/criterion.h>

#include <errno.h>

#include "media/plane.h"
#include "mixing.h"

TestSuite(mix_life, .init = mixing_open, .fini = mixing_close);

Test(mix_life, from_relay_to_mix_and_back_each_party_gets_one_stream)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_LISTENER};

	for (unsigned round = 0; round < 5; round++) {
		/* The laws of caller and agent differ, so what is relayed is noise; it only counts. */
		parties_talk(&parties, 5);
		for (unsigned n = 0; n < 2; n++) {
			struct talker *talker = &parties.talkers[n];
			uint32_t ssrc = talker->ssrc, timestamp = talker->timestamp;
			uint16_t sequence = talker->sequence;
			uint32_t got = talker->got;

			talker->marked = 0;
			if (n == 0)
				cr_assert_eq(mixing_make(3, roles), 0);
			parties_talk(&parties, n == 0 ? 10 : 0);
			if (n == 0) {
				cr_assert_eq(stw_mix_remove(wire.media, mix), 0);
				cr_assert_eq(stw_mix_remove(wire.media, mix), -ESTALE);
				parties_talk(&parties, 5);
				got = talker->got - got;
				cr_assert_eq(talker->ssrc, ssrc);
				cr_assert_eq((uint16_t)(talker->sequence - sequence), got);
				cr_assert_eq(talker->timestamp - timestamp, 15 * 160);
				cr_assert_geq(got, 15);
				cr_assert_leq(got, 16);
				cr_assert_eq(talker->marked, 2);
			}
		}
		stw_media_advance(wire.media, wire.now_ns);
	}
	cr_assert_eq(wire_stats(&wire).mixes, 0);
}

Test(mix_life, packets_of_a_leg_in_a_mix_are_mixed_and_of_one_outside_are_not_sent_to_it)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY};
	struct talker *caller = &parties.talkers[CALLER], *agent = &parties.talkers[AGENT];
	struct frame frame;

	cr_assert_eq(mixing_make(1, roles), 0);
	wire_rtp(&frame, &caller->party, &caller->local, 0, 7, 7);
	cr_assert_eq(wire_verdict(&wire, caller->party.port, &frame), STW_PASS_MIXED);
	wire_rtcp(&frame, &caller->party, &caller->local);
	cr_assert_eq(wire_verdict(&wire, caller->party.port, &frame), STW_PASS_CONSUMED);
	wire_rtp(&frame, &agent->party, &agent->local, 8, 7, 7);
	cr_assert_eq(wire_verdict(&wire, agent->party.port, &frame), STW_DROP_SUPERSEDED);
	wire_event(&frame, &caller->party, &caller->local, 8, 167, 5, true, 800);
	cr_assert_eq(wire_verdict(&wire, caller->party.port, &frame), STW_PASS_MIXED);
}

Test(mix_life, what_a_leg_said_in_one_is_no_gap_for_who_was_outside)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY};
	const enum stw_verdict verdicts[] = {STW_PASS_RELAYED, STW_PASS_MIXED, STW_PASS_RELAYED};
	struct talker *caller = &parties.talkers[CALLER], *agent = &parties.talkers[AGENT];
	uint16_t numbers[3] = {0};
	struct frame frame;

	for (uint16_t i = 0; i < 3; i++) {
		if (i == 1)
			cr_assert_eq(mixing_make(1, roles), 0);
		wire_rtp(&frame, &caller->party, &caller->local, 0, (uint16_t)(7 + i), 7);
		cr_assert_eq(wire_verdict(&wire, caller->party.port, &frame), verdicts[i]);
		if (i == 1)
			cr_assert_eq(stw_mix_remove(wire.media, mix), 0);
		cr_assert_eq(wire_take(&wire, agent->party.port, &frame), i != 1);
		numbers[i] = wire_u16(&frame, 44);
	}
	cr_assert_eq(numbers[2], (uint16_t)(numbers[0] + 1));
}

Test(mix_life, a_worker_that_comes_late_makes_up_for_it)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY};
	uint64_t frames;
	uint32_t got;

	cr_assert_eq(mixing_make(2, roles), 0);
	parties_talk(&parties, 10);
	/* 60 ms are made up for. */
	got = parties.talkers[AGENT].got;
	frames = mixing_stats().frames;
	wire.now_ns += 40 * WIRE_MS;
	parties_talk(&parties, 1);
	cr_assert_eq(mixing_stats().frames - frames, 3);
	cr_assert_eq(parties.talkers[AGENT].got - got, 3);
	cr_assert_eq(mixing_stats().frames_late, 0);
	mixing_expect(BIT(AGENT), BIT(CALLER), 0, 0);
}

Test(mix_life, a_worker_that_comes_much_too_late_leaves_time_out_and_goes_on)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY};
	uint32_t got, timestamp;

	cr_assert_eq(mixing_make(2, roles), 0);
	parties_talk(&parties, 10);
	timestamp = parties.talkers[AGENT].timestamp;
	got = parties.talkers[AGENT].got;
	wire.now_ns += 1000 * WIRE_MS;
	parties.due_ns = wire.now_ns;
	for (unsigned n = 0; n < 4; n++)
		parties.talkers[n].turns += 50;
	parties_talk(&parties, 10);
	/* Of each party two frames were waiting. */
	cr_assert_eq(mixing_stats().frames_dropped, 2 * 2);
	cr_assert_geq(mixing_stats().frames_late, 49);
	cr_assert_leq(mixing_stats().frames_late, 51);
	cr_assert_eq(parties.talkers[AGENT].got - got, 10);
	cr_assert_geq(parties.talkers[AGENT].timestamp - timestamp, 1180 * 8);
	cr_assert_leq(parties.talkers[AGENT].timestamp - timestamp, 1200 * 8);
	cr_assert_eq(mixing_stats().packets_late, 0);
	mixing_expect(BIT(AGENT), BIT(CALLER), 0, 0);
}

Test(mix_life, the_end_of_legs_and_sessions_ends_their_place_in_it)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_PARTY};

	cr_assert_eq(mixing_make(3, roles), 0);
	parties_talk(&parties, 10);
	cr_assert_eq(stw_leg_remove(wire.media, parties.talkers[THIRD].leg, wire.now_ns), 0);
	cr_assert_eq(mixing_stats().legs, 2);
	cr_assert_eq(mixing_stats().packets_sent, 3 * 10);
	plane_check(wire.media);
	mixing_expect(BIT(AGENT), BIT(CALLER), BIT(CALLER) | BIT(AGENT), 0);
	cr_assert_eq(stw_session_remove(wire.media, parties.session, wire.now_ns), 0);
	cr_assert_eq(wire_stats(&wire).mixes, 0);
	plane_check(wire.media);
	parties_talk(&parties, 3);
	stw_media_advance(wire.media, wire.now_ns);
	plane_check(wire.media);
}

Test(mix_life, an_update_of_a_leg_leaves_it_in_its_mix)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY};
	struct stw_leg_config config =
		wire_leg_config(&parties.talkers[CALLER].party, STW_SIDE_CALLER);

	cr_assert_eq(mixing_make(2, roles), 0);
	config.dscp = 10;
	cr_assert_eq(stw_leg_update(wire.media, parties.talkers[CALLER].leg, &config, wire.now_ns),
		     0);
	mixing_expect(BIT(AGENT), BIT(CALLER), 0, 0);
}

Test(mix_life, what_a_leg_was_sent_is_counted_over_relay_and_mix)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY};
	struct stw_leg_stats stats;

	parties_talk(&parties, 5);
	cr_assert_eq(mixing_make(2, roles), 0);
	parties_talk(&parties, 7);
	cr_assert_eq(stw_mix_remove(wire.media, mix), 0);
	parties_talk(&parties, 5);
	cr_assert_eq(stw_leg_stats(wire.media, parties.talkers[AGENT].leg, &stats), 0);
	cr_assert_eq(stats.packets_sent, parties.talkers[AGENT].got);
	cr_assert_eq(wire_stats(&wire).packets_mixed, 2 * 7);
}

Test(mix_life, wrong_calls_are_refused_and_change_nothing)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY};
	struct stw_mix_config config = STW_MIX_CONFIG_INIT;
	struct stw_mix_leg_config legs[2] = {mixing_leg(0, STW_MIX_PARTY),
					     mixing_leg(0, STW_MIX_PARTY)};
	struct stw_mix other = {.id = 1};
	struct stw_mix_stats stats;
	struct stw_session none = {0};
	struct parties second;

	config.legs = legs;
	config.legs_count = 2;
	cr_assert_eq(stw_mix_add(wire.media, parties.session, &config, wire.now_ns, &other),
		     -EINVAL);
	legs[1].leg.id = 99;
	cr_assert_eq(stw_mix_add(wire.media, parties.session, &config, wire.now_ns, &other),
		     -ESTALE);
	legs[1] = mixing_leg(1, STW_MIX_PARTY);
	legs[1].to = parties.talkers[0].leg;
	cr_assert_eq(stw_mix_add(wire.media, parties.session, &config, wire.now_ns, &other),
		     -EINVAL);
	legs[1].role = STW_MIX_WHISPERER;
	legs[1].to = parties.talkers[THIRD].leg;
	cr_assert_eq(stw_mix_add(wire.media, parties.session, &config, wire.now_ns, &other),
		     -ESTALE);
	legs[1].to.id = 0;
	config.delay_ms = 121;
	cr_assert_eq(stw_mix_add(wire.media, parties.session, &config, wire.now_ns, &other),
		     -EINVAL);
	config.delay_ms = 0;
	config.legs_count = 9;
	cr_assert_eq(stw_mix_add(wire.media, parties.session, &config, wire.now_ns, &other),
		     -EINVAL);
	config.legs_count = 2;
	config.struct_size--;
	cr_assert_eq(stw_mix_add(wire.media, parties.session, &config, wire.now_ns, &other),
		     -EINVAL);
	config.struct_size++;
	cr_assert_eq(stw_mix_add(wire.media, none, &config, wire.now_ns, &other), -ESTALE);
	cr_assert_eq(other.id, 1);
	cr_assert_eq(stw_mix_stats(wire.media, other, &stats), -ESTALE);
	cr_assert_eq(wire_stats(&wire).mixes, 0);
	cr_assert_eq(mixing_make(2, roles), 0);
	cr_assert_eq(mixing_make(2, roles), -EEXIST);
	legs[0].role = STW_MIX_ROLE_COUNT;
	cr_assert_eq(stw_mix_leg(wire.media, mix, &legs[0]), -EINVAL);
	legs[0] = mixing_leg(0, STW_MIX_WHISPERER);
	legs[0].to = legs[0].leg;
	cr_assert_eq(stw_mix_leg(wire.media, mix, &legs[0]), -EINVAL);
	parties_open(&second, &wire, 2);
	legs[0].to.id = 0;
	legs[0].leg = second.talkers[0].leg;
	cr_assert_eq(stw_mix_leg(wire.media, mix, &legs[0]), -EINVAL);
	cr_assert_eq(stw_mix_leg_remove(wire.media, mix, second.talkers[0].leg), -ESTALE);
	plane_check(wire.media);
}

Test(mix_life, limits_are_told_and_counted)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_PARTY};
	struct parties others[3];
	uint64_t refused = wire_stats(&wire).refused;

	cr_assert_eq(mixing_make(4, roles), 0);
	others[0] = parties;
	parties_open(&others[1], &wire, 4);
	parties = others[1];
	cr_assert_eq(mixing_make(4, roles), 0);
	parties_open(&others[2], &wire, 4);
	parties = others[2];
	/* 8 of 9 legs are in mixes. */
	cr_assert_eq(mixing_make(2, roles), -ENOSPC);
	cr_assert_eq(mixing_make(1, roles), 0);
	cr_assert_eq(mixing_role(1, STW_MIX_PARTY), -ENOSPC);
	cr_assert_eq(wire_stats(&wire).refused - refused, 2);
	cr_assert_eq(stw_mix_remove(wire.media, mix), 0);
	plane_check(wire.media);
	/* What is freed can be had again when the worker has passed. */
	parties_talk(&parties, 2);
	cr_assert_eq(mixing_make(1, roles), 0);
	for (unsigned i = 0; i < 100; i++) {
		cr_assert_eq(stw_mix_remove(wire.media, mix), 0);
		parties_talk(&parties, 1);
		cr_assert_eq(mixing_make(1, roles), 0, "round %u", i);
		parties_talk(&parties, 1);
	}
	parties = others[0];
}
