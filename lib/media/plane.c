/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet plane's tables: made, freed, kept.
 *
 *  label  where                  order    pairs with  without it
 *  W1     wants: word put        release  W2          nothing: the word stands for itself
 *  W2     wants: word taken      acquire  W1          -
 */
#include "plane.h"

#include <errno.h>
#include <stdlib.h>

#include "media/fork/record_pcapng.h"
#include "memory.h"

/** Rests ended in one call for one address. */
#define PLANE_RESTS_BURST 4096

/** Buffers of a worker for playout packets: more than its queues and devices hold. */
#define PLANE_PLAYS_MAX 8191

/** Tries to find a factor that keeps the slots of all addresses apart. */
#define PLANE_FACTOR_TRIES 100000

/** Largest packet that pcapng copies. */
#define PLANE_FRAME_BYTES_MAX 2048

#define PLANE_WANTED (UINT64_C(1) << 63)

static bool
address_is_valid(const struct stw_media_config *config, const struct stw_address_config *address)
{
	uint32_t mask, ip, gateway;

	if (address->port >= config->ports_count || address->ip.family != 4 ||
	    address->ip.bytes[0] == 0 || address->ip.bytes[0] >= 224 || address->prefix_bits < 1 ||
	    address->prefix_bits > 32 || address->udp_port_first < 1024 ||
	    address->udp_port_first % 2 || address->udp_port_last % 2 == 0 ||
	    address->udp_port_last <= address->udp_port_first)
		return false;
	if (address->gateway.family == 0)
		return true;
	mask = UINT32_MAX << (32 - address->prefix_bits);
	memcpy(&ip, address->ip.bytes, sizeof(ip));
	memcpy(&gateway, address->gateway.bytes, sizeof(gateway));
	return address->gateway.family == 4 && !(rte_be_to_cpu_32(ip ^ gateway) & mask) &&
	       ip != gateway;
}

static bool
range_is(uint64_t value, uint64_t first, uint64_t last)
{
	return value >= first && value <= last;
}

int
plane_config_check(const struct stw_media_config *config)
{
	if (config->struct_size < sizeof(*config) || !config->ports || !config->addresses ||
	    !range_is(config->ports_count, 1, STW_MEDIA_PORTS_MAX) ||
	    !range_is(config->addresses_count, 1, STW_MEDIA_ADDRESSES_MAX) ||
	    !range_is(config->workers, 1, STW_MEDIA_WORKERS_MAX) ||
	    !range_is(config->sessions_max, 1, 1000000) ||
	    !range_is(config->legs_max, 1, 2000000) || !range_is(config->forks_max, 1, 1000000) ||
	    !range_is(config->playouts_max, 1, 65536) || config->playout_packets_max < 1 ||
	    config->packets_max < 1024 || config->fork_packets_max < 64 ||
	    config->fork_packets_max & (config->fork_packets_max - 1) ||
	    !range_is(config->events_max, 64, 16777216))
		return -EINVAL;
	for (uint32_t i = 0; i < config->addresses_count; i++) {
		if (!address_is_valid(config, &config->addresses[i]))
			return -EINVAL;
		for (uint32_t j = 0; j < i; j++) {
			if (memcmp(config->addresses[i].ip.bytes, config->addresses[j].ip.bytes,
				   4) == 0)
				return -EINVAL;
		}
	}
	return 0;
}

static uint32_t
random_next(uint64_t *state)
{
	uint64_t mixed;

	/* Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators (splitmix64). */
	*state += UINT64_C(0x9e3779b97f4a7c15);
	mixed = *state;
	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((mixed ^ mixed >> 31) >> 32);
}

uint32_t
plane_random(struct stw_media *media)
{
	return random_next(&media->random);
}

/** Try a factor for the table that finds addresses. */
static bool
addresses_place(struct stw_media *media, uint32_t factor)
{
	memset(media->address_slots, 0, sizeof(media->address_slots));
	media->address_factor = factor;
	for (uint32_t i = 0; i < media->addresses_count; i++) {
		uint8_t *slot =
			&media->address_slots[plane_address_slot(factor, media->addresses[i].ip)];

		if (*slot)
			return false;
		*slot = (uint8_t)(i + 1);
	}
	return true;
}

