/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery and ICMPv6 echo on ports that DPDK owns. */
#include <criterion/criterion.h>

#include <string.h>

#include <rte_ethdev.h>

#include "media/plane.h"
#include "wire6.h"
#include "wire_suite.h"

#define SOLICITATION  135
#define ADVERTISEMENT 136

/* Flags of an advertisement, its first byte. */
#define SOLICITED 0x40
#define OVERRIDE  0x20

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
	wire_end(&wire);
}

TestSuite(host6, .init = open_wire, .fini = close_wire);

/* A message of ICMPv6: what is behind its checksum is `body`. */
struct message {
	struct host from; /* also port, VLAN, link address */
	struct stw_ip to;
	uint8_t hop_limit, type, code;
	uint8_t body[600];
	uint32_t body_bytes;
};

static uint32_t
ip_at(const struct frame *frame)
{
	return wire_u16(frame, 12) == 0x8100 ? 18 : 14;
}

/* Sum with pseudo header over what the IP header says; 0xffff when the checksum is right. */
static uint32_t
sum_of(const struct frame *frame)
{
	uint32_t ip = ip_at(frame), bytes = wire_u16(frame, ip + 4), sum = 58 + bytes;

	for (uint32_t i = 8; i < 40 + bytes; i += 2)
		sum += (uint32_t)frame->data[ip + i] << 8 |
		       (i + 1 < 40 + bytes ? frame->data[ip + i + 1] : 0);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void
sign(struct frame *frame)
{
	uint32_t at = ip_at(frame) + 42, sum;

	frame->data[at] = frame->data[at + 1] = 0;
	sum = ~sum_of(frame);
	frame->data[at] = (uint8_t)(sum >> 8);
	frame->data[at + 1] = (uint8_t)sum;
}

/* The frame that wire6_udp makes, with another payload: eight bytes of UDP become type to body[3]. */
static struct frame
frame_of(const struct message *message)
{
	struct stw_endpoint to = {message->to, 1};
	struct frame frame;
	uint32_t ip;

	wire6_udp(&frame, &message->from, &to, message->body + 4, message->body_bytes - 4);
	ip = ip_at(&frame);
	frame.data[ip + 6] = 58;
	frame.data[ip + 7] = message->hop_limit;
	frame.data[ip + 40] = message->type;
	frame.data[ip + 41] = message->code;
	memcpy(frame.data + ip + 44, message->body, 4);
	sign(&frame);
	return frame;
}

/* A message about `target` with a link address option, 0: without. */
static struct message
discovery(enum wire6_address network, uint8_t type, const char *to, const char *target,
	  uint8_t option)
{
	struct message message = {.from = wire6_host(network, 1),
				  .to = wire6_ip(to),
				  .hop_limit = 255,
				  .type = type,
				  .body_bytes = option ? 28 : 20};
	struct stw_ip ip = wire6_ip(target);

	memcpy(message.body + 4, ip.bytes, 16);
	message.body[20] = option;
	message.body[21] = 1;
	memcpy(message.body + 22, message.from.mac, 6);
	return message;
}

static struct message
solicitation(void)
{
	return discovery(WIRE6_V6, SOLICITATION, "ff02::1:ff00:1", "2001:db8::1", 1);
}

static struct message
advertisement(uint8_t flags)
{
	struct message message =
		discovery(WIRE6_V6, ADVERTISEMENT, "2001:db8::1", "2001:db8::33", 2);

	message.body[0] = flags;
	return message;
}

static int
verdict(const struct message *message)
{
	struct frame frame = frame_of(message);

	return wire_verdict(&wire, message->from.port, &frame);
}

/* Last byte of the link address that is known of a hop; 0: none is. */
static uint8_t
known(enum wire6_address address, const char *hop)
{
	struct stw_ip ip = wire6_ip(hop);
	struct ip6 ip6 = ip6_read(ip.bytes);
	uint64_t word = hops6_find_word(&wire.media->addresses6[address].hops, &ip6);

	return (uint8_t)(word >> 40);
}

/* As ip_at, of a frame that must be in an address's VLAN. */
static uint32_t
tagged_at(const struct frame *frame, enum wire6_address address)
{
	uint16_t vlan = wire6_host(address, 1).vlan;

	cr_assert_eq(ip_at(frame), vlan ? 18 : 14);
	cr_assert(!vlan || wire_u16(frame, 14) == vlan);
	return ip_at(frame);
}

/* Take a frame of neighbour discovery and check all that such frames have in common. */
static struct frame
take(enum wire6_address address, uint8_t type, uint8_t flags, const char *to, const char *target)
{
	struct stw_ip to_ip = wire6_ip(to), target_ip = wire6_ip(target);
	struct rte_ether_addr mac;
	struct frame seen;
	uint32_t ip;

	cr_assert(wire_take(&wire, address % 2, &seen));
	rte_eth_macaddr_get(wire.media->ports[address % 2].id, &mac);
	ip = tagged_at(&seen, address);
	cr_assert_eq(seen.bytes, ip + 72);
	cr_assert_arr_eq(seen.data + 6, mac.addr_bytes, 6);
	cr_assert_eq(wire_u16(&seen, ip - 2), 0x86dd);
	cr_assert_eq(seen.data[ip], 0x60);
	cr_assert_eq(wire_u16(&seen, ip + 4), 32);
	cr_assert_eq(wire_u16(&seen, ip + 6), 58 << 8 | 255);
	cr_assert_arr_eq(seen.data + ip + 24, to_ip.bytes, 16);
	cr_assert_eq(seen.data[ip + 40], type);
	cr_assert_eq(seen.data[ip + 41], 0);
	cr_assert_eq(sum_of(&seen), 0xffff);
	cr_assert_eq(seen.data[ip + 44], flags);
	cr_assert_arr_eq(seen.data + ip + 48, target_ip.bytes, 16);
	cr_assert_eq(seen.data[ip + 64], type == SOLICITATION ? 1 : 2);
	cr_assert_eq(seen.data[ip + 65], 1);
	cr_assert_arr_eq(seen.data + ip + 66, mac.addr_bytes, 6);
	return seen;
}

static bool
nothing_is_sent(void)
{
	return wire_drop_all(&wire, 0) + wire_drop_all(&wire, 1) == 0;
}

Test(host6, solicitation_is_answered_and_its_sender_learnt)
{
	struct message message = solicitation();
	struct frame seen;

	cr_assert_eq(verdict(&message), STW_PASS_HOST);
	seen = take(WIRE6_V6, ADVERTISEMENT, SOLICITED | OVERRIDE, "2001:db8::33", "2001:db8::1");
	cr_assert_arr_eq(seen.data, message.from.mac, 6);
	cr_assert_arr_eq(seen.data + 22, wire6_ip("2001:db8::1").bytes, 16);
	cr_assert_eq(known(WIRE6_V6, "2001:db8::33"), message.from.mac[5]);
	message = solicitation();
	message.to = wire6_ip("2001:db8::1");
	message.body_bytes = 20;
	cr_assert_eq(verdict(&message), STW_PASS_HOST, "reachability, to the address itself");
	seen = take(WIRE6_V6, ADVERTISEMENT, SOLICITED | OVERRIDE, "2001:db8::33", "2001:db8::1");
	cr_assert_arr_eq(seen.data, message.from.mac, 6);
}

Test(host6, solicitation_in_a_vlan_is_answered_there_only)
{
	struct message message =
		discovery(WIRE6_VLAN6_FAR, SOLICITATION, "ff02::1:ff00:1", "2001:db8:2::1", 1);

	cr_assert_eq(verdict(&message), STW_PASS_HOST);
	take(WIRE6_VLAN6_FAR, ADVERTISEMENT, SOLICITED | OVERRIDE, "2001:db8:2::33",
	     "2001:db8:2::1");
	message.from.vlan = 9;
	cr_assert_eq(verdict(&message), STW_DROP_NOT_OURS);
	message.from.vlan = 0;
	cr_assert_eq(verdict(&message), STW_DROP_NOT_OURS, "another address of the port listens");
	cr_assert(nothing_is_sent());
}

Test(host6, duplicate_address_detection_is_answered_to_all)
{
	struct message message = solicitation();
	static const uint8_t all[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct frame seen;

	memset(message.from.ip.bytes, 0, 16);
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "with a link address");
	message.body_bytes = 20;
	cr_assert_eq(verdict(&message), STW_PASS_HOST);
	seen = take(WIRE6_V6, ADVERTISEMENT, OVERRIDE, "ff02::1", "2001:db8::1");
	cr_assert_arr_eq(seen.data, all, 6);
	message.to = wire6_ip("2001:db8::1");
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "not to the solicited-node address");
	cr_assert(nothing_is_sent());
}

