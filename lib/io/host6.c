/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMPv6 on ports that DPDK owns: neighbour discovery and echo.
 *
 * A solicitation for one of our addresses is answered, and its sender learnt. An advertisement makes
 * known what was asked for, and changes what is known when it says so; it makes nothing known that
 * nobody asked for. Routers are configured, so what they say of themselves is not looked at.
 *
 * Source: RFC 4861 7.1.1, 7.1.2 (which messages are valid), 7.2.2 to 7.2.6; RFC 4862 5.4 (duplicate
 * address detection); RFC 4443 2.3, 4.1, 4.2; RFC 3810 5.1, 6.2 (queries for listeners).
 */
#include "host6.h"

#include "announce.h"
#include "media/plane.h"
#include "media/stage/parse.h"
#include "nd.h"

#define ECHO_REQUEST 128
#define ECHO_REPLY   129

/** Bytes of an echo message without its data. */
#define ECHO_BYTES 8

/** Bytes of a query for listeners, at least. Source: RFC 3810 8.1. */
#define ND_QUERY_BYTES 24

/** Hop limit of what is not neighbour discovery. */
#define HOST_HOP_LIMIT 64

/** Identifier of a VLAN in its tag. */
#define VLAN_ID_MASK 0x0fff

/** A message of neighbour discovery, read. */
struct discovery {
	struct ip6 from;
	struct ip6 to;
	struct ip6 target;
	struct rte_ether_addr mac; /**< of its option */
	bool has_mac;
	bool has_option; /**< of the kind looked for, whatever is in it */
	rte_be32_t flags;
	uint16_t vlan;
};

static bool
ip_is_multicast(const struct ip6 *ip)
{
	return *(const uint8_t *)ip == 0xff;
}

static bool
ip_is_unspecified(const struct ip6 *ip)
{
	return (ip->words[0] | ip->words[1]) == 0;
}

/** VLAN of the frame that a packet is in; 0: none. */
static uint16_t
packet_vlan(const struct packet *packet)
{
	uint16_t tci;

	if (packet->ip_offset == sizeof(struct rte_ether_hdr))
		return 0;
	tci = rte_be_to_cpu_16(rte_pktmbuf_mtod_offset(packet->mbuf, const struct rte_vlan_hdr *,
						       sizeof(struct rte_ether_hdr))
				       ->vlan_tci);
	return tci & VLAN_ID_MASK;
}

/** Look through the options for a link address; false when they are broken. */
static bool
options_read(const uint8_t *options, size_t bytes, uint8_t type, struct discovery *discovery)
{
	while (bytes) {
		size_t length = bytes < 2 ? 0 : 8u * options[1];

		if (length == 0 || length > bytes)
			return false;
		if (options[0] == type && length == sizeof(struct nd_link)) {
			memcpy(&discovery->mac, options + 2, sizeof(discovery->mac));
			discovery->has_option = true;
			discovery->has_mac = rte_is_valid_assigned_ether_addr(&discovery->mac);
		}
		options += length;
		bytes -= length;
	}
	return true;
}

/** Read what both messages have; false when it is not valid. */
static bool
discovery_read(const struct packet *packet, const struct rte_ipv6_hdr *ip,
	       struct discovery *discovery)
{
	const struct nd_message *message = rte_pktmbuf_mtod_offset(
		packet->mbuf, const struct nd_message *, packet->udp_offset);
	uint8_t option = message->type == ND_SOLICITATION ? ND_OPTION_SOURCE : ND_OPTION_TARGET;

	*discovery = (struct discovery){.vlan = packet_vlan(packet)};
	if (ip->hop_limits != ND_HOP_LIMIT || message->code != 0 ||
	    packet->payload_bytes < sizeof(*message))
		return false;
	discovery->from = ip6_read(ip->src_addr);
	discovery->to = ip6_read(ip->dst_addr);
	discovery->target = ip6_read(&message->target);
	discovery->flags = message->flags;
	return !ip_is_multicast(&discovery->target) && !ip_is_multicast(&discovery->from) &&
	       options_read((const uint8_t *)(message + 1),
			    packet->payload_bytes - sizeof(*message), option, discovery);
}

