/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports: of a DPDK device, of one that the host has made, of a kernel interface by AF_XDP or
 * AF_PACKET.
 */
#include "port.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "base/base.h"
#include "bpf_log.h"
#include "clock.h"
#include "interface.h"
#include "port_device.h"
#include "port_guard.h"
#include "xdp_steer.h"

#define DEVICE_BYTES 512
#define PACKETS_MIN  1024
#define SHARE_MIN    512

/*
 * The kernel frees an interface's queue a grace period after the AF_XDP socket on it was closed;
 * 17 ms were measured. Until then another socket is refused, and the driver does not say why.
 */
#define RELEASE_NS_USUAL 30000000l
#define RELEASE_NS_MAX   1000000000u

/* Control thread only. Names of our devices and pools are distinct in the process. */
static uint32_t names_given;
static uint64_t sockets_closed_ns; /* when this process closed an AF_XDP port; 0: never */

static bool release_is_under_way(const struct stw_port_config *config);
static void await_release(const struct stw_port_config *config);
static void name_port(struct port *port, const struct stw_port_config *config);
static int open_once(struct port *port, const struct stw_port_config *config, uint32_t packets_max);
static int check(const struct port *port, const struct stw_port_config *config,
		 uint32_t packets_max);
static int find_interface(struct port *port);
static int steer_or_guard(struct port *port, const struct stw_port_config *config);
static int make_devices(struct port *port, const struct stw_port_config *config);
static int make_pools(struct port *port, uint32_t packets_max);
static void free_pools(struct port *port);
static int start(struct port *port);
static void stop(const struct port *port, uint16_t devices);
static void remove_devices(struct port *port);

int
port_open(struct port *port, const struct stw_port_config *config, uint16_t queues,
	  uint32_t packets_max)
{
	struct port draft;
	int error;

	do {
		await_release(config);
		memset(&draft, 0, sizeof(draft));
		draft.queues = queues;
		draft.kind = config->kind;
		memset(draft.descriptor, 0xff, sizeof(draft.descriptor));
		name_port(&draft, config);
		error = open_once(&draft, config, packets_max);
	} while (error == -ENODEV && release_is_under_way(config));
	if (error) {
		stw_log(STW_LOG_ERROR, "PORT-REFUSED port=%s error=%d text=%s", draft.name, error,
			stw_error_text(error));
		return error;
	}
	*port = draft;
	stw_log(STW_LOG_INFO, "PORT-OPEN port=%s queues=%u packets=%u", port->name, queues,
		queues * port->pool[0]->size);
	return 0;
}

void
port_close(struct port *port)
{
	stop(port, port->devices);
	/* Before the devices: net_af_xdp detaches whatever program it finds. */
	xdp_steer_detach(port->steer);
	port_guard_stop(port->guard);
	remove_devices(port);
	xdp_steer_free(port->steer);
	if (port->kind == STW_PORT_AF_XDP)
		sockets_closed_ns = clock_now_ns();
	free_pools(port);
	stw_log(STW_LOG_INFO, "PORT-CLOSED port=%s", port->name);
	memset(port, 0, sizeof(*port));
}

uint64_t
port_missed(const struct port *port)
{
	struct rte_eth_stats stats;
	uint64_t missed = 0;
	uint16_t i;

	for (i = 0; i < port->devices; i++) {
		if (port->steer)
			missed += xdp_socket_missed(&port->socket[i]);
		if (rte_eth_stats_get(port->queue[i].id, &stats) == 0)
			missed += (port->steer ? 0 : stats.imissed) + stats.rx_nombuf;
	}
	return missed;
}

uint64_t
port_missed_by(const struct port *port, uint16_t worker)
{
	struct rte_eth_stats stats;

	if (port->steer)
		return xdp_socket_missed(&port->socket[worker]);
	if (port->queues == 1)
		return port_missed(port);
	if (worker >= RTE_ETHDEV_QUEUE_STAT_CNTRS ||
	    rte_eth_stats_get(port->queue[worker].id, &stats) != 0)
		return 0;
	return stats.q_errors[port->queue[worker].queue];
}

int
port_descriptor(const struct port *port, uint16_t worker)
{
	return port->kind == STW_PORT_AF_XDP ? port->socket[worker].fd : port->descriptor[worker];
}

bool
port_link_is_up(const struct port *port)
{
	struct rte_eth_link link;

	if (port->ifindex)
		return interface_has_carrier(port->name);
	return rte_eth_link_get_nowait(port->queue[0].id, &link) == 0 &&
	       link.link_status == RTE_ETH_LINK_UP;
}

static bool
release_is_under_way(const struct stw_port_config *config)
{
	return config->kind == STW_PORT_AF_XDP && sockets_closed_ns != 0 &&
	       clock_now_ns() - sockets_closed_ns < RELEASE_NS_MAX;
}

