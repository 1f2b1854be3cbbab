/* SPDX-License-Identifier: BSD-3-Clause */
/* Several workers: each has its queue and its buffers of every port. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "media/plane.h"
#include "wire.h"

#define WORKERS 2
#define PORTS   2
#define CALLS   8
#define PACKETS 50

static struct wire wire;
static struct rte_ring *in[PORTS][WORKERS], *out[PORTS][WORKERS];
static struct call calls[CALLS];

static struct party
party_of(unsigned n, unsigned side)
{
	struct party party = side ? wire_agent : wire_caller;

	party.udp_port = (uint16_t)(party.udp_port + 2 * n);
	return party;
}

static struct rte_ring *
ring_make(const char *what, unsigned port, unsigned queue)
{
	char name[32];

	snprintf(name, sizeof(name), "several_%s_%u_%u", what, port, queue);
	return rte_ring_create(name, 1024, SOCKET_ID_ANY, 0);
}

static void
open_wire(void)
{
	struct stw_address_config addresses[2 * PORTS];
	struct stw_port_config ports[PORTS];
	struct stw_media_config config;

	wire_eal_start();
	config = wire_config();
	for (unsigned i = 0; i < PORTS; i++) {
		char name[32];
		int port;

		for (unsigned queue = 0; queue < WORKERS; queue++) {
			in[i][queue] = ring_make("in", i, queue);
			out[i][queue] = ring_make("out", i, queue);
		}
		snprintf(name, sizeof(name), "several%u", i);
		port = rte_eth_from_rings(name, in[i], WORKERS, out[i], WORKERS, 0);
		cr_assert_geq(port, 0);
		ports[i] = (struct stw_port_config){STW_PORT_TAKEN, NULL, (uint16_t)port,
						    STW_XDP_NONE};
		/* Two local addresses on each: calls use them by turns. */
		for (unsigned k = 0; k < 2; k++)
			addresses[i + PORTS * k] = (struct stw_address_config){
				.port = i,
				.ip = {4, {10, 0, (uint8_t)i, (uint8_t)(1 + k)}},
				.prefix_bits = 24,
				.udp_port_first = 20000,
				.udp_port_last = 20099,
			};
	}
	config.workers = WORKERS;
	config.ports = ports;
	config.ports_count = PORTS;
	config.addresses = addresses;
	config.addresses_count = 2 * PORTS;
	wire_open(&wire, &config);
}

/* As a device spreads: by the source. */
static unsigned
queue_of(unsigned n, unsigned side)
{
	return (n + side) % WORKERS;
}

static void
say(unsigned n, unsigned side, uint16_t sequence)
{
	struct party party = party_of(n, side);
	struct frame frame;

	wire_rtp(&frame, &party, side ? &calls[n].agent_local : &calls[n].caller_local, 0, sequence,
		 160u * sequence);
	cr_assert_eq(rte_ring_enqueue(in[side][queue_of(n, side)], wire_mbuf(&wire, &frame)), 0);
}

static void
poll_all(void)
{
	for (uint32_t worker = 0; worker < WORKERS; worker++)
		cr_assert_geq(stw_media_poll(wire.media, worker, wire.now_ns), 0);
	wire.now_ns += WIRE_MS;
}

static uint16_t heard[CALLS][2], first[CALLS][2];

/* The stream that a leg is sent has numbers of its own. */
static void
hear_one(unsigned n, unsigned side, uint16_t sequence)
{
	if (heard[n][side] == 0)
		first[n][side] = sequence;
	cr_assert_eq((uint16_t)(sequence - first[n][side]), heard[n][side]);
	heard[n][side]++;
}