/** Turn a solicitation into its answer. */
static void
solicitation_answer(struct worker *worker, struct packet *packet, const struct discovery *asked)
{
	const struct rte_ether_hdr *ether =
		rte_pktmbuf_mtod(packet->mbuf, const struct rte_ether_hdr *);
	struct nd_note note = {.type = ND_ADVERTISEMENT,
			       .vlan = asked->vlan,
			       .flags = ND_OVERRIDE | ND_SOLICITED,
			       .from = asked->target,
			       .to = asked->from,
			       .target = asked->target,
			       .mac = asked->has_mac ? asked->mac : ether->src_addr,
			       .own_mac = worker->media->ports[worker->port].mac};

	if (ip_is_unspecified(&asked->from)) {
		/* Somebody is about to take our address: all are told whose it is. */
		note.flags = ND_OVERRIDE;
		note.to = nd_all_nodes();
		note.mac = nd_multicast_mac(&note.to);
	}
	if (!nd_write(packet->mbuf, &note)) {
		packet_drop(packet, STW_DROP_NO_BUFFER);
		return;
	}
	packet->mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
	packet_send(worker, packet, worker->port, STW_PASS_HOST);
}

static void
host_solicitation(struct worker *worker, struct packet *packet, const struct rte_ipv6_hdr *ip)
{
	struct discovery asked;
	struct ip6 group;
	uint32_t found;

	if (!discovery_read(packet, ip, &asked)) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return;
	}
	group = nd_solicited_node(&asked.target);
	if (ip_is_unspecified(&asked.from) && (asked.has_option || !ip6_is(&asked.to, &group))) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return;
	}
	found = plane_address6_find(worker->media, &asked.target);
	if (!found || !parse_address_is_here(worker, found - 1, asked.vlan)) {
		packet_drop(packet, STW_DROP_NOT_OURS);
		return;
	}
	if (asked.has_mac && ip6_can_be_a_party(&asked.from))
		hops6_learn(&worker->media->addresses6[found - 1].hops, &asked.from, &asked.mac);
	solicitation_answer(worker, packet, &asked);
}

/** What an advertisement says, for one local address. */
static void
advertisement_learn(struct hops6 *hops, const struct discovery *told)
{
	if (hops6_ask_pends(hops, &told->target) ||
	    ((told->flags & ND_OVERRIDE) && hops6_find_word(hops, &told->target)))
		hops6_learn(hops, &told->target, &told->mac);
}

static void
host_advertisement(struct worker *worker, struct packet *packet, const struct rte_ipv6_hdr *ip)
{
	struct stw_media *media = worker->media;
	struct discovery told;

	if (!discovery_read(packet, ip, &told) ||
	    (ip_is_multicast(&told.to) && (told.flags & ND_SOLICITED))) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return;
	}
	for (uint32_t i = 0; told.has_mac && i < media->addresses_count; i++) {
		if (media->addresses[i].family == 6 && parse_address_is_here(worker, i, told.vlan))
			advertisement_learn(&media->addresses6[i].hops, &told);
	}
	packet->verdict = STW_PASS_HOST;
}

/** Turn an echo request into its reply; one to a multicast address is answered by a local address. */
static void
echo6_answer(struct worker *worker, struct packet *packet)
{
	const struct ip6 *own = &worker->media->addresses6[packet->address].ip;
	struct rte_ether_hdr *ether;
	struct rte_ipv6_hdr *ip;
	uint8_t *echo;
	uint16_t sum;

	parse_extensions_remove(packet, IPPROTO_ICMPV6);
	ether = rte_pktmbuf_mtod(packet->mbuf, struct rte_ether_hdr *);
	ip = rte_pktmbuf_mtod_offset(packet->mbuf, struct rte_ipv6_hdr *, packet->ip_offset);
	echo = (uint8_t *)(ip + 1);
	memcpy(ip->dst_addr, ip->src_addr, sizeof(ip->dst_addr));
	memcpy(ip->src_addr, own, sizeof(ip->src_addr));
	ip->hop_limits = HOST_HOP_LIMIT;
	echo[0] = ECHO_REPLY;
	memset(echo + 2, 0, sizeof(sum));
	sum = (uint16_t)~nd_sum(ip, echo, packet->payload_bytes);
	memcpy(echo + 2, &sum, sizeof(sum));
	ether->dst_addr = ether->src_addr;
	ether->src_addr = worker->media->ports[worker->port].mac;
	packet->mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
	packet_send(worker, packet, worker->port, STW_PASS_HOST);
}

