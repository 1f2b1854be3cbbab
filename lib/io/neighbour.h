/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops on an interface that the kernel keeps: its routes and its neighbour table, read over
 * rtnetlink. The kernel never sees our packets, so whoever relays asks again from time to time: each
 * call also keeps the neighbour's entry alive.
 */
#ifndef STW_IO_NEIGHBOUR_H
#define STW_IO_NEIGHBOUR_H

#include <rte_ether.h>

#include <strowger/address.h>

/**
 * Find the link address to which packets for a remote address go. An unknown one is asked for: the
 * kernel sends ARP or a neighbour solicitation.
 *
 * @param ifindex  interface, in the caller's network namespace
 * @param remote   borrowed until return
 * @param mac      set on success only
 * @return 0
 * @return -EAGAIN  asked for: try again in some milliseconds
 * @return -ENOENT  no route to it through this interface
 * @return -EINVAL  no address, or no such interface
 * @return -EPERM   the process may not ask the kernel to resolve
 * @return -EIO     the kernel's answer makes no sense, or none came
 *
 * Threads:  any.
 * Progress: blocking (waits for the kernel's answer, at most 200 ms for each of 4 messages).
 * Order:    none.
 */
int neighbour_find(int ifindex, const struct stw_ip *remote, struct rte_ether_addr *mac);

/**
 * Find the interface that has a local address: the neighbours of an address on a VLAN are those of the
 * VLAN's own interface, not of the one that carries its frames.
 *
 * @param ip    borrowed until return
 * @param name  of the port, for the log; borrowed until return
 * @return its index; 0 when none has it, which the log says: then next hops are known by latched sources only
 *
 * Threads:  any.
 * Progress: blocking (waits for the kernel).
 * Order:    none.
 */
int neighbour_interface(const struct stw_ip *ip, const char *name);

#endif
