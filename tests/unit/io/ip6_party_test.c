/* SPDX-License-Identifier: BSD-3-Clause */
/* Who the party of a leg of IPv4 or IPv6 is, and by which next hop it is reached. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "media/plane.h"
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

TestSuite(ip6_party, .init = open_wire, .fini = close_wire);

static int
give(const struct host *host, const struct frame *frame)
{
	return wire_verdict(&wire, host->port, frame);
}

Test(ip6_party, source_is_latched_told_and_strict)
{
	struct stw_media_event event;
	struct stw_leg_stats stats;
	struct stw_leg_config config;
	struct mixed call;
	struct frame frame;
	struct host other;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V6_FAR);
	config = wire6_leg_config(WIRE6_V6, NULL);
	cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns), 0);
	cr_assert_eq(stw_leg_stats(wire.media, call.leg[0], &stats), 0);
	cr_assert_eq(stats.remote.ip.family, 0);
	cr_assert_eq(stats.latched, 0);
	cr_assert_arr_eq(&stats.local.ip, &call.local[0].ip, sizeof(struct stw_ip));
	wire6_rtp(&frame, &call.host[0], &call.local[0], 1);
	give(&call.host[0], &frame);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_LATCHED);
	cr_assert_eq(event.remote.port, call.host[0].udp_port);
	cr_assert_arr_eq(&event.remote.ip, &call.host[0].ip, sizeof(struct stw_ip));
	cr_assert_eq(stw_leg_stats(wire.media, call.leg[0], &stats), 0);
	cr_assert_eq(stats.latched, 1);
	cr_assert_eq(stats.remote.port, call.host[0].udp_port);
	cr_assert_arr_eq(&stats.remote.ip, &call.host[0].ip, sizeof(struct stw_ip));
	/* Any other bit of the address, or another port, is another source. */
	for (unsigned bit = 0; bit < 128; bit++) {
		other = call.host[0];
		other.ip.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		wire6_rtp(&frame, &other, &call.local[0], 2);
		cr_assert_eq(give(&other, &frame), STW_DROP_SOURCE, "bit %u", bit);
	}
	other = call.host[0];
	other.udp_port++;
	wire6_rtp(&frame, &other, &call.local[0], 2);
	cr_assert_eq(give(&other, &frame), STW_DROP_SOURCE);
	wire_drop_all(&wire, 1);
}

Test(ip6_party, source_whose_hash_is_that_of_the_party_is_foreign)
{
	struct leg_route *route;
	struct mixed call;
	struct frame frame;
	struct host other;
	struct ip6 ip;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V6_FAR);
	wire6_call_latch(&wire, &call);
	other = call.host[0];
	other.ip.bytes[9] = 77;
	ip = ip6_read(other.ip.bytes);
	/* Make the word what that source's word would be. */
	route = &wire.media->routes[(uint32_t)call.leg[0].id];
	route->remote =
		(route->remote & UINT32_MAX) | ip6_hash(&ip, wire.media->ip6_key) >> 32 << 32;
	wire6_rtp(&frame, &other, &call.local[0], 2);
	cr_assert_eq(give(&other, &frame), STW_DROP_SOURCE);
}

Test(ip6_party, configured_address_is_held_to_unless_any_may_come)
{
	struct stw_leg_config config;
	struct mixed call;
	struct frame frame;
	struct host other;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V6_FAR);
	other = call.host[0];
	other.ip.bytes[15]++;
	wire6_rtp(&frame, &other, &call.local[0], 2);
	cr_assert_eq(give(&other, &frame), STW_DROP_SOURCE);
	config = wire6_leg_config(WIRE6_V6, &call.host[0]);
	config.source_any_ip = 1;
	cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns), 0);
	cr_assert_eq(give(&other, &frame), STW_DROP_NO_NEXT_HOP, "the other has not spoken yet");
	wire6_rtp(&frame, &call.host[0], &call.local[0], 2);
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_SOURCE, "the other one has latched");
	/* A new endpoint opens the window again; an equal one does not. */
	cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns), 0);
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_SOURCE);
	config.remote.ip.bytes[15] ^= 0x80;
	config.source_any_ip = 0;
	cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns), 0);
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_SOURCE);
	config.remote = wire6_endpoint(&call.host[0]);
	cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns), 0);
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_NO_NEXT_HOP, "latched");
}

Test(ip6_party, what_no_host_can_be_is_no_party)
{
	static const char *const texts[] = {"::", "::1", "ff02::1", "::ffff:10.0.0.1",
					    "::10.0.0.1"};
	struct stw_leg_config config = wire6_leg_config(WIRE6_V6, NULL);
	struct mixed call;
	struct frame frame;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V6_FAR);
	cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct host host = call.host[0];

		cr_assert_eq(stw_ip_parse(texts[i], &host.ip), 0);
		wire6_rtp(&frame, &host, &call.local[0], 2);
		cr_assert_eq(give(&host, &frame), STW_DROP_SOURCE, "%s", texts[i]);
		config.remote = wire6_endpoint(&host);
		cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns),
			     -EINVAL);
	}
}

Test(ip6_party, leg_speaks_what_its_local_address_speaks)
{
	struct host four = wire6_host(WIRE6_V4, 1), six = wire6_host(WIRE6_V6, 1);
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config config;
	struct stw_session session;
	struct stw_endpoint local;
	struct stw_leg leg;

	cr_assert_eq(stw_session_add(wire.media, &session_config, &session), 0);
	config = wire6_leg_config(WIRE6_V4, &six);
	cr_assert_eq(stw_leg_add(wire.media, session, &config, wire.now_ns, &leg, &local), -EINVAL);
	config = wire6_leg_config(WIRE6_V6, &four);
	cr_assert_eq(stw_leg_add(wire.media, session, &config, wire.now_ns, &leg, &local), -EINVAL);
}

