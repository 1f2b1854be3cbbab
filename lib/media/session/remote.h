/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Remote endpoints of legs, of either version of IP, as control sets and reads them.
 */
#ifndef STW_MEDIA_REMOTE_H
#define STW_MEDIA_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

#include <strowger/session.h>

struct stw_media;

/**
 * True when the local address is there and the remote endpoint is possible with it: a leg speaks the
 * version of IP of its local address. Threads: any.
 */
bool remote_is_valid(const struct stw_media *media, const struct stw_leg_config *config);

/** True when packets can be sent to an endpoint from a local address. Threads: any. */
bool remote_is_party(const struct stw_media *media, uint32_t address,
		     const struct stw_endpoint *remote);

/** True when the endpoint is another one than the leg was told before. Threads: control, under the mutex. */
bool remote_is_new(const struct stw_media *media, uint32_t leg,
		   const struct stw_leg_config *config);

/**
 * Set a remote endpoint: the window opens, the latched source is forgotten, the next hop is asked for.
 *
 * Threads: control, under the mutex. Progress: wait-free (bound: some tries for each worker).
 * Order:   who sees the new remote sees what was written before.
 */
void remote_set(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config,
		uint64_t now_ns);

/** Endpoint of a local address and a port as on the wire. Threads: any. */
void remote_local_make(const struct stw_media *media, uint32_t address, rte_be16_t port,
		       struct stw_endpoint *local);

/** Local endpoint of a leg. Threads: control, under the mutex. */
void remote_local_read(const struct stw_media *media, uint32_t leg, struct stw_endpoint *local);

/**
 * Where a leg's packets go; family 0 when that is not known.
 *
 * @param remote  its remote word, read with acquire (R2 in remote6.h)
 *
 * Threads: control, under the mutex.
 */
void remote_read(const struct stw_media *media, uint32_t leg, uint64_t remote,
		 struct stw_endpoint *endpoint);

#endif