static int
address_init(struct plane_address *address, struct ports *ports,
	     const struct stw_address_config *config)
{
	rte_be32_t gateway;
	int error;

	memcpy(&address->ip, config->ip.bytes, sizeof(address->ip));
	memcpy(&gateway, config->gateway.bytes, sizeof(gateway));
	address->udp_first = config->udp_port_first;
	address->udp_last = config->udp_port_last;
	address->port = (uint8_t)config->port;
	error = ports_init(ports, config->udp_port_first, config->udp_port_last);
	if (error < 0)
		return error;
	error = hops_init(&address->hops, rte_be_to_cpu_32(address->ip), config->prefix_bits,
			  rte_be_to_cpu_32(gateway));
	if (error < 0)
		return error;
	address->legs = memory_map(sizeof(*address->legs) * ports->pairs);
	return address->legs ? 0 : -ENOMEM;
}

static int
addresses_init(struct stw_media *media, const struct stw_media_config *config)
{
	uint64_t random = 1;
	int error;

	media->addresses_count = config->addresses_count;
	for (uint32_t i = 0; i < config->addresses_count; i++) {
		error = address_init(&media->addresses[i], &media->address_ports[i],
				     &config->addresses[i]);
		if (error < 0)
			return error;
	}
	/* 64 addresses in 1,024 slots differ with one factor in about eight. */
	for (unsigned i = 0; i < PLANE_FACTOR_TRIES; i++) {
		if (addresses_place(media, random_next(&random) | 1))
			return 0;
	}
	return -ENOMEM;
}

static void
addresses_destroy(struct stw_media *media)
{
	for (uint32_t i = 0; i < media->addresses_count; i++) {
		struct plane_address *address = &media->addresses[i];
		struct ports *ports = &media->address_ports[i];

		memory_unmap(address->legs, sizeof(*address->legs) * ports->pairs);
		if (address->hops.words)
			hops_destroy(&address->hops);
		ports_destroy(ports);
	}
}

/** A table of the plane: where its pointer is, and its bytes. */
struct plane_table {
	void **pointer;
	size_t bytes;
};

#define PLANE_TABLES 14

static void
tables_list(struct stw_media *media, struct plane_table tables[PLANE_TABLES])
{
	size_t legs = media->legs_slots, forks = (size_t)media->forks_max + 1;
	size_t playouts = (size_t)media->playouts_max + 1, workers = media->workers_count;
	size_t sessions = (size_t)media->sessions_max + 1;
	const struct plane_table list[PLANE_TABLES] = {
		{(void **)&media->routes, legs * sizeof(*media->routes)},
		{(void **)&media->intakes, legs * sizeof(*media->intakes)},
		{(void **)&media->keypads, legs * sizeof(*media->keypads)},
		{(void **)&media->plays, legs * sizeof(*media->plays)},
		{(void **)&media->asks, legs * sizeof(*media->asks)},
		{(void **)&media->cards, legs * sizeof(*media->cards)},
		{(void **)&media->legs_free, legs * sizeof(*media->legs_free)},
		{(void **)&media->legs_retired, legs * sizeof(*media->legs_retired)},
		{(void **)&media->forks, forks * sizeof(*media->forks)},
		{(void **)&media->forks_drained, forks * workers * sizeof(uint64_t)},
		{(void **)&media->playouts, playouts * sizeof(*media->playouts)},
		{(void **)&media->sessions, sessions * sizeof(*media->sessions)},
		{(void **)&media->slots_free,
		 (sessions + forks + playouts) * sizeof(*media->slots_free)},
		{(void **)&media->workers, workers * sizeof(*media->workers)},
	};

	memcpy(tables, list, sizeof(list));
}

/** All slots free, the lowest on top. */
static void
slots_free(uint32_t *slots, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		slots[i] = count - i;
}

