/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is around a datagram of any kind.
 *
 *  label  where                            order    pairs with  without it
 *  R1     (remote6.c) remote: published    release  R2          -
 *  R2     remote: read                     acquire  R1          a row of the version before is taken for none
 *
 * A tag is written here even where a device could insert it: the headers are written anyway, so it costs
 * one store, and a device's driver would have to move them. The same holds for the header checksum of
 * IPv4. Only a UDP checksum that is made from nothing is worth a device's work, as it reads the whole
 * payload; where the payload's sum is known already, it is not.
 *
 * Source: RFC 8200 3, 8.1; RFC 791; RFC 768; IEEE 802.1Q 9.6 (tag); RFC 2474 4.2.2 (class selector, which
 * becomes the tag's priority); RFC 6437 3 (a flow label of 0: none).
 */
#include "envelope.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include "media/checksum.h"
#include "way.h"

/** Place of the priority in a tag, and bits of a code point below its class. */
#define TAG_PRIORITY_SHIFT 13
#define DSCP_CLASS_SHIFT   3

#define UDP_CHECKSUM_OFFSET offsetof(struct rte_udp_hdr, dgram_cksum)

/** Find the link address of an IPv6 endpoint. */
static uint8_t
resolve6(struct worker *worker, uint32_t local, struct envelope *envelope)
{
	struct hops6 *hops = &worker->media->addresses6[local].hops;
	const struct ip6 *hop = hops6_next(hops, &envelope->ips6[1]);
	uint32_t entry;

	if (!hop)
		return STW_DROP_NO_NEXT_HOP;
	envelope->mac = hops6_find_word(hops, hop);
	if (STW_LIKELY(envelope->mac))
		return PACKET_PENDING;
	if (hops6_ask(hops, hop, worker->now_ns, &entry))
		plane_want(worker->media, local, entry);
	return STW_DROP_NO_NEXT_HOP;
}

/** Find the link address of an IPv4 endpoint. */
static uint8_t
resolve4(struct worker *worker, uint32_t local, struct envelope *envelope)
{
	struct way way = {.ip = envelope->ips[1], .port = envelope->port};
	uint8_t verdict = way_resolve(worker, local, &way);

	envelope->mac = way.mac;
	envelope->ips_sum = (uint64_t)envelope->ips[0] + envelope->ips[1];
	return verdict;
}

/** Fill in the rest, when addresses and ports of the far side are known. */
static uint8_t
envelope_address(struct worker *worker, uint32_t local, struct envelope *envelope)
{
	const struct plane_address *address = &worker->media->addresses[local];

	envelope->family = address->family;
	envelope->vlan = address->vlan;
	envelope->out = address->port;
	if (!envelope->port)
		return STW_DROP_NO_REMOTE;
	if (address->family == 4) {
		envelope->ips[0] = address->ip;
		return resolve4(worker, local, envelope);
	}
	envelope->ips6[0] = worker->media->addresses6[local].ip;
	envelope->ips_sum = ip6_sum(&envelope->ips6[0]) + ip6_sum(&envelope->ips6[1]);
	return resolve6(worker, local, envelope);
}

uint8_t
envelope_to_leg(struct worker *worker, uint32_t leg, bool rtcp, struct envelope *envelope)
{
	const struct leg_route *to = &worker->media->routes[leg];
	union leg_traits traits = {atomic_load_explicit(&to->traits, memory_order_relaxed)};
	/* R2, pairs with R1: the row of this version is seen. */
	uint64_t remote = atomic_load_explicit(&to->remote, memory_order_acquire);

	envelope->dscp = traits.dscp;
	envelope->port = leg_remote_port(remote);
	envelope->local_port = to->local_port;
	envelope->ips[1] = leg_remote_ip(remote);
	if (remote & REMOTE_V6 &&
	    !remote6_read(&worker->media->remotes6[leg], remote, &envelope->ips6[1]))
		return STW_DROP_NO_REMOTE;
	if (rtcp && envelope->port)
		way_rtcp(worker->media, to, &envelope->port, &envelope->local_port);
	return envelope_address(worker, to->address, envelope);
}

uint8_t
envelope_to(struct worker *worker, uint32_t address, const struct datagram_target *target,
	    struct envelope *envelope)
{
	if (target->ip.family != worker->media->addresses[address].family)
		return STW_DROP_NO_REMOTE;
	envelope->dscp = target->dscp;
	envelope->port = target->port;
	envelope->local_port = target->local_port;
	memcpy(&envelope->ips[1], target->ip.bytes, sizeof(envelope->ips[1]));
	envelope->ips6[1] = ip6_read(target->ip.bytes);
	return envelope_address(worker, address, envelope);
}

static void
ipv4_write(const struct envelope *envelope, uint8_t *at, uint8_t congestion, uint16_t udp_bytes)
{
	struct rte_ipv4_hdr ip = {
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = (uint8_t)(envelope->dscp << 2 | congestion),
		.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(ip) + udp_bytes)),
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = WAY_TTL,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = envelope->ips[0],
		.dst_addr = envelope->ips[1],
	};

	ip.hdr_checksum =
		(uint16_t)~checksum_fold(checksum_add(0, (const uint8_t *)&ip, sizeof(ip)));
	memcpy(at, &ip, sizeof(ip));
}

