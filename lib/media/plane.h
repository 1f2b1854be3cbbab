/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet plane without its devices: tables of addresses, sessions, legs, forks and playouts,
 * and who may touch them. lib/io puts ports and clocks around it.
 *
 * Threads: `control` is a mutex among the threads that call control functions; workers never take
 * it. Workers read the rows of legs and forks, and control frees a slot only when each worker has
 * reported a quiescent state since (rcu). No control call waits for that: slots in between lie in
 * `legs_retired`, `forks` and `playouts`, and stw_media_advance frees them.
 */
#ifndef STW_MEDIA_PLANE_H
#define STW_MEDIA_PLANE_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_rcu_qsbr.h>

#include <strowger/media.h>

#include "events.h"
#include "hops.h"
#include "hops6.h"
#include "media/fork/consumer.h"
#include "media/fork/fork.h"
#include "media/kernel/kernel.h"
#include "media/mix/mix.h"
#include "media/play/dial.h"
#include "media/play/playout.h"
#include "media/session/leg.h"
#include "media/session/remote6.h"
#include "media/session/session.h"
#include "media/srtp/srtp.h"
#include "ports.h"
#include "sync/control_lock.h"
#include "worker.h"

/** Slots of legs beyond legs_max, at most: for removed ones that a worker may still see. */
#define PLANE_LEGS_SPARE 4096

/** Entries of the table that finds a local address. */
#define PLANE_ADDRESS_SLOTS 1024

/** Next hops that wait to be asked for, at most. */
#define PLANE_WANTED_MAX 256

/** One device, as far as the stages need to know it. */
struct plane_port {
	struct rte_mempool *const *pools; /**< its buffers, of each worker */
	uint64_t ether_source;     /**< as after the destination in a frame: `mac`, type IPv4 */
	struct rte_ether_addr mac; /**< its link address */
	uint16_t id;               /**< DPDK's */
	uint8_t owned;             /**< 1: no kernel behind it; ARP and ICMP are answered here */
	uint8_t by_reference;      /**< 1: sends packets of several segments */
	uint8_t udp_checksums;     /**< 1: makes the checksums of UDP that are asked for */
} STW_ALIGNED_LINE;

/** One local address, as each packet needs it. */
struct plane_address {
	rte_be32_t ip;      /**< 0: of IPv6 */
	uint16_t udp_first; /**< owned UDP ports, host order */
	uint16_t udp_last;
	uint8_t port;           /**< index of its port */
	uint8_t family;         /**< 4 or 6 */
	uint16_t vlan;          /**< identifier of its VLAN, 1 to 4094; 0: none */
	_Atomic uint32_t *legs; /**< by UDP port - udp_first: leg's slot, LEG_ENTRY_RTCP; 0: none */
	struct hops hops;       /**< of IPv4 */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct plane_address) == STW_CACHE_LINE, "one line for each packet's sake");

/** What a local address of IPv6 has beside. */
struct plane_address6 {
	struct ip6 ip; /**< 0: it is of IPv4 */
	struct hops6 hops;
} STW_ALIGNED_LINE;

/** A next hop whose link address is wanted. */
struct plane_wanted {
	uint32_t address; /**< index of the local address, which says the family */
	uint32_t hop;     /**< IPv4: address, host order */
	struct ip6 hop6;  /**< IPv6: address */
};

/** Next hops that wait for somebody to ask for them. What does not fit is asked for again later. */
struct plane_wants {
	_Atomic uint32_t waiting; /**< about how many */
	_Atomic uint32_t cursor;  /**< where the next one is put */
	uint32_t taken;           /**< where the taker looks next */
	_Atomic uint64_t
		words[PLANE_WANTED_MAX]; /**< bit 63, address, hop or its entry; 0: empty */
};

/** A slot that waits for the workers. */
struct plane_retired {
	uint64_t token;         /**< of rcu */
	uint64_t rest_until_ns; /**< a BPF program may use it until then; 0: none ever did */
	uint32_t slot;
};

