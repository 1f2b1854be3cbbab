/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * State of a leg, in rows by writer: each row is an array over all legs, indexed by the leg's slot,
 * and each of its elements is whole cache lines that have one kind of writer.
 *
 *  row      writer                               read by
 *  route    control; `remote` also by who latches  every worker: where to, from whom
 *  egress   whoever sends to the leg               whoever sends to it next
 *  intake   the worker that the leg's source hashes to     control, for numbers
 *  keypad   the same worker, only for telephone events     -
 *  streams  the same worker, only when a source changes    control, for numbers
 *  report   who handles RTCP of the leg or for it          control, for numbers
 *  reporter the leg's own worker, if RTCP ends at the leg; `packets` and `octets`: who sends to it
 *  quiet    who receives, the leg's own worker, control: relaxed words
 *  play     the leg's own worker (slot modulo workers)     control, for numbers
 *  options  control, and who receives from the leg  the same: limits that most legs do not have
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
#include "leg_shared.h"
#include "rtp/level.h"
#include "rtp/reception.h"
#include "rtp/telephone_event.h"

/*
 * Remote word: where to send, and once latched the only source.
 *  bits 32 - 63  IPv4 address, as on the wire; 0: not known
 *  bits 16 - 31  UDP port of RTP, as on the wire
 *  bit 1         REMOTE_V6: the leg speaks IPv6, bits 2 - 15 and 32 - 63 are as in remote6.h
 *  bit 0         latched: a source was seen there
 */
#define LEG_LATCHED UINT64_C(1)
#define REMOTE_V6   UINT64_C(2)

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
	LEG_SOURCE_ANY_IP = 1 << 0,   /**< any address may latch */
	LEG_RTCP_MUX = 1 << 1,        /**< RTCP on the port of RTP */
	LEG_RTCP_END = 1 << 2,        /**< RTCP ends here, and begins here */
	LEG_SRTP = 1 << 3,            /**< the party speaks SRTP, in one direction at least */
	LEG_PT_MAP = 1 << 4,          /**< payload types change where its packets are relayed to */
	LEG_RATE_CAP = 1 << 5,        /**< as many packets a second and no more */
	LEG_RELATCH = 1 << 6,         /**< takes another source after silence */
	LEG_NO_SEND = 1 << 7,         /**< no RTP is sent to it */
	LEG_NO_RECEIVE = 1 << 8,      /**< no RTP is taken from it */
	LEG_SUPPRESS_DIGITS = 1 << 9, /**< telephone events are told, and go no further */
	LEG_MIX = 1 << 10,            /**< hears a mix, and nothing relayed */
	LEG_QUIET = 1 << 11,          /**< is listened to: does its party speak? */
	LEG_V6 = 1 << 12,             /**< the local address is of IPv6 */
	LEG_SUPPRESS_AUDIO = 1 << 13, /**< audio is silenced */
	LEG_VLAN = 1 << 14,           /**< the local address is on a VLAN */
	LEG_KERNEL = 1 << 15,         /**< asks to be relayed inside the kernel */
};

/** Bits that stw_leg_suppress sets. */
#define LEG_SUPPRESS (LEG_SUPPRESS_DIGITS | LEG_SUPPRESS_AUDIO)

/** Of these, what does not follow from the leg's description alone: an update keeps them. */
#define LEG_FEATURES_KEPT (LEG_PT_MAP | LEG_MIX | LEG_SUPPRESS)

/** What makes frames other than Ethernet II with IPv4. */
#define LEG_FRAMES_OTHER (LEG_V6 | LEG_VLAN)

