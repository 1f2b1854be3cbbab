/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP ports of one local address, given out in pairs (an even port for RTP, the next for RTCP) or single
 * (both on one port). A released port rests in quarantine, so that late packets of an old call reach
 * nobody's new one.
 */
#ifndef STW_MEDIA_PORTS_H
#define STW_MEDIA_PORTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Most ports of an address. */
#define PORTS_MAX 65536

/**
 * Ports of one address. A port is named by its place: its number less the first. What is taken at one time,
 * a pair or a single port, is a *lot*; a pair has the place of its first port.
 */
struct ports {
	uint16_t first;                  /**< first UDP port, even */
	uint32_t count;                  /**< how many, even, 2 to PORTS_MAX */
	uint32_t rests_mask;             /**< entries of `rests` less one */
	_Atomic uint64_t *vacant;        /**< a bit for each port: 1, it can be taken */
	_Atomic uint32_t *rests;         /**< ring of resting lots; 0: empty */
	_Atomic uint64_t *rest_until_ns; /**< end of each lot's quarantine, by its place */
	uint32_t rests_head;             /**< next to end its rest; of the one that ends rests */
	_Atomic uint32_t rests_tail;     /**< next to be filled */
	_Atomic uint32_t cursor;         /**< where the next search for a pair begins */
	_Atomic uint32_t cursor_single;  /**< where the next search for a single port begins */
	_Atomic uint32_t odd;            /**< vacant ports whose other half is not, about */
	_Atomic uint32_t taken;          /**< lots in use */
	_Atomic uint32_t taken_single;   /**< of those, single ports */
	_Atomic uint32_t resting;        /**< lots in quarantine */
	_Atomic uint32_t resting_single; /**< of those, single ports */
};

/**
 * Make the ports of an address; all are vacant.
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
 * Take a pair, or a single port: the next vacant one after the one taken before, so that the one longest
 * at rest comes last. A single port is the half of a pair whose other half is not vacant, if there is one,
 * so that pairs last.
 *
 * @param single  true: a single port
 * @param place   set on success only
 * @return 0
 * @return -ENOSPC  all are in use or in quarantine; of pairs, each has a half that is
 *
 * Threads:  any.
 * Progress: lock-free; a retry means that another thread took or released a port.
 * Order:    what was done before the lot's release is seen.
 */
int ports_take(struct ports *ports, bool single, uint32_t *place);

/**
 * Release what was taken, which rests until until_ns; 0: it can be taken at once.
 *
 * @param single  as it was taken
 *
 * Threads:  any; each lot by who has it.
 * Progress: wait-free (bound 1).
 * Order:    what was done before is seen by who takes the ports next.
 */
void ports_release(struct ports *ports, uint32_t place, bool single, uint64_t until_ns);

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

/** UDP port at a place, host order. */
static inline uint16_t
ports_number(const struct ports *ports, uint32_t place)
{
	return (uint16_t)(ports->first + place);
}

/** Verify the invariants when nobody else uses it; panics when one is broken. */
void ports_check(struct ports *ports);

#endif
