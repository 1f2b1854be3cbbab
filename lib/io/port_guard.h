/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps the kernel from answering packets to owned UDP ports on an AF_PACKET interface, where it
 * sees them, too. One BPF program of the network namespace and two sockets that drop everything,
 * however many calls there are; both end with the process.
 *
 * Rivals that were looked at: a bound socket for each port (two descriptors a call, and a window at
 * each start of a call), a traffic-control filter (drops earlier, but stays when the process is
 * killed), an XDP program (runs before AF_PACKET's copy is made: drops for both).
 */
#ifndef STW_IO_PORT_GUARD_H
#define STW_IO_PORT_GUARD_H

#include "steer_ranges.h"

struct port_guard;

/**
 * Start guarding in the caller's network namespace. Nothing is owned yet.
 *
 * @param out   given: set on success only; free with port_guard_stop
 * @param name  of the port, for the log; borrowed until return
 * @return 0
 * @return -ENOTSUP  the kernel cannot do it; the log says why
 * @return -EPERM    the process may not do that
 * @return -ENOMEM   memory cannot be had
 *
 * Threads:  control.
 * Progress: blocking (waits for the kernel).
 * Order:    none.
 */
int port_guard_start(struct port_guard **out, const char *name);

/** Stop guarding; NULL is fine. Threads, progress: as port_guard_start. */
void port_guard_stop(struct port_guard *guard);

/** The maps of owned ports, for steer_map_own. */
struct steer_maps port_guard_maps(const struct port_guard *guard);

#endif
