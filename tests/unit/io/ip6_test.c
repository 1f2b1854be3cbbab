/* SPDX-License-Identifier: BSD-3-Clause */
/* Legs of IPv4 and IPv6, with and without VLANs, in any mix. */
#include <criterion/criterion.h>

#include <string.h>

#include "media/plane.h"
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

TestSuite(ip6, .init = open_wire, .fini = close_wire);

static int
give(const struct host *host, const struct frame *frame)
{
	return wire_verdict(&wire, host->port, frame);
}

Test(ip6, every_mix_of_two_legs_is_relayed_both_ways)
{
	for (int one = 0; one < WIRE6_ADDRESSES; one++) {
		for (int other = 0; other < WIRE6_ADDRESSES; other++) {
			struct mixed call;

			wire6_call(&wire, &call, one, other);
			wire6_call_latch(&wire, &call);
			for (unsigned i = 0; i < 2; i++) {
				struct frame frame;
				struct seen was;

				wire6_rtp(&frame, &call.host[i], &call.local[i], 9);
				wire6_read(&frame, &was);
				cr_assert_eq(give(&call.host[i], &frame), STW_PASS_RELAYED,
					     "%d to %d", one, other);
				cr_assert(wire6_arrives(&wire, &call, i, &was));
			}
			cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
			wire.now_ns += 3000 * WIRE_MS;
			stw_media_advance(wire.media, wire.now_ns);
			wire_poll(&wire);
			stw_media_advance(wire.media, wire.now_ns);
		}
	}
}

Test(ip6, congestion_bits_stay_in_every_mix)
{
	const enum wire6_address kinds[2] = {WIRE6_V4, WIRE6_V6_FAR};
	struct frame frame;
	struct seen was;

	for (unsigned mix = 0; mix < 4; mix++) {
		struct mixed call;

		wire6_call(&wire, &call, kinds[mix & 1], kinds[mix >> 1]);
		wire6_call_latch(&wire, &call);
		for (uint8_t bits = 0; bits < 4; bits++) {
			wire6_rtp(&frame, &call.host[0], &call.local[0], 9);
			if (call.host[0].ip.family == 6)
				frame.data[15] = (uint8_t)(bits << 4);
			else
				frame.data[15] = bits;
			wire6_sign(&frame);
			wire6_read(&frame, &was);
			cr_assert_eq(was.traffic_class & 3, bits);
			cr_assert_eq(give(&call.host[0], &frame), STW_PASS_RELAYED);
			cr_assert(wire6_arrives(&wire, &call, 0, &was));
		}
	}
}

Test(ip6, checksum_is_right_for_every_value_in_every_mix)
{
	static const enum wire6_address kinds[2] = {WIRE6_V4, WIRE6_V6_FAR};

	for (unsigned mix = 1; mix < 4; mix++) {
		struct frame frame, seen;
		struct mixed call;

		wire6_call(&wire, &call, kinds[mix & 1], kinds[mix >> 1]);
		wire6_call_latch(&wire, &call);
		wire6_rtp(&frame, &call.host[0], &call.local[0], 1);
		for (unsigned value = 0; value < 65536; value++) {
			frame.data[90] = (uint8_t)(value >> 8);
			frame.data[91] = (uint8_t)value;
			wire6_sign(&frame);
			wire_give(&wire, call.host[0].port, &frame);
			wire_poll(&wire);
			cr_assert(wire_take(&wire, call.host[1].port, &seen));
			cr_assert(wire6_checksums_are_right(&seen), "mix %u value %u", mix, value);
		}
	}
}

Test(ip6, datagram_of_ipv4_without_checksum_gets_one_towards_ipv6)
{
	struct mixed call;
	struct frame frame;
	struct seen was;

	wire6_call(&wire, &call, WIRE6_V4, WIRE6_V6_FAR);
	wire6_call_latch(&wire, &call);
	wire6_rtp(&frame, &call.host[0], &call.local[0], 9);
	frame.data[40] = 0;
	frame.data[41] = 0;
	wire6_read(&frame, &was);
	cr_assert_eq(give(&call.host[0], &frame), STW_PASS_RELAYED);
	cr_assert(wire6_arrives(&wire, &call, 0, &was));
}

