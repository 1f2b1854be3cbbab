/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forks to the network: each RTP packet of a side goes to a UDP endpoint as a stream of the fork's own.
 */
#ifndef STW_MEDIA_UDP_H
#define STW_MEDIA_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "copy.h"

/** Make a copy that goes to the network; false when there is no buffer, room or way for it. */
bool udp_copy(struct worker *worker, const struct copy_source *source, uint32_t fork);

/** Hand the copies of a burst to their ports. Threads: the worker. */
void udp_send(struct worker *worker);

/** Whether a description of such a fork is sound. Threads: any. */
bool udp_config_is_valid(const struct stw_media *media, const struct stw_fork_config *config);

/**
 * Make what a fork to the network needs: buffers, a pair of UDP ports, streams.
 *
 * @return 0
 * @return -ENOSPC  every port of the address is taken or in quarantine, or srtp_max contexts are in
 *                  use; counted
 * @return -ENOTSUP, -EIO  as srtp_context_add
 * @return -ENOMEM  memory cannot be had
 *
 * Threads: control, under the mutex. The fork is in no list.
 */
int udp_open(struct stw_media *media, struct fork *fork, const struct stw_fork_config *config,
	     uint64_t now_ns);

/** Release what udp_open took. Threads: control, under the mutex; no worker sees the fork. */
void udp_close(struct stw_media *media, struct fork *fork, uint64_t now_ns);

#endif
