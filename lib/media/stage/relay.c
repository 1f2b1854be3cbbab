/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage relay: what a leg received is sent to the leg it is connected to, as if it came from that
 * leg's local port and of that leg's RTP stream (translate.h). Ethernet, IPv4, UDP and RTP headers are
 * rewritten in place; the payload is not touched. The TTL begins anew, options of IP and tags of received
 * frames stay behind. What is not IPv4 without a tag on both sides goes by rewrite.h.
 *
 * The checksum of UDP is changed by what changes, even where a device could make it: that reads a few words
 * which are in the cache, while asking a device costs it a look at the whole packet.
 *
 * What is held back (nobody is connected, or the leg connected to is sent no RTP) leaves no gap: the source
 * takes a new turn when it is heard again.
 *
 * Source: RFC 1624 (the UDP checksum changes with what it covers; 0, "none", stays), RFC 3550 11.
 */
#include "stages.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include "media/checksum.h"
#include "media/plane.h"
#include "media/rtcp/report.h"
#include "media/srtp/protect.h"
#include "rewrite.h"
#include "translate.h"
#include "way.h"

/** Where the UDP header of what is sent lies: behind Ethernet and IPv4 without options. */
#define RELAY_UDP_OFFSET (sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr))

/** Bits of the type-of-service byte that are not the code point: congestion, kept. */
#define ECN_MASK 0x03

/** What changes in a datagram, in words as they lie in memory. */
struct relay_words {
	uint64_t ips;   /**< source and destination */
	uint32_t ports; /**< source and destination */
};

static struct relay_words
words_of_way(const struct way *way)
{
	return (struct relay_words){.ips = (uint64_t)way->ip << 32 | way->local_ip,
				    .ports = (uint32_t)way->port << 16 | way->local_port};
}

/** Sum of two 32-bit words that lie side by side. */
static uint64_t
sum_of(uint64_t words)
{
	return (words & 0xffffffff) + (words >> 32);
}

/**
 * Write the UDP header's ports and change its checksum, which covers them and the words whose sums before
 * and after are given: addresses, and of RTP its header.
 */
static void
udp_rewrite(uint8_t *header, uint64_t sum_before, uint32_t ports, uint64_t sum)
{
	uint32_t ports_before;
	uint16_t checksum;

	memcpy(&ports_before, header, sizeof(ports_before));
	memcpy(&checksum, header + 6, sizeof(checksum));
	memcpy(header, &ports, sizeof(ports));
	if (STW_UNLIKELY(checksum == 0))
		return;
	checksum = checksum_update(checksum, sum_before + ports_before, sum + ports);
	checksum = checksum ? checksum : 0xffff;
	memcpy(header + 6, &checksum, sizeof(checksum));
}

/** Write an IPv4 header; its second word, identification and fragments, stays. */
static void
ip_rewrite(uint8_t *header, uint64_t ips, uint64_t ips_sum, uint8_t dscp, uint16_t bytes)
{
	uint32_t first, second, third = WAY_TTL | IPPROTO_UDP << 8;

	memcpy(&first, header, sizeof(first));
	memcpy(&second, header + 4, sizeof(second));
	first = RTE_IPV4_VHL_DEF | (first & ECN_MASK << 8) | (uint32_t)dscp << 10 |
		(uint32_t)rte_cpu_to_be_16(bytes) << 16;
	third |= (uint32_t)(uint16_t)~checksum_fold((uint64_t)first + second + third + ips_sum)
		 << 16;
	memcpy(header, &first, sizeof(first));
	memcpy(header + 8, &third, sizeof(third));
	memcpy(header + 12, &ips, sizeof(ips));
}

/** A tag or options: the IP header moves up to the UDP header. */
static STW_COLD void
headers_move(struct packet *packet)
{
	uint8_t *frame = rte_pktmbuf_mtod(packet->mbuf, uint8_t *);

	memmove(frame + packet->udp_offset - sizeof(struct rte_ipv4_hdr), frame + packet->ip_offset,
		sizeof(struct rte_ipv4_hdr));
	rte_pktmbuf_adj(packet->mbuf, (uint16_t)(packet->udp_offset - RELAY_UDP_OFFSET));
}

static __rte_always_inline void
packet_rewrite(struct packet *packet, const struct way *way, uint8_t dscp, uint64_t ether_source,
	       const struct translate_sums *sums)
{
	struct relay_words words = words_of_way(way);
	uint64_t ips_before, ips_sum = sum_of(words.ips);
	struct rte_mbuf *mbuf = packet->mbuf;
	uint8_t *frame, *ip;

	if (STW_UNLIKELY(packet->udp_offset != RELAY_UDP_OFFSET))
		headers_move(packet);
	frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	ip = frame + sizeof(struct rte_ether_hdr);
	memcpy(&ips_before, ip + offsetof(struct rte_ipv4_hdr, src_addr), sizeof(ips_before));
	udp_rewrite(frame + RELAY_UDP_OFFSET, sum_of(ips_before) + sums->before, words.ports,
		    ips_sum + sums->after);
	ip_rewrite(ip, words.ips, ips_sum, dscp,
		   (uint16_t)(sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr) +
			      packet->payload_bytes));
	way_ether_write(frame, way->mac, ether_source);
	/* What the receiving device said of its checksums is no longer true. */
	mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
}

