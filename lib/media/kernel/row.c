/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of legs for the relay inside the kernel: whether a leg can have one now, and what is in it.
 *
 *  label  where                       order    pairs with  without it
 *  R2     remote: read                acquire  R1          (remote6.h) an address of the version before
 */
#include "kernel.h"

#include "media/checksum.h"
#include "media/plane.h"
#include "media/session/remote6.h"
#include "media/stream/egress.h"
#include "media/stream/pt_map.h"

/** What a leg or its peer must not have. */
#define INSPECTED_LEG  (LEG_NO_RECEIVE | LEG_SUPPRESS | LEG_MIX | LEG_QUIET)
#define INSPECTED_PEER (LEG_NO_SEND | LEG_RTCP_END)

static union leg_traits
traits_of(const struct stw_media *media, uint32_t leg)
{
	return (union leg_traits){
		atomic_load_explicit(&media->routes[leg].traits, memory_order_relaxed)};
}

/** Remote word of a leg. */
static uint64_t
remote_of(const struct stw_media *media, uint32_t leg)
{
	/* R2, pairs with R1: the row of an IPv6 address is seen. */
	return atomic_load_explicit(&media->routes[leg].remote, memory_order_acquire);
}

/** Write a party's address in the row's form; false when it is not known. */
static bool
party_write(const struct stw_media *media, uint32_t leg, uint64_t remote, uint32_t to[4])
{
	struct ip6 ip;

	memset(to, 0, IP6_BYTES);
	if (!(remote & REMOTE_V6)) {
		to[0] = leg_remote_ip(remote);
		return to[0] != 0;
	}
	if (!remote6_read(&media->remotes6[leg], remote, &ip))
		return false;
	memcpy(to, &ip, sizeof(ip));
	return true;
}

/** Next hop to an address of a party in the row's form, and its link address in a word; 0: unknown. */
static uint64_t
hop_write(const struct stw_media *media, uint32_t address, const uint32_t to[4], uint32_t hop[4])
{
	const struct plane_address *local = &media->addresses[address];
	const struct hops6 *hops6 = &media->addresses6[address].hops;
	const struct ip6 *hop6;
	struct ip6 ip;
	uint32_t hop4;

	memset(hop, 0, IP6_BYTES);
	if (local->family == 4) {
		hop4 = hops_next(&local->hops, rte_be_to_cpu_32(to[0]));
		hop[0] = rte_cpu_to_be_32(hop4);
		return hop4 ? hops_find_word(&local->hops, hop4) : 0;
	}
	ip = ip6_read(to);
	hop6 = hops6_next(hops6, &ip);
	if (!hop6)
		return 0;
	memcpy(hop, hop6, IP6_BYTES);
	return hops6_find_word(hops6, hop6);
}

/** Reasons that follow from the descriptions of a leg and its peer. */
static uint32_t
reasons_described(const struct stw_media *media, uint32_t leg, uint32_t peer)
{
	const struct kernel_memory *memory = media->kernel.memory;
	union leg_traits from = traits_of(media, leg), to = traits_of(media, peer);
	uint32_t reasons = 0;

	if (!memory->ifindex[media->addresses[media->routes[leg].address].port] ||
	    (peer && !memory->ifindex[media->addresses[media->routes[peer].address].port]))
		reasons |= STW_PLACE_NO_KERNEL;
	if ((from.features | to.features) & LEG_SRTP)
		reasons |= STW_PLACE_SECURE;
	if (from.features & INSPECTED_LEG || to.features & INSPECTED_PEER)
		reasons |= STW_PLACE_INSPECTED;
	return reasons;
}

/** Whether something else than what is relayed is on its way to a leg. */
static bool
is_played(const struct stw_media *media, uint32_t leg)
{
	return atomic_load_explicit(&media->plays[leg].speaking, memory_order_relaxed) ||
	       (uint32_t)atomic_load_explicit(&media->asks[leg].attach, memory_order_relaxed) ||
	       traits_of(media, leg).features & LEG_MIX;
}

/** Whether what a leg receives has the turn at its peer. */
static bool
has_the_turn(const struct stw_media *media, uint32_t leg, uint32_t peer)
{
	union egress_map map = egress_offsets(media, peer);

	return atomic_load_explicit(&media->intakes[leg].voice, memory_order_relaxed) ==
	       egress_voice(peer, map.turn);
}

/** Reasons that packets and other calls change. */
static uint32_t
reasons_passing(const struct stw_media *media, uint32_t leg, uint32_t peer)
{
	uint64_t remote = remote_of(media, leg), remote_peer = remote_of(media, peer);
	uint32_t address[4], hop[4], reasons = 0;

	if (!(remote & LEG_LATCHED) || !party_write(media, leg, remote, address) ||
	    !leg_remote_port(remote_peer) || !party_write(media, peer, remote_peer, address))
		return STW_PLACE_NO_PEER;
	if (!hop_write(media, media->routes[peer].address, address, hop))
		reasons |= STW_PLACE_NO_HOP;
	if (is_played(media, peer))
		reasons |= STW_PLACE_PLAYED;
	if (!has_the_turn(media, leg, peer))
		reasons |= STW_PLACE_JUST_CHANGED;
	return reasons;
}

