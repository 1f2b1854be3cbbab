/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A context's life: filled from keys, retired, freed.
 *
 *  label  where                       order    pairs with  without it
 *  K3     head's previous: taken out  relaxed  none        the word stands for itself; who has read it
 *                                                          is waited for by rcu
 */
#include "srtp_context.h"

#include <errno.h>
#include <string.h>

#include <rte_cryptodev.h>

#include "media/plane.h"
#include "srtp_job.h"

/** Contexts freed in one call: a bound for who holds the mutex. */
#define RECLAIM_BURST 1024

static enum srtp_device
device_of(const struct srtp_head *head)
{
	return head->aead ? SRTP_DEVICE_AEAD : SRTP_DEVICE_CM;
}

void
srtp_session_free(const struct srtp *srtp, const struct srtp_head *head, void **session)
{
	if (*session)
		rte_cryptodev_sym_session_free(srtp->crypto.devices[device_of(head)], *session);
	*session = NULL;
}

void
srtp_context_free(struct srtp *srtp, uint32_t context)
{
	struct srtp_head *head = &srtp->heads[context];
	struct srtp_cold *cold = &srtp->colds[context];
	uint32_t generation = cold->generation;

	srtp_session_free(srtp, head, &head->session);
	srtp_session_free(srtp, head, &cold->session);
	srtp_wipe(head, sizeof(*head));
	srtp_wipe(cold, sizeof(*cold));
	cold->generation = generation + 1;
	for (uint32_t place = 0; place < STW_SRTP_SSRCS_MAX; place++)
		memset(srtp_replay(srtp, context, place), 0, sizeof(struct replay));
	srtp->free[srtp->free_count++] = context;
}

void
srtp_context_retire(struct stw_media *media, uint32_t context)
{
	struct srtp *srtp = &media->srtp;
	uint32_t last;

	if (!context)
		return;
	last = (srtp->retired_first + srtp->retired_count++) % srtp->slots;
	srtp->retired[last] =
		(struct srtp_retired){.token = rte_rcu_qsbr_start(media->rcu), .context = context};
}

void
srtp_previous_end(struct stw_media *media, uint32_t context)
{
	struct srtp_head *head = &media->srtp.heads[context];
	uint32_t previous = atomic_load_explicit(&head->previous, memory_order_relaxed);

	/* K3: the word stands for itself. */
	atomic_store_explicit(&head->previous, 0, memory_order_relaxed);
	srtp_context_retire(media, previous);
}

void
srtp_contexts_reclaim(struct stw_media *media)
{
	struct srtp *srtp = &media->srtp;

	for (unsigned i = 0; i < RECLAIM_BURST && srtp->retired_count; i++) {
		const struct srtp_retired *oldest = &srtp->retired[srtp->retired_first];

		if (!plane_passed(media, oldest->token))
			return;
		srtp_context_free(srtp, oldest->context);
		srtp->retired_first = (srtp->retired_first + 1) % srtp->slots;
		srtp->retired_count--;
	}
}

static int
session_make(const struct srtp *srtp, const struct stw_srtp_keys *keys, bool inward, bool rtcp,
	     const struct srtp_session_keys *derived, void **session)
{
	const struct srtp_suite *suite = &srtp_suites[keys->suite];
	enum srtp_device device = suite->aead ? SRTP_DEVICE_AEAD : SRTP_DEVICE_CM;
	struct rte_crypto_sym_xform chain[2];

	if (suite->aead)
		srtp_xform_aead(chain, derived->key, suite->key_bytes, inward, SRTP_AAD_BYTES);
	else
		srtp_xform_cm(chain, derived, suite->key_bytes, inward);
	*session = rte_cryptodev_sym_session_create(srtp->crypto.devices[device], chain,
						    srtp->crypto.sessions);
	if (*session)
		return 0;
	stw_log(STW_LOG_ERROR, "SRTP-REFUSED suite=%s rtcp=%d", suite->name, rtcp);
	return -EIO;
}

int
srtp_context_fill(struct srtp *srtp, uint32_t context, const struct stw_srtp_keys *keys,
		  bool inward)
{
	const struct srtp_suite *suite = &srtp_suites[keys->suite];
	struct srtp_head *head = &srtp->heads[context];
	struct srtp_cold *cold = &srtp->colds[context];
	struct srtp_session_keys derived[2];
	int error;

	head->tag_bytes = suite->tag_bytes;
	head->mki_bytes = keys->mki_bytes;
	head->aead = suite->aead;
	head->limited = keys->packets_max != 0;
	cold->tag_bytes = suite->tag_rtcp_bytes;
	cold->key_bytes = suite->key_bytes;
	cold->inward = inward;
	cold->roc = keys->roc;
	cold->packets_max = keys->packets_max;
	memcpy(cold->mki, keys->mki, keys->mki_bytes);
	error = srtp_keys_digest(keys, cold->digest);
	for (unsigned rtcp = 0; error == 0 && rtcp < 2; rtcp++) {
		error = srtp_derive(keys, rtcp, &derived[rtcp]);
		memcpy(rtcp ? cold->salt : head->salt, derived[rtcp].salt, sizeof(head->salt));
		if (suite->aead)
			memcpy(cold->keys[rtcp], derived[rtcp].key, suite->key_bytes);
		if (error == 0)
			error = session_make(srtp, keys, inward, rtcp, &derived[rtcp],
					     rtcp ? &cold->session : &head->session);
	}
	srtp_wipe(derived, sizeof(derived));
	return error;
}

static void
words_copy(_Atomic uint64_t *to, const _Atomic uint64_t *from, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		atomic_store_explicit(&to[i], atomic_load_explicit(&from[i], memory_order_relaxed),
				      memory_order_relaxed);
}

void
srtp_context_continue(struct srtp *srtp, uint32_t context, uint32_t former)
{
	struct srtp_cold *cold = &srtp->colds[context], *before = &srtp->colds[former];

	for (unsigned place = 0; place < STW_SRTP_SSRCS_MAX; place++) {
		struct replay *to = srtp_replay(srtp, context, place);
		struct replay *from = srtp_replay(srtp, former, place);

		atomic_store_explicit(&srtp->heads[context].owners[place],
				      atomic_load_explicit(&srtp->heads[former].owners[place],
							   memory_order_relaxed),
				      memory_order_relaxed);
		words_copy(to->words, from->words, REPLAY_WORDS);
		words_copy(cold->replays[place].words, before->replays[place].words,
			   REPLAY_RTCP_WORDS);
		atomic_store_explicit(
			&cold->next[place],
			atomic_load_explicit(&before->next[place], memory_order_relaxed),
			memory_order_relaxed);
	}
}
