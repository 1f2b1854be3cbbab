/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "io/port.h"
#include "io/port_device.h"

#define PACKETS_MAX 1024

static void
start_eal(void)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;

	config.huge_pages = 0;
	config.memory_mib = 128;
	cr_assert_eq(stw_eal_start(&config), 0);
}

TestSuite(port, .init = start_eal, .fini = stw_eal_stop);

static struct stw_port_config
device(const char *string)
{
	return (struct stw_port_config){.kind = STW_PORT_DEVICE, .device = string};
}

/* What a port could leave behind. */
struct held {
	size_t descriptors;
	size_t allocations;
	uint16_t ports;
};

static struct held
count_held(void)
{
	struct rte_malloc_socket_stats stats = {0};
	struct held held = {0};
	DIR *descriptors = opendir("/proc/self/fd");

	while (readdir(descriptors))
		held.descriptors++;
	closedir(descriptors);
	rte_malloc_get_socket_stats(0, &stats);
	held.allocations = stats.alloc_count;
	held.ports = rte_eth_dev_count_avail();
	return held;
}

/* The first two rounds make what DPDK keeps for good. */
static void
open_50_times(const char *string, uint16_t queues, int expected, struct held *early,
	      struct held *late)
{
	struct stw_port_config config = device(string);
	struct port port;
	int i;

	for (i = 0; i < 50; i++) {
		cr_assert_eq(port_open(&port, &config, queues, PACKETS_MAX), expected);
		if (expected == 0)
			port_close(&port);
		*late = count_held();
		if (i == 1)
			*early = *late;
	}
	cr_assert_eq(late->descriptors, early->descriptors);
	cr_assert_eq(late->ports, 0);
}

Test(port, ring_port_opened_50_times_leaves_nothing)
{
	struct held early;
	struct held late;

	open_50_times("net_ring0", 1, 0, &early, &late);
	cr_assert_eq(late.allocations, early.allocations);
}

Test(port, device_with_too_few_queues_leaves_nothing)
{
	struct held early;
	struct held late;

	open_50_times("net_ring0", 17, -ENODEV, &early, &late);
	cr_assert_eq(late.allocations, early.allocations);
}

/* Needs the right to make a tap. */
Test(port, tap_port_has_a_descriptor_that_tells_of_packets)
{
	struct stw_port_config config = device("net_tap_stw,iface=stwidle0");
	struct pollfd readable = {.events = POLLIN};
	struct rte_mbuf *packet;
	struct port port;
	int up;

	if (access("/dev/net/tun", R_OK | W_OK) != 0 ||
	    port_open(&port, &config, 1, PACKETS_MAX) != 0)
		cr_skip_test("no right to make a tap");
	readable.fd = port_descriptor(&port, 0);
	cr_assert_geq(readable.fd, 0);
	/* The kernel's IPv6 speaks as soon as the interface is up; read what there is, to its end. */
	up = poll(&readable, 1, 5000);
	cr_assert_eq(up, 1);
	for (unsigned i = 0; i < 100000 && poll(&readable, 1, 0) == 1; i++) {
		if (port_receive(&port, 0, &packet, 1) == 1)
			rte_pktmbuf_free(packet);
	}
	port_close(&port);
}

Test(port, device_without_a_descriptor_says_so)
{
	struct stw_port_config config = device("net_ring0");
	struct port port;

	cr_assert_eq(port_open(&port, &config, 2, PACKETS_MAX), 0);
	cr_assert_eq(port_descriptor(&port, 0), -1);
	cr_assert_eq(port_descriptor(&port, 1), -1);
	port_close(&port);
}

/* Its driver in DPDK 22.11 forgets one packet for each queue and direction. */
Test(port, null_port_opened_50_times_leaves_what_its_driver_forgets)
{
	struct held early;
	struct held late;

	open_50_times("net_null0", 2, 0, &early, &late);
	cr_assert_leq(late.allocations - early.allocations, 48 * 4);
}

Test(port, packet_sent_into_a_ring_comes_back)
{
	struct stw_port_config config = device("net_ring0");
	struct rte_mbuf *got[4];
	struct rte_mbuf *packet;
	struct port port;

	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), 0);
	cr_assert_eq(port.ifindex, 0);
	cr_assert_eq(port.xdp_mode, STW_XDP_NONE);
	cr_assert(port_link_is_up(&port));
	packet = rte_pktmbuf_alloc(port.pool[0]);
	cr_assert_not_null(packet);
	memset(rte_pktmbuf_append(packet, 100), 7, 100);
	cr_assert_eq(port_send(&port, 0, &packet, 1), 1);
	cr_assert_eq(port_receive(&port, 0, got, 4), 1);
	cr_assert_eq(got[0], packet);
	rte_pktmbuf_free(packet);
	cr_assert_eq(rte_mempool_in_use_count(port.pool[0]), 0);
	port_close(&port);
}

