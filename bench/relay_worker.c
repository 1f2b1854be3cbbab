/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker core of the relay-ring bench.
 */
#include "relay_worker.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_udp.h>

#include "rounds.h"

#define BURST 32

/* The order to change the work is looked for once in so many turns. */
#define TURNS 64

struct relay_worker {
	struct stw_media *media;
	uint16_t ports[2];
	unsigned lcore;
	_Atomic int wanted; /* enum relay_work; written by the main thread */
	_Atomic int doing;  /* enum relay_work; written by the worker */
};

static void
swap_one(struct rte_mbuf *mbuf)
{
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ether + 1);
	struct rte_udp_hdr *udp;
	struct rte_ether_addr mac = ether->dst_addr;
	rte_be32_t address;
	rte_be16_t port;

	ether->dst_addr = ether->src_addr;
	ether->src_addr = mac;
	if (ether->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return;
	address = ip->src_addr;
	ip->src_addr = ip->dst_addr;
	ip->dst_addr = address;
	if (ip->next_proto_id != IPPROTO_UDP)
		return;
	udp = rte_pktmbuf_mtod_offset(mbuf, struct rte_udp_hdr *,
				      sizeof(*ether) + rte_ipv4_hdr_len(ip));
	port = udp->src_port;
	udp->src_port = udp->dst_port;
	udp->dst_port = port;
	mbuf->ol_flags = 0;
	mbuf->l2_len = sizeof(*ether);
	mbuf->l3_len = sizeof(*ip);
}

/* Receive a burst from a port, swap if asked, send it by the other port. */
static void
forward(const uint16_t ports[2], int from, bool swap)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t count = rte_eth_rx_burst(ports[from], 0, mbufs, BURST);
	uint16_t sent;

	if (count == 0)
		return;
	if (swap) {
		for (uint16_t i = 0; i < count; i++) {
			if (i + 1 < count)
				rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + 1], void *));
			swap_one(mbufs[i]);
		}
	}
	sent = rte_eth_tx_burst(ports[!from], 0, mbufs, count);
	if (sent < count)
		rte_pktmbuf_free_bulk(&mbufs[sent], count - sent);
}

static void
turn(struct relay_worker *worker, int work)
{
	switch (work) {
	case RELAY_OURS:
		if (stw_media_poll(worker->media, 0, rounds_now_ns()) < 0)
			rounds_die("relay-ring: stw_media_poll refuses");
		break;
	case RELAY_SWAP:
	case RELAY_FORWARD:
		forward(worker->ports, 0, work == RELAY_SWAP);
		forward(worker->ports, 1, work == RELAY_SWAP);
		break;
	default:
		rte_pause();
	}
}

static int
run(void *argument)
{
	struct relay_worker *worker = argument;
	int work;

	do {
		work = atomic_load_explicit(&worker->wanted, memory_order_acquire);
		atomic_store_explicit(&worker->doing, work, memory_order_release);
		for (int i = 0; i < TURNS; i++)
			turn(worker, work);
	} while (work != RELAY_STOP);
	return 0;
}

struct relay_worker *
relay_worker_start(struct stw_media *media, const uint16_t ports[2])
{
	struct relay_worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		rounds_die("relay-ring: no memory");
	worker->media = media;
	worker->ports[0] = ports[0];
	worker->ports[1] = ports[1];
	worker->lcore = rte_get_next_lcore(-1, 1, 0);
	if (worker->lcore >= RTE_MAX_LCORE || rte_eal_remote_launch(run, worker, worker->lcore))
		rounds_die("relay-ring: there is no worker core");
	return worker;
}

void
relay_worker_do(struct relay_worker *worker, enum relay_work work)
{
	atomic_store_explicit(&worker->wanted, work, memory_order_release);
	while (atomic_load_explicit(&worker->doing, memory_order_acquire) != (int)work)
		rte_pause();
}

void
relay_worker_stop(struct relay_worker *worker)
{
	relay_worker_do(worker, RELAY_STOP);
	rte_eal_wait_lcore(worker->lcore);
	free(worker);
}