static void
ipv6_write(const struct envelope *envelope, uint8_t *at, uint8_t congestion, uint16_t udp_bytes)
{
	struct rte_ipv6_hdr ip = {
		.vtc_flow = rte_cpu_to_be_32(6u << 28 | (uint32_t)(envelope->dscp << 2 | congestion)
								<< 20),
		.payload_len = rte_cpu_to_be_16(udp_bytes),
		.proto = IPPROTO_UDP,
		.hop_limits = WAY_TTL,
	};

	memcpy(at, &ip, offsetof(struct rte_ipv6_hdr, src_addr));
	memcpy(at + offsetof(struct rte_ipv6_hdr, src_addr), envelope->ips6,
	       sizeof(envelope->ips6));
}

void
envelope_write(const struct envelope *envelope, const struct plane_port *port, uint8_t *udp,
	       uint8_t congestion, uint16_t udp_bytes)
{
	uint8_t *at = udp - envelope_bytes(envelope);
	rte_be16_t type =
		rte_cpu_to_be_16(envelope->family == 6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);

	way_ether_write(at, envelope->mac, port->ether_source);
	at += offsetof(struct rte_ether_hdr, ether_type);
	if (envelope->vlan) {
		const rte_be16_t tag[2] = {
			rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN),
			rte_cpu_to_be_16((uint16_t)((uint32_t)envelope->dscp >>
							    DSCP_CLASS_SHIFT << TAG_PRIORITY_SHIFT |
						    envelope->vlan)),
		};

		memcpy(at, tag, sizeof(tag));
		at += sizeof(tag);
	}
	memcpy(at, &type, sizeof(type));
	at += sizeof(type);
	if (envelope->family == 6)
		ipv6_write(envelope, at, congestion, udp_bytes);
	else
		ipv4_write(envelope, at, congestion, udp_bytes);
}

/** Leave the checksum to the device, which wants the sum of the pseudo header in its place. */
static void
sign_by_device(const struct envelope *envelope, struct rte_mbuf *mbuf, uint8_t *udp, uint64_t sum)
{
	uint16_t pseudo = checksum_fold(sum);
	bool v6 = envelope->family == 6;

	memcpy(udp + UDP_CHECKSUM_OFFSET, &pseudo, sizeof(pseudo));
	mbuf->l3_len = v6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
	mbuf->l2_len = envelope_bytes(envelope) - mbuf->l3_len;
	mbuf->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM | (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
}

void
envelope_sign(const struct envelope *envelope, const struct plane_port *port, struct rte_mbuf *mbuf,
	      uint16_t udp_bytes, uint64_t payload_sum)
{
	uint8_t *udp = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, envelope_bytes(envelope));
	uint64_t sum =
		envelope->ips_sum + rte_cpu_to_be_16(IPPROTO_UDP) + rte_cpu_to_be_16(udp_bytes);
	uint16_t checksum;

	if (!payload_sum && port->udp_checksums) {
		sign_by_device(envelope, mbuf, udp, sum);
		return;
	}
	STW_DEBUG_ASSERT(payload_sum || mbuf->nb_segs == 1);
	if (!payload_sum)
		payload_sum = checksum_add(0, udp + sizeof(struct rte_udp_hdr),
					   udp_bytes - sizeof(struct rte_udp_hdr));
	/* The length counts in the pseudo header and in the header. */
	sum += payload_sum + envelope->local_port + envelope->port + rte_cpu_to_be_16(udp_bytes);
	checksum = (uint16_t)~checksum_fold(sum);
	checksum = checksum ? checksum : 0xffff;
	memcpy(udp + UDP_CHECKSUM_OFFSET, &checksum, sizeof(checksum));
}
