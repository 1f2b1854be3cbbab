/* SPDX-License-Identifier: BSD-3-Clause */
/* Every way in which a frame can be wrong or not ours has its verdict. */
#include <criterion/criterion.h>

#include <string.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;
static struct call call;

static void
open_wire(void)
{
	wire_begin(&wire);
	wire_call_latched(&wire, &call);
}

static void
close_wire(void)
{
	wire_end(&wire);
}

TestSuite(parse, .init = open_wire, .fini = close_wire);

static struct frame
whole(void)
{
	struct frame frame;

	wire_rtp(&frame, &wire_caller, &call.caller_local, 0, 10, 1600);
	return frame;
}

static int
verdict(const struct frame *frame)
{
	return wire_verdict(&wire, 0, frame);
}

Test(parse, whole_packet_is_relayed)
{
	struct frame frame = whole();

	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED);
}

Test(parse, every_shorter_frame_is_malformed_or_no_rtp)
{
	struct frame frame = whole();

	for (uint32_t bytes = 1; bytes < frame.bytes; bytes++) {
		struct frame cut = frame;

		cut.bytes = bytes;
		cr_assert_eq(verdict(&cut), STW_DROP_MALFORMED, "cut to %u", bytes);
	}
}

Test(parse, padding_behind_the_datagram_is_left_behind)
{
	struct frame frame = whole(), seen;

	frame.bytes += 7;
	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &seen));
	cr_assert_eq(seen.bytes, frame.bytes - 7);
	cr_assert(wire_checksums_are_right(&seen));
}

Test(parse, other_protocols_are_not_ours)
{
	struct frame frame = whole();

	frame.data[12] = 0x88;
	frame.data[13] = 0x47;
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS);
	frame = whole();
	frame.data[23] = 6;
	wire_sign(&frame);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS);
}

Test(parse, other_addresses_and_ports_are_not_ours)
{
	struct stw_endpoint to = call.caller_local;
	struct frame frame;

	to.ip.bytes[3] = 2;
	wire_rtp(&frame, &wire_caller, &to, 0, 1, 1);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS);
	to = call.caller_local;
	to.port = 19998;
	wire_rtp(&frame, &wire_caller, &to, 0, 1, 1);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS);
	to.port = 20100;
	wire_rtp(&frame, &wire_caller, &to, 0, 1, 1);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS);
}

Test(parse, address_of_the_other_port_is_not_ours)
{
	struct frame frame;

	wire_rtp(&frame, &wire_agent, &call.agent_local, 0, 1, 1);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS);
}

Test(parse, contradicting_headers_are_malformed)
{
	struct frame frame = whole();

	frame.data[14] = 0x65;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "version");
	frame = whole();
	frame.data[14] = 0x44;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "header length");
	frame = whole();
	frame.data[16] = 0;
	frame.data[17] = 19;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "total length below the header");
	frame = whole();
	frame.data[17]++;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "total length beyond the frame");
	frame = whole();
	frame.data[16] = 0;
	frame.data[17] = 27;
	wire_sign(&frame);
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "no room for UDP");
	frame = whole();
	frame.data[39]++;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "UDP beyond IP");
	frame = whole();
	frame.data[38] = 0;
	frame.data[39] = 7;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED, "UDP below its header");
}

Test(parse, wrong_checksums_are_dropped)
{
	struct frame frame = whole();

	frame.data[25] ^= 1;
	cr_assert_eq(verdict(&frame), STW_DROP_CHECKSUM, "IP");
	frame = whole();
	frame.data[100] ^= 1;
	cr_assert_eq(verdict(&frame), STW_DROP_CHECKSUM, "payload");
	frame = whole();
	frame.data[frame.bytes - 1] ^= 0x80;
	cr_assert_eq(verdict(&frame), STW_DROP_CHECKSUM, "last byte");
}

Test(parse, odd_payload_is_summed_up_to_its_last_byte)
{
	struct frame frame;
	uint8_t payload[13] = {0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x5a};

	wire_udp(&frame, &wire_caller, &call.caller_local, payload, sizeof(payload));
	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED);
	frame.data[frame.bytes - 1] ^= 1;
	cr_assert_eq(verdict(&frame), STW_DROP_CHECKSUM);
}

