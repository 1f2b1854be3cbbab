/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on a leg of IPv6; those that do not depend on the version of IP are in attack_test.c. */
#include <criterion/criterion.h>

#include "wire6.h"
#include "wire_suite.h"

static struct wire wire;

static void
open_wire(void)
{
	wire_eal_start();
	wire6_open(&wire);
}

static void
close_wire(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(attack_ip6, .init = open_wire, .fini = close_wire);

static int
give(const struct host *host, const struct frame *frame)
{
	return wire_verdict(&wire, host->port, frame);
}

Test(attack_ip6, our_own_endpoint_is_learnt_by_no_leg)
{
	struct stw_leg_config config = wire6_leg_config(WIRE6_V6, NULL);
	struct mixed call;
	struct frame frame;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V6_FAR);
	cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct host host = call.host[0];

		host.ip = call.local[i].ip;
		host.udp_port = call.local[i].port;
		wire6_rtp(&frame, &host, &call.local[0], 2);
		cr_assert_eq(give(&host, &frame), STW_DROP_SOURCE);
		/* Beside our ports another program may live. */
		host.udp_port = 5004;
		wire6_rtp(&frame, &host, &call.local[0], 2);
		if (i)
			cr_assert_neq(give(&host, &frame), STW_DROP_SOURCE);
	}
}

/* Word and hash of the address are not enough: all of it is compared. */
Test(attack_ip6, every_other_address_of_the_network_is_foreign)
{
	struct mixed call;
	struct frame frame;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V6_FAR);
	wire6_call_latch(&wire, &call);
	for (unsigned bit = 0; bit < 128; bit++) {
		struct host host = call.host[0];

		host.ip.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		wire6_rtp(&frame, &host, &call.local[0], 9);
		cr_assert_eq(give(&host, &frame), STW_DROP_SOURCE, "bit %u", bit);
	}
	for (unsigned bit = 0; bit < 16; bit++) {
		struct host host = call.host[0];

		host.udp_port ^= (uint16_t)(1u << bit);
		wire6_rtp(&frame, &host, &call.local[0], 9);
		cr_assert_eq(give(&host, &frame), STW_DROP_SOURCE, "bit %u", bit);
	}
	wire6_rtp(&frame, &call.host[0], &call.local[0], 9);
	cr_assert_eq(give(&call.host[0], &frame), STW_PASS_RELAYED);
}
