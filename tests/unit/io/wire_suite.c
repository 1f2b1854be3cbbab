/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_suite.h"

#include <criterion/criterion.h>

#include "media/plane.h"

void
wire_begin(struct wire *wire)
{
	struct stw_media_config config;

	wire_eal_start();
	config = wire_config();
	wire_open(wire, &config);
}

void
wire_drop_sent(struct wire *wire)
{
	for (uint8_t port = 0; port < WIRE_PORTS; port++)
		wire_drop_all(wire, port);
}

void
wire_end(struct wire *wire)
{
	cr_assert(wire_counters_add_up(wire));
	plane_check(wire->media);
	cr_assert_eq(wire_stats(wire).packets_in_use, wire->base);
	wire_drop_sent(wire);
	cr_assert_eq(rte_mempool_in_use_count(wire->pool), 0, "buffers of the test");
	wire_close(wire);
	stw_eal_stop();
}

struct stw_leg_stats
wire_leg_stats(struct wire *wire, struct stw_leg leg)
{
	struct stw_leg_stats stats;

	cr_assert_eq(stw_leg_stats(wire->media, leg, &stats), 0);
	return stats;
}

struct stw_fork_stats
wire_fork_stats(struct wire *wire, struct stw_fork fork)
{
	struct stw_fork_stats stats = {0};

	cr_assert_eq(stw_fork_stats(wire->media, fork, &stats), 0);
	return stats;
}

static void
say(struct wire *wire, const struct party *party, const struct stw_endpoint *to, uint16_t sequence,
    struct frame *sent)
{
	wire->now_ns += 20 * WIRE_MS;
	wire_rtp(sent, party, to, 0, sequence, 160u * sequence);
	wire_give(wire, party->port, sent);
	wire_poll(wire);
}

void
wire_caller_says(struct wire *wire, const struct call *call, uint16_t sequence, struct frame *sent)
{
	say(wire, &wire_caller, &call->caller_local, sequence, sent);
}

void
wire_agent_says(struct wire *wire, const struct call *call, uint16_t sequence, struct frame *sent)
{
	say(wire, &wire_agent, &call->agent_local, sequence, sent);
}
