/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Captures of real phones through every stage: what they said is relayed, told, and in each fork; and the
 * pcapng file that was made of it is a capture in its turn, with which everything happens again.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "media/plane.h"
#include "wire_suite.h"

#define PACKETS_MAX 512
#define FILE_MAX    (1 << 20)
#define SAMPLES_MAX (1 << 18)
#define WAV_HEADER  44
#define DIGITS_MAX  32

/* What UDP carries, and when: nanoseconds after the first one. */
struct said {
	uint64_t time_ns;
	uint32_t bytes;
	uint8_t data[400];
};

/* A phone's captures, one after the other. */
struct tape {
	uint32_t count;
	struct said packets[PACKETS_MAX];
};

/* What became of it. */
struct outcome {
	uint32_t digits_count;
	char digits[DIGITS_MAX];
	uint32_t frames; /* of the consumer */
	struct tape pcapng;
	size_t wav_bytes;
	uint8_t wav[FILE_MAX];
};

static struct wire wire;
static struct call call;
static struct stw_consumer *consumer;
static struct stw_fork forks[3];
static char directory[] = "/tmp/stw-capture-XXXXXX";
static struct tape tape;
static struct outcome first, again;
static int16_t expected[SAMPLES_MAX];
static uint8_t file_bytes[FILE_MAX];

static void
open_wire(void)
{
	wire_begin(&wire);
	cr_assert_not_null(mkdtemp(directory));
}

static void
close_wire(void)
{
	char command[64];

	wire_drop_sent(&wire);
	cr_assert(wire_counters_add_up(&wire));
	plane_check(wire.media);
	wire_close(&wire);
	stw_eal_stop();
	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(capture, .init = open_wire, .fini = close_wire);

/* Put a capture on the tape, 200 ms after what is on it. */
static void
tape_add(const char *name)
{
	static struct capture capture;
	uint64_t begin_ns = tape.count ? tape.packets[tape.count - 1].time_ns + 200 * WIRE_MS : 0;
	char path[80];

	snprintf(path, sizeof(path), CAPTURE_FOLDER "%s.pcap", name);
	cr_assert_eq(capture_read(&capture, path), 0, "%s", path);
	cr_assert_leq(tape.count + capture.count, PACKETS_MAX);
	for (size_t i = 0; i < capture.count; i++) {
		struct said *said = &tape.packets[tape.count++];

		cr_assert_leq(capture.packets[i].payload_bytes, sizeof(said->data));
		said->time_ns = begin_ns + capture.packets[i].time_ns - capture.packets[0].time_ns;
		said->bytes = (uint32_t)capture.packets[i].payload_bytes;
		memcpy(said->data, capture.packets[i].payload, said->bytes);
	}
}

static const char *
path_of(unsigned file)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%u", directory, file);
	return path;
}

/* A call of two phones that speak A law, with a fork of each kind that stays here. */
static void
call_begin(void)
{
	struct stw_consumer_config frames = STW_CONSUMER_CONFIG_INIT;
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	static const enum stw_fork_kind kinds[] = {STW_FORK_PCAPNG, STW_FORK_WAV, STW_FORK_RING};
	struct frame frame;

	wire_call(&wire, &call);
	for (unsigned side = 0; side < 2; side++) {
		struct stw_leg_config leg = wire_leg_config(
			side ? &wire_agent : &wire_caller, side ? STW_SIDE_AGENT : STW_SIDE_CALLER);

		leg.codec = STW_CODEC_PCMA;
		leg.audio_pt = 8;
		cr_assert_eq(stw_leg_update(wire.media, side ? call.agent : call.caller, &leg,
					    wire.now_ns),
			     0);
	}
	/* The agent latches, and its link address is learnt. */
	wire_rtp(&frame, &wire_agent, &call.agent_local, 8, 1, 160);
	wire_give(&wire, 1, &frame);
	wire_poll(&wire);
	wire_drop_sent(&wire);
	frames.frames_max = 64;
	cr_assert_eq(stw_consumer_open(wire.media, &frames, &consumer), 0);
	config.consumer = consumer;
	for (unsigned i = 0; i < 3; i++) {
		config.kind = kinds[i];
		config.path = path_of(i);
		cr_assert_eq(
			stw_fork_add(wire.media, call.session, &config, wire.now_ns, &forks[i]), 0);
	}
}

