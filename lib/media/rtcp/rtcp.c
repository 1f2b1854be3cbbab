/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stages rtcp and rtcp_pass: RTCP is read as it comes; what goes on to the connected leg is put into
 * terms of that leg's streams; what belongs to a leg whose RTCP ends here goes no further.
 *
 * Between them the forks get their copies. RTCP is rewritten in place, so a packet that a copy refers to
 * is replaced by one of its own before.
 *
 * A party's sender report maps the clock of its stream; while another source is heard at the connected
 * leg (music, a third party) that clock is not the one of what is sent there, and the packet is
 * superseded as the RTP is. Receiver reports go on.
 *
 * Source: RFC 3550 7.1 (what a translator does to RTCP), RFC 1624 (checksum).
 */
#include <rte_udp.h>

#include "media/checksum.h"
#include "media/session/session.h"
#include "media/stage/stages.h"
#include "media/stream/egress.h"
#include "report.h"
#include "rtcp_hear.h"
#include "rtp/rtcp_rewrite.h"

static uint8_t *
packet_rtcp(const struct packet *packet)
{
	return rte_pktmbuf_mtod_offset(packet->mbuf, uint8_t *,
				       packet->udp_offset + sizeof(struct rte_udp_hdr));
}

static void
packet_hear(struct worker *worker, struct packet *packet)
{
	struct leg_report *report = &worker->media->reports[packet->leg];

	if (rtcp_hear(worker, packet->leg, packet_rtcp(packet), packet->payload_bytes)) {
		atomic_fetch_add_explicit(&report->received, 1, memory_order_relaxed);
		return;
	}
	atomic_fetch_add_explicit(&report->malformed, 1, memory_order_relaxed);
	packet_drop(packet, STW_DROP_MALFORMED);
}

void
stage_rtcp(struct worker *worker, struct packet *packets, unsigned count)
{
	if (!worker->burst_rtcp)
		return;
	for (unsigned i = 0; i < count; i++) {
		if (packets[i].verdict == PACKET_PENDING && packets[i].kind == PACKET_RTCP)
			packet_hear(worker, &packets[i]);
	}
}

/** Whether what a leg receives is what another one is sent. */
static bool
is_heard(const struct stw_media *media, uint32_t from, uint32_t to, union egress_map map)
{
	return atomic_load_explicit(&media->intakes[from].voice, memory_order_relaxed) ==
	       egress_voice(to, map.turn);
}

/** Streams of both directions between two legs, as the mapping has them. */
static void
mapping_make(struct stw_media *media, uint32_t from, uint32_t to, union egress_map map,
	     struct rtp_rtcp_mapping *mapping)
{
	struct leg_report *report = &media->reports[from];
	union egress_map back = egress_offsets(media, from);
	struct rtp_reception own, peer;

	leg_reception_read(media, from, &own);
	leg_reception_read(media, to, &peer);
	*mapping = (struct rtp_rtcp_mapping){
		.own_from = own.ssrc,
		.own_to = rte_be_to_cpu_32(egress_ssrc(media, to)),
		.own_timestamp = map.timestamp,
		.peer_from = rte_be_to_cpu_32(egress_ssrc(media, from)),
		.peer_to = peer.ssrc,
		.peer_sequence = (uint16_t)-back.sequence,
		.own_from_is_known = own.sources > 0,
		.peer_to_is_known = peer.sources > 0 && is_heard(media, to, from, back),
	};
	if (atomic_load_explicit(&report->giver, memory_order_relaxed) != to)
		return;
	for (unsigned i = 0; i < LEG_REPORTS_KNOWN; i++) {
		uint64_t given = atomic_load_explicit(&report->given[i], memory_order_relaxed);

		if (given)
			mapping->reports[mapping->reports_known++] = (uint32_t)(given >> 32);
	}
}

/** Give a packet that copies refer to a buffer of its own. */
static bool
packet_own(struct packet *packet)
{
	struct rte_mbuf *mbuf = packet->mbuf, *own;

	if (STW_LIKELY(rte_mbuf_refcnt_read(mbuf) == 1))
		return true;
	own = rte_pktmbuf_copy(mbuf, mbuf->pool, 0, UINT32_MAX);
	if (!own)
		return false;
	rte_pktmbuf_free(mbuf);
	packet->mbuf = own;
	return true;
}

static void
packet_rewrite(const struct packet *packet, const struct rtp_rtcp_mapping *mapping)
{
	uint8_t *rtcp = packet_rtcp(packet), *udp = rtcp - sizeof(struct rte_udp_hdr);
	uint64_t before = checksum_add(0, rtcp, packet->payload_bytes);
	uint16_t checksum;

	rtp_rtcp_rewrite(rtcp, packet->payload_bytes, mapping);
	memcpy(&checksum, udp + 6, sizeof(checksum));
	if (checksum == 0)
		return;
	checksum = checksum_update(checksum, before, checksum_add(0, rtcp, packet->payload_bytes));
	checksum = checksum ? checksum : 0xffff;
	memcpy(udp + 6, &checksum, sizeof(checksum));
}

/** Note a sender report that is passed on; true when there is one. */
static bool
sender_report_find(const struct packet *packet, struct rtp_sender_report *sender)
{
	struct rtp_rtcp_walk walk = rtp_rtcp_walk(packet_rtcp(packet), packet->payload_bytes);
	struct rtp_rtcp_part part;

	while (rtp_rtcp_next(&walk, &part) > 0) {
		if (rtp_sender_report_read(&part, sender) == 0)
			return true;
	}
	return false;
}

/** Rewrite a packet for the leg that it goes to. */
static void
packet_pass(struct worker *worker, struct packet *packet)
{
	struct stw_media *media = worker->media;
	union egress_map map = egress_offsets(media, packet->peer);
	struct rtp_sender_report sender;
	struct rtp_rtcp_mapping mapping;
	bool sends = sender_report_find(packet, &sender);

	if (sends && !is_heard(media, packet->leg, packet->peer, map)) {
		packet_drop(packet, STW_DROP_SUPERSEDED);
		return;
	}
	if (!packet_own(packet)) {
		packet_drop(packet, STW_DROP_NO_BUFFER);
		return;
	}
	mapping_make(media, packet->leg, packet->peer, map, &mapping);
	packet_rewrite(packet, &mapping);
	if (sends)
		report_given(worker, packet->peer, packet->leg, rtp_ntp_middle(sender.ntp));
}

static bool
ends_at(const struct stw_media *media, uint32_t leg)
{
	union leg_traits traits = {
		atomic_load_explicit(&media->routes[leg].traits, memory_order_relaxed)};

	return traits.features & LEG_RTCP_END;
}

void
stage_rtcp_pass(struct worker *worker, struct packet *packets, unsigned count)
{
	if (!worker->burst_rtcp)
		return;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];

		if (packet->verdict != PACKET_PENDING || packet->kind != PACKET_RTCP)
			continue;
		/* Leg 0, nobody, has no features. */
		if (packet->features & LEG_RTCP_END || ends_at(worker->media, packet->peer))
			packet->verdict = STW_PASS_TERMINATED_RTCP;
		else if (packet->peer)
			packet_pass(worker, packet);
	}
}