static int
tables_init(struct stw_media *media)
{
	struct plane_table tables[PLANE_TABLES];

	tables_list(media, tables);
	for (unsigned i = 0; i < PLANE_TABLES; i++) {
		*tables[i].pointer = memory_map(tables[i].bytes);
		if (!*tables[i].pointer)
			return -ENOMEM;
	}
	media->sessions_free = media->slots_free;
	media->forks_free = media->sessions_free + media->sessions_max;
	media->playouts_free = media->forks_free + media->forks_max;
	media->legs_free_count = media->legs_slots - 1;
	media->sessions_free_count = media->sessions_max;
	media->forks_free_count = media->forks_max;
	media->playouts_free_count = media->playouts_max;
	slots_free(media->legs_free, media->legs_free_count);
	slots_free(media->sessions_free, media->sessions_max);
	slots_free(media->forks_free, media->forks_max);
	slots_free(media->playouts_free, media->playouts_max);
	for (uint32_t slot = 0; slot <= media->forks_max; slot++)
		media->forks[slot].drained_at =
			media->forks_drained + (size_t)slot * media->workers_count;
	return 0;
}

static void
tables_destroy(struct stw_media *media)
{
	struct plane_table tables[PLANE_TABLES];

	tables_list(media, tables);
	for (unsigned i = 0; i < PLANE_TABLES; i++)
		memory_unmap(*tables[i].pointer, tables[i].bytes);
}

static int
rcu_init(struct stw_media *media)
{
	size_t bytes = rte_rcu_qsbr_get_memsize(media->workers_count);

	media->rcu = aligned_alloc(STW_CACHE_LINE, RTE_ALIGN_CEIL(bytes, STW_CACHE_LINE));
	if (!media->rcu)
		return -ENOMEM;
	rte_rcu_qsbr_init(media->rcu, media->workers_count);
	/* Registered, a worker counts only while it is online. */
	for (unsigned i = 0; i < media->workers_count; i++)
		rte_rcu_qsbr_thread_register(media->rcu, i);
	return 0;
}

/** Copies that may be on their way from one worker: a ring full of them must not empty the ports. */
static uint32_t
copies_max(const struct plane_config *config)
{
	uint32_t most = rte_align32pow2(config->packets_min / 2 + 1) / 2;
	uint32_t asked = config->media->fork_packets_max;

	if (asked > most) {
		stw_log(STW_LOG_WARN,
			"FORK-PACKETS asked=%u had=%u reason=\"half of a port's packets_max\"",
			asked, most);
		asked = most;
	}
	asked /= rte_align32pow2(config->media->workers);
	return asked < PACKET_BURST ? PACKET_BURST : asked;
}

static int
recorder_init(struct stw_media *media)
{
	static _Atomic unsigned serial;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "stw_record_%u",
		 atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed));
	media->recorder.pool = rte_pktmbuf_pool_create(
		name, 2 * RECORD_PCAPNG_BURST - 1, 0, 0,
		PLANE_FRAME_BYTES_MAX + RECORD_PCAPNG_ROOM_BYTES, SOCKET_ID_ANY);
	return media->recorder.pool ? 0 : -ENOMEM;
}

static int
parts_init(struct stw_media *media, const struct plane_config *config)
{
	int error;

	error = addresses_init(media, config->media);
	if (error == 0)
		error = tables_init(media);
	if (error == 0)
		error = rcu_init(media);
	if (error == 0)
		error = events_init(&media->events, config->media->events_max,
				    media->workers_count);
	if (error == 0)
		error = recorder_init(media);
	for (uint32_t i = 0; error == 0 && i < media->workers_count; i++)
		error = worker_init(&media->workers[i], media, i, copies_max(config),
				    PLANE_PLAYS_MAX);
	return error;
}

/** What follows the destination in every frame that a port sends: one word to write. */
static void
ether_source_make(struct plane_port *port)
{
	rte_be16_t type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);

	memcpy(&port->ether_source, &port->mac, sizeof(port->mac));
	memcpy((uint8_t *)&port->ether_source + sizeof(port->mac), &type, sizeof(type));
}

