/* SPDX-License-Identifier: BSD-3-Clause */
/* Mixing: who hears whom in each role, by tones; playouts, losses, recordings. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "media/play/wav.h"
#include "mixing.h"

TestSuite(mix, .init = mixing_open, .fini = mixing_close);

Test(mix, three_parties_hear_each_other_and_not_themselves)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_PARTY};

	cr_assert_eq(mixing_make(3, roles), 0);
	mixing_expect(BIT(AGENT) | BIT(THIRD), BIT(CALLER) | BIT(THIRD), BIT(CALLER) | BIT(AGENT),
		      0);
	for (unsigned n = 0; n < 3; n++)
		cr_assert_eq(parties.talkers[n].mixed_codec, 0);
	cr_assert_eq(mixing_stats().frames_concealed, 0);
	cr_assert_eq(mixing_stats().packets_late, 0);
	cr_assert_eq(mixing_stats().packets_refused, 0);
	cr_assert_eq(mixing_stats().packets_sent, 3 * 16);
}

Test(mix, a_listener_hears_all_and_nobody_hears_it)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_LISTENER};

	cr_assert_eq(mixing_make(3, roles), 0);
	mixing_expect(BIT(AGENT), BIT(CALLER), BIT(CALLER) | BIT(AGENT), 0);
}

Test(mix, a_whisper_is_heard_by_the_agent_alone)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_WHISPERER,
				     STW_MIX_LISTENER};

	cr_assert_eq(mixing_make(4, roles), 0);
	mixing_expect(BIT(AGENT), BIT(CALLER) | BIT(THIRD), BIT(CALLER) | BIT(AGENT),
		      BIT(CALLER) | BIT(AGENT));
	/* Who barges in is not whispered to; nor does one who whispers hear another. */
	cr_assert_eq(mixing_role(FOURTH, STW_MIX_BARGE), 0);
	mixing_expect(BIT(AGENT) | BIT(FOURTH), BIT(CALLER) | BIT(THIRD) | BIT(FOURTH),
		      BIT(CALLER) | BIT(AGENT) | BIT(FOURTH), BIT(CALLER) | BIT(AGENT));
	cr_assert_eq(mixing_role(FOURTH, STW_MIX_WHISPERER), 0);
	mixing_expect(BIT(AGENT), BIT(CALLER) | BIT(THIRD) | BIT(FOURTH), BIT(CALLER) | BIT(AGENT),
		      BIT(CALLER) | BIT(AGENT));
}

Test(mix, a_whisper_to_one_leg_is_heard_by_it_alone_and_by_nobody_when_it_leaves)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_PARTY};
	struct stw_mix_leg_config whisper = mixing_leg(THIRD, STW_MIX_WHISPERER);

	cr_assert_eq(mixing_make(3, roles), 0);
	whisper.to = parties.talkers[FOURTH].leg;
	cr_assert_eq(stw_mix_leg(wire.media, mix, &whisper), -ESTALE);
	cr_assert_eq(mixing_role(FOURTH, STW_MIX_LISTENER), 0);
	cr_assert_eq(stw_mix_leg(wire.media, mix, &whisper), 0);
	mixing_expect(BIT(AGENT), BIT(CALLER), BIT(CALLER) | BIT(AGENT),
		      BIT(CALLER) | BIT(AGENT) | BIT(THIRD));
	cr_assert_eq(stw_mix_leg_remove(wire.media, mix, whisper.to), 0);
	cr_assert_eq(stw_mix_leg_remove(wire.media, mix, whisper.to), -ESTALE);
	parties_talk(&parties, 3);
	cr_assert_eq(mixing_role(FOURTH, STW_MIX_PARTY), 0);
	mixing_expect(BIT(AGENT) | BIT(FOURTH), BIT(CALLER) | BIT(FOURTH),
		      BIT(CALLER) | BIT(AGENT) | BIT(FOURTH),
		      BIT(CALLER) | BIT(AGENT) | BIT(THIRD));
}

Test(mix, who_is_held_hears_nobody_and_is_heard_by_nobody)
{
	enum stw_mix_role roles[] = {STW_MIX_HELD, STW_MIX_PARTY, STW_MIX_PARTY};
	uint32_t got;

	cr_assert_eq(mixing_make(3, roles), 0);
	got = parties.talkers[CALLER].got;
	mixing_expect(0, BIT(THIRD), BIT(AGENT), 0);
	cr_assert_eq(parties.talkers[CALLER].got - got, 16);
}

Test(mix, roles_change_while_packets_flow_and_no_stream_breaks)
{
	const enum stw_mix_role some[] = {STW_MIX_PARTY, STW_MIX_LISTENER, STW_MIX_WHISPERER,
					  STW_MIX_BARGE, STW_MIX_HELD};
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_PARTY};
	uint32_t got[3];

	cr_assert_eq(mixing_make(3, roles), 0);
	parties_talk(&parties, 5);
	for (unsigned n = 0; n < 3; n++) {
		got[n] = parties.talkers[n].got;
		parties.talkers[n].breaks = 0;
		parties.talkers[n].marked = 0;
	}
	for (unsigned i = 0; i < 40; i++) {
		cr_assert_eq(mixing_role(THIRD, some[i % 5]), 0);
		parties_talk(&parties, 1 + i % 3);
	}
	for (unsigned n = 0; n < 3; n++) {
		cr_assert_eq(parties.talkers[n].got - got[n], 40 * 2 - 1);
		cr_assert_eq(parties.talkers[n].breaks, 0);
		cr_assert_eq(parties.talkers[n].marked, 0);
	}
	cr_assert_eq(mixing_stats().frames_concealed, 0);
}

