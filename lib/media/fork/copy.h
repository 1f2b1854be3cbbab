/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One received packet as its forks copy it.
 */
#ifndef STW_MEDIA_COPY_H
#define STW_MEDIA_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_udp.h>

#include "fork.h"
#include "media/packet.h"
#include "media/session/leg.h"

struct worker;

/**
 * What a copy is made of. Everything up to and with the RTP header is copied, as the relay rewrites
 * it in place; the rest is referred to in `mbuf`, which nobody changes: the received buffer, or a
 * copy of it when a later stage changes that.
 */
struct copy_source {
	const struct packet *packet;
	struct rte_mbuf *mbuf; /**< laid out as the received buffer; NULL: there was none for it */
	union leg_traits carries; /**< traits of the leg */
	uint16_t header_bytes;    /**< of the frame, before the rest */
	uint16_t rest_bytes;      /**< behind them */
};

static inline const uint8_t *
copy_rest(const struct copy_source *source)
{
	return rte_pktmbuf_mtod_offset(source->mbuf, const uint8_t *, source->header_bytes);
}

/** RTP header of the packet, as received. */
static inline const uint8_t *
copy_rtp(const struct copy_source *source)
{
	return rte_pktmbuf_mtod_offset(source->mbuf, const uint8_t *,
				       source->packet->udp_offset + sizeof(struct rte_udp_hdr));
}

#endif
