/* SPDX-License-Identifier: BSD-3-Clause */
/* Frame source of one party: what comes out for packets lost, late, doubled, reordered, of any length. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "rtp/conceal.h"
#include "rtp/g711.h"

#define FRAME 160
#define DELAY 320
#define SSRC  0x1234u

static struct rtp_conceal conceal;
static uint32_t base;
static const int16_t *frame;

/* What the party says at a time, told apart from what it says at any other near it. */
static uint8_t
code_at(uint32_t timestamp)
{
	uint32_t mixed = (timestamp - base) * UINT32_C(2654435761);

	return (uint8_t)(mixed >> 24 | 0x80);
}

static int16_t
sample_at(uint32_t timestamp)
{
	uint8_t code = code_at(timestamp);
	int16_t sample;

	rtp_g711_decode(STW_CODEC_PCMU, &code, 1, &sample);
	return sample;
}

static void
begin(void)
{
	base = 0;
	rtp_conceal_init(&conceal, DELAY);
}

TestSuite(conceal, .init = begin);

static void
take_from(uint32_t ssrc, uint32_t timestamp, unsigned count, bool marker)
{
	struct rtp_piece piece = {.ssrc = ssrc,
				  .timestamp = timestamp,
				  .bytes = (uint16_t)count,
				  .codec = STW_CODEC_PCMU,
				  .marker = marker};
	uint8_t codes[1024];

	for (unsigned i = 0; i < count; i++)
		codes[i] = code_at(timestamp + i);
	rtp_conceal_take(&conceal, &piece, codes);
	rtp_conceal_check(&conceal);
}

static void
take(uint32_t timestamp, unsigned count)
{
	take_from(SSRC, timestamp, count, false);
}

static enum rtp_frame_kind
next(void)
{
	enum rtp_frame_kind kind = rtp_conceal_frame(&conceal, &frame);

	rtp_conceal_check(&conceal);
	return kind;
}

/* From sample `from` on the frame is what the party said at the timestamp. */
static void
expect_heard(uint32_t timestamp, unsigned from)
{
	for (unsigned i = from; i < FRAME; i++)
		cr_assert_eq(frame[i], sample_at(timestamp + i), "sample %u of %u: %d, wanted %d",
			     i, timestamp, frame[i], sample_at(timestamp + i));
}

static void
expect_silent(void)
{
	cr_assert_eq(next(), RTP_FRAME_SILENT);
	for (unsigned i = 0; i < FRAME; i++)
		cr_assert_eq(frame[i], 0);
}

/* Packets and frames in step, until the party is heard: `from` is the timestamp of the first one. */
static uint32_t
run_in(uint32_t from)
{
	for (unsigned i = 0; i < 5; i++) {
		take(from + i * FRAME, FRAME);
		next();
	}
	expect_heard(from + 2 * FRAME, 0);
	return from + 5 * FRAME;
}

Test(conceal, nothing_is_silence)
{
	expect_silent();
	expect_silent();
	cr_assert_eq(conceal.counts.frames, 2);
	cr_assert_eq(conceal.counts.concealed, 0);
}

Test(conceal, packets_of_every_length_come_out_after_the_delay)
{
	const unsigned lengths[] = {80, 160, 240, 320, 480, 97};

	for (unsigned n = 0; n < sizeof(lengths) / sizeof(*lengths); n++) {
		uint32_t sent = UINT32_MAX - 3000, heard = sent - DELAY;

		begin();
		for (unsigned i = 0; i < 60; i++) {
			while ((int32_t)(sent - heard) < (int)(DELAY + FRAME)) {
				take(sent, lengths[n]);
				sent += lengths[n];
			}
			next();
			if (i >= 2)
				expect_heard(heard, 0);
			heard += FRAME;
		}
		cr_assert_eq(conceal.counts.concealed, 0, "length %u", lengths[n]);
		cr_assert_eq(conceal.counts.late, 0);
	}
}

