/* SPDX-License-Identifier: BSD-3-Clause */
/* Every way in which a frame of IPv6 can be wrong or not ours has its verdict. */
#include <criterion/criterion.h>

#include <string.h>

#include "media/plane.h"
#include "wire6.h"
#include "wire_suite.h"

static struct wire wire;
static struct host party, peer;
static struct stw_endpoint local;
static struct stw_leg legs[2];

static void
open_wire(void)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config config;
	struct stw_session session;
	struct stw_endpoint other;
	struct frame frame;

	wire_eal_start();
	wire6_open(&wire);
	party = wire6_host(WIRE6_V6, 1);
	peer = wire6_host(WIRE6_V4_FAR, 1);
	cr_assert_eq(stw_session_add(wire.media, &session_config, &session), 0);
	config = wire6_leg_config(WIRE6_V6, &party);
	cr_assert_eq(stw_leg_add(wire.media, session, &config, wire.now_ns, &legs[0], &local), 0);
	config = wire6_leg_config(WIRE6_V4_FAR, &peer);
	cr_assert_eq(stw_leg_add(wire.media, session, &config, wire.now_ns, &legs[1], &other), 0);
	cr_assert_eq(stw_leg_connect(wire.media, legs[0], legs[1]), 0);
	wire6_rtp(&frame, &peer, &other, 1);
	wire_give(&wire, 1, &frame);
	wire6_rtp(&frame, &party, &local, 1);
	wire_give(&wire, 0, &frame);
	wire_poll(&wire);
	wire_drop_all(&wire, 1);
}

static void
close_wire(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(parse6, .init = open_wire, .fini = close_wire);

static struct frame
whole(void)
{
	struct frame frame;

	wire6_rtp(&frame, &party, &local, 10);
	return frame;
}

static int
verdict(const struct frame *frame)
{
	return wire_verdict(&wire, 0, frame);
}

Test(parse6, whole_packet_is_relayed)
{
	struct frame frame = whole();

	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED);
}

Test(parse6, every_shorter_frame_is_malformed)
{
	struct frame frame = whole();

	for (uint32_t bytes = 1; bytes < frame.bytes; bytes++) {
		struct frame cut = frame;

		cut.bytes = bytes;
		cr_assert_eq(verdict(&cut), STW_DROP_MALFORMED, "cut to %u", bytes);
	}
}

Test(parse6, padding_behind_the_datagram_is_left_behind)
{
	struct frame frame = whole(), seen;

	frame.bytes += 7;
	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &seen));
	cr_assert_eq(seen.bytes, frame.bytes - 7 - 20);
}

Test(parse6, contradicting_headers_are_malformed)
{
	struct frame frame = whole();

	frame.data[14] = 0x50;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "version");
	frame = whole();
	frame.data[19]++;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "payload beyond the frame");
	frame = whole();
	frame.data[18] = 0;
	frame.data[19] = 7;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "no room for UDP");
	frame = whole();
	frame.data[59]++;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "UDP beyond IP");
	frame = whole();
	frame.data[58] = 0;
	frame.data[59] = 7;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "UDP below its header");
}

Test(parse6, other_addresses_ports_and_protocols_are_not_ours)
{
	static const uint8_t protocols[] = {6, 50, 51, 59, 132, 255};
	struct stw_endpoint to = local;
	struct frame frame;

	for (unsigned bit = 0; bit < 128; bit++) {
		to = local;
		to.ip.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		wire6_rtp(&frame, &party, &to, 2);
		cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS, "bit %u", bit);
	}
	to = local;
	to.port = 20100;
	wire6_rtp(&frame, &party, &to, 2);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS);
	frame = whole();
	cr_assert_eq(wire_verdict(&wire, 1, &frame), STW_DROP_NOT_OURS, "the other port");
	for (size_t i = 0; i < sizeof(protocols); i++) {
		frame = whole();
		frame.data[20] = protocols[i];
		cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS, "protocol %u", protocols[i]);
	}
}

Test(parse6, wrong_or_missing_checksums_are_dropped)
{
	struct frame frame = whole();

	frame.data[100] ^= 1;
	cr_assert_eq(verdict(&frame), STW_DROP_CHECKSUM, "payload");
	frame = whole();
	frame.data[frame.bytes - 1] ^= 0x80;
	cr_assert_eq(verdict(&frame), STW_DROP_CHECKSUM, "last byte");
	frame = whole();
	frame.data[29] ^= 1;
	cr_assert_eq(verdict(&frame), STW_DROP_CHECKSUM, "source address");
	frame = whole();
	frame.data[60] = 0;
	frame.data[61] = 0;
	cr_assert_eq(verdict(&frame), STW_DROP_CHECKSUM, "none");
}

Test(parse6, device_that_found_a_checksum_bad_or_good_is_believed)
{
	struct stw_media_stats before = wire_stats(&wire), after;
	struct frame frame = whole();
	struct rte_mbuf *mbuf;

	mbuf = wire_mbuf(&wire, &frame);
	mbuf->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
	wire_give_mbuf(&wire, 0, mbuf);
	frame.data[100] ^= 1;
	mbuf = wire_mbuf(&wire, &frame);
	mbuf->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	wire_give_mbuf(&wire, 0, mbuf);
	wire_poll(&wire);
	after = wire_stats(&wire);
	cr_assert_eq(after.verdicts[STW_DROP_CHECKSUM] - before.verdicts[STW_DROP_CHECKSUM], 1);
	cr_assert_eq(after.verdicts[STW_PASS_RELAYED] - before.verdicts[STW_PASS_RELAYED], 1);
}

