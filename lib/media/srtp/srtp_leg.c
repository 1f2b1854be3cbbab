/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contexts of legs: made from what a description says, published, replaced at a key change.
 *
 *  label  where                       order    pairs with  without it
 *  K1     leg's in, out: published    release  K2          (unprotect.c, protect.h) an unfilled context
 *                                                          is met
 */
#include <errno.h>
#include <string.h>

#include "media/plane.h"
#include "srtp_context.h"

/** Make one context, unless `former` has the very keys. */
static int
context_make(struct stw_media *media, uint32_t former, const struct stw_srtp_keys *keys,
	     bool inward, uint32_t *context, uint8_t *same)
{
	struct srtp *srtp = &media->srtp;
	uint8_t digest[DERIVE_DIGEST_BYTES];
	int error;

	*context = 0;
	*same = 0;
	if (!keys)
		return 0;
	if (former && srtp_keys_digest(keys, digest) == 0 &&
	    memcmp(digest, srtp->colds[former].digest, sizeof(digest)) == 0) {
		*same = 1;
		return 0;
	}
	if (srtp->free_count == 0)
		srtp_contexts_reclaim(media);
	/* One that takes another's place needs no room but for a while: there are spare ones. */
	if ((!former && srtp->count >= srtp->max) || srtp->free_count == 0)
		return -ENOSPC;
	*context = srtp->free[--srtp->free_count];
	error = srtp_context_fill(srtp, *context, keys, inward);
	if (error < 0) {
		srtp_context_free(srtp, *context);
		return error;
	}
	if (former && keys->roc_kept)
		srtp_context_continue(srtp, *context, former);
	srtp->count++;
	return 0;
}

void
srtp_pair_free(struct stw_media *media, const struct srtp_pair *pair)
{
	struct srtp *srtp = &media->srtp;
	const uint32_t contexts[2] = {pair->in, pair->out};

	for (unsigned i = 0; i < 2; i++) {
		if (!contexts[i])
			continue;
		srtp_context_free(srtp, contexts[i]);
		srtp->count--;
	}
}

int
srtp_pair_make(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config,
	       struct srtp_pair *pair)
{
	const struct srtp_leg *row = leg && media->srtp.max ? &media->srtp.legs[leg] : NULL;
	struct srtp_pair made = {0};
	uint32_t in = 0, out = 0;
	int error;

	if (row) {
		in = atomic_load_explicit(&row->in, memory_order_relaxed);
		out = atomic_load_explicit(&row->out, memory_order_relaxed);
	}
	error = context_make(media, in, config->srtp_in, true, &made.in, &made.in_same);
	if (error == 0)
		error = context_make(media, out, config->srtp_out, false, &made.out,
				     &made.out_same);
	if (error < 0) {
		made.out = 0;
		srtp_pair_free(media, &made);
		return error;
	}
	*pair = made;
	return 0;
}

/** The former keys are taken for a while beside the new ones. */
static void
overlap_begin(struct stw_media *media, uint32_t context, uint32_t former, uint64_t now_ns)
{
	struct srtp *srtp = &media->srtp;
	uint64_t until_ns = now_ns + STW_SRTP_OVERLAP_NS;
	uint32_t last;

	/* Those before the former ones have had their time. */
	srtp_previous_end(media, former);
	if (srtp->overlaps_count == srtp->slots) {
		srtp_context_retire(media, former);
		return;
	}
	atomic_store_explicit(&srtp->colds[context].previous_until_ns, until_ns,
			      memory_order_relaxed);
	atomic_store_explicit(&srtp->heads[context].previous, former, memory_order_relaxed);
	last = (srtp->overlaps_first + srtp->overlaps_count++) % srtp->slots;
	srtp->overlaps[last] = (struct srtp_overlap){.until_ns = until_ns,
						     .context = context,
						     .generation = srtp->colds[context].generation};
}

void
srtp_leg_set(struct stw_media *media, uint32_t leg, const struct srtp_pair *pair, uint64_t now_ns)
{
	struct srtp *srtp = &media->srtp;
	struct srtp_leg *row = &srtp->legs[leg];
	uint32_t in, out;

	if (!srtp->max)
		return;
	in = atomic_load_explicit(&row->in, memory_order_relaxed);
	out = atomic_load_explicit(&row->out, memory_order_relaxed);
	if (!pair->in_same) {
		if (in && pair->in)
			overlap_begin(media, pair->in, in, now_ns);
		/* K1, pairs with K2: who finds the context finds it filled. */
		atomic_store_explicit(&row->in, pair->in, memory_order_release);
		if (in && !pair->in) {
			srtp_previous_end(media, in);
			srtp_context_retire(media, in);
		}
		srtp->count -= in != 0;
	}
	if (!pair->out_same) {
		srtp->colds[pair->out].leg = leg;
		/* K1, pairs with K2. */
		atomic_store_explicit(&row->out, pair->out, memory_order_release);
		srtp_context_retire(media, out);
		srtp->count -= out != 0;
	}
}

void
srtp_leg_remove(struct stw_media *media, uint32_t leg)
{
	static const struct srtp_pair none;

	if (media->srtp.max)
		srtp_leg_set(media, leg, &none, 0);
}

int
srtp_context_add(struct stw_media *media, const struct stw_srtp_keys *keys, uint32_t *context)
{
	uint8_t same;
	int error;

	if (!media->srtp.max)
		return -ENOTSUP;
	error = context_make(media, 0, keys, false, context, &same);
	media->srtp.others += error == 0;
	return error;
}

void
srtp_context_remove(struct stw_media *media, uint32_t context)
{
	srtp_context_retire(media, context);
	media->srtp.count--;
	media->srtp.others--;
}

void
srtp_leg_reset(struct stw_media *media, uint32_t leg)
{
	if (media->srtp.max)
		memset(&media->srtp.legs[leg], 0, sizeof(struct srtp_leg));
}

void
srtp_leg_stats(const struct stw_media *media, uint32_t leg, struct stw_leg_stats *stats)
{
	const struct srtp_leg *row = &media->srtp.legs[leg];

	if (!media->srtp.max) {
		stats->srtp_malformed = 0;
		stats->srtp_auth_failed = 0;
		stats->srtp_replayed = 0;
		stats->srtp_refused = 0;
		stats->srtp_unsent = 0;
		return;
	}
	stats->srtp_malformed = atomic_load_explicit(&row->malformed, memory_order_relaxed);
	stats->srtp_auth_failed = atomic_load_explicit(&row->auth_failed, memory_order_relaxed);
	stats->srtp_replayed = atomic_load_explicit(&row->replayed, memory_order_relaxed);
	stats->srtp_refused = atomic_load_explicit(&row->refused, memory_order_relaxed);
	stats->srtp_unsent = atomic_load_explicit(&row->unsent, memory_order_relaxed);
}
