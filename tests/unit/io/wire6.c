/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of IPv4 and IPv6, with and without a VLAN's tag.
 */
#include "wire6.h"

#include <stdlib.h>
#include <string.h>

static const char *const address_texts[WIRE6_ADDRESSES] = {
	"10.0.0.1", "10.0.1.1", "2001:db8::1", "2001:db8:1::1", "10.0.2.1", "2001:db8:2::1",
};

struct stw_ip
wire6_ip(const char *text)
{
	struct stw_ip ip;

	if (stw_ip_parse(text, &ip) < 0)
		abort();
	return ip;
}

static uint16_t
vlan_of(enum wire6_address address)
{
	return address < WIRE6_VLAN4 ? 0 : (uint16_t)(7 + address - WIRE6_VLAN4);
}

void
wire6_open(struct wire *wire)
{
	struct stw_media_config config = wire_config();

	wire6_open_with(wire, config);
}

void
wire6_open_with(struct wire *wire, struct stw_media_config config)
{
	struct stw_address_config addresses[WIRE6_ADDRESSES] = {0};

	for (unsigned i = 0; i < WIRE6_ADDRESSES; i++) {
		addresses[i].port = i % 2;
		addresses[i].ip = wire6_ip(address_texts[i]);
		addresses[i].prefix_bits = addresses[i].ip.family == 6 ? 64 : 24;
		addresses[i].udp_port_first = 20000;
		addresses[i].udp_port_last = 20099;
		addresses[i].vlan = vlan_of(i);
	}
	addresses[WIRE6_V6_FAR].gateway = wire6_ip("fe80::fe");
	config.addresses = addresses;
	config.addresses_count = WIRE6_ADDRESSES;
	wire_open(wire, &config);
}

struct host
wire6_host(enum wire6_address address, uint8_t which)
{
	struct host host = {
		.port = address % 2,
		.vlan = vlan_of(address),
		.ip = wire6_ip(address_texts[address]),
		.udp_port = (uint16_t)(40000 + 2 * which),
		.mac = {2, 0, 0, 0, (uint8_t)address, which},
	};

	host.ip.bytes[host.ip.family == 6 ? 15 : 3] = (uint8_t)(50 + which);
	return host;
}

struct stw_endpoint
wire6_endpoint(const struct host *host)
{
	return (struct stw_endpoint){host->ip, host->udp_port};
}

struct stw_leg_config
wire6_leg_config(enum wire6_address address, const struct host *host)
{
	struct stw_leg_config config = STW_LEG_CONFIG_INIT;

	config.address = address;
	if (host)
		config.remote = wire6_endpoint(host);
	return config;
}

static void
put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void
wire6_insert(struct frame *frame, uint32_t at, const uint8_t *bytes, uint32_t count)
{
	memmove(frame->data + at + count, frame->data + at, frame->bytes - at);
	memcpy(frame->data + at, bytes, count);
	frame->bytes += count;
}

void
wire6_extend(struct frame *frame, uint8_t type, const uint8_t *header, uint32_t count)
{
	uint8_t next = frame->data[20];

	wire6_insert(frame, 54, header, count);
	frame->data[54] = next;
	frame->data[20] = type;
	put16(frame->data + 18, wire_u16(frame, 18) + count);
}

static void
ip_put(uint8_t *ip, const struct stw_ip *from, const struct stw_ip *to, uint32_t udp_bytes)
{
	if (from->family == 6) {
		ip[0] = 0x60;
		put16(ip + 4, udp_bytes);
		ip[6] = 17;
		ip[7] = 57;
		memcpy(ip + 8, from->bytes, 16);
		memcpy(ip + 24, to->bytes, 16);
		return;
	}
	ip[0] = 0x45;
	put16(ip + 2, 20 + udp_bytes);
	put16(ip + 4, 4711);
	ip[8] = 57;
	ip[9] = 17;
	memcpy(ip + 12, from->bytes, 4);
	memcpy(ip + 16, to->bytes, 4);
}