static void
host_echo6(struct worker *worker, struct packet *packet, const struct rte_ipv6_hdr *ip)
{
	struct ip6 from = ip6_read(ip->src_addr);

	if (packet->payload_bytes < ECHO_BYTES || ip_is_multicast(&from) ||
	    ip_is_unspecified(&from))
		packet_drop(packet, STW_DROP_MALFORMED);
	else
		echo6_answer(worker, packet);
}

/** Who listens is asked: worker 0 tells it. The kernel may have groups of its own, so it sees that, too. */
static void
host_query(struct worker *worker, struct packet *packet, const struct rte_ipv6_hdr *ip)
{
	struct ip6 from = ip6_read(ip->src_addr);
	uint16_t vlan = packet_vlan(packet);
	uint64_t listeners = 0;

	if (ip->hop_limits != 1 || !ip6_is_link_local(&from) ||
	    packet->payload_bytes < ND_QUERY_BYTES) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return;
	}
	for (uint32_t i = 0; i < worker->media->addresses_count; i++) {
		if (worker->media->addresses[i].family == 6 &&
		    parse_address_is_here(worker, i, vlan))
			listeners |= UINT64_C(1) << i;
	}
	announce_report(worker, listeners);
	packet->verdict = STW_PASS_HOST;
}

void
host6_icmp(struct worker *worker, struct packet *packet)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(
		packet->mbuf, const struct rte_ipv6_hdr *, packet->ip_offset);
	const uint8_t *message =
		rte_pktmbuf_mtod_offset(packet->mbuf, const uint8_t *, packet->udp_offset);

	if (packet->payload_bytes < 4)
		packet_drop(packet, STW_DROP_MALFORMED);
	else if (nd_sum(ip, message, packet->payload_bytes) != 0xffff)
		packet_drop(packet, STW_DROP_CHECKSUM);
	else if (message[0] == ND_SOLICITATION)
		host_solicitation(worker, packet, ip);
	else if (message[0] == ND_ADVERTISEMENT)
		host_advertisement(worker, packet, ip);
	else if (message[0] == ND_LISTENER_QUERY)
		host_query(worker, packet, ip);
	else if (message[0] == ECHO_REQUEST && message[1] == 0)
		host_echo6(worker, packet, ip);
	else
		packet_drop(packet, STW_DROP_NOT_OURS);
}

/** What every message of ours has. */
static struct nd_note
own_note(const struct stw_media *media, uint32_t address, uint8_t type)
{
	const struct plane_address *local = &media->addresses[address];

	return (struct nd_note){.type = type,
				.vlan = local->vlan,
				.from = media->addresses6[address].ip,
				.own_mac = media->ports[local->port].mac};
}

bool
host6_question_write(const struct stw_media *media, uint32_t address, const struct ip6 *hop,
		     struct rte_mbuf *mbuf)
{
	struct nd_note note = own_note(media, address, ND_SOLICITATION);

	note.to = nd_solicited_node(hop);
	note.mac = nd_multicast_mac(&note.to);
	note.target = *hop;
	return nd_write(mbuf, &note);
}

bool
host6_announcement_write(const struct stw_media *media, uint32_t address, struct rte_mbuf *mbuf)
{
	struct nd_note note = own_note(media, address, ND_ADVERTISEMENT);

	note.flags = ND_OVERRIDE;
	note.to = nd_all_nodes();
	note.mac = nd_multicast_mac(&note.to);
	note.target = note.from;
	return nd_write(mbuf, &note);
}

bool
host6_report_write(const struct stw_media *media, uint32_t address, struct rte_mbuf *mbuf)
{
	struct nd_note note = own_note(media, address, ND_LISTENER_REPORT);

	note.target = note.from;
	return nd_report_write(mbuf, &note);
}
