/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exception path of a port that DPDK owns: what is not ours goes to a tap interface of the kernel, and
 * what the kernel sends there goes out of the port.
 *
 * A tap costs a system call for each frame, whoever drives it: DPDK's net_tap would make workers pay that,
 * and free buffers in the kernel's time. So rings lie between: a worker only puts frames into its ring and
 * takes them back later, and a thread of the host's (stw_media_exceptions) reads and writes the tap. A
 * flood to the kernel finds the worker's ring full and is dropped there, for the price of a comparison.
 *
 * Every ring has one writer and one reader: `up` and `back` a worker and the thread, `down` and
 * `down_free` the thread and worker 0. A worker has at most EXCEPTION_RING buffers under way in
 * both of its rings together, so `back` always has room; the same holds for the frames of `down`. What is
 * handed over by a ring is ordered by it.
 */
#ifndef STW_IO_EXCEPTION_H
#define STW_IO_EXCEPTION_H

#include <stdatomic.h>

#include <rte_ether.h>
#include <rte_ring.h>

#include "media/worker.h"

/** Buffers of a worker that may be on their way to the kernel, and frames on their way from it. */
#define EXCEPTION_RING 256

/** Most frames that a worker passes on in one turn, in each direction. */
#define EXCEPTION_BURST 32

/** Largest budget of stw_media_exceptions. */
#define EXCEPTION_BUDGET_MAX 1000000

/** Bytes that a frame from the kernel is shorter than. */
#define EXCEPTION_FRAME_BYTES 2048

/** A frame from the kernel. */
struct exception_frame {
	uint32_t bytes;
	uint8_t data[EXCEPTION_FRAME_BYTES];
};

/** Frames of one worker for the kernel. */
struct exception_lane {
	struct rte_ring *up;   /**< to be written */
	struct rte_ring *back; /**< written, to be freed by the worker */
	uint32_t under_way;    /**< in both; the worker's own */
} STW_ALIGNED_LINE;

/** One port's path to the kernel. */
struct exception {
	int fd;
	uint32_t lanes_count;
	struct exception_frame *frames;
	struct rte_ring *down;      /**< frames to be sent */
	struct rte_ring *down_free; /**< frames to be filled */

	/* The thread's. */
	struct exception_frame *next STW_ALIGNED_LINE; /**< to be filled; NULL: take one */
	uint32_t lane_next;                            /**< where to begin */
	uint32_t broken;          /**< 1: the tap is gone, and the log says so */
	_Atomic uint64_t dropped; /**< frames that the kernel did not take, or too long from it */

	struct exception_lane lanes[STW_MEDIA_WORKERS_MAX];
};

struct media_io;

/**
 * Make the path of a port to the kernel by a descriptor each read and write of which is a frame.
 *
 * @param fd       taken on success; not blocking
 * @param workers  1 to STW_MEDIA_WORKERS_MAX
 * @return 0
 * @return -ENOMEM
 *
 * Threads: control, before workers run.
 */
int exception_make(struct exception **out, int fd, uint32_t workers);

/** As exception_make with a new tap interface; errors as of tap_open. Threads: same. */
int exception_open(struct exception **out, const char *name, const struct rte_ether_addr *mac,
		   uint32_t workers);

/** Close it and free its buffers. NULL is fine. Threads: one, after workers have stopped. */
void exception_close(struct exception *exception);

/**
 * Pass packets of a burst that are not ours to the kernel: what parse and host have refused as such, fragments, and
 * answers to questions, which the kernel may have asked. What finds no room gets STW_DROP_SEND_FULL.
 *
 * Threads: the worker. Progress: wait-free (bound: count).
 */
void exception_stage(struct exception *exception, struct worker *worker, unsigned count);

/**
 * Free what the kernel has, and, for worker 0, put what it sends into the port's send queue.
 *
 * Threads: the worker. Progress: wait-free (bound: PACKET_BURST, EXCEPTION_BURST).
 */
void exception_turn(struct exception *exception, struct worker *worker, uint32_t port);

#endif