Test(parse, device_that_found_checksums_bad_or_good_is_believed)
{
	struct stw_media_stats before = wire_stats(&wire), after;
	struct frame frame = whole();
	struct rte_mbuf *mbuf;

	mbuf = wire_mbuf(&wire, &frame);
	mbuf->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
	wire_give_mbuf(&wire, 0, mbuf);
	mbuf = wire_mbuf(&wire, &frame);
	mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_BAD;
	wire_give_mbuf(&wire, 0, mbuf);
	frame.data[100] ^= 1;
	frame.data[24] ^= 1;
	mbuf = wire_mbuf(&wire, &frame);
	mbuf->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	wire_give_mbuf(&wire, 0, mbuf);
	wire_poll(&wire);
	after = wire_stats(&wire);
	cr_assert_eq(after.verdicts[STW_DROP_CHECKSUM] - before.verdicts[STW_DROP_CHECKSUM], 2);
	cr_assert_eq(after.verdicts[STW_PASS_RELAYED] - before.verdicts[STW_PASS_RELAYED], 1);
	wire_drop_all(&wire, 1);
}

Test(parse, fragments_are_dropped)
{
	struct frame frame = whole();

	frame.data[20] = 0x20;
	wire_sign(&frame);
	cr_assert_eq(verdict(&frame), STW_DROP_FRAGMENT, "more to come");
	frame = whole();
	frame.data[21] = 1;
	wire_sign(&frame);
	cr_assert_eq(verdict(&frame), STW_DROP_FRAGMENT, "not the first");
	frame = whole();
	frame.data[20] = 0x40;
	wire_sign(&frame);
	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED, "may not be one");
	wire_drop_all(&wire, 1);
}

/* Put bytes into a frame. */
static void
insert(struct frame *frame, uint32_t at, const uint8_t *bytes, uint32_t count)
{
	memmove(frame->data + at + count, frame->data + at, frame->bytes - at);
	memcpy(frame->data + at, bytes, count);
	frame->bytes += count;
}

Test(parse, priority_tag_passes_and_is_left_behind)
{
	const uint8_t tag[4] = {0x81, 0x00, 0xa0, 0x00};
	struct frame frame = whole(), seen;

	insert(&frame, 12, tag, sizeof(tag));
	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &seen));
	cr_assert_eq(seen.bytes, frame.bytes - 4);
	cr_assert_eq(wire_u16(&seen, 12), 0x0800);
	cr_assert(wire_checksums_are_right(&seen));
	cr_assert(wire_audio_is(&seen, 42, &frame, 46));
}

Test(parse, tag_of_a_vlan_is_not_ours_and_half_a_tag_is_malformed)
{
	const uint8_t tag[4] = {0x81, 0x00, 0x00, 0x05};
	struct frame frame = whole();

	insert(&frame, 12, tag, sizeof(tag));
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_OURS);
	frame.bytes = 17;
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED);
}

Test(parse, options_of_ip_are_understood_and_left_behind)
{
	const uint8_t options[4] = {1, 1, 1, 0};
	struct frame frame = whole(), seen;
	uint32_t sum = 0;

	insert(&frame, 34, options, sizeof(options));
	frame.data[14] = 0x46;
	frame.data[17] += 4;
	frame.data[24] = 0;
	frame.data[25] = 0;
	for (unsigned i = 14; i < 38; i += 2)
		sum += wire_u16(&frame, i);
	sum = (sum & 0xffff) + (sum >> 16);
	frame.data[24] = (uint8_t)(~sum >> 8);
	frame.data[25] = (uint8_t)~sum;
	cr_assert_eq(verdict(&frame), STW_PASS_RELAYED);
	cr_assert(wire_take(&wire, 1, &seen));
	cr_assert_eq(seen.data[14], 0x45);
	cr_assert_eq(seen.bytes, frame.bytes - 4);
	cr_assert(wire_checksums_are_right(&seen));
}

