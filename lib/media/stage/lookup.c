/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage lookup: the UDP port is the index of the leg, so this is one memory access, which
 * stage_parse has asked for. Then what the datagram is.
 *
 *  label  where                       order    pairs with  without it
 *  L2     address->legs: read         acquire  L1          a new leg is met before it is filled
 *  L1     (leg.c) address->legs: published  release  L2  -
 */
#include "stages.h"

#include <rte_udp.h>

#include "media/plane.h"
#include "rtp/demux.h"
#include "rtp/rtcp.h"

/** First byte of RTP: version 2 and nothing else. */
#define RTP_FIRST_PLAIN 0x80

static void
lookup_rtp(struct packet *packet, const uint8_t *payload)
{
	/* RTP on the port of RTCP has lost its way: no leg takes it. */
	if (packet->udp_port & 1)
		packet_drop(packet, STW_DROP_NOT_RTP);
	else if (stw_rtp_read(payload, packet->payload_bytes, &packet->rtp) < 0)
		packet_drop(packet, STW_DROP_MALFORMED);
	else
		packet->kind = PACKET_RTP;
}

/**
 * Read what nearly every packet is, RTP without sources, extension and padding: version 2, a second
 * byte that RFC 5761 does not give to RTCP, a port of RTP. rtp_demux knows the others.
 */
static inline bool
lookup_plain_rtp(struct packet *packet, const uint8_t *payload)
{
	if (packet->payload_bytes < STW_RTP_HEADER_BYTES || payload[0] != RTP_FIRST_PLAIN ||
	    (payload[1] & 0x60) == 0x40 || (packet->udp_port & 1))
		return false;
	if (stw_rtp_read(payload, packet->payload_bytes, &packet->rtp) < 0)
		return false;
	packet->kind = PACKET_RTP;
	return true;
}

static STW_COLD void
lookup_kind(struct packet *packet, const uint8_t *payload)
{
	switch (rtp_demux(payload, packet->payload_bytes)) {
	case RTP_KIND_RTP:
		lookup_rtp(packet, payload);
		break;
	case RTP_KIND_RTCP:
		if (rtp_rtcp_check(payload, packet->payload_bytes) < 0)
			packet_drop(packet, STW_DROP_MALFORMED);
		else
			packet->kind = PACKET_RTCP;
		break;
	default:
		packet_drop(packet, STW_DROP_NOT_RTP);
		break;
	}
}

void
stage_lookup(struct worker *worker, struct packet *packets, unsigned count)
{
	struct stw_media *media = worker->media;

	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];
		struct plane_address *address = &media->addresses[packet->address];
		const uint8_t *payload;

		if (packet->verdict != PACKET_PENDING)
			continue;
		/* L2, pairs with L1: what control filled in before is seen. */
		packet->leg = atomic_load_explicit(
			&address->legs[(uint32_t)(packet->udp_port - address->udp_first) / 2],
			memory_order_acquire);
		if (!packet->leg) {
			packet_drop(packet, STW_DROP_NO_LEG);
			continue;
		}
		rte_prefetch0(&media->routes[packet->leg]);
		rte_prefetch0(&media->intakes[packet->leg]);
		rte_prefetch0(&media->intakes[packet->leg].bytes);
		payload = rte_pktmbuf_mtod_offset(packet->mbuf, const uint8_t *,
						  packet->udp_offset + sizeof(struct rte_udp_hdr));
		if (STW_UNLIKELY(!lookup_plain_rtp(packet, payload)))
			lookup_kind(packet, payload);
	}
}
