/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * What the BPF programs of this folder and the code that loads them share: which UDP ports of which
 * address are owned, and what is counted. Included by BPF objects: kernel types only.
 */
#ifndef STW_IO_STEER_MAP_H
#define STW_IO_STEER_MAP_H

#include <linux/types.h>

/** Most local addresses; as STW_MEDIA_ADDRESSES_MAX. */
#define STEER_ADDRESSES_MAX 64

/** Most ranges of UDP ports of an address; with what else an address has they fill a cache line. */
#define STEER_RANGES_MAX 15

/** steer_ranges.entries_base of the first entry and UDP port 0; more than any port, so none is 0. */
#define STEER_ENTRIES_BASE 65536

/** Most receive queues of an interface that can have a worker. */
#define STEER_QUEUES_MAX 64

/** Most extension headers of IPv6 that are stepped over. */
#define STEER_EXTENSIONS_MAX 8

/** Key of the map `owned`: IPv4. */
struct steer_key4 {
	__u32 address; /**< network order */
	__u32 vlan;    /**< identifier of the VLAN that it is in; 0: none */
};

/** Key of the map `owned6`: IPv6. */
struct steer_key6 {
	__u32 address[4]; /**< network order */
	__u32 vlan;       /**< as in steer_key4 */
};

/** Value of both maps. */
struct steer_ranges {
	struct {
		__u16 first; /**< host order; 0: this and all after it are unused */
		__u16 last;  /**< host order, first or more */
	} range[STEER_RANGES_MAX];
	__u32 entries_base; /**< with a UDP port added, STEER_ENTRIES_BASE taken away: index of the
				 port's entry (kernel_entries); 0: the address has none */
};

/** Keys of the per-CPU map `counts`. */
enum steer_count {
	STEER_COUNT_STEERED,
	STEER_COUNT_PASSED,
	STEER_COUNT_UNSERVED,
	STEER_COUNT_FRAGMENTS,
	STEER_COUNTS,
};

/** Keys of the guard's map `sinks`: a socket of IPv6 that is bound takes no packets of IPv4. */
enum steer_sink {
	STEER_SINK_IPV4,
	STEER_SINK_IPV6,
	STEER_SINKS,
};

#endif
