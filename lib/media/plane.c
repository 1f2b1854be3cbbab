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

#include "addresses.h"
#include "media/fork/record_pcapng.h"
#include "media/stream/pt_map.h"
#include "memory.h"
#include "overload.h"

/** Rests ended in one call for one address. */
#define PLANE_RESTS_BURST 4096

/** Buffers of a worker for playout packets: more than its queues and devices hold. */
#define PLANE_PLAYS_MAX 8191

/** Most SRTP key sets. */
#define PLANE_SRTP_MAX 4000000

/** Largest packet that pcapng copies. */
#define PLANE_FRAME_BYTES_MAX 2048

/** Of the buffers of a port, consumers hold at most one in so many. */
#define PLANE_CONSUMERS_SHARE 4

#define PLANE_WANTED (UINT64_C(1) << 63)

static bool
range_is(uint64_t value, uint64_t first, uint64_t last)
{
	return value >= first && value <= last;
}

static bool
workers_are_valid(const struct stw_media_config *config)
{
	struct stw_worker_config worker;

	for (uint32_t i = 0; i < config->workers; i++) {
		if (worker_config_take(config, i, &worker) < 0)
			return false;
	}
	return true;
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
	    !range_is(config->events_max, 64, 16777216) || config->srtp_max > PLANE_SRTP_MAX ||
	    (unsigned)config->srtp_driver > STW_SRTP_DRIVER_OPENSSL ||
	    (unsigned)config->kernel_relay > STW_KERNEL_RELAY_REQUIRED ||
	    !mixes_config_is_valid(config))
		return -EINVAL;
	return addresses_are_valid(config) && workers_are_valid(config) ? 0 : -EINVAL;
}

uint32_t
plane_random_next(uint64_t *state)
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
	return plane_random_next(&media->random);
}

/** A table of the plane: where its pointer is, its bytes, and memory that is given; NULL: our own. */
struct plane_table {
	void **pointer;
	size_t bytes;
	void *given;
};

#define PLANE_TABLES 22

static void
tables_list(struct stw_media *media, struct plane_table tables[PLANE_TABLES])
{
	size_t legs = media->legs_slots, forks = (size_t)media->forks_max + 1;
	size_t playouts = (size_t)media->playouts_max + 1, workers = media->workers_count;
	size_t sessions = (size_t)media->sessions_max + 1;
	const struct kernel_memory none = {0},
				   *kernel = media->kernel.memory ? media->kernel.memory : &none;
	const struct plane_table list[PLANE_TABLES] = {
		{(void **)&media->routes, legs * sizeof(*media->routes)},
		{(void **)&media->egresses, legs * sizeof(*media->egresses), kernel->egresses},
		{(void **)&media->remotes6, legs * sizeof(*media->remotes6)},
		{(void **)&media->streams, legs * sizeof(*media->streams)},
		{(void **)&media->reports, legs * sizeof(*media->reports)},
		{(void **)&media->reporters, legs * sizeof(*media->reporters)},
		{(void **)&media->intakes, legs * sizeof(*media->intakes), kernel->intakes},
		{(void **)&media->options, legs * sizeof(*media->options), kernel->options},
		{(void **)&media->pt_maps, sizeof(*media->pt_maps)},
		{(void **)&media->keypads, legs * sizeof(*media->keypads)},
		{(void **)&media->quiets, legs * sizeof(*media->quiets)},
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
		*tables[i].pointer =
			tables[i].given ? tables[i].given : memory_map(tables[i].bytes);
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
	for (unsigned i = 0; i < PLANE_TABLES; i++) {
		if (!tables[i].given)
			memory_unmap(*tables[i].pointer, tables[i].bytes);
	}
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

	error = kernel_init(media, config->kernel);
	if (error == 0)
		error = addresses_init(media, config->media);
	if (error == 0)
		error = tables_init(media);
	if (error == 0)
		error = mixes_init(media, config->media);
	if (error == 0)
		error = rcu_init(media);
	if (error == 0)
		error = events_init(&media->events, config->media->events_max,
				    media->workers_count);
	if (error == 0)
		error = recorder_init(media);
	if (error == 0)
		error = srtp_plane_init(media, config->crypto, config->media->srtp_max);
	for (uint32_t i = 0; error == 0 && i < media->workers_count; i++) {
		error = worker_init(&media->workers[i], media, i, copies_max(config),
				    PLANE_PLAYS_MAX);
		overload_configure(&media->workers[i], config->media);
	}
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

uint32_t
plane_legs_slots(const struct stw_media_config *config)
{
	uint32_t spare = config->legs_max < PLANE_LEGS_SPARE ? config->legs_max : PLANE_LEGS_SPARE;

	return config->legs_max + spare + 1;
}

int
plane_init(struct stw_media *media, const struct plane_config *config)
{
	const struct stw_media_config *wanted = config->media;

	memcpy(media->ports, config->ports, sizeof(*config->ports) * wanted->ports_count);
	for (uint32_t i = 0; i < wanted->ports_count; i++)
		ether_source_make(&media->ports[i]);
	media->ports_count = wanted->ports_count;
	media->workers_count = wanted->workers;
	media->sessions_max = wanted->sessions_max;
	media->legs_max = wanted->legs_max;
	media->legs_slots = plane_legs_slots(wanted);
	media->forks_max = wanted->forks_max;
	media->playouts_max = wanted->playouts_max;
	media->playout_packets_max = wanted->playout_packets_max;
	media->quarantine_ns = wanted->quarantine_ns;
	media->random = config->seed;
	media->consumers.frames_max = config->packets_min / PLANE_CONSUMERS_SHARE;
	media->ip6_key = (uint64_t)plane_random(media) << 32 | plane_random(media);
	control_lock_init(&media->control);
	return parts_init(media, config);
}

void
plane_release(struct stw_media *media)
{
	fork_close_all(media);
	consumer_release_all(media);
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
	mixes_destroy(media);
	free(media->rcu);
	srtp_plane_destroy(media);
	tables_destroy(media);
	addresses_destroy(media);
	kernel_destroy(media);
	control_lock_destroy(&media->control);
}

void
plane_advance(struct stw_media *media, uint64_t now_ns)
{
	plane_lock(media);
	leg_reclaim(media, now_ns);
	kernel_advance(media, now_ns);
	playout_reclaim(media);
	fork_reclaim(media, now_ns);
	consumer_reclaim(media);
	srtp_advance(media, now_ns);
	mixes_reclaim(media);
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

/** Read a word; false when its hop is known by now. */
static bool
wanted_read(const struct stw_media *media, uint64_t word, struct plane_wanted *wanted)
{
	wanted->address = (uint32_t)(word >> 32 & 0xff);
	wanted->hop = (uint32_t)word;
	return media->addresses[wanted->address].family == 4 ||
	       hops6_at(&media->addresses6[wanted->address].hops, wanted->hop, &wanted->hop6) ==
		       HOPS6_ASKED;
}

bool
plane_wanted_take(struct stw_media *media, struct plane_wants *wants, struct plane_wanted *wanted)
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
		if (wanted_read(media, word, wanted))
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
	STW_ASSERT(taken == media->legs_count + media->forks_ports);
	session_check(media);
	fork_check(media);
	consumer_check(media);
	srtp_check(media);
	mixes_check(media);
	for (uint32_t i = 0; i < media->workers_count; i++)
		worker_check(&media->workers[i]);
}
