/* SPDX-License-Identifier: BSD-3-Clause */
/* Tags of frames: what is in a VLAN stays in it. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

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

TestSuite(vlan, .init = open_wire, .fini = close_wire);

static int
give(const struct host *host, const struct frame *frame)
{
	return wire_verdict(&wire, host->port, frame);
}

Test(vlan, frame_of_another_vlan_or_of_none_is_not_ours)
{
	struct mixed call;
	struct frame frame;
	struct host host;

	wire6_call(&wire, &call, WIRE6_VLAN4, WIRE6_VLAN6_FAR);
	for (unsigned i = 0; i < 2; i++) {
		host = call.host[i];
		host.vlan++;
		wire6_rtp(&frame, &host, &call.local[i], 2);
		cr_assert_eq(give(&host, &frame), STW_DROP_NOT_OURS);
		host.vlan = 0;
		wire6_rtp(&frame, &host, &call.local[i], 2);
		cr_assert_eq(give(&host, &frame), STW_DROP_NOT_OURS);
	}
	wire6_call(&wire, &call, WIRE6_V4, WIRE6_V6_FAR);
	for (unsigned i = 0; i < 2; i++) {
		host = call.host[i];
		host.vlan = 7;
		wire6_rtp(&frame, &host, &call.local[i], 2);
		cr_assert_eq(give(&host, &frame), STW_DROP_NOT_OURS);
	}
}

Test(vlan, priority_tag_is_no_vlan)
{
	const uint8_t tag[4] = {0x81, 0x00, 0xa0, 0x00};
	struct mixed call;
	struct frame frame, sent;
	struct seen was;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V6_FAR);
	wire6_call_latch(&wire, &call);
	wire6_rtp(&sent, &call.host[0], &call.local[0], 2);
	wire6_read(&sent, &was);
	frame = sent;
	wire6_insert(&frame, 12, tag, sizeof(tag));
	cr_assert_eq(give(&call.host[0], &frame), STW_PASS_RELAYED);
	cr_assert(wire6_arrives(&wire, &call, 0, &was));
}

Test(vlan, two_tags_and_service_tags_are_not_ours)
{
	const uint8_t tag[4] = {0x81, 0x00, 0x00, 0x07};
	struct mixed call;
	struct frame frame;

	wire6_call(&wire, &call, WIRE6_VLAN4, WIRE6_VLAN6_FAR);
	wire6_rtp(&frame, &call.host[0], &call.local[0], 2);
	wire6_insert(&frame, 12, tag, sizeof(tag));
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_NOT_OURS);
	wire6_rtp(&frame, &call.host[0], &call.local[0], 2);
	frame.data[12] = 0x88;
	frame.data[13] = 0xa8;
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_NOT_OURS);
}

/* An ARP packet of a host about an address, with a tag. */
static void
arp_make(struct frame *frame, const struct host *from, uint8_t operation, const uint8_t *target)
{
	const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, operation};
	const uint8_t link[6] = {0x81, 0, 0, (uint8_t)from->vlan, 8, 6};

	memset(frame, 0, sizeof(*frame));
	frame->bytes = 60;
	memset(frame->data, 0xff, 6);
	memcpy(frame->data + 6, from->mac, 6);
	memcpy(frame->data + 12, link, sizeof(link));
	memcpy(frame->data + 18, head, sizeof(head));
	memcpy(frame->data + 26, from->mac, 6);
	memcpy(frame->data + 32, from->ip.bytes, 4);
	memcpy(frame->data + 42, target, 4);
}

Test(vlan, question_for_an_address_is_answered_in_its_vlan_only)
{
	const uint8_t own[4] = {10, 0, 2, 1}, untagged[4] = {10, 0, 0, 1};
	struct host host = wire6_host(WIRE6_VLAN4, 1);
	struct frame frame, seen;

	arp_make(&frame, &host, 1, own);
	cr_assert_eq(give(&host, &frame), STW_PASS_HOST);
	cr_assert(wire_take(&wire, 0, &seen));
	cr_assert_arr_eq(seen.data, host.mac, 6);
	cr_assert_arr_eq(seen.data + 12, frame.data + 12, 6, "the same tag");
	cr_assert_eq(seen.data[25], 2, "an answer");
	cr_assert_arr_eq(seen.data + 32, own, 4);
	cr_assert_arr_eq(seen.data + 42, host.ip.bytes, 4);
	arp_make(&frame, &host, 1, untagged);
	cr_assert_eq(give(&host, &frame), STW_DROP_NOT_OURS);
	host.vlan++;
	arp_make(&frame, &host, 1, own);
	cr_assert_eq(give(&host, &frame), STW_DROP_NOT_OURS);
}

Test(vlan, next_hop_is_asked_for_in_the_vlan)
{
	struct mixed call;
	struct frame frame;

	wire6_call(&wire, &call, WIRE6_VLAN4, WIRE6_V4_FAR);
	wire_poll(&wire);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert_eq(wire_u16(&frame, 12), 0x8100);
	cr_assert_eq(wire_u16(&frame, 14), 7);
	cr_assert_eq(wire_u16(&frame, 16), 0x0806);
	cr_assert_eq(frame.bytes, 60);
	cr_assert_arr_eq(frame.data + 42, call.host[0].ip.bytes, 4);
	arp_make(&frame, &call.host[0], 2, (const uint8_t[4]){10, 0, 2, 1});
	cr_assert_eq(give(&call.host[0], &frame), STW_PASS_HOST);
	wire6_rtp(&frame, &call.host[1], &call.local[1], 1);
	cr_assert_eq(give(&call.host[1], &frame), STW_PASS_RELAYED);
}