Test(host6, invalid_messages_are_refused)
{
	struct message message = solicitation();
	struct frame frame;

	message.hop_limit = 254;
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED);
	message = solicitation();
	message.code = 1;
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED);
	message = solicitation();
	message.body_bytes = 18;
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "short");
	message = solicitation();
	message.body[21] = 0;
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "option without length");
	message.body[21] = 2;
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "option behind the end");
	message = solicitation();
	memcpy(message.body + 4, wire6_ip("ff02::1:ff00:1").bytes, 16);
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "multicast target");
	message = solicitation();
	frame = frame_of(&message);
	frame.data[60] ^= 1;
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_CHECKSUM);
	message = advertisement(SOLICITED);
	message.to = wire6_ip("ff02::1");
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "solicited, but to all");
	cr_assert(nothing_is_sent());
	cr_assert_eq(known(WIRE6_V6, "2001:db8::33"), 0);
}

Test(host6, question_for_others_is_not_ours_and_not_learnt)
{
	struct message message =
		discovery(WIRE6_V6, SOLICITATION, "ff02::1:ff00:1", "2001:db8::99:1", 1);

	cr_assert_eq(verdict(&message), STW_DROP_NOT_OURS);
	message = discovery(WIRE6_V6, SOLICITATION, "ff02::1:ff00:1", "2001:db8:1::1", 1);
	cr_assert_eq(verdict(&message), STW_DROP_NOT_OURS, "of the other port");
	cr_assert(nothing_is_sent());
	cr_assert_eq(known(WIRE6_V6, "2001:db8::33"), 0);
}

