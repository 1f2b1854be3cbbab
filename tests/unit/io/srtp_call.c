/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call whose parties speak SRTP.
 */
#include "srtp_call.h"

#include <string.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct secure_call the_call;

void
secure_test(enum stw_srtp_driver driver, void (*body)(struct secure_call *call))
{
	struct secure_call *call = &the_call;
	struct stw_media_config config;
	struct stw_srtp_info info;

	wire_eal_start();
	config = wire_config();
	config.srtp_max = 8;
	config.srtp_driver = driver;
	wire_open(&call->wire, &config);
	cr_assert_eq(stw_srtp_info(call->wire.media, &info), 0);
	cr_assert_eq(info.driver, driver);
	body(call);
	wire_drop_sent(&call->wire);
	wire_end(&call->wire);
}

static void
side_begin(struct secure_call *call, unsigned side, bool secure)
{
	struct secure_side *of = &call->sides[side];

	of->party = side ? &wire_agent : &wire_caller;
	of->config = wire_leg_config(of->party, side ? STW_SIDE_AGENT : STW_SIDE_CALLER);
	if (secure) {
		of->config.srtp_in = &of->in;
		of->config.srtp_out = &of->out;
	}
	cr_assert_eq(stw_leg_add(call->wire.media, call->session, &of->config, call->wire.now_ns,
				 &of->leg, &of->local),
		     0);
	srtp_peer_open(&of->peer, secure ? &of->in : NULL, secure ? &of->out : NULL);
}

/* Both parties are next hops; nobody has to ask for them. */
static void
hops_learn_both(struct secure_call *call)
{
	for (unsigned side = 0; side < 2; side++) {
		struct rte_ether_addr mac;
		struct plane_address *address = &call->wire.media->addresses[side];
		const uint8_t *ip = call->sides[side].party->ip;

		memcpy(mac.addr_bytes, call->sides[side].party->mac, 6);
		hops_learn(&address->hops,
			   (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 |
				   ip[3],
			   &mac);
	}
}

void
secure_begin_with(struct secure_call *call, bool caller_secure, bool agent_secure)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;

	cr_assert_eq(stw_session_add(call->wire.media, &session, &call->session), 0);
	side_begin(call, 0, caller_secure);
	side_begin(call, 1, agent_secure);
	hops_learn_both(call);
	/* What is asked of the next hops is no packet of the call. */
	wire_poll(&call->wire);
	cr_assert_eq(stw_leg_connect(call->wire.media, call->sides[0].leg, call->sides[1].leg), 0);
	cr_assert_eq(stw_leg_connect(call->wire.media, call->sides[1].leg, call->sides[0].leg), 0);
	wire_drop_sent(&call->wire);
}

void
secure_begin(struct secure_call *call, unsigned caller_suite, unsigned agent_suite)
{
	const unsigned suites[2] = {caller_suite, agent_suite};

	for (unsigned side = 0; side < 2; side++) {
		call->sides[side].in = srtp_keys_of(suites[side] % PLAIN, 100 + side);
		call->sides[side].out = srtp_keys_of(suites[side] % PLAIN, 200 + side);
	}
	secure_begin_with(call, caller_suite != PLAIN, agent_suite != PLAIN);
}

void
secure_end(struct secure_call *call)
{
	struct stw_media_event event;

	cr_assert_eq(stw_session_remove(call->wire.media, call->session, call->wire.now_ns), 0);
	for (unsigned side = 0; side < 2; side++)
		srtp_peer_close(&call->sides[side].peer);
	wire_poll(&call->wire);
	call->wire.now_ns += 10000 * WIRE_MS;
	stw_media_advance(call->wire.media, call->wire.now_ns);
	wire_poll(&call->wire);
	stw_media_advance(call->wire.media, call->wire.now_ns);
	while (wire_event_take(&call->wire, &event))
		continue;
}

void
secure_rtp(struct datagram *datagram, uint16_t sequence, uint32_t ssrc, int payload_bytes)
{
	uint8_t *data = datagram->data;

	memset(data, 0, 12);
	data[0] = 0x80;
	data[2] = (uint8_t)(sequence >> 8);
	data[3] = (uint8_t)sequence;
	data[6] = (uint8_t)(sequence >> 8);
	data[7] = (uint8_t)sequence;
	for (unsigned i = 0; i < 4; i++)
		data[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	for (int i = 0; i < payload_bytes; i++)
		data[12 + i] = (uint8_t)(sequence * 7 + i * 13 + ssrc);
	datagram->bytes = 12 + payload_bytes;
}

void
secure_protect(struct secure_call *call, unsigned from, struct datagram *datagram, bool rtcp)
{
	datagram->bytes =
		srtp_peer_protect(&call->sides[from].peer, datagram->data, datagram->bytes, rtcp);
}

static void
frame_make(struct secure_call *call, unsigned from, const struct datagram *datagram, bool rtcp,
	   struct frame *frame)
{
	struct stw_endpoint to = call->sides[from].local;
	struct party party = *call->sides[from].party;

	to.port += rtcp;
	party.udp_port += rtcp;
	wire_udp(frame, &party, &to, datagram->data, (uint32_t)datagram->bytes);
}

int
secure_inject(struct secure_call *call, unsigned from, const struct datagram *datagram, bool rtcp)
{
	struct frame frame;

	frame_make(call, from, datagram, rtcp, &frame);
	return wire_verdict(&call->wire, (uint8_t)from, &frame);
}

void
secure_send(struct secure_call *call, unsigned from, const struct datagram *plain, bool rtcp)
{
	struct datagram secured = *plain;
	struct frame frame;

	secure_protect(call, from, &secured, rtcp);
	frame_make(call, from, &secured, rtcp, &frame);
	wire_give(&call->wire, (uint8_t)from, &frame);
	wire_poll(&call->wire);
}

bool
secure_take(struct secure_call *call, unsigned to, struct datagram *datagram, bool rtcp)
{
	struct frame frame;

	if (!wire_take(&call->wire, (uint8_t)to, &frame))
		return false;
	cr_assert(wire_checksums_are_right(&frame));
	cr_assert_eq(wire_u16(&frame, 16), frame.bytes - 14);
	cr_assert_eq(wire_u16(&frame, 38), frame.bytes - 34);
	cr_assert_eq(wire_u16(&frame, 36), call->sides[to].party->udp_port + rtcp);
	datagram->bytes = (int)frame.bytes - 42;
	memcpy(datagram->data, frame.data + 42, (size_t)datagram->bytes);
	datagram->bytes =
		srtp_peer_open_packet(&call->sides[to].peer, datagram->data, datagram->bytes, rtcp);
	return true;
}

void
secure_crosses(struct secure_call *call, unsigned from, const struct datagram *plain, bool rtcp)
{
	struct datagram seen;

	secure_send(call, from, plain, rtcp);
	cr_assert(secure_take(call, !from, &seen, rtcp), "nothing came");
	cr_assert_eq(seen.bytes, plain->bytes);
	/* But for what is the leg's stream's: marker, sequence number, timestamp, source. */
	if (rtcp)
		cr_assert_eq(memcmp(seen.data, plain->data, 4), 0);
	cr_assert_eq(memcmp(seen.data + (rtcp ? 8 : 12), plain->data + (rtcp ? 8 : 12),
			    (size_t)plain->bytes - (rtcp ? 8 : 12)),
		     0);
}

struct stw_leg_stats
secure_stats(struct secure_call *call, unsigned side)
{
	struct stw_leg_stats stats;

	cr_assert_eq(stw_leg_stats(call->wire.media, call->sides[side].leg, &stats), 0);
	return stats;
}