uint32_t
kernel_reasons(const struct stw_media *media, uint32_t leg)
{
	const struct leg_route *route = &media->routes[leg];
	const struct session *of = &media->sessions[handle_slot(media->cards[leg].session)];
	uint32_t peer = atomic_load_explicit(&route->peer, memory_order_relaxed);
	uint32_t reasons = 0;

	if (of->place == STW_PLACE_WORKER)
		reasons |= STW_PLACE_NOT_ASKED;
	if (!media->kernel.memory)
		return reasons | STW_PLACE_NO_KERNEL;
	reasons |= reasons_described(media, leg, peer);
	if (atomic_load_explicit(&route->fork_first, memory_order_relaxed))
		reasons |= STW_PLACE_FORKED;
	return peer ? reasons | reasons_passing(media, leg, peer) : reasons | STW_PLACE_NO_PEER;
}

/** What of a leg's and its peer's descriptions the program looks at. */
static void
row_describe(const struct stw_media *media, uint32_t leg, struct kernel_row *row)
{
	union leg_traits from = traits_of(media, leg), to = traits_of(media, row->peer);

	row->audio_pt_in = from.audio_pt;
	row->audio_pt_to = from.audio_pt;
	row->event_pt = from.event_pt;
	row->dscp = to.dscp;
	row->ssrc = media->routes[row->peer].ssrc;
	row->flags = 0;
	if (from.features & LEG_PT_MAP) {
		row->audio_pt_to = pt_translate(media, from, to, from.audio_pt);
		row->flags |= KERNEL_AUDIO_ONLY;
	}
	if (from.features & LEG_RELATCH)
		row->flags |= KERNEL_FOREIGN_STEERED;
	if (from.features & LEG_RATE_CAP)
		row->flags |= KERNEL_RATE_CAP;
	if (from.features & LEG_V6)
		row->flags |= KERNEL_SOURCE_V6;
	if (to.features & LEG_V6)
		row->flags |= KERNEL_TO_V6;
}

/** A local address in the row's form. */
static void
local_write(const struct stw_media *media, uint32_t address, uint32_t to[4])
{
	memset(to, 0, IP6_BYTES);
	if (media->addresses[address].family == 6)
		memcpy(to, &media->addresses6[address].ip, IP6_BYTES);
	else
		to[0] = media->addresses[address].ip;
}

static uint64_t
addresses_sum(const uint32_t one[4], const uint32_t other[4])
{
	return checksum_add(checksum_add(0, (const uint8_t *)one, IP6_BYTES),
			    (const uint8_t *)other, IP6_BYTES);
}

/** What the new addresses and ports add to a checksum's sum, the old ones taken away. */
static uint32_t
sum_change(const struct stw_media *media, uint32_t leg, const struct kernel_row *row)
{
	const struct leg_route *route = &media->routes[leg];
	uint64_t before, after;
	uint32_t local[4];

	local_write(media, route->address, local);
	before = addresses_sum(row->source, local) + row->source_port + route->local_port;
	after = addresses_sum(row->from, row->to) + row->port_from + row->port_to;
	return checksum_fold(after + ((UINT64_C(0xffff) << 40) - before));
}

void
kernel_row_hop(const struct stw_media *media, struct kernel_row *row)
{
	uint64_t mac = hop_write(media, media->routes[row->peer].address, row->to, row->hop), word;

	if (!mac || memcmp(row->mac_to, &mac, sizeof(row->mac_to)) == 0)
		return;
	/* With the two bytes behind it, as one word: see lib/io/xdp_hop.bpf.h. */
	memcpy(&word, row->mac_to, sizeof(word));
	memcpy(&word, &mac, sizeof(row->mac_to));
	atomic_store_explicit((_Atomic uint64_t *)(void *)row->mac_to, word, memory_order_relaxed);
}

void
kernel_row_fill(struct stw_media *media, uint32_t leg, struct kernel_row *row)
{
	uint32_t peer = atomic_load_explicit(&media->routes[leg].peer, memory_order_relaxed);
	const struct leg_route *to = &media->routes[peer];
	const struct plane_address *out = &media->addresses[to->address];
	uint64_t remote = remote_of(media, leg), remote_peer = remote_of(media, peer), mac;

	row->peer = peer;
	row_describe(media, leg, row);
	row->source_port = leg_remote_port(remote);
	row->port_from = to->local_port;
	row->port_to = leg_remote_port(remote_peer);
	row->vlan = out->vlan;
	row->ifindex = media->kernel.memory->ifindex[out->port];
	/* What cannot be read now has changed since it was looked at, which is looked at again. */
	(void)party_write(media, leg, remote, row->source);
	(void)party_write(media, peer, remote_peer, row->to);
	local_write(media, to->address, row->from);
	mac = hop_write(media, to->address, row->to, row->hop);
	memcpy(row->mac_to, &mac, sizeof(row->mac_to));
	memcpy(row->mac_from, &media->ports[out->port].mac, sizeof(row->mac_from));
	row->hop_ifindex = media->kernel.memory->hop_ifindex[to->address];
	row->sum_change = sum_change(media, leg, row);
	shared_store(&row->hop_until_ns, 0);
	if (!row->hop_ifindex)
		row->flags |= KERNEL_HOP_GIVEN;
}