/* The agent and the consumer got this packet, once, whole. */
static void
packet_check(const struct said *said, const struct frame *sent, struct outcome *outcome)
{
	const struct stw_frame *frames[2];
	struct frame seen;

	cr_assert(wire_take(&wire, 1, &seen));
	cr_assert(wire_checksums_are_right(&seen));
	cr_assert_eq(wire_u16(&seen, 36), wire_agent.udp_port);
	cr_assert_eq(seen.bytes, sent->bytes);
	cr_assert_eq(seen.data[43] & 0x7f, sent->data[43] & 0x7f);
	cr_assert_arr_eq(seen.data + 54, sent->data + 54, sent->bytes - 54);
	cr_assert_eq(wire_drop_all(&wire, 1), 0, "sent twice");
	cr_assert_eq(stw_consumer_take(consumer, frames, 2), 1);
	cr_assert_eq(frames[0]->payload_bytes, said->bytes - 12);
	cr_assert_arr_eq(frames[0]->payload, said->data + 12, said->bytes - 12);
	cr_assert_eq(stw_consumer_give(consumer, frames, 1), 0);
	outcome->frames++;
}

static void
digits_take(struct outcome *outcome)
{
	struct stw_media_event event;

	while (wire_event_take(&wire, &event) > 0) {
		if (event.type != STW_MEDIA_EVENT_DIGIT)
			continue;
		cr_assert_eq(event.leg.id, call.caller.id);
		cr_assert_lt(outcome->digits_count, DIGITS_MAX - 1);
		outcome->digits[outcome->digits_count++] = event.digit;
	}
}

static size_t
file_read(unsigned file)
{
	FILE *stream = fopen(path_of(file), "rb");
	size_t count;

	cr_assert_not_null(stream);
	count = fread(file_bytes, 1, FILE_MAX, stream);
	fclose(stream);
	unlink(path_of(file));
	return count;
}

static uint32_t
word_at(size_t place)
{
	uint32_t word;

	memcpy(&word, file_bytes + place, sizeof(word));
	return word;
}

/* Nanoseconds of a tick of an interface block's times. */
static uint64_t
tick_ns(size_t place)
{
	size_t end = place + word_at(place + 4) - 4;
	uint64_t tick = 1000;

	for (size_t at = place + 16; at + 4 <= end;) {
		uint32_t option = word_at(at) & 0xffff, bytes = word_at(at) >> 16;

		if (option == 9)
			tick = file_bytes[at + 4] == 9 ? 1 : 1000;
		at += 4 + ((bytes + 3) & ~3u);
	}
	return tick;
}

/* The pcapng file as a tape. */
static void
pcapng_read(struct tape *into)
{
	size_t bytes = file_read(0);
	uint64_t tick = 0, begin_ns = 0;

	into->count = 0;
	for (size_t place = 0; place + 12 <= bytes; place += word_at(place + 4)) {
		struct said *said = &into->packets[into->count];
		uint64_t time;

		cr_assert_geq(word_at(place + 4), 12);
		cr_assert_eq(word_at(place + word_at(place + 4) - 4), word_at(place + 4));
		if (word_at(place) == 1 && !tick)
			tick = tick_ns(place);
		if (word_at(place) != 6)
			continue;
		cr_assert_lt(into->count++, PACKETS_MAX);
		time = ((uint64_t)word_at(place + 12) << 32 | word_at(place + 16)) * tick;
		begin_ns = into->count == 1 ? time : begin_ns;
		said->time_ns = time - begin_ns;
		said->bytes = word_at(place + 20) - 42;
		memcpy(said->data, file_bytes + place + 28 + 42, said->bytes);
	}
}

static void
call_end(struct outcome *outcome)
{
	struct stw_fork_stats stats;

	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(stw_fork_stats(wire.media, forks[i], &stats), 0);
		cr_assert_eq(stats.packets_dropped, 0);
	}
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	while (stw_media_record(wire.media, 100) > 0)
		continue;
	cr_assert_eq(stw_consumer_close(consumer), 0);
	pcapng_read(&outcome->pcapng);
	outcome->wav_bytes = file_read(1);
	memcpy(outcome->wav, file_bytes, outcome->wav_bytes);
	for (unsigned i = 0; i < 4; i++) {
		wire.now_ns += 3000 * WIRE_MS;
		wire_poll(&wire);
		stw_media_advance(wire.media, wire.now_ns);
	}
	digits_take(outcome);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base);
	cr_assert_eq(rte_mempool_in_use_count(wire.pool), 0);
}