Test(port, several_segments_are_sent_where_the_driver_can)
{
	struct stw_port_config config = device("net_ring0");
	struct rte_eth_dev_info info = {
		.driver_name = "net_some",
		.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_UDP_CKSUM,
	};
	struct port port;

	cr_assert_eq(port_device_tx_offloads(&info), info.tx_offload_capa);
	info.driver_name = "net_af_xdp";
	cr_assert_eq(port_device_tx_offloads(&info), RTE_ETH_TX_OFFLOAD_UDP_CKSUM);
	info.driver_name = "net_some";
	info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	cr_assert_eq(port_device_tx_offloads(&info), 0);
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), 0);
	cr_assert(port.tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	port_close(&port);
}

Test(port, buffers_are_at_least_those_asked_for)
{
	struct stw_port_config config = device("net_null0");
	struct port port;

	cr_assert_eq(port_open(&port, &config, 1, 5000), 0);
	cr_assert_geq(rte_mempool_avail_count(port.pool[0]), 5000);
	port_close(&port);
}

Test(port, device_of_the_host_is_used_and_stays)
{
	struct stw_port_config made = device("net_null0");
	struct stw_port_config taken = {.kind = STW_PORT_TAKEN};
	struct port port;

	cr_assert_eq(rte_dev_probe("net_null0"), 0);
	cr_assert_eq(rte_eth_dev_get_port_by_name("net_null0", &taken.port_id), 0);
	cr_assert_eq(port_open(&port, &taken, 1, PACKETS_MAX), 0);
	cr_assert_eq(port.queue[0].id, taken.port_id);
	port_close(&port);
	cr_assert_eq(rte_eth_dev_count_avail(), 1);
	cr_assert_eq(port_open(&port, &made, 1, PACKETS_MAX), 0);
	port_close(&port);
	cr_assert_eq(rte_eth_dev_count_avail(), 1);
}

Test(port, device_in_use_is_left_alone)
{
	struct stw_port_config config = device("net_null0");
	struct rte_mbuf *packets[1];
	struct port other;
	struct port port;

	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), 0);
	cr_assert_eq(port_open(&other, &config, 1, PACKETS_MAX), -EBUSY);
	cr_assert_eq(port_receive(&port, 0, packets, 1), 1);
	rte_pktmbuf_free(packets[0]);
	port_close(&port);
}

Test(port, what_is_not_there_is_named_as_such)
{
	struct stw_port_config config = device("net_nosuch0");
	struct port port;

	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), -ENODEV);
	config.device = "stw-no-such-if";
	config.kind = STW_PORT_AF_PACKET;
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), -ENODEV);
	config.kind = STW_PORT_AF_XDP;
	config.xdp_mode = STW_XDP_AUTO;
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), -ENODEV);
	config = (struct stw_port_config){.kind = STW_PORT_TAKEN, .port_id = 9};
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), -ENODEV);
}

Test(port, fields_outside_their_range_are_refused)
{
	struct stw_port_config config = device("net_null0");
	struct port port;

	cr_assert_eq(port_open(&port, &config, 0, PACKETS_MAX), -EINVAL);
	cr_assert_eq(port_open(&port, &config, 65, PACKETS_MAX), -EINVAL);
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX - 1), -EINVAL);
	config.xdp_mode = STW_XDP_NATIVE;
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), -EINVAL);
	config = (struct stw_port_config){.kind = STW_PORT_AF_XDP, .device = "lo"};
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), -EINVAL);
	config.xdp_mode = STW_XDP_AUTO;
	config.device = "lo,busy_budget=64";
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), -EINVAL);
	config = device("net_null0");
	config.takeover_ms = 1;
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), -EINVAL);
	config = device(NULL);
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), -EINVAL);
	config = device("");
	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), -EINVAL);
}

Test(port, owning_without_a_kernel_behind_checks_its_arguments)
{
	struct stw_port_config config = device("net_null0");
	struct port_steer_counts counts;
	struct port port;
	struct stw_ip ip;

	cr_assert_eq(port_open(&port, &config, 1, PACKETS_MAX), 0);
	cr_assert_eq(stw_ip_parse("192.0.2.1", &ip), 0);
	cr_assert_eq(port_own(&port, &ip, 0, 20000, 20999), 0);
	cr_assert_eq(port_own(&port, &ip, 0, 0, 20999), -EINVAL);
	cr_assert_eq(stw_ip_parse("2001:db8::1", &ip), 0);
	cr_assert_eq(port_own(&port, &ip, 7, 20000, 20999), 0);
	ip.family = 0;
	cr_assert_eq(port_own(&port, &ip, 0, 20000, 20999), -EINVAL);
	port_steer_counts(&port, &counts);
	cr_assert_eq(counts.steered, 0);
	cr_assert_eq(port_missed(&port), 0);
	port_close(&port);
}