struct stw_media {
	/* Constant while workers run. */
	struct plane_address addresses[STW_MEDIA_ADDRESSES_MAX];
	struct plane_address6 addresses6[STW_MEDIA_ADDRESSES_MAX];
	struct plane_port ports[STW_MEDIA_PORTS_MAX];
	struct ports address_ports[STW_MEDIA_ADDRESSES_MAX]; /**< UDP ports of each address */
	uint32_t addresses_count;
	uint32_t ports_count;
	uint32_t workers_count;
	uint32_t address_factor; /**< makes the slots of all local addresses differ */
	uint8_t address_slots[PLANE_ADDRESS_SLOTS];  /**< index of the address and one; 0: none */
	uint8_t address6_slots[PLANE_ADDRESS_SLOTS]; /**< the same for IPv6 */
	uint64_t address6_factor;
	uint64_t ip6_key; /**< of hashes of IPv6 addresses */
	struct worker *workers;
	struct leg_route *routes;
	struct leg_egress *egresses;
	struct leg_remote6 *remotes6;
	struct leg_streams *streams;
	struct leg_report *reports;
	struct leg_reporter *reporters;
	struct leg_intake *intakes;
	struct leg_options *options;
	struct leg_keypad *keypads;
	struct leg_quiet *quiets;
	struct leg_play *plays;
	struct leg_ask *asks;
	struct leg_card *cards;
	struct fork *forks;
	struct playout *playouts;
	uint32_t legs_max;
	uint32_t legs_slots; /**< rows have so many elements, slot 0 included */
	uint32_t forks_max;
	uint32_t playouts_max;
	uint32_t sessions_max;
	uint32_t playout_packets_max;
	uint64_t quarantine_ns;
	struct rte_rcu_qsbr *rcu;
	struct events events;
	struct srtp srtp;
	struct mixes mixes;
	struct kernel kernel; /**< relay inside the kernel */

	/* Control threads, under the mutex. */
	struct control_lock control STW_ALIGNED_LINE;
	struct session *sessions;
	struct pt_maps *pt_maps; /**< read by workers */
	uint32_t *slots_free;    /**< memory of the next and of forks_free, playouts_free */
	uint32_t *sessions_free;
	uint32_t sessions_free_count;
	uint32_t sessions_count;
	uint32_t *legs_free;
	uint32_t legs_free_count;
	uint32_t legs_count;
	struct plane_retired *legs_retired; /**< ring of legs_slots */
	uint32_t legs_retired_first;
	uint32_t legs_retired_count;
	uint64_t *forks_drained; /**< memory of all forks' drained_at */
	uint32_t *forks_free;
	uint32_t forks_free_count;
	struct fork_retired forks_retired;
	uint32_t forks_ports; /**< UDP ports that forks have */
	uint32_t *playouts_free;
	uint32_t playouts_free_count;
	uint32_t playouts_unloading; /**< first of the list of unloaded ones in use; 0: none */
	uint32_t playouts_count;
	uint32_t playout_packets; /**< of all playouts */
	uint64_t refusals[STW_LIMIT_COUNT];
	uint8_t draining; /**< 1: no new sessions */
	uint64_t random;  /**< state of the generator of SSRCs */

	/* Written by control, read by workers. */
	_Atomic uint32_t legs_top STW_ALIGNED_LINE; /**< no slot above it was ever used */
	_Atomic uint32_t legs_silence; /**< legs with silent_ns; 0: nobody looks for silence */

	/* Between control and workers. */
	struct dials dials STW_ALIGNED_LINE;
	struct consumers consumers STW_ALIGNED_LINE;

	/* The recording thread's. */
	struct recorder recorder STW_ALIGNED_LINE;

	/* Any thread that misses a next hop. */
	struct plane_wants wants_kernel STW_ALIGNED_LINE; /**< on kernels' ports: for advance */
	struct plane_wants wants_own STW_ALIGNED_LINE;    /**< on our own ports: for worker 0 */

	/** Wall clock since 1970 less the host's clock, nanoseconds; lib/io sets it. */
	_Atomic int64_t wall_offset_ns;
};

/** What plane_create needs beside the public description. */
struct plane_config {
	const struct stw_media_config *media; /**< borrowed; checked by plane_config_check */
	const struct plane_port *ports;       /**< borrowed; media->ports_count of them */
	const struct srtp_crypto *crypto;     /**< borrowed; not looked at when srtp_max is 0 */
	struct kernel_memory *kernel; /**< borrowed until plane_destroy; NULL: no relay there */
	uint32_t packets_min;         /**< buffers of the smallest port's pool */
	uint64_t seed;                /**< of SSRCs and first sequence numbers */
};

