/* SPDX-License-Identifier: BSD-3-Clause */
/* SRTP and SRTCP beside another implementation: what crosses the relay. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "srtp_call.h"
#include "support/random.h"

/* A header with sources, an extension, padding: by chance. */
static void
rtp_random(struct datagram *datagram, struct random *random, uint16_t sequence)
{
	uint32_t sources = random_happens(random, 300) ? random_below(random, 16) : 0;
	uint32_t extension = random_happens(random, 300) ? 1 + random_below(random, 8) : 0;
	uint32_t header = 12 + 4 * sources + (extension ? 4 + 4 * extension : 0);
	uint32_t payload = random_happens(random, 100) ? 0 : random_below(random, 1000);

	secure_rtp(datagram, sequence, 0x11223344, (int)(header - 12 + payload));
	datagram->data[0] |= (uint8_t)(sources | (extension ? 0x10 : 0));
	if (extension) {
		datagram->data[12 + 4 * sources + 2] = 0;
		datagram->data[12 + 4 * sources + 3] = (uint8_t)extension;
	}
	if (payload && random_happens(random, 200)) {
		uint32_t padding = 1 + random_below(random, payload < 255 ? payload : 255);

		datagram->data[0] |= 0x20;
		datagram->data[datagram->bytes - 1] = (uint8_t)padding;
	}
}

/* A receiver report with random blocks. */
static void
rtcp_random(struct datagram *datagram, struct random *random)
{
	uint32_t blocks = random_below(random, 8);

	datagram->bytes = (int)(8 + 24 * blocks);
	for (int i = 0; i < datagram->bytes; i++)
		datagram->data[i] = (uint8_t)random_next(random);
	datagram->data[0] = (uint8_t)(0x80 | blocks);
	datagram->data[1] = 201;
	datagram->data[2] = 0;
	datagram->data[3] = (uint8_t)(datagram->bytes / 4 - 1);
	memcpy(datagram->data + 4, "\x11\x22\x33\x44", 4);
}

TEST_SRTP(any_two_suites_and_plain_rtp_reach_each_other)
{
	struct datagram datagram;

	for (unsigned pair = 0; pair < (PLAIN + 1) * (PLAIN + 1); pair++) {
		struct random random = {pair};

		secure_begin(call, pair % (PLAIN + 1), pair / (PLAIN + 1));
		for (unsigned i = 0; i < 40; i++) {
			rtp_random(&datagram, &random, (uint16_t)(65520 + i));
			secure_crosses(call, 0, &datagram, false);
			rtp_random(&datagram, &random, (uint16_t)(100 * i));
			secure_crosses(call, 1, &datagram, false);
			rtcp_random(&datagram, &random);
			secure_crosses(call, i % 2, &datagram, true);
		}
		cr_assert_eq(secure_stats(call, 0).packets_sent, 40);
		cr_assert_eq(secure_stats(call, 1).packets_received, 40);
		secure_end(call);
	}
}

TEST_SRTP(one_direction_may_be_plain)
{
	struct secure_side *caller = &call->sides[0];
	struct datagram datagram;

	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, PLAIN);
	caller->config.srtp_in = NULL;
	cr_assert_eq(
		stw_leg_update(call->wire.media, caller->leg, &caller->config, call->wire.now_ns),
		0);
	srtp_peer_close(&caller->peer);
	srtp_peer_open(&caller->peer, NULL, &caller->out);
	for (uint16_t i = 0; i < 10; i++) {
		secure_rtp(&datagram, i, 5, 160);
		secure_crosses(call, 0, &datagram, false);
		secure_crosses(call, 1, &datagram, false);
	}
	cr_assert_eq(secure_stats(call, 0).latched, 1);
	secure_end(call);
}

/* Bursts as a port gives them; the packets of one in any order. */
static void
burst_crosses(struct secure_call *call, struct random *random, uint32_t first, uint32_t step,
	      unsigned count)
{
	struct datagram datagrams[64], seen;
	struct frame frame;
	bool came[64] = {false};

	for (unsigned i = 0; i < count; i++) {
		secure_rtp(&datagrams[i], (uint16_t)(first + i * step), 9, 160);
		secure_protect(call, 0, &datagrams[i], false);
	}
	for (unsigned i = count; i > 1; i--) {
		unsigned other = random_below(random, i);
		struct datagram swapped = datagrams[i - 1];

		datagrams[i - 1] = datagrams[other];
		datagrams[other] = swapped;
	}
	for (unsigned i = 0; i < count; i++) {
		wire_udp(&frame, call->sides[0].party, &call->sides[0].local, datagrams[i].data,
			 (uint32_t)datagrams[i].bytes);
		wire_give(&call->wire, 0, &frame);
	}
	wire_poll(&call->wire);
	while (secure_take(call, 1, &seen, false)) {
		unsigned place = 0;

		cr_assert_gt(seen.bytes, 0);
		/* Numbers are the leg's stream's: a packet is known by what it carries. */
		for (; place < count; place++) {
			struct datagram plain;

			secure_rtp(&plain, (uint16_t)(first + place * step), 9, 160);
			if (!came[place] && memcmp(plain.data + 12, seen.data + 12, 160) == 0)
				break;
		}
		cr_assert_lt(place, count);
		came[place] = true;
	}
	for (unsigned i = 0; i < count; i++)
		cr_assert(came[i], "packet %u of %u", i, count);
}

