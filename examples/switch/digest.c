/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A nonce is serial (8 hex digits), time in seconds (16 hex digits) and a signature of both with the
 * key of the run (32 hex digits).
 */
#include "digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include <sofia-sip/su_md5.h>

#include "clock.h"

int
digest_create(struct digest *digest)
{
	memset(digest, 0, sizeof(*digest));
	if (getrandom(digest->key, sizeof(digest->key), 0) != sizeof(digest->key))
		return -EIO;
	return 0;
}

static const char *
make_nonce(const struct digest *digest, uint32_t serial, uint64_t time_s,
	   char nonce[DIGEST_NONCE_BYTES])
{
	char signature[SU_MD5_DIGEST_SIZE * 2 + 1];
	su_md5_t md5;
	int bytes = snprintf(nonce, DIGEST_NONCE_BYTES, "%08" PRIx32 "%016" PRIx64, serial, time_s);

	su_md5_init(&md5);
	su_md5_update(&md5, digest->key, sizeof(digest->key));
	su_md5_update(&md5, nonce, (usize_t)bytes);
	su_md5_update(&md5, digest->key, sizeof(digest->key));
	su_md5_hexdigest(&md5, signature);
	snprintf(nonce + bytes, DIGEST_NONCE_BYTES - (size_t)bytes, "%s", signature);
	return nonce;
}

const char *
digest_nonce(struct digest *digest, uint64_t now_ns, char nonce[DIGEST_NONCE_BYTES])
{
	return make_nonce(digest, ++digest->serial, now_ns / CLOCK_SECOND_NS, nonce);
}

/* Compare in a time that does not tell where the texts differ. */
static bool
equal(const char *a, const char *b)
{
	size_t bytes = strlen(a);
	unsigned char difference = 0;

	if (strlen(b) != bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

/* Texts in the header keep their quotes; we compare and sign what is between them. */
static void
unquote(const char *quoted, char *text, size_t bytes)
{
	size_t length = strlen(quoted);

	if (length >= 2 && quoted[0] == '"' && quoted[length - 1] == '"') {
		quoted++;
		length -= 2;
	}
	if (length >= bytes)
		length = bytes - 1;
	memcpy(text, quoted, length);
	text[length] = '\0';
}

/* The nonce is ours and young; its serial is set. */
static bool
nonce_is_ours(const struct digest *digest, const char *quoted, uint64_t now_ns, uint32_t *serial,
	      bool *young)
{
	char nonce[DIGEST_NONCE_BYTES + 1], expected[DIGEST_NONCE_BYTES];
	uint64_t time_s, now_s = now_ns / CLOCK_SECOND_NS;

	unquote(quoted, nonce, sizeof(nonce));
	if (sscanf(nonce, "%8" SCNx32 "%16" SCNx64, serial, &time_s) != 2)
		return false;
	if (!equal(make_nonce(digest, *serial, time_s, expected), nonce))
		return false;
	*young = now_s - time_s <= DIGEST_NONCE_LIFE_S;
	return true;
}

static bool
password_is_right(auth_response_t *response, const char *method, const char *password)
{
	auth_hexmd5_t ha1, expected;
	char given[64];

	if (auth_digest_a1(response, ha1, password) != 0 ||
	    auth_digest_response(response, expected, ha1, method, NULL, 0) != 0)
		return false;
	unquote(response->ar_response, given, sizeof(given));
	return equal(expected, given);
}

enum digest_result
digest_check(const struct digest *digest, struct digest_user *user, auth_response_t *response,
	     const char *method, const char *password, uint64_t now_ns)
{
	uint32_t serial = 0, count = 0;
	bool young = false;

	if (!response->ar_username || !response->ar_nonce || !response->ar_uri ||
	    !response->ar_response || !response->ar_realm ||
	    auth_strcmp(response->ar_realm, DIGEST_REALM) != 0)
		return DIGEST_REFUSED;
	if (response->ar_algorithm && auth_strcmp(response->ar_algorithm, "MD5") != 0)
		return DIGEST_REFUSED;
	if (response->ar_qop && (!response->ar_auth || !response->ar_nc || !response->ar_cnonce))
		return DIGEST_REFUSED;
	if (!password_is_right(response, method, password))
		return DIGEST_REFUSED;
	/* Another run's nonce, or an invented one: the password was right, so just ask again. */
	if (!nonce_is_ours(digest, response->ar_nonce, now_ns, &serial, &young) || !young)
		return DIGEST_STALE;
	if (response->ar_nc)
		count = (uint32_t)strtoul(response->ar_nc, NULL, 16);
	if (serial < user->serial || (serial == user->serial && count <= user->count))
		return DIGEST_STALE;
	user->serial = serial;
	user->count = count;
	return DIGEST_ACCEPTED;
}
