/* SPDX-License-Identifier: BSD-3-Clause */
/* The exception path: a pair of sockets stands for the tap. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/media.h"
#include "wire6.h"

#define FLOOD 600

static struct wire wire;
static int kernel;

static struct media_io *
io(void)
{
	return (struct media_io *)wire.media;
}

static void
open_wire(void)
{
	int pair[2];

	wire_eal_start();
	wire6_open(&wire);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	cr_assert_eq(exception_make(&io()->exceptions[0], pair[0], 1), 0);
	io()->exceptions_count = 1;
	kernel = pair[1];
}

static void
close_wire(void)
{
	stw_media_exceptions(wire.media, 1000);
	wire_poll(&wire);
	cr_assert(wire_counters_add_up(&wire));
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base);
	wire_close(&wire);
	close(kernel);
	stw_eal_stop();
}

TestSuite(exception, .init = open_wire, .fini = close_wire);

/* A frame from a host on the network of an address, to an address and UDP port. */
static struct frame
datagram(enum wire6_address network, const char *to, uint16_t port)
{
	struct host from = wire6_host(network, 1);
	struct stw_endpoint endpoint = {wire6_ip(to), port};
	struct frame frame;

	wire6_udp(&frame, &from, &endpoint, "OPTIONS", 7);
	return frame;
}

static bool
kernel_has(const struct frame *frame)
{
	uint8_t seen[WIRE_FRAME_MAX];

	stw_media_exceptions(wire.media, 1000);
	return recv(kernel, seen, sizeof(seen), 0) == (ssize_t)frame->bytes &&
	       memcmp(seen, frame->data, frame->bytes) == 0;
}

static bool
kernel_has_nothing(void)
{
	uint8_t seen[WIRE_FRAME_MAX];

	stw_media_exceptions(wire.media, 1000);
	return recv(kernel, seen, sizeof(seen), 0) < 0 && errno == EAGAIN;
}

static void
passes(struct frame frame, const char *what)
{
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_EXCEPTION, "%s", what);
	cr_assert(kernel_has(&frame), "%s", what);
	cr_assert(kernel_has_nothing(), "%s", what);
}

Test(exception, what_is_not_ours_goes_to_the_kernel_as_it_is)
{
	struct frame frame;

	passes(datagram(WIRE6_V4, "10.0.0.1", 5060), "another UDP port");
	passes(datagram(WIRE6_V4, "10.0.0.7", 20000), "another address");
	passes(datagram(WIRE6_V6, "2001:db8::1", 5060), "another UDP port of IPv6");
	passes(datagram(WIRE6_V6, "ff02::5", 5060), "multicast");
	passes(datagram(WIRE6_VLAN4, "10.0.2.1", 5060), "in a VLAN");
	frame = datagram(WIRE6_V4, "10.0.0.1", 179);
	frame.data[23] = 6;
	wire6_sign(&frame);
	passes(frame, "TCP");
	frame = datagram(WIRE6_V4, "10.0.0.1", 20000);
	frame.data[20] = 0x20;
	wire6_sign(&frame);
	passes(frame, "a fragment");
	frame.data[12] = 0x88;
	frame.data[13] = 0xcc;
	passes(frame, "LLDP");
}

Test(exception, what_is_ours_or_broken_does_not)
{
	struct frame frame = datagram(WIRE6_V4, "10.0.0.1", 20000);

	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_NO_LEG);
	frame.data[24] ^= 1;
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_CHECKSUM);
	frame.bytes = 30;
	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_DROP_MALFORMED);
	frame = datagram(WIRE6_V4_FAR, "10.0.1.1", 5060);
	cr_assert_eq(wire_verdict(&wire, 1, &frame), STW_DROP_NOT_OURS, "a port without");
	cr_assert(kernel_has_nothing());
}

static struct frame
arp(uint8_t code, uint8_t target)
{
	static const uint8_t head[10] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
	struct host from = wire6_host(WIRE6_V4, 1);
	struct frame frame = {.bytes = 60};

	memset(frame.data, 0xff, 6);
	memcpy(frame.data + 6, from.mac, 6);
	memcpy(frame.data + 12, head, sizeof(head));
	frame.data[21] = code;
	memcpy(frame.data + 22, from.mac, 6);
	memcpy(frame.data + 28, from.ip.bytes, 4);
	memcpy(frame.data + 38, (uint8_t[4]){10, 0, 0, target}, 4);
	return frame;
}

Test(exception, arp_for_us_is_answered_here_and_answers_go_to_both)
{
	struct hops *hops = &wire.media->addresses[WIRE6_V4].hops;
	struct rte_ether_addr mac;
	struct frame frame = arp(1, 1), seen;

	cr_assert_eq(wire_verdict(&wire, 0, &frame), STW_PASS_HOST);
	cr_assert(wire_take(&wire, 0, &seen));
	cr_assert(kernel_has_nothing());
	passes(arp(1, 9), "a question for others");
	passes(arp(2, 9), "an answer to others");
	cr_assert(!wire_take(&wire, 0, &seen));
	frame = arp(2, 1);
	frame.data[27] = 0x99;
	passes(frame, "an answer, which the kernel may have asked for");
	cr_assert(hops_find(hops, 0x0a000033, &mac));
	cr_assert_eq(mac.addr_bytes[5], 0x99, "and learnt here, too");
}

