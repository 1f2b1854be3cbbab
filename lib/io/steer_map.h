/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * What the BPF programs of this folder and the code that loads them share: which UDP ports of which
 * IPv4 address are owned, and what is counted. Included by BPF objects: kernel types only.
 */
#ifndef STW_IO_STEER_MAP_H
#define STW_IO_STEER_MAP_H

#include <linux/types.h>

/** Most local addresses; as STW_MEDIA_ADDRESSES_MAX. */
#define STEER_ADDRESSES_MAX 64

/** Most ranges of UDP ports of an address; all of them fill a cache line. */
#define STEER_RANGES_MAX 16

/** Most receive queues of an interface that can have a worker. */
#define STEER_QUEUES_MAX 64

/** Value of the map `owned`, whose key is the address in network order. */
struct steer_ranges {
	struct {
		__u16 first; /**< host order; 0: this and all after it are unused */
		__u16 last;  /**< host order, first or more */
	} range[STEER_RANGES_MAX];
};

/** Keys of the per-CPU map `counts`. */
enum steer_count {
	STEER_COUNT_STEERED,
	STEER_COUNT_PASSED,
	STEER_COUNT_UNSERVED,
	STEER_COUNT_FRAGMENTS,
	STEER_COUNTS,
};

#endif
