/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of our own: headers in front of a payload, of any kind, to legs and to any endpoint. */
#include <criterion/criterion.h>

#include <string.h>

#include "media/plane.h"
#include "media/stage/datagram.h"
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
	plane_check(wire.media);
	wire_drop_sent(&wire);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base);
	wire_close(&wire);
	stw_eal_stop();
}

TestSuite(datagram, .init = open_wire, .fini = close_wire);

static const uint8_t payload[41] = "what UDP carries, an odd number of bytes";

static struct worker *
worker(void)
{
	wire.media->workers[0].now_ns = wire.now_ns;
	return &wire.media->workers[0];
}

/* A buffer with the payload, in one segment or two. */
static struct rte_mbuf *
buffer(unsigned segments)
{
	uint16_t first = segments == 1 ? sizeof(payload) : 12;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(wire.pool), *rest;

	memcpy(rte_pktmbuf_append(mbuf, first), payload, first);
	if (segments == 2) {
		rest = rte_pktmbuf_alloc(wire.pool);
		memcpy(rte_pktmbuf_append(rest, (uint16_t)(sizeof(payload) - first)),
		       payload + first, sizeof(payload) - first);
		rte_pktmbuf_chain(mbuf, rest);
	}
	return mbuf;
}

static uint64_t
payload_sum(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < sizeof(payload); i++)
		sum += (uint64_t)payload[i] << (i % 2 ? 8 : 0);
	return sum;
}

/* Read a buffer as a frame, and free it. */
static struct frame
frame_of(struct rte_mbuf *mbuf)
{
	struct frame frame = {.bytes = mbuf->pkt_len};
	const void *data = rte_pktmbuf_read(mbuf, 0, frame.bytes, frame.data);

	if (data != frame.data)
		memcpy(frame.data, data, frame.bytes);
	rte_pktmbuf_free(mbuf);
	return frame;
}

static void
check(const struct frame *frame, const struct host *to, const struct stw_endpoint *local)
{
	struct seen seen;

	cr_assert(wire6_read(frame, &seen));
	cr_assert(wire6_checksums_are_right(frame));
	cr_assert_neq(seen.checksum, 0);
	cr_assert_arr_eq(frame->data, to->mac, 6);
	cr_assert_eq(seen.vlan, to->vlan);
	cr_assert_eq(seen.hop_limit, 64);
	cr_assert_eq(seen.traffic_class, 46 << 2);
	cr_assert_arr_eq(&seen.from, &local->ip, sizeof(seen.from));
	cr_assert_arr_eq(&seen.to, &to->ip, sizeof(seen.to));
	cr_assert_eq(seen.from_port, local->port);
	cr_assert_eq(seen.to_port, to->udp_port);
	cr_assert_eq(seen.payload_bytes, sizeof(payload));
	cr_assert_arr_eq(seen.payload, payload, sizeof(payload));
}

Test(datagram, leg_of_any_kind_gets_it)
{
	for (int address = 0; address < WIRE6_ADDRESSES; address++) {
		struct mixed call;

		wire6_call(&wire, &call, address, WIRE6_V4);
		wire6_call_latch(&wire, &call);
		for (unsigned way = 0; way < 6; way++) {
			struct rte_mbuf *mbuf = buffer(1 + way % 2);
			uint64_t sum = way % 2 || way > 3 ? payload_sum() : 0;
			struct stw_endpoint local = call.local[0];
			struct host to = call.host[0];
			bool rtcp = way >= 2;
			struct frame frame;
			uint16_t port;

			cr_assert_eq(datagram_to_leg(worker(), (uint32_t)call.leg[0].id, rtcp, mbuf,
						     sizeof(payload), sum, &port),
				     PACKET_PENDING);
			cr_assert_eq(port, to.port);
			frame = frame_of(mbuf);
			local.port = (uint16_t)(local.port + rtcp);
			to.udp_port = (uint16_t)(to.udp_port + rtcp);
			check(&frame, &to, &local);
		}
	}
}

