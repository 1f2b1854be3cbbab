/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet indices beside a model that keeps every one. */
#include <criterion/criterion.h>

#include <string.h>

#include "media/srtp/replay.h"
#include "support/random.h"

#define INDICES 400000

/* RFC 3711 appendix A, as it stands there. */
static int64_t
rfc_estimate(uint64_t highest, uint16_t sequence)
{
	int64_t roc = (int64_t)(highest >> 16);
	int64_t last = (int64_t)(highest & 0xffff);

	if (last < 32768)
		roc = sequence - last > 32768 ? roc - 1 : roc;
	else
		roc = last - 32768 > sequence ? roc + 1 : roc;
	return roc * 65536 + sequence;
}

Test(srtp_replay, estimates_are_those_of_rfc_3711)
{
	struct random random = {1};

	for (unsigned i = 0; i < 200000; i++) {
		struct replay replay = {{0}};
		uint64_t highest = random_next(&random) % (5 * 65536);
		uint16_t sequence = (uint16_t)random_next(&random);
		int64_t expected;

		if (i % 4 == 0)
			sequence = (uint16_t)(highest + 32766 + i / 4 % 5);
		cr_assert(replay_mark(&replay, highest, i % 2));
		cr_assert_eq(replay_highest(replay_top(replay.words, REPLAY_WORDS)), highest);
		expected = rfc_estimate(highest, sequence);
		cr_assert_eq(replay_estimate(&replay, sequence, 9),
			     expected < 0 ? REPLAY_NO_INDEX : (uint64_t)expected,
			     "highest %lu sequence %u", highest, sequence);
	}
}

Test(srtp_replay, the_first_packet_has_the_given_roll_over_counter)
{
	struct replay replay = {{0}};

	cr_assert_eq(replay_estimate(&replay, 0, 0), 0);
	cr_assert_eq(replay_estimate(&replay, 65535, 0), 65535);
	cr_assert_eq(replay_estimate(&replay, 3, 7), 7 * 65536 + 3);
}

Test(srtp_replay, each_index_is_fresh_once)
{
	static bool seen[INDICES];
	struct random random = {2};
	struct replay replay = {{0}};
	uint64_t highest = 0;

	for (unsigned i = 0; i < 300000; i++) {
		uint64_t index = highest + random_below(&random, 300);
		bool fresh;

		index = index < 200 ? index : index - 200;
		if (index >= INDICES)
			break;
		fresh = replay_is_fresh(&replay, index);
		if (index + 113 > highest)
			cr_assert_eq(fresh, !seen[index]);
		else if (index + 128 <= highest || seen[index])
			cr_assert_not(fresh);
		cr_assert_eq(replay_mark(&replay, index, i % 2), fresh);
		if (!fresh)
			continue;
		seen[index] = true;
		highest = index > highest ? index : highest;
	}
	cr_assert_gt(highest, 100000);
}

Test(srtp_replay, there_is_no_index_beyond_the_last)
{
	struct replay replay = {{0}};

	cr_assert_not(replay_mark(&replay, REPLAY_INDEX_END, true));
	cr_assert(replay_mark(&replay, REPLAY_INDEX_END - 1, true));
	cr_assert_eq(replay_estimate(&replay, 0, 0), REPLAY_NO_INDEX);
	cr_assert_not(replay_is_fresh(&replay, REPLAY_NO_INDEX));
}

Test(srtp_replay, each_rtcp_index_is_fresh_once)
{
	static bool seen[INDICES];
	struct random random = {3};
	struct replay_rtcp replay = {{0}};
	uint32_t highest = 0;

	for (unsigned i = 0; i < 100000; i++) {
		uint32_t index = highest + random_below(&random, 300);
		bool fresh;

		index = index < 200 ? index : index - 200;
		if (index >= INDICES)
			break;
		fresh = replay_rtcp_is_fresh(&replay, index);
		if (index + 97 > highest)
			cr_assert_eq(fresh, !seen[index]);
		cr_assert_eq(replay_rtcp_mark(&replay, index, i % 2), fresh);
		if (!fresh)
			continue;
		cr_assert_not(seen[index]);
		seen[index] = true;
		highest = index > highest ? index : highest;
	}
}
