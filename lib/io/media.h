/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet plane with its devices, and one turn of a worker.
 */
#ifndef STW_IO_MEDIA_H
#define STW_IO_MEDIA_H

#include "announce.h"
#include "crypto.h"
#include "exception.h"
#include "idle.h"
#include "kernel_relay.h"
#include "media/plane.h"
#include "port.h"

/** Next hops on kernels' ports that advance looks after, at most. */
#define MEDIA_HOPS_PENDING 64

/** A packet plane and its devices. */
struct media_io {
	struct stw_media plane; /**< first: the public handle */
	struct port ports[STW_MEDIA_PORTS_MAX];
	uint32_t ports_open;
	int ifindexes[STW_MEDIA_ADDRESSES_MAX]; /**< whose neighbours are the next hops of each
						     local address: the port's, or its VLAN's */
	_Atomic uint32_t started;               /**< 1: the workers were launched */
	_Atomic uint32_t stopping;              /**< 1: they are to end */
	uint32_t lcores[STW_MEDIA_WORKERS_MAX];
	struct idle idles[STW_MEDIA_WORKERS_MAX];     /**< each of its worker alone, once started */
	uint8_t overload_told[STW_MEDIA_WORKERS_MAX]; /**< of advance: level that the log has */

	struct crypto crypto; /**< crypto devices of SRTP */

	struct kernel_relay *relay; /**< inside the kernel; NULL: there is none */
	uint8_t relay_is_lent;      /**< 1: media_create was given it */

	struct announces announces; /**< of local addresses */

	struct exception *exceptions[STW_MEDIA_PORTS_MAX]; /**< of each port; NULL: none */
	uint32_t exceptions_count;
	_Atomic uint32_t exceptions_busy; /**< 1: a thread is in stw_media_exceptions */
	uint32_t exception_next;          /**< port that it begins with */

	/* Of stw_media_advance. */
	struct plane_wanted pending[MEDIA_HOPS_PENDING];
	uint32_t pending_count;
	uint32_t refresh_address; /**< whose next hops are refreshed next */
	uint32_t refresh_word;
};

/**
 * stw_media_create.
 *
 * @param relay  of whoever runs its programs himself, borrowed until stw_media_destroy: all ports count as
 *               having it; NULL: as the description says
 */
int media_create(struct stw_media **out, const struct stw_media_config *config,
		 struct kernel_relay *relay);

/**
 * One turn of a worker at worker->now_ns: a burst from each port, all stages, send; playout that
 * is due; a bounded part of what is to be done beside. Reports a quiescent state at its end.
 *
 * @return number of packets received
 *
 * Threads: the worker. Progress: wait-free (bound: a burst for each port, WORKER_PLAY_ROUNDS bursts
 *          of playout).
 */
unsigned worker_turn(const struct media_io *io, struct worker *worker);

/** When a worker that has nothing to do has to run its next turn: see pipeline_due. */
uint64_t worker_due(const struct worker *worker);

/** What an EAL worker lcore runs; argument: struct worker. Returns 0 when it is told to stop. */
int worker_run(void *argument);

#endif