Test(host6, next_hop_is_asked_for_and_learnt_from_the_answer)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	static const uint8_t group[6] = {0x33, 0x33, 0xff, 0, 0, 0xfe};
	struct host party = wire6_host(WIRE6_V6_FAR, 1);
	struct stw_endpoint local;
	struct message message;
	struct stw_leg_config config;
	struct stw_session call;
	struct stw_leg leg;
	struct frame seen;

	/* Behind the gateway, which is link-local. */
	party.ip = wire6_ip("2001:db8:77::5");
	config = wire6_leg_config(WIRE6_V6_FAR, &party);
	cr_assert_eq(stw_session_add(wire.media, &session, &call), 0);
	cr_assert_eq(stw_leg_add(wire.media, call, &config, wire.now_ns, &leg, &local), 0);
	wire_poll(&wire);
	seen = take(WIRE6_V6_FAR, SOLICITATION, 0, "ff02::1:ff00:fe", "fe80::fe");
	cr_assert_arr_eq(seen.data, group, 6);
	cr_assert_arr_eq(seen.data + 22, wire6_ip("2001:db8:1::1").bytes, 16);
	cr_assert_eq(known(WIRE6_V6_FAR, "fe80::fe"), 0);
	message = discovery(WIRE6_V6_FAR, ADVERTISEMENT, "2001:db8:1::1", "fe80::fe", 2);
	message.body[0] = SOLICITED;
	cr_assert_eq(verdict(&message), STW_PASS_HOST);
	cr_assert_eq(known(WIRE6_V6_FAR, "fe80::fe"), message.from.mac[5]);
	cr_assert(nothing_is_sent());
	cr_assert_eq(stw_session_remove(wire.media, call, wire.now_ns), 0);
}

