/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Suites, and session keys from master keys. At set-up only: no packet needs it.
 */
#ifndef STW_MEDIA_SRTP_DERIVE_H
#define STW_MEDIA_SRTP_DERIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/srtp.h>

/** Bytes of a session authentication key (HMAC-SHA1). */
#define DERIVE_AUTH_BYTES 20

/** Bytes of a digest that tells key sets apart. */
#define DERIVE_DIGEST_BYTES 32

/** What a suite consists of, bytes. */
struct srtp_suite {
	const char *name;
	uint8_t key_bytes;
	uint8_t salt_bytes;
	uint8_t tag_bytes;
	uint8_t tag_rtcp_bytes;
	bool aead;
};

extern const struct srtp_suite srtp_suites[STW_SRTP_SUITE_COUNT];

/** Session keys of RTP or of RTCP. */
struct srtp_session_keys {
	uint8_t key[STW_SRTP_KEY_BYTES_MAX];
	uint8_t auth[DERIVE_AUTH_BYTES]; /**< not for AEAD */
	uint8_t salt[16];                /**< zeroes behind the suite's salt_bytes */
};

/** Whether each field is inside of its range. Threads: any. */
bool srtp_keys_are_valid(const struct stw_srtp_keys *keys);

/**
 * Derive session keys. The caller wipes them.
 *
 * @param keys  borrowed; valid
 * @param rtcp  of SRTCP
 * @return 0, or -EIO when the library of AES refuses
 *
 * Threads: any. Progress: blocking (waits for memory). Order: none.
 * Source: RFC 3711 4.3.1 with key derivation rate 0, RFC 6188 3, RFC 7714 11.
 */
int srtp_derive(const struct stw_srtp_keys *keys, bool rtcp, struct srtp_session_keys *session);

/** Digest of all that makes key sets differ; 0 or -EIO. Threads: any. */
int srtp_keys_digest(const struct stw_srtp_keys *keys, uint8_t digest[DERIVE_DIGEST_BYTES]);

/** Overwrite what is secret. */
void srtp_wipe(void *memory, size_t bytes);

#endif