/* A call in which the caller says what is on the tape, at its times. */
static void
play(const struct tape *from, struct outcome *outcome)
{
	uint64_t begin_ns, relayed;

	memset(outcome, 0, sizeof(*outcome));
	call_begin();
	relayed = wire_stats(&wire).verdicts[STW_PASS_RELAYED];
	begin_ns = wire.now_ns;
	for (uint32_t i = 0; i < from->count; i++) {
		const struct said *said = &from->packets[i];
		struct frame sent;

		/* Turns in between, as a worker has them. */
		while (wire.now_ns + 10 * WIRE_MS < begin_ns + said->time_ns) {
			wire.now_ns += 10 * WIRE_MS;
			wire_poll(&wire);
		}
		wire.now_ns = begin_ns + said->time_ns;
		wire_udp(&sent, &wire_caller, &call.caller_local, said->data, said->bytes);
		wire_give(&wire, 0, &sent);
		wire_poll(&wire);
		packet_check(said, &sent, outcome);
		stw_media_record(wire.media, 10);
		digits_take(outcome);
	}
	cr_assert_eq(wire_stats(&wire).verdicts[STW_PASS_RELAYED] - relayed, from->count);
	for (unsigned i = 0; i < 50; i++) {
		wire.now_ns += 10 * WIRE_MS;
		wire_poll(&wire);
	}
	digits_take(outcome);
	call_end(outcome);
}

/* A law to 16 bit, by its segments: G.711 table 1a. */
static int16_t
a_law_linear(uint8_t code)
{
	int step = ((code ^ 0x55) & 0x0f) << 4, segment = ((code ^ 0x55) >> 4) & 7;
	int level = segment ? (step + 0x108) << (segment - 1) : step + 8;

	return (int16_t)(code & 0x80 ? level : -level);
}

/* The caller's audio as the capture has it, by its timestamps; number of samples. */
static uint32_t
samples_expect(void)
{
	uint32_t begin = 0, end = 0;

	memset(expected, 0, sizeof(expected));
	for (uint32_t i = 0; i < tape.count; i++) {
		const uint8_t *rtp = tape.packets[i].data;
		uint32_t stamp = (uint32_t)rtp[4] << 24 | rtp[5] << 16 | rtp[6] << 8 | rtp[7];

		if ((rtp[1] & 0x7f) != 8)
			continue;
		begin = end ? begin : stamp;
		end = stamp - begin + tape.packets[i].bytes - 12;
		cr_assert_leq(end, SAMPLES_MAX);
		for (uint32_t at = 12; at < tape.packets[i].bytes; at++)
			expected[stamp - begin + at - 12] = a_law_linear(rtp[at]);
	}
	return end;
}

static void
wav_check(const struct outcome *outcome)
{
	uint32_t samples = samples_expect(), frames;
	int16_t pair[2];

	frames = (uint32_t)(outcome->wav_bytes - WAV_HEADER) / 4;
	cr_assert_geq(frames, samples);
	for (uint32_t i = 0; i < frames; i++) {
		memcpy(pair, outcome->wav + WAV_HEADER + 4 * i, 4);
		cr_assert_eq(pair[0], i < samples ? expected[i] : 0, "sample %u", i);
		cr_assert_eq(pair[1], 0);
	}
}

static void
tapes_are_equal(const struct tape *one, const struct tape *other)
{
	cr_assert_eq(one->count, other->count);
	for (uint32_t i = 0; i < one->count; i++) {
		cr_assert_eq(one->packets[i].bytes, other->packets[i].bytes);
		cr_assert_arr_eq(one->packets[i].data, other->packets[i].data,
				 one->packets[i].bytes);
		cr_assert_eq(one->packets[i].time_ns, other->packets[i].time_ns,
			     "packet %u at %lu, %lu", i, one->packets[i].time_ns,
			     other->packets[i].time_ns);
	}
}

Test(capture, what_phones_said_is_relayed_told_and_recorded_and_its_recording_is_a_capture)
{
	static const char *const keys[] = {"1", "2", "3", "4", "5",    "6",
					   "7", "8", "9", "0", "star", "pound"};
	char name[32];

	tape_add("g711a");
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(name, sizeof(name), "dtmf_2833_%s", keys[i]);
		tape_add(name);
	}
	cr_assert_gt(tape.count, 300);
	play(&tape, &first);
	cr_assert_str_eq(first.digits, "1234567890*#");
	cr_assert_eq(first.frames, tape.count);
	tapes_are_equal(&first.pcapng, &tape);
	wav_check(&first);
	play(&first.pcapng, &again);
	cr_assert_str_eq(again.digits, first.digits);
	tapes_are_equal(&again.pcapng, &tape);
	cr_assert_eq(again.wav_bytes, first.wav_bytes);
	cr_assert_arr_eq(again.wav, first.wav, first.wav_bytes);
}
