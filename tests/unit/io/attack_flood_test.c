/* SPDX-License-Identifier: BSD-3-Clause */
/* A flood at one leg, of 10,000 packets in a second: fifty other calls lose, double and mix up nothing. */
#include <criterion/criterion.h>

#include <string.h>

#include "talk.h"
#include "wire_suite.h"

#define CALLS        51
#define TURNS        50
#define FLOOD_A_TURN 200

static struct wire wire;
static struct talk talks[CALLS]; /* the first one is attacked */

static void
open_wire(void)
{
	wire_eal_start();
	talk_open(&wire, CALLS);
	for (unsigned n = 0; n < CALLS; n++)
		talk_begin(&wire, &talks[n], n);
	talk_turn(&wire, talks, CALLS);
}

static void
close_wire(void)
{
	wire_end(&wire);
}

TestSuite(attack_flood, .init = open_wire, .fini = close_wire);

/* Makes the next packet of a flood. */
typedef void flood_fn(unsigned n, struct frame *frame);

/* One side of all calls but the attacked one speaks, with the flood between; both sides in turns. */
static void
flood_turn(flood_fn *next)
{
	unsigned others = 2 * (CALLS - 1), heard = 0;
	struct frame frame;

	wire.now_ns += 20 * WIRE_MS;
	for (unsigned i = 0; i < FLOOD_A_TURN; i++) {
		next(i, &frame);
		wire_give(&wire, 0, &frame);
		if (i < others)
			talk_say(&wire, &talks[1 + i / 2], i % 2);
	}
	while (wire_poll(&wire) > 0)
		heard += talk_listen(&wire, talks, CALLS);
	cr_assert_geq(heard, others);
}

static void
flood(flood_fn *next, enum stw_verdict verdict, uint64_t count_min)
{
	uint64_t before = wire_stats(&wire).verdicts[verdict];

	for (unsigned turn = 0; turn < TURNS; turn++)
		flood_turn(next);
	cr_assert_geq(wire_stats(&wire).verdicts[verdict] - before, count_min);
	for (unsigned n = 1; n < CALLS; n++) {
		for (unsigned side = 0; side < 2; side++) {
			struct stw_leg leg = side ? talks[n].call.agent : talks[n].call.caller;
			struct stw_leg_stats stats = talk_stats(&wire, leg);

			cr_assert_eq(talks[n].due[!side], TURNS + 1);
			cr_assert_eq(stats.packets_received, TURNS + 1);
			cr_assert_eq(stats.packets_sent, TURNS + 1);
			cr_assert_eq(stats.packets_lost, 0);
			cr_assert_eq(stats.packets_foreign, 0);
		}
	}
	cr_assert_eq(wire_stats(&wire).verdicts[STW_DROP_SEND_FULL], 0);
}

static void
foreign_next(unsigned n, struct frame *frame)
{
	struct party party = wire_caller;

	party.ip[3] = (uint8_t)(60 + n % 7);
	party.udp_port = (uint16_t)(1024 + 31 * n);
	wire_rtp(frame, &party, &talks[0].call.caller_local, 0, (uint16_t)n, 160 * n);
}

Test(attack_flood, of_foreign_packets_takes_nothing_from_others)
{
	flood(foreign_next, STW_DROP_SOURCE, TURNS * FLOOD_A_TURN);
	cr_assert_eq(talk_stats(&wire, talks[0].call.caller).packets_foreign, TURNS * FLOOD_A_TURN);
	talk_turn(&wire, talks, CALLS);
}

static void
valid_next(unsigned n, struct frame *frame)
{
	talk_make(&talks[0], 0, frame);
}

Test(attack_flood, of_a_party_itself_takes_nothing_from_others)
{
	flood(valid_next, STW_PASS_RELAYED, TURNS * FLOOD_A_TURN);
	cr_assert_eq(talk_stats(&wire, talks[0].call.caller).packets_lost, 0);
	talk_turn(&wire, talks, CALLS);
}

Test(attack_flood, of_a_party_with_a_limit_is_cut_to_it)
{
	struct stw_leg_config config = talk_config(&talks[0], 0);
	struct stw_leg nobody = {0};
	uint64_t consumed;

	config.packets_per_second_max = 60;
	config.packets_burst = 10;
	cr_assert_eq(stw_leg_update(wire.media, talks[0].call.caller, &config, wire.now_ns), 0);
	cr_assert_eq(stw_leg_connect(wire.media, talks[0].call.caller, nobody), 0);
	flood(valid_next, STW_DROP_RATE, TURNS * (FLOOD_A_TURN - 2));
	consumed = wire_stats(&wire).verdicts[STW_PASS_CONSUMED];
	cr_assert_geq(consumed, TURNS);
	cr_assert_leq(consumed, 60 + 10 + 1);
	cr_assert_eq(talk_stats(&wire, talks[0].call.caller).packets_capped,
		     TURNS * FLOOD_A_TURN - consumed);
}

static void
broken_next(unsigned n, struct frame *frame)
{
	const struct stw_endpoint *to = &talks[0].call.caller_local;
	const uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
	struct stw_endpoint nowhere = *to;

	nowhere.port = (uint16_t)(to->port + 4 * CALLS - 2);
	switch (n % 5) {
	case 0:
		wire_udp(frame, &wire_caller, to, stun, sizeof(stun));
		break;
	case 1:
		wire_udp(frame, &wire_caller, &nowhere, stun, sizeof(stun));
		break;
	case 2:
		wire_rtp(frame, &wire_caller, to, 0, 1, 1);
		frame->bytes = 20 + n % 100;
		break;
	case 3:
		wire_rtp(frame, &wire_caller, to, 0, 1, 1);
		frame->data[100] ^= 1;
		break;
	default:
		wire_rtp(frame, &wire_caller, to, 0, 1, 1);
		frame->data[20] = 0x20;
		wire_sign(frame);
		break;
	}
}

Test(attack_flood, of_broken_packets_takes_nothing_from_others)
{
	uint64_t each = TURNS * FLOOD_A_TURN / 5;

	flood(broken_next, STW_DROP_MALFORMED, each);
	cr_assert_eq(wire_stats(&wire).verdicts[STW_DROP_STUN], each);
	cr_assert_eq(wire_stats(&wire).verdicts[STW_DROP_NO_LEG], each);
	cr_assert_eq(wire_stats(&wire).verdicts[STW_DROP_CHECKSUM], each);
	cr_assert_eq(wire_stats(&wire).verdicts[STW_DROP_FRAGMENT], each);
	talk_turn(&wire, talks, CALLS);
}
