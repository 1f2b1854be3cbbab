/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The phones of the srtp bench: a packet plane of its own makes plain RTP into SRTP of each stream, outside of the
 * clock. (libsrtp2 of Debian works by NSS, whose every operation takes longer the more keys there are: it cannot
 * make packets of 20,000.) And libsrtp2: the rival, of few streams, which also checks what comes back.
 */
#ifndef BENCH_SRTP_SOURCE_H
#define BENCH_SRTP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <strowger/media.h>

struct source;

/** Keys of what a stream's caller sends (in), and of what is sent to its agent. */
struct stw_srtp_keys source_keys(bool aead, uint32_t stream, bool in);

/** Make the plane; its ports take buffers of that pool. */
struct source *source_create(bool aead, uint32_t streams, struct rte_mempool *buffers);
void source_destroy(struct source *source);

/** Where a stream comes from; where it goes to is told once, before the first packet. */
struct stw_endpoint source_phone(const struct source *source, uint32_t stream);
void source_aim(struct source *source, uint32_t stream, const struct stw_endpoint *to);

/** Make the next packet of each of these streams, frames as a NIC gives them; at most 64. */
void source_make(struct source *source, const uint32_t *streams, unsigned count,
		 struct rte_mbuf **mbufs);

/** A link address is told to whoever asks for it on a ring. */
void source_arp(struct rte_mempool *buffers, struct rte_ring *ring, const uint8_t sender[4],
		const uint8_t target[4]);

struct rival;

struct rival *rival_create(bool aead, uint32_t streams);
void rival_destroy(struct rival *rival);

/** Unprotect and protect a packet in place. */
void rival_relay(struct rival *rival, uint32_t stream, uint8_t *packet, int bytes);

/** Whether what the relay has sent of a stream is authentic and the payload that was sent. */
bool rival_agrees(bool aead, uint32_t stream, uint8_t *packet, int bytes);

#endif