/* What a worker sends leaves by its own queue of the other leg's port. */
static unsigned
hear(void)
{
	unsigned count = 0;

	for (unsigned port = 0; port < PORTS; port++) {
		for (unsigned queue = 0; queue < WORKERS; queue++) {
			struct rte_mbuf *mbuf;

			while (rte_ring_dequeue(out[port][queue], (void **)&mbuf) == 0) {
				const uint8_t *data = rte_pktmbuf_mtod(mbuf, const uint8_t *);
				unsigned to = (unsigned)data[36] << 8 | data[37];
				unsigned n = (to - party_of(0, port).udp_port) / 2, side = !port;

				if (n < CALLS && data[12] == 8 && data[13] == 0) {
					cr_assert_eq(queue, queue_of(n, side));
					hear_one(n, side, (uint16_t)(data[44] << 8 | data[45]));
					count++;
				}
				rte_pktmbuf_free(mbuf);
			}
		}
	}
	return count;
}

static void
call_make(unsigned n)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct call *call = &calls[n];

	cr_assert_eq(stw_session_add(wire.media, &session, &call->session), 0);
	for (unsigned side = 0; side < 2; side++) {
		struct party party = party_of(n, side);
		struct stw_leg_config leg =
			wire_leg_config(&party, side ? STW_SIDE_AGENT : STW_SIDE_CALLER);

		leg.address = side + PORTS * (n % 2);
		cr_assert_eq(stw_leg_add(wire.media, call->session, &leg, wire.now_ns,
					 side ? &call->agent : &call->caller,
					 side ? &call->agent_local : &call->caller_local),
			     0);
	}
	cr_assert_eq(stw_leg_connect(wire.media, call->caller, call->agent), 0);
	cr_assert_eq(stw_leg_connect(wire.media, call->agent, call->caller), 0);
}

TestSuite(workers, .init = open_wire, .fini = stw_eal_stop);

Test(workers, relay_over_several_ports_and_addresses)
{
	struct stw_worker_stats stats = {.struct_size = sizeof(stats)};
	struct stw_media_stats plane;
	unsigned count = 0;

	for (unsigned n = 0; n < CALLS; n++) {
		call_make(n);
		for (unsigned side = 0; side < 2; side++)
			say(n, side, UINT16_MAX);
	}
	poll_all();
	hear();
	memset(heard, 0, sizeof(heard));
	for (uint16_t i = 0; i < PACKETS; i++) {
		for (unsigned n = 0; n < CALLS; n++) {
			say(n, 0, i);
			say(n, 1, i);
		}
		poll_all();
		count += hear();
	}
	cr_assert_eq(count, 2 * CALLS * PACKETS);
	plane = wire_stats(&wire);
	cr_assert_geq(plane.verdicts[STW_PASS_RELAYED], 2 * CALLS * PACKETS);
	cr_assert(wire_counters_add_up(&wire));
	for (uint32_t worker = 0; worker < WORKERS; worker++) {
		cr_assert_eq(stw_media_worker_stats(wire.media, worker, wire.now_ns, &stats), 0);
		cr_assert_eq(stats.packets_received, CALLS * (PACKETS + 1));
		cr_assert_eq(stats.turns, PACKETS + 1);
	}
	for (unsigned n = 0; n < CALLS; n++)
		cr_assert_eq(stw_session_remove(wire.media, calls[n].session, wire.now_ns), 0);
	poll_all();
	plane_check(wire.media);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base);
	stw_media_destroy(wire.media);
}

Test(workers, share_no_buffers)
{
	struct stw_media *media = wire.media;

	for (unsigned port = 0; port < PORTS; port++) {
		struct rte_mempool *const *pools = media->ports[port].pools;
		struct rte_eth_rxq_info info;

		cr_assert_neq(pools[0], pools[1]);
		for (uint16_t queue = 0; queue < WORKERS; queue++) {
			struct rte_mempool_ops *ops = rte_mempool_get_ops(pools[queue]->ops_index);

			cr_assert_str_eq(ops->name, "lf_stack");
			cr_assert_geq(pools[queue]->size, 512);
			if (rte_eth_rx_queue_info_get(media->ports[port].id, queue, &info) == 0)
				cr_assert_eq(info.mp, pools[queue]);
		}
	}
	stw_media_destroy(wire.media);
}
