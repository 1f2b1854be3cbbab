/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop of a worker: bursts from its queue of every port, run to completion.
 *
 * Which worker handles a packet: each port has a queue for each worker, and the device spreads
 * packets by addresses and ports, so packets of one source come to one worker. It sends what it
 * relays through its own queue of the other leg's port, whoever else sends to that leg.
 */
#include <rte_ethdev.h>
#include <rte_pause.h>

#include "clock.h"
#include "host.h"
#include "media.h"
#include "media/overload.h"
#include "media/srtp/protect.h"
#include "media/stage/stages.h"

/** Tries to send the rest of a burst that the device did not take at once. */
#define WORKER_SEND_TRIES 4

/** Bursts of playout made in one turn. */
#define WORKER_PLAY_ROUNDS 8

/** Time without sending after which a driver is made to give back its buffers. */
#define WORKER_PULL_NS UINT64_C(10000000)

/** Time between two looks at an exception path's rings, while a worker has nothing else to do. */
#define WORKER_EXCEPTION_NS UINT64_C(1000000)

/** Send all queues. What a device does not take after some tries is dropped and counted. */
static void
queues_send(const struct media_io *io, struct worker *worker)
{
	stage_protect(worker);
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
	overload_burst(worker, port, count);
	if (!count) {
		kernel_handled(worker, port, 0);
		return 0;
	}
	worker_receive(worker, port, mbufs, count);
	stage_parse(worker, worker->packets, count);
	if (worker->burst_hosts)
		host_stage(worker, worker->packets, count);
	if (io->exceptions[port])
		exception_stage(io->exceptions[port], worker, count);
	pipeline_run(worker, count);
	worker_settle(worker, count);
	queues_send(io, worker);
	kernel_handled(worker, port, count);
	return count;
}

static unsigned
play_rounds(const struct media_io *io, struct worker *worker)
{
	unsigned made = dial_turn(worker);

	if (made)
		queues_send(io, worker);
	for (unsigned round = 0; round < WORKER_PLAY_ROUNDS; round++) {
		unsigned count = play_turn(worker);

		made += count;
		queues_send(io, worker);
		if (count < WORKER_PLAY_BURST)
			break;
	}
	return made;
}

static void
mix_rounds(const struct media_io *io, struct worker *worker)
{
	bool more = true;

	for (unsigned round = 0; more && round < WORKER_PLAY_ROUNDS; round++) {
		more = mix_turn(worker);
		queues_send(io, worker);
	}
}

static void
exceptions_turn(const struct media_io *io, struct worker *worker)
{
	for (uint32_t port = 0; port < io->ports_open; port++) {
		if (io->exceptions[port])
			exception_turn(io->exceptions[port], worker, port);
	}
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
	uint64_t dropped_before =
		worker->counters.play_dropped + worker->counters.exception_dropped;
	uint64_t sent_before = worker->counters.sent;
	unsigned received = 0;

	for (uint32_t port = 0; port < io->ports_open; port++)
		received += port_turn(io, worker, port);
	overload_turn(worker, io->ports_open);
	pipeline_turn(worker);
	if (worker->mixes.first || atomic_load_explicit(&worker->mix_asked, memory_order_relaxed))
		mix_rounds(io, worker);
	play_rounds(io, worker);
	if (worker->index == 0)
		host_turn(worker);
	if (io->exceptions_count)
		exceptions_turn(io, worker);
	queues_send(io, worker);
	if (worker->unpulled && worker->now_ns - worker->sent_ns > WORKER_PULL_NS)
		sent_pull(io, worker);
	worker->busy = received || worker->counters.sent != sent_before ||
		       worker->counters.play_dropped + worker->counters.exception_dropped !=
			       dropped_before;
	worker->counters.turns++;
	worker->counters.turns_idle += !worker->busy;
	if (worker->busy)
		worker_show(worker);
	return received;
}

uint64_t
worker_due(const struct worker *worker)
{
	const struct media_io *io = (const struct media_io *)worker->media;
	uint64_t due_ns = pipeline_due(worker);
	uint64_t pull_ns = worker->unpulled ? worker->sent_ns + WORKER_PULL_NS + 1 : UINT64_MAX;

	/* The rings of an exception path are looked at as often as the host carries their packets. */
	if (io->exceptions_count && worker->now_ns + WORKER_EXCEPTION_NS < pull_ns)
		pull_ns = worker->now_ns + WORKER_EXCEPTION_NS;
	return due_ns < pull_ns ? due_ns : pull_ns;
}

int
worker_run(void *argument)
{
	struct worker *worker = argument;
	struct media_io *io = (struct media_io *)worker->media;
	struct rte_rcu_qsbr *rcu = worker->media->rcu;
	enum stw_worker_state spent = STW_WORKER_POLLING;
	uint32_t clock_turns = io->idles[worker->index].clock_turns;
	uint32_t idle = 0;

	idle_enter(&io->idles[worker->index]);
	rte_rcu_qsbr_thread_online(rcu, worker->index);
	worker->now_ns = clock_now_ns();
	while (!atomic_load_explicit(&io->stopping, memory_order_relaxed)) {
		/* Once a burst, after a sleep, and when there is nothing now and then. */
		if (idle % clock_turns == 0)
			worker_look(worker, clock_now_ns(), spent);
		worker_turn(io, worker);
		rte_rcu_qsbr_quiescent(rcu, worker->index);
		spent = idle_turn(io, worker);
		if (spent == STW_WORKER_POLLING && worker->busy)
			spent = STW_WORKER_WORKING;
		idle = spent == STW_WORKER_POLLING ? idle + 1 : 0;
	}
	rte_rcu_qsbr_thread_offline(rcu, worker->index);
	idle_leave(&io->idles[worker->index]);
	return 0;
}
