/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A received datagram gets other headers, of the same or the other version of IP.
 */
#ifndef STW_MEDIA_REWRITE_H
#define STW_MEDIA_REWRITE_H

#include "envelope.h"
#include "translate.h"

/**
 * Rewrite a datagram's headers. Its payload is not touched; its congestion bits stay.
 *
 * @param sums  of what has changed in the payload already
 * @return PACKET_PENDING
 * @return STW_DROP_NO_BUFFER  longer headers have no room in front of it, and it cannot be moved
 *
 * Threads: the worker. Progress: wait-free (bound: its bytes, where the UDP checksum was none or the
 *          buffer has no room in front).
 * Source:  RFC 1624 (checksum), RFC 6145 4.1, 5.1 and 4.5 as far as they say how headers correspond.
 */
uint8_t rewrite_packet(const struct worker *worker, struct packet *packet,
		       const struct envelope *envelope, const struct translate_sums *sums);

#endif