Test(conceal, packets_reordered_and_doubled_within_the_delay_are_whole)
{
	take(0, FRAME);
	for (unsigned i = 0; i < 40; i += 2) {
		take((i + 2) * FRAME, FRAME);
		next();
		if (i > 2)
			expect_heard((i - 2) * FRAME, 0);
		take((i + 1) * FRAME, FRAME);
		take((i + 1) * FRAME, FRAME);
		next();
		if (i > 2)
			expect_heard((i - 1) * FRAME, 0);
	}
	cr_assert_eq(conceal.counts.concealed, 0);
	cr_assert_eq(conceal.counts.anchored, 1);
}

Test(conceal, a_lost_packet_is_concealed_and_blended_into_the_next)
{
	uint32_t sent = run_in(1000);

	/* `sent` is lost: it would be heard in the third frame from here. */
	for (unsigned i = 0; i < 2; i++) {
		take(sent + (i + 1) * FRAME, FRAME);
		cr_assert_eq(next(), RTP_FRAME_HEARD);
	}
	take(sent + 3 * FRAME, FRAME);
	cr_assert_eq(next(), RTP_FRAME_CONCEALED);
	take(sent + 4 * FRAME, FRAME);
	cr_assert_eq(next(), RTP_FRAME_HEARD);
	expect_heard(sent + FRAME, RTP_REPEAT_BLEND);
	take(sent + 5 * FRAME, FRAME);
	next();
	expect_heard(sent + 2 * FRAME, 0);
	cr_assert_eq(conceal.counts.concealed, 1);
	cr_assert_eq(conceal.counts.late, 0);
}

Test(conceal, after_60_ms_of_loss_there_is_silence)
{
	run_in(0);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(next(), RTP_FRAME_HEARD);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(next(), RTP_FRAME_CONCEALED);
	for (unsigned i = 0; i < 5; i++)
		expect_silent();
	cr_assert_eq(conceal.counts.concealed, 3);
}

Test(conceal, a_gap_is_as_loud_for_10_ms_fades_and_is_blended_out)
{
	struct rtp_piece piece = {.ssrc = SSRC, .codec = STW_CODEC_PCMA, .bytes = FRAME};
	uint8_t codes[FRAME], other[FRAME];
	int16_t high, low;

	/* Both of one loudness: above and below 0. */
	memset(codes, 0xb0, sizeof(codes));
	memset(other, 0x30, sizeof(other));
	rtp_g711_decode(STW_CODEC_PCMA, codes, 1, &high);
	rtp_g711_decode(STW_CODEC_PCMA, other, 1, &low);
	cr_assert_eq(high, -low);
	for (unsigned i = 0; i < 7; i++) {
		piece.timestamp = i * FRAME;
		if (i < 3 || i > 4)
			rtp_conceal_take(&conceal, &piece, i < 3 ? codes : other);
		if (i < 6)
			next();
	}
	for (int i = 0; i < 2 * FRAME; i++) {
		int gain = i < 80 ? 400 : 480 - i;

		if (i == FRAME)
			next();
		cr_assert_eq(frame[i % FRAME], high * gain / 400, "sample %d", i);
	}
	next();
	for (int i = 0; i < FRAME; i++) {
		int fading = high * (160 - i) / 400;
		int wanted = i < 32 ? (low * (i + 1) + fading * (31 - i)) / 32 : low;

		cr_assert_eq(frame[i], wanted, "sample %d: %d, wanted %d", i, frame[i], wanted);
	}
}

Test(conceal, a_late_packet_is_counted_and_what_is_left_of_it_is_played)
{
	uint32_t sent = run_in(0);

	for (unsigned i = 0; i < 3; i++) {
		take(sent + (i + 1) * FRAME, FRAME);
		next();
	}
	take(sent, FRAME);
	cr_assert_eq(conceal.counts.late, 1);
	next();
	expect_heard(sent + FRAME, RTP_REPEAT_BLEND);
	/* One of 30 ms, of which 10 ms are too late. */
	begin();
	sent = run_in(0);
	next();
	next();
	next();
	take(sent + 80, 240);
	cr_assert_eq(conceal.counts.late, 1);
	next();
	expect_heard(sent + FRAME, RTP_REPEAT_BLEND);
}

