/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's Ethernet devices, made and removed while the process runs.
 */
#include "port_device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "base/base.h"

#define OFFLOADS_RX (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)
#define OFFLOADS_TX (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
#define FLOWS       (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP)

int
port_device_make(uint16_t *id, bool *made, const char *device)
{
	char name[RTE_DEV_NAME_MAX_LEN];
	uint16_t found;
	int error;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	if (rte_eth_dev_get_port_by_name(name, &found) == 0) {
		*id = found;
		*made = false;
		return 0;
	}
	error = rte_dev_probe(device);
	if (error == -ENOMEM || error == -EPERM)
		return error;
	if (error || rte_eth_dev_get_port_by_name(name, &found) != 0)
		return -ENODEV;
	*id = found;
	*made = true;
	return 0;
}

void
port_device_remove(uint16_t id)
{
	struct rte_eth_dev_info info;
	int error;

	error = rte_eth_dev_info_get(id, &info);
	if (!error)
		error = rte_dev_remove(info.device);
	if (error)
		stw_log(STW_LOG_ERROR, "PORT-NOT-REMOVED id=%u errno=%d", id, -error);
}

uint64_t
port_device_tx_offloads(const struct rte_eth_dev_info *info)
{
	uint64_t wanted = OFFLOADS_TX | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

	if (strcmp(info->driver_name, "net_af_xdp") == 0)
		wanted &= ~RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	return info->tx_offload_capa & wanted;
}

/*
 * net_tap's interrupt of a queue is the tap's descriptor itself, readable while packets wait. Other drivers'
 * are to be armed and cleared for each wait, and a queue of theirs is looked at now and then instead.
 */
static bool
is_descriptor(const struct rte_eth_dev_info *info)
{
	return strcmp(info->driver_name, "net_tap") == 0;
}

static int
configure(uint16_t id, struct port_device_setup *setup, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf config = {0};

	setup->rx_offloads = info->rx_offload_capa & OFFLOADS_RX;
	setup->tx_offloads = port_device_tx_offloads(info);
	config.rxmode.offloads = setup->rx_offloads;
	config.txmode.offloads = setup->tx_offloads;
	config.intr_conf.rxq = is_descriptor(info);
	if (setup->queues > 1 && (info->flow_type_rss_offloads & FLOWS)) {
		config.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		config.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & FLOWS;
	} else if (setup->queues > 1 && strcmp(info->driver_name, "net_af_packet") != 0) {
		/* What it does instead is its own: all to one queue, or whoever fills them spreads. */
		stw_log(STW_LOG_WARN, "PORT-NO-RSS id=%u driver=%s queues=%u", id,
			info->driver_name, setup->queues);
	}
	return rte_eth_dev_configure(id, setup->queues, setup->queues, &config);
}

static int
set_up_queues(uint16_t id, const struct port_device_setup *setup)
{
	uint16_t rx_packets = PORT_RING_PACKETS;
	uint16_t tx_packets = PORT_RING_PACKETS;
	int socket = rte_eth_dev_socket_id(id);
	uint16_t queue;
	int error;

	error = rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx_packets, &tx_packets);
	for (queue = 0; queue < setup->queues && !error; queue++)
		error = rte_eth_rx_queue_setup(id, queue, rx_packets, (unsigned int)socket, NULL,
					       setup->pools[queue]);
	for (queue = 0; queue < setup->queues && !error; queue++)
		error = rte_eth_tx_queue_setup(id, queue, tx_packets, (unsigned int)socket, NULL);
	return error;
}

static int
error_of(int error)
{
	if (error == 0 || error == -EBUSY || error == -ENOMEM)
		return error;
	return -ENODEV;
}

int
port_device_configure(uint16_t id, struct port_device_setup *setup)
{
	struct rte_eth_dev_info info;
	int error;

	error = rte_eth_dev_info_get(id, &info);
	if (error)
		return -ENODEV;
	if (info.max_rx_queues < setup->queues || info.max_tx_queues < setup->queues) {
		stw_log(STW_LOG_ERROR, "PORT-FEW-QUEUES id=%u rx=%u tx=%u wanted=%u", id,
			info.max_rx_queues, info.max_tx_queues, setup->queues);
		return -ENODEV;
	}
	error = configure(id, setup, &info);
	if (!error)
		error = rte_eth_macaddr_get(id, &setup->mac);
	return error_of(error);
}

int
port_device_start(uint16_t id, struct port_device_setup *setup)
{
	struct rte_eth_dev_info info;
	uint16_t queue;
	int error;

	error = rte_eth_dev_info_get(id, &info);
	if (!error)
		error = set_up_queues(id, setup);
	if (!error)
		error = rte_eth_dev_start(id);
	for (queue = 0; !error && is_descriptor(&info) && queue < setup->queues; queue++)
		setup->descriptors[queue] = rte_eth_dev_rx_intr_ctl_q_get_fd(id, queue);
	return error_of(error);
}