TEST_SRTP(roll_over_counter_goes_on_over_three_turns)
{
	static const unsigned suites[2] = {STW_SRTP_AES_CM_128_HMAC_SHA1_32,
					   STW_SRTP_AEAD_AES_256_GCM};
	struct random random = {1};

	/* Every number once; with openssl every 61st. */
	for (unsigned suite = 0; suite < 2; suite++) {
		struct stw_srtp_info info;
		uint32_t sequence = 65000, step;

		cr_assert_eq(stw_srtp_info(call->wire.media, &info), 0);
		step = info.driver == STW_SRTP_DRIVER_IPSEC_MB && suite == 0 ? 1 : 61;
		secure_begin(call, suites[suite], suites[!suite]);
		burst_crosses(call, &random, sequence, 1, 1);
		for (sequence++; sequence < 65000 + 3 * 65536 + 2000; sequence += 64 * step)
			burst_crosses(call, &random, sequence, step, step == 1 ? 64 : 1);
		cr_assert_eq(secure_stats(call, 0).srtp_auth_failed, 0);
		secure_end(call);
	}
}

TEST_SRTP(an_initial_roll_over_counter_is_taken)
{
	struct datagram datagram, first;

	call->sides[0].in = srtp_keys_of(STW_SRTP_AES_CM_128_HMAC_SHA1_80, 1);
	call->sides[0].out = srtp_keys_of(STW_SRTP_AES_CM_128_HMAC_SHA1_80, 2);
	call->sides[0].in.roc = 7;
	secure_begin_with(call, true, false);
	/* The other implementation has a counter to be set from its first packet on. */
	secure_rtp(&datagram, 3, 4, 50);
	first = datagram;
	secure_protect(call, 0, &first, false);
	cr_assert_eq(secure_inject(call, 0, &first, false), STW_DROP_SRTP_AUTH);
	srtp_peer_roc(&call->sides[0].peer, 4, 7);
	secure_rtp(&datagram, 4, 4, 50);
	secure_crosses(call, 0, &datagram, false);
	secure_end(call);
}

TEST_SRTP(forks_get_what_was_deciphered)
{
	static char directory[] = "/tmp/stw-srtp-XXXXXX";
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	static uint8_t bytes[20000];
	struct datagram datagram;
	struct stw_fork fork;
	size_t count;
	char path[64];
	FILE *file;

	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/fork", directory);
	config.path = path;
	secure_begin(call, STW_SRTP_AES_CM_128_HMAC_SHA1_80, STW_SRTP_AEAD_AES_128_GCM);
	cr_assert_eq(
		stw_fork_add(call->wire.media, call->session, &config, call->wire.now_ns, &fork),
		0);
	for (uint16_t i = 0; i < 20; i++) {
		secure_rtp(&datagram, i, 1, 160);
		secure_crosses(call, 0, &datagram, false);
	}
	while (stw_media_record(call->wire.media, 100) > 0)
		wire_poll(&call->wire);
	file = fopen(path, "rb");
	cr_assert_not_null(file);
	count = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (uint16_t i = 0; i < 20; i++) {
		secure_rtp(&datagram, i, 1, 160);
		cr_assert_not_null(memmem(bytes, count, datagram.data, (size_t)datagram.bytes));
	}
	secure_end(call);
	while (stw_media_record(call->wire.media, 100) > 0)
		wire_poll(&call->wire);
	wire_poll(&call->wire);
	unlink(path);
	rmdir(directory);
}

/* A WAV file of 800 samples, mono, 8 kHz, 16 bit. */
static void
wav_write(const char *path)
{
	static const uint8_t header[44] = "RIFF\x64\x06\0\0WAVEfmt \x10\0\0\0\1\0\1\0"
					  "\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x40\x06\0";
	static const uint8_t samples[1600];
	FILE *file = fopen(path, "wb");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(header, sizeof(header), 1, file), 1);
	cr_assert_eq(fwrite(samples, sizeof(samples), 1, file), 1);
	fclose(file);
}

TEST_SRTP(playout_is_protected)
{
	char path[] = "/tmp/stw-srtp-XXXXXX";
	struct stw_playout_config config = STW_PLAYOUT_CONFIG_INIT;
	struct stw_playout playout;
	struct datagram seen;
	unsigned came = 0;
	int file = mkstemp(path);

	cr_assert_geq(file, 0);
	close(file);
	wav_write(path);
	secure_begin(call, STW_SRTP_AES_256_CM_HMAC_SHA1_80, PLAIN);
	config.path = path;
	cr_assert_eq(stw_playout_load(call->wire.media, &config, &playout), 0);
	cr_assert_eq(stw_playout_attach(call->wire.media, call->sides[0].leg, playout,
					call->wire.now_ns),
		     0);
	for (unsigned i = 0; i < 10; i++) {
		wire_poll(&call->wire);
		call->wire.now_ns += 20 * WIRE_MS;
		while (secure_take(call, 0, &seen, false)) {
			cr_assert_eq(seen.bytes, 172);
			came++;
		}
	}
	cr_assert_eq(came, 5);
	cr_assert_eq(wire_stats(&call->wire).packets_played, 5);
	unlink(path);
	secure_end(call);
}
