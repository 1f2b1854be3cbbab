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
	wire_close(wire);
	stw_eal_stop();
}
