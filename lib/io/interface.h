/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel says about a network interface.
 */
#ifndef STW_IO_INTERFACE_H
#define STW_IO_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

/** Receive queues now; 1 when its driver does not say. Control thread; blocking (waits for the kernel). */
uint32_t interface_queues(const char *name);

/** Whether a driver of that name has it. Control thread; blocking (waits for the kernel). */
bool interface_driver_is(const char *name, const char *driver);

/** True when its link is up. Control thread; blocking (waits for the kernel). */
bool interface_has_carrier(const char *name);

#endif