/** What a leg carries; one word. */
union leg_traits {
	uint64_t word;
	struct {
		uint8_t audio_pt;  /**< payload type of audio */
		uint8_t event_pt;  /**< payload type of telephone events; 0: none */
		uint8_t codec;     /**< enum stw_codec */
		uint8_t side;      /**< enum stw_side */
		uint8_t dscp;      /**< of what is sent */
		uint8_t pt_map;    /**< of what is relayed to it; 0: none */
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
	_Atomic uint32_t speaker; /**< leg whose packets are relayed to this one; 0: none */
	rte_be32_t ssrc;          /**< of all that is sent; constant for the leg's life */
	rte_be32_t local_ip;      /**< constant for the leg's life, as the rest; 0: IPv6 */
	rte_be16_t local_port;    /**< of RTP */
	uint8_t address;          /**< index of the local address */
	uint8_t single;           /**< 1: has no port of RTCP */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct leg_route) == STW_CACHE_LINE, "one line for each packet's sake");

/*
 * RTCP word, of a leg without rtcp_mux.
 *  bits 0 - 15  UDP port of the party's RTCP, as on the wire; 0: the one after RTP's
 *  bit 16       latched: RTCP came from there
 */
#define LEG_RTCP_LATCHED UINT32_C(0x10000)

struct leg_keypad {
	struct rtp_keypad keypad;
} STW_ALIGNED_LINE;

/** Totals of a leg's reception when one of its sources was replaced. */
struct leg_stream_end {
	_Atomic uint64_t packets;
	_Atomic uint64_t expected;
	_Atomic uint32_t ssrc; /**< which source */
	_Atomic uint32_t duplicates;
	_Atomic uint32_t late;
	_Atomic uint32_t jitter_us; /**< not a total: at its end */
};
static_assert(sizeof(struct leg_stream_end) == 32, "two a line");

/** Ends of a leg's sources, the n-th at n modulo STW_LEG_STREAMS_MAX. Untouched while it has one only. */
struct leg_streams {
	struct leg_stream_end ends[STW_LEG_STREAMS_MAX];
} STW_ALIGNED_LINE;

/** Sender reports given to a party that its answers may speak of. */
#define LEG_REPORTS_KNOWN 2

/** What a leg's party and we tell each other by RTCP. Words stand each for themselves. */
struct leg_report {
	/** Last sender reports given to it, newest first: name in the high, when in the low half. */
	_Atomic uint64_t given[LEG_REPORTS_KNOWN];
	_Atomic uint64_t heard;   /**< last one that it gave, in the same way; 0: none */
	_Atomic uint32_t giver;   /**< leg whose sender reports are in `given`; itself: our own */
	_Atomic uint32_t rtt_us;  /**< 0: not known */
	_Atomic uint32_t told;    /**< number of report blocks about what we send */
	_Atomic uint32_t lost;    /**< by the last: since the beginning, an int32_t */
	_Atomic uint32_t jitter;  /**< by the last: ticks */
	_Atomic uint32_t ratings; /**< by the last: bytes of union leg_ratings */
	_Atomic uint32_t received;
	_Atomic uint32_t sent;
	_Atomic uint32_t malformed;
} STW_ALIGNED_LINE;
static_assert(sizeof(struct leg_report) == STW_CACHE_LINE, "one line");

/** What a party tells of what it hears; 0: nothing. */
union leg_ratings {
	uint32_t word;
	struct {
		uint8_t fraction_lost; /**< of the last report's interval, in 256ths */
		uint8_t r_factor;      /**< of VoIP metrics, as the next */
		uint8_t mos_lq_x10;
		uint8_t mos_cq_x10;
	};
};
static_assert(sizeof(union leg_ratings) == sizeof(uint32_t), "read at once");

/** Whether a leg has reports of its own: reporter.state. */
enum leg_reporting {
	LEG_REPORTS_NOT,   /**< no */
	LEG_REPORTS,       /**< yes */
	LEG_REPORTS_LEAVE, /**< the leg was removed: its worker says goodbye */
};

