/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Translation: a relayed RTP packet becomes one of the stream of the leg that gets it: SSRC, sequence
 * number, timestamp, marker, payload type. Written in place; the checksum is relay's, which gets
 * the sums of the words replaced.
 */
#ifndef STW_MEDIA_TRANSLATE_H
#define STW_MEDIA_TRANSLATE_H

#include <rte_udp.h>

#include "media/stream/egress.h"
#include "media/stream/pt_map.h"

/** Internet sums of the words that were replaced, before and after. */
struct translate_sums {
	uint64_t before;
	uint64_t after;
};

/** In the first word of an RTP header, as it lies in memory. */
#define TRANSLATE_FIRST_BYTES UINT32_C(0xffff)
#define TRANSLATE_MARKER      UINT32_C(0x8000)
#define TRANSLATE_TYPE        UINT32_C(0x7f00)

/** First word of an RTP header with the payload type that a leg of these traits gets. */
static inline uint32_t
translate_type(const struct worker *worker, const struct packet *packet, union leg_traits traits,
	       uint32_t word)
{
	const struct stw_media *media = worker->media;
	union leg_traits from = {
		atomic_load_explicit(&media->routes[packet->leg].traits, memory_order_relaxed)};
	uint8_t type = pt_translate(media, from, traits, packet->rtp.payload_type);

	return (word & ~TRANSLATE_TYPE) | (uint32_t)type << 8;
}

/**
 * Translate a packet for the leg that it is relayed to.
 *
 * @param traits  of that leg
 * @param sums    set on success only
 * @return PACKET_PENDING when it may be sent
 * @return STW_DROP_SUPERSEDED  that leg hears another source now; the packet is unchanged
 *
 * Threads: the worker. Progress: as egress_number.
 */
static __rte_always_inline uint8_t
translate_rtp(struct worker *worker, const struct packet *packet, union leg_traits traits,
	      struct translate_sums *sums)
{
	uint8_t *rtp = rte_pktmbuf_mtod_offset(packet->mbuf, uint8_t *,
					       packet->udp_offset + sizeof(struct rte_udp_hdr));
	struct egress_numbers numbers = {.timestamp = packet->rtp.timestamp,
					 .sequence = packet->rtp.sequence,
					 .untimed = packet->event};
	uint32_t before[3], after[3];
	uint8_t verdict;

	verdict = egress_number(worker, packet->peer, EGRESS_RELAY, packet->leg,
				&worker->media->intakes[packet->leg].voice, &numbers);
	if (STW_UNLIKELY(verdict != PACKET_PENDING))
		return verdict;
	memcpy(before, rtp, sizeof(before));
	after[0] = (before[0] & TRANSLATE_FIRST_BYTES) |
		   (uint32_t)rte_cpu_to_be_16(numbers.sequence) << 16;
	after[0] |= numbers.first * TRANSLATE_MARKER;
	if (STW_UNLIKELY(packet->features & LEG_PT_MAP))
		after[0] = translate_type(worker, packet, traits, after[0]);
	after[1] = rte_cpu_to_be_32(numbers.timestamp);
	after[2] = egress_ssrc(worker->media, packet->peer);
	memcpy(rtp, after, sizeof(after));
	sums->before = (uint64_t)before[0] + before[1] + before[2];
	sums->after = (uint64_t)after[0] + after[1] + after[2];
	return PACKET_PENDING;
}

#endif
