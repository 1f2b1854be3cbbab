/* SPDX-License-Identifier: BSD-3-Clause */
/* Forks to the network, and pauses. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "media/plane.h"
#include "wire_suite.h"

/** Where UDP forks go: two recorders behind the agents' port. */
static const struct party recorder = {1, {10, 0, 1, 77}, 6000, {2, 0, 0, 0, 1, 0x77}};
static const struct party second = {1, {10, 0, 1, 78}, 6002, {2, 0, 0, 0, 1, 0x78}};

static struct wire wire;
static struct call call;

static void
neighbour_learn(const struct party *party)
{
	struct rte_ether_addr mac;
	uint32_t ip;

	memcpy(&mac, party->mac, sizeof(mac));
	memcpy(&ip, party->ip, sizeof(ip));
	hops_learn(&wire.media->addresses[party->port].hops, rte_be_to_cpu_32(ip), &mac);
}

static void
open_wire(void)
{
	struct stw_media_config config;

	wire_eal_start();
	config = wire_config();
	config.quarantine_ns = 1000 * WIRE_MS;
	wire_open(&wire, &config);
	wire_call_latched(&wire, &call);
	neighbour_learn(&recorder);
	neighbour_learn(&second);
}

static void
close_wire(void)
{
	while (stw_media_record(wire.media, 1000) > 0)
		continue;
	wire_poll(&wire);
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(fork_udp, .init = open_wire, .fini = close_wire);

static struct stw_fork
udp_add(const struct party *to, const struct party *to_agent)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct stw_fork fork;

	config.kind = STW_FORK_UDP;
	config.address = 1;
	config.remote = wire_endpoint(to);
	if (to_agent)
		config.remote_agent = wire_endpoint(to_agent);
	config.dscp = 10;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, wire.now_ns, &fork), 0);
	return fork;
}

/* Next packet that came to a recorder; false when there is none. */
static bool
recorder_hears(const struct party *party, struct frame *frame)
{
	while (wire_take(&wire, 1, frame)) {
		if (wire_u16(frame, 12) == 0x0800 && wire_u16(frame, 36) == party->udp_port)
			return true;
	}
	return false;
}

/* What a UDP fork has to be: the payload as it was, headers of its own. */
static void
copy_check(const struct frame *copy, const struct frame *sent, const struct party *to,
	   const struct stw_fork_stats *stats, unsigned side)
{
	cr_assert_eq(copy->bytes, sent->bytes);
	cr_assert_arr_eq(copy->data, to->mac, 6);
	cr_assert(wire_checksums_are_right(copy));
	cr_assert_arr_eq(copy->data + 26, stats->local.ip.bytes, 4);
	cr_assert_arr_eq(copy->data + 30, to->ip, 4);
	cr_assert_eq(wire_u16(copy, 34), stats->local.port);
	cr_assert_eq(copy->data[15] >> 2, 10);
	cr_assert_eq(wire_u32(copy, 50), stats->ssrc[side]);
	cr_assert_arr_eq(copy->data + 54, sent->data + 54, 160);
}

Test(fork_udp, gets_both_sides_with_ssrcs_of_its_own)
{
	struct stw_fork fork = udp_add(&recorder, NULL);
	struct stw_fork_stats stats = wire_fork_stats(&wire, fork);
	struct frame sent, copy, first[2];

	cr_assert_neq(stats.ssrc[0], stats.ssrc[1]);
	cr_assert_eq(wire_stats(&wire).udp_ports, 3);
	for (uint16_t i = 0; i < 20; i++) {
		for (unsigned side = 0; side < 2; side++) {
			(side ? wire_agent_says : wire_caller_says)(&wire, &call,
								    (uint16_t)(65530 + i), &sent);
			cr_assert(recorder_hears(&recorder, &copy));
			copy_check(&copy, &sent, &recorder, &stats, side);
			cr_assert_eq(copy.data[43], i ? 0 : 0x80, "the first begins a stream");
			if (i == 0)
				first[side] = copy;
			cr_assert_eq((uint16_t)(wire_u16(&copy, 44) - wire_u16(&first[side], 44)),
				     i);
			cr_assert_eq(wire_u32(&copy, 46) - wire_u32(&first[side], 46),
				     i ? 160u * (uint16_t)(65530 + i) - 160u * 65530 : 0);
		}
	}
	cr_assert_eq(wire_fork_stats(&wire, fork).packets, 40);
	cr_assert_eq(wire_fork_stats(&wire, fork).packets_dropped, 0);
}

