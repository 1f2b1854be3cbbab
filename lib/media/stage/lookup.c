/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage lookup: the UDP port is the index of the leg, so this is one memory access, which
 * stage_parse has asked for. The entry says, too, whether the port is the leg's of RTCP. Then what the
 * datagram is: RTCP may come on the port of RTP, where the guard says whose it may be.
 *
 *  label  where                       order    pairs with  without it
 *  L2     address->legs: read         acquire  L1          a new leg is met before it is filled
 *  L1     (leg.c) address->legs: published  release  L2  -
 */
#include "stages.h"

#include <rte_udp.h>

#include "media/overload.h"
#include "media/plane.h"
#include "rtp/demux.h"
#include "rtp/rtcp.h"

/** First byte of RTP: version 2 and nothing else. */
#define RTP_FIRST_PLAIN 0x80

/** Bit of it: there is padding. */
#define RTP_FIRST_PADDING 0x20

/** Whether the leg's party speaks SRTP. */
static bool
leg_is_secure(const struct worker *worker, const struct packet *packet)
{
	union leg_traits traits = {atomic_load_explicit(&worker->media->routes[packet->leg].traits,
							memory_order_relaxed)};

	return traits.features & LEG_SRTP;
}

static void
lookup_rtp(const struct worker *worker, struct packet *packet, uint8_t *payload, uint32_t entry)
{
	uint8_t first = payload[0];
	int error;

	/* RTP on the port of RTCP has lost its way: no leg takes it. */
	if (entry & LEG_ENTRY_RTCP) {
		packet_drop(packet, STW_DROP_NOT_RTP);
		return;
	}
	/* The count of padding is enciphered: stage_unprotect reads it. */
	if (leg_is_secure(worker, packet))
		payload[0] &= (uint8_t)~RTP_FIRST_PADDING;
	error = stw_rtp_read(payload, packet->payload_bytes, &packet->rtp);
	payload[0] = first;
	if (error < 0)
		packet_drop(packet, STW_DROP_MALFORMED);
	else
		packet->kind = PACKET_RTP;
}

/**
 * Read what nearly every packet is, RTP without sources, extension and padding: version 2, a second
 * byte that RFC 5761 does not give to RTCP, a port of RTP. rtp_demux knows the others.
 */
static inline bool
lookup_plain_rtp(struct packet *packet, const uint8_t *payload, uint32_t entry)
{
	if (packet->payload_bytes < STW_RTP_HEADER_BYTES || payload[0] != RTP_FIRST_PLAIN ||
	    (payload[1] & 0x60) == 0x40 || (entry & LEG_ENTRY_RTCP))
		return false;
	if (stw_rtp_read(payload, packet->payload_bytes, &packet->rtp) < 0)
		return false;
	packet->kind = PACKET_RTP;
	return true;
}

static STW_COLD void
lookup_kind(struct worker *worker, struct packet *packet, uint8_t *payload, uint32_t entry)
{
	switch (rtp_demux(payload, packet->payload_bytes)) {
	case RTP_KIND_RTP:
		lookup_rtp(worker, packet, payload, entry);
		break;
	case RTP_KIND_RTCP:
		if (overload_sheds(worker, OVERLOAD_LIVE)) {
			packet_drop(packet, STW_DROP_OVERLOAD);
			break;
		}
		/* What is enciphered is checked by stage_unprotect. */
		if (!leg_is_secure(worker, packet) &&
		    rtp_rtcp_check_reduced(payload, packet->payload_bytes) < 0) {
			packet_drop(packet, STW_DROP_MALFORMED);
			break;
		}
		packet->kind = PACKET_RTCP;
		worker->burst_rtcp = 1;
		break;
	case RTP_KIND_STUN:
		packet_drop(packet, STW_DROP_STUN);
		break;
	case RTP_KIND_DTLS:
		packet_drop(packet, STW_DROP_DTLS);
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
		uint8_t *payload;
		uint32_t entry;

		if (packet->verdict != PACKET_PENDING)
			continue;
		/* L2, pairs with L1: what control filled in before is seen. */
		entry = atomic_load_explicit(&address->legs[packet->udp_port - address->udp_first],
					     memory_order_acquire);
		packet->leg = entry & ~LEG_ENTRY_RTCP;
		if (!packet->leg) {
			packet_drop(packet, STW_DROP_NO_LEG);
			continue;
		}
		rte_prefetch0(&media->routes[packet->leg]);
		rte_prefetch0(&media->intakes[packet->leg]);
		rte_prefetch0(&media->intakes[packet->leg].bytes);
		payload = rte_pktmbuf_mtod_offset(packet->mbuf, uint8_t *,
						  packet->udp_offset + sizeof(struct rte_udp_hdr));
		if (STW_UNLIKELY(!lookup_plain_rtp(packet, payload, entry)))
			lookup_kind(worker, packet, payload, entry);
	}
}
