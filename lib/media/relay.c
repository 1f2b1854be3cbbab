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

#include "checksum.h"
#include "plane.h"
#include "way.h"

#define RELAY_TTL 64

/** Bits of the type-of-service byte that are not the code point: congestion, kept. */
#define ECN_MASK 0x03

/** UDP header in words, as they lie in memory. */
struct udp_words {
	uint16_t source;
	uint16_t destination;
	uint16_t bytes;
	uint16_t checksum;
};

static void
udp_rewrite(uint8_t *header, const struct way *way, uint64_t ips_before)
{
	struct udp_words udp;
	uint64_t before, after;

	memcpy(&udp, header, sizeof(udp));
	before = ips_before + udp.source + udp.destination;
	after = (uint64_t)way->local_ip + way->ip + way->local_port + way->port;
	udp.source = way->local_port;
	udp.destination = way->port;
	if (STW_LIKELY(udp.checksum)) {
		udp.checksum = checksum_update(udp.checksum, before, after);
		if (udp.checksum == 0)
			udp.checksum = 0xffff;
	}
	memcpy(header, &udp, sizeof(udp));
}

/** First and third word of an IPv4 header, from what changes in them. */
static uint32_t
ip_first_word(uint8_t type_of_service, uint16_t bytes)
{
	return RTE_IPV4_VHL_DEF | (uint32_t)type_of_service << 8 |
	       (uint32_t)rte_cpu_to_be_16(bytes) << 16;
}

static uint32_t
ip_third_word(uint16_t checksum)
{
	return RELAY_TTL | IPPROTO_UDP << 8 | (uint32_t)checksum << 16;
}

/** Write an IPv4 header in words; the second one, identification and fragments, stays. */
static void
ip_rewrite(uint8_t *header, const struct way *way, uint8_t type_of_service, uint16_t bytes)
{
	uint32_t words[5];
	uint64_t sum;

	memcpy(&words[1], header + 4, sizeof(words[1]));
	words[0] = ip_first_word(type_of_service, bytes);
	words[3] = way->local_ip;
	words[4] = way->ip;
	sum = (uint64_t)words[0] + words[1] + ip_third_word(0) + words[3] + words[4];
	words[2] = ip_third_word((uint16_t)~checksum_fold(sum));
	memcpy(header, words, sizeof(words));
}

static void
packet_rewrite(struct packet *packet, const struct way *way, uint8_t dscp, uint64_t ether_source)
{
	size_t headers = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr);
	struct rte_mbuf *mbuf = packet->mbuf;
	uint8_t *udp = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, packet->udp_offset);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)udp - 1;

	if (STW_UNLIKELY(packet->udp_offset != headers)) {
		/* A tag or options: the headers move up to the UDP header. */
		memmove(ip, rte_pktmbuf_mtod_offset(mbuf, void *, packet->ip_offset), sizeof(*ip));
		rte_pktmbuf_adj(mbuf, (uint16_t)(packet->udp_offset - headers));
	}
	udp_rewrite(udp, way, (uint64_t)ip->src_addr + ip->dst_addr);
	ip_rewrite((uint8_t *)ip, way, (uint8_t)(dscp << 2 | (ip->type_of_service & ECN_MASK)),
		   (uint16_t)(sizeof(*ip) + sizeof(struct rte_udp_hdr) + packet->payload_bytes));
	way_ether_write((uint8_t *)ip - sizeof(struct rte_ether_hdr), way->mac, ether_source);
	/* What the receiving device said of its checksums is no longer true. */
	mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
}

static void
relay_packet(struct worker *worker, struct packet *packet)
{
	struct stw_media *media = worker->media;
	struct leg_route *to = &media->routes[packet->peer];
	union leg_traits traits = {atomic_load_explicit(&to->traits, memory_order_relaxed)};
	uint32_t port = media->addresses[to->address].port;
	struct way way;
	uint8_t verdict = way_find(worker, to, packet->kind == PACKET_RTCP, &way);

	if (verdict != PACKET_PENDING) {
		packet_drop(packet, verdict);
		return;
	}
	packet_rewrite(packet, &way, traits.dscp, media->ports[port].ether_source);
	if (packet->kind == PACKET_RTCP) {
		packet_send(worker, packet, port, STW_PASS_RELAYED_RTCP);
		return;
	}
	worker_count_own(&media->intakes[packet->leg].relayed, 1);
	packet_send(worker, packet, port, STW_PASS_RELAYED);
}

void
stage_relay(struct worker *worker, struct packet *packets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];

		if (packet->verdict != PACKET_PENDING)
			continue;
		if (packet->peer)
			relay_packet(worker, packet);
		else
			packet->verdict = STW_PASS_CONSUMED;
	}
}