Test(mix, packets_of_40_60_and_80_ms_are_mixed_as_those_of_20_ms)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_PARTY};

	cr_assert_eq(mixing_make(3, roles), 0);
	/* So many times 20 ms have passed then that all begin a packet. */
	parties_talk(&parties, 9);
	for (uint8_t n = 0; n < 3; n++)
		parties.talkers[n].span = (uint8_t)(2 + n);
	mixing_expect(BIT(AGENT) | BIT(THIRD), BIT(CALLER) | BIT(THIRD), BIT(CALLER) | BIT(AGENT),
		      0);
	cr_assert_eq(mixing_stats().frames_concealed, 0);
	cr_assert_eq(mixing_stats().packets_late, 0);
	cr_assert_eq(mixing_stats().packets_refused, 0);
}

Test(mix, a_playout_is_heard_instead_of_the_mix_by_its_leg_alone)
{
	static int16_t silence[8000];
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_PARTY};
	struct stw_playout_config config = STW_PLAYOUT_CONFIG_INIT;
	struct talker *caller = &parties.talkers[CALLER];
	char path[] = "/tmp/stw-mix-XXXXXX";
	struct stw_playout playout, none = {0};
	uint8_t head[44];
	FILE *file = fdopen(mkstemp(path), "wb");
	uint32_t got;

	wav_header_write(head, 1, sizeof(silence));
	fwrite(head, 1, sizeof(head), file);
	fwrite(silence, 1, sizeof(silence), file);
	fclose(file);
	config.path = path;
	config.loop = 1;
	cr_assert_eq(stw_playout_load(wire.media, &config, &playout), 0);
	unlink(path);
	cr_assert_eq(mixing_make(3, roles), 0);
	parties_talk(&parties, 10);
	got = caller->got;
	caller->marked = 0;
	cr_assert_eq(stw_playout_attach(wire.media, caller->leg, playout, wire.now_ns), 0);
	mixing_expect(0, BIT(CALLER) | BIT(THIRD), BIT(CALLER) | BIT(AGENT), 0);
	cr_assert_leq(caller->got - got, 17);
	cr_assert_eq(stw_playout_attach(wire.media, caller->leg, none, wire.now_ns), 0);
	mixing_expect(BIT(AGENT) | BIT(THIRD), BIT(CALLER) | BIT(THIRD), BIT(CALLER) | BIT(AGENT),
		      0);
	cr_assert_eq(caller->marked, 2);
}

Test(mix, lost_packets_are_concealed_and_counted)
{
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY};

	cr_assert_eq(mixing_make(2, roles), 0);
	parties_talk(&parties, 10);
	parties.talkers[CALLER].silent = true;
	parties_talk(&parties, 1);
	parties.talkers[CALLER].silent = false;
	mixing_expect(BIT(AGENT), BIT(CALLER), 0, 0);
	cr_assert_eq(mixing_stats().frames_concealed, 1);
	parties.talkers[CALLER].silent = true;
	mixing_expect(BIT(AGENT), 0, 0, 0);
	cr_assert_eq(mixing_stats().frames_concealed, 4);
}

/* Bytes of a file; 0: none. */
static long
file_bytes(const char *path, uint8_t *bytes, size_t most)
{
	FILE *file = fopen(path, "rb");
	size_t count = file ? fread(bytes, 1, most, file) : 0;

	if (file)
		fclose(file);
	unlink(path);
	return (long)count;
}

Test(mix, a_recording_has_what_each_side_said_and_no_whisper)
{
	static uint8_t bytes[200000];
	enum stw_mix_role roles[] = {STW_MIX_PARTY, STW_MIX_PARTY, STW_MIX_WHISPERER};
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	char path[] = "/tmp/stw-mix-XXXXXX";
	struct stw_fork fork;
	long count;

	close(mkstemp(path));
	unlink(path);
	config.path = path;
	config.kind = STW_FORK_WAV;
	config.sides = 1 << STW_SIDE_OTHER;
	cr_assert_eq(stw_fork_add(wire.media, parties.session, &config, wire.now_ns, &fork),
		     -EINVAL);
	config.sides = 0;
	cr_assert_eq(mixing_make(3, roles), 0);
	cr_assert_eq(stw_fork_add(wire.media, parties.session, &config, wire.now_ns, &fork), 0);
	for (unsigned i = 0; i < 20; i++) {
		parties_talk(&parties, 1);
		stw_media_record(wire.media, 1000);
	}
	cr_assert_eq(stw_fork_remove(wire.media, fork), 0);
	for (unsigned i = 0; i < 10; i++) {
		wire_poll(&wire);
		stw_media_record(wire.media, 1000);
	}
	count = file_bytes(path, bytes, sizeof(bytes));
	cr_assert_geq(count, 44 + 4 * 160 * 10);
	for (unsigned side = 0; side < 2; side++) {
		struct talker *talker = &parties.talkers[FOURTH];

		/* The side's channel, as if it were what somebody heard. */
		for (unsigned i = 0; i < 1600; i++)
			memcpy(&talker->audio[i], bytes + 44 + 4 * (i + 320) + 2 * side, 2);
		cr_assert_eq(parties_heard(&parties, FOURTH), BIT(side));
	}
}
