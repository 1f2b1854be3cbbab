/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet plane's life: created with its devices, started, polled, advanced, destroyed.
 */
#include "media.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "clock.h"
#include "media/memory.h"
#include "media/stats.h"
#include "media_relay.h"
#include "neighbour.h"

/** Next hops refreshed in one call of advance, and words looked at for that. */
#define REFRESH_HOPS  4
#define REFRESH_WORDS 4096

static struct media_io *
io_of(struct stw_media *media)
{
	return (struct media_io *)media;
}

static void
ports_close(struct media_io *io)
{
	while (io->ports_open) {
		io->ports_open--;
		exception_close(io->exceptions[io->ports_open]);
		port_close(&io->ports[io->ports_open]);
	}
}

/** Open a port's path to the kernel, if it is to have one. */
static int
exception_of(struct media_io *io, uint32_t index, const char *name, uint32_t workers)
{
	const struct port *port = &io->ports[index];
	int error;

	if (!name)
		return 0;
	error = exception_open(&io->exceptions[index], name, &port->mac, workers);
	if (!error)
		io->exceptions_count++;
	return error;
}

static int
ports_prepare(struct media_io *io, const struct stw_media_config *config)
{
	for (uint32_t i = 0; i < config->ports_count; i++) {
		const struct stw_port_config *port = &config->ports[i];
		uint32_t spare = port->exception ? config->workers * EXCEPTION_RING : 0;
		int error;

		if (port->exception && port->kind != STW_PORT_DEVICE &&
		    port->kind != STW_PORT_TAKEN)
			return -EINVAL;
		error = port_prepare_relayed(&io->ports[i], port, (uint16_t)config->workers,
					     config->packets_max + spare, io->relay, i);
		if (error < 0)
			return error;
		io->ports_open++;
		error = exception_of(io, i, port->exception, config->workers);
		if (error < 0)
			return error;
	}
	return 0;
}

/** Last of all: what comes in waits from here on, and a predecessor's packets get lost until here. */
static int
ports_start(struct media_io *io)
{
	int error = 0;

	for (uint32_t i = 0; i < io->ports_open && !error; i++)
		error = port_attach(&io->ports[i]);
	for (uint32_t i = 0; i < io->ports_open && !error; i++) {
		error = port_start(&io->ports[i]);
		/* A device that had to be made again may have another. */
		io->plane.ports[i].id = io->ports[i].queue[0].id;
	}
	return error;
}