Test(parse, what_is_neither_rtp_nor_rtcp_is_said_so)
{
	const uint8_t stun[20] = {0, 1}, dtls[20] = {22, 254, 253}, zrtp[20] = {16};
	struct frame frame;

	wire_udp(&frame, &wire_caller, &call.caller_local, stun, sizeof(stun));
	cr_assert_eq(verdict(&frame), STW_DROP_STUN);
	wire_udp(&frame, &wire_caller, &call.caller_local, dtls, sizeof(dtls));
	cr_assert_eq(verdict(&frame), STW_DROP_DTLS);
	wire_udp(&frame, &wire_caller, &call.caller_local, zrtp, sizeof(zrtp));
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_RTP);
	wire_udp(&frame, &wire_caller, &call.caller_local, stun, 0);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_RTP, "empty");
}

Test(parse, broken_rtp_and_rtcp_are_malformed)
{
	uint8_t rtp[12] = {0x8f, 0};
	uint8_t rtcp[8] = {0x80, 201, 0, 9};
	struct stw_endpoint to = call.caller_local;
	struct frame frame;

	wire_udp(&frame, &wire_caller, &to, rtp, sizeof(rtp));
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED);
	to.port++;
	wire_udp(&frame, &wire_caller, &to, rtcp, sizeof(rtcp));
	cr_assert_eq(verdict(&frame), STW_DROP_MALFORMED);
}

Test(parse, rtp_on_the_port_of_rtcp_is_no_rtcp)
{
	struct stw_endpoint to = call.caller_local;
	struct frame frame;

	to.port++;
	wire_rtp(&frame, &wire_caller, &to, 0, 1, 1);
	cr_assert_eq(verdict(&frame), STW_DROP_NOT_RTP);
}

Test(parse, owned_port_without_a_leg_is_said_so)
{
	struct stw_endpoint to = call.caller_local;
	struct frame frame;

	to.port += 10;
	wire_rtp(&frame, &wire_caller, &to, 0, 1, 1);
	cr_assert_eq(verdict(&frame), STW_DROP_NO_LEG);
}

Test(parse, packet_in_pieces_or_shared_is_copied_first)
{
	struct frame frame = whole(), seen;
	struct rte_mbuf *first, *second, *shared;
	uint8_t *kept;

	first = rte_pktmbuf_alloc(wire.pool);
	second = rte_pktmbuf_alloc(wire.pool);
	memcpy(rte_pktmbuf_append(first, 50), frame.data, 50);
	memcpy(rte_pktmbuf_append(second, (uint16_t)(frame.bytes - 50)), frame.data + 50,
	       frame.bytes - 50);
	cr_assert_eq(rte_pktmbuf_chain(first, second), 0);
	wire_give_mbuf(&wire, 0, first);
	shared = wire_mbuf(&wire, &frame);
	rte_mbuf_refcnt_update(shared, 1);
	wire_give_mbuf(&wire, 0, shared);
	wire_poll(&wire);
	for (unsigned i = 0; i < 2; i++) {
		cr_assert(wire_take(&wire, 1, &seen));
		cr_assert(wire_checksums_are_right(&seen));
		cr_assert(wire_audio_is(&seen, 42, &frame, 42));
	}
	kept = rte_pktmbuf_mtod(shared, uint8_t *);
	cr_assert_arr_eq(kept, frame.data, frame.bytes);
	rte_pktmbuf_free(shared);
}

Test(parse, shared_packet_without_a_buffer_for_the_copy_is_dropped)
{
	struct rte_mempool *pool = wire.media->ports[0].pools[0];
	struct frame frame = whole();
	struct rte_mbuf *taken[4096], *shared = wire_mbuf(&wire, &frame);
	unsigned count = 0;

	while (count < 4096 && (taken[count] = rte_pktmbuf_alloc(pool)))
		count++;
	rte_mbuf_refcnt_update(shared, 1);
	wire_give_mbuf(&wire, 0, shared);
	wire_poll(&wire);
	cr_assert_eq(wire_stats(&wire).verdicts[STW_DROP_NO_BUFFER], 1);
	rte_pktmbuf_free(shared);
	rte_pktmbuf_free_bulk(taken, count);
}
