/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exception path: the workers' side, and its making.
 */
#include "exception.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/memory.h"
#include "media/plane.h"
#include "tap.h"

static_assert(EXCEPTION_FRAME_BYTES <= RTE_MBUF_DEFAULT_DATAROOM, "a frame fits in a buffer");

static int
lanes_make(struct exception *exception)
{
	for (uint32_t i = 0; i < exception->lanes_count; i++) {
		struct exception_lane *lane = &exception->lanes[i];

		lane->up = worker_ring_make(EXCEPTION_RING);
		lane->back = worker_ring_make(EXCEPTION_RING);
		if (!lane->up || !lane->back)
			return -ENOMEM;
	}
	return 0;
}

static int
frames_make(struct exception *exception)
{
	exception->frames = memory_map(sizeof(*exception->frames) * EXCEPTION_RING);
	exception->down = worker_ring_make(EXCEPTION_RING);
	exception->down_free = worker_ring_make(EXCEPTION_RING);
	if (!exception->frames || !exception->down || !exception->down_free)
		return -ENOMEM;
	for (unsigned i = 0; i < EXCEPTION_RING; i++)
		rte_ring_sp_enqueue(exception->down_free, &exception->frames[i]);
	return 0;
}

int
exception_make(struct exception **out, int fd, uint32_t workers)
{
	struct exception *exception = memory_map(sizeof(*exception));
	int error;

	if (!exception)
		return -ENOMEM;
	exception->fd = -1;
	exception->lanes_count = workers;
	error = lanes_make(exception);
	if (!error)
		error = frames_make(exception);
	if (error) {
		exception_close(exception);
		return error;
	}
	exception->fd = fd;
	*out = exception;
	return 0;
}

int
exception_open(struct exception **out, const char *name, const struct rte_ether_addr *mac,
	       uint32_t workers)
{
	int fd = tap_open(name, mac);
	int error = fd < 0 ? fd : exception_make(out, fd, workers);

	if (error && fd >= 0)
		close(fd);
	stw_log(error ? STW_LOG_ERROR : STW_LOG_INFO, "EXCEPTION-OPEN interface=%s error=%d", name,
		error);
	return error;
}

static void
lane_close(struct exception_lane *lane)
{
	void *mbuf;

	while (lane->up && rte_ring_sc_dequeue(lane->up, &mbuf) == 0)
		rte_pktmbuf_free(mbuf);
	while (lane->back && rte_ring_sc_dequeue(lane->back, &mbuf) == 0)
		rte_pktmbuf_free(mbuf);
	free(lane->up);
	free(lane->back);
}

void
exception_close(struct exception *exception)
{
	if (!exception)
		return;
	for (uint32_t i = 0; i < exception->lanes_count; i++)
		lane_close(&exception->lanes[i]);
	free(exception->down);
	free(exception->down_free);
	memory_unmap(exception->frames, sizeof(*exception->frames) * EXCEPTION_RING);
	if (exception->fd >= 0)
		close(exception->fd);
	memory_unmap(exception, sizeof(*exception));
}

/** True for what the kernel is to see. A packet of several segments is larger than any buffer. */
static bool
packet_is_for_kernel(const struct packet *packet)
{
	if (packet->mbuf->nb_segs > 1)
		return false;
	if (packet->verdict == STW_PASS_HOST)
		return !packet->sent;
	return packet->verdict == STW_DROP_NOT_OURS || packet->verdict == STW_DROP_FRAGMENT;
}

void
exception_stage(struct exception *exception, struct worker *worker, unsigned count)
{
	struct exception_lane *lane = &exception->lanes[worker->index];
	unsigned room = EXCEPTION_RING - lane->under_way, given = 0;
	void *mbufs[EXCEPTION_BURST];

	if (room > EXCEPTION_BURST)
		room = EXCEPTION_BURST;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &worker->packets[i];

		if (!packet_is_for_kernel(packet))
			continue;
		if (given < room) {
			mbufs[given++] = packet->mbuf;
			packet->verdict = STW_PASS_EXCEPTION;
			packet->sent = 1;
		} else if (packet->verdict != STW_PASS_HOST) {
			packet->verdict = STW_DROP_SEND_FULL;
		}
	}
	if (!given)
		return;
	lane->under_way += given;
	rte_ring_sp_enqueue_bulk(lane->up, mbufs, given, NULL);
}

/** Send a frame of the kernel's. */
static void
frame_send(struct worker *worker, uint32_t port, const struct exception_frame *frame)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->media->ports[port].pools[worker->index]);

	if (!mbuf) {
		worker->counters.exception_dropped++;
		return;
	}
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)frame->bytes), frame->data, frame->bytes);
	worker->counters.exception_sent++;
	worker_send(worker, port, mbuf, (struct send_note){.kind = SEND_EXCEPTION});
}

void
exception_turn(struct exception *exception, struct worker *worker, uint32_t port)
{
	struct exception_lane *lane = &exception->lanes[worker->index];
	void *taken[PACKET_BURST];
	unsigned count;

	if (lane->under_way) {
		count = rte_ring_sc_dequeue_burst(lane->back, taken, PACKET_BURST, NULL);
		rte_pktmbuf_free_bulk((struct rte_mbuf **)taken, count);
		lane->under_way -= count;
	}
	if (worker->index != 0)
		return;
	count = rte_ring_sc_dequeue_burst(exception->down, taken, EXCEPTION_BURST, NULL);
	for (unsigned i = 0; i < count; i++)
		frame_send(worker, port, taken[i]);
	if (count)
		rte_ring_sp_enqueue_bulk(exception->down_free, taken, count, NULL);
}
