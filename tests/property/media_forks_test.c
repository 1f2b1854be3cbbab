/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What comes in is in every fork, bit by bit: eight forks of all kinds on one session, RTP of random
 * sizes with sources, extensions and padding, from a seed that a failure names.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/plane.h"
#include "unseal.h"
#include "wire.h"

#define SEEDS        20
#define SOAK_SEEDS   500
#define SEED_PACKETS 400
#define BURST_MAX    12
#define FILE_MAX     (1 << 20)
#define FORKS        8
#define FILES        4
#define STREAMS      2
#define CONSUMERS    2
#define RECORDER_UDP 6000

enum { PCAPNG, PCAPNG_SEALED, WAV, WAV_SEALED };

static const uint8_t key[STW_FORK_KEY_BYTES] = "a key of 32 bytes for property t";

static struct wire wire;
static struct call call;
static char directory[] = "/tmp/stw-forks-XXXXXX";
static struct frame sent[SEED_PACKETS];
static uint8_t sent_side[SEED_PACKETS];
static uint32_t sent_rtp_bytes[SEED_PACKETS]; /* header with sources and extension */
static uint32_t sent_padding[SEED_PACKETS];
static struct stw_fork forks[FORKS];
static struct stw_consumer *consumers[CONSUMERS];
static uint8_t plain[FILE_MAX], sealed[FILE_MAX];
static size_t sealed_bytes;

static void
open_wire(void)
{
	struct stw_media_config config;

	wire_eal_start();
	config = wire_config();
	config.packets_max = 2048;
	wire_open(&wire, &config);
	cr_assert_not_null(mkdtemp(directory));
}

static void
close_wire(void)
{
	wire_close(&wire);
	stw_eal_stop();
	cr_assert_eq(rmdir(directory), 0);
}

TestSuite(forks, .init = open_wire, .fini = close_wire);

static uint32_t
draw(uint64_t *random, uint32_t below)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*random >> 33) % below;
}

static const char *
path_of(unsigned file)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%u", directory, file);
	return path;
}

static void
forks_add(void)
{
	struct stw_consumer_config consumer = STW_CONSUMER_CONFIG_INIT;
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct rte_ether_addr mac = {{2, 0, 0, 0, 1, 0x77}};

	hops_learn(&wire.media->addresses[1].hops, 10u << 24 | 1 << 8 | 77, &mac);
	consumer.frames_max = 64;
	config.address = 1;
	config.remote = (struct stw_endpoint){{4, {10, 0, 1, 77}}, RECORDER_UDP};
	for (unsigned i = 0; i < FORKS; i++) {
		config.path = path_of(i);
		config.key = i == PCAPNG_SEALED || i == WAV_SEALED ? key : NULL;
		config.kind = i == PCAPNG || i == PCAPNG_SEALED ? STW_FORK_PCAPNG
			      : i < FILES                       ? STW_FORK_WAV
			      : i < FILES + STREAMS             ? STW_FORK_UDP
								: STW_FORK_RING;
		config.remote.port = (uint16_t)(RECORDER_UDP + i);
		if (config.kind == STW_FORK_RING) {
			unsigned n = i - FILES - STREAMS;

			cr_assert_eq(stw_consumer_open(wire.media, &consumer, &consumers[n]), 0);
			config.consumer = consumers[n];
		}
		cr_assert_eq(
			stw_fork_add(wire.media, call.session, &config, wire.now_ns, &forks[i]), 0);
	}
}