Test(host6, advertisement_changes_what_is_known_when_it_overrides)
{
	struct message message = advertisement(SOLICITED | OVERRIDE), ask = solicitation();

	cr_assert_eq(verdict(&message), STW_PASS_HOST);
	cr_assert_eq(known(WIRE6_V6, "2001:db8::33"), 0, "nobody has asked");
	cr_assert_eq(verdict(&ask), STW_PASS_HOST);
	cr_assert_eq(wire_drop_all(&wire, 0), 1);
	cr_assert_eq(known(WIRE6_V6, "2001:db8::33"), 1);
	message = advertisement(0);
	message.body[27] = 0x77;
	cr_assert_eq(verdict(&message), STW_PASS_HOST);
	cr_assert_eq(known(WIRE6_V6, "2001:db8::33"), 1, "does not override");
	message.body[0] = OVERRIDE;
	message.to = wire6_ip("ff02::1");
	cr_assert_eq(verdict(&message), STW_PASS_HOST);
	cr_assert_eq(known(WIRE6_V6, "2001:db8::33"), 0x77, "a take-over, told to all");
	message.body[22] |= 1;
	message.body[27] = 0x78;
	cr_assert_eq(verdict(&message), STW_PASS_HOST);
	cr_assert_eq(known(WIRE6_V6, "2001:db8::33"), 0x77, "no multicast link address");
}

static struct message
query(enum wire6_address network)
{
	struct message message = {.from = wire6_host(network, 1),
				  .to = wire6_ip("ff02::1"),
				  .hop_limit = 1,
				  .type = 130,
				  .body_bytes = 24};

	message.from.ip = wire6_ip("fe80::77");
	return message;
}

/* A report of one group, with a router alert, from nobody. */
static void
takes_report(enum wire6_address address)
{
	static const uint8_t routers[16] = {0xff, 2, [15] = 0x16}, nobody[16];
	static const uint8_t mac[6] = {0x33, 0x33, 0, 0, 0, 0x16};
	static const uint8_t options[8] = {58, 0, 5, 2, 0, 0, 1, 0};
	static const uint8_t record[8] = {0, 0, 0, 1, 2};
	struct stw_ip group = wire6_ip("ff02::1:ff00:1");
	struct frame seen;
	uint32_t ip;

	cr_assert(wire_take(&wire, address % 2, &seen));
	ip = tagged_at(&seen, address);
	cr_assert_eq(seen.bytes, ip + 40 + 8 + 28);
	cr_assert_arr_eq(seen.data, mac, 6);
	cr_assert_eq(wire_u16(&seen, ip + 4), 8 + 28);
	cr_assert_eq(wire_u16(&seen, ip + 6), 1, "options, one hop");
	cr_assert_arr_eq(seen.data + ip + 8, nobody, 16);
	cr_assert_arr_eq(seen.data + ip + 24, routers, 16);
	cr_assert_arr_eq(seen.data + ip + 40, options, 8);
	cr_assert_eq(seen.data[ip + 48], 143);
	cr_assert_arr_eq(seen.data + ip + 52, record, 8);
	cr_assert_arr_eq(seen.data + ip + 60, group.bytes, 16);
	/* Without the options, whose sum is known. */
	memmove(seen.data + ip + 40, seen.data + ip + 48, 28);
	seen.data[ip + 5] = 28;
	seen.bytes -= 8;
	cr_assert_eq(sum_of(&seen), 0xffff);
}

