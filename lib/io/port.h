/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port: an Ethernet device of DPDK, its packet buffers and, on an interface that the kernel keeps,
 * what sends the owned UDP ports here. Opened and closed by the control thread; worker w receives
 * and sends by port_receive and port_send and reads the public fields.
 *
 * Each worker has a pool of its own, which its receive queue fills from: workers share none.
 *
 * Packets that are sent belong to a worker's `pool` or to another pool, but are never an indirect buffer
 * (a clone) taken from that pool itself, nor chained: on AF_XDP the driver sends a buffer of its pool in
 * place and takes its data to be in its own memory.
 */
#ifndef STW_IO_PORT_H
#define STW_IO_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mempool.h>

#include <strowger/media.h>

#include "xdp_sockets.h"

/** Bytes of a port's name, with its end. */
#define PORT_NAME_BYTES 64

struct kernel_relay;
struct port_guard;
struct xdp_steer;

/** Where a worker receives and sends. */
struct port_queue {
	uint16_t id;    /**< DPDK's port id */
	uint16_t queue; /**< receive and send queue of it */
};

/** One port. Filled by port_prepare to port_start, constant from then on until port_close. */
struct port {
	uint16_t queues;                                 /**< workers that it serves; 1 or more */
	struct port_queue queue[STW_MEDIA_WORKERS_MAX];  /**< of each worker */
	struct rte_mempool *pool[STW_MEDIA_WORKERS_MAX]; /**< packet buffers of each; owned */
	struct rte_ether_addr mac;                       /**< link address */
	int ifindex; /**< kernel interface that it shares; 0: none, ARP and ICMP are ours */
	enum stw_port_kind kind;    /**< as configured */
	enum stw_xdp_mode xdp_mode; /**< NATIVE or GENERIC as attached; NONE without XDP */
	uint64_t rx_offloads;       /**< RTE_ETH_RX_OFFLOAD_ bits in use: IPV4_CKSUM, UDP_CKSUM */
	uint64_t tx_offloads;       /**< RTE_ETH_TX_OFFLOAD_ bits in use */
	char name[PORT_NAME_BYTES]; /**< for the log: the device without arguments, the interface */

	/* The rest is of port.c and port_devices.c alone. */
	uint16_t devices;           /**< DPDK ports in use: 1, or one for each queue of AF_XDP */
	bool made;                  /**< port_prepare made the devices: port_close removes them */
	struct xdp_steer *steer;    /**< AF_XDP */
	struct kernel_relay *relay; /**< AF_XDP: inside the kernel; NULL: none */
	uint32_t index;             /**< of the port among those that share it */
	struct xdp_socket socket[STW_MEDIA_WORKERS_MAX]; /**< AF_XDP: of each device */
	int descriptor[STW_MEDIA_WORKERS_MAX]; /**< AF_PACKET, tap: of each queue; -1: none */
	struct port_guard *guard;              /**< AF_PACKET: keeps the kernel from answering */
	uint32_t takeover_ms;                  /**< AF_XDP: as configured */
	uint16_t started;                      /**< of `devices` */
};

/**
 * Make a port, and all that can be had before it receives: devices, buffers, the steering program with its
 * empty maps. A failure undoes everything and names the device in the log.
 *
 * @param port         filled on success only
 * @param config       borrowed until return
 * @param queues       number of workers, 1 to STW_MEDIA_WORKERS_MAX
 * @param packets_max  packet buffers, 1,024 or more, shared out to the workers, 512 or more for
 *                     each; what the rings hold is added
 * @return 0
 * @return -EINVAL   a field is outside its range, or the device does not understand its arguments
 * @return -ENODEV   the device is not there, refused, or has fewer queues
 * @return -ENOTSUP  the kernel cannot do it
 * @return -EBUSY    another XDP program is on the interface, or the port is in use
 * @return -EPERM    the process may not do that
 * @return -ENOMEM   memory cannot be had
 *
 * Threads:  control, registered with EAL.
 * Progress: blocking (waits for the kernel and the device).
 * Order:    none.
 */
int port_prepare(struct port *port, const struct stw_port_config *config, uint16_t queues,
		 uint32_t packets_max);

/**
 * The same, with a relay inside the kernel; of other kinds than AF_XDP as port_prepare.
 *
 * @param relay  borrowed until port_close; NULL: none
 * @param index  of the port among those that share it
 */
int port_prepare_relayed(struct port *port, const struct stw_port_config *config, uint16_t queues,
			 uint32_t packets_max, struct kernel_relay *relay, uint32_t index);

/**
 * Attach the steering program, after its owner where there is one that is to be waited for (takeover_ms); nothing
 * to do without XDP. Owned packets are dropped from now on, until port_start.
 *
 * @param port  borrowed, prepared
 * @return 0
 * @return -EBUSY    another XDP program is on the interface; the log names it
 * @return -ENOTSUP  XDP cannot be had in the mode asked for
 * @return -ENODEV, -EPERM, -ENOMEM
 *
 * Threads:  control.
 * Progress: blocking (waits for the kernel and for the predecessor).
 * Order:    what was owned before is steered from the first packet on.
 */
int port_attach(struct port *port);

/**
 * Start the devices: packets come in. The kernel frees a queue of AF_XDP some time after its last socket was
 * closed, so it is tried for five seconds. A failure leaves the port to port_close.
 *
 * @param port  borrowed, attached
 * @return 0
 * @return -EBUSY   the port is in use
 * @return -ENODEV  the device refused; the log says why
 * @return -ENOMEM  memory cannot be had
 *
 * Threads:  control, registered with EAL.
 * Progress: blocking (waits for the kernel and the device).
 * Order:    the caller hands the port to workers.
 */
