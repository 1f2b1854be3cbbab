/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who has an interface's XDP, and a take-over from another of us: one program after the other on the
 * same BPF link, so that the interface is never without one. The driver resets nothing, and the
 * kernel never sees packets to owned ports, whatever the predecessor's end is like.
 *
 * Whoever steers holds a map that names its program by id, the token. It is no part of the program,
 * so it goes with the process that made it, even while others hold the link.
 */
#ifndef STW_IO_XDP_OWNER_H
#define STW_IO_XDP_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/bpf.h>

#include <strowger/media.h>

/** Made by xdp_owner_find, ended by xdp_owner_release. */
struct xdp_owner {
	uint32_t program_id;            /**< 0: nobody has it */
	char program[BPF_OBJ_NAME_LEN]; /**< its name; empty: not known */
	bool ours;                      /**< a steering program of this library */
	enum stw_xdp_mode mode;         /**< as it is attached; NONE: in a device's own way */

	/* Of ours. */
	uint32_t token_id; /**< its token; 0: it is gone */
	int program_fd;    /**< -1: not held */
	int link_fd;       /**< -1: not held, as it is about to come or to go */
};

/**
 * Find the program on an interface; of ours, hold it and its link. Without the right to see BPF objects of
 * others (CAP_SYS_ADMIN) its name is empty and it is not ours.
 *
 * @param owner    filled on success only; release with xdp_owner_release
 * @param ifindex  interface, in the caller's network namespace
 * @return 0
 * @return -ENODEV  no such interface
 * @return -EPERM   the process may not ask
 *
 * Threads:  control.
 * Progress: blocking (waits for the kernel).
 * Order:    none.
 */
int xdp_owner_find(struct xdp_owner *owner, int ifindex);

/** True while the process that made the program has not given the port up. Control; blocking. */
bool xdp_owner_is_there(const struct xdp_owner *owner);

/**
 * Have the link of the owner run another program from now on, and keep it.
 *
 * @return descriptor of the link, now the caller's
 * @return -EAGAIN  it runs another program meanwhile, or is detached
 * @return negative errno of the kernel otherwise
 *
 * Threads, progress: control; blocking (waits for the kernel).
 */
int xdp_owner_replace(struct xdp_owner *owner, int program_fd);

/** Hold nothing of it any more. */
void xdp_owner_release(struct xdp_owner *owner);

/** Make the token of a program of ours; a descriptor to be closed with it, or a negative errno. */
int xdp_owner_token(int program_fd);

#endif