/** Slots of legs that a packet plane of this description has, slot 0 included. Threads: any. */
uint32_t plane_legs_slots(const struct stw_media_config *config);

/** 0, or -EINVAL when a field of the description is outside its range. Threads: any. */
int plane_config_check(const struct stw_media_config *config);

/**
 * Make the tables in zeroed memory.
 *
 * @return 0
 * @return -ENOMEM  memory, DPDK's or other, cannot be had; plane_destroy frees what there is
 *
 * Threads: one. Progress: blocking (waits for memory). Order: the caller hands it on.
 */
int plane_init(struct stw_media *media, const struct plane_config *config);

/**
 * Close recordings and give back all buffers of the ports. Threads: one; workers have stopped.
 */
void plane_release(struct stw_media *media);

/**
 * Free the tables, after plane_release and after the devices are closed, which may hold buffers of
 * the workers' pools. Threads: one, the last.
 */
void plane_destroy(struct stw_media *media);

/** Slot of an address in the table that finds it. */
static inline uint32_t
plane_address_slot(uint32_t factor, rte_be32_t ip)
{
	return ip * factor >> 22;
}
static_assert(PLANE_ADDRESS_SLOTS == 1 << (32 - 22), "a slot is the product's high bits");

/**
 * Index of a local address, and one; 0 when it is none of ours. Threads: any. Progress: wait-free.
 */
static inline uint32_t
plane_address_find(const struct stw_media *media, rte_be32_t ip)
{
	uint32_t found = media->address_slots[plane_address_slot(media->address_factor, ip)];

	return found && media->addresses[found - 1].ip == ip ? found : 0;
}

/** Slot of an IPv6 address in the table that finds it. */
static inline uint32_t
plane_address6_slot(uint64_t factor, const struct ip6 *ip)
{
	return (uint32_t)((ip->words[0] * factor ^ ip->words[1]) * factor >> 54);
}
static_assert(PLANE_ADDRESS_SLOTS == 1 << (64 - 54), "a slot is the product's high bits");

/** As plane_address_find, for IPv6. */
static inline uint32_t
plane_address6_find(const struct stw_media *media, const struct ip6 *ip)
{
	uint32_t found = media->address6_slots[plane_address6_slot(media->address6_factor, ip)];

	return found && ip6_is(&media->addresses6[found - 1].ip, ip) ? found : 0;
}

/** Take the lock of control calls. */
static inline void
plane_lock(struct stw_media *media)
{
	control_lock_take(&media->control);
}

/** Leave it. */
static inline void
plane_unlock(struct stw_media *media)
{
	control_lock_leave(&media->control);
}

/** 1 when every worker has passed a quiescent state since the token was given. */
static inline int
plane_passed(struct stw_media *media, uint64_t token)
{
	return rte_rcu_qsbr_check(media->rcu, token, false) == 1;
}

/** Free what no worker sees any more, end quarantines; a bounded part. Threads: control. */
void plane_advance(struct stw_media *media, uint64_t now_ns);

/**
 * Note that a next hop's link address is wanted.
 *
 * @param hop  IPv4: its address, host order; IPv6: its entry, as hops6_ask gave it
 *
 * Threads: any. Progress: wait-free (bound 1).
 */
void plane_want(struct stw_media *media, uint32_t address, uint32_t hop);

/**
 * Take one; false when there is none.
 *
 * Threads: one at a time for each of the two. Progress: wait-free (bound: PLANE_WANTED_MAX).
 */
bool plane_wanted_take(struct stw_media *media, struct plane_wants *wants,
		       struct plane_wanted *wanted);

/** The next number of a generator. Threads: any, each with a state of its own. */
uint32_t plane_random_next(uint64_t *state);

/** A random number. Threads: control, under the mutex. */
uint32_t plane_random(struct stw_media *media);

/** Count a refusal; -ENOSPC, for the caller to return. Threads: control, under the mutex. */
static inline int
plane_refuse(struct stw_media *media, enum stw_limit limit)
{
	media->refusals[limit]++;
	return -ENOSPC;
}

/** Verify the invariants while nobody else uses the plane; panics when one is broken. */
void plane_check(struct stw_media *media);

#endif
