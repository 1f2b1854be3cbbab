/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's side of a port: a device made from its string, packet buffers that suit it, queues.
 */
#ifndef STW_IO_PORT_DEVICE_H
#define STW_IO_PORT_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mempool.h>

/** Packet buffers that a device's rings hold: of each queue, in each direction. */
#define PORT_RING_PACKETS 1024

/** The same for AF_XDP, whose fill and completion rings have fixed sizes beside. */
#define PORT_RING_PACKETS_XDP (2048 + 2048 + 2 * PORT_RING_PACKETS)

/**
 * Make a device from "name,argument=value,..." and find its port.
 *
 * @param id    set on success only
 * @param made  set on success only: false when a device of that name was there before
 * @return 0
 * @return -ENODEV  no such driver or device, or it refused; DPDK's log says why
 * @return -ENOMEM, -EPERM
 *
 * Threads, progress: control; blocking (waits for the device).
 */
int port_device_make(uint16_t *id, bool *made, const char *device);

/** Remove a device and its port. Stopped before. */
void port_device_remove(uint16_t id);

/**
 * What a device is asked to do for packets that are sent, RTE_ETH_TX_OFFLOAD_ bits: checksums, and
 * packets of several segments, by which playout refers to its payload. Not net_af_xdp, whatever it
 * says: it sends buffers of its own pool in place.
 *
 * @param info  borrowed; as the device describes itself
 *
 * Threads, progress: any; wait-free.
 */
uint64_t port_device_tx_offloads(const struct rte_eth_dev_info *info);

/** What port_device_configure and port_device_start need and find. */
struct port_device_setup {
	uint16_t queues;                  /**< in: receive and send queues */
	struct rte_mempool *const *pools; /**< in: start: for received packets, of each queue */
	int *descriptors;     /**< start: out: of each queue whose driver has one; others stay */
	uint64_t rx_offloads; /**< configure: out: in use */
	uint64_t tx_offloads; /**< configure: out: in use */
	struct rte_ether_addr mac; /**< configure: out */
};

/**
 * Configure a device.
 *
 * @return 0
 * @return -ENODEV  it refused, or has fewer queues
 * @return -EBUSY   it is started already
 * @return -ENOMEM
 *
 * Threads, progress: control; blocking (waits for the device).
 */
int port_device_configure(uint16_t id, struct port_device_setup *setup);

/**
 * Set the queues of a configured device up and start it.
 *
 * @return 0
 * @return -ENODEV  it refused
 * @return -EBUSY   it is started already
 * @return -ENOMEM
 *
 * Threads, progress: control; blocking (waits for the device).
 */
int port_device_start(uint16_t id, struct port_device_setup *setup);

/**
 * Make the packet buffers of a port.
 *
 * @param name     distinct, shorter than RTE_MEMPOOL_NAMESIZE
 * @param packets  how many
 * @param xdp      they are AF_XDP's user memory: one piece, without gaps, room for XDP's own
 * @return 0
 * @return -ENOMEM
 *
 * Threads, progress: control; blocking (waits for EAL's memory).
 */
int port_pool_make(struct rte_mempool **out, const char *name, uint32_t packets, bool xdp);

#endif