Test(ip6, device_that_makes_checksums_is_asked_for_one_made_from_nothing)
{
	struct rte_mbuf *mbuf;
	struct mixed call;
	struct frame frame;
	uint32_t sum;

	wire6_call(&wire, &call, WIRE6_V4, WIRE6_V6_FAR);
	wire6_call_latch(&wire, &call);
	wire.media->ports[1].udp_checksums = 1;
	wire6_rtp(&frame, &call.host[0], &call.local[0], 9);
	cr_assert_eq(give(&call.host[0], &frame), STW_PASS_RELAYED);
	cr_assert_eq(rte_ring_dequeue(wire.out[1], (void **)&mbuf), 0);
	cr_assert_eq(mbuf->ol_flags & RTE_MBUF_F_TX_L4_MASK, 0, "cheaper changed than made");
	rte_pktmbuf_free(mbuf);
	frame.data[40] = 0;
	frame.data[41] = 0;
	cr_assert_eq(give(&call.host[0], &frame), STW_PASS_RELAYED);
	cr_assert_eq(rte_ring_dequeue(wire.out[1], (void **)&mbuf), 0);
	cr_assert_eq(mbuf->ol_flags & RTE_MBUF_F_TX_L4_MASK, RTE_MBUF_F_TX_UDP_CKSUM);
	cr_assert(mbuf->ol_flags & RTE_MBUF_F_TX_IPV6);
	cr_assert_eq(mbuf->l2_len, 14);
	cr_assert_eq(mbuf->l3_len, 40);
	/* What the device finds there is the sum of the pseudo header. */
	memcpy(frame.data, rte_pktmbuf_mtod(mbuf, void *), mbuf->pkt_len);
	sum = 17 + wire_u16(&frame, 58);
	for (unsigned i = 22; i < 54; i += 2)
		sum += wire_u16(&frame, i);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	cr_assert_eq(wire_u16(&frame, 60), sum);
	rte_pktmbuf_free(mbuf);
}

Test(ip6, rtcp_goes_from_the_next_port_to_the_next_port)
{
	const uint8_t report[8] = {0x80, 201, 0, 1, 1, 2, 3, 4};
	struct stw_endpoint to;
	struct mixed call;
	struct frame frame;
	struct host from;
	struct seen seen;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V6_FAR);
	wire6_call_latch(&wire, &call);
	from = call.host[0];
	from.udp_port++;
	to = call.local[0];
	to.port++;
	wire6_udp(&frame, &from, &to, report, sizeof(report));
	cr_assert_eq(give(&from, &frame), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, 1, &frame));
	cr_assert(wire6_read(&frame, &seen));
	cr_assert(wire6_checksums_are_right(&frame));
	cr_assert_eq(seen.from_port, call.local[1].port + 1);
	cr_assert_eq(seen.to_port, call.host[1].udp_port + 1);
	from.ip.bytes[15] ^= 1;
	wire6_udp(&frame, &from, &to, report, sizeof(report));
	cr_assert_eq(give(&from, &frame), STW_DROP_SOURCE, "from another address");
}

Test(ip6, buffer_without_room_in_front_is_moved_or_dropped)
{
	struct rte_mbuf *mbuf;
	struct mixed call;
	struct frame frame;
	struct seen was;

	wire6_call(&wire, &call, WIRE6_V4, WIRE6_V6_FAR);
	wire6_call_latch(&wire, &call);
	wire6_rtp(&frame, &call.host[0], &call.local[0], 9);
	wire6_read(&frame, &was);
	for (uint16_t room = 0; room < 24; room++) {
		mbuf = wire_mbuf(&wire, &frame);
		mbuf->data_off = room;
		memcpy(rte_pktmbuf_mtod(mbuf, void *), frame.data, frame.bytes);
		wire_give_mbuf(&wire, 0, mbuf);
		wire_poll(&wire);
		cr_assert(wire6_arrives(&wire, &call, 0, &was));
	}
	mbuf = wire_mbuf(&wire, &frame);
	mbuf->data_off = 7;
	mbuf->buf_len = (uint16_t)(frame.bytes + 7 + 12);
	memcpy(rte_pktmbuf_mtod(mbuf, void *), frame.data, frame.bytes);
	wire_give_mbuf(&wire, 0, mbuf);
	wire_poll(&wire);
	cr_assert_eq(wire_stats(&wire).verdicts[STW_DROP_NO_BUFFER], 1);
}

