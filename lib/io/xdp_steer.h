/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads, attaches and detaches the steering program (xdp_steer.bpf.c) of one interface and says to
 * it which UDP ports are owned. Attached by a BPF link: the kernel detaches it when the process
 * ends, however it ends, so nothing stale is ever left on an interface.
 */
#ifndef STW_IO_XDP_STEER_H
#define STW_IO_XDP_STEER_H

#include <stdint.h>

#include <strowger/media.h>

#include "steer_ranges.h"

struct port_steer_counts;
struct xdp_steer;

/**
 * Load the program and attach it to an interface.
 *
 * @param out      given: set on success only; free with xdp_steer_free
 * @param ifindex  interface, in the caller's network namespace
 * @param name     its name, for the log; borrowed until return
 * @param mode     STW_XDP_AUTO, NATIVE or GENERIC
 * @return 0
 * @return -EBUSY    another XDP program is on the interface; the log names it
 * @return -ENOTSUP  the kernel or the driver cannot do it in that mode; the log says why
 * @return -EPERM    the process may not do that
 * @return -ENODEV   no such interface
 * @return -ENOMEM   memory cannot be had
 *
 * Threads:  control.
 * Progress: blocking (waits for the kernel).
 * Order:    none.
 */
int xdp_steer_attach(struct xdp_steer **out, int ifindex, const char *name, enum stw_xdp_mode mode);

/** Detach the program; NULL is fine. Threads, progress: as xdp_steer_attach. */
void xdp_steer_detach(struct xdp_steer *steer);

/**
 * Detach the program if it is not, and free it; NULL is fine. After the sockets that joined it were
 * closed. Threads, progress: as xdp_steer_attach.
 */
void xdp_steer_free(struct xdp_steer *steer);

/** STW_XDP_NATIVE or STW_XDP_GENERIC, as attached. */
enum stw_xdp_mode xdp_steer_mode(const struct xdp_steer *steer);

/** The maps of owned ports, for steer_map_own. */
struct steer_maps xdp_steer_maps(const struct xdp_steer *steer);

/** The program itself, for tests that run packets through it. */
int xdp_steer_program_fd(const struct xdp_steer *steer);

/** Add up what all CPUs counted. */
void xdp_steer_counts(const struct xdp_steer *steer, struct port_steer_counts *counts);

#endif
