/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A leg and its peer, relayed inside the kernel.
 */
#include "kernel_case.h"

#include <criterion/criterion.h>

#include <string.h>

#include "media/session/leg.h"

#define MAP_SEQUENCE  1000
#define MAP_TIMESTAMP 0x90000000u
#define MAP_TURN      77

static uint8_t *
put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *
put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value >> 16), value & 0xffff);
}

static uint8_t *
put(uint8_t *at, const uint8_t *bytes, size_t count)
{
	memcpy(at, bytes, count);
	return at + count;
}

/* The plainest Internet sum: two bytes at a time, the carry at once. */
static uint16_t
sum16(uint16_t sum, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i += 2) {
		uint32_t word = (uint32_t)bytes[i] << 8 | (i + 1 < count ? bytes[i + 1] : 0);
		uint32_t next = sum + word;

		sum = (uint16_t)(next > 0xffff ? next - 0xffff : next);
	}
	return sum;
}

static uint16_t
udp_checksum(const struct case_frame *frame, const uint8_t *udp, uint16_t udp_bytes)
{
	size_t ip_bytes = frame->v6 ? 16 : 4;
	uint8_t pseudo[4] = {0, 17, (uint8_t)(udp_bytes >> 8), (uint8_t)udp_bytes};
	uint16_t sum = sum16(0, frame->from, ip_bytes);

	sum = sum16(sum, frame->to, ip_bytes);
	sum = sum16(sum, pseudo, sizeof(pseudo));
	sum = (uint16_t)~sum16(sum, udp, udp_bytes);
	return sum ? sum : 0xffff;
}

static uint8_t *
put_ip(uint8_t *at, const struct case_frame *frame, uint16_t bytes)
{
	uint8_t *ip = at;

	if (frame->v6) {
		at = put32(at, 6u << 28 | (uint32_t)frame->traffic_class << 20 | frame->flow);
		at = put16(at, bytes);
		*at++ = 17;
		*at++ = frame->hops;
		return put(put(at, frame->from, 16), frame->to, 16);
	}
	*at++ = 0x45;
	*at++ = frame->traffic_class;
	at = put16(at, 20u + bytes);
	at = put16(at, frame->identification);
	at = put16(at, frame->fragment);
	*at++ = frame->hops;
	*at++ = 17;
	at = put16(at, 0);
	at = put(put(at, frame->from, 4), frame->to, 4);
	put16(ip + 10, (uint16_t)~sum16(0, ip, 20));
	return at;
}

struct bpf_frame
case_frame_bytes(const struct case_frame *frame)
{
	uint16_t udp_bytes = (uint16_t)(20 + frame->payload_bytes);
	struct bpf_frame made = {0};
	uint8_t *at = put(put(made.data, frame->mac_to, 6), frame->mac_from, 6);
	uint8_t *udp;

	if (frame->tagged)
		at = put16(put16(at, 0x8100), frame->tag);
	at = put16(at, frame->v6 ? 0x86dd : 0x0800);
	udp = put_ip(at, frame, (uint16_t)(udp_bytes + frame->ip_padding));
	at = put16(put16(udp, frame->port_from), frame->port_to);
	at = put16(put16(at, udp_bytes), 0);
	*at++ = frame->first;
	*at++ = frame->type;
	at = put32(put32(put16(at, frame->sequence), frame->timestamp), frame->ssrc);
	for (uint32_t i = 0; i < frame->payload_bytes; i++)
		*at++ = (uint8_t)(i * 7 + 1);
	if (!frame->unsigned_udp)
		put16(udp + 6, udp_checksum(frame, udp, udp_bytes));
	for (uint32_t i = 0; i < (uint32_t)frame->ip_padding + frame->frame_padding; i++)
		*at++ = 0xee;
	made.bytes = (uint32_t)(at - made.data);
	return made;
}

struct kernel_row *
case_row(struct kernel_case *of)
{
	return &of->run.memory->rows[CASE_LEG];
}

struct leg_intake *
case_intake(struct kernel_case *of)
{
	return &of->run.memory->intakes[CASE_LEG];
}

