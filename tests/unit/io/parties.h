/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parties that each send a tone of their own, and know by Goertzel's algorithm whose tones they hear.
 */
#ifndef TEST_PARTIES_H
#define TEST_PARTIES_H

#include "wire.h"

#define PARTIES_MAX 8

/* Amplitude of each tone, and how much of it counts as heard. */
#define PARTY_PEAK  3000
#define PARTY_HEARD 1500
#define PARTY_QUIET 300

struct talker {
	struct party party;
	struct stw_leg leg;
	struct stw_endpoint local;
	enum stw_codec codec;
	uint8_t span;       /* 20 ms of a packet, 1 to 4 */
	bool silent;        /* sends nothing */
	bool mute;          /* sends quiet packets */
	uint32_t turns;     /* times 20 ms */
	uint32_t sent;      /* packets */
	uint32_t got;       /* packets */
	uint16_t sequence;  /* of the last one that it got */
	uint32_t timestamp; /* of the last one */
	uint32_t ssrc;
	uint32_t breaks; /* packets that did not follow the one before: number, source, 20 ms */
	uint32_t marked; /* packets with marker */
	uint32_t mixed_codec; /* packets of another payload type than the leg's */
	int16_t audio[1600];  /* of the last 10 packets */
};

/* A session of so many parties; the first two are the caller and the agent, connected both ways. The agent
 * speaks A law. */
struct parties {
	struct wire *wire;
	struct stw_session session;
	struct talker talkers[PARTIES_MAX];
	unsigned count;
	uint64_t due_ns;
};

void parties_open(struct parties *parties, struct wire *wire, unsigned count);
/* Let time pass: each party sends a packet every 20 ms, the plane is polled each millisecond. */
void parties_talk(struct parties *parties, unsigned packets);
/* How loud party `speaker` is in what `listener` got last. */
double parties_hear(const struct parties *parties, unsigned listener, unsigned speaker);
/* Bits 1 << speaker: whom a party hears. Somebody half heard is a failure. */
unsigned parties_heard(const struct parties *parties, unsigned listener);

#endif