Test(ip6_party, link_local_party_is_spoken_to_directly)
{
	struct mixed call;
	struct frame frame;
	struct seen was;

	wire6_call(&wire, &call, WIRE6_V4, WIRE6_V6_FAR);
	cr_assert_eq(stw_ip_parse("fe80::1234", &call.host[1].ip), 0);
	{
		struct stw_leg_config config = wire6_leg_config(WIRE6_V6_FAR, &call.host[1]);

		cr_assert_eq(stw_leg_update(wire.media, call.leg[1], &config, wire.now_ns), 0);
	}
	wire6_call_latch(&wire, &call);
	wire6_rtp(&frame, &call.host[0], &call.local[0], 9);
	wire6_read(&frame, &was);
	cr_assert_eq(give(&call.host[0], &frame), STW_PASS_RELAYED);
	cr_assert(wire6_arrives(&wire, &call, 0, &was));
}

Test(ip6_party, party_far_away_is_reached_by_the_gateway_that_it_came_by)
{
	struct mixed call;
	struct frame frame;
	struct seen was;
	struct stw_leg_config config;

	wire6_call(&wire, &call, WIRE6_V4, WIRE6_V6_FAR);
	cr_assert_eq(stw_ip_parse("2001:db8:ffff::9", &call.host[1].ip), 0);
	config = wire6_leg_config(WIRE6_V6_FAR, &call.host[1]);
	cr_assert_eq(stw_leg_update(wire.media, call.leg[1], &config, wire.now_ns), 0);
	wire6_call_latch(&wire, &call);
	wire6_rtp(&frame, &call.host[0], &call.local[0], 9);
	wire6_read(&frame, &was);
	cr_assert_eq(give(&call.host[0], &frame), STW_PASS_RELAYED);
	cr_assert(wire6_arrives(&wire, &call, 0, &was));
	/* Where there is no gateway there is no way. */
	wire6_call(&wire, &call, WIRE6_V4, WIRE6_V6);
	cr_assert_eq(stw_ip_parse("2001:db8:ffff::9", &call.host[1].ip), 0);
	config = wire6_leg_config(WIRE6_V6, &call.host[1]);
	cr_assert_eq(stw_leg_update(wire.media, call.leg[1], &config, wire.now_ns), 0);
	wire6_call_latch(&wire, &call);
	wire6_rtp(&frame, &call.host[0], &call.local[0], 9);
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_NO_NEXT_HOP);
}

Test(ip6_party, unknown_next_hop_is_wanted_once_each_100_ms)
{
	struct plane_wanted wanted;
	struct mixed call;
	struct frame frame;

	wire6_call(&wire, &call, WIRE6_V4, WIRE6_V6_FAR);
	/* Asked for when the leg was added; nobody speaks for the port's neighbours here. */
	while (plane_wanted_take(wire.media, &wire.media->wants_own, &wanted))
		continue;
	wire6_rtp(&frame, &call.host[0], &call.local[0], 9);
	wire.media->ports[1].owned = 0;
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_NO_NEXT_HOP);
	cr_assert(!plane_wanted_take(wire.media, &wire.media->wants_kernel, &wanted));
	wire.now_ns += 100 * WIRE_MS;
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_NO_NEXT_HOP);
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_NO_NEXT_HOP);
	cr_assert(plane_wanted_take(wire.media, &wire.media->wants_kernel, &wanted));
	cr_assert_eq(wanted.address, WIRE6_V6_FAR);
	cr_assert_arr_eq(&wanted.hop6, call.host[1].ip.bytes, 16);
	cr_assert(!plane_wanted_take(wire.media, &wire.media->wants_kernel, &wanted));
	wire.media->ports[1].owned = 1;
}

Test(ip6_party, silent_source_is_replaced_from_its_own_address_only)
{
	struct stw_leg_config config;
	struct mixed call;
	struct frame frame;
	struct host other;

	wire6_call(&wire, &call, WIRE6_V6, WIRE6_V6_FAR);
	wire6_call_latch(&wire, &call);
	config = wire6_leg_config(WIRE6_V6, &call.host[0]);
	config.relatch = STW_RELATCH_SILENT;
	config.relatch_after_ns = 500 * WIRE_MS;
	cr_assert_eq(stw_leg_update(wire.media, call.leg[0], &config, wire.now_ns), 0);
	other = call.host[0];
	other.udp_port += 2;
	wire6_rtp(&frame, &other, &call.local[0], 9);
	wire.now_ns += 499 * WIRE_MS;
	cr_assert_eq(give(&other, &frame), STW_DROP_SOURCE);
	wire.now_ns += WIRE_MS;
	other.ip.bytes[15] ^= 1;
	wire6_rtp(&frame, &other, &call.local[0], 9);
	cr_assert_eq(give(&other, &frame), STW_DROP_SOURCE);
	other.ip.bytes[15] ^= 1;
	wire6_rtp(&frame, &other, &call.local[0], 9);
	cr_assert_eq(give(&other, &frame), STW_PASS_RELAYED);
	wire6_rtp(&frame, &call.host[0], &call.local[0], 10);
	cr_assert_eq(give(&call.host[0], &frame), STW_DROP_SOURCE);
}
