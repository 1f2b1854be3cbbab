/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The relay of SRTP by libsrtp2, on a context for each direction of each stream: it looks for SSRCs in a list.
 */
#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "rounds.h"
#include "srtp_raw.h"
#include "srtp_source.h"

struct rival {
	uint32_t count;
	srtp_t *in, *out;
};

static srtp_t
context_of(bool aead, uint32_t stream, bool in, srtp_ssrc_type_t type)
{
	static bool begun;
	struct stw_srtp_keys keys = source_keys(aead, stream, in);
	srtp_policy_t policy = {0};
	uint8_t together[30];
	srtp_t context;

	if (!begun && srtp_init() != srtp_err_status_ok)
		rounds_die("srtp: libsrtp2 does not start");
	begun = true;
	memcpy(together, keys.key, 16);
	memcpy(together + 16, keys.salt, 14);
	policy.key = together;
	policy.ssrc.type = type;
	policy.window_size = 128;
	if (aead) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	}
	if (srtp_create(&context, &policy) != srtp_err_status_ok)
		rounds_die("srtp: libsrtp2 makes no context");
	return context;
}

struct rival *
rival_create(bool aead, uint32_t streams)
{
	struct rival *rival = calloc(1, sizeof(*rival));

	if (rival) {
		rival->in = calloc(streams, sizeof(*rival->in));
		rival->out = calloc(streams, sizeof(*rival->out));
	}
	if (!rival || !rival->in || !rival->out)
		rounds_die("srtp: no memory");
	rival->count = streams;
	for (uint32_t i = 0; i < streams; i++) {
		rival->in[i] = context_of(aead, i, true, ssrc_any_inbound);
		rival->out[i] = context_of(aead, i, false, ssrc_any_outbound);
	}
	return rival;
}

void
rival_destroy(struct rival *rival)
{
	for (uint32_t i = 0; i < rival->count; i++) {
		srtp_dealloc(rival->in[i]);
		srtp_dealloc(rival->out[i]);
	}
	free(rival->in);
	free(rival->out);
	free(rival);
}

void
rival_relay(struct rival *rival, uint32_t stream, uint8_t *packet, int bytes)
{
	if (srtp_unprotect(rival->in[stream], packet, &bytes) != srtp_err_status_ok ||
	    srtp_protect(rival->out[stream], packet, &bytes) != srtp_err_status_ok)
		rounds_die("srtp: libsrtp2 refuses a packet");
}

bool
rival_agrees(bool aead, uint32_t stream, uint8_t *packet, int bytes)
{
	srtp_t context = context_of(aead, stream, false, ssrc_any_inbound);
	bool right = srtp_unprotect(context, packet, &bytes) == srtp_err_status_ok &&
		     bytes == SRTP_RTP_BYTES;

	/* The relay gives the stream numbers of its own; the payload tells those it was made from. */
	for (int i = 12; right && i < SRTP_RTP_BYTES; i++)
		right = packet[i] == (uint8_t)(packet[12] - 12 + i);
	srtp_dealloc(context);
	return right;
}
