/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls whose parties speak, and who look at what they hear: each packet of the other party once, in its
 * turn, whole, in one RTP stream, and nothing of anybody else.
 */
#ifndef TEST_TALK_H
#define TEST_TALK_H

#include "wire.h"

/* One call; parties of call n have UDP ports of their own. */
struct talk {
	struct call call;
	struct party parties[2];  /* caller, agent */
	uint16_t spoken[2];       /* sequence number that the party sends next */
	uint16_t due[2];          /* what the party is to hear next, as its speaker numbered it */
	uint16_t heard_number[2]; /* of the last packet that it heard */
	uint32_t ssrc[2];         /* of its stream; 0: it has heard nothing yet */
};

/* A plane with room for so many calls. */
void talk_open(struct wire *wire, uint32_t calls);

struct party talk_party(unsigned n, unsigned side);
struct stw_leg_config talk_config(const struct talk *talk, unsigned side);
/* Begin call n, both parties known and connected; they latch by their first packets. */
void talk_begin(struct wire *wire, struct talk *talk, unsigned n);
/* What a party sends next. */
void talk_make(struct talk *talk, unsigned side, struct frame *frame);
void talk_say(struct wire *wire, struct talk *talk, unsigned side);

/* Take all that was sent. Every frame is for one of these parties and is what it is to hear next, or the
 * test fails; number of frames. */
unsigned talk_listen(struct wire *wire, struct talk *talks, unsigned count);
/* 20 ms: all parties speak, and all hear what was said. */
void talk_turn(struct wire *wire, struct talk *talks, unsigned count);
/* The call has two more turns to show that it lives and has lost nothing. */
void talk_lives(struct wire *wire, struct talk *talk);

struct stw_leg_stats talk_stats(struct wire *wire, struct stw_leg leg);

#endif
