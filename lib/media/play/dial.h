/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Digits that are sent to legs. A slot goes from control to the leg's own worker by that worker's list
 * `asked`, and back by the plane's list `done`; whoever has it is the only one who writes it.
 */
#ifndef STW_MEDIA_DIAL_H
#define STW_MEDIA_DIAL_H

#include <stdatomic.h>
#include <stdint.h>

#include <strowger/digits.h>

#include "base/base.h"

struct stw_media;
struct worker;

/** Digits on their way to one leg. Slot 0 is none. */
struct dial {
	uint64_t leg_handle;
	uint32_t leg;
	uint8_t codes[STW_DIGITS_MAX]; /**< RFC 4733 events */
	uint8_t count;
	uint8_t volume;
	uint16_t down_packets; /**< of 20 ms, for each key */
	uint16_t pause_packets;

	/* The worker's. */
	uint8_t at;             /**< digit that is being sent */
	uint16_t packet;        /**< of the digit and its pause, from 0 */
	uint16_t ends;          /**< packets with the end bit sent, of this digit */
	uint16_t sequence;      /**< of the next packet, numbered by itself */
	uint32_t timestamp;     /**< when the key went down, by a clock of its own */
	uint16_t duration;      /**< of the last packet, ticks */
	uint64_t due_ns;        /**< when the next packet is due */
	_Atomic uint64_t voice; /**< turn at the leg (stream/egress.h) */
	_Atomic uint32_t stop;  /**< control: 1: let the key go and end */
	_Atomic uint32_t next;  /**< in `asked`, the worker's own list, or `done`; 0: last */
	uint8_t used;           /**< control, under the mutex */
};

/** All slots, and those that workers have given back. */
struct dials {
	struct dial slots[STW_DIGITS_LEGS_MAX + 1];
	_Atomic uint32_t done; /**< list, newest first; 0: none */
};

/** A worker's own part. */
struct dialing {
	_Atomic uint32_t asked; /**< list of new ones; 0: none */
	uint32_t first;         /**< list of those being sent; 0: none */
	uint64_t due_ns;        /**< when one of them is due next */
};

/**
 * Send the packets that are due.
 *
 * @return number of packets made, at most STW_DIGITS_LEGS_MAX and at most what the send queues take
 *
 * Threads: the worker. Progress: wait-free (bound: STW_DIGITS_LEGS_MAX).
 */
unsigned dial_turn(struct worker *worker);

/** When the worker has to send digits, or control has some for it: see pipeline_due. */
uint64_t dial_due(const struct worker *worker);

#endif
