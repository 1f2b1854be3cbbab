/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage relay: what a leg received is sent to the leg it is connected to, as if it came from that
 * leg's local port. Ethernet, IPv4 and UDP headers are rewritten in place; the payload is not
 * touched. The TTL begins anew, options of IP and VLAN tags stay behind. RTCP goes to the port after
 * the remote RTP port.
 *
 * Source: RFC 1624 (the UDP checksum changes with what it covers; 0, "none", stays), RFC 3550 11.
 */
#include "stages.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include "media/checksum.h"
#include "media/plane.h"
#include "way.h"

#define RELAY_TTL 64

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

/** Write the UDP header's ports and change its checksum, which covers them and the addresses. */
static void
udp_rewrite(uint8_t *header, uint64_t ips_sum_before, uint32_t ports, uint64_t ips_sum)
{
	uint32_t ports_before;
	uint16_t checksum;

	memcpy(&ports_before, header, sizeof(ports_before));
	memcpy(&checksum, header + 6, sizeof(checksum));
	memcpy(header, &ports, sizeof(ports));
	if (STW_UNLIKELY(checksum == 0))
		return;
	checksum = checksum_update(checksum, ips_sum_before + ports_before, ips_sum + ports);
	checksum = checksum ? checksum : 0xffff;
	memcpy(header + 6, &checksum, sizeof(checksum));
}

/** Write an IPv4 header; its second word, identification and fragments, stays. */
static void
ip_rewrite(uint8_t *header, uint64_t ips, uint64_t ips_sum, uint8_t dscp, uint16_t bytes)
{
	uint32_t first, second, third = RELAY_TTL | IPPROTO_UDP << 8;

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
packet_rewrite(struct packet *packet, const struct way *way, uint8_t dscp, uint64_t ether_source)
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
	udp_rewrite(frame + RELAY_UDP_OFFSET, sum_of(ips_before), words.ports, ips_sum);
	ip_rewrite(ip, words.ips, ips_sum, dscp,
		   (uint16_t)(sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr) +
			      packet->payload_bytes));
	way_ether_write(frame, way->mac, ether_source);
	/* What the receiving device said of its checksums is no longer true. */
	mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
}

/** Relay a packet; rtcp is a constant, so that the code of RTP has no look at the kind. */
static __rte_always_inline void
relay_packet(struct worker *worker, struct packet *packet, bool rtcp)
{
	struct stw_media *media = worker->media;
	struct leg_route *to = &media->routes[packet->peer];
	union leg_traits traits = {atomic_load_explicit(&to->traits, memory_order_relaxed)};
	uint32_t port = media->addresses[to->address].port;
	struct way way;
	uint8_t verdict = way_find(worker, to, rtcp, &way);

	if (verdict != PACKET_PENDING) {
		packet_drop(packet, verdict);
		return;
	}
	packet_rewrite(packet, &way, traits.dscp, media->ports[port].ether_source);
	if (rtcp) {
		packet_send(worker, packet, port, STW_PASS_RELAYED_RTCP);
		return;
	}
	worker_count_own(&media->intakes[packet->leg].relayed, 1);
	packet_send(worker, packet, port, STW_PASS_RELAYED);
}

static STW_COLD void
relay_rtcp(struct worker *worker, struct packet *packet)
{
	relay_packet(worker, packet, true);
}

void
stage_relay(struct worker *worker, struct packet *packets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];

		if (packet->verdict != PACKET_PENDING)
			continue;
		if (!packet->peer)
			packet->verdict = STW_PASS_CONSUMED;
		else if (STW_LIKELY(packet->kind == PACKET_RTP))
			relay_packet(worker, packet, false);
		else
			relay_rtcp(worker, packet);
	}
}