/** Reports of our own to a leg's party. */
struct leg_reporter {
	/* The leg's own worker's. */
	uint64_t due_ns;         /**< when the next one is due */
	uint64_t expected_told;  /**< packets expected, by the last report */
	uint64_t received_told;  /**< packets received, by the last report */
	uint64_t expected_first; /**< of the sources before the one that is told of */
	uint64_t received_first; /**< of the sources before the one that is told of */
	uint32_t sources;        /**< sources that there had been by the last report */
	uint32_t packets_told;   /**< packets sent, by the last report */
	uint32_t packets_before; /**< packets sent, by the one before */
	uint32_t next;           /**< in the wheel; 0: last */
	uint32_t previous;       /**< in the wheel; 0: first */
	uint16_t tick;           /**< wheel's slot that it is in, and one; 0: in none */
	uint8_t begun;           /**< 1: a report was sent */

	/* Whoever sends RTP to the leg. */
	_Atomic uint64_t packets STW_ALIGNED_LINE;
	_Atomic uint64_t octets; /**< their payload */

	/* Control's, and in part the leg's worker's. */
	_Atomic uint32_t state;   /**< enum leg_reporting */
	_Atomic uint32_t asked;   /**< next of those to be looked at; 0: last */
	_Atomic uint32_t queued;  /**< 1: it is one of them */
	_Atomic uint32_t name[3]; /**< random bits of the canonical name */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct leg_reporter) == 2 * STW_CACHE_LINE,
	      "what few legs have is small, too");

/** A leg's place in its own worker's wheel, and the RTP stream that it is played. */
struct leg_play {
	uint64_t due_ns;          /**< when the next packet is due */
	uint64_t look_ns;         /**< when the leg is looked at next */
	uint64_t sent_due_ns;     /**< when the last one was due */
	uint64_t attached;        /**< word of `ask` that is being played */
	_Atomic uint64_t voice;   /**< turn at the leg (egress.h) */
	_Atomic uint64_t packets; /**< packets played, over all legs of the slot; never reset */
	uint64_t silence_told_ns; /**< heard_ns of the silence told last */
	uint32_t position;        /**< next packet of the playout */
	uint32_t next;            /**< in the wheel; 0: last */
	uint32_t previous;        /**< in the wheel; 0: first */
	uint32_t timestamp;       /**< of the next packet, by a clock of the playout's own */
	uint16_t sequence;        /**< of the next packet, numbered by itself */
	uint16_t tick;            /**< wheel's slot that it is in, and one; 0: in none */
	uint8_t marker;           /**< 1: the next packet begins a talk spurt */
	_Atomic uint8_t
		speaking; /**< bits 1 << enum egress_kind: what the leg hears now from here */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct leg_play) <= 2 * STW_CACHE_LINE, "small");

/*
 * Attach word: bits 32 - 63 serial of the attachment, bits 0 - 31 slot of the playout; 0: none.
 * The worker that plays an announcement to its end takes the slot out by compare-and-swap; control
 * takes it out by exchange. Whoever took it out ends the listening, once.
 */
struct leg_ask {
	_Atomic uint64_t attach;   /**< attach word */
	_Atomic uint64_t start_ns; /**< when its first packet is due */
	_Atomic uint32_t next;     /**< in the list of legs to be looked at; 0: last */
	_Atomic uint32_t queued;   /**< 1: in that list */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct leg_ask) == STW_CACHE_LINE, "one line");

/** What silence detection knows of a leg; see stage/quiet.c. Never touched for a leg without it. */
struct leg_quiet {
	_Atomic uint64_t voice_ns;  /**< when the party spoke last; at first: the add */
	_Atomic uint64_t silent_ns; /**< silence to tell of; 0: never */
	_Atomic uint32_t told;      /**< 1: told of silence, 0: of voice */
	_Atomic uint8_t level;      /**< of silence, -dBov */
	struct rtp_voice voice;     /**< of the worker that receives */
} STW_ALIGNED_LINE;

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
	uint16_t port;            /**< place of its UDP port, of a pair the first (ports.h) */
	uint16_t remote_rtcp;     /**< port of RTCP as configured */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct leg_card) == STW_CACHE_LINE, "one line");

#endif