/** RTP that nobody is to hear. */
static inline void
packet_hold(struct worker *worker, struct packet *packet, enum stw_verdict verdict)
{
	packet->verdict = (uint8_t)verdict;
	atomic_store_explicit(&worker->media->intakes[packet->leg].voice, 0, memory_order_relaxed);
}

/** Send a rewritten packet to a party that speaks SRTP. */
static __rte_noinline void
relay_secure(struct worker *worker, struct packet *packet, uint32_t port, bool rtcp)
{
	enum stw_verdict verdict = rtcp ? STW_PASS_RELAYED_RTCP : STW_PASS_RELAYED;

	packet->verdict = (uint8_t)verdict;
	packet->sent = 1;
	protect_send(worker, packet->peer, LEG_SRTP, packet->mbuf,
		     packet->mbuf->data_len - packet->payload_bytes, packet->payload_bytes, rtcp,
		     port, packet_note(packet, verdict));
}

/** Count a packet that has its new headers, and put it into the send queue. */
static __rte_always_inline void
packet_relayed(struct worker *worker, struct packet *packet, union leg_traits traits, uint32_t port,
	       bool rtcp)
{
	if (!rtcp) {
		worker_count_own(&worker->media->intakes[packet->leg].relayed, 1);
		if (STW_UNLIKELY(traits.features & LEG_RTCP_END))
			report_count(worker, packet->peer, packet->rtp.payload_bytes);
	}
	if (STW_UNLIKELY(traits.features & LEG_SRTP))
		relay_secure(worker, packet, port, rtcp);
	else
		packet_send(worker, packet, port, rtcp ? STW_PASS_RELAYED_RTCP : STW_PASS_RELAYED);
}

/** Relay a packet that comes or goes with IPv6 or on a VLAN. */
static __rte_noinline void
relay_other(struct worker *worker, struct packet *packet, union leg_traits traits, bool rtcp)
{
	struct translate_sums sums = {0};
	struct envelope envelope;
	uint8_t verdict = envelope_to_leg(worker, packet->peer, rtcp, &envelope);

	if (verdict == PACKET_PENDING && !rtcp)
		verdict = translate_rtp(worker, packet, traits, &sums);
	if (verdict == PACKET_PENDING)
		verdict = rewrite_packet(worker, packet, &envelope, &sums);
	if (verdict != PACKET_PENDING)
		packet_drop(packet, verdict);
	else
		packet_relayed(worker, packet, traits, envelope.out, rtcp);
}

/** Relay a packet; rtcp is a constant, so that the code of RTP has no look at the kind. */
static __rte_always_inline void
relay_packet(struct worker *worker, struct packet *packet, bool rtcp)
{
	struct stw_media *media = worker->media;
	struct leg_route *to = &media->routes[packet->peer];
	union leg_traits traits = {atomic_load_explicit(&to->traits, memory_order_relaxed)};
	uint32_t port = media->addresses[to->address].port;
	struct translate_sums sums = {0};
	struct way way;
	uint8_t verdict;

	if (!rtcp && STW_UNLIKELY(traits.features & LEG_NO_SEND)) {
		packet_hold(worker, packet, STW_DROP_DIRECTION);
		return;
	}
	if (STW_UNLIKELY((traits.features | packet->features) & LEG_FRAMES_OTHER)) {
		relay_other(worker, packet, traits, rtcp);
		return;
	}
	verdict = way_find(worker, to, rtcp, &way);
	if (!rtcp && STW_LIKELY(verdict == PACKET_PENDING))
		verdict = translate_rtp(worker, packet, traits, &sums);
	if (verdict != PACKET_PENDING) {
		packet_drop(packet, verdict);
		return;
	}
	packet_rewrite(packet, &way, traits.dscp, media->ports[port].ether_source, &sums);
	packet_relayed(worker, packet, traits, port, rtcp);
}

static STW_COLD void
relay_rtcp(struct worker *worker, struct packet *packet)
{
	uint32_t to = packet->peer;

	relay_packet(worker, packet, true);
	if (packet->sent)
		atomic_fetch_add_explicit(&worker->media->reports[to].sent, 1,
					  memory_order_relaxed);
}

void
stage_relay(struct worker *worker, struct packet *packets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];

		if (packet->verdict != PACKET_PENDING)
			continue;
		if (!packet->peer)
			packet_hold(worker, packet, STW_PASS_CONSUMED);
		else if (STW_LIKELY(packet->kind == PACKET_RTP))
			relay_packet(worker, packet, false);
		else
			relay_rtcp(worker, packet);
	}
}
