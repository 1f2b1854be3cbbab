/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exception path: the side of the thread that reads and writes the taps.
 *
 *  label  where                       order    pairs with  without it
 *  X1     busy: taken by a thread     acquire  X2          a thread does not see where another one left off
 *  X2     busy: given back            release  X1          same
 */
#include <errno.h>
#include <unistd.h>

#include "exception.h"
#include "media.h"

static void
drop_count(struct exception *exception, uint64_t count)
{
	worker_count_own(&exception->dropped, count);
}

/** Say once that a tap was taken away. */
static void
broken_note(struct exception *exception, int number)
{
	if (exception->broken)
		return;
	exception->broken = 1;
	stw_log(STW_LOG_ERROR, "EXCEPTION-LOST errno=%d", number);
}

/** Write frames of one worker to the kernel. */
static unsigned
lane_write(struct exception *exception, struct exception_lane *lane, unsigned most)
{
	void *mbufs[EXCEPTION_BURST];
	unsigned count = rte_ring_sc_dequeue_burst(
		lane->up, mbufs, most < EXCEPTION_BURST ? most : EXCEPTION_BURST, NULL);

	for (unsigned i = 0; i < count; i++) {
		const struct rte_mbuf *mbuf = mbufs[i];

		if (write(exception->fd, rte_pktmbuf_mtod(mbuf, const void *), mbuf->data_len) < 0)
			drop_count(exception, 1);
	}
	if (count)
		rte_ring_sp_enqueue_bulk(lane->back, mbufs, count, NULL);
	return count;
}

/** Write frames of all workers to the kernel. */
static unsigned
frames_write(struct exception *exception, unsigned most)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < exception->lanes_count && count < most; i++) {
		uint32_t lane = exception->lane_next;

		exception->lane_next = (lane + 1) % exception->lanes_count;
		count += lane_write(exception, &exception->lanes[lane], most - count);
	}
	return count;
}

/** Read a frame of the kernel's into exception->next; false when there is none. */
static bool
frame_read(struct exception *exception)
{
	struct exception_frame *frame = exception->next;
	ssize_t bytes = read(exception->fd, frame->data, sizeof(frame->data));

	if (bytes <= 0) {
		if (bytes < 0 && errno != EAGAIN && errno != EINTR)
			broken_note(exception, errno);
		return false;
	}
	if (bytes == sizeof(frame->data)) {
		/* It was longer. */
		drop_count(exception, 1);
		return true;
	}
	frame->bytes = (uint32_t)bytes;
	rte_ring_sp_enqueue(exception->down, frame);
	exception->next = NULL;
	return true;
}

/** Take frames of the kernel's, as long as worker 0 leaves room; the kernel queues the others. */
static unsigned
frames_read(struct exception *exception, unsigned most)
{
	unsigned count = 0;

	while (count < most) {
		if (!exception->next &&
		    rte_ring_sc_dequeue(exception->down_free, (void **)&exception->next) != 0)
			break;
		if (!frame_read(exception))
			break;
		count++;
	}
	return count;
}

int
stw_media_exceptions(struct stw_media *media, uint32_t budget)
{
	struct media_io *io = (struct media_io *)media;
	uint32_t up = 0, down = 0, before;

	if (budget == 0 || budget > EXCEPTION_BUDGET_MAX)
		return -EINVAL;
	/* X1, pairs with X2: the taps are as the thread before left them. */
	if (atomic_exchange_explicit(&io->exceptions_busy, 1, memory_order_acquire))
		return -EBUSY;
	do {
		before = up + down;
		for (uint32_t i = 0; i < io->ports_open; i++) {
			uint32_t port = (io->exception_next + i) % io->ports_open;
			struct exception *exception = io->exceptions[port];

			if (!exception)
				continue;
			up += frames_write(exception, budget - up);
			down += frames_read(exception, budget - down < EXCEPTION_BURST
							       ? budget - down
							       : EXCEPTION_BURST);
		}
	} while (up + down != before);
	io->exception_next++;
	/* X2, pairs with X1. */
	atomic_store_explicit(&io->exceptions_busy, 0, memory_order_release);
	return (int)(up + down);
}
