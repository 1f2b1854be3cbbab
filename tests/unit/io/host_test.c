/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP and ICMP echo on ports that DPDK owns. */
#include <criterion/criterion.h>

#include <string.h>

#include <rte_ethdev.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;

static void
open_wire(void)
{
	wire_begin(&wire);
}

static void
close_wire(void)
{
	wire_end(&wire);
}

TestSuite(host, .init = open_wire, .fini = close_wire);

static void
arp(struct frame *frame, const struct party *from, uint8_t code, const uint8_t target[4])
{
	const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, code};

	memset(frame, 0, sizeof(*frame));
	frame->bytes = 60;
	memset(frame->data, 0xff, 6);
	memcpy(frame->data + 6, from->mac, 6);
	frame->data[12] = 0x08;
	frame->data[13] = 0x06;
	memcpy(frame->data + 14, head, 8);
	memcpy(frame->data + 22, from->mac, 6);
	memcpy(frame->data + 28, from->ip, 4);
	memcpy(frame->data + 38, target, 4);
}

static const uint8_t own[4] = {10, 0, 0, 1};
static const uint8_t stranger[4] = {10, 0, 0, 9};

static bool
knows(const struct party *party)
{
	struct hops *hops = &wire.media->addresses[party->port].hops;
	uint32_t ip = (uint32_t)party->ip[0] << 24 | (uint32_t)party->ip[1] << 16 |
		      (uint32_t)party->ip[2] << 8 | party->ip[3];
	struct rte_ether_addr mac;

	return hops_find(hops, ip, &mac) && memcmp(mac.addr_bytes, party->mac, 6) == 0;
}

Test(host, question_for_an_own_address_is_answered)
{
	struct rte_ether_addr mac;
	struct frame frame, seen;

	rte_eth_macaddr_get(wire.media->ports[0].id, &mac);
	arp(&frame, &wire_caller, 1, own);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_HOST);
	cr_assert(wire_take(&wire, 0, &seen));
	cr_assert_arr_eq(seen.data, wire_caller.mac, 6);
	cr_assert_arr_eq(seen.data + 6, mac.addr_bytes, 6);
	cr_assert_eq(wire_u16(&seen, 12), 0x0806);
	cr_assert_eq(wire_u16(&seen, 20), 2);
	cr_assert_arr_eq(seen.data + 22, mac.addr_bytes, 6);
	cr_assert_arr_eq(seen.data + 28, own, 4);
	cr_assert_arr_eq(seen.data + 32, wire_caller.mac, 6);
	cr_assert_arr_eq(seen.data + 38, wire_caller.ip, 4);
	cr_assert(knows(&wire_caller), "who asks is learnt");
}

Test(host, answer_is_learnt_and_not_answered)
{
	struct frame frame, seen;

	arp(&frame, &wire_caller, 2, own);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_HOST);
	cr_assert(!wire_take(&wire, 0, &seen));
	cr_assert(knows(&wire_caller));
}

Test(host, what_is_asked_of_others_is_not_ours_and_not_learnt)
{
	struct frame frame;

	arp(&frame, &wire_caller, 1, stranger);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_NOT_OURS);
	cr_assert(!knows(&wire_caller));
}

Test(host, announcement_of_another_changes_only_what_is_known)
{
	struct party moved = wire_caller, tagged = wire_caller;
	struct frame frame;

	arp(&frame, &wire_caller, 2, own);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_HOST);
	moved.mac[5] = 0x51;
	arp(&frame, &moved, 1, moved.ip);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_NOT_OURS);
	cr_assert(knows(&moved));
	tagged.mac[5] = 0x52;
	arp(&frame, &tagged, 1, tagged.ip);
	memmove(frame.data + 18, frame.data + 14, 40);
	memcpy(frame.data + 14, "\x00\x05\x08\x06", 4);
	memcpy(frame.data + 12, "\x81\x00", 2);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_NOT_OURS);
	cr_assert(knows(&moved), "another VLAN's");
}

Test(host, address_of_the_other_port_is_not_answered)
{
	const uint8_t other[4] = {10, 0, 1, 1};
	struct frame frame;

	arp(&frame, &wire_caller, 1, other);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_NOT_OURS);
}

Test(host, broken_arp_is_malformed)
{
	struct frame frame;

	arp(&frame, &wire_caller, 1, own);
	frame.bytes = 41;
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_MALFORMED);
	arp(&frame, &wire_caller, 1, own);
	frame.data[18] = 7;
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_MALFORMED);
}

Test(host, multicast_link_address_is_not_learnt)
{
	struct party party = wire_caller;
	struct frame frame;

	party.mac[0] |= 1;
	arp(&frame, &party, 2, own);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_HOST);
	cr_assert(!knows(&party));
}

static void
echo(struct frame *frame, uint8_t type, uint32_t payload_bytes)
{
	struct stw_endpoint to = {{4, {10, 0, 0, 1}}, 0};
	uint8_t data[512] = {0};
	uint32_t sum = (uint32_t)type << 8;

	for (uint32_t i = 0; i < payload_bytes; i++)
		data[i] = (uint8_t)(i * 3 + 1);
	wire_udp(frame, &wire_caller, &to, data, payload_bytes);
	frame->data[23] = 1;
	wire_sign(frame);
	frame->data[34] = type;
	frame->data[35] = 0;
	frame->data[36] = 0;
	frame->data[37] = 0;
	frame->data[38] = 0x12;
	frame->data[39] = 0x34;
	frame->data[40] = 0;
	frame->data[41] = 1;
	sum = 0;
	for (uint32_t i = 34; i < frame->bytes; i++)
		sum += i % 2 ? frame->data[i] : (uint32_t)frame->data[i] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	frame->data[36] = (uint8_t)(~sum >> 8);
	frame->data[37] = (uint8_t)~sum;
}

static uint32_t
sum_of(const struct frame *frame, uint32_t from)
{
	uint32_t sum = 0;

	for (uint32_t i = from; i < frame->bytes; i++)
		sum += (i - from) % 2 ? frame->data[i] : (uint32_t)frame->data[i] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

Test(host, echo_is_answered_with_the_same_data)
{
	struct frame frame, seen;

	for (uint32_t bytes = 0; bytes < 60; bytes += 7) {
		echo(&frame, 8, bytes);
		cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_HOST);
		cr_assert(wire_take(&wire, 0, &seen));
		cr_assert_eq(seen.bytes, frame.bytes);
		cr_assert_arr_eq(seen.data, wire_caller.mac, 6);
		cr_assert_arr_eq(seen.data + 26, own, 4);
		cr_assert_arr_eq(seen.data + 30, wire_caller.ip, 4);
		cr_assert_eq(seen.data[34], 0);
		cr_assert_arr_eq(seen.data + 38, frame.data + 38, frame.bytes - 38);
		cr_assert_eq(sum_of(&seen, 34), 0xffff);
	}
}

Test(host, other_icmp_is_not_ours_and_broken_icmp_is_said_so)
{
	struct frame frame;

	echo(&frame, 3, 20);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_NOT_OURS);
	echo(&frame, 8, 20);
	frame.data[50] ^= 4;
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_CHECKSUM);
	echo(&frame, 8, 20);
	frame.data[17] = 27;
	wire_sign(&frame);
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_MALFORMED);
}
