/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet plane between rings.
 */
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "io/media.h"

#define RING_PACKETS 1024
#define POOL_PACKETS 4095

struct kernel_relay *wire_relay;

const struct party wire_caller = {0, {10, 0, 0, 50}, 40000, {2, 0, 0, 0, 0, 0x50}};
const struct party wire_agent = {1, {10, 0, 1, 50}, 50000, {2, 0, 0, 0, 1, 0x50}};

static void
must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "wire: %s failed\n", what);
	abort();
}

void
wire_eal_start(void)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;

	config.huge_pages = 0;
	config.memory_mib = 128;
	must(stw_eal_start(&config) == 0, "stw_eal_start");
}

struct stw_media_config
wire_config(void)
{
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;

	config.sessions_max = 16;
	config.legs_max = 32;
	config.forks_max = 8;
	config.playouts_max = 4;
	config.playout_packets_max = 1000;
	config.packets_max = 1024;
	config.fork_packets_max = 64;
	config.events_max = 256;
	return config;
}

static struct rte_ring *
ring_make(const char *what, unsigned port)
{
	char name[32];
	struct rte_ring *ring;

	snprintf(name, sizeof(name), "wire_%s_%u", what, port);
	ring = rte_ring_create(name, RING_PACKETS, SOCKET_ID_ANY, 0);
	must(ring != NULL, "rte_ring_create");
	return ring;
}

void
wire_open(struct wire *wire, const struct stw_media_config *config)
{
	struct stw_port_config ports[WIRE_PORTS];
	struct stw_address_config addresses[WIRE_PORTS];
	struct stw_media_config whole = *config;

	memset(wire, 0, sizeof(*wire));
	wire->now_ns = WIRE_START_NS;
	wire->pool = rte_pktmbuf_pool_create("wire", POOL_PACKETS, 0, 0,
					     WIRE_FRAME_MAX + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	must(wire->pool != NULL, "rte_pktmbuf_pool_create");
	for (unsigned i = 0; i < WIRE_PORTS; i++) {
		char name[32];
		int port;

		snprintf(name, sizeof(name), "wire%u", i);
		wire->in[i] = ring_make("in", i);
		wire->out[i] = ring_make("out", i);
		port = rte_eth_from_rings(name, &wire->in[i], 1, &wire->out[i], 1, 0);
		must(port >= 0, "rte_eth_from_rings");
		ports[i] = (struct stw_port_config){STW_PORT_TAKEN, NULL, (uint16_t)port,
						    STW_XDP_NONE};
		addresses[i] = (struct stw_address_config){
			.port = i,
			.ip = {4, {10, 0, (uint8_t)i, 1}},
			.prefix_bits = 24,
			.gateway = {4, {10, 0, (uint8_t)i, 254}},
			.udp_port_first = 20000,
			.udp_port_last = 20099,
		};
	}
	if (!whole.ports_count) {
		whole.ports = ports;
		whole.ports_count = WIRE_PORTS;
	}
	if (!whole.addresses_count) {
		whole.addresses = addresses;
		whole.addresses_count = WIRE_PORTS;
	}
	must(media_create(&wire->media, &whole, wire_relay) == 0, "media_create");
	wire->base = wire_stats(wire).packets_in_use;
}

void
wire_close(struct wire *wire)
{
	for (uint8_t i = 0; i < WIRE_PORTS; i++)
		wire_drop_all(wire, i);
	stw_media_destroy(wire->media);
}

struct stw_endpoint
wire_endpoint(const struct party *party)
{
	struct stw_endpoint endpoint = {{4, {0}}, party->udp_port};

	memcpy(endpoint.ip.bytes, party->ip, 4);
	return endpoint;
}

static void
put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void
put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

uint16_t
wire_u16(const struct frame *frame, uint32_t offset)
{
	return (uint16_t)(frame->data[offset] << 8 | frame->data[offset + 1]);
}

uint32_t
wire_u32(const struct frame *frame, uint32_t offset)
{
	return (uint32_t)wire_u16(frame, offset) << 16 | wire_u16(frame, offset + 2);
}

/* One's complement sum, byte by byte. */
static uint32_t
sum_bytes(uint32_t sum, const uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		while (sum > 0xffff)
			sum = sum - 0xffff;
	}
	return sum;
}

static uint32_t
sum_udp(const struct frame *frame)
{
	uint32_t udp_bytes = wire_u16(frame, 38);
	uint32_t sum;

	if (udp_bytes > frame->bytes - 34)
		udp_bytes = frame->bytes - 34;
	sum = sum_bytes(17 + udp_bytes, frame->data + 26, 8);

	return sum_bytes(sum, frame->data + 34, udp_bytes);
}

