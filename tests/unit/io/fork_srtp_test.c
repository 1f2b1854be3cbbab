/* SPDX-License-Identifier: BSD-3-Clause */
/* Forks beside SRTP: copies stay plain where a leg's party speaks it, and a stream of a fork may be SRTP. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/plane.h"
#include "srtp_peer.h"
#include "wire.h"

static const struct party recorder = {1, {10, 0, 1, 77}, 6000, {2, 0, 0, 0, 1, 0x77}};

static struct wire wire;
static struct call call;
static struct stw_srtp_keys keys;

static void
open_wire(void)
{
	struct stw_media_config config;
	struct rte_ether_addr mac;

	wire_eal_start();
	config = wire_config();
	config.srtp_max = 4;
	wire_open(&wire, &config);
	wire_call_latched(&wire, &call);
	memcpy(&mac, recorder.mac, sizeof(mac));
	hops_learn(&wire.media->addresses[1].hops, 10u << 24 | 1 << 8 | 77, &mac);
	keys = srtp_keys_of(STW_SRTP_AES_CM_128_HMAC_SHA1_80, 1);
}

static void
close_wire(void)
{
	for (unsigned i = 0; i < 3; i++) {
		wire_poll(&wire);
		stw_media_advance(wire.media, wire.now_ns);
	}
	plane_check(wire.media);
	wire_close(&wire);
	stw_eal_stop();
}

TestSuite(fork_srtp, .init = open_wire, .fini = close_wire);

static struct stw_fork
udp_add(void)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct stw_fork fork;

	config.kind = STW_FORK_UDP;
	config.address = 1;
	config.remote = wire_endpoint(&recorder);
	config.srtp = &keys;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, wire.now_ns, &fork), 0);
	return fork;
}

static bool
recorder_hears(struct frame *frame)
{
	while (wire_take(&wire, 1, frame)) {
		if (wire_u16(frame, 12) == 0x0800 && wire_u16(frame, 36) == recorder.udp_port)
			return true;
	}
	return false;
}

static void
say(unsigned side, uint16_t sequence, struct frame *sent)
{
	wire.now_ns += 20 * WIRE_MS;
	wire_rtp(sent, side ? &wire_agent : &wire_caller,
		 side ? &call.agent_local : &call.caller_local, 0, sequence, 160u * sequence);
	wire_give(&wire, (uint8_t)side, sent);
	wire_poll(&wire);
}

Test(fork_srtp, streams_are_read_by_another_implementation)
{
	struct stw_fork fork = udp_add();
	struct stw_fork_stats stats;
	struct srtp_peer listener;
	struct frame sent, copy;

	srtp_peer_open(&listener, NULL, &keys);
	cr_assert_eq(stw_fork_stats(wire.media, fork, &stats), 0);
	for (uint16_t i = 0; i < 40; i++) {
		unsigned side = i % 2;
		int bytes;

		say(side, (uint16_t)(65500 + i), &sent);
		cr_assert(recorder_hears(&copy), "packet %u", i);
		cr_assert(wire_checksums_are_right(&copy));
		cr_assert_eq(copy.bytes, sent.bytes + 10, "packet %u: %u", i, copy.bytes);
		cr_assert_neq(memcmp(copy.data + 54, sent.data + 54, 160), 0);
		bytes = srtp_peer_open_packet(&listener, copy.data + 42, (int)copy.bytes - 42,
					      false);
		cr_assert_eq(bytes, 172);
		cr_assert_eq(wire_u32(&copy, 50), stats.ssrc[side]);
		cr_assert_arr_eq(copy.data + 54, sent.data + 54, 160);
	}
	cr_assert_eq(stw_fork_stats(wire.media, fork, &stats), 0);
	cr_assert_eq(stats.packets, 40);
	cr_assert_eq(stats.packets_dropped, 0);
	srtp_peer_close(&listener);
	cr_assert_eq(stw_fork_remove(wire.media, fork), 0);
}

Test(fork_srtp, mistakes_are_told_and_contexts_come_back)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct stw_srtp_keys wrong = keys;
	struct stw_srtp_info info;
	struct stw_fork forks[5];

	config.kind = STW_FORK_UDP;
	config.address = 1;
	config.remote = wire_endpoint(&recorder);
	wrong.mki_bytes = STW_SRTP_MKI_BYTES_MAX + 1;
	config.srtp = &wrong;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &forks[0]), -EINVAL);
	for (unsigned i = 0; i < 4; i++)
		forks[i] = udp_add();
	config.srtp = &keys;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, 0, &forks[4]), -ENOSPC);
	cr_assert_eq(wire_stats(&wire).udp_ports, 6);
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(stw_fork_remove(wire.media, forks[i]), 0);
	for (unsigned i = 0; i < 3; i++) {
		wire_poll(&wire);
		stw_media_advance(wire.media, wire.now_ns);
	}
	cr_assert_eq(stw_srtp_info(wire.media, &info), 0);
	cr_assert_eq(info.contexts, 0);
	udp_add();
}

/* What goes to the agent is enciphered in place; its copies are as they were received. */
Test(fork_srtp, copies_stay_plain_when_the_peer_speaks_srtp)
{
	struct stw_leg_config config = wire_leg_config(&wire_agent, STW_SIDE_AGENT);
	struct stw_consumer_config consumer_config = STW_CONSUMER_CONFIG_INIT;
	struct stw_fork_config fork_config = STW_FORK_CONFIG_INIT;
	char path[] = "/tmp/stw-fork-srtp-XXXXXX";
	static uint8_t file[65536];
	const struct stw_frame *frames[16];
	struct stw_consumer *consumer;
	struct stw_fork forks[2];
	struct frame sent[8], heard;
	size_t bytes;
	FILE *stream;

	close(mkstemp(path));
	unlink(path);
	config.srtp_out = &keys;
	cr_assert_eq(stw_leg_update(wire.media, call.agent, &config, wire.now_ns), 0);
	consumer_config.frames_max = 64;
	cr_assert_eq(stw_consumer_open(wire.media, &consumer_config, &consumer), 0);
	fork_config.kind = STW_FORK_RING;
	fork_config.consumer = consumer;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &fork_config, wire.now_ns, &forks[0]),
		     0);
	fork_config.kind = STW_FORK_PCAPNG;
	fork_config.path = path;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &fork_config, wire.now_ns, &forks[1]),
		     0);
	wire_drop_all(&wire, 1);
	for (uint16_t i = 0; i < 8; i++) {
		say(0, (uint16_t)(10 + i), &sent[i]);
		cr_assert(wire_take(&wire, 1, &heard));
		cr_assert_neq(memcmp(heard.data + 54, sent[i].data + 54, 160), 0, "enciphered");
	}
	cr_assert_eq(stw_consumer_take(consumer, frames, 16), 8);
	for (unsigned i = 0; i < 8; i++)
		cr_assert_arr_eq(frames[i]->payload, sent[i].data + 54, 160);
	cr_assert_eq(stw_consumer_give(consumer, frames, 8), 0);
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	while (stw_media_record(wire.media, 100) > 0)
		continue;
	stream = fopen(path, "rb");
	bytes = fread(file, 1, sizeof(file), stream);
	fclose(stream);
	unlink(path);
	for (unsigned i = 0; i < 8; i++)
		cr_assert_not_null(memmem(file, bytes, sent[i].data, sent[i].bytes), "packet %u",
				   i);
}
