/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Remote endpoints of legs, as control sets and reads them.
 *
 *  label  where                      order    pairs with  without it
 *  G1     remote: written            release  G2          (guard.c) a new remote is held to an old window
 */
#include "remote.h"

#include "media/plane.h"

bool
remote_is_party(const struct stw_media *media, uint32_t address, const struct stw_endpoint *remote)
{
	struct ip6 ip = ip6_read(remote->ip.bytes);

	if (address >= media->addresses_count ||
	    remote->ip.family != media->addresses[address].family || remote->port == 0)
		return false;
	if (remote->ip.family == 6)
		return ip6_can_be_a_party(&ip);
	return remote->ip.bytes[0] != 0 && remote->ip.bytes[0] < 224;
}

bool
remote_is_valid(const struct stw_media *media, const struct stw_leg_config *config)
{
	if (config->remote.ip.family == 0)
		return config->address < media->addresses_count && config->remote.port == 0;
	return remote_is_party(media, config->address, &config->remote);
}

/** Remote word of an endpoint, not latched; IPv6: without version. */
static uint64_t
remote_word(const struct stw_media *media, const struct stw_leg_config *config)
{
	rte_be16_t port = rte_cpu_to_be_16(config->remote.port);
	struct ip6 ip = ip6_read(config->remote.ip.bytes);
	rte_be32_t ip4 = 0;

	if (media->addresses[config->address].family == 6)
		return remote6_word(&ip, port, media->ip6_key);
	if (config->remote.ip.family == 4)
		memcpy(&ip4, config->remote.ip.bytes, sizeof(ip4));
	return leg_remote_word(ip4, port);
}

bool
remote_is_new(const struct stw_media *media, uint32_t leg, const struct stw_leg_config *config)
{
	struct ip6 ip = ip6_read(config->remote.ip.bytes);

	return remote_word(media, config) != media->cards[leg].remote_word ||
	       (config->remote.ip.family == 6 && !ip6_is(&ip, &media->remotes6[leg].configured));
}

static uint64_t
window_end(const struct stw_leg_config *config, uint64_t now_ns)
{
	if (config->learning_ns == 0 || config->learning_ns > UINT64_MAX - now_ns)
		return UINT64_MAX;
	return now_ns + config->learning_ns;
}

/** Ask for the link address of the next hop to a leg's party. */
static void
hop_ask(struct stw_media *media, const struct stw_leg_config *config, uint64_t now_ns)
{
	struct ip6 ip6 = ip6_read(config->remote.ip.bytes);
	uint32_t hop, address = config->address;
	const struct ip6 *hop6;
	rte_be32_t ip;

	if (config->remote.ip.family == 6) {
		hop6 = hops6_next(&media->addresses6[address].hops, &ip6);
		if (!hop6 || !hops6_ask(&media->addresses6[address].hops, hop6, now_ns, &hop))
			return;
	} else if (config->remote.ip.family == 4) {
		memcpy(&ip, config->remote.ip.bytes, sizeof(ip));
		hop = hops_next(&media->addresses[address].hops, rte_be_to_cpu_32(ip));
		if (!hop || !hops_ask(&media->addresses[address].hops, hop, now_ns))
			return;
	} else {
		return;
	}
	plane_want(media, address, hop);
	worker_wake(&media->workers[0]);
}

void
remote_set(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config,
	   uint64_t now_ns)
{
	struct leg_route *route = &media->routes[leg];
	struct leg_remote6 *row = &media->remotes6[leg];
	uint64_t word = remote_word(media, config);

	atomic_store_explicit(&route->learning_until_ns, window_end(config, now_ns),
			      memory_order_relaxed);
	media->cards[leg].remote_word = word;
	if (word & REMOTE_V6) {
		row->configured = ip6_read(config->remote.ip.bytes);
		remote6_set(row, &route->remote, word, &row->configured);
	} else {
		/* G1, pairs with G2: who sees the new remote sees the window and the payload types. */
		atomic_store_explicit(&route->remote, word, memory_order_release);
	}
	hop_ask(media, config, now_ns);
}

static void
endpoint_set(struct stw_endpoint *endpoint, rte_be32_t ip, rte_be16_t port)
{
	*endpoint = (struct stw_endpoint){0};
	if (!ip)
		return;
	endpoint->ip.family = 4;
	memcpy(endpoint->ip.bytes, &ip, sizeof(ip));
	endpoint->port = rte_be_to_cpu_16(port);
}

static void
endpoint6_set(struct stw_endpoint *endpoint, const struct ip6 *ip, rte_be16_t port)
{
	*endpoint = (struct stw_endpoint){0};
	endpoint->ip.family = 6;
	memcpy(endpoint->ip.bytes, ip, sizeof(*ip));
	endpoint->port = rte_be_to_cpu_16(port);
}

void
remote_local_make(const struct stw_media *media, uint32_t address, rte_be16_t port,
		  struct stw_endpoint *local)
{
	if (media->addresses[address].family == 6)
		endpoint6_set(local, &media->addresses6[address].ip, port);
	else
		endpoint_set(local, media->addresses[address].ip, port);
}

void
remote_local_read(const struct stw_media *media, uint32_t leg, struct stw_endpoint *local)
{
	const struct leg_route *route = &media->routes[leg];

	remote_local_make(media, route->address, route->local_port, local);
}

void
remote_read(const struct stw_media *media, uint32_t leg, uint64_t remote,
	    struct stw_endpoint *endpoint)
{
	struct ip6 ip;

	if (!(remote & REMOTE_V6))
		endpoint_set(endpoint, leg_remote_ip(remote), leg_remote_port(remote));
	else if (remote6_read(&media->remotes6[leg], remote, &ip))
		endpoint6_set(endpoint, &ip, leg_remote_port(remote));
	else
		*endpoint = (struct stw_endpoint){0};
}
