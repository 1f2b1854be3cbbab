/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Session keys from master keys: each is the key stream of AES in counter mode under the master
 * key, from a counter block that is the master salt with a label in it.
 */
#include "srtp_derive.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/** Labels of RTP; those of RTCP are 3 above. */
enum derive_label {
	LABEL_KEY,
	LABEL_AUTH,
	LABEL_SALT,
	LABELS_RTCP,
};

/** Where the label meets the salt: the 48 bits of the index (0) follow it. */
#define LABEL_PLACE 7

/** Bytes of a counter block. */
#define BLOCK_BYTES 16

const struct srtp_suite srtp_suites[STW_SRTP_SUITE_COUNT] = {
	[STW_SRTP_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, false},
	[STW_SRTP_AES_CM_128_HMAC_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, false},
	[STW_SRTP_AES_256_CM_HMAC_SHA1_80] = {"AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10, false},
	[STW_SRTP_AES_256_CM_HMAC_SHA1_32] = {"AES_256_CM_HMAC_SHA1_32", 32, 14, 4, 10, false},
	[STW_SRTP_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, 16, 16, true},
	[STW_SRTP_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", 32, 12, 16, 16, true},
};

const char *
stw_srtp_suite_name(enum stw_srtp_suite suite)
{
	return (unsigned)suite < STW_SRTP_SUITE_COUNT ? srtp_suites[suite].name : "unknown";
}

bool
srtp_keys_are_valid(const struct stw_srtp_keys *keys)
{
	return keys->struct_size >= sizeof(*keys) && (unsigned)keys->suite < STW_SRTP_SUITE_COUNT &&
	       keys->mki_bytes <= STW_SRTP_MKI_BYTES_MAX && keys->roc_kept <= 1 &&
	       keys->packets_max <= STW_SRTP_PACKETS_MAX;
}

static int
key_stream(const struct stw_srtp_keys *keys, uint8_t label, uint8_t *out, int bytes)
{
	const struct srtp_suite *suite = &srtp_suites[keys->suite];
	uint8_t block[BLOCK_BYTES] = {0};
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int written, error = -EIO;

	if (!context)
		return -EIO;
	memcpy(block, keys->salt, suite->salt_bytes);
	block[LABEL_PLACE] ^= label;
	memset(out, 0, (size_t)bytes);
	if (EVP_EncryptInit_ex(context,
			       suite->key_bytes == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(), NULL,
			       keys->key, block) == 1 &&
	    EVP_EncryptUpdate(context, out, &written, out, bytes) == 1 && written == bytes)
		error = 0;
	EVP_CIPHER_CTX_free(context);
	return error;
}

int
srtp_derive(const struct stw_srtp_keys *keys, bool rtcp, struct srtp_session_keys *session)
{
	const struct srtp_suite *suite = &srtp_suites[keys->suite];
	uint8_t first = rtcp ? LABELS_RTCP : 0;
	int error;

	memset(session, 0, sizeof(*session));
	error = key_stream(keys, first + LABEL_KEY, session->key, suite->key_bytes);
	if (error == 0 && !suite->aead)
		error = key_stream(keys, first + LABEL_AUTH, session->auth, sizeof(session->auth));
	if (error == 0)
		error = key_stream(keys, first + LABEL_SALT, session->salt, suite->salt_bytes);
	return error;
}

int
srtp_keys_digest(const struct stw_srtp_keys *keys, uint8_t digest[DERIVE_DIGEST_BYTES])
{
	const struct srtp_suite *suite = &srtp_suites[keys->suite];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t suite_mki[2] = {(uint8_t)keys->suite, keys->mki_bytes};
	int error = -EIO;

	if (!context)
		return -EIO;
	if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(context, suite_mki, sizeof(suite_mki)) == 1 &&
	    EVP_DigestUpdate(context, keys->key, suite->key_bytes) == 1 &&
	    EVP_DigestUpdate(context, keys->salt, suite->salt_bytes) == 1 &&
	    EVP_DigestUpdate(context, keys->mki, keys->mki_bytes) == 1 &&
	    EVP_DigestUpdate(context, &keys->roc, sizeof(keys->roc)) == 1 &&
	    EVP_DigestUpdate(context, &keys->packets_max, sizeof(keys->packets_max)) == 1 &&
	    EVP_DigestFinal_ex(context, digest, NULL) == 1)
		error = 0;
	EVP_MD_CTX_free(context);
	return error;
}

void
srtp_wipe(void *memory, size_t bytes)
{
	OPENSSL_cleanse(memory, bytes);
}
