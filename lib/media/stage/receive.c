/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage receive: what a leg's numbers say about its party.
 *
 * A party that changes its SSRC has a new source (transfer, music, another device), and what it sends
 * takes a new turn at the leg that it is relayed to; so does a jump of its sequence numbers that the
 * next packet confirms. A packet of the source before that comes while the new one is heard was
 * overtaken: it is dropped, so that two sources never take turns packet by packet. Telephone events are
 * not: some send them with an SSRC of their own amidst their audio, which then pauses for the key press.
 *
 * The reception is plain memory with one writer: packets of a latched source all come to the same
 * worker, because the device spreads them by address and port.
 */
#include "stages.h"

#include "media/plane.h"
#include "media/session/streams.h"

/** A source that was replaced may come back when its successor has been silent for so long: 3 packets. */
#define RECEIVE_FORMER_NS INT64_C(60000000)

/** Of a packet whose SSRC is not the present one: false when it is late, of the source before. */
static STW_COLD bool
source_changes(const struct worker *worker, const struct packet *packet)
{
	struct leg_intake *intake = &worker->media->intakes[packet->leg];
	uint64_t heard_ns = atomic_load_explicit(&intake->heard_ns, memory_order_relaxed);

	if (intake->reception.sources > 1 && packet->rtp.ssrc == intake->ssrc_former &&
	    !packet->event && (int64_t)(worker->now_ns - heard_ns) < RECEIVE_FORMER_NS)
		return false;
	intake->ssrc_former = intake->reception.ssrc;
	stream_end(worker->media, packet->leg);
	return true;
}

/** Count an RTP packet; false when it is none of the leg's source. */
static inline bool
rtp_count(const struct worker *worker, struct packet *packet, struct leg_intake *intake)
{
	uint32_t sequence_next = intake->reception.sequence_max + 1;
	bool astray = rtp_reception_is_astray(&intake->reception);
	enum rtp_reception_fate fate;

	if (STW_UNLIKELY(packet->rtp.ssrc != intake->reception.ssrc) &&
	    !source_changes(worker, packet)) {
		packet_drop(packet, STW_DROP_SUPERSEDED);
		return false;
	}
	fate = rtp_reception_count(&intake->reception, &packet->rtp, worker->now_ns);
	if (STW_UNLIKELY(fate != RTP_RECEPTION_NEXT ||
			 intake->reception.sequence_max != sequence_next || astray))
		intake_row_broken(intake, fate, intake->reception.sequence_max - sequence_next,
				  astray);
	worker_count_own(&intake->bytes, packet->rtp.payload_bytes);
	return true;
}

void
stage_receive(struct worker *worker, struct packet *packets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];
		struct leg_intake *intake = &worker->media->intakes[packet->leg];

		if (packet->verdict != PACKET_PENDING)
			continue;
		if (packet->kind == PACKET_RTP && STW_UNLIKELY(!rtp_count(worker, packet, intake)))
			continue;
		atomic_store_explicit(&intake->heard_ns, worker->now_ns, memory_order_relaxed);
		if (STW_UNLIKELY(packet->features & LEG_NO_RECEIVE) && packet->kind == PACKET_RTP) {
			packet_drop(packet, STW_DROP_DIRECTION);
			/* What is not heard leaves no gap. */
			atomic_store_explicit(&intake->voice, 0, memory_order_relaxed);
		}
	}
}