/* RTP with sources, an extension and padding, now and then. */
static void
packet_make(uint64_t *random, unsigned number, unsigned side)
{
	struct frame *frame = &sent[number];
	const struct party *from = side ? &wire_agent : &wire_caller;
	uint8_t rtp[1500] = {0x80, (uint8_t)(draw(random, 4) ? 0 : draw(random, 64))};
	uint32_t sources = draw(random, 4) ? 0 : draw(random, 16), bytes = 12 + 4 * sources;
	uint32_t padding = draw(random, 4) ? 0 : 1 + draw(random, 20), extension = 0;
	uint32_t header, payload = draw(random, 3) ? 160 : draw(random, 1200);

	for (unsigned i = 12; i < sizeof(rtp); i++)
		rtp[i] = (uint8_t)draw(random, 256);
	if (draw(random, 4) == 0) {
		extension = draw(random, 8);
		rtp[0] |= 0x10;
		rtp[bytes + 2] = 0;
		rtp[bytes + 3] = (uint8_t)extension;
		bytes += 4 + 4 * extension;
	}
	header = bytes;
	bytes += payload + padding;
	rtp[0] |= (uint8_t)sources;
	if (padding) {
		rtp[0] |= 0x20;
		rtp[bytes - 1] = (uint8_t)padding;
	}
	rtp[1] |= (uint8_t)(draw(random, 8) ? 0 : 0x80);
	rtp[2] = (uint8_t)(number >> 8);
	rtp[3] = (uint8_t)number;
	rtp[6] = (uint8_t)(160 * number >> 8);
	rtp[7] = (uint8_t)(160 * number);
	rtp[5] = (uint8_t)(160 * number >> 16);
	rtp[4] = 0;
	rtp[8] = rtp[9] = rtp[10] = 7;
	rtp[11] = (uint8_t)side;
	wire_udp(frame, from, side ? &call.agent_local : &call.caller_local, rtp, bytes);
	if (draw(random, 8) == 0)
		frame->data[40] = frame->data[41] = 0;
	sent_side[number] = (uint8_t)side;
	sent_rtp_bytes[number] = header;
	sent_padding[number] = padding;
}

/* Copies of a burst that came to the recorder, in order, each stream for itself. */
static void
streams_check(unsigned first, unsigned count, uint64_t seed)
{
	unsigned next[STREAMS] = {first, first};
	struct frame copy;

	while (wire_take(&wire, 1, &copy)) {
		unsigned stream = wire_u16(&copy, 36) - RECORDER_UDP - FILES;
		const struct frame *whole;

		if (wire_u16(&copy, 12) != 0x0800 || stream >= STREAMS)
			continue;
		cr_assert_lt(next[stream], first + count, "seed %lu", seed);
		whole = &sent[next[stream]++];
		cr_assert(wire_checksums_are_right(&copy), "seed %lu", seed);
		cr_assert_eq(copy.bytes, whole->bytes, "seed %lu", seed);
		cr_assert_eq(copy.data[42], whole->data[42]);
		cr_assert_eq(copy.data[43] & 0x7f, whole->data[43] & 0x7f);
		cr_assert_eq(memcmp(copy.data + 54, whole->data + 54, copy.bytes - 54), 0,
			     "seed %lu packet %u", seed, next[stream] - 1);
	}
	for (unsigned i = 0; i < STREAMS; i++)
		cr_assert_eq(next[i], first + count, "seed %lu stream %u", seed, i);
}

static void
frames_check(unsigned first, unsigned count, uint64_t *random, uint64_t seed)
{
	const struct stw_frame *frames[BURST_MAX + 1];

	for (unsigned n = 0; n < CONSUMERS; n++) {
		cr_assert_eq(stw_consumer_take(consumers[n], frames, BURST_MAX + 1), (int)count);
		for (unsigned i = 0; i < count; i++) {
			unsigned number = first + i;
			uint32_t bytes = sent[number].bytes - 42 - sent_rtp_bytes[number] -
					 sent_padding[number];

			cr_assert_eq(frames[i]->payload_bytes, bytes, "seed %lu", seed);
			cr_assert_eq(frames[i]->sequence, number);
			cr_assert_eq(frames[i]->side, sent_side[number]);
			cr_assert_eq(memcmp(frames[i]->payload,
					    sent[number].data + 42 + sent_rtp_bytes[number], bytes),
				     0, "seed %lu packet %u", seed, number);
		}
		/* Back in another order. */
		for (unsigned i = 0; i < count; i++) {
			unsigned other = draw(random, count - i) + i;
			const struct stw_frame *frame = frames[other];

			frames[other] = frames[i];
			cr_assert_eq(stw_consumer_give(consumers[n], &frame, 1), 0);
		}
	}
}

/* Reader of sealed files, to memory. */
static int
memory_data(void *context, const uint8_t *bytes, size_t count)
{
	if (sealed_bytes + count > FILE_MAX)
		return -1;
	memcpy(sealed + sealed_bytes, bytes, count);
	sealed_bytes += count;
	return 0;
}

static int
memory_zeros(void *context, uint64_t count)
{
	if (sealed_bytes + count > FILE_MAX)
		return -1;
	memset(sealed + sealed_bytes, 0, count);
	sealed_bytes += count;
	return 0;
}

static int
memory_patch(void *context, uint64_t offset, const uint8_t *bytes, size_t count)
{
	memcpy(sealed + offset, bytes, count);
	return 0;
}

