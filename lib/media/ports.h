/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP port pairs of one local address: an even port for RTP, the next for RTCP. A released pair
 * rests in quarantine, so that late packets of an old call reach nobody's new one.
 */
#ifndef STW_MEDIA_PORTS_H
#define STW_MEDIA_PORTS_H

#include <stdatomic.h>
#include <stdint.h>

/** Most pairs of an address. */
#define PORTS_PAIRS_MAX 32768

/** Pairs of one address. A pair is named by its index: (port - first port) / 2. */
struct ports {
	uint16_t first;                  /**< first UDP port, even */
	uint32_t pairs;                  /**< how many pairs, 1 to PORTS_PAIRS_MAX */
	uint32_t rests_mask;             /**< entries of `rests` less one */
	_Atomic uint64_t *vacant;        /**< a bit for each pair: 1, it can be taken */
	_Atomic uint32_t *rests;         /**< ring of resting pairs, index and one; 0: empty */
	_Atomic uint64_t *rest_until_ns; /**< end of each pair's quarantine */
	uint32_t rests_head;             /**< next to end its rest; of the one that ends rests */
	_Atomic uint32_t rests_tail;     /**< next to be filled */
	_Atomic uint32_t cursor;         /**< where the next search begins */
	_Atomic uint32_t taken;          /**< pairs in use */
	_Atomic uint32_t resting;        /**< pairs in quarantine */
};

/**
 * Make the pairs of an address; all are vacant.
 *
 * @return 0
 * @return -ENOMEM
 *
 * Threads: one. Progress: blocking (waits for memory). Order: the caller hands it on.
 */
int ports_init(struct ports *ports, uint16_t first, uint16_t last);

/** Free the memory. Threads: one, the last. Progress: blocking (waits for the kernel). */
void ports_destroy(struct ports *ports);

/**
 * Take a pair: the next vacant one after the one taken before, so that the pair longest at rest
 * comes last.
 *
 * @param pair  set on success only
 * @return 0
 * @return -ENOSPC  all are in use or in quarantine
 *
 * Threads:  any.
 * Progress: lock-free; a retry means that another thread took or released a pair.
 * Order:    what was done before the pair's release is seen.
 */
int ports_take(struct ports *ports, uint32_t *pair);

/**
 * Release a pair, which rests until until_ns; 0: it can be taken at once.
 *
 * Threads:  any; each pair by who has it.
 * Progress: wait-free (bound 1).
 * Order:    what was done before is seen by who takes the pair next.
 */
void ports_release(struct ports *ports, uint32_t pair, uint64_t until_ns);

/**
 * End rests that are over, in the order of the releases.
 *
 * @param budget  most to end
 * @return number ended
 *
 * Threads:  one at a time; at the same time as ports_take and ports_release.
 * Progress: wait-free (bound: budget). A releaser stopped in the middle holds back only later rests.
 * Order:    as ports_release.
 */
uint32_t ports_rests_end(struct ports *ports, uint64_t now_ns, uint32_t budget);

/** UDP port of a pair's RTP, host order. */
static inline uint16_t
ports_number(const struct ports *ports, uint32_t pair)
{
	return (uint16_t)(ports->first + 2 * pair);
}

/** Verify the invariants when nobody else uses it; panics when one is broken. */
void ports_check(struct ports *ports);

#endif
