/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The source of a packet and its leg's party.
 *
 * Two workers may meet packets of two sources at one time, when the device spreads them. The
 * remote word is changed by compare-and-swap, so one of them wins and the other's packet is foreign.
 *
 *  label  where                            order    pairs with  without it
 *  R1     (remote6.c) remote: published    release  R2          -
 *  R2     remote: read                     acquire  R1          a row of the version before is taken for none
 */
#include "source.h"

static bool
ip4_can_be_a_party(rte_be32_t ip)
{
	uint8_t first = (uint8_t)(rte_be_to_cpu_32(ip) >> 24);

	/* Not "this network", not multicast or reserved. */
	return first != 0 && first < 224;
}

bool
source_can_be_a_party(const struct packet *packet)
{
	struct ip6 ip;

	if (leg_remote_port(packet->source) == 0)
		return false;
	if (!(packet->source & REMOTE_V6))
		return ip4_can_be_a_party(leg_remote_ip(packet->source));
	ip = source_ip6(packet);
	return ip6_can_be_a_party(&ip);
}

bool
source_is_ours(const struct worker *worker, const struct packet *packet)
{
	const struct stw_media *media = worker->media;
	bool v6 = packet->source & REMOTE_V6;
	uint16_t port = rte_be_to_cpu_16(leg_remote_port(packet->source));
	struct ip6 ip = {0};

	if (v6)
		ip = source_ip6(packet);
	for (uint32_t i = 0; i < media->addresses_count; i++) {
		const struct plane_address *address = &media->addresses[i];

		if (address->family != (v6 ? 6 : 4) || port < address->udp_first ||
		    port > address->udp_last)
			continue;
		if (v6 ? ip6_is(&media->addresses6[i].ip, &ip)
		       : address->ip == leg_remote_ip(packet->source))
			return true;
	}
	return false;
}

bool
source_has_ip(const struct worker *worker, const struct packet *packet, uint64_t remote)
{
	struct ip6 known, ip;

	/* The word has the address, or a hash of it. */
	if (leg_remote_ip(remote) != leg_remote_ip(packet->source))
		return false;
	if (!(packet->source & REMOTE_V6))
		return true;
	ip = source_ip6(packet);
	return remote6_read(&worker->media->remotes6[packet->leg], remote, &known) &&
	       ip6_is(&known, &ip);
}

bool
source_is(const struct worker *worker, const struct packet *packet, uint64_t remote)
{
	return leg_remote_port(remote) == leg_remote_port(packet->source) &&
	       source_has_ip(worker, packet, remote);
}

/** Learn a link address that is not known yet. */
static void
hop_learn(struct worker *worker, const struct packet *packet)
{
	const struct rte_ether_hdr *ether =
		rte_pktmbuf_mtod(packet->mbuf, const struct rte_ether_hdr *);
	struct plane_address *address = &worker->media->addresses[packet->address];
	struct hops6 *hops6 = &worker->media->addresses6[packet->address].hops;
	struct rte_ether_addr known;

	if (!rte_is_unicast_ether_addr(&ether->src_addr))
		return;
	if (packet->source & REMOTE_V6) {
		struct ip6 ip = source_ip6(packet);
		const struct ip6 *hop = hops6_next(hops6, &ip);

		if (hop && !hops6_find_word(hops6, hop))
			hops6_learn(hops6, hop, &ether->src_addr);
	} else {
		uint32_t hop =
			hops_next(&address->hops, rte_be_to_cpu_32(leg_remote_ip(packet->source)));

		if (hop && !hops_find(&address->hops, hop, &known))
			hops_learn(&address->hops, hop, &ether->src_addr);
	}
}

/** Tell the host, and learn the way back from the frame. */
static void
source_latched(struct worker *worker, const struct packet *packet)
{
	struct stw_media_event event = {.type = STW_MEDIA_EVENT_LATCHED};

	hop_learn(worker, packet);
	if (packet->source & REMOTE_V6) {
		struct ip6 ip = source_ip6(packet);

		event.remote.ip.family = 6;
		memcpy(event.remote.ip.bytes, &ip, sizeof(ip));
	} else {
		rte_be32_t ip = leg_remote_ip(packet->source);

		event.remote.ip.family = 4;
		memcpy(event.remote.ip.bytes, &ip, sizeof(ip));
	}
	event.remote.port = rte_be_to_cpu_16(leg_remote_port(packet->source));
	events_tell_leg(worker, packet->leg, &event);
}

bool
source_latch(struct worker *worker, const struct packet *packet, uint64_t remote)
{
	struct leg_route *route = &worker->media->routes[packet->leg];
	uint64_t source = packet->source;

	if (source & REMOTE_V6) {
		struct ip6 ip = source_ip6(packet);

		if (!remote6_latch(&worker->media->remotes6[packet->leg], &route->remote, remote,
				   source, &ip)) {
			/* R2, pairs with R1 (remote6.h): another worker may have latched the same. */
			remote = atomic_load_explicit(&route->remote, memory_order_acquire);
			return remote & LEG_LATCHED && source_is(worker, packet, remote);
		}
	} else if (!atomic_compare_exchange_strong_explicit(
			   &route->remote, &remote, source | LEG_LATCHED, memory_order_relaxed,
			   memory_order_relaxed)) {
		/* The word stands for itself; losing means that another source or control was first. */
		return remote == (source | LEG_LATCHED);
	}
	source_latched(worker, packet);
	kernel_source_changed(worker->media, packet->leg);
	return true;
}
