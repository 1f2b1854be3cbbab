/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop of a worker: bursts from its queue of every port, run to completion.
 *
 * Which worker handles a packet: each port has a queue for each worker, and the device spreads
 * packets by addresses and ports, so packets of one source come to one worker. It sends what it
 * relays through its own queue of the other leg's port, whoever else sends to that leg.
 */
#include <time.h>

#include <rte_ethdev.h>
#include <rte_pause.h>

#include "host.h"
#include "media.h"
#include "media/stage/stages.h"

/** Tries to send the rest of a burst that the device did not take at once. */
#define WORKER_SEND_TRIES 4

/** Bursts of playout made in one turn. */
#define WORKER_PLAY_ROUNDS 8

/** Time without sending after which a driver is made to give back its buffers. */
#define WORKER_PULL_NS UINT64_C(10000000)

/** Turns without a packet between two looks at the clock. */
#define WORKER_CLOCK_TURNS 16

static uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/** Send all queues. What a device does not take after some tries is dropped and counted. */
static void
queues_send(const struct media_io *io, struct worker *worker)
{
	for (uint32_t port = 0; port < io->ports_open; port++) {
		const struct port_queue *device = &io->ports[port].queue[worker->index];
		struct send_queue *queue = &worker->sends[port];
		unsigned taken = 0;

		if (!queue->count)
			continue;
		for (unsigned try = 0; try < WORKER_SEND_TRIES && taken < queue->count; try++)
			taken += rte_eth_tx_burst(device->id, device->queue, &queue->mbufs[taken],
						  (uint16_t)(queue->count - taken));
		worker_sent(worker, port, taken);
		worker->sent_ns = worker->now_ns;
		if (io->ports[port].kind == STW_PORT_AF_XDP)
			worker->unpulled |= (uint16_t)(1u << port);
	}
}

static unsigned
port_turn(const struct media_io *io, struct worker *worker, uint32_t port)
{
	const struct port_queue *device = &io->ports[port].queue[worker->index];
	struct rte_mbuf *mbufs[PACKET_BURST];
	unsigned count;

	count = rte_eth_rx_burst(device->id, device->queue, mbufs, PACKET_BURST);
	if (!count)
		return 0;
	worker_receive(worker, port, mbufs, count);
	stage_parse(worker, worker->packets, count);
	if (worker->burst_hosts)
		host_stage(worker, worker->packets, count);
	pipeline_run(worker, count);
	worker_settle(worker, count);
	queues_send(io, worker);
	return count;
}

static unsigned
play_rounds(const struct media_io *io, struct worker *worker)
{
	unsigned made = 0;

	for (unsigned round = 0; round < WORKER_PLAY_ROUNDS; round++) {
		unsigned count = play_turn(worker);

		made += count;
		queues_send(io, worker);
		if (count < WORKER_PLAY_BURST)
			break;
	}
	return made;
}

/** Let drivers give back what they sent: net_af_xdp does so only in a later call. */
static void
sent_pull(const struct media_io *io, struct worker *worker)
{
	for (uint32_t port = 0; worker->unpulled; port++) {
		const struct port_queue *device = &io->ports[port].queue[worker->index];

		if (!(worker->unpulled >> port & 1))
			continue;
		rte_eth_tx_burst(device->id, device->queue, NULL, 0);
		worker->unpulled &= (uint16_t) ~(1u << port);
	}
}

unsigned
worker_turn(const struct media_io *io, struct worker *worker)
{
	uint64_t dropped_before = worker->counters.play_dropped;
	uint64_t sent_before = worker->counters.sent;
	unsigned received = 0;

	for (uint32_t port = 0; port < io->ports_open; port++)
		received += port_turn(io, worker, port);
	pipeline_turn(worker);
	play_rounds(io, worker);
	if (worker->index == 0)
		host_turn(worker);
	queues_send(io, worker);
	if (worker->unpulled && worker->now_ns - worker->sent_ns > WORKER_PULL_NS)
		sent_pull(io, worker);
	if (received || worker->counters.sent != sent_before ||
	    worker->counters.play_dropped != dropped_before)
		worker_show(worker);
	return received;
}

int
worker_run(void *argument)
{
	struct worker *worker = argument;
	const struct media_io *io = (const struct media_io *)worker->media;
	struct rte_rcu_qsbr *rcu = worker->media->rcu;
	unsigned idle = 0;

	rte_rcu_qsbr_thread_online(rcu, worker->index);
	worker->now_ns = clock_ns();
	while (!atomic_load_explicit(&io->stopping, memory_order_relaxed)) {
		/* Once a burst, and when there is none now and then. */
		if (idle % WORKER_CLOCK_TURNS == 0)
			worker->now_ns = clock_ns();
		idle = worker_turn(io, worker) ? 0 : idle + 1;
		rte_rcu_qsbr_quiescent(rcu, worker->index);
	}
	rte_rcu_qsbr_thread_offline(rcu, worker->index);
	return 0;
}