void
wire6_udp(struct frame *frame, const struct host *from, const struct stw_endpoint *to,
	  const void *payload, uint32_t payload_bytes)
{
	uint32_t ip = from->vlan ? 18 : 14, udp = ip + (from->ip.family == 6 ? 40 : 20);
	uint8_t *data = frame->data;

	memset(frame, 0, sizeof(*frame));
	frame->bytes = udp + 8 + payload_bytes;
	memset(data, 0xfe, 6);
	memcpy(data + 6, from->mac, 6);
	if (from->vlan) {
		put16(data + 12, 0x8100);
		put16(data + 14, from->vlan);
	}
	put16(data + ip - 2, from->ip.family == 6 ? 0x86dd : 0x0800);
	ip_put(data + ip, &from->ip, &to->ip, 8 + payload_bytes);
	put16(data + udp, from->udp_port);
	put16(data + udp + 2, to->port);
	put16(data + udp + 4, 8 + payload_bytes);
	memcpy(data + udp + 8, payload, payload_bytes);
	wire6_sign(frame);
}

void
wire6_rtp(struct frame *frame, const struct host *from, const struct stw_endpoint *to,
	  uint16_t sequence)
{
	uint8_t packet[172] = {0x80, 0};

	put16(packet + 2, sequence);
	put16(packet + 6, 160u * sequence);
	put16(packet + 10, from->udp_port);
	for (unsigned i = 12; i < sizeof(packet); i++)
		packet[i] = (uint8_t)(sequence * 7 + i * 13);
	wire6_udp(frame, from, to, packet, sizeof(packet));
}