int port_start(struct port *port);

/** port_prepare, port_attach and port_start in one; a failure undoes everything. */
int port_open(struct port *port, const struct stw_port_config *config, uint16_t queues,
	      uint32_t packets_max);

/**
 * Own a range of UDP ports of a local address: AF_XDP sends them here, AF_PACKET keeps the kernel
 * from answering them; nothing to do for a device without a kernel behind it.
 *
 * @param port       borrowed
 * @param ip         borrowed
 * @param vlan       identifier of the VLAN that it is in; 0: none
 * @param udp_first  first UDP port, 1 or more
 * @param udp_last   last UDP port, udp_first or more
 * @return 0
 * @return -EINVAL   a range or address that cannot be
 * @return -ENOSPC   too many addresses or ranges of one address
 * @return -EIO      the kernel refused; the log says what
 *
 * Threads:  control; workers may run.
 * Progress: blocking (waits for the kernel).
 * Order:    packets that arrive after the return are steered.
 */
int port_own(struct port *port, const struct stw_ip *ip, uint16_t vlan, uint16_t udp_first,
	     uint16_t udp_last);

/**
 * Say where the entries of an owned address's ports are (kernel_entries_first), for relay inside the kernel;
 * nothing to do for a port without it.
 *
 * @param entries_first  index of the entry of udp_first
 * @param udp_first      as it was owned
 * @return 0
 * @return -EINVAL  an address that cannot be
 * @return -ENOENT  it is not owned
 * @return -EIO     the kernel refused
 *
 * Threads, progress, order: as port_own.
 */
int port_own_legs(struct port *port, const struct stw_ip *ip, uint16_t vlan, uint32_t entries_first,
		  uint16_t udp_first);

/**
 * Give up every range of UDP ports of a local address.
 *
 * @param port  borrowed
 * @param ip    borrowed
 * @param vlan  as it was owned
 * @return 0
 * @return -ENOENT  no range of that address is owned
 *
 * Threads:  control; workers may run.
 * Progress: blocking (waits for the kernel).
 * Order:    packets that arrive after the return go to the kernel.
 */
int port_disown(struct port *port, const struct stw_ip *ip, uint16_t vlan);

/** Packets that the steering program has seen, over all CPUs. */
struct port_steer_counts {
	uint64_t steered;   /**< given to a worker's socket */
	uint64_t passed;    /**< left to the kernel */
	uint64_t unserved;  /**< owned, but its receive queue has no worker: dropped */
	uint64_t fragments; /**< of `passed`: UDP fragments to an address with owned ports */
};

/**
 * Read what the steering program counted; zeros without XDP.
 *
 * Threads:  control; workers may run.
 * Progress: blocking (waits for the kernel).
 * Order:    none.
 */
void port_steer_counts(const struct port *port, struct port_steer_counts *counts);

/**
 * Read how many packets the devices dropped because no worker took them in time.
 *
 * Threads:  control; workers may run.
 * Progress: blocking (waits for the kernel or the device).
 * Order:    none.
 */
uint64_t port_missed(const struct port *port);

/** The same for the receive queue of one worker; 0 where the device does not count by queue. */
uint64_t port_missed_by(const struct port *port, uint16_t worker);

/**
 * A descriptor that is readable while packets wait in a worker's receive queue; -1: there is none.
 *
 * Threads: control. Progress: wait-free (bound 1).
 */
int port_descriptor(const struct port *port, uint16_t worker);

/**
 * Say whether the link is up.
 *
 * Threads:  control; workers may run.
 * Progress: blocking (waits for the kernel or the device).
 * Order:    none.
 */
bool port_link_is_up(const struct port *port);

/**
 * Give everything back: detach XDP, stop and close the device, remove it if port_prepare made it,
 * free the buffers.
 *
 * @param port  borrowed, prepared or more; unusable afterwards
 *
 * Threads:  control, when no worker uses the port any more and no packet of its pool is held.
 * Progress: blocking (waits for the kernel and the device).
 * Order:    the caller has joined the workers.
 */
void port_close(struct port *port);

/**
 * Receive a burst.
 *
 * @param port     borrowed
 * @param worker   0 to queues - 1
 * @param packets  given: filled with up to count packets
 * @param count    room in packets
 * @return number of packets
 *
 * Threads:  the worker alone.
 * Progress: wait-free (bound: count), as far as the device's driver is.
 * Order:    none.
 */
static inline uint16_t
port_receive(const struct port *port, uint16_t worker, struct rte_mbuf **packets, uint16_t count)
{
	const struct port_queue *queue = &port->queue[worker];

	return rte_eth_rx_burst(queue->id, queue->queue, packets, count);
}

/**
 * Send a burst.
 *
 * @param port     borrowed
 * @param worker   0 to queues - 1
 * @param packets  the first `returned value` are taken
 * @param count    number of packets
 * @return number of packets taken; fewer than count when the send ring is full
 *
 * Threads:  the worker alone.
 * Progress: wait-free (bound: count), as far as the device's driver is.
 * Order:    packets of one worker leave in the order given.
 */
static inline uint16_t
port_send(const struct port *port, uint16_t worker, struct rte_mbuf **packets, uint16_t count)
{
	const struct port_queue *queue = &port->queue[worker];

	return rte_eth_tx_burst(queue->id, queue->queue, packets, count);
}

#endif
