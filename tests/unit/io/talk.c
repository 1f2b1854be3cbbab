/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls whose parties speak, and who look at what they hear.
 */
#include "talk.h"

#include <criterion/criterion.h>

#include <string.h>

#include <rte_ip.h>

#include "media/plane.h"

/* UDP ports of the parties of one call lie so far from those of the next. */
#define PARTY_PORTS 8

void
talk_open(struct wire *wire, uint32_t calls)
{
	struct stw_address_config addresses[WIRE_PORTS];
	struct stw_media_config config = wire_config();

	for (unsigned i = 0; i < WIRE_PORTS; i++)
		addresses[i] = (struct stw_address_config){
			.port = i,
			.ip = {4, {10, 0, (uint8_t)i, 1}},
			.prefix_bits = 24,
			.udp_port_first = 20000,
			.udp_port_last = (uint16_t)(20000 + 4 * calls - 1),
		};
	config.addresses = addresses;
	config.addresses_count = WIRE_PORTS;
	config.sessions_max = calls;
	config.legs_max = 2 * calls;
	config.packets_max = 4096;
	wire_open(wire, &config);
	/* Nobody has to ask for the parties' link addresses. */
	for (unsigned side = 0; side < 2; side++) {
		struct party party = talk_party(0, side);
		struct rte_ether_addr mac;

		memcpy(mac.addr_bytes, party.mac, sizeof(mac.addr_bytes));
		hops_learn(&wire->media->addresses[side].hops,
			   RTE_IPV4(party.ip[0], party.ip[1], party.ip[2], party.ip[3]), &mac);
	}
}

struct party
talk_party(unsigned n, unsigned side)
{
	struct party party = side ? wire_agent : wire_caller;

	party.udp_port = (uint16_t)(party.udp_port + PARTY_PORTS * n);
	return party;
}

struct stw_leg_config
talk_config(const struct talk *talk, unsigned side)
{
	return wire_leg_config(&talk->parties[side], side ? STW_SIDE_AGENT : STW_SIDE_CALLER);
}

void
talk_begin(struct wire *wire, struct talk *talk, unsigned n)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct call *call = &talk->call;
	struct stw_leg_config configs[2];

	memset(talk, 0, sizeof(*talk));
	for (unsigned side = 0; side < 2; side++) {
		talk->parties[side] = talk_party(n, side);
		configs[side] = talk_config(talk, side);
	}
	session.cookie = n;
	cr_assert_eq(stw_session_add(wire->media, &session, &call->session), 0);
	cr_assert_eq(stw_leg_add(wire->media, call->session, &configs[0], wire->now_ns,
				 &call->caller, &call->caller_local),
		     0);
	cr_assert_eq(stw_leg_add(wire->media, call->session, &configs[1], wire->now_ns,
				 &call->agent, &call->agent_local),
		     0);
	cr_assert_eq(stw_leg_connect(wire->media, call->caller, call->agent), 0);
	cr_assert_eq(stw_leg_connect(wire->media, call->agent, call->caller), 0);
}

void
talk_make(struct talk *talk, unsigned side, struct frame *frame)
{
	uint16_t sequence = talk->spoken[side]++;

	wire_rtp(frame, &talk->parties[side],
		 side ? &talk->call.agent_local : &talk->call.caller_local, 0, sequence,
		 160u * sequence);
}

void
talk_say(struct wire *wire, struct talk *talk, unsigned side)
{
	struct frame frame;

	talk_make(talk, side, &frame);
	wire_give(wire, (uint8_t)side, &frame);
}

/* Whose frame this is. */
static struct talk *
talk_of(struct talk *talks, unsigned count, unsigned side, const struct frame *frame)
{
	for (unsigned n = 0; n < count; n++) {
		const struct party *party = &talks[n].parties[side];

		if (memcmp(frame->data + 30, party->ip, 4) == 0 &&
		    wire_u16(frame, 36) == party->udp_port &&
		    memcmp(frame->data, party->mac, 6) == 0)
			return &talks[n];
	}
	return NULL;
}

static void
frame_hear(struct talk *talk, unsigned side, const struct frame *frame)
{
	uint16_t due = talk->due[side]++;
	const struct stw_endpoint *local =
		side ? &talk->call.agent_local : &talk->call.caller_local;

	cr_assert(wire_checksums_are_right(frame));
	cr_assert_arr_eq(frame->data + 26, local->ip.bytes, 4);
	cr_assert_eq(wire_u16(frame, 34), local->port);
	cr_assert_eq(frame->bytes, 42 + 172);
	for (unsigned i = 12; i < 172; i++)
		cr_assert_eq(frame->data[42 + i], (uint8_t)(due * 7 + i * 13),
			     "side %u: packet %u is not what it hears next", side, due);
	if (talk->ssrc[side]) {
		cr_assert_eq(wire_u32(frame, 50), talk->ssrc[side]);
		cr_assert_eq(wire_u16(frame, 44), (uint16_t)(talk->heard_number[side] + 1));
	}
	talk->ssrc[side] = wire_u32(frame, 50);
	talk->heard_number[side] = wire_u16(frame, 44);
}

unsigned
talk_listen(struct wire *wire, struct talk *talks, unsigned count)
{
	struct frame frame;
	unsigned heard = 0;

	for (uint8_t side = 0; side < WIRE_PORTS; side++) {
		while (wire_take(wire, side, &frame)) {
			struct talk *talk;

			/* A question for a link address. */
			if (wire_u16(&frame, 12) == 0x0806)
				continue;
			talk = talk_of(talks, count, side, &frame);
			cr_assert_not_null(talk, "sent to %u.%u.%u.%u:%u, who is no party",
					   frame.data[30], frame.data[31], frame.data[32],
					   frame.data[33], wire_u16(&frame, 36));
			frame_hear(talk, side, &frame);
			heard++;
		}
	}
	return heard;
}

void
talk_turn(struct wire *wire, struct talk *talks, unsigned count)
{
	unsigned heard = 0;

	wire->now_ns += 20 * WIRE_MS;
	for (unsigned n = 0; n < count; n++) {
		for (unsigned side = 0; side < 2; side++)
			talk_say(wire, &talks[n], side);
	}
	while (wire_poll(wire) > 0)
		heard += talk_listen(wire, talks, count);
	cr_assert_eq(heard, 2 * count);
}

void
talk_lives(struct wire *wire, struct talk *talk)
{
	talk_turn(wire, talk, 1);
	talk_turn(wire, talk, 1);
	cr_assert_eq(talk->due[0], talk->spoken[1]);
	cr_assert_eq(talk->due[1], talk->spoken[0]);
}

struct stw_leg_stats
talk_stats(struct wire *wire, struct stw_leg leg)
{
	struct stw_leg_stats stats;

	cr_assert_eq(stw_leg_stats(wire->media, leg, &stats), 0);
	return stats;
}
