/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Digest authentication of agents (RFC 2617 with MD5 and qop=auth, as RFC 3261 22 uses it). Nonces
 * are signed by the switch and numbered, so none of them is stored: each agent's last accepted
 * nonce and count say what is new, and a recorded request is refused.
 */
#ifndef SWITCH_DIGEST_H
#define SWITCH_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include <sofia-sip/auth_digest.h>

#define DIGEST_REALM "strowger"

/* Bytes of a nonce's text with the closing NUL. */
#define DIGEST_NONCE_BYTES 65

/* How long a nonce can be answered. */
#define DIGEST_NONCE_LIFE_S 60

struct digest {
	uint8_t key[16]; /* of the signature, random in each run */
	uint32_t serial; /* of the last nonce */
};

/* What was last accepted from one user. */
struct digest_user {
	uint32_t serial; /* of the nonce; 0: none yet */
	uint32_t count;  /* nonce count */
};

enum digest_result {
	DIGEST_ACCEPTED,
	DIGEST_STALE, /* the password is right, the nonce is too old or was used: ask again */
	DIGEST_REFUSED,
};

/* 0; -EIO: no random bytes to be had. */
int digest_create(struct digest *digest);

const char *digest_nonce(struct digest *digest, uint64_t now_ns, char nonce[DIGEST_NONCE_BYTES]);

enum digest_result digest_check(const struct digest *digest, struct digest_user *user,
				auth_response_t *response, const char *method, const char *password,
				uint64_t now_ns);

#endif