Test(host6, listeners_are_reported_when_asked_for)
{
	struct message message = query(WIRE6_V6);

	cr_assert_eq(verdict(&message), STW_PASS_HOST);
	takes_report(WIRE6_V6);
	cr_assert(nothing_is_sent());
	message = query(WIRE6_VLAN6_FAR);
	for (unsigned i = 0; i < 5; i++) {
		cr_assert_eq(verdict(&message), STW_PASS_HOST);
		cr_assert(nothing_is_sent(), "a flood is answered rarely");
	}
	wire.now_ns += 100 * WIRE_MS;
	wire_poll(&wire);
	takes_report(WIRE6_VLAN6_FAR);
	cr_assert(nothing_is_sent());
	message.hop_limit = 2;
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "from behind a router");
	message = query(WIRE6_V6);
	message.from.ip = wire6_ip("2001:db8::33");
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "not from the link's own address");
	message.from.ip = wire6_ip("fe80::77");
	message.body_bytes = 16;
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "short");
	wire.now_ns += 100 * WIRE_MS;
	wire_poll(&wire);
	cr_assert(nothing_is_sent());
}

static struct message
echo(enum wire6_address network, const char *to, uint32_t bytes)
{
	struct message message = {.from = wire6_host(network, 1),
				  .to = wire6_ip(to),
				  .hop_limit = 9,
				  .type = 128,
				  .body_bytes = 4 + bytes};

	for (uint32_t i = 0; i < message.body_bytes; i++)
		message.body[i] = (uint8_t)(i * 5 + 3);
	return message;
}

static void
echo_is_answered(const struct message *message, const char *from)
{
	struct frame sent = frame_of(message), seen;
	uint32_t ip = ip_at(&sent);

	cr_assert(wire_take(&wire, message->from.port, &seen));
	cr_assert_eq(seen.bytes, sent.bytes);
	cr_assert_arr_eq(seen.data, message->from.mac, 6);
	cr_assert_eq(ip_at(&seen), ip);
	cr_assert_eq(wire_u16(&seen, ip + 6), 58 << 8 | 64);
	cr_assert_arr_eq(seen.data + ip + 8, wire6_ip(from).bytes, 16);
	cr_assert_arr_eq(seen.data + ip + 24, message->from.ip.bytes, 16);
	cr_assert_eq(seen.data[ip + 40], 129);
	cr_assert_eq(sum_of(&seen), 0xffff);
	cr_assert_arr_eq(seen.data + ip + 44, sent.data + ip + 44, sent.bytes - ip - 44);
}

Test(host6, echo_is_answered_with_the_same_data)
{
	struct message message;

	for (uint32_t bytes = 0; bytes < 500; bytes += 37) {
		message = echo(WIRE6_V6, "2001:db8::1", bytes);
		cr_assert_eq(verdict(&message), STW_PASS_HOST);
		echo_is_answered(&message, "2001:db8::1");
		message = echo(WIRE6_VLAN6_FAR, "2001:db8:2::1", bytes);
		cr_assert_eq(verdict(&message), STW_PASS_HOST);
		echo_is_answered(&message, "2001:db8:2::1");
	}
	message = echo(WIRE6_V6, "ff02::1", 8);
	cr_assert_eq(verdict(&message), STW_PASS_HOST);
	echo_is_answered(&message, "2001:db8::1");
}

Test(host6, echo_behind_extension_headers_is_answered_without_them)
{
	static const uint8_t padding[16] = {0, 1, 1, 12};
	struct message message = echo(WIRE6_V6, "2001:db8::1", 33);
	struct frame frame = frame_of(&message);

	wire6_extend(&frame, 60, padding, sizeof(padding));
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_HOST);
	echo_is_answered(&message, "2001:db8::1");
}

Test(host6, other_messages_are_not_ours_and_broken_ones_said_so)
{
	struct message message = echo(WIRE6_V6, "2001:db8::1", 8);
	struct frame frame = frame_of(&message);

	frame.data[69] ^= 1;
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_CHECKSUM);
	message.type = 134;
	cr_assert_eq(verdict(&message), STW_DROP_NOT_OURS, "router advertisement");
	message.type = 129;
	cr_assert_eq(verdict(&message), STW_DROP_NOT_OURS, "echo reply");
	message = echo(WIRE6_V6, "2001:db8::1", 8);
	memset(message.from.ip.bytes, 0, 16);
	cr_assert_eq(verdict(&message), STW_DROP_MALFORMED, "from nobody");
	frame.bytes = 57;
	frame.data[19] = 3;
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_MALFORMED, "shorter than any");
}
