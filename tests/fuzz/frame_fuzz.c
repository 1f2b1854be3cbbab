/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole packet plane: any bytes that a port receives get one verdict, leave no buffer behind, and what is
 * sent is whole. Legs of every kind wait for them: IPv4, IPv6, VLAN, SRTP, a mix, RTCP that ends here, one
 * that nothing is known of; forks of every kind copy what passes.
 *
 * The first byte says what the rest is: a frame, or what UDP carries from a leg's party to it (FRAME_UDP). In a
 * frame the UDP port 2 n is that of leg n, and 2 n + 1 that of its RTCP; checksums are made right then. The
 * corpus is made by make_frames.py.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ip.h>

#include "media/plane.h"
#include "wire6.h"

/** Bits of the first byte. Of a frame: port. Of UDP: bits 0 to 3 are the leg's number. */
#define FRAME_PORT    0x01
#define FRAME_CUT     0x02 /* in two buffers */
#define FRAME_FOREIGN 0x10 /* UDP: from another source */
#define FRAME_RTCP    0x20 /* UDP: from and to the port of RTCP */
#define FRAME_UDP     0x80

/** Inputs after which forks begin anew, so that their files stay small. */
#define FORKS_RENEWED 4096

#define FORKS 4
#define LEGS  16

/** What a leg has that others have not. */
enum nature { PLAIN, SECURE, MIXED, ENDED, UNKNOWN };

static const struct {
	enum wire6_address address;
	enum nature nature;
	unsigned session;
	unsigned peer; /* number of the leg that it is connected to; its own: nobody */
} plan[LEGS] = {
	{WIRE6_V4, PLAIN, 0, 1},      {WIRE6_V4_FAR, PLAIN, 0, 0}, {WIRE6_V6, PLAIN, 1, 3},
	{WIRE6_V6_FAR, PLAIN, 1, 2},  {WIRE6_VLAN4, PLAIN, 2, 5},  {WIRE6_VLAN6_FAR, PLAIN, 2, 4},
	{WIRE6_V4, SECURE, 3, 7},     {WIRE6_V6_FAR, PLAIN, 3, 6}, {WIRE6_V4, MIXED, 4, 9},
	{WIRE6_V4_FAR, MIXED, 4, 8},  {WIRE6_V6, MIXED, 4, 10},    {WIRE6_V4, ENDED, 5, 12},
	{WIRE6_V6_FAR, ENDED, 5, 11}, {WIRE6_V4, UNKNOWN, 6, 13},  {WIRE6_V6, UNKNOWN, 6, 14},
	{WIRE6_V6_FAR, SECURE, 3, 6},
};

static struct wire wire;
static struct stw_session sessions[LEGS];
static struct stw_leg legs[LEGS];
static struct stw_endpoint locals[LEGS];
static struct host hosts[LEGS];
static struct stw_consumer *consumer;
static struct stw_fork forks[FORKS];
static unsigned inputs;

static struct stw_leg_config
config_of(unsigned leg)
{
	static struct stw_srtp_keys keys = STW_SRTP_KEYS_INIT;
	struct stw_leg_config config = wire6_leg_config(
		plan[leg].address, plan[leg].nature == UNKNOWN ? NULL : &hosts[leg]);

	config.side = leg % 2 ? STW_SIDE_AGENT : STW_SIDE_CALLER;
	config.event_pt = 101;
	switch (plan[leg].nature) {
	case SECURE:
		memset(keys.key, 7, sizeof(keys.key));
		config.srtp_in = &keys;
		config.srtp_out = &keys;
		break;
	case ENDED:
		config.rtcp = STW_RTCP_END;
		config.rtcp_mux = 1;
		config.relatch = STW_RELATCH_SILENT;
		config.relatch_after_ns = 40 * WIRE_MS;
		config.packets_per_second_max = 40;
		config.pt_map_count = 1;
		config.pt_map[0] = (struct stw_pt_pair){18, 99};
		config.silent_audio_ns = 100 * WIRE_MS;
		break;
	case UNKNOWN:
		config.source_any_ip = 1;
		break;
	default:
		break;
	}
	return config;
}

