/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP and ICMP echo for the local addresses; ICMPv6 is in host6.c.
 *
 * What ARP tells is learnt when it is spoken to us: answers, and questions for one of our addresses. What
 * is said to others changes only what is known: a host that announces that it has taken over an address
 * is believed, nobody new is learnt. Answers and questions carry the tag of the address's VLAN.
 *
 * Source: RFC 826, RFC 792, RFC 1122 3.2.2.6 (an echo is answered with the same data).
 */
#include "host.h"

#include <string.h>

#include <rte_arp.h>
#include <rte_icmp.h>
#include <rte_ip.h>

#include "announce.h"
#include "host6.h"
#include "media/checksum.h"
#include "media/overload.h"
#include "media/plane.h"

#define HOST_TTL 64

/** Identifier of a VLAN in its tag; 0: only a priority. */
#define VLAN_ID_MASK 0x0fff

/** Octets of a frame without its check sequence, at least. */
#define FRAME_BYTES_MIN 60

/** VLAN of a frame with one tag or none; 0: none. */
static uint16_t
frame_vlan(const struct rte_mbuf *mbuf)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *);
	const struct rte_vlan_hdr *tag = (const struct rte_vlan_hdr *)(ether + 1);

	if (ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN))
		return 0;
	return rte_be_to_cpu_16(tag->vlan_tci) & VLAN_ID_MASK;
}

/** Address index and one of an IP address on the burst's port and that VLAN; 0: none. */
static uint32_t
own_address(const struct worker *worker, rte_be32_t ip, uint16_t vlan)
{
	uint32_t found = plane_address_find(worker->media, ip);

	return found && worker->media->addresses[found - 1].port == worker->port &&
			       worker->media->addresses[found - 1].vlan == vlan
		       ? found
		       : 0;
}

static bool
arp_is_of_ipv4(const struct rte_arp_hdr *arp)
{
	return arp->arp_hardware == rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) &&
	       arp->arp_protocol == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) &&
	       arp->arp_hlen == RTE_ETHER_ADDR_LEN && arp->arp_plen == sizeof(rte_be32_t);
}

static void
arp_learn(struct worker *worker, uint32_t address, const struct rte_arp_hdr *arp)
{
	struct hops *hops = &worker->media->addresses[address].hops;

	if (rte_is_unicast_ether_addr(&arp->arp_data.arp_sha))
		hops_learn(hops, rte_be_to_cpu_32(arp->arp_data.arp_sip), &arp->arp_data.arp_sha);
}

/** Note a changed link address of a next hop that is known, from what is said to others. */
static void
arp_follow(struct worker *worker, uint16_t vlan, const struct rte_arp_hdr *arp)
{
	uint32_t from = rte_be_to_cpu_32(arp->arp_data.arp_sip);
	struct stw_media *media = worker->media;

	for (uint32_t i = 0; i < media->addresses_count; i++) {
		const struct plane_address *address = &media->addresses[i];

		if (address->family == 4 && address->port == worker->port &&
		    address->vlan == vlan && hops_next(&address->hops, from) == from &&
		    hops_find_word(&address->hops, from))
			arp_learn(worker, i, arp);
	}
}

/** Turn a question into its answer. */
static void
arp_answer(struct worker *worker, struct packet *packet, struct rte_arp_hdr *arp)
{
	const struct rte_ether_addr *own = &worker->media->ports[worker->port].mac;
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet->mbuf, struct rte_ether_hdr *);
	rte_be32_t own_ip = arp->arp_data.arp_tip;

	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sha = *own;
	arp->arp_data.arp_sip = own_ip;
	ether->dst_addr = arp->arp_data.arp_tha;
	ether->src_addr = *own;
	packet_send(worker, packet, worker->port, STW_PASS_HOST);
}

static void
host_arp(struct worker *worker, struct packet *packet)
{
	uint16_t vlan = frame_vlan(packet->mbuf);
	struct rte_arp_hdr *arp;
	uint32_t address;

	/* The answer is made in the question's frame, so it has the same tag. */
	arp = rte_pktmbuf_mtod_offset(packet->mbuf, struct rte_arp_hdr *, packet->udp_offset);
	if (!arp_is_of_ipv4(arp)) {
		packet_drop(packet, STW_DROP_MALFORMED);
		return;
	}
	address = own_address(worker, arp->arp_data.arp_tip, vlan);
	if (!address) {
		arp_follow(worker, vlan, arp);
		packet_drop(packet, STW_DROP_NOT_OURS);
		return;
	}
	arp_learn(worker, address - 1, arp);
	if (arp->arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST))
		arp_answer(worker, packet, arp);
	else
		packet->verdict = STW_PASS_HOST;
}