Test(ip6, rtcp_mux_and_told_ports_serve_every_mix)
{
	const uint8_t report[8] = {0x80, 201, 0, 1, 1, 2, 3, 4};
	struct stw_leg_config config;
	struct stw_endpoint to;
	struct mixed call;
	struct frame frame;
	struct host from;
	struct seen seen;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V4);
	wire6_call_latch(&wire, &call);
	config = wire6_leg_config(WIRE6_V6, &call.host[0]);
	config.rtcp_mux = 1;
	cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns), 0);
	config = wire6_leg_config(WIRE6_V4, &call.host[1]);
	config.remote_rtcp_port = 7777;
	cr_assert_eq(stw_leg_update(wire.media, call.leg[1], &config, wire.now_ns), 0);
	wire6_udp(&frame, &call.host[0], &call.local[0], report, sizeof(report));
	cr_assert_eq(give(&call.host[0], &frame), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, call.host[1].port, &frame) && wire6_read(&frame, &seen));
	cr_assert_eq(seen.to_port, 7777);
	from = call.host[1];
	from.udp_port++;
	to = call.local[1];
	to.port++;
	wire6_udp(&frame, &from, &to, report, sizeof(report));
	cr_assert_eq(give(&from, &frame), STW_PASS_RELAYED_RTCP);
	cr_assert(wire_take(&wire, call.host[0].port, &frame) && wire6_read(&frame, &seen));
	cr_assert_eq(seen.from_port, call.local[0].port);
	cr_assert_eq(seen.to_port, call.host[0].udp_port);
	/* Only the very source of its RTP. */
	from = call.host[0];
	from.udp_port++;
	wire6_udp(&frame, &from, &call.local[0], report, sizeof(report));
	cr_assert_eq(give(&from, &frame), STW_DROP_SOURCE);
	/* On hold nothing is sent in this mix, too. */
	config.mode = STW_LEG_SEND_ONLY;
	cr_assert_eq(stw_leg_update(wire.media, call.leg[1], &config, wire.now_ns), 0);
	wire6_rtp(&frame, &call.host[0], &call.local[0], 20);
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_DIRECTION);
}

Test(ip6, fork_goes_to_an_endpoint_of_its_local_addresss_version)
{
	const enum wire6_address kinds[2] = {WIRE6_V6_FAR, WIRE6_VLAN6_FAR};

	for (unsigned i = 0; i < 2; i++) {
		struct stw_fork_config config = STW_FORK_CONFIG_INIT;
		struct stw_fork_stats stats;
		struct stw_fork fork;
		struct frame frame;
		struct mixed call;
		struct seen seen;

		wire6_call(&wire, &call, WIRE6_V4, kinds[i]);
		wire6_call_latch(&wire, &call);
		config.kind = STW_FORK_UDP;
		config.address = WIRE6_V4;
		config.remote = wire6_endpoint(&call.host[1]);
		config.remote.port = 6000;
		cr_assert_eq(stw_fork_add(wire.media, call.session, &config, wire.now_ns, &fork),
			     -EINVAL, "IPv6 from IPv4");
		config.address = kinds[i];
		cr_assert_eq(stw_fork_add(wire.media, call.session, &config, wire.now_ns, &fork),
			     0);
		cr_assert_eq(stw_fork_stats(wire.media, fork, &stats), 0);
		wire6_rtp(&frame, &call.host[0], &call.local[0], 9);
		cr_assert_eq(give(&call.host[0], &frame), STW_PASS_RELAYED);
		cr_assert(wire_take(&wire, 1, &frame), "what is relayed");
		cr_assert(wire_take(&wire, 1, &frame), "its copy");
		cr_assert(wire6_read(&frame, &seen));
		cr_assert(wire6_checksums_are_right(&frame));
		cr_assert_eq(seen.vlan, call.host[1].vlan);
		cr_assert_eq(memcmp(&seen.to, &config.remote.ip, sizeof(seen.to)), 0);
		cr_assert_eq(memcmp(&seen.from, &stats.local.ip, sizeof(seen.from)), 0);
		cr_assert_eq(seen.to_port, 6000);
		cr_assert_eq(seen.from_port, stats.local.port);
		cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	}
}