Test(fork_udp, sides_go_to_endpoints_of_their_own)
{
	struct stw_fork fork = udp_add(&recorder, &second);
	struct stw_fork_stats stats = wire_fork_stats(&wire, fork);
	struct frame sent, copy;

	wire_caller_says(&wire, &call, 10, &sent);
	cr_assert(recorder_hears(&recorder, &copy));
	copy_check(&copy, &sent, &recorder, &stats, 0);
	wire_agent_says(&wire, &call, 10, &sent);
	cr_assert(recorder_hears(&second, &copy));
	copy_check(&copy, &sent, &second, &stats, 1);
}

Test(fork_udp, keeps_losses_and_order_and_follows_a_new_source)
{
	static const uint16_t sequences[] = {10, 11, 14, 13, 15};
	struct stw_fork fork = udp_add(&recorder, NULL);
	struct frame sent, copy, first;

	for (unsigned i = 0; i < 5; i++) {
		wire_caller_says(&wire, &call, sequences[i], &sent);
		cr_assert(recorder_hears(&recorder, &copy));
		if (i == 0)
			first = copy;
		cr_assert_eq((uint16_t)(wire_u16(&copy, 44) - wire_u16(&first, 44)),
			     sequences[i] - 10);
	}
	/* Another SSRC, 180 ms after the first: the next number, its place by arrival, a marker. */
	wire.now_ns += 80 * WIRE_MS;
	wire_rtp(&sent, &wire_caller, &call.caller_local, 0, 40000, 77777);
	sent.data[53] ^= 1;
	wire_sign(&sent);
	wire.now_ns += 20 * WIRE_MS;
	wire_give(&wire, 0, &sent);
	wire_poll(&wire);
	cr_assert(recorder_hears(&recorder, &copy));
	cr_assert_eq((uint16_t)(wire_u16(&copy, 44) - wire_u16(&first, 44)), 6);
	cr_assert_eq(wire_u32(&copy, 46) - wire_u32(&first, 46), 180 * 8);
	cr_assert_eq(copy.data[43], 0x80);
	cr_assert_eq(wire_fork_stats(&wire, fork).packets, 6);
}

Test(fork_udp, fork_takes_a_port_and_lets_it_rest)
{
	struct stw_fork fork = udp_add(&recorder, NULL);

	cr_assert_eq(wire_stats(&wire).udp_ports, 3);
	cr_assert_eq(stw_fork_remove(wire.media, fork), 0);
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(wire_stats(&wire).udp_ports, 2);
	cr_assert_eq(wire_stats(&wire).udp_ports_resting, 1);
	cr_assert_eq(wire_stats(&wire).forks, 0);
	stw_media_advance(wire.media, wire.now_ns + 1001 * WIRE_MS);
	cr_assert_eq(wire_stats(&wire).udp_ports_resting, 0);
}

Test(fork_udp, without_a_next_hop_is_counted_and_harms_no_call)
{
	struct party nobody = recorder;
	struct stw_fork fork;
	struct frame sent, heard;

	nobody.ip[3] = 99;
	fork = udp_add(&nobody, NULL);
	wire_caller_says(&wire, &call, 10, &sent);
	cr_assert(wire_take(&wire, 1, &heard));
	cr_assert_arr_eq(heard.data + 54, sent.data + 54, 160);
	cr_assert_eq(wire_fork_stats(&wire, fork).packets, 0);
	cr_assert_eq(wire_fork_stats(&wire, fork).packets_dropped, 1);
	/* But for the question for its link address. */
	cr_assert_eq(wire_drop_all(&wire, 1), 1);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base);
}

