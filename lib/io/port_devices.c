/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The devices of a port.
 *
 * The kernel frees an interface's queue a grace period after the AF_XDP socket on it was closed, by us or by a
 * predecessor, killed or not; 17 ms were measured. Until then another socket is refused, and the driver
 * does not say why. So it is tried again, in steps that are short beside that, each with a new
 * device: the driver's queue keeps the rings' state of a refused start.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_mbuf.h>

#include "base/base.h"
#include "bpf_log.h"
#include "clock.h"
#include "port.h"
#include "port_device.h"
#include "port_devices.h"

#define DEVICE_BYTES 512
#define DRIVER_LOG   "pmd.net.af_xdp"

#define AGAIN_NS   1000000u
#define RELEASE_NS UINT64_C(5000000000)
#define BURST      256

/* What libraries say of what is to be expected is no error for the host's log. */
struct hush {
	bool begun;
	int level;
	libbpf_print_fn_t printer;
};

/* Control thread only. Names of our devices are distinct in the process. */
static uint32_t names_given;

static void hush_begin(struct hush *hush);
static void hush_end(struct hush *hush);
static int make_device(struct port *port, uint16_t device, const char *string);
static void write_device(char device[DEVICE_BYTES], const struct port *port, uint16_t queue);
static void find_descriptors(struct port *port, const struct xdp_sockets *before);
static int start_device(struct port *port, uint16_t device, uint64_t until_ns);
static void hint_at_memory(const struct port *port);
static void multicast_enable(const struct port *port);

int
port_devices_make(struct port *port, const struct stw_port_config *config)
{
	uint16_t devices = port->kind == STW_PORT_AF_XDP ? port->queues : 1;
	struct xdp_sockets before;
	uint16_t i;
	int error = 0;

	if (port->kind == STW_PORT_TAKEN && !rte_eth_dev_is_valid_port(config->port_id))
		return -ENODEV;
	port->queue[0].id = config->port_id;
	xdp_sockets_list(&before, AF_PACKET);
	for (i = 0; i < devices && !error; i++)
		error = make_device(port, i, config->device);
	if (error) {
		port_devices_remove(port);
		return error;
	}
	if (port->kind == STW_PORT_AF_PACKET)
		find_descriptors(port, &before);
	return 0;
}

int
port_devices_start(struct port *port)
{
	uint64_t until_ns = clock_now_ns() + RELEASE_NS;
	struct bpf_log log;
	int error = 0;

	bpf_log_begin(&log);
	while (port->started < port->devices && !error) {
		error = start_device(port, port->started, until_ns);
		if (!error)
			port->started++;
	}
	bpf_log_end(&log, port->name, 0);
	if (error && port->kind == STW_PORT_AF_XDP)
		hint_at_memory(port);
	/* Solicitations come to multicast addresses. */
	if (!error && port->ifindex == 0)
		multicast_enable(port);
	return error;
}

void
port_devices_remove(struct port *port)
{
	struct hush hush = {0};
	uint16_t i;

	for (i = 0; i < port->started; i++)
		rte_eth_dev_stop(port->queue[i].id);
	/* The driver wants to detach a program that is not its own, and gone or the successor's. */
	if (port->kind == STW_PORT_AF_XDP)
		hush_begin(&hush);
	for (i = 0; i < port->devices && port->made; i++) {
		port_device_remove(port->queue[i].id);
		if (port->kind == STW_PORT_AF_XDP)
			xdp_socket_close(&port->socket[i]);
	}
	hush_end(&hush);
	port->started = 0;
	port->devices = 0;
}

static void
hush_begin(struct hush *hush)
{
	uint32_t type = (uint32_t)rte_log_register(DRIVER_LOG);

	hush->begun = true;
	hush->level = rte_log_get_level(type);
	hush->printer = libbpf_set_print(NULL);
	rte_log_set_level(type, RTE_LOG_CRIT);
}

static void
hush_end(struct hush *hush)
{
	if (!hush->begun)
		return;
	rte_log_set_level((uint32_t)rte_log_register(DRIVER_LOG), (uint32_t)hush->level);
	libbpf_set_print(hush->printer);
	hush->begun = false;
}

static void
assign_queues(struct port *port, uint16_t device, uint16_t id)
{
	uint16_t queue;

	port->queue[device].id = id;
	port->socket[device].fd = -1;
	for (queue = 0; queue < port->queues && port->kind != STW_PORT_AF_XDP; queue++) {
		port->queue[queue].id = id;
		port->queue[queue].queue = queue;
	}
}

static int
configure(struct port *port, uint16_t id)
{
	struct port_device_setup setup = {
		.queues = port->kind == STW_PORT_AF_XDP ? 1 : port->queues,
	};
	int error;

	error = port_device_configure(id, &setup);
	if (error)
		return error;
	port->mac = setup.mac;
	port->rx_offloads = setup.rx_offloads;
	port->tx_offloads = setup.tx_offloads;
	return 0;
}

/* `string` is the configured one. */
static int
make_device(struct port *port, uint16_t device, const char *string)
{
	uint16_t id = port->queue[0].id;
	char ours[DEVICE_BYTES];
	int error = 0;

	if (port->kind == STW_PORT_AF_XDP || port->kind == STW_PORT_AF_PACKET) {
		write_device(ours, port, device);
		string = ours;
	}
	if (port->kind != STW_PORT_TAKEN)
		error = port_device_make(&id, &port->made, string);
	if (error)
		return error;
	assign_queues(port, device, id);
	if (device == port->devices)
		port->devices++;
	return configure(port, id);
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

static void
put_back(struct rte_mempool *pool, void *opaque, void *buffer, unsigned int index)
{
	rte_mempool_put(pool, buffer);
}

/* Nobody else uses it yet: take all that is there, so that all is out, and give all back. */
static void
refill(struct rte_mempool *pool)
{
	void *buffers[BURST];

	while (rte_mempool_get_bulk(pool, buffers, BURST) == 0)
		;
	while (rte_mempool_get(pool, buffers) == 0)
		;
	rte_mempool_obj_iter(pool, put_back, NULL);
}

/* net_af_xdp 22.11 leaves the socket open and its buffers in rings that are gone. */
static int
make_again(struct port *port, uint16_t device)
{
	port_device_remove(port->queue[device].id);
	xdp_socket_close(&port->socket[device]);
	refill(port->pool[device]);
	return make_device(port, device, NULL);
}

static int
start_device(struct port *port, uint16_t device, uint64_t until_ns)
{
	const struct timespec pause = {.tv_nsec = AGAIN_NS};
	struct port_device_setup setup = {
		.queues = port->kind == STW_PORT_AF_XDP ? 1 : port->queues,
		.pools = &port->pool[device],
		.descriptors = &port->descriptor[device],
	};
	struct xdp_sockets before;
	struct hush hush = {0};
	bool again;
	int error;

	do {
		again = port->kind == STW_PORT_AF_XDP && clock_now_ns() < until_ns;
		if (again)
			hush_begin(&hush);
		xdp_sockets_list(&before, AF_XDP);
		error = port_device_start(port->queue[device].id, &setup);
		port->socket[device] = xdp_sockets_new(&before);
		again = again && error == -ENODEV;
		if (again) {
			nanosleep(&pause, NULL);
			error = make_again(port, device);
		}
		hush_end(&hush);
	} while (again && !error);
	return error;
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
