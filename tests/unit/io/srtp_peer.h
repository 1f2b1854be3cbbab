/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A party that speaks SRTP by another implementation, libsrtp2: it protects what it sends and says
 * whether what it gets is authentic.
 */
#ifndef TEST_SRTP_PEER_H
#define TEST_SRTP_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/srtp.h>

#include "wire.h"

struct srtp_peer {
	struct srtp_ctx_t_ *sends, *gets;
	bool mki;
};

/* Keys of a suite that a seed decides. */
struct stw_srtp_keys srtp_keys_of(enum stw_srtp_suite suite, uint64_t seed);

/* Begin both directions; NULL: plain. */
void srtp_peer_open(struct srtp_peer *peer, const struct stw_srtp_keys *sends,
		    const struct stw_srtp_keys *gets);
void srtp_peer_close(struct srtp_peer *peer);

/* Protect a packet in place; its new size. Capacity: 64 bytes more than it has. */
int srtp_peer_protect(struct srtp_peer *peer, uint8_t *packet, int bytes, bool rtcp);

/* Check and decipher in place; its new size, or -1. */
int srtp_peer_open_packet(struct srtp_peer *peer, uint8_t *packet, int bytes, bool rtcp);

/* Set the roll-over counter of an SSRC that it sends, which it has sent before. */
void srtp_peer_roc(struct srtp_peer *peer, uint32_t ssrc, uint32_t roc);

/* Begin sending only, with RTCP that is authenticated but not enciphered. */
void srtp_peer_open_clear_rtcp(struct srtp_peer *peer, const struct stw_srtp_keys *sends);

#endif