Test(datagram, any_endpoint_gets_it)
{
	for (int address = 0; address < WIRE6_ADDRESSES; address++) {
		struct host to = wire6_host(address, 9);
		struct datagram_target target = {.ip = to.ip,
						 .port = rte_cpu_to_be_16(to.udp_port),
						 .local_port = rte_cpu_to_be_16(20050),
						 .dscp = 46};
		struct plane_address *local = &wire.media->addresses[address];
		struct rte_mbuf *mbuf = buffer(1);
		struct stw_endpoint from = {{0}, 20050};
		struct rte_ether_addr mac;
		struct frame frame;
		uint16_t port;

		from.ip = to.ip;
		from.ip.bytes[to.ip.family == 6 ? 15 : 3] = 1;
		cr_assert_eq(
			datagram_to(worker(), address, &target, mbuf, sizeof(payload), 0, &port),
			STW_DROP_NO_NEXT_HOP);
		memcpy(&mac, to.mac, sizeof(mac));
		if (to.ip.family == 6) {
			struct ip6 ip = ip6_read(to.ip.bytes);

			hops6_learn(&wire.media->addresses6[address].hops, &ip, &mac);
		} else {
			uint32_t ip;

			memcpy(&ip, to.ip.bytes, sizeof(ip));
			hops_learn(&local->hops, rte_be_to_cpu_32(ip), &mac);
		}
		cr_assert_eq(
			datagram_to(worker(), address, &target, mbuf, sizeof(payload), 0, &port),
			PACKET_PENDING);
		cr_assert_eq(port, to.port);
		frame = frame_of(mbuf);
		check(&frame, &to, &from);
	}
}

Test(datagram, buffer_is_untouched_when_there_is_no_way)
{
	struct datagram_target target = {.ip = {6, {0x20, 1, 0xd, 0xb8, [15] = 9}},
					 .port = rte_cpu_to_be_16(5004)};
	struct rte_mbuf *mbuf = buffer(1);
	struct mixed call;
	uint16_t port;

	cr_assert_eq(datagram_to(worker(), WIRE6_V4, &target, mbuf, sizeof(payload), 0, &port),
		     STW_DROP_NO_REMOTE, "another version of IP");
	target.port = 0;
	cr_assert_eq(datagram_to(worker(), WIRE6_V6, &target, mbuf, sizeof(payload), 0, &port),
		     STW_DROP_NO_REMOTE, "no port");
	for (int address = 0; address < WIRE6_ADDRESSES; address++) {
		struct stw_leg_config config = wire6_leg_config(address, NULL);

		wire6_call(&wire, &call, address, WIRE6_V4);
		cr_assert_eq(datagram_to_leg(worker(), (uint32_t)call.leg[0].id, false, mbuf,
					     sizeof(payload), 0, &port),
			     STW_DROP_NO_NEXT_HOP);
		cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns), 0);
		cr_assert_eq(datagram_to_leg(worker(), (uint32_t)call.leg[0].id, false, mbuf,
					     sizeof(payload), 0, &port),
			     STW_DROP_NO_REMOTE);
	}
	cr_assert_eq(mbuf->pkt_len, sizeof(payload));
	cr_assert_arr_eq(rte_pktmbuf_mtod(mbuf, uint8_t *), payload, sizeof(payload));
	rte_pktmbuf_free(mbuf);
}

Test(datagram, checksum_that_would_be_0_is_written_as_all_ones)
{
	uint8_t zeros[2] = {0};
	struct mixed call;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V4);
	wire6_call_latch(&wire, &call);
	/* One of all values makes the sum 0xffff. */
	for (unsigned value = 0; value < 65536; value++) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(wire.pool);
		struct frame frame;
		uint16_t port;

		zeros[0] = (uint8_t)(value >> 8);
		zeros[1] = (uint8_t)value;
		memcpy(rte_pktmbuf_append(mbuf, 2), zeros, 2);
		cr_assert_eq(datagram_to_leg(worker(), (uint32_t)call.leg[0].id, false, mbuf, 2, 0,
					     &port),
			     PACKET_PENDING);
		frame = frame_of(mbuf);
		cr_assert(wire6_checksums_are_right(&frame), "value %u", value);
	}
}