/* One's complement sum, byte by byte. */
static uint32_t
sum_bytes(uint32_t sum, const uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		while (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

static uint32_t
sum_udp(const struct frame *frame, uint32_t ip, uint32_t udp)
{
	const uint8_t *data = frame->data;
	uint32_t bytes = wire_u16(frame, udp + 4), sum;

	if (bytes > frame->bytes - udp)
		bytes = frame->bytes - udp;
	if (data[ip] >> 4 == 6)
		sum = sum_bytes(17 + bytes, data + ip + 8, 32);
	else
		sum = sum_bytes(17 + bytes, data + ip + 12, 8);
	return sum_bytes(sum, data + udp, bytes);
}

/* Offset of the IP header, and of UDP right behind it. */
static void
offsets(const struct frame *frame, uint32_t *ip, uint32_t *udp)
{
	*ip = wire_u16(frame, 12) == 0x8100 ? 18 : 14;
	*udp = *ip + (frame->data[*ip] >> 4 == 6 ? 40 : 20);
}

bool
wire6_checksums_are_right(const struct frame *frame)
{
	uint32_t ip, udp;

	offsets(frame, &ip, &udp);
	if (frame->data[ip] >> 4 != 6) {
		if (sum_bytes(0, frame->data + ip, 20) != 0xffff)
			return false;
		if (wire_u16(frame, udp + 6) == 0)
			return true;
	}
	return wire_u16(frame, udp + 6) != 0 && sum_udp(frame, ip, udp) == 0xffff;
}

void
wire6_sign(struct frame *frame)
{
	uint32_t ip, udp, sum;

	offsets(frame, &ip, &udp);
	if (frame->data[ip] >> 4 != 6) {
		put16(frame->data + ip + 10, 0);
		put16(frame->data + ip + 10, ~sum_bytes(0, frame->data + ip, 20) & 0xffff);
	}
	put16(frame->data + udp + 6, 0);
	sum = ~sum_udp(frame, ip, udp) & 0xffff;
	put16(frame->data + udp + 6, sum ? sum : 0xffff);
}

static bool
ip_read(const struct frame *frame, uint32_t ip, struct seen *seen)
{
	const uint8_t *at = frame->data + ip;

	seen->family = at[0] >> 4;
	seen->from.family = seen->family;
	seen->to.family = seen->family;
	if (seen->family == 6) {
		seen->traffic_class = (uint8_t)(at[0] << 4 | at[1] >> 4);
		seen->flow = wire_u32(frame, ip) & 0xfffff;
		seen->hop_limit = at[7];
		memcpy(seen->from.bytes, at + 8, 16);
		memcpy(seen->to.bytes, at + 24, 16);
		return wire_u16(frame, ip - 2) == 0x86dd && at[6] == 17 &&
		       ip + 40u + wire_u16(frame, ip + 4) == frame->bytes;
	}
	seen->traffic_class = at[1];
	seen->hop_limit = at[8];
	memcpy(seen->from.bytes, at + 12, 4);
	memcpy(seen->to.bytes, at + 16, 4);
	return wire_u16(frame, ip - 2) == 0x0800 && at[0] == 0x45 && at[9] == 17 &&
	       ip + wire_u16(frame, ip + 2) == frame->bytes && !(wire_u16(frame, ip + 6) & 0x3fff);
}

bool
wire6_read(const struct frame *frame, struct seen *seen)
{
	uint32_t ip;

	memset(seen, 0, sizeof(*seen));
	offsets(frame, &ip, &seen->udp);
	if (ip == 18) {
		seen->vlan = wire_u16(frame, 14) & 0xfff;
		seen->priority = frame->data[14] >> 5;
	}
	seen->from_port = wire_u16(frame, seen->udp);
	seen->to_port = wire_u16(frame, seen->udp + 2);
	seen->checksum = wire_u16(frame, seen->udp + 6);
	seen->payload = frame->data + seen->udp + 8;
	seen->payload_bytes = frame->bytes - seen->udp - 8;
	return ip_read(frame, ip, seen) &&
	       seen->udp + wire_u16(frame, seen->udp + 4) == frame->bytes;
}

void
wire6_call(struct wire *wire, struct mixed *call, enum wire6_address one, enum wire6_address other)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	const enum wire6_address addresses[2] = {one, other};

	if (stw_session_add(wire->media, &session, &call->session) < 0)
		abort();
	for (unsigned i = 0; i < 2; i++) {
		struct stw_leg_config config;

		call->host[i] = wire6_host(addresses[i], (uint8_t)(i + 1));
		config = wire6_leg_config(addresses[i], &call->host[i]);
		config.event_pt = 101;
		if (stw_leg_add(wire->media, call->session, &config, wire->now_ns, &call->leg[i],
				&call->local[i]) < 0)
			abort();
	}
	if (stw_leg_connect(wire->media, call->leg[0], call->leg[1]) < 0 ||
	    stw_leg_connect(wire->media, call->leg[1], call->leg[0]) < 0)
		abort();
}

void
wire6_call_latch(struct wire *wire, struct mixed *call)
{
	struct stw_media_event event;
	struct frame frame;

	for (unsigned i = 0; i < 4; i++) {
		struct host *host = &call->host[i % 2];

		wire6_rtp(&frame, host, &call->local[i % 2], (uint16_t)i);
		wire_give(wire, host->port, &frame);
		wire_poll(wire);
	}
	wire_drop_all(wire, 0);
	wire_drop_all(wire, 1);
	while (wire_event_take(wire, &event) > 0)
		continue;
}

/* Payloads are equal; of RTP all but what the leg's stream changes. */
static bool
payload_is(const struct seen *seen, const struct seen *was)
{
	uint32_t same = 0;

	if (was->payload_bytes >= 12 && (was->payload[1] & 0x60) != 0x40) {
		if (seen->payload[0] != was->payload[0] ||
		    (seen->payload[1] & 0x7f) != (was->payload[1] & 0x7f))
			return false;
		same = 12;
	}
	return memcmp(seen->payload + same, was->payload + same, was->payload_bytes - same) == 0;
}

bool
wire6_arrives(struct wire *wire, const struct mixed *call, unsigned from, const struct seen *was)
{
	const struct host *to = &call->host[!from];
	struct frame frame;
	struct seen seen;

	return wire_take(wire, to->port, &frame) && wire6_read(&frame, &seen) &&
	       wire6_checksums_are_right(&frame) && memcmp(frame.data, to->mac, 6) == 0 &&
	       seen.vlan == to->vlan && seen.priority == (to->vlan ? 46 >> 3 : 0) &&
	       seen.family == to->ip.family && seen.hop_limit == 64 && seen.flow == 0 &&
	       seen.traffic_class == (46 << 2 | (was->traffic_class & 3)) &&
	       memcmp(&seen.from, &call->local[!from].ip, sizeof(seen.from)) == 0 &&
	       memcmp(&seen.to, &to->ip, sizeof(seen.to)) == 0 &&
	       seen.from_port == call->local[!from].port && seen.to_port == to->udp_port &&
	       seen.payload_bytes == was->payload_bytes && payload_is(&seen, was);
}