/* The interface's queue is free some time after its socket was closed: wait what is usual. */
static void
await_release(const struct stw_port_config *config)
{
	const struct timespec usual = {.tv_nsec = RELEASE_NS_USUAL};

	if (release_is_under_way(config))
		nanosleep(&usual, NULL);
}

static void
name_port(struct port *port, const struct stw_port_config *config)
{
	if (config->kind == STW_PORT_TAKEN)
		snprintf(port->name, sizeof(port->name), "port %u", config->port_id);
	else if (config->device)
		snprintf(port->name, sizeof(port->name), "%.*s", (int)strcspn(config->device, ","),
			 config->device);
}

static int
open_once(struct port *port, const struct stw_port_config *config, uint32_t packets_max)
{
	int error;

	error = check(port, config, packets_max);
	if (!error)
		error = find_interface(port);
	if (error)
		return error;
	error = make_pools(port, packets_max);
	if (error)
		return error;
	error = make_devices(port, config);
	if (error)
		goto fail_pool;
	error = steer_or_guard(port, config);
	if (error)
		goto fail_devices;
	error = start(port);
	if (error)
		goto fail_steer;
	return 0;
fail_steer:
	xdp_steer_detach(port->steer);
	port_guard_stop(port->guard);
fail_devices:
	remove_devices(port);
	xdp_steer_free(port->steer);
fail_pool:
	free_pools(port);
	return error;
}

static int
check(const struct port *port, const struct stw_port_config *config, uint32_t packets_max)
{
	bool xdp = config->kind == STW_PORT_AF_XDP;

	if (port->queues == 0 || port->queues > STW_MEDIA_WORKERS_MAX || packets_max < PACKETS_MIN)
		return -EINVAL;
	if ((unsigned int)config->kind > STW_PORT_AF_PACKET ||
	    (unsigned int)config->xdp_mode > STW_XDP_GENERIC ||
	    xdp != (config->xdp_mode != STW_XDP_NONE))
		return -EINVAL;
	if (config->kind == STW_PORT_TAKEN)
		return config->device ? -EINVAL : 0;
	if (config->kind != STW_PORT_DEVICE && strcmp(port->name, config->device) != 0)
		return -EINVAL;
	return port->name[0] ? 0 : -EINVAL;
}

/* XDP has a socket for each receive queue; what comes in on a queue without a worker is lost. */
static int
find_interface(struct port *port)
{
	uint32_t queues;

	if (port->kind != STW_PORT_AF_XDP && port->kind != STW_PORT_AF_PACKET)
		return 0;
	port->ifindex = (int)if_nametoindex(port->name);
	if (port->ifindex == 0)
		return -ENODEV;
	queues = interface_queues(port->name);
	if (port->kind == STW_PORT_AF_XDP && queues != port->queues) {
		stw_log(STW_LOG_ERROR, "PORT-QUEUES port=%s receive_queues=%" PRIu32 " workers=%u",
			port->name, queues, port->queues);
		return -ENODEV;
	}
	return 0;
}

static int
steer_or_guard(struct port *port, const struct stw_port_config *config)
{
	int error;

	if (port->kind == STW_PORT_AF_PACKET)
		return port_guard_start(&port->guard, port->name);
	if (port->kind != STW_PORT_AF_XDP)
		return 0;
	error = xdp_steer_attach(&port->steer, port->ifindex, port->name, config->xdp_mode);
	if (!error)
		port->xdp_mode = xdp_steer_mode(port->steer);
	return error;
}

/*
 * AF_XDP: a device for each queue, because net_af_xdp 22.11 frees the memory of all its queues with
 * the first one at close and so never closes the sockets of the others. Copies, because without
 * them the driver may sleep for a second in an empty receive call.
 */
static void
write_device(char device[DEVICE_BYTES], const struct port *port, uint16_t queue)
{
	if (port->kind == STW_PORT_AF_XDP)
		snprintf(device, DEVICE_BYTES,
			 "net_af_xdp_stw%" PRIu32 ",iface=%s,start_queue=%u,queue_count=1,"
			 "busy_budget=0,force_copy=1",
			 names_given++, port->name, queue);
	else
		snprintf(device, DEVICE_BYTES,
			 "net_af_packet_stw%" PRIu32 ",iface=%s,qpairs=%u,framesz=2048,"
			 "blocksz=4096,framecnt=2048",
			 names_given++, port->name, port->queues);
}

static void
assign_queues(struct port *port, uint16_t device, uint16_t id)
{
	uint16_t queue;

	port->devices++;
	if (port->kind == STW_PORT_AF_XDP) {
		port->queue[device].id = id;
		port->socket[device].fd = -1;
		return;
	}
	for (queue = 0; queue < port->queues; queue++) {
		port->queue[queue].id = id;
		port->queue[queue].queue = queue;
	}
}

