/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local addresses of a packet plane.
 */
#include "addresses.h"

#include <errno.h>

#include "memory.h"
#include "plane.h"

/** Tries to find a factor that keeps the slots of all addresses apart. */
#define FACTOR_TRIES 100000

/** Highest identifier of a VLAN; 4095 is reserved. Source: IEEE 802.1Q 9.6. */
#define VLAN_LAST 4094

static bool
ip4_is_valid(const struct stw_address_config *address)
{
	uint32_t mask, ip, gateway;

	if (address->ip.bytes[0] == 0 || address->ip.bytes[0] >= 224 || address->prefix_bits > 32)
		return false;
	if (address->gateway.family == 0)
		return true;
	mask = UINT32_MAX << (32 - address->prefix_bits);
	memcpy(&ip, address->ip.bytes, sizeof(ip));
	memcpy(&gateway, address->gateway.bytes, sizeof(gateway));
	return address->gateway.family == 4 && !(rte_be_to_cpu_32(ip ^ gateway) & mask) &&
	       ip != gateway;
}

/** A gateway of IPv6 is often known by its link-local address. */
static bool
ip6_is_valid(const struct stw_address_config *address)
{
	struct ip6 ip = ip6_read(address->ip.bytes), gateway = ip6_read(address->gateway.bytes);
	struct ip6 mask;

	if (!ip6_can_be_a_party(&ip) || address->prefix_bits > 128)
		return false;
	if (address->gateway.family == 0)
		return true;
	mask = ip6_mask(address->prefix_bits);
	return address->gateway.family == 6 && ip6_can_be_a_party(&gateway) &&
	       (ip6_is_near(&ip, &gateway, &mask) || ip6_is_link_local(&gateway)) &&
	       !ip6_is(&ip, &gateway);
}

static bool
address_is_valid(const struct stw_media_config *config, const struct stw_address_config *address)
{
	if (address->port >= config->ports_count || address->prefix_bits < 1 ||
	    address->vlan > VLAN_LAST || address->udp_port_first < 1024 ||
	    address->udp_port_first % 2 || address->udp_port_last % 2 == 0 ||
	    address->udp_port_last <= address->udp_port_first)
		return false;
	if (address->ip.family == 4)
		return ip4_is_valid(address);
	return address->ip.family == 6 && ip6_is_valid(address);
}

static bool
ip_is_same(const struct stw_ip *one, const struct stw_ip *other)
{
	return one->family == other->family &&
	       memcmp(one->bytes, other->bytes, one->family == 6 ? IP6_BYTES : 4) == 0;
}

bool
addresses_are_valid(const struct stw_media_config *config)
{
	for (uint32_t i = 0; i < config->addresses_count; i++) {
		if (!address_is_valid(config, &config->addresses[i]))
			return false;
		for (uint32_t j = 0; j < i; j++) {
			if (ip_is_same(&config->addresses[i].ip, &config->addresses[j].ip))
				return false;
		}
	}
	return true;
}

/** Try a factor for the table that finds addresses of IPv4. */
static bool
addresses_place(struct stw_media *media, uint32_t factor)
{
	memset(media->address_slots, 0, sizeof(media->address_slots));
	media->address_factor = factor;
	for (uint32_t i = 0; i < media->addresses_count; i++) {
		uint8_t *slot =
			&media->address_slots[plane_address_slot(factor, media->addresses[i].ip)];

		if (media->addresses[i].family != 4)
			continue;
		if (*slot)
			return false;
		*slot = (uint8_t)(i + 1);
	}
	return true;
}

/** The same for IPv6. */
static bool
addresses6_place(struct stw_media *media, uint64_t factor)
{
	memset(media->address6_slots, 0, sizeof(media->address6_slots));
	media->address6_factor = factor;
	for (uint32_t i = 0; i < media->addresses_count; i++) {
		uint8_t *slot = &media->address6_slots[plane_address6_slot(
			factor, &media->addresses6[i].ip)];

		if (media->addresses[i].family != 6)
			continue;
		if (*slot)
			return false;
		*slot = (uint8_t)(i + 1);
	}
	return true;
}

/** Find both factors: 64 addresses in 1,024 slots differ with one in about eight. */
static int
factors_find(struct stw_media *media)
{
	uint64_t random = 1;
	unsigned tries = 0;

	while (!addresses_place(media, plane_random_next(&random) | 1)) {
		if (++tries == FACTOR_TRIES)
			return -ENOMEM;
	}
	while (!addresses6_place(media, (uint64_t)plane_random_next(&random) << 32 |
						plane_random_next(&random) | 1)) {
		if (++tries == FACTOR_TRIES)
			return -ENOMEM;
	}
	return 0;
}

static int
hops4_init(struct plane_address *address, const struct stw_address_config *config)
{
	rte_be32_t gateway;

	memcpy(&address->ip, config->ip.bytes, sizeof(address->ip));
	memcpy(&gateway, config->gateway.bytes, sizeof(gateway));
	return hops_init(&address->hops, rte_be_to_cpu_32(address->ip), config->prefix_bits,
			 rte_be_to_cpu_32(gateway));
}

/** Entries of a local address in memory that a BPF program has, too. */
static _Atomic uint32_t *
entries_given(const struct stw_media *media, uint32_t first)
{
	return &media->kernel.memory->entries[first / KERNEL_ENTRIES_A_LINE].entry[0];
}

static int
address_init(struct stw_media *media, uint32_t index, const struct stw_address_config *config,
	     uint32_t entries_first)
{
	struct plane_address *address = &media->addresses[index];
	struct plane_address6 *address6 = &media->addresses6[index];
	struct ports *ports = &media->address_ports[index];
	struct ip6 gateway = ip6_read(config->gateway.bytes);
	int error;

	address->family = config->ip.family;
	address->vlan = config->vlan;
	address->udp_first = config->udp_port_first;
	address->udp_last = config->udp_port_last;
	address->port = (uint8_t)config->port;
	error = ports_init(ports, config->udp_port_first, config->udp_port_last);
	if (error < 0)
		return error;
	if (address->family == 6) {
		address6->ip = ip6_read(config->ip.bytes);
		error = hops6_init(&address6->hops, &address6->ip, config->prefix_bits, &gateway,
				   media->ip6_key);
	} else {
		error = hops4_init(address, config);
	}
	if (error < 0)
		return error;
	if (media->kernel.memory)
		address->legs = entries_given(media, entries_first);
	else
		address->legs = memory_map(sizeof(*address->legs) * ports->count);
	return address->legs ? 0 : -ENOMEM;
}

int
addresses_init(struct stw_media *media, const struct stw_media_config *config)
{
	int error;

	media->addresses_count = config->addresses_count;
	for (uint32_t i = 0; i < config->addresses_count; i++) {
		error = address_init(media, i, &config->addresses[i],
				     kernel_entries_first(config, i));
		if (error < 0)
			return error;
	}
	return factors_find(media);
}

void
addresses_destroy(struct stw_media *media)
{
	for (uint32_t i = 0; i < media->addresses_count; i++) {
		struct plane_address *address = &media->addresses[i];
		struct ports *ports = &media->address_ports[i];

		if (!media->kernel.memory)
			memory_unmap(address->legs, sizeof(*address->legs) * ports->count);
		if (address->hops.words)
			hops_destroy(&address->hops);
		if (media->addresses6[i].hops.entries)
			hops6_destroy(&media->addresses6[i].hops);
		ports_destroy(ports);
	}
}
