/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this folder's hosts of a packet plane have in common.
 */
#ifndef TEST_NET_HOST_H
#define TEST_NET_HOST_H

#include <stdint.h>

/* Most workers of a host. */
#define HOST_WORKERS_MAX 4

/* Nanoseconds of the clock that workers read. */
uint64_t host_now_ns(void);

/* Log to stderr and start the EAL; the workers have the last CPUs that this process may use. As stw_eal_start. */
int host_start(uint32_t workers);

#endif
