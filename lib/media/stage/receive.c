/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage receive: what a leg's numbers say about its party.
 *
 * The reception is plain memory with one writer: packets of a latched source all come to the same
 * worker, because the device spreads them by address and port.
 */
#include "stages.h"

#include "media/plane.h"

void
stage_receive(struct worker *worker, struct packet *packets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];
		struct leg_intake *intake = &worker->media->intakes[packet->leg];

		if (packet->verdict != PACKET_PENDING)
			continue;
		atomic_store_explicit(&intake->heard_ns, worker->now_ns, memory_order_relaxed);
		if (packet->kind != PACKET_RTP)
			continue;
		rtp_reception_count(&intake->reception, &packet->rtp, worker->now_ns);
		worker_count_own(&intake->bytes, packet->rtp.payload_bytes);
	}
}
