/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Announcements of local addresses on ports that DPDK owns: who had them before is forgotten by
 * neighbours and switches.
 */
#ifndef STW_IO_ANNOUNCE_H
#define STW_IO_ANNOUNCE_H

#include <stdatomic.h>
#include <stdint.h>

#include "media/worker.h"

/** Announcements of one address, and nanoseconds between two. */
#define ANNOUNCE_COUNT       3
#define ANNOUNCE_INTERVAL_NS UINT64_C(1000000000)

/** Nanoseconds between two looks at who asked for reports: a flood of queries is answered as rarely. */
#define ANNOUNCE_REPORT_NS UINT64_C(100000000)

/** Most announcements of one turn, and most reports. */
#define ANNOUNCE_BURST 16

struct media_io;

/** What is to be announced. Zeroed: nothing. */
struct announces {
	_Atomic uint64_t asked; /**< addresses, a bit each: set by anyone, taken by worker 0 */
	_Atomic uint64_t reports_asked; /**< the same for reports of listeners, IPv6 */
	/* Worker 0 alone. */
	uint64_t reports;    /**< to be sent, addresses, a bit each */
	uint64_t reports_ns; /**< when they were taken last */
	uint64_t under_way;  /**< addresses, a bit each */
	uint64_t due_ns[STW_MEDIA_ADDRESSES_MAX];
	uint8_t left[STW_MEDIA_ADDRESSES_MAX];
};
static_assert(STW_MEDIA_ADDRESSES_MAX <= 64, "a word has a bit for each address");

/** As stw_media_announce. Threads: any. Progress: wait-free (bound 1). */
int announce_ask(struct media_io *io, uint32_t address);

/**
 * Have it told that addresses of IPv6 are listened for, to switches that snoop.
 *
 * @param addresses  a bit each
 *
 * Threads: any worker. Progress: wait-free (bound 1).
 */
void announce_report(struct worker *worker, uint64_t addresses);

/**
 * Put what is due into the send queues, at most ANNOUNCE_BURST.
 *
 * Threads: worker 0 alone. Progress: wait-free (bound STW_MEDIA_ADDRESSES_MAX).
 */
void announce_turn(struct worker *worker);

#endif
