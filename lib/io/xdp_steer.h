/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads, attaches and detaches the steering program (xdp_steer.bpf.c) of one interface and says to
 * it which UDP ports are owned. Attached by a BPF link: the kernel detaches it when the process
 * ends, however it ends, so nothing stale is ever left on an interface.
 */
#ifndef STW_IO_XDP_STEER_H
#define STW_IO_XDP_STEER_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/media.h>

#include "steer_ranges.h"

struct kernel_relay;
struct port_steer_counts;
struct xdp_steer;

/** What a steering program is for. */
struct xdp_steer_setup {
	int ifindex;            /**< interface, in the caller's network namespace */
	const char *name;       /**< its name, for the log; copied */
	enum stw_xdp_mode mode; /**< STW_XDP_AUTO, NATIVE or GENERIC */
	bool takeover;          /**< another of us may have the interface for now */
	struct kernel_relay *
		relay; /**< memory of relay inside the kernel, borrowed until return, which gets to know of
			     the interface; NULL: the program does not relay */
	uint32_t port; /**< the packet plane's number of the interface */
};

/**
 * Load the program for an interface; it is not attached yet, so its maps can be filled before.
 *
 * @param out    given: set on success only; free with xdp_steer_free
 * @param setup  borrowed until return
 * @return 0
 * @return -EBUSY    another XDP program is on the interface; the log names it
 * @return -ENOTSUP  the kernel cannot do it; the log says why
 * @return -EPERM    the process may not do that
 * @return -ENODEV   no such interface
 * @return -ENOMEM   memory cannot be had
 *
 * Threads:  control.
 * Progress: blocking (waits for the kernel).
 * Order:    none.
 */
int xdp_steer_load(struct xdp_steer **out, const struct xdp_steer_setup *setup);

/**
 * Attach the program. Where another of us has the interface, its end is awaited, and the program takes the
 * place of the other's on its link: the interface is never without one, and its driver resets nothing.
 * In AUTO the mode stays that of the predecessor; where it is not the one asked for, the program is attached
 * anew.
 *
 * @param takeover_ms  how long to wait for that, milliseconds; 0: not at all
 * @return 0
 * @return -EBUSY    another XDP program is on the interface, or still is; the log names it
 * @return -ENOTSUP  the kernel or the driver cannot do it in that mode; the log says why
 * @return -EPERM    the process may not do that
 * @return -ENODEV   no such interface
 * @return -ENOMEM   memory cannot be had
 *
 * Threads:  control.
 * Progress: blocking (waits for the kernel and for the predecessor).
 * Order:    what the maps have before is in force with the first packet.
 */
int xdp_steer_attach(struct xdp_steer *steer, uint32_t takeover_ms);

/** Detach the program, or leave it to a successor that waits; NULL is fine. As xdp_steer_attach. */
void xdp_steer_detach(struct xdp_steer *steer);

/**
 * Detach the program if it is not, and free it; NULL is fine. After the sockets that joined it were
 * closed: now a successor begins. Threads, progress: as xdp_steer_attach.
 */
void xdp_steer_free(struct xdp_steer *steer);

/** STW_XDP_NATIVE or STW_XDP_GENERIC, as attached. */
enum stw_xdp_mode xdp_steer_mode(const struct xdp_steer *steer);

/** The maps of owned ports, for steer_map_own. */
struct steer_maps xdp_steer_maps(const struct xdp_steer *steer);

/** Bytes of the program's maps but those of relay inside the kernel. Threads: any. */
uint64_t xdp_steer_map_bytes(const struct xdp_steer *steer);

/** The program itself, for tests that run packets through it. */
int xdp_steer_program_fd(const struct xdp_steer *steer);

/** Add up what all CPUs counted. */
void xdp_steer_counts(const struct xdp_steer *steer, struct port_steer_counts *counts);

#endif
