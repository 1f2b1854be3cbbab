/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * State of a leg, in rows by writer: each row is an array over all legs, indexed by the leg's slot,
 * and each of its elements is whole cache lines that have one kind of writer.
 *
 *  row      writer                               read by
 *  route    control; `remote` also by who latches  every worker: where to, from whom
 *  intake   the worker that the leg's source hashes to     control, for numbers
 *  keypad   the same worker, only for telephone events     -
 *  play     the leg's own worker (slot modulo workers)     control, for numbers
 *  ask      control                                 the leg's own worker: what to play
 *  card     control                                 workers, for events; control
 *
 * Slot 0 is no leg. A slot is used again only when every worker has passed a quiescent state since
 * its removal, so workers may read and write rows of a leg that was removed under them.
 *
 * Words of `route` stand each for themselves: an update writes several, and a packet of that very
 * moment may meet new and old ones, which is harmless; what must not be mixed shares a word.
 */
#ifndef STW_MEDIA_LEG_H
#define STW_MEDIA_LEG_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

#include <strowger/session.h>

#include "base/base.h"
#include "rtp/reception.h"
#include "rtp/telephone_event.h"

/*
 * Remote word: where to send, and once latched the only source.
 *  bits 32 - 63  IPv4 address, as on the wire; 0: not known
 *  bits 16 - 31  UDP port of RTP, as on the wire
 *  bit 0         latched: a source was seen there
 */
#define LEG_LATCHED UINT64_C(1)

static inline uint64_t
leg_remote_word(rte_be32_t ip, rte_be16_t port)
{
	return (uint64_t)ip << 32 | (uint64_t)port << 16;
}

static inline rte_be32_t
leg_remote_ip(uint64_t word)
{
	return (rte_be32_t)(word >> 32);
}

static inline rte_be16_t
leg_remote_port(uint64_t word)
{
	return (rte_be16_t)(word >> 16);
}

/**
 * What a plain leg does not have, a bit each: a stage that serves one of them looks at nothing more of a
 * leg that has none, and returns at once when no packet of the burst has any.
 */
enum leg_feature {
	LEG_SOURCE_ANY_IP = 1 << 0, /**< any address may latch */
};

/** What a leg carries; one word. */
union leg_traits {
	uint64_t word;
	struct {
		uint8_t audio_pt;  /**< payload type of audio */
		uint8_t event_pt;  /**< payload type of telephone events; 0: none */
		uint8_t codec;     /**< enum stw_codec */
		uint8_t side;      /**< enum stw_side */
		uint8_t dscp;      /**< of what is sent */
		uint8_t spare;     /**< 0 */
		uint16_t features; /**< bits of enum leg_feature */
	};
};
static_assert(sizeof(union leg_traits) == 8, "traits are read at once");

struct leg_route {
	_Atomic uint64_t remote;            /**< remote word */
	_Atomic uint64_t traits;            /**< union leg_traits */
	_Atomic uint64_t learning_until_ns; /**< end of the learning window; UINT64_MAX: none */
	_Atomic uint64_t silent_ns;         /**< silence to tell of; 0: never */
	_Atomic uint32_t peer;              /**< leg that gets what this one receives; 0: none */
	_Atomic uint32_t fork_first;        /**< first fork of the session; 0: none */
	rte_be32_t local_ip;                /**< constant for the leg's life, as the rest */
	rte_be16_t local_port;              /**< of RTP */
	uint8_t address;                    /**< index of the local address */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct leg_route) == STW_CACHE_LINE, "one line for each packet's sake");

struct leg_intake {
	struct rtp_reception reception; /**< by sequence numbers */
	_Atomic uint64_t bytes;         /**< RTP payload bytes */
	_Atomic uint64_t relayed;       /**< RTP packets sent on to whomever it was connected to */
	_Atomic uint64_t heard_ns;      /**< when the last valid packet came; at first: the add */
	_Atomic uint64_t packets_foreign; /**< from another source; any worker */
	_Atomic uint64_t digits;          /**< keys pressed */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct rtp_reception) == STW_CACHE_LINE, "reception fills a line");
static_assert(sizeof(struct leg_intake) == 2 * STW_CACHE_LINE, "two lines for each packet's sake");

struct leg_keypad {
	struct rtp_keypad keypad;
} STW_ALIGNED_LINE;

/** A leg's place in its own worker's wheel, and the RTP stream that it is played. */
struct leg_play {
	uint64_t due_ns;          /**< when the next packet is due */
	uint64_t look_ns;         /**< when the leg is looked at next */
	uint64_t sent_due_ns;     /**< when the last one was due */
	uint64_t attached;        /**< word of `ask` that is being played */
	uint64_t stream;          /**< handle of the leg that the stream belongs to */
	_Atomic uint64_t packets; /**< packets played, over all legs of the slot; never reset */
	uint64_t silence_told_ns; /**< heard_ns of the silence told last */
	uint32_t position;        /**< next packet of the playout */
	uint32_t next;            /**< in the wheel; 0: last */
	uint32_t previous;        /**< in the wheel; 0: first */
	uint32_t ssrc;
	uint32_t timestamp; /**< of the next packet */
	uint16_t sequence;  /**< of the next packet */
	uint16_t tick;      /**< wheel's slot that it is in, and one; 0: in none */
	uint8_t marker;     /**< 1: the next packet begins a talk spurt */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct leg_play) <= 2 * STW_CACHE_LINE, "small");

/*
 * Attach word: bits 32 - 63 serial of the attachment, bits 0 - 31 slot of the playout; 0: none.
 * The worker that plays an announcement to its end takes the slot out by compare-and-swap; control
 * takes it out by exchange. Whoever took it out ends the listening, once.
 */
struct leg_ask {
	_Atomic uint64_t attach;    /**< attach word */
	_Atomic uint64_t start_ns;  /**< when its first packet is due */
	_Atomic uint64_t stream;    /**< handle of the leg */
	_Atomic uint32_t ssrc;      /**< random beginnings of the leg's stream */
	_Atomic uint32_t timestamp; /**< */
	_Atomic uint32_t sequence;  /**< */
	_Atomic uint32_t next;      /**< in the list of legs to be looked at; 0: last */
	_Atomic uint32_t queued;    /**< 1: in that list */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct leg_ask) == STW_CACHE_LINE, "one line");

struct leg_card {
	_Atomic uint64_t handle;  /**< the leg's; 0: free, or removed. Workers tell no event of 0 */
	_Atomic uint64_t session; /**< handle of its session */
	_Atomic uint64_t cookie;  /**< the session's */

	/* The rest is control's alone, under its mutex. */
	uint64_t relayed_counted; /**< of intake.relayed: told to former peers */
	uint64_t sent_before;     /**< packets that former peers sent to this leg */
	uint64_t played_before;   /**< play.packets when the leg was added */
	uint64_t remote_word;     /**< remote as configured */
	uint32_t generation;      /**< of the slot's last leg */
	uint32_t pair;            /**< its UDP port pair */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct leg_card) == STW_CACHE_LINE, "one line");

#endif
