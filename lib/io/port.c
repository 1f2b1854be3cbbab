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

#include "base/base.h"
#include "interface.h"
#include "kernel_relay.h"
#include "port_device.h"
#include "port_devices.h"
#include "port_guard.h"
#include "xdp_features.h"
#include "xdp_steer.h"

#define PACKETS_MIN 1024
#define SHARE_MIN   512

/* Control thread only. Names of our pools are distinct in the process. */
static uint32_t names_given;

static void name_port(struct port *port, const struct stw_port_config *config);
static int prepare(struct port *port, const struct stw_port_config *config, uint32_t packets_max);
static int refused(const struct port *port, int error);
static int check(const struct port *port, const struct stw_port_config *config,
		 uint32_t packets_max);
static int find_interface(struct port *port);
static int load_or_guard(struct port *port, const struct stw_port_config *config);
static int make_pools(struct port *port, uint32_t packets_max);
static void free_pools(struct port *port);

int
port_prepare(struct port *port, const struct stw_port_config *config, uint16_t queues,
	     uint32_t packets_max)
{
	return port_prepare_relayed(port, config, queues, packets_max, NULL, 0);
}

int
port_prepare_relayed(struct port *port, const struct stw_port_config *config, uint16_t queues,
		     uint32_t packets_max, struct kernel_relay *relay, uint32_t index)
{
	struct port draft = {0};
	int error;

	draft.queues = queues;
	draft.kind = config->kind;
	draft.takeover_ms = config->takeover_ms;
	draft.relay = relay;
	draft.index = index;
	memset(draft.descriptor, 0xff, sizeof(draft.descriptor));
	name_port(&draft, config);
	error = prepare(&draft, config, packets_max);
	if (error)
		return refused(&draft, error);
	*port = draft;
	return 0;
}

/*
 * What a program redirects is lost, and nobody is told, where the driver does not send it: a veth whose other end
 * is not made for it. Before 6.3 the kernel does not say; then other drivers than that are trusted. In the
 * receive path of the kernel, in generic mode, all drivers send it.
 */
static void
relay_look(struct port *port)
{
	int sends = port->xdp_mode == STW_XDP_GENERIC ? 1 : xdp_sends_redirected(port->ifindex);

	if (sends < 0)
		sends = kernel_relay_trusts(port->relay) ||
			!interface_driver_is(port->name, "veth");
	if (sends)
		return;
	stw_log(STW_LOG_WARN,
		"KERNEL-RELAY-NONE port=%s reason=\"its driver sends nothing that is "
		"redirected; a veth does when its other end has GRO\"",
		port->name);
	kernel_relay_memory(port->relay)->ifindex[port->index] = 0;
	port->relay = NULL;
}

int
port_attach(struct port *port)
{
	int error;

	if (!port->steer)
		return 0;
	error = xdp_steer_attach(port->steer, port->takeover_ms);
	if (error)
		return refused(port, error);
	port->xdp_mode = xdp_steer_mode(port->steer);
	if (port->relay)
		relay_look(port);
	return 0;
}

int
port_start(struct port *port)
{
	int error = port_devices_start(port);

	if (error)
		return refused(port, error);
	stw_log(STW_LOG_INFO, "PORT-OPEN port=%s queues=%u packets=%u", port->name, port->queues,
		port->queues * port->pool[0]->size);
	return 0;
}

int
port_open(struct port *port, const struct stw_port_config *config, uint16_t queues,
	  uint32_t packets_max)
{
	struct port draft;
	int error;

	error = port_prepare(&draft, config, queues, packets_max);
	if (error)
		return error;
	error = port_attach(&draft);
	if (!error)
		error = port_start(&draft);
	if (error) {
		port_close(&draft);
		return error;
	}
	*port = draft;
	return 0;
}

void
port_close(struct port *port)
{
	/* Before the devices: net_af_xdp detaches whatever program it finds. */
	xdp_steer_detach(port->steer);
	port_guard_stop(port->guard);
	port_devices_remove(port);
	xdp_steer_free(port->steer);
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
refused(const struct port *port, int error)
{
	stw_log(STW_LOG_ERROR, "PORT-REFUSED port=%s error=%d text=%s", port->name, error,
		stw_error_text(error));
	return error;
}

static int
prepare(struct port *port, const struct stw_port_config *config, uint32_t packets_max)
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
	error = port_devices_make(port, config);
	if (error)
		goto fail_pool;
	error = load_or_guard(port, config);
	if (error)
		goto fail_devices;
	return 0;
fail_devices:
	port_devices_remove(port);
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
	    xdp != (config->xdp_mode != STW_XDP_NONE) || (!xdp && config->takeover_ms != 0))
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
load_or_guard(struct port *port, const struct stw_port_config *config)
{
	struct xdp_steer_setup setup;
	int error;

	if (port->kind == STW_PORT_AF_PACKET)
		return port_guard_start(&port->guard, port->name);
	if (port->kind != STW_PORT_AF_XDP)
		return 0;
	setup = (struct xdp_steer_setup){.ifindex = port->ifindex,
					 .name = port->name,
					 .mode = config->xdp_mode,
					 .takeover = config->takeover_ms != 0,
					 .relay = port->relay,
					 .port = port->index};
	error = xdp_steer_load(&port->steer, &setup);
	if (error != -ENOTSUP || !port->relay)
		return error;
	/* The smaller program may be had. */
	stw_log(STW_LOG_WARN, "KERNEL-RELAY-NONE port=%s", port->name);
	port->relay = NULL;
	setup.relay = NULL;
	return xdp_steer_load(&port->steer, &setup);
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