bool
wire_checksums_are_right(const struct frame *frame)
{
	if (sum_bytes(0, frame->data + 14, 20) != 0xffff)
		return false;
	return wire_u16(frame, 40) == 0 || sum_udp(frame) == 0xffff;
}

bool
wire_audio_is(const struct frame *seen, uint32_t seen_at, const struct frame *sent,
	      uint32_t sent_at)
{
	uint32_t bytes = seen->bytes - seen_at;

	return bytes == sent->bytes - sent_at &&
	       memcmp(seen->data + seen_at, sent->data + sent_at, 2) == 0 &&
	       memcmp(seen->data + seen_at + 12, sent->data + sent_at + 12, bytes - 12) == 0;
}

void
wire_sign(struct frame *frame)
{
	uint32_t udp;

	put16(frame->data + 24, 0);
	put16(frame->data + 24, ~sum_bytes(0, frame->data + 14, 20) & 0xffff);
	put16(frame->data + 40, 0);
	udp = ~sum_udp(frame) & 0xffff;
	put16(frame->data + 40, udp ? udp : 0xffff);
}

void
wire_udp(struct frame *frame, const struct party *from, const struct stw_endpoint *to,
	 const void *payload, uint32_t payload_bytes)
{
	uint8_t *data = frame->data;

	memset(frame, 0, sizeof(*frame));
	frame->bytes = 42 + payload_bytes;
	memset(data, 0xfe, 6);
	memcpy(data + 6, from->mac, 6);
	put16(data + 12, 0x0800);
	data[14] = 0x45;
	put16(data + 16, 28 + payload_bytes);
	put16(data + 18, 4711);
	data[22] = 57;
	data[23] = 17;
	memcpy(data + 26, from->ip, 4);
	memcpy(data + 30, to->ip.bytes, 4);
	put16(data + 34, from->udp_port);
	put16(data + 36, to->port);
	put16(data + 38, 8 + payload_bytes);
	memcpy(data + 42, payload, payload_bytes);
	wire_sign(frame);
}

void
wire_rtp(struct frame *frame, const struct party *from, const struct stw_endpoint *to,
	 uint8_t payload_type, uint16_t sequence, uint32_t timestamp)
{
	uint8_t packet[172] = {0x80, payload_type};

	put16(packet + 2, sequence);
	put32(packet + 4, timestamp);
	put32(packet + 8, 0xabcd0000u | from->udp_port);
	for (unsigned i = 12; i < sizeof(packet); i++)
		packet[i] = (uint8_t)(sequence * 7 + i * 13);
	wire_udp(frame, from, to, packet, sizeof(packet));
}

void
wire_ssrc(struct frame *frame, uint32_t ssrc)
{
	put32(frame->data + 50, ssrc);
	wire_sign(frame);
}

bool
wire_hear(struct wire *wire, uint8_t port, struct heard *heard)
{
	struct frame frame;

	if (!wire_take(wire, port, &frame))
		return false;
	must(wire_checksums_are_right(&frame), "checksums of what was sent");
	*heard = (struct heard){.marker = frame.data[43] >> 7,
				.payload_type = frame.data[43] & 0x7f,
				.sequence = wire_u16(&frame, 44),
				.timestamp = wire_u32(&frame, 46),
				.ssrc = wire_u32(&frame, 50)};
	return true;
}

void
wire_rtcp(struct frame *frame, const struct party *from, const struct stw_endpoint *to)
{
	struct party sender = *from;
	struct stw_endpoint rtcp = *to;
	const uint8_t report[8] = {0x80, 201, 0, 1, 1, 2, 3, 4};

	sender.udp_port++;
	rtcp.port++;
	wire_udp(frame, &sender, &rtcp, report, sizeof(report));
}

void
wire_event(struct frame *frame, const struct party *from, const struct stw_endpoint *to,
	   uint16_t sequence, uint32_t timestamp, uint8_t code, bool end, uint16_t duration)
{
	uint8_t packet[16] = {0x80, 101};

	put16(packet + 2, sequence);
	put32(packet + 4, timestamp);
	put32(packet + 8, 0xabcd0000u | from->udp_port);
	packet[12] = code;
	packet[13] = end ? 0x8a : 0x0a;
	put16(packet + 14, duration);
	wire_udp(frame, from, to, packet, sizeof(packet));
}

struct rte_mbuf *
wire_mbuf(struct wire *wire, const struct frame *frame)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(wire->pool);

	must(mbuf != NULL, "rte_pktmbuf_alloc");
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)frame->bytes), frame->data, frame->bytes);
	return mbuf;
}

