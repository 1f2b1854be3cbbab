/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parties that send tones.
 */
#include "parties.h"

#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include <strowger/rtp.h>

#include "base/base.h"
#include "rtp/g711.h"

#define FRAME 160
#define PI    3.14159265358979323846

static uint8_t
payload_type(enum stw_codec codec)
{
	return codec == STW_CODEC_PCMA ? STW_RTP_PT_PCMA : STW_RTP_PT_PCMU;
}

/* Whole periods fit into 20 ms, so no tone leaks into another's. */
static double
hertz_of(unsigned party)
{
	return 400 + 250 * party;
}

static void
talker_add(struct parties *parties, unsigned n)
{
	struct talker *talker = &parties->talkers[n];
	struct stw_leg_config config;

	*talker = (struct talker){.party = n == 1 ? wire_agent : wire_caller, .span = 1};
	talker->party.udp_port = (uint16_t)(talker->party.udp_port + 2 * n);
	talker->codec = n % 2 ? STW_CODEC_PCMA : STW_CODEC_PCMU;
	config = wire_leg_config(&talker->party, n == 0   ? STW_SIDE_CALLER
						 : n == 1 ? STW_SIDE_AGENT
							  : STW_SIDE_OTHER);
	config.codec = talker->codec;
	config.audio_pt = payload_type(talker->codec);
	cr_assert_eq(stw_leg_add(parties->wire->media, parties->session, &config,
				 parties->wire->now_ns, &talker->leg, &talker->local),
		     0);
}

void
parties_open(struct parties *parties, struct wire *wire, unsigned count)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct stw_media_event event;

	memset(parties, 0, sizeof(*parties));
	parties->wire = wire;
	parties->count = count;
	parties->due_ns = wire->now_ns;
	cr_assert_eq(stw_session_add(wire->media, &session, &parties->session), 0);
	for (unsigned n = 0; n < count; n++)
		talker_add(parties, n);
	cr_assert_eq(stw_leg_connect(wire->media, parties->talkers[0].leg, parties->talkers[1].leg),
		     0);
	cr_assert_eq(stw_leg_connect(wire->media, parties->talkers[1].leg, parties->talkers[0].leg),
		     0);
	/* Sources latch and link addresses are learnt. */
	parties_talk(parties, 3);
	for (unsigned n = 0; n < count; n++) {
		parties->talkers[n].breaks = 0;
		parties->talkers[n].mixed_codec = 0;
	}
	while (wire_event_take(wire, &event) == 1)
		continue;
}

static void
talker_send(struct parties *parties, unsigned n)
{
	struct talker *talker = &parties->talkers[n];
	uint8_t packet[12 + 4 * FRAME] = {0x80, payload_type(talker->codec)};
	uint32_t timestamp = talker->turns * FRAME, count = talker->span * FRAME;
	int16_t samples[4 * FRAME];
	struct frame frame;

	if (talker->turns++ % talker->span)
		return;
	for (unsigned i = 0; i < count; i++)
		samples[i] = (int16_t)lrint((talker->mute ? 8 : PARTY_PEAK) *
					    sin(2 * PI * hertz_of(n) * (timestamp + i) / 8000));
	rtp_g711_encode(talker->codec, samples, count, packet + 12);
	packet[2] = (uint8_t)(talker->sent >> 8);
	packet[3] = (uint8_t)talker->sent;
	for (unsigned i = 0; i < 4; i++)
		packet[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
	packet[11] = (uint8_t)(n + 1);
	talker->sent++;
	wire_udp(&frame, &talker->party, &talker->local, packet, 12 + count);
	if (!talker->silent)
		wire_give(parties->wire, talker->party.port, &frame);
}

static void
talker_get(struct talker *talker, const struct frame *frame)
{
	uint16_t sequence = wire_u16(frame, 44);
	uint32_t timestamp = wire_u32(frame, 46), ssrc = wire_u32(frame, 50);

	cr_assert(wire_checksums_are_right(frame));
	cr_assert_eq(frame->bytes, 54 + FRAME);
	if (talker->got && (ssrc != talker->ssrc || sequence != (uint16_t)(talker->sequence + 1) ||
			    timestamp != talker->timestamp + FRAME))
		talker->breaks++;
	talker->marked += frame->data[43] >> 7;
	talker->mixed_codec += (frame->data[43] & 0x7f) != payload_type(talker->codec);
	talker->sequence = sequence;
	talker->timestamp = timestamp;
	talker->ssrc = ssrc;
	memmove(talker->audio, talker->audio + FRAME,
		sizeof(talker->audio) - FRAME * sizeof(int16_t));
	rtp_g711_decode(frame->data[43] & 0x7f ? STW_CODEC_PCMA : STW_CODEC_PCMU, frame->data + 54,
			FRAME, talker->audio + STW_ARRAY_COUNT(talker->audio) - FRAME);
	talker->got++;
}

static void
parties_get(struct parties *parties)
{
	struct frame frame;

	for (uint8_t port = 0; port < WIRE_PORTS; port++) {
		while (wire_take(parties->wire, port, &frame)) {
			for (unsigned n = 0; n < parties->count; n++) {
				struct talker *talker = &parties->talkers[n];

				if (talker->party.port == port && wire_u16(&frame, 12) == 0x0800 &&
				    wire_u16(&frame, 36) == talker->party.udp_port)
					talker_get(talker, &frame);
			}
		}
	}
}

void
parties_talk(struct parties *parties, unsigned packets)
{
	for (unsigned ms = 0; ms < 20 * packets; ms++) {
		if (parties->wire->now_ns >= parties->due_ns) {
			for (unsigned n = 0; n < parties->count; n++)
				talker_send(parties, n);
			parties->due_ns += 20 * WIRE_MS;
		}
		wire_poll(parties->wire);
		parties_get(parties);
		parties->wire->now_ns += WIRE_MS;
	}
}

double
parties_hear(const struct parties *parties, unsigned listener, unsigned speaker)
{
	const int16_t *audio = parties->talkers[listener].audio;
	unsigned count = STW_ARRAY_COUNT(parties->talkers[listener].audio);
	double turn = 2 * cos(2 * PI * hertz_of(speaker) / 8000), one = 0, two = 0;

	/* Source: Goertzel, "An algorithm for the evaluation of finite trigonometric series", 1958. */
	for (unsigned i = 0; i < count; i++) {
		double next = audio[i] + turn * one - two;

		two = one;
		one = next;
	}
	return 2 * sqrt(one * one + two * two - turn * one * two) / count;
}

unsigned
parties_heard(const struct parties *parties, unsigned listener)
{
	unsigned heard = 0;

	for (unsigned n = 0; n < parties->count; n++) {
		double loud = parties_hear(parties, listener, n);

		cr_assert(loud > PARTY_HEARD || loud < PARTY_QUIET, "%u hears %u by %.0f", listener,
			  n, loud);
		heard |= (unsigned)(loud > PARTY_HEARD) << n;
	}
	return heard;
}