int
plane_init(struct stw_media *media, const struct plane_config *config)
{
	const struct stw_media_config *wanted = config->media;
	uint32_t spare = wanted->legs_max < PLANE_LEGS_SPARE ? wanted->legs_max : PLANE_LEGS_SPARE;

	memcpy(media->ports, config->ports, sizeof(*config->ports) * wanted->ports_count);
	for (uint32_t i = 0; i < wanted->ports_count; i++)
		ether_source_make(&media->ports[i]);
	media->ports_count = wanted->ports_count;
	media->workers_count = wanted->workers;
	media->sessions_max = wanted->sessions_max;
	media->legs_max = wanted->legs_max;
	media->legs_slots = wanted->legs_max + spare + 1;
	media->forks_max = wanted->forks_max;
	media->playouts_max = wanted->playouts_max;
	media->playout_packets_max = wanted->playout_packets_max;
	media->quarantine_ns = wanted->quarantine_ns;
	media->random = config->seed;
	control_lock_init(&media->control);
	return parts_init(media, config);
}

void
plane_release(struct stw_media *media)
{
	fork_close_all(media);
	for (uint32_t i = 0; i < media->workers_count; i++)
		worker_release(&media->workers[i]);
}

void
plane_destroy(struct stw_media *media)
{
	for (uint32_t i = 0; media->workers && i < media->workers_count; i++)
		worker_destroy(&media->workers[i]);
	playout_free_all(media);
	rte_mempool_free(media->recorder.pool);
	events_destroy(&media->events);
	free(media->rcu);
	tables_destroy(media);
	addresses_destroy(media);
	control_lock_destroy(&media->control);
}

void
plane_advance(struct stw_media *media, uint64_t now_ns)
{
	plane_lock(media);
	leg_reclaim(media);
	playout_reclaim(media);
	for (uint32_t i = 0; i < media->addresses_count; i++)
		ports_rests_end(&media->address_ports[i], now_ns, PLANE_RESTS_BURST);
	plane_unlock(media);
}

void
plane_want(struct stw_media *media, uint32_t address, uint32_t hop)
{
	struct plane_wants *wants = media->ports[media->addresses[address].port].owned
					    ? &media->wants_own
					    : &media->wants_kernel;
	uint32_t place = atomic_fetch_add_explicit(&wants->cursor, 1, memory_order_relaxed);
	uint64_t empty = 0;

	/* W1, pairs with W2. A word in the way is an older question: ours is asked again later. */
	if (atomic_compare_exchange_strong_explicit(&wants->words[place % PLANE_WANTED_MAX], &empty,
						    PLANE_WANTED | (uint64_t)address << 32 | hop,
						    memory_order_release, memory_order_relaxed))
		atomic_fetch_add_explicit(&wants->waiting, 1, memory_order_relaxed);
}

bool
plane_wanted_take(struct plane_wants *wants, struct plane_wanted *wanted)
{
	if (!atomic_load_explicit(&wants->waiting, memory_order_relaxed))
		return false;
	for (uint32_t i = 0; i < PLANE_WANTED_MAX; i++) {
		_Atomic uint64_t *place = &wants->words[wants->taken++ % PLANE_WANTED_MAX];
		uint64_t word;

		if (!atomic_load_explicit(place, memory_order_relaxed))
			continue;
		/* W2, pairs with W1. */
		word = atomic_exchange_explicit(place, 0, memory_order_acquire);
		atomic_fetch_sub_explicit(&wants->waiting, 1, memory_order_relaxed);
		wanted->address = (uint32_t)(word >> 32 & 0xff);
		wanted->hop = (uint32_t)word;
		return true;
	}
	return false;
}

void
plane_check(struct stw_media *media)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < media->addresses_count; i++) {
		ports_check(&media->address_ports[i]);
		taken += media->address_ports[i].taken;
	}
	STW_ASSERT(taken == media->legs_count);
	session_check(media);
	fork_check(media);
	for (uint32_t i = 0; i < media->workers_count; i++)
		worker_check(&media->workers[i]);
}