void
wire_give_mbuf(struct wire *wire, uint8_t port, struct rte_mbuf *mbuf)
{
	must(rte_ring_enqueue(wire->in[port], mbuf) == 0, "rte_ring_enqueue");
}

void
wire_give(struct wire *wire, uint8_t port, const struct frame *frame)
{
	wire_give_mbuf(wire, port, wire_mbuf(wire, frame));
}

int
wire_poll(struct wire *wire)
{
	return stw_media_poll(wire->media, 0, wire->now_ns);
}

bool
wire_take(struct wire *wire, uint8_t port, struct frame *frame)
{
	struct rte_mbuf *mbuf;
	const void *data;

	if (rte_ring_dequeue(wire->out[port], (void **)&mbuf) < 0)
		return false;
	memset(frame, 0, sizeof(*frame));
	frame->bytes = mbuf->pkt_len;
	must(frame->bytes <= sizeof(frame->data), "frame size");
	data = rte_pktmbuf_read(mbuf, 0, frame->bytes, frame->data);
	must(data != NULL, "rte_pktmbuf_read");
	if (data != frame->data)
		memcpy(frame->data, data, frame->bytes);
	rte_pktmbuf_free(mbuf);
	return true;
}

uint32_t
wire_drop_all(struct wire *wire, uint8_t port)
{
	struct frame frame;
	uint32_t count = 0;

	while (wire_take(wire, port, &frame))
		count++;
	return count;
}

struct stw_media_stats
wire_stats(struct wire *wire)
{
	struct stw_media_stats stats;

	stw_media_stats(wire->media, &stats);
	return stats;
}

int
wire_verdict(struct wire *wire, uint8_t port, const struct frame *frame)
{
	struct stw_media_stats before = wire_stats(wire), after;
	int verdict = -1;

	wire_give(wire, port, frame);
	wire_poll(wire);
	after = wire_stats(wire);
	for (int i = 0; i < STW_VERDICT_COUNT; i++) {
		uint64_t more = after.verdicts[i] - before.verdicts[i];

		if (more == 0)
			continue;
		if (more != 1 || verdict >= 0)
			return -1;
		verdict = i;
	}
	return verdict;
}

bool
wire_counters_add_up(struct wire *wire)
{
	struct stw_media_stats stats = wire_stats(wire);
	uint64_t sum = 0;

	for (unsigned i = 0; i < STW_VERDICT_COUNT; i++)
		sum += stats.verdicts[i];
	return sum == stats.packets_received;
}

struct stw_leg_config
wire_leg_config(const struct party *party, enum stw_side side)
{
	struct stw_leg_config config = STW_LEG_CONFIG_INIT;

	config.side = side;
	config.address = party->port;
	config.remote = wire_endpoint(party);
	config.event_pt = 101;
	return config;
}

void
wire_call(struct wire *wire, struct call *call)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config caller = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	struct stw_leg_config agent = wire_leg_config(&wire_agent, STW_SIDE_AGENT);

	session.cookie = 77;
	must(stw_session_add(wire->media, &session, &call->session) == 0, "stw_session_add");
	must(stw_leg_add(wire->media, call->session, &caller, wire->now_ns, &call->caller,
			 &call->caller_local) == 0,
	     "stw_leg_add");
	must(stw_leg_add(wire->media, call->session, &agent, wire->now_ns, &call->agent,
			 &call->agent_local) == 0,
	     "stw_leg_add");
	must(stw_leg_connect(wire->media, call->caller, call->agent) == 0, "stw_leg_connect");
	must(stw_leg_connect(wire->media, call->agent, call->caller) == 0, "stw_leg_connect");
}

void
wire_call_latched(struct wire *wire, struct call *call)
{
	struct stw_media_event event;
	struct frame frame;

	wire_call(wire, call);
	for (unsigned i = 0; i < 2; i++) {
		wire_rtp(&frame, &wire_caller, &call->caller_local, 0, (uint16_t)i, 160 * i);
		wire_give(wire, 0, &frame);
		wire_rtp(&frame, &wire_agent, &call->agent_local, 0, (uint16_t)i, 160 * i);
		wire_give(wire, 1, &frame);
		wire_poll(wire);
	}
	wire_drop_all(wire, 0);
	wire_drop_all(wire, 1);
	while (wire_event_take(wire, &event))
		continue;
}

int
wire_event_take(struct wire *wire, struct stw_media_event *event)
{
	return stw_media_events_take(wire->media, event, 1);
}