/** A host whom nobody has to ask for its link address. */
static struct host
host_known(enum wire6_address address, uint8_t which)
{
	struct host host = wire6_host(address, which);
	struct rte_ether_addr mac;
	struct ip6 ip;

	memcpy(mac.addr_bytes, host.mac, sizeof(mac.addr_bytes));
	memcpy(&ip, host.ip.bytes, sizeof(ip));
	if (host.ip.family == 6)
		hops6_learn(&wire.media->addresses6[address].hops, &ip, &mac);
	else
		hops_learn(&wire.media->addresses[address].hops,
			   RTE_IPV4(host.ip.bytes[0], host.ip.bytes[1], host.ip.bytes[2],
				    host.ip.bytes[3]),
			   &mac);
	return host;
}

static void
leg_begin(unsigned leg)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config config;
	unsigned of = plan[leg].session;

	hosts[leg] = host_known(plan[leg].address, (uint8_t)(1 + leg));
	config = config_of(leg);
	if (!sessions[of].id)
		FUZZ_ASSERT(stw_session_add(wire.media, &session, &sessions[of]) == 0);
	FUZZ_ASSERT(stw_leg_add(wire.media, sessions[of], &config, wire.now_ns, &legs[leg],
				&locals[leg]) == 0);
}

static void
mix_begin(void)
{
	struct stw_mix_config config = STW_MIX_CONFIG_INIT;
	struct stw_mix_leg_config parties[LEGS];
	struct stw_mix mix;
	uint32_t count = 0;

	for (unsigned leg = 0; leg < LEGS; leg++) {
		struct stw_mix_leg_config party = STW_MIX_LEG_CONFIG_INIT;

		party.leg = legs[leg];
		if (plan[leg].nature == MIXED)
			parties[count++] = party;
	}
	config.legs = parties;
	config.legs_count = count;
	FUZZ_ASSERT(stw_mix_add(wire.media, sessions[4], &config, wire.now_ns, &mix) == 0);
}

/** Files without names, a consumer, and the network, all for the same session. */
static void
forks_begin(void)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct host recorder = host_known(WIRE6_V4_FAR, 99);
	char path[] = "/tmp/stw-frame-XXXXXX";

	close(mkstemp(path));
	config.path = path;
	config.consumer = consumer;
	config.address = WIRE6_V4_FAR;
	config.remote = wire6_endpoint(&recorder);
	for (unsigned i = 0; i < FORKS; i++) {
		config.kind = (enum stw_fork_kind)i;
		unlink(path);
		FUZZ_ASSERT(stw_fork_add(wire.media, sessions[0], &config, wire.now_ns,
					 &forks[i]) == 0);
	}
	unlink(path);
}

/** Give the plane back, so that what is left is a leak. */
static void
end(void)
{
	wire_close(&wire);
	stw_eal_stop();
}

static void
begin(void)
{
	struct stw_consumer_config frames = STW_CONSUMER_CONFIG_INIT;
	struct stw_media_config config;

	wire_eal_start();
	FUZZ_ASSERT(atexit(end) == 0);
	config = wire_config();
	config.srtp_max = 8;
	config.mixes_max = 1;
	config.mix_legs_max = 8;
	wire6_open_with(&wire, config);
	frames.frames_max = 64;
	FUZZ_ASSERT(stw_consumer_open(wire.media, &frames, &consumer) == 0);
	for (unsigned leg = 0; leg < LEGS; leg++)
		leg_begin(leg);
	for (unsigned leg = 0; leg < LEGS; leg++) {
		if (plan[leg].peer != leg)
			FUZZ_ASSERT(stw_leg_connect(wire.media, legs[leg], legs[plan[leg].peer]) ==
				    0);
	}
	mix_begin();
	forks_begin();
}

/** Let a frame that names a leg by its number reach it. */
static void
frame_aim(struct frame *frame)
{
	uint32_t ip = wire_u16(frame, 12) == 0x8100 ? 18 : 14;
	uint32_t udp = ip + (frame->data[ip] >> 4 == 6 ? 40 : 20);
	uint16_t aim = wire_u16(frame, udp + 2);

	if (frame->bytes < udp + 8 || aim >= 2 * LEGS ||
	    wire_u16(frame, udp + 4) > frame->bytes - udp)
		return;
	aim = (uint16_t)(locals[aim / 2].port + aim % 2);
	frame->data[udp + 2] = (uint8_t)(aim >> 8);
	frame->data[udp + 3] = (uint8_t)aim;
	wire6_sign(frame);
}