struct leg_egress *
case_egress(struct kernel_case *of)
{
	return &of->run.memory->egresses[CASE_PEER];
}

/* Our own addresses: of IPv4 and IPv6, of the leg and of the peer. */
static void
own_address(bool v6, bool peers, uint8_t bytes[16])
{
	static const uint8_t own4[] = {192, 0, 2, 1}, own6[] = {0x20, 1, 0xd, 0xb8, [15] = 1};

	memset(bytes, 0, 16);
	memcpy(bytes, v6 ? own6 : own4, v6 ? 16 : 4);
	bytes[v6 ? 15 : 3] = peers ? 2 : 1;
}

static void
far_address(bool v6, bool peers, uint8_t bytes[16])
{
	own_address(v6, peers, bytes);
	bytes[v6 ? 15 : 3] = peers ? 99 : 88;
	if (v6)
		memcpy(bytes + 8, "\xfe\xdc\xba\x98", 4);
}

void
case_open(struct kernel_case *of)
{
	memset(of, 0, sizeof(*of));
	bpf_run_open(&of->run, CASE_SLOTS, CASE_LINES, 2);
	for (int i = 0; i < 4; i++) {
		struct stw_ip ip = {.family = i & 1 ? 6 : 4};

		own_address(i & 1, false, ip.bytes);
		bpf_run_own(&of->run, &ip, i & 2 ? 7 : 0, CASE_PORT, CASE_PORT + 99, CASE_ENTRY);
	}
}

void
case_close(struct kernel_case *of)
{
	bpf_run_close(&of->run);
}

static uint16_t
swapped(uint16_t word)
{
	return (uint16_t)(word << 8 | word >> 8);
}

static uint16_t
sum_of_ends(const struct case_frame *frame)
{
	uint8_t ports[4];
	uint16_t sum;

	put16(put16(ports, frame->port_from), frame->port_to);
	sum = sum16(sum16(0, frame->from, 16), frame->to, 16);
	return sum16(sum, ports, sizeof(ports));
}

static uint16_t
wire16(uint16_t value)
{
	uint16_t word;

	put16((uint8_t *)&word, value);
	return word;
}

void
case_row_write(struct kernel_case *of)
{
	struct kernel_row row = {
		.state = KERNEL_KERNEL,
		.peer = CASE_PEER,
		.source_port = wire16(of->in.port_from),
		.flags = (uint16_t)(KERNEL_HOP_GIVEN | (of->way.in6 ? KERNEL_SOURCE_V6 : 0) |
				    (of->way.out6 ? KERNEL_TO_V6 : 0)),
		.audio_pt_in = of->in.type & 0x7f,
		.audio_pt_to = of->out.type & 0x7f,
		.event_pt = 101,
		.dscp = of->out.traffic_class >> 2,
		.ifindex = CASE_IFINDEX,
		.vlan = of->way.vlan_out,
		.port_from = wire16(of->out.port_from),
		.port_to = wire16(of->out.port_to),
	};
	uint32_t change = sum_of_ends(&of->out) + (0xffffu - sum_of_ends(&of->in));

	change = change > 0xffff ? change - 0xffff : change;
	row.sum_change =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? swapped((uint16_t)change) : change;
	put32((uint8_t *)&row.ssrc, of->out.ssrc);
	memcpy(row.source, of->in.from, 16);
	memcpy(row.mac_to, of->out.mac_to, 6);
	memcpy(row.mac_from, of->out.mac_from, 6);
	memcpy(row.from, of->out.from, 16);
	memcpy(row.to, of->out.to, 16);
	memcpy(case_row(of), &row, sizeof(row));
}

