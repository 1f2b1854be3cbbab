/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Of a leg's rows, those that the relay inside the kernel reads and writes as a worker does; who writes
 * what is in leg.h and egress.h. No other headers than the compiler's own.
 */
#ifndef STW_MEDIA_LEG_SHARED_H
#define STW_MEDIA_LEG_SHARED_H

#include <stdint.h>

#include "base/base.h"
#include "base/shared.h"
#include "rtp/reception_row.h"

/** In an entry of plane_address.legs: the port is the leg's of RTCP. */
#define LEG_ENTRY_RTCP UINT32_C(0x80000000)

/**
 * What most legs do not have. A row's memory is touched for those only that do, or did: the table costs
 * nothing without them.
 */
struct leg_options {
	/* Control. */
	SHARED_U64 packet_ns;  /**< LEG_RATE_CAP: a packet's share of a second */
	SHARED_U64 ahead_ns;   /**< LEG_RATE_CAP: so far ahead of that, by a burst */
	SHARED_U64 relatch_ns; /**< LEG_RELATCH: silence after which another source is taken */
	SHARED_U64 used;       /**< 1: not all 0 */

	/* Workers that receive from the leg. */
	SHARED_U64 due_ns; /**< LEG_RATE_CAP: when its packets so far have had their shares */
	SHARED_U64 packets_capped;
	SHARED_U64 relatches;
} STW_ALIGNED_LINE;
_Static_assert(sizeof(struct leg_options) == STW_CACHE_LINE, "one line");

/** Numbers of the stream that is sent to the leg; see stream/egress.h. */
struct leg_egress {
	SHARED_U64 map;  /**< union egress_map: what the source heard now adds to its numbers */
	SHARED_U64 last; /**< union egress_last: the last packet sent */
};
_Static_assert(sizeof(struct leg_egress) == 16, "four a line: few packets touch it at one time");

struct leg_intake {
	struct rtp_reception reception; /**< by sequence numbers */
	SHARED_U64 bytes;               /**< RTP payload bytes */
	SHARED_U64 relayed;             /**< RTP packets sent on to whomever it was connected to */
	SHARED_U64 heard_ns;            /**< when the last valid packet came; at first: the add */
	SHARED_U64 packets_foreign;     /**< from another source; any worker */
	SHARED_U64 voice;        /**< turn at the leg that it was relayed to last (egress.h) */
	uint32_t ssrc_former;    /**< source that the present one has replaced */
	SHARED_U32 rtcp_source;  /**< RTCP word: where its RTCP comes from; any worker */
	SHARED_U32 digits;       /**< keys pressed */
	SHARED_U32 packets_late; /**< came after one with a later number */
	SHARED_U32 gaps;         /**< times that numbers were missing when a later one came */
	SHARED_U32 gap_max;      /**< most numbers missing at such a time */
} STW_ALIGNED_LINE;
_Static_assert(sizeof(struct leg_intake) == 2 * STW_CACHE_LINE, "two lines for each packet's sake");

/** A sequence number this far ahead of the last one still goes on from it. */
#define EGRESS_AHEAD_MAX RTP_DROPOUT_MAX

/** Word of leg_egress.map. */
union egress_map {
	uint64_t word;
	struct {
		uint32_t timestamp; /**< added to the source's */
		uint16_t sequence;  /**< added to the source's */
		uint16_t turn;      /**< counts changes of source; wraps */
	};
};

/** Word of leg_egress.last. */
union egress_last {
	uint64_t word;
	struct {
		uint32_t clock; /**< timestamp of the last audio packet less its time, ticks */
		uint16_t timestamp_low; /**< of that timestamp */
		uint16_t sequence;      /**< highest that was sent in order */
	};
};

/** Numbers of a packet: the source's before, the leg's after. */
struct egress_numbers {
	uint32_t timestamp;
	uint16_t sequence;
	uint8_t untimed; /**< 1: the timestamp is not of now (telephone events) */
	uint8_t first;   /**< set: 1: first packet of a turn, has the marker bit */
};

STW_SHARED_INLINE uint32_t
egress_ticks(uint64_t now_ns)
{
	return (uint32_t)(now_ns / RTP_TICK_NS);
}

/** Voice of who has that turn at that leg. No leg is 0, so no voice that has got a turn is 0. */
STW_SHARED_INLINE uint64_t
egress_voice(uint32_t leg, uint16_t turn)
{
	return (uint64_t)leg << 16 | turn;
}

/**
 * Take a packet's share of the second; 0 when there is none left. Two that receive from a leg at one time have one
 * leg's packets only while RTP and RTCP go to different ones: one packet more than the share passes then.
 */
STW_SHARED_INLINE int
options_share_take(struct leg_options *options, uint64_t now_ns)
{
	uint64_t due_ns = shared_load(&options->due_ns);

	if (due_ns < now_ns)
		due_ns = now_ns;
	if (due_ns - now_ns > shared_load(&options->ahead_ns))
		return 0;
	shared_store(&options->due_ns, due_ns + shared_load(&options->packet_ns));
	return 1;
}

/** What `last` becomes by a packet; 0: nothing else, as it was overtaken or is far off. */
STW_SHARED_INLINE int
egress_next(union egress_last last, const struct egress_numbers *numbers, uint32_t ticks,
	    union egress_last *next)
{
	if (STW_UNLIKELY((uint16_t)(numbers->sequence - last.sequence - 1) >= EGRESS_AHEAD_MAX))
		return 0;
	last.sequence = numbers->sequence;
	if (STW_LIKELY(!numbers->untimed)) {
		last.timestamp_low = (uint16_t)numbers->timestamp;
		last.clock = numbers->timestamp - ticks;
	}
	*next = last;
	return 1;
}

/** Note a packet in `last`. */
STW_SHARED_INLINE void
egress_note(struct leg_egress *egress, const struct egress_numbers *numbers, uint32_t ticks)
{
	union egress_last last = {shared_load(&egress->last)}, next;

	if (STW_LIKELY(egress_next(last, numbers, ticks, &next)))
		shared_store(&egress->last, next.word);
}

/** Of a packet that is not the next one, and was not preceded by one that is: note what it says. */
STW_SHARED_INLINE void
intake_row_broken(struct leg_intake *intake, enum rtp_reception_fate fate, uint32_t missing,
		  int astray)
{
	/*
	 * A packet that is far off has numbers of its own: its source begins anew, or it has lost its way.
	 * Its successor says which, and does not go on from it, either.
	 */
	if (fate == RTP_RECEPTION_FIRST || fate == RTP_RECEPTION_STRAY || astray)
		shared_store(&intake->voice, 0);
	if (fate == RTP_RECEPTION_LATE) {
		shared_store(&intake->packets_late, shared_load(&intake->packets_late) + 1);
	} else if (fate == RTP_RECEPTION_NEXT && missing < RTP_DROPOUT_MAX) {
		shared_store(&intake->gaps, shared_load(&intake->gaps) + 1);
		if (missing > shared_load(&intake->gap_max))
			shared_store(&intake->gap_max, missing);
	}
}

#endif