static size_t
file_read(unsigned file, bool encrypted)
{
	const struct unseal_sink sink = {NULL, memory_data, memory_zeros, memory_patch};
	FILE *stream = fopen(path_of(file), "rb");
	struct unseal_report report;
	size_t bytes = 0;

	cr_assert_not_null(stream);
	sealed_bytes = 0;
	if (encrypted)
		cr_assert_eq(unseal(stream, key, &sink, &report), UNSEAL_WHOLE);
	else
		bytes = fread(plain, 1, FILE_MAX, stream);
	fclose(stream);
	unlink(path_of(file));
	return bytes;
}

static uint32_t
word_at(size_t place)
{
	uint32_t word;

	memcpy(&word, plain + place, sizeof(word));
	return word;
}

/*
 * Each packet is a block of the pcapng file, whole and in its turn. Returns where the first one is: what is
 * before has bytes that DPDK leaves as they were.
 */
static size_t
pcapng_check(size_t bytes, uint64_t seed)
{
	unsigned number = 0;
	size_t first = 0;

	for (size_t place = 0; place + 12 <= bytes; place += word_at(place + 4)) {
		cr_assert_geq(word_at(place + 4), 12);
		if (word_at(place) != 6)
			continue;
		first = first ? first : place;
		cr_assert_lt(number, SEED_PACKETS);
		cr_assert_eq(word_at(place + 20), sent[number].bytes, "seed %lu", seed);
		cr_assert_eq(memcmp(plain + place + 28, sent[number].data, sent[number].bytes), 0,
			     "seed %lu packet %u", seed, number);
		number++;
	}
	cr_assert_eq(number, SEED_PACKETS);
	return first;
}

static void
files_check(uint64_t seed)
{
	size_t bytes, first;

	for (unsigned file = PCAPNG; file <= WAV; file += 2) {
		bytes = file_read(file, false);
		first = file == PCAPNG ? pcapng_check(bytes, seed) : 0;
		file_read(file + 1, true);
		cr_assert_eq(sealed_bytes, bytes, "seed %lu file %u", seed, file);
		cr_assert_eq(memcmp(plain + first, sealed + first, bytes - first), 0,
			     "seed %lu file %u", seed, file);
	}
}

static void
run_seed(uint64_t seed)
{
	uint64_t random = seed;
	struct stw_fork_stats stats;
	struct stw_media_event event;

	wire_call_latched(&wire, &call);
	forks_add();
	for (unsigned number = 0; number < SEED_PACKETS;) {
		unsigned first = number, burst = 1 + draw(&random, BURST_MAX);
		unsigned side = draw(&random, 2);

		wire.now_ns += 20 * WIRE_MS;
		for (unsigned i = 0; i < burst && number < SEED_PACKETS; i++) {
			packet_make(&random, number, side);
			/* One port, so that the order of arrival is the order here. */
			wire_give(&wire, (uint8_t)side, &sent[number++]);
		}
		wire_poll(&wire);
		streams_check(first, number - first, seed);
		frames_check(first, number - first, &random, seed);
		wire_drop_all(&wire, 0);
		stw_media_record(wire.media, 1000);
		wire_poll(&wire);
	}
	for (unsigned i = 0; i < FORKS; i++) {
		cr_assert_eq(stw_fork_stats(wire.media, forks[i], &stats), 0);
		cr_assert_eq(stats.packets_dropped, 0, "seed %lu fork %u", seed, i);
	}
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	while (stw_media_record(wire.media, 1000) > 0)
		continue;
	files_check(seed);
	for (unsigned i = 0; i < CONSUMERS; i++)
		cr_assert_eq(stw_consumer_close(consumers[i]), 0);
	for (unsigned i = 0; i < 4; i++) {
		wire.now_ns += 3000 * WIRE_MS;
		wire_poll(&wire);
		stw_media_advance(wire.media, wire.now_ns);
	}
	while (wire_event_take(&wire, &event) > 0)
		continue;
	plane_check(wire.media);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base, "seed %lu", seed);
	cr_assert_eq(rte_mempool_in_use_count(wire.pool), 0, "seed %lu", seed);
}

Test(forks, what_comes_in_is_in_every_fork_bit_by_bit, .timeout = 600)
{
	uint64_t seeds = getenv("STW_SOAK") ? SOAK_SEEDS : SEEDS;

	for (uint64_t seed = 1; seed <= seeds; seed++)
		run_seed(seed);
}