/** Turn an echo request into its reply. */
static void
echo_answer(struct worker *worker, struct packet *packet, struct rte_icmp_hdr *icmp)
{
	struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(packet->mbuf, struct rte_ipv4_hdr *, packet->ip_offset);
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet->mbuf, struct rte_ether_hdr *);
	size_t ip_bytes = packet->udp_offset - packet->ip_offset;
	rte_be32_t own_ip = ip->dst_addr;

	icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	icmp->icmp_cksum = 0;
	icmp->icmp_cksum = (uint16_t)~checksum_fold(
		checksum_add(0, (const uint8_t *)icmp, packet->payload_bytes));
	ip->dst_addr = ip->src_addr;
	ip->src_addr = own_ip;
	ip->time_to_live = HOST_TTL;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~checksum_fold(checksum_add(0, (const uint8_t *)ip, ip_bytes));
	ether->dst_addr = ether->src_addr;
	ether->src_addr = worker->media->ports[worker->port].mac;
	packet->mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
	packet_send(worker, packet, worker->port, STW_PASS_HOST);
}

static void
host_icmp(struct worker *worker, struct packet *packet)
{
	struct rte_icmp_hdr *icmp =
		rte_pktmbuf_mtod_offset(packet->mbuf, struct rte_icmp_hdr *, packet->udp_offset);

	if (overload_sheds(worker, OVERLOAD_NEW))
		packet_drop(packet, STW_DROP_OVERLOAD);
	else if (packet->payload_bytes < sizeof(*icmp))
		packet_drop(packet, STW_DROP_MALFORMED);
	else if (checksum_fold(checksum_add(0, (const uint8_t *)icmp, packet->payload_bytes)) !=
		 0xffff)
		packet_drop(packet, STW_DROP_CHECKSUM);
	else if (icmp->icmp_type != RTE_IP_ICMP_ECHO_REQUEST || icmp->icmp_code != 0)
		packet_drop(packet, STW_DROP_NOT_OURS);
	else
		echo_answer(worker, packet, icmp);
}

void
host_stage(struct worker *worker, struct packet *packets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];

		if (packet->verdict != PACKET_PENDING || packet->kind == PACKET_UDP)
			continue;
		if (packet->kind == PACKET_ARP)
			host_arp(worker, packet);
		else if (packet->kind == PACKET_ICMP)
			host_icmp(worker, packet);
		else
			host6_icmp(worker, packet);
	}
}

bool
host_question_write(const struct stw_media *media, uint32_t index, rte_be32_t target,
		    struct rte_mbuf *mbuf)
{
	const struct plane_address *address = &media->addresses[index];
	const struct rte_ether_addr *own = &media->ports[address->port].mac;
	const rte_be16_t tag[2] = {rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN),
				   rte_cpu_to_be_16(address->vlan)};
	struct rte_ether_hdr *ether;
	struct rte_arp_hdr *arp;
	uint8_t *type;

	if (rte_pktmbuf_tailroom(mbuf) < FRAME_BYTES_MIN)
		return false;
	mbuf->data_len = FRAME_BYTES_MIN;
	mbuf->pkt_len = FRAME_BYTES_MIN;
	ether = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	memset(ether, 0, FRAME_BYTES_MIN);
	memset(&ether->dst_addr, 0xff, sizeof(ether->dst_addr));
	ether->src_addr = *own;
	type = (uint8_t *)&ether->ether_type;
	if (address->vlan) {
		memcpy(type, tag, sizeof(tag));
		type += sizeof(tag);
	}
	*(rte_be16_t *)(void *)type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	arp = (struct rte_arp_hdr *)(void *)(type + sizeof(rte_be16_t));
	arp->arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = RTE_ETHER_ADDR_LEN;
	arp->arp_plen = sizeof(rte_be32_t);
	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST);
	arp->arp_data.arp_sha = *own;
	arp->arp_data.arp_sip = address->ip;
	arp->arp_data.arp_tip = target;
	return true;
}

/** Make a question; NULL when there is no buffer. */
static struct rte_mbuf *
question_make(struct worker *worker, const struct plane_wanted *wanted)
{
	const struct stw_media *media = worker->media;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->play_pool);
	bool made;

	if (!mbuf)
		return NULL;
	made = media->addresses[wanted->address].family == 6
		       ? host6_question_write(media, wanted->address, &wanted->hop6, mbuf)
		       : host_question_write(media, wanted->address, rte_cpu_to_be_32(wanted->hop),
					     mbuf);
	if (made)
		return mbuf;
	rte_pktmbuf_free(mbuf);
	return NULL;
}

void
host_turn(struct worker *worker)
{
	struct plane_wanted wanted;

	announce_turn(worker);
	for (unsigned i = 0; i < HOST_ASK_BURST; i++) {
		struct rte_mbuf *mbuf;

		if (!plane_wanted_take(worker->media, &worker->media->wants_own, &wanted))
			return;
		mbuf = question_make(worker, &wanted);
		if (mbuf)
			worker_send(worker, worker->media->addresses[wanted.address].port, mbuf,
				    (struct send_note){.kind = SEND_OWN});
	}
}
