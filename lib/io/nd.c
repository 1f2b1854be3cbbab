/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Making messages of IPv6 neighbour discovery.
 */
#include "nd.h"

#include <netinet/in.h>
#include <string.h>

#include "media/checksum.h"

#define IP_VERSION RTE_BE32(UINT32_C(6) << 28)

/** Options of the hop-by-hop header of a listener report. */
#define ROUTER_ALERT 5
#define PAD_N        1

/** Type of its record: all sources are listened to. Source: RFC 3810 5.2.12. */
#define IS_EXCLUDE 2

struct ip6
nd_all_nodes(void)
{
	static const uint8_t bytes[IP6_BYTES] = {0xff, 2, [15] = 1};

	return ip6_read(bytes);
}

struct ip6
nd_solicited_node(const struct ip6 *ip)
{
	uint8_t bytes[IP6_BYTES] = {0xff, 2, [11] = 1, 0xff};

	memcpy(bytes + 13, (const uint8_t *)ip + 13, 3);
	return ip6_read(bytes);
}

struct rte_ether_addr
nd_multicast_mac(const struct ip6 *ip)
{
	struct rte_ether_addr mac = {{0x33, 0x33}};

	memcpy(mac.addr_bytes + 2, (const uint8_t *)ip + 12, 4);
	return mac;
}

uint16_t
nd_sum(const struct rte_ipv6_hdr *ip, const void *message, uint16_t bytes)
{
	uint64_t sum = checksum_add(rte_cpu_to_be_16(IPPROTO_ICMPV6) + rte_cpu_to_be_16(bytes),
				    ip->src_addr, 2 * IP6_BYTES);

	return checksum_fold(checksum_add(sum, message, bytes));
}

/** Ethernet header with a tag or none; returns what is behind it. */
static uint8_t *
ether_write(uint8_t *frame, const struct nd_note *note)
{
	const rte_be16_t tag[2] = {rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN),
				   rte_cpu_to_be_16(note->vlan)};
	const rte_be16_t type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);

	memcpy(frame, &note->mac, sizeof(note->mac));
	memcpy(frame + RTE_ETHER_ADDR_LEN, &note->own_mac, sizeof(note->own_mac));
	frame += 2 * RTE_ETHER_ADDR_LEN;
	if (note->vlan) {
		memcpy(frame, tag, sizeof(tag));
		frame += sizeof(tag);
	}
	memcpy(frame, &type, sizeof(type));
	return frame + sizeof(type);
}

/** Put headers and body into a buffer; false when it has no room. */
static bool
frame_write(struct rte_mbuf *mbuf, const struct nd_note *note, const struct rte_ipv6_hdr *ip,
	    const void *body)
{
	size_t body_bytes = rte_be_to_cpu_16(ip->payload_len);
	size_t bytes = sizeof(struct rte_ether_hdr) + sizeof(*ip) + body_bytes +
		       (note->vlan ? sizeof(struct rte_vlan_hdr) : 0);
	uint8_t *at;

	if (mbuf->buf_len - mbuf->data_off < (int)bytes)
		return false;
	at = ether_write(rte_pktmbuf_mtod(mbuf, uint8_t *), note);
	memcpy(at, ip, sizeof(*ip));
	memcpy(at + sizeof(*ip), body, body_bytes);
	mbuf->data_len = (uint16_t)bytes;
	mbuf->pkt_len = (uint32_t)bytes;
	return true;
}

bool
nd_report_write(struct rte_mbuf *mbuf, const struct nd_note *note)
{
	struct {
		uint8_t options[8];
		struct {
			uint8_t type;
			uint8_t code;
			rte_be16_t checksum;
			rte_be16_t reserved;
			rte_be16_t records;
			uint8_t record; /**< its type */
			uint8_t extra_words;
			rte_be16_t sources;
			struct ip6 group;
		} __rte_packed report;
	} __rte_packed body = {
		.options = {IPPROTO_ICMPV6, 0, ROUTER_ALERT, 2, 0, 0, PAD_N, 0},
		.report = {.type = ND_LISTENER_REPORT,
			   .records = RTE_BE16(1),
			   .record = IS_EXCLUDE,
			   .group = nd_solicited_node(&note->target)},
	};
	struct rte_ipv6_hdr ip = {.vtc_flow = IP_VERSION,
				  .payload_len = rte_cpu_to_be_16(sizeof(body)),
				  .proto = IPPROTO_HOPOPTS,
				  .hop_limits = 1,
				  .dst_addr = {0xff, 2, [15] = 0x16}};
	struct ip6 to = ip6_read(ip.dst_addr);
	struct nd_note to_routers = *note;

	body.report.checksum = (uint16_t)~nd_sum(&ip, (const uint8_t *)&body + sizeof(body.options),
						 sizeof(body.report));
	to_routers.mac = nd_multicast_mac(&to);
	return frame_write(mbuf, &to_routers, &ip, &body);
}

bool
nd_write(struct rte_mbuf *mbuf, const struct nd_note *note)
{
	struct {
		struct nd_message message;
		struct nd_link link;
	} body = {
		.message = {.type = note->type, .flags = note->flags, .target = note->target},
		.link = {.type = note->type == ND_SOLICITATION ? ND_OPTION_SOURCE
							       : ND_OPTION_TARGET,
			 .length = 1,
			 .mac = note->own_mac},
	};
	struct rte_ipv6_hdr ip = {.vtc_flow = IP_VERSION,
				  .payload_len = rte_cpu_to_be_16(sizeof(body)),
				  .proto = IPPROTO_ICMPV6,
				  .hop_limits = ND_HOP_LIMIT};

	memcpy(ip.src_addr, &note->from, sizeof(ip.src_addr));
	memcpy(ip.dst_addr, &note->to, sizeof(ip.dst_addr));
	body.message.checksum = (uint16_t)~nd_sum(&ip, &body, sizeof(body));
	return frame_write(mbuf, note, &ip, &body);
}
