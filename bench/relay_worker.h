/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The near side of the relay-ring bench: one core that forwards between the two ports, by
 * Strowger's packet plane, by a 5-tuple swap, or without looking at the packets at all.
 */
#ifndef BENCH_RELAY_WORKER_H
#define BENCH_RELAY_WORKER_H

#include <stdint.h>

#include <strowger/media.h>

/** What the worker does. */
enum relay_work {
	RELAY_REST, /**< nothing */
	RELAY_OURS, /**< stw_media_poll */
	RELAY_SWAP, /**< swaps MAC addresses, IP addresses and UDP ports, as testpmd's 5tswap does */
	RELAY_FORWARD, /**< passes bursts on: what rings and generator can do at most */
	RELAY_STOP,    /**< the worker's function returns */
};

struct relay_worker;

/** Launch the worker on EAL's first worker lcore; media may be NULL, for all work but ours. */
struct relay_worker *relay_worker_start(struct stw_media *media, const uint16_t ports[2]);

/** Change the work; returns when the worker has begun with it. */
void relay_worker_do(struct relay_worker *worker, enum relay_work work);

void relay_worker_stop(struct relay_worker *worker);

#endif
