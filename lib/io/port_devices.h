/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The devices behind a port's queues: one, or one for each queue of AF_XDP.
 */
#ifndef STW_IO_PORT_DEVICES_H
#define STW_IO_PORT_DEVICES_H

#include "port.h"

/**
 * Make and configure them. A failure undoes everything.
 *
 * @return 0
 * @return -ENODEV  not there, refused, or has fewer queues
 * @return -EBUSY   in use
 * @return -ENOMEM, -EPERM
 *
 * Threads, progress: control; blocking (waits for the device).
 */
int port_devices_make(struct port *port, const struct stw_port_config *config);

/** Start them, as port_start. */
int port_devices_start(struct port *port);

/** Stop them, and remove what was made. */
void port_devices_remove(struct port *port);

#endif
