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

static void
udp_rewrite(struct rte_udp_hdr *udp, const struct way *way, uint64_t ips_before)
{
	uint64_t before = ips_before + udp->src_port + udp->dst_port;
	uint64_t after = (uint64_t)way->local_ip + way->ip + way->local_port + way->port;

	udp->src_port = way->local_port;
	udp->dst_port = way->port;
	if (udp->dgram_cksum == 0)
		return;
	udp->dgram_cksum = checksum_update(udp->dgram_cksum, before, after);
	if (udp->dgram_cksum == 0)
		udp->dgram_cksum = 0xffff;
}

static void
packet_rewrite(struct packet *packet, const struct way *way, uint8_t dscp,
	       const struct rte_ether_addr *source)
{
	size_t headers = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr);
	struct rte_mbuf *mbuf = packet->mbuf;
	struct rte_udp_hdr *udp =
		rte_pktmbuf_mtod_offset(mbuf, struct rte_udp_hdr *, packet->udp_offset);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)udp - 1;
	struct rte_ether_hdr *ether = (struct rte_ether_hdr *)ip - 1;

	if (STW_UNLIKELY(packet->udp_offset != headers)) {
		/* A tag or options: the headers move up to the UDP header. */
		memmove(ip, rte_pktmbuf_mtod_offset(mbuf, void *, packet->ip_offset), sizeof(*ip));
		rte_pktmbuf_adj(mbuf, (uint16_t)(packet->udp_offset - headers));
	}
	udp_rewrite(udp, way, (uint64_t)ip->src_addr + ip->dst_addr);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->type_of_service = (uint8_t)(dscp << 2 | (ip->type_of_service & ECN_MASK));
	ip->total_length =
		rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + sizeof(*udp) + packet->payload_bytes));
	ip->time_to_live = RELAY_TTL;
	ip->src_addr = way->local_ip;
	ip->dst_addr = way->ip;
	ip->hdr_checksum = 0;
	ip->hdr_checksum =
		(uint16_t)~checksum_fold(checksum_add(0, (const uint8_t *)ip, sizeof(*ip)));
	ether->dst_addr = way->mac;
	ether->src_addr = *source;
	ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
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
	packet_rewrite(packet, &way, traits.dscp, &media->ports[port].mac);
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
