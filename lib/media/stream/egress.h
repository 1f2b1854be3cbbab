/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Egress stream of a leg: whatever is sent to a leg (relayed, mixed, played, digits) is one RTP
 * stream, with one SSRC for the leg's life, a sequence number more for each packet, and timestamps
 * that go on over every change of source.
 *
 * Idea: a source numbers its packets as it likes; what it sends is its own numbers plus the offsets of
 * the leg's *map*. The map belongs to one source at a time: each change of source is a *turn*, and
 * a source remembers the turn that it has got in a word of its own, its *voice*. A packet whose voice
 * is of the map's turn adds the offsets, and is noted in `last`. Any other has to take a turn: it may
 * when its source is the one to be heard now, and then gets the sequence number after the last one, a
 * timestamp as much later than the last as time has passed, and the marker bit.
 *
 * Who is to be heard: the highest kind (enum egress_kind) that has something to say, and of the legs that
 * are connected to a leg the one connected last (leg_route.speaker). That is said by control, and by
 * the leg's own worker for what it plays; never by a packet. So a late packet of a former source is
 * dropped, and a stream never goes back and forth.
 *
 * Invariants:
 *  I1  offsets of one turn never change, so packets of one source keep their distances: lost ones leave
 *      their gap, overtaken ones their order
 *  I2  the first packet of a turn has the number after the highest one that was sent in order
 *  I3  a turn's number is one more than that of the turn before, over all legs of a slot; a voice
 *      of an older turn is not the map's until 65,536 changes have passed
 *
 * Overlap: any worker's senders with each other and with control. Where two workers send to one leg in
 * the very instant of a change, the former source's packet may bear the number that the new one's first
 * packet gets, as if the network had lost one and repeated one; the next packet is right again.
 *
 * Progress: wait-free: a turn that cannot be taken in EGRESS_TRIES because others take it is given up.
 *
 *  label  where                       order    pairs with  without it
 *  E1     map: turn taken             acq_rel  E2          numbers of a turn are met before its offsets
 *  E2     map: read to take a turn    acquire  E1          `last` is older than the turn before
 *  E3     (session.c) speaker: written  relaxed  none      C1 publishes it with `peer`
 *
 * Source: RFC 3550 5.1 (one SSRC is one space of sequence numbers and timestamps), RFC 3551 4.1 (marker).
 */
#ifndef STW_MEDIA_EGRESS_H
#define STW_MEDIA_EGRESS_H

#include <string.h>

#include "media/plane.h"
#include "rtp/reception.h"

/** Kinds of sources, in the order of who is heard: a later one silences those before. */
enum egress_kind {
	EGRESS_RELAY,  /**< what the leg connected to it receives */
	EGRESS_MIX,    /**< a mix; while the leg has LEG_MIX */
	EGRESS_PLAY,   /**< a playout */
	EGRESS_TONE,   /**< a tone */
	EGRESS_DIGITS, /**< digits that we send */
};

/** egress_number, when the voice has not the turn. */
uint8_t egress_turn(struct worker *worker, uint32_t leg, enum egress_kind kind, uint32_t from,
		    _Atomic uint64_t *voice, struct egress_numbers *numbers);

/**
 * Number a packet that is sent to a leg.
 *
 * @param leg      who gets it
 * @param kind     of its source
 * @param from     of EGRESS_RELAY: the leg that received it; else 0
 * @param voice    the source's word for what it sends to the leg. 0: its own numbers begin here; set
 *                 it to 0 when they begin anew
 * @param numbers  changed
 * @return PACKET_PENDING when it may be sent
 * @return STW_DROP_SUPERSEDED  another source is heard now
 *
 * Threads:  the worker; a voice by one worker at a time.
 * Progress: wait-free (bound: EGRESS_TRIES).
 */
static __rte_always_inline uint8_t
egress_number(struct worker *worker, uint32_t leg, enum egress_kind kind, uint32_t from,
	      _Atomic uint64_t *voice, struct egress_numbers *numbers)
{
	struct leg_egress *egress = &worker->media->egresses[leg];
	union egress_map map = {atomic_load_explicit(&egress->map, memory_order_relaxed)};

	if (STW_UNLIKELY(atomic_load_explicit(voice, memory_order_relaxed) !=
			 egress_voice(leg, map.turn)))
		return egress_turn(worker, leg, kind, from, voice, numbers);
	numbers->sequence = (uint16_t)(numbers->sequence + map.sequence);
	numbers->timestamp += map.timestamp;
	numbers->first = 0;
	egress_note(egress, numbers, egress_ticks(worker->now_ns));
	return PACKET_PENDING;
}

/**
 * SSRC of all that is sent to a leg, as on the wire. Threads: any that may see the leg.
 */
static inline rte_be32_t
egress_ssrc(const struct stw_media *media, uint32_t leg)
{
	return media->routes[leg].ssrc;
}

/**
 * Number and sign a packet of our own (mix, playout, tone, digits) in place: its RTP header has version,
 * marker, payload type, and sequence number and timestamp of the source's own. Compute its checksum
 * afterwards. Parameters and result as egress_number.
 *
 * @param rtp      the RTP header; changed
 * @param untimed  1: its timestamp is not of now (telephone events)
 */
static inline uint8_t
egress_translate(struct worker *worker, uint32_t leg, enum egress_kind kind,
		 _Atomic uint64_t *voice, uint8_t *rtp, uint8_t untimed)
{
	rte_be32_t ssrc = egress_ssrc(worker->media, leg), timestamp;
	rte_be16_t sequence;
	struct egress_numbers numbers = {.untimed = untimed};
	uint8_t verdict;

	memcpy(&sequence, rtp + 2, sizeof(sequence));
	memcpy(&timestamp, rtp + 4, sizeof(timestamp));
	numbers.sequence = rte_be_to_cpu_16(sequence);
	numbers.timestamp = rte_be_to_cpu_32(timestamp);
	verdict = egress_number(worker, leg, kind, 0, voice, &numbers);
	if (verdict != PACKET_PENDING)
		return verdict;
	sequence = rte_cpu_to_be_16(numbers.sequence);
	timestamp = rte_cpu_to_be_32(numbers.timestamp);
	rtp[1] |= (uint8_t)(numbers.first << 7);
	memcpy(rtp + 2, &sequence, sizeof(sequence));
	memcpy(rtp + 4, &timestamp, sizeof(timestamp));
	memcpy(rtp + 8, &ssrc, sizeof(ssrc));
	return PACKET_PENDING;
}

/**
 * Offsets of the source that is heard now, for RTCP about the stream: what the leg's party says of our
 * sequence number n is about its n - sequence, and a source's timestamp t is our t + timestamp.
 *
 * Threads: any that may see the leg. Progress: wait-free (bound 1).
 */
static inline union egress_map
egress_offsets(const struct stw_media *media, uint32_t leg)
{
	return (union egress_map){
		atomic_load_explicit(&media->egresses[leg].map, memory_order_relaxed)};
}

/** Timestamp of the leg's stream at an instant, for sender reports. Threads: as egress_offsets. */
static inline uint32_t
egress_timestamp(const struct stw_media *media, uint32_t leg, uint64_t now_ns)
{
	union egress_last last = {
		atomic_load_explicit(&media->egresses[leg].last, memory_order_relaxed)};

	return last.clock + egress_ticks(now_ns);
}

/** Begin the stream of a new leg. Threads: control, under the mutex. */
void egress_init(struct stw_media *media, uint32_t leg, uint64_t now_ns);

#endif