Test(conceal, three_late_packets_in_a_row_lengthen_the_delay)
{
	uint32_t sent = run_in(0);

	/* The way becomes 60 ms longer, for packets of 60 ms: of each, a third is too late. */
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned n = 0; n < 3; n++)
			next();
		take(sent, 480);
		sent += 480;
	}
	cr_assert_eq(conceal.counts.late, 3);
	cr_assert_eq(conceal.counts.anchored, 2);
	next();
	expect_heard(sent - 480 - DELAY, 0);
}

Test(conceal, a_way_that_becomes_longer_than_the_repetition_is_followed_at_once)
{
	uint32_t sent = run_in(0);

	for (unsigned i = 0; i < 6; i++)
		next();
	for (unsigned i = 0; i < 20; i++) {
		take(sent, FRAME);
		sent += FRAME;
		next();
	}
	expect_heard(sent - 3 * FRAME, 0);
	cr_assert_eq(conceal.counts.late, 0);
	cr_assert_eq(conceal.counts.anchored, 2);
}

Test(conceal, a_new_source_begins_anew)
{
	run_in(0);
	for (unsigned i = 0; i < 4; i++) {
		take_from(99, 500000 + i * FRAME, FRAME, false);
		next();
	}
	expect_heard(500000 + FRAME, RTP_REPEAT_BLEND);
	cr_assert_eq(conceal.counts.anchored, 2);
	cr_assert_eq(conceal.counts.strays, 0);
}

Test(conceal, a_jump_is_followed_when_confirmed_and_a_stray_is_not)
{
	uint32_t sent = run_in(0);

	take(sent + 1000000, FRAME);
	cr_assert_eq(conceal.counts.strays, 1);
	for (unsigned i = 0; i < 5; i++) {
		take(sent, FRAME);
		sent += FRAME;
		next();
		expect_heard(sent - 3 * FRAME, 0);
	}
	cr_assert_eq(conceal.counts.anchored, 1);
	for (unsigned i = 0; i < 6; i++) {
		take(sent - 1000000 + i * FRAME, FRAME);
		next();
	}
	expect_heard(sent - 1000000 + 3 * FRAME, 0);
	cr_assert_eq(conceal.counts.anchored, 2);
	cr_assert_eq(conceal.counts.strays, 2);
}

Test(conceal, a_marker_makes_a_jump_at_once)
{
	uint32_t sent = run_in(0) + 70000;

	take_from(SSRC, sent, FRAME, true);
	next();
	next();
	next();
	expect_heard(sent, RTP_REPEAT_BLEND);
	cr_assert_eq(conceal.counts.strays, 0);
}

Test(conceal, after_suppressed_silence_the_next_talk_spurt_is_heard_from_its_first_sample)
{
	uint32_t sent = run_in(0);

	for (unsigned pause = 7; pause < 300; pause += 13) {
		for (unsigned i = 0; i < pause; i++)
			next();
		/* The sender's clock may count the pause, or not at all, or go wild. */
		sent += pause % 3 == 0 ? pause * FRAME : pause % 3 == 1 ? 0 : 77777777;
		take_from(SSRC, sent, FRAME, pause % 2);
		expect_silent();
		expect_silent();
		cr_assert_eq(next(), RTP_FRAME_HEARD, "pause %u", pause);
		expect_heard(sent, 0);
		sent += FRAME;
	}
	cr_assert_eq(conceal.counts.late, 0);
}

Test(conceal, comfort_noise_is_no_loss)
{
	struct rtp_piece noise = {.ssrc = SSRC};
	uint32_t sent = run_in(0);

	noise.timestamp = sent;
	rtp_conceal_take(&conceal, &noise, NULL);
	next();
	next();
	expect_heard(sent - FRAME, 0);
	for (unsigned i = 0; i < 5; i++)
		expect_silent();
	cr_assert_eq(conceal.counts.concealed, 0);
	sent += 20 * FRAME;
	take(sent, FRAME);
	next();
	next();
	next();
	expect_heard(sent, 0);
	/* From now on what is missing is a loss again. */
	cr_assert_eq(next(), RTP_FRAME_CONCEALED);
}