static uint8_t
frame_make(const uint8_t *bytes, size_t count, struct frame *frame)
{
	unsigned leg = bytes[0] % LEGS;
	struct stw_endpoint to = locals[leg];
	struct host from = hosts[leg];

	if (!(bytes[0] & FRAME_UDP)) {
		memset(frame, 0, sizeof(*frame));
		memcpy(frame->data, bytes + 1, count - 1);
		frame->bytes = (uint32_t)count - 1;
		frame_aim(frame);
		return bytes[0] & FRAME_PORT;
	}
	if (bytes[0] & FRAME_RTCP) {
		to.port++;
		from.udp_port++;
	}
	if (bytes[0] & FRAME_FOREIGN)
		from.udp_port += 4;
	wire6_udp(frame, &from, &to, bytes + 1, (uint32_t)count - 1);
	return from.port;
}

static struct rte_mbuf *
frame_buffer(const struct frame *frame, bool cut)
{
	uint32_t first = cut && frame->bytes > 1 ? frame->bytes / 2 : frame->bytes;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(wire.pool), *rest;

	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)first), frame->data, first);
	if (first == frame->bytes)
		return mbuf;
	rest = rte_pktmbuf_alloc(wire.pool);
	memcpy(rte_pktmbuf_append(rest, (uint16_t)(frame->bytes - first)), frame->data + first,
	       frame->bytes - first);
	rte_pktmbuf_chain(mbuf, rest);
	return mbuf;
}

/** What was sent is Ethernet of a known kind, with checksums that are right. */
static void
sent_check(void)
{
	struct frame frame;

	for (uint8_t port = 0; port < WIRE_PORTS; port++) {
		while (wire_take(&wire, port, &frame)) {
			struct seen seen;

			FUZZ_ASSERT(frame.bytes >= 42);
			if (wire6_read(&frame, &seen))
				FUZZ_ASSERT(wire6_checksums_are_right(&frame));
		}
	}
}

/** The host's part: files, frames, events. */
static void
host_turn(void)
{
	const struct stw_frame *frames[64];
	struct stw_media_event events[64];
	int taken = stw_consumer_take(consumer, frames, 64);

	FUZZ_ASSERT(taken >= 0);
	for (int i = 0; i < taken; i++) {
		volatile uint8_t last = frames[i]->payload_bytes
						? frames[i]->payload[frames[i]->payload_bytes - 1]
						: 0;

		(void)last;
	}
	FUZZ_ASSERT(stw_consumer_give(consumer, frames, (uint32_t)taken) == 0);
	while (stw_media_record(wire.media, 64) > 0)
		continue;
	while (stw_media_events_take(wire.media, events, 64) > 0)
		continue;
	stw_media_advance(wire.media, wire.now_ns);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	uint64_t received;
	struct frame frame;
	uint8_t port;

	if (!wire.media)
		begin();
	if (count < 2 || count > 1500)
		return 0;
	port = frame_make(bytes, count, &frame);
	received = wire_stats(&wire).packets_received;
	wire_give_mbuf(&wire, port, frame_buffer(&frame, bytes[0] & FRAME_CUT));
	wire_poll(&wire);
	FUZZ_ASSERT(wire_stats(&wire).packets_received == received + 1);
	FUZZ_ASSERT(wire_counters_add_up(&wire));
	sent_check();
	host_turn();
	/* Copies come back, mixes and reports that are due are sent. */
	wire.now_ns += 20 * WIRE_MS;
	wire_poll(&wire);
	sent_check();
	host_turn();
	plane_check(wire.media);
	FUZZ_ASSERT(wire_stats(&wire).packets_in_use == wire.base);
	FUZZ_ASSERT(rte_mempool_in_use_count(wire.pool) == 0);
	if (++inputs % FORKS_RENEWED == 0) {
		for (unsigned i = 0; i < FORKS; i++)
			FUZZ_ASSERT(stw_fork_remove(wire.media, forks[i]) == 0);
		for (unsigned i = 0; i < 4; i++) {
			wire.now_ns += 2000 * WIRE_MS;
			wire_poll(&wire);
			sent_check();
			host_turn();
		}
		forks_begin();
	}
	return 0;
}
