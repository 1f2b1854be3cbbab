/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tap interface of the kernel: what is written to it the kernel receives, what the kernel sends on it
 * is read.
 */
#ifndef STW_IO_TAP_H
#define STW_IO_TAP_H

#include <rte_ether.h>

/**
 * Make a tap interface, or attach to a persistent one, and bring it up. It is gone with the descriptor,
 * unless it was persistent.
 *
 * @param name  1 to 15 characters, none of them '/', '%', ':' or a space
 * @param mac   its link address
 * @return descriptor, not blocking; each read and write is a frame
 * @return -EINVAL  no such name, or an interface of that name that is no tap
 * @return -EBUSY   somebody has it
 * @return -EPERM   the process may not make it (CAP_NET_ADMIN)
 * @return -ENODEV  the kernel has no taps (/dev/net/tun)
 * @return -EIO     the kernel refused otherwise
 *
 * Threads:  any.
 * Progress: blocking (waits for the kernel).
 */
int tap_open(const char *name, const struct rte_ether_addr *mac);

#endif