static void
numbers_fill(struct kernel_case *of)
{
	union egress_map map = {
		.timestamp = MAP_TIMESTAMP, .sequence = MAP_SEQUENCE, .turn = MAP_TURN};
	union egress_last last = {.sequence = (uint16_t)(of->in.sequence - 1 + MAP_SEQUENCE)};
	struct leg_intake *intake = case_intake(of);

	memset(intake, 0, sizeof(*intake));
	intake->reception = (struct rtp_reception){
		.packets = 1,
		.seen = 1,
		.ssrc = of->in.ssrc,
		.sequence_first = 0x10000u + of->in.sequence - 1,
		.sequence_max = 0x10000u + of->in.sequence - 1,
		.sequence_bad = 0x10000,
		.timestamp = of->in.timestamp - 160,
		.sources = 1,
	};
	intake->voice = egress_voice(CASE_PEER, MAP_TURN);
	case_egress(of)->map = map.word;
	case_egress(of)->last = last.word;
	of->out.sequence = (uint16_t)(of->in.sequence + MAP_SEQUENCE);
	of->out.timestamp = of->in.timestamp + MAP_TIMESTAMP;
}

void
case_fill(struct kernel_case *of, struct case_way way)
{
	of->way = way;
	of->in = (struct case_frame){
		.mac_to = {2, 0, 0, 0, 0, 1},
		.mac_from = {2, 0, 0, 0, 0, 0x88},
		.tagged = way.vlan_in != 0,
		.tag = way.vlan_in,
		.v6 = way.in6,
		.traffic_class = 0xb9,
		.hops = 57,
		.identification = 0x1234,
		.fragment = 0,
		.flow = 0x54321,
		.port_from = 40000,
		.port_to = CASE_PORT,
		.first = 0x80,
		.type = 8,
		.sequence = 65530,
		.timestamp = 0xfffffff0,
		.ssrc = 0xdeadbeef,
		.payload_bytes = 160,
	};
	own_address(way.in6, false, of->in.to);
	far_address(way.in6, false, of->in.from);
	of->out = (struct case_frame){
		.mac_to = {2, 0, 0, 0, 0, 0x99},
		.mac_from = {2, 0, 0, 0, 0, 2},
		.tagged = way.vlan_out != 0,
		.tag = 5 << 13 | way.vlan_out,
		.v6 = way.out6,
		.traffic_class = 46 << 2 | 1,
		.hops = 64,
		.identification = 0,
		.fragment = 0x4000,
		.port_from = 30002,
		.port_to = 50000,
		.first = 0x80,
		.type = 8,
		.ssrc = 0x01020304,
		.payload_bytes = 160,
	};
	own_address(way.out6, true, of->out.from);
	far_address(way.out6, true, of->out.to);
	/* IPv4 in no VLAN keeps what it has. */
	if (!way.in6 && !way.out6 && !way.vlan_in && !way.vlan_out) {
		of->out.identification = of->in.identification;
		of->out.fragment = of->in.fragment;
	}
	numbers_fill(of);
	case_row_write(of);
	of->run.memory->entries[CASE_ENTRY / 16].entry[CASE_ENTRY % 16] = CASE_LEG;
	of->run.memory->entries[(CASE_ENTRY + 1) / 16].entry[(CASE_ENTRY + 1) % 16] =
		CASE_LEG | LEG_ENTRY_RTCP;
}

void
case_next(struct kernel_case *of)
{
	of->in.sequence++;
	of->in.timestamp += 160;
	of->out.sequence++;
	of->out.timestamp += 160;
}

enum bpf_fate
case_run(struct kernel_case *of)
{
	struct bpf_frame expected = case_frame_bytes(&of->out);
	struct bpf_frame frame = case_frame_bytes(&of->in);
	enum bpf_fate fate = bpf_run_frame(&of->run, &frame);

	if (fate != BPF_SENT)
		return fate;
	cr_assert_eq(frame.bytes, expected.bytes, "%u bytes, not %u", frame.bytes, expected.bytes);
	for (uint32_t i = 0; i < frame.bytes; i++)
		cr_assert_eq(frame.data[i], expected.data[i], "byte %u: %02x, not %02x", i,
			     frame.data[i], expected.data[i]);
	return fate;
}

enum bpf_fate
case_run_frame(struct kernel_case *of, const struct case_frame *frame)
{
	struct bpf_frame bytes = case_frame_bytes(frame);

	return bpf_run_frame(&of->run, &bytes);
}