Test(parse6, fragments_are_dropped)
{
	const uint8_t header[8] = {0, 0, 0, 1, 0, 0, 0, 9};
	const uint8_t padding[8] = {0, 0, 1, 4};
	struct frame frame = whole();

	wire6_extend(&frame, 44, header, sizeof(header));
	cr_assert_eq(verdict(&frame), STW_DROP_FRAGMENT);
	wire6_extend(&frame, 0, padding, sizeof(padding));
	cr_assert_eq(verdict(&frame), STW_DROP_FRAGMENT, "behind another header");
}

Test(parse6, extension_headers_are_stepped_over_and_left_behind)
{
	const uint8_t padding[8] = {0, 0, 1, 4};
	const uint8_t zeros[16] = {0, 1};
	const uint8_t routing[8] = {0, 0, 4, 0};
	struct frame plain = whole(), frame = whole(), expected, seen;

	/* The second, as the first one begins the leg's stream and has a marker. */
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(verdict(&plain), STW_PASS_RELAYED);
		cr_assert(wire_take(&wire, 1, &expected));
	}
	wire6_extend(&frame, 60, padding, sizeof(padding));
	wire6_extend(&frame, 43, routing, sizeof(routing));
	wire6_extend(&frame, 60, zeros, sizeof(zeros));
	wire6_extend(&frame, 0, padding, sizeof(padding));
	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &seen));
	cr_assert_eq(seen.bytes, expected.bytes);
	cr_assert_arr_eq(seen.data, expected.data, seen.bytes);
	/* Cut anywhere within them. */
	for (uint32_t bytes = 54; bytes < 54 + 40; bytes++) {
		struct frame cut = frame;

		cut.bytes = bytes;
		cut.data[18] = 0;
		cut.data[19] = (uint8_t)(bytes - 54);
		cr_assert_eq(verdict(&cut), STW_DROP_MALFORMED, "cut to %u", bytes);
	}
}

Test(parse6, only_so_many_extension_headers_are_looked_at)
{
	const uint8_t padding[8] = {0, 0, 1, 4};
	struct frame frame = whole();

	for (unsigned i = 0; i < 8; i++)
		wire6_extend(&frame, 60, padding, sizeof(padding));
	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED, "eight");
	wire6_extend(&frame, 60, padding, sizeof(padding));
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS, "nine");
}

Test(parse6, options_that_want_to_be_known_are_not_ours)
{
	const uint8_t known[3][8] = {{0, 0, 0x40, 4}, {0, 0, 0xc2, 4}, {0, 0, 0x80, 4}};
	const uint8_t ignored[8] = {0, 0, 0x05, 2, 0, 0, 1, 0};
	const uint8_t beyond[8] = {0, 0, 1, 5};
	const uint8_t routing[8] = {0, 0, 0, 1};
	const uint8_t padding[8] = {0, 0, 1, 4};
	struct frame frame;

	for (unsigned i = 0; i < 3; i++) {
		frame = whole();
		wire6_extend(&frame, 60, known[i], 8);
		cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS);
	}
	frame = whole();
	wire6_extend(&frame, 0, ignored, 8);
	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED);
	frame = whole();
	wire6_extend(&frame, 60, beyond, 8);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS, "an option beyond its header");
	frame = whole();
	wire6_extend(&frame, 43, routing, 8);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS, "to be routed on");
	frame = whole();
	wire6_extend(&frame, 0, padding, 8);
	wire6_extend(&frame, 60, padding, 8);
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "hop-by-hop options not first");
}

Test(parse6, multicast_and_icmp_reach_no_leg)
{
	struct stw_endpoint to = local;
	struct frame frame;

	cr_assert_eq(stw_ip_parse("ff02::1", &to.ip), 0);
	wire6_rtp(&frame, &party, &to, 2);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS);
	frame = whole();
	frame.data[20] = 58;
	cr_assert_eq(wire.media->ports[0].owned, 1);
	cr_assert_neq(verdict(&frame), STW_PASS_RELAYED);
}

Test(parse6, packet_in_pieces_is_copied_first)
{
	struct frame frame = whole(), seen;
	struct rte_mbuf *first, *second;

	for (uint16_t cut = 1; cut < frame.bytes; cut += 13) {
		first = rte_pktmbuf_alloc(wire.pool);
		second = rte_pktmbuf_alloc(wire.pool);
		memcpy(rte_pktmbuf_append(first, cut), frame.data, cut);
		memcpy(rte_pktmbuf_append(second, (uint16_t)(frame.bytes - cut)), frame.data + cut,
		       frame.bytes - cut);
		cr_assert_eq(rte_pktmbuf_chain(first, second), 0);
		wire_give_mbuf(&wire, 0, first);
		wire_poll(&wire);
		cr_assert(wire_take(&wire, 1, &seen));
		cr_assert(wire6_checksums_are_right(&seen));
	}
}