/* A sender whose clock is off by one part in `parts`, 0: exact; the number of frames concealed in `frames`. */
static uint64_t
drift(int parts, unsigned frames)
{
	double sent = 0, step = parts ? FRAME * (1 + 1.0 / parts) : FRAME;
	uint32_t timestamp = 0;

	begin();
	for (unsigned i = 0; i < frames; i++) {
		for (; sent < (double)(i + 1) * step; sent += FRAME) {
			take(timestamp, FRAME);
			timestamp += FRAME;
		}
		next();
		cr_assert_leq((int32_t)(conceal.end - conceal.position), DELAY + 3 * FRAME);
	}
	return conceal.counts.concealed;
}

Test(conceal, a_drifting_clock_neither_fills_nor_starves_the_buffer)
{
	uint64_t concealed = drift(200, 20000);

	cr_assert_geq(conceal.counts.dropped, 95);
	cr_assert_leq(conceal.counts.dropped, 105);
	cr_assert_eq(conceal.counts.inserted, 0);
	cr_assert_eq(concealed, 0);
	cr_assert_eq(conceal.counts.late, 0);
	concealed = drift(-200, 20000);
	cr_assert_geq(conceal.counts.inserted, 95);
	cr_assert_leq(conceal.counts.inserted, 105);
	cr_assert_eq(conceal.counts.dropped, 0);
	cr_assert_eq(conceal.counts.late, 0);
	/* What is put in is made by repetition. */
	cr_assert_eq(concealed, conceal.counts.inserted);
	/* Exact clocks: nothing at all. */
	drift(0, 20000);
	cr_assert_eq(conceal.counts.dropped + conceal.counts.inserted, 0);
}

Test(conceal, jitter_within_the_delay_costs_nothing)
{
	double due[64];
	uint32_t sent = 0;
	unsigned head = 0, tail = 0;

	srand(5);
	for (unsigned ms = 0; ms < 60000; ms++) {
		if (ms % 20 == 0)
			due[head++ % 64] = ms + (ms ? rand() % 38 : 0);
		for (; tail != head && due[tail % 64] <= ms; tail++) {
			take(sent, FRAME);
			sent += FRAME;
		}
		if (ms % 20 == 10)
			next();
	}
	cr_assert_eq(conceal.counts.late, 0);
	cr_assert_eq(conceal.counts.concealed, 0);
	cr_assert_eq(conceal.counts.anchored, 1);
}

Test(conceal, time_in_which_nobody_asked_is_left_out)
{
	uint32_t sent = run_in(0);

	rtp_conceal_miss(&conceal, 5 * FRAME);
	rtp_conceal_check(&conceal);
	cr_assert_eq(conceal.counts.dropped, 2);
	for (unsigned i = 0; i < 8; i++) {
		take(sent + i * FRAME, FRAME);
		next();
	}
	cr_assert_eq(conceal.counts.anchored, 2);
}

Test(conceal, no_packets_break_it)
{
	uint32_t timestamp = 0;

	srand(11);
	for (unsigned i = 0; i < 200000; i++) {
		unsigned what = (unsigned)rand() % 100;

		if (what < 45) {
			take_from(SSRC, timestamp, 1 + (unsigned)rand() % (what < 5 ? 1024 : 240),
				  what == 7);
			timestamp += 160;
		} else if (what < 52) {
			take_from(SSRC + (what == 50), timestamp + (uint32_t)(rand() % 6000) - 3000,
				  (unsigned)rand() % 481, false);
		} else if (what == 52) {
			timestamp = (uint32_t)rand() * 2654435761u;
		} else if (what == 53) {
			rtp_conceal_miss(&conceal, (uint32_t)rand() % 100000);
			rtp_conceal_check(&conceal);
		} else {
			next();
		}
	}
	cr_assert_gt(conceal.counts.dropped, 0);
	cr_assert_gt(conceal.counts.strays, 0);
}