Test(fork_udp, without_checksum_gets_one)
{
	struct stw_fork fork = udp_add(&recorder, NULL);
	struct stw_fork_stats stats = wire_fork_stats(&wire, fork);
	struct frame sent, copy;

	wire_rtp(&sent, &wire_caller, &call.caller_local, 0, 5, 800);
	sent.data[40] = sent.data[41] = 0;
	wire_give(&wire, 0, &sent);
	wire_poll(&wire);
	cr_assert(recorder_hears(&recorder, &copy));
	cr_assert_neq(wire_u16(&copy, 40), 0);
	copy_check(&copy, &sent, &recorder, &stats, 0);
}

Test(fork_udp, port_without_segments_gets_copies_in_one_piece)
{
	struct stw_fork fork = udp_add(&recorder, NULL);
	struct stw_fork_stats stats = wire_fork_stats(&wire, fork);
	struct frame sent, copy;
	struct rte_mbuf *mbuf;

	wire.media->ports[1].by_reference = 0;
	wire_caller_says(&wire, &call, 10, &sent);
	cr_assert_eq(rte_ring_dequeue(wire.out[1], (void **)&mbuf), 0);
	rte_pktmbuf_free(mbuf);
	cr_assert_eq(rte_ring_dequeue(wire.out[1], (void **)&mbuf), 0);
	cr_assert_eq(mbuf->nb_segs, 1);
	cr_assert_eq(rte_ring_enqueue(wire.out[1], mbuf), 0);
	cr_assert(recorder_hears(&recorder, &copy));
	copy_check(&copy, &sent, &recorder, &stats, 0);
}

Test(fork_udp, mistakes_are_told)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct stw_fork fork;

	config.kind = STW_FORK_UDP;
	config.address = 1;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &fork), -EINVAL);
	config.remote = wire_endpoint(&recorder);
	config.remote.port = 0;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &fork), -EINVAL);
	config.remote.port = 6000;
	config.address = 2;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &fork), -EINVAL);
	config.address = 1;
	config.dscp = 64;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &fork), -EINVAL);
	config.dscp = 0;
	config.remote_agent.ip.family = 4;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &fork), -EINVAL);
	config.kind = (enum stw_fork_kind)4;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &fork), -EINVAL);
	cr_assert_eq(stw_fork_pause(wire.media, (struct stw_fork){0}, 1), -ESTALE);
	cr_assert_eq(stw_fork_pause(wire.media, (struct stw_fork){0}, 2), -EINVAL);
	cr_assert_eq(wire_stats(&wire).forks, 0);
}

Test(fork_udp, paused_fork_copies_nothing_and_goes_on_behind_the_gap)
{
	struct stw_fork fork = udp_add(&recorder, NULL);
	struct frame sent, copy, before;

	wire_caller_says(&wire, &call, 10, &sent);
	cr_assert(recorder_hears(&recorder, &before));
	cr_assert_eq(stw_fork_pause(wire.media, fork, 1), 0);
	cr_assert_eq(stw_fork_pause(wire.media, fork, 1), 0);
	for (uint16_t i = 11; i < 21; i++) {
		wire_caller_says(&wire, &call, i, &sent);
		cr_assert(wire_take(&wire, 1, &copy), "the peer hears it");
		cr_assert(!recorder_hears(&recorder, &copy));
	}
	cr_assert_eq(stw_fork_pause(wire.media, fork, 0), 0);
	wire_caller_says(&wire, &call, 21, &sent);
	cr_assert(recorder_hears(&recorder, &copy));
	cr_assert_eq((uint16_t)(wire_u16(&copy, 44) - wire_u16(&before, 44)), 1);
	cr_assert_eq(wire_u32(&copy, 46) - wire_u32(&before, 46), 11 * 160);
	cr_assert_eq(wire_fork_stats(&wire, fork).packets, 2);
	cr_assert_eq(wire_fork_stats(&wire, fork).packets_paused, 10);
	cr_assert_eq(wire_fork_stats(&wire, fork).packets_dropped, 0);
}
