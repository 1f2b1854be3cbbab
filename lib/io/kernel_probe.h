/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether this kernel can do what relay inside the kernel needs.
 */
#ifndef STW_IO_KERNEL_PROBE_H
#define STW_IO_KERNEL_PROBE_H

/**
 * Try what relay inside the kernel needs: arrays that can be mapped, atomic operations that return something, the
 * helper that tells a next hop. Logs one line when something lacks.
 *
 * @return 0
 * @return -ENOTSUP  the kernel cannot do it
 * @return -EPERM    the process may not do that
 *
 * Threads: control. Progress: blocking (waits for the kernel).
 */
int kernel_probe(void);

#endif