Test(exception, what_the_kernel_sends_goes_out_of_the_port)
{
	struct frame frame = datagram(WIRE6_VLAN4, "10.0.2.9", 5060), seen;
	uint8_t large[EXCEPTION_FRAME_BYTES + 1] = {0};

	for (uint8_t i = 0; i < 3; i++) {
		frame.data[frame.bytes - 1] = i;
		cr_assert_eq(send(kernel, frame.data, frame.bytes, 0), (ssize_t)frame.bytes);
	}
	cr_assert_gt(send(kernel, large, sizeof(large), 0), 0);
	cr_assert_eq(stw_media_exceptions(wire.media, 1000), 4);
	cr_assert_eq(wire_stats(&wire).packets_exception_dropped, 1, "too long");
	wire_poll(&wire);
	for (uint8_t i = 0; i < 3; i++) {
		frame.data[frame.bytes - 1] = i;
		cr_assert(wire_take(&wire, 0, &seen));
		cr_assert_eq(seen.bytes, frame.bytes);
		cr_assert_arr_eq(seen.data, frame.data, frame.bytes);
	}
	cr_assert(!wire_take(&wire, 0, &seen));
	cr_assert(!wire_take(&wire, 1, &seen));
	cr_assert_eq(wire_stats(&wire).packets_exception_sent, 3);
	cr_assert_eq(wire_stats(&wire).packets_received, 0);
}

Test(exception, flood_is_dropped_and_counted_and_media_goes_on)
{
	struct frame alien = datagram(WIRE6_V4, "10.0.0.1", 5060), frame;
	struct stw_media_stats stats;
	struct mixed call;
	uint32_t relayed = 0;

	wire6_call(&wire, &call, WIRE6_V4, WIRE6_V4_FAR);
	wire6_call_latch(&wire, &call);
	for (unsigned i = 0; i < FLOOD; i++) {
		wire_give(&wire, 0, &alien);
		if (i % 20 == 0) {
			wire6_rtp(&frame, &call.host[0], &call.local[0], (uint16_t)(100 + i));
			wire_give(&wire, 0, &frame);
		}
		if (i % 60 == 59) {
			wire_poll(&wire);
			relayed += wire_drop_all(&wire, 1);
		}
	}
	cr_assert_eq(relayed, FLOOD / 20);
	stats = wire_stats(&wire);
	cr_assert_eq(stats.verdicts[STW_PASS_EXCEPTION], EXCEPTION_RING);
	cr_assert_eq(stats.verdicts[STW_DROP_SEND_FULL], FLOOD - EXCEPTION_RING);
	/* The kernel's end has room for fewer. */
	cr_assert_eq(stw_media_exceptions(wire.media, 1000), EXCEPTION_RING);
	for (stats.packets_received = 0; recv(kernel, frame.data, sizeof(frame.data), 0) > 0;)
		stats.packets_received++;
	cr_assert_eq(stats.packets_received + wire_stats(&wire).packets_exception_dropped,
		     EXCEPTION_RING);
	for (unsigned i = 0; i < EXCEPTION_RING / PACKET_BURST; i++)
		wire_poll(&wire);
	passes(alien, "there is room again");
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
}

Test(exception, burst_of_one_turn_is_bounded)
{
	struct frame alien = datagram(WIRE6_V4, "10.0.0.1", 5060);
	struct stw_media_stats stats;

	for (unsigned i = 0; i < PACKET_BURST; i++)
		wire_give(&wire, 0, &alien);
	wire_poll(&wire);
	stats = wire_stats(&wire);
	cr_assert_eq(stats.verdicts[STW_PASS_EXCEPTION], EXCEPTION_BURST);
	cr_assert_eq(stats.verdicts[STW_DROP_SEND_FULL], PACKET_BURST - EXCEPTION_BURST);
	cr_assert_eq(stw_media_exceptions(wire.media, 5), 5);
	while (recv(kernel, alien.data, sizeof(alien.data), 0) > 0)
		stw_media_exceptions(wire.media, 5);
}

Test(exception, bad_budgets_and_names_are_refused)
{
	struct stw_media_config config = wire_config();
	struct stw_port_config port = {.kind = STW_PORT_DEVICE, .device = "net_null0"};
	struct stw_address_config address = {.ip = wire6_ip("10.0.9.1"),
					     .prefix_bits = 24,
					     .udp_port_first = 20000,
					     .udp_port_last = 20009};
	static const char *const names[] = {"", "sixteen_letters_", "a/b", "tap%d", "a b", ".."};
	struct stw_media *media = NULL;

	cr_assert_eq(stw_media_exceptions(wire.media, 0), -EINVAL);
	cr_assert_eq(stw_media_exceptions(wire.media, 1000001), -EINVAL);
	config.ports = &port;
	config.ports_count = 1;
	config.addresses = &address;
	config.addresses_count = 1;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		port.exception = names[i];
		cr_assert_eq(stw_media_create(&media, &config), -EINVAL, "%s", names[i]);
	}
	port = (struct stw_port_config){
		.kind = STW_PORT_AF_PACKET, .device = "lo", .exception = "stw0"};
	cr_assert_eq(stw_media_create(&media, &config), -EINVAL, "a kernel interface");
}
