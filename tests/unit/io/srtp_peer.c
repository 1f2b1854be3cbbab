/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A party that speaks SRTP by libsrtp2.
 */
#include "srtp_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "support/random.h"

static void
must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "srtp_peer: %s failed\n", what);
	abort();
}

struct stw_srtp_keys
srtp_keys_of(enum stw_srtp_suite suite, uint64_t seed)
{
	struct stw_srtp_keys keys = STW_SRTP_KEYS_INIT;
	struct random random = {seed};

	keys.suite = suite;
	for (unsigned i = 0; i < sizeof(keys.key); i++)
		keys.key[i] = (uint8_t)random_next(&random);
	for (unsigned i = 0; i < sizeof(keys.salt); i++)
		keys.salt[i] = (uint8_t)random_next(&random);
	return keys;
}

static void
policy_of(srtp_policy_t *policy, enum stw_srtp_suite suite)
{
	switch (suite) {
	case STW_SRTP_AES_CM_128_HMAC_SHA1_80:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
		break;
	case STW_SRTP_AES_CM_128_HMAC_SHA1_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
		break;
	case STW_SRTP_AES_256_CM_HMAC_SHA1_80:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp);
		break;
	case STW_SRTP_AES_256_CM_HMAC_SHA1_32:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp);
		break;
	case STW_SRTP_AEAD_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
		break;
	case STW_SRTP_AEAD_AES_256_GCM:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
		break;
	}
}

static srtp_t
context_of(const struct stw_srtp_keys *keys, bool sends, bool clear_rtcp)
{
	bool long_key = strstr(stw_srtp_suite_name(keys->suite), "256") != NULL;
	bool gcm = strstr(stw_srtp_suite_name(keys->suite), "GCM") != NULL;
	size_t key_bytes = long_key ? 32 : 16, salt_bytes = gcm ? 12 : 14;
	uint8_t together[64], mki[STW_SRTP_MKI_BYTES_MAX];
	srtp_master_key_t master = {together, mki, keys->mki_bytes};
	srtp_master_key_t *masters[1] = {&master};
	srtp_policy_t policy = {0};
	srtp_t context;

	memcpy(together, keys->key, key_bytes);
	memcpy(together + key_bytes, keys->salt, salt_bytes);
	memcpy(mki, keys->mki, sizeof(mki));
	policy_of(&policy, keys->suite);
	policy.ssrc.type = sends ? ssrc_any_outbound : ssrc_any_inbound;
	if (keys->mki_bytes) {
		policy.keys = masters;
		policy.num_master_keys = 1;
	} else {
		policy.key = together;
	}
	if (clear_rtcp)
		policy.rtcp.sec_serv = sec_serv_auth;
	policy.window_size = 128;
	must(srtp_create(&context, &policy) == srtp_err_status_ok, "srtp_create");
	return context;
}

void
srtp_peer_open(struct srtp_peer *peer, const struct stw_srtp_keys *sends,
	       const struct stw_srtp_keys *gets)
{
	static bool begun;

	if (!begun)
		must(srtp_init() == srtp_err_status_ok, "srtp_init");
	begun = true;
	*peer = (struct srtp_peer){.mki = (sends && sends->mki_bytes) || (gets && gets->mki_bytes)};
	if (sends)
		peer->sends = context_of(sends, true, false);
	if (gets)
		peer->gets = context_of(gets, false, false);
}

void
srtp_peer_close(struct srtp_peer *peer)
{
	if (peer->sends)
		srtp_dealloc(peer->sends);
	if (peer->gets)
		srtp_dealloc(peer->gets);
	*peer = (struct srtp_peer){0};
}

int
srtp_peer_protect(struct srtp_peer *peer, uint8_t *packet, int bytes, bool rtcp)
{
	srtp_err_status_t status;

	if (!peer->sends)
		return bytes;
	if (rtcp)
		status = srtp_protect_rtcp_mki(peer->sends, packet, &bytes, peer->mki, 0);
	else
		status = srtp_protect_mki(peer->sends, packet, &bytes, peer->mki, 0);
	must(status == srtp_err_status_ok, "srtp_protect");
	return bytes;
}

int
srtp_peer_open_packet(struct srtp_peer *peer, uint8_t *packet, int bytes, bool rtcp)
{
	srtp_err_status_t status;

	if (!peer->gets)
		return bytes;
	if (rtcp)
		status = srtp_unprotect_rtcp_mki(peer->gets, packet, &bytes, peer->mki);
	else
		status = srtp_unprotect_mki(peer->gets, packet, &bytes, peer->mki);
	return status == srtp_err_status_ok ? bytes : -1;
}

void
srtp_peer_roc(struct srtp_peer *peer, uint32_t ssrc, uint32_t roc)
{
	must(srtp_set_stream_roc(peer->sends, ssrc, roc) == srtp_err_status_ok, "set roc");
}

void
srtp_peer_open_clear_rtcp(struct srtp_peer *peer, const struct stw_srtp_keys *sends)
{
	*peer = (struct srtp_peer){.sends = context_of(sends, true, true)};
}