/** What the stages need to know of the ports. */
static void
ports_describe(const struct media_io *io, struct plane_port *ports)
{
	for (uint32_t i = 0; i < io->ports_open; i++) {
		const struct port *port = &io->ports[i];
		bool segments = (port->tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;

		ports[i] = (struct plane_port){
			.pools = port->pool,
			.mac = port->mac,
			.id = port->queue[0].id,
			.owned = port->ifindex == 0,
			/* A reference has no address for devices that want physical ones. */
			.by_reference = segments && rte_eal_iova_mode() == RTE_IOVA_VA,
			.udp_checksums = (port->tx_offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0,
		};
	}
}

static int
addresses_own(struct media_io *io, const struct stw_media_config *config)
{
	for (uint32_t i = 0; i < config->addresses_count; i++) {
		const struct stw_address_config *address = &config->addresses[i];
		struct port *port = &io->ports[address->port];
		int error = port_own(port, &address->ip, address->vlan, address->udp_port_first,
				     address->udp_port_last);

		if (error < 0)
			return error == -ENOSPC ? -EINVAL : -ENODEV;
		io->ifindexes[i] = port->ifindex;
		if (address->vlan && port->ifindex)
			io->ifindexes[i] = neighbour_interface(&address->ip, port->name);
		error = media_relay_own(io, config, i);
		if (error < 0)
			return error;
	}
	return 0;
}

static uint64_t
seed_take(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = clock_read_ns(CLOCK_REALTIME);
	return seed;
}

int
stw_media_create(struct stw_media **out, const struct stw_media_config *config)
{
	return media_create(out, config, NULL);
}

int
media_create(struct stw_media **out, const struct stw_media_config *config,
	     struct kernel_relay *relay)
{
	struct plane_port ports[STW_MEDIA_PORTS_MAX] = {0};
	struct plane_config plane = {.media = config, .ports = ports};
	struct srtp_crypto crypto = {0};
	struct media_io *io;
	int error;

	if (!out || !config || plane_config_check(config) < 0)
		return -EINVAL;
	io = memory_map(sizeof(*io));
	if (!io)
		return -ENOMEM;
	error = 0;
	if (relay)
		media_relay_lend(io, relay, config);
	else
		error = media_relay_open(io, config);
	if (!error)
		error = ports_prepare(io, config);
	if (error < 0)
		goto close;
	ports_describe(io, ports);
	error = crypto_open(&io->crypto, &crypto, config);
	if (error < 0)
		goto close;
	plane.crypto = &crypto;
	plane.kernel = io->relay ? kernel_relay_memory(io->relay) : NULL;
	plane.packets_min = config->packets_max;
	plane.seed = seed_take();
	error = plane_init(&io->plane, &plane);
	if (error < 0)
		goto close;
	atomic_store_explicit(&io->plane.wall_offset_ns,
			      (int64_t)(clock_read_ns(CLOCK_REALTIME) - clock_now_ns()),
			      memory_order_relaxed);
	error = addresses_own(io, config);
	if (!error)
		error = ports_start(io);
	if (!error && config->kernel_relay == STW_KERNEL_RELAY_REQUIRED &&
	    !kernel_is_there(&io->plane))
		error = -ENOTSUP;
	if (error < 0)
		goto fini;
	for (uint32_t i = 0; i < config->workers; i++)
		idle_init(&io->idles[i], io, config, i);
	*out = &io->plane;
	return 0;
fini:
	plane_release(&io->plane);
close:
	ports_close(io);
	if (io->plane.workers)
		plane_destroy(&io->plane);
	crypto_close(&io->crypto);
	media_relay_close(io);
	memory_unmap(io, sizeof(*io));
	return error;
}

static void
workers_stop(struct media_io *io)
{
	if (!atomic_load_explicit(&io->started, memory_order_relaxed))
		return;
	atomic_store_explicit(&io->stopping, 1, memory_order_relaxed);
	for (uint32_t i = 0; i < io->plane.workers_count; i++)
		worker_wake(&io->plane.workers[i]);
	for (uint32_t i = 0; i < io->plane.workers_count; i++)
		rte_eal_wait_lcore(io->lcores[i]);
}

void
stw_media_destroy(struct stw_media *media)
{
	struct media_io *io = io_of(media);

	if (!media)
		return;
	workers_stop(io);
	/* Buffers of ports first, as their pools go with them; then what devices may still hold. */
	plane_release(media);
	ports_close(io);
	plane_destroy(media);
	crypto_close(&io->crypto);
	media_relay_close(io);
	memory_unmap(io, sizeof(*io));
}

/** Find a worker lcore that waits, above one already taken. */
static uint32_t
lcore_free(uint32_t after)
{
	uint32_t lcore = rte_get_next_lcore(after, 1, 0);

	while (lcore < RTE_MAX_LCORE && rte_eal_get_lcore_state(lcore) != WAIT)
		lcore = rte_get_next_lcore(lcore, 1, 0);
	return lcore;
}

int
stw_media_start(struct stw_media *media)
{
	struct media_io *io = io_of(media);
	uint32_t lcore = UINT32_MAX;

	if (atomic_load_explicit(&io->started, memory_order_relaxed))
		return -EALREADY;
	for (uint32_t i = 0; i < media->workers_count; i++) {
		lcore = lcore_free(lcore);
		if (lcore >= RTE_MAX_LCORE)
			return -ENODEV;
		io->lcores[i] = lcore;
	}
	atomic_store_explicit(&io->started, 1, memory_order_relaxed);
	/* -ENOTSUP: all addresses are the kernel's. */
	(void)announce_ask(io, UINT32_MAX);
	for (uint32_t i = 0; i < media->workers_count; i++) {
		int error = rte_eal_remote_launch(worker_run, &media->workers[i], io->lcores[i]);

		/* Waiting lcores take work; nobody else may launch on them meanwhile. */
		STW_ASSERT(error == 0);
	}
	return 0;
}

int
stw_media_poll(struct stw_media *media, uint32_t worker, uint64_t now_ns)
{
	struct media_io *io = io_of(media);
	unsigned received;

	if (worker >= media->workers_count)
		return -EINVAL;
	if (atomic_load_explicit(&io->started, memory_order_relaxed))
		return -EBUSY;
	rte_rcu_qsbr_thread_online(media->rcu, worker);
	worker_look(&media->workers[worker], now_ns, STW_WORKER_STOPPED);
	received = worker_turn(io, &media->workers[worker]);
	rte_rcu_qsbr_thread_offline(media->rcu, worker);
	return (int)received;
}

/** Link address of a next hop in a word, as it is known; 0: it is not. */
static uint64_t
hop_known(const struct stw_media *media, const struct plane_wanted *wanted)
{
	if (media->addresses[wanted->address].family == 6)
		return hops6_find_word(&media->addresses6[wanted->address].hops, &wanted->hop6);
	return hops_find_word(&media->addresses[wanted->address].hops, wanted->hop);
}

/** Note a link address. */
static void
hop_learn(struct stw_media *media, const struct plane_wanted *wanted,
	  const struct rte_ether_addr *mac)
{
	uint64_t known = hop_known(media, wanted);

	if (media->addresses[wanted->address].family == 6)
		hops6_learn(&media->addresses6[wanted->address].hops, &wanted->hop6, mac);
	else
		hops_learn(&media->addresses[wanted->address].hops, wanted->hop, mac);
	if (known && memcmp(&known, mac, sizeof(*mac)) != 0)
		kernel_hops_changed(media);
}

/** Look one next hop up in the kernel's tables; false when it is to be tried again. */
static bool
hop_resolve(struct media_io *io, const struct plane_wanted *wanted)
{
	struct stw_ip ip = {.family = io->plane.addresses[wanted->address].family};
	rte_be32_t wire = rte_cpu_to_be_32(wanted->hop);
	struct rte_ether_addr mac;
	int error;

	if (ip.family == 6)
		memcpy(ip.bytes, &wanted->hop6, sizeof(ip.bytes));
	else
		memcpy(ip.bytes, &wire, sizeof(wire));
	error = neighbour_find(io->ifindexes[wanted->address], &ip, &mac);
	if (error == 0)
		hop_learn(&io->plane, wanted, &mac);
	return error != -EAGAIN;
}

/** True while the last question for a next hop is without an answer. */
static bool
hop_pends(const struct stw_media *media, const struct plane_wanted *wanted)
{
	if (media->addresses[wanted->address].family == 6)
		return hops6_ask_pends(&media->addresses6[wanted->address].hops, &wanted->hop6);
	return hops_ask_pends(&media->addresses[wanted->address].hops, wanted->hop);
}

/** Next hops that workers and control have missed. */
static void
hops_pending(struct media_io *io)
{
	uint32_t kept = 0;

	while (io->pending_count < MEDIA_HOPS_PENDING &&
	       plane_wanted_take(&io->plane, &io->plane.wants_kernel,
				 &io->pending[io->pending_count]))
		io->pending_count++;
	for (uint32_t i = 0; i < io->pending_count; i++) {
		struct plane_wanted *wanted = &io->pending[i];

		if (!hop_resolve(io, wanted) && hop_pends(&io->plane, wanted))
			io->pending[kept++] = *wanted;
	}
	io->pending_count = kept;
}

/** Known next hop of a word or an entry of an address's table; false when there is none. */
static bool
hop_at(const struct stw_media *media, uint32_t address, uint32_t word, struct plane_wanted *hop)
{
	hop->address = address;
	if (media->addresses[address].family == 6)
		return hops6_at(&media->addresses6[address].hops, word, &hop->hop6) == HOPS6_KNOWN;
	hop->hop = hops_at(&media->addresses[address].hops, word);
	return hop->hop != 0;
}

/** Known next hops, a few at a time: the kernel keeps their entries fresh for being asked. */
static void
hops_refresh(struct media_io *io)
{
	unsigned hops = 0;

	for (unsigned words = 0; words < REFRESH_WORDS && hops < REFRESH_HOPS; words++) {
		struct plane_address *local = &io->plane.addresses[io->refresh_address];
		uint32_t last = local->family == 6 ? HOPS6_ENTRIES - 1 : local->hops.words_mask;
		struct plane_wanted hop;

		if (io->ports[local->port].ifindex == 0 || io->refresh_word > last) {
			io->refresh_word = 0;
			io->refresh_address = (io->refresh_address + 1) % io->plane.addresses_count;
			continue;
		}
		if (!hop_at(&io->plane, io->refresh_address, io->refresh_word++, &hop))
			continue;
		hop_resolve(io, &hop);
		hops++;
	}
}

/** Say in the log which workers are behind. */
static void
overload_tell(struct media_io *io)
{
	for (uint32_t i = 0; i < io->plane.workers_count; i++) {
		uint32_t level =
			atomic_load_explicit(&io->plane.workers[i].level, memory_order_relaxed);

		if (level == io->overload_told[i])
			continue;
		io->overload_told[i] = (uint8_t)level;
		stw_log(level ? STW_LOG_WARN : STW_LOG_INFO,
			"WORKER-OVERLOAD worker=%" PRIu32 " level=%" PRIu32, i, level);
	}
}

void
stw_media_advance(struct stw_media *media, uint64_t now_ns)
{
	struct media_io *io = io_of(media);

	atomic_store_explicit(&media->wall_offset_ns,
			      (int64_t)(clock_read_ns(CLOCK_REALTIME) - now_ns),
			      memory_order_relaxed);
	plane_advance(media, now_ns);
	overload_tell(io);
	hops_pending(io);
	hops_refresh(io);
}

void
stw_media_stats(struct stw_media *media, struct stw_media_stats *stats)
{
	const struct media_io *io = io_of(media);

	stats_read(media, stats);
	media_relay_stats(io, stats);
	for (uint32_t i = 0; i < io->ports_open; i++) {
		const struct port *port = &io->ports[i];

		for (uint32_t worker = 0; worker < port->queues; worker++)
			stats->packets_in_use += rte_mempool_in_use_count(port->pool[worker]);
		stats->port_missed += port_missed(port);
		if (io->exceptions[i])
			stats->packets_exception_dropped += atomic_load_explicit(
				&io->exceptions[i]->dropped, memory_order_relaxed);
	}
}

enum stw_xdp_mode
stw_media_xdp_mode(const struct stw_media *media, uint32_t port)
{
	const struct media_io *io = (const struct media_io *)media;

	return port < io->ports_open ? io->ports[port].xdp_mode : STW_XDP_NONE;
}
