/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Edits which UDP ports the BPF programs take to be owned.
 */
#ifndef STW_IO_STEER_RANGES_H
#define STW_IO_STEER_RANGES_H

#include <stdint.h>

#include <strowger/address.h>

#include "steer_map.h"

/**
 * Add a range; one that is already covered changes nothing.
 *
 * @return 0
 * @return -EINVAL  first is 0 or above last
 * @return -ENOSPC  STEER_RANGES_MAX ranges are there
 *
 * Threads:  any, on different ranges.
 * Progress: wait-free (bound STEER_RANGES_MAX).
 * Order:    none.
 */
int steer_ranges_add(struct steer_ranges *ranges, uint16_t first, uint16_t last);

/** Descriptors of a program's maps of owned ports. */
struct steer_maps {
	int owned;  /**< of IPv4 */
	int owned6; /**< of IPv6 */
};

/**
 * Own a range of UDP ports of an address in a program's maps.
 *
 * @param vlan  identifier of the VLAN that the address is in; 0: none
 * @return 0
 * @return -EINVAL  no address, first is 0 or above last
 * @return -ENOSPC  too many addresses or ranges of one address
 * @return -EIO     the kernel refused
 *
 * Threads:  control. The map's element is replaced whole, so a program sees the old or the new one.
 * Progress: blocking (waits for the kernel).
 * Order:    programs that run after the return see it.
 */
int steer_map_own(const struct steer_maps *maps, const struct stw_ip *ip, uint16_t vlan,
		  uint16_t first, uint16_t last);

/**
 * Say where the entries of an address's UDP ports begin, for relay inside the kernel.
 *
 * @param entries_base  as steer_ranges has it; 0: there are none any more
 * @return 0
 * @return -EINVAL  no address
 * @return -ENOENT  nothing of it is owned
 * @return -EIO     the kernel refused
 *
 * Threads, progress, order: as steer_map_own, which leaves it as it is.
 */
int steer_map_entries(const struct steer_maps *maps, const struct stw_ip *ip, uint16_t vlan,
		      uint32_t entries_base);

/** Give up an address; -ENOENT when nothing of it is owned. Else as steer_map_own. */
int steer_map_disown(const struct steer_maps *maps, const struct stw_ip *ip, uint16_t vlan);

#endif