/* net_af_packet has opened a socket for each queue, one after the other. */
static void
find_descriptors(struct port *port, const struct xdp_sockets *before)
{
	struct xdp_sockets opened;
	size_t i;

	xdp_sockets_list_new(&opened, before, AF_PACKET);
	for (i = 0; i < opened.count && opened.count == port->queues; i++)
		port->descriptor[i] = opened.socket[i].fd;
}

static int
make_devices(struct port *port, const struct stw_port_config *config)
{
	uint16_t devices = port->kind == STW_PORT_AF_XDP ? port->queues : 1;
	struct xdp_sockets before;
	char device[DEVICE_BYTES];
	uint16_t id = config->port_id;
	uint16_t i;
	int error;

	if (port->kind == STW_PORT_TAKEN) {
		if (!rte_eth_dev_is_valid_port(id))
			return -ENODEV;
		assign_queues(port, 0, id);
		return 0;
	}
	xdp_sockets_list(&before, AF_PACKET);
	for (i = 0; i < devices; i++) {
		const char *string = config->device;

		if (port->kind != STW_PORT_DEVICE) {
			write_device(device, port, i);
			string = device;
		}
		error = port_device_make(&id, &port->made, string);
		if (error) {
			remove_devices(port);
			return error;
		}
		assign_queues(port, i, id);
	}
	if (port->kind == STW_PORT_AF_PACKET)
		find_descriptors(port, &before);
	return 0;
}

static void
remove_devices(struct port *port)
{
	uint16_t i;

	for (i = 0; i < port->devices && port->made; i++) {
		port_device_remove(port->queue[i].id);
		if (port->kind == STW_PORT_AF_XDP)
			xdp_socket_close(&port->socket[i]);
	}
	port->devices = 0;
}

/* One for each worker, so that none waits for another, and AF_XDP locks no memory twice. */
static int
make_pools(struct port *port, uint32_t packets_max)
{
	bool xdp = port->kind == STW_PORT_AF_XDP;
	uint32_t held = xdp ? PORT_RING_PACKETS_XDP : 2 * PORT_RING_PACKETS;
	uint32_t share = (packets_max + port->queues - 1u) / port->queues;
	char name[RTE_MEMPOOL_NAMESIZE];
	uint16_t i;

	if (share < SHARE_MIN)
		share = SHARE_MIN;
	for (i = 0; i < port->queues; i++) {
		snprintf(name, sizeof(name), "stw_port_%" PRIu32, names_given++);
		if (port_pool_make(&port->pool[i], name, share + held, xdp) < 0) {
			free_pools(port);
			return -ENOMEM;
		}
	}
	return 0;
}

static void
free_pools(struct port *port)
{
	uint16_t i;

	for (i = 0; i < port->queues; i++) {
		rte_mempool_free(port->pool[i]);
		port->pool[i] = NULL;
	}
}

/* A process without CAP_IPC_LOCK may lock RLIMIT_MEMLOCK; AF_XDP locks the whole pool. */
static void
hint_at_memory(const struct port *port)
{
	struct rlimit limit = {0};

	getrlimit(RLIMIT_MEMLOCK, &limit);
	stw_log(STW_LOG_WARN, "PORT-XDP-MEMORY port=%s locks_kib=%" PRIu64 " limit_kib=%" PRIu64,
		port->name, (uint64_t)STAILQ_FIRST(&port->pool[0]->mem_list)->len >> 10,
		(uint64_t)limit.rlim_cur >> 10);
}

/* A driver without the call filters nothing, as those of software do. */
static void
multicast_enable(const struct port *port)
{
	int error = rte_eth_allmulticast_enable(port->queue[0].id);

	if (error)
		stw_log(error == -ENOTSUP ? STW_LOG_INFO : STW_LOG_WARN,
			"PORT-NO-MULTICAST port=%s error=%d", port->name, error);
}

static int
start(struct port *port)
{
	struct port_device_setup setup = {0};
	struct xdp_sockets before;
	struct bpf_log log;
	uint16_t started = 0;
	int error = 0;

	setup.queues = port->devices == 1 ? port->queues : 1;
	bpf_log_begin(&log);
	while (started < port->devices) {
		xdp_sockets_list(&before, AF_XDP);
		setup.pools = &port->pool[started];
		setup.descriptors = &port->descriptor[started];
		error = port_device_start(port->queue[started].id, &setup);
		if (error)
			break;
		port->socket[started++] = xdp_sockets_new(&before);
	}
	bpf_log_end(&log, port->name, 0);
	if (error) {
		if (port->kind == STW_PORT_AF_XDP)
			hint_at_memory(port);
		stop(port, started);
		return error;
	}
	/* Solicitations come to multicast addresses. */
	if (port->ifindex == 0)
		multicast_enable(port);
	port->mac = setup.mac;
	port->rx_offloads = setup.rx_offloads;
	port->tx_offloads = setup.tx_offloads;
	return 0;
}

static void
stop(const struct port *port, uint16_t devices)
{
	uint16_t i;

	for (i = 0; i < devices; i++)
		rte_eth_dev_stop(port->queue[i].id);
}
