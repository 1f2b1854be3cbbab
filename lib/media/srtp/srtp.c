/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables of SRTP: made, freed, kept. All under the mutex of control; no worker is waited for.
 */
#include "srtp.h"

#include <errno.h>
#include <string.h>

#include "media/memory.h"
#include "media/plane.h"
#include "srtp_context.h"
#include "srtp_job.h"

/** Contexts beyond srtp_max, at most: for replaced ones that are still taken or seen. */
#define SRTP_SPARE_MAX 4096

/** Overlaps ended and contexts freed in one call: a bound for who holds the mutex. */
#define SRTP_ADVANCE_BURST 1024

/** A row: where its pointer is, and its bytes. */
struct srtp_row {
	void **pointer;
	size_t bytes;
};

#define SRTP_ROWS 7

static void
rows_list(struct srtp *srtp, struct srtp_row rows[SRTP_ROWS])
{
	size_t slots = srtp->slots;
	const struct srtp_row list[SRTP_ROWS] = {
		{(void **)&srtp->heads, slots * sizeof(*srtp->heads)},
		{(void **)&srtp->replays, slots * STW_SRTP_SSRCS_MAX * sizeof(*srtp->replays)},
		{(void **)&srtp->colds, slots * sizeof(*srtp->colds)},
		{(void **)&srtp->legs, srtp->legs_slots * sizeof(*srtp->legs)},
		{(void **)&srtp->free, slots * sizeof(*srtp->free)},
		{(void **)&srtp->retired, slots * sizeof(*srtp->retired)},
		{(void **)&srtp->overlaps, slots * sizeof(*srtp->overlaps)},
	};

	memcpy(rows, list, sizeof(list));
}

uint32_t
srtp_slots(uint32_t srtp_max)
{
	return srtp_max + (srtp_max < SRTP_SPARE_MAX ? srtp_max : SRTP_SPARE_MAX) + 1;
}

int
srtp_plane_init(struct stw_media *media, const struct srtp_crypto *crypto, uint32_t srtp_max)
{
	struct srtp *srtp = &media->srtp;
	struct srtp_row rows[SRTP_ROWS];

	if (srtp_max == 0)
		return 0;
	srtp->crypto = *crypto;
	srtp->max = srtp_max;
	srtp->slots = srtp_slots(srtp_max);
	srtp->legs_slots = media->legs_slots;
	rows_list(srtp, rows);
	for (unsigned i = 0; i < SRTP_ROWS; i++) {
		*rows[i].pointer = memory_map(rows[i].bytes);
		if (!*rows[i].pointer)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < media->workers_count; i++) {
		media->workers[i].srtp = memory_map(sizeof(struct srtp_worker));
		if (!media->workers[i].srtp)
			return -ENOMEM;
	}
	while (srtp->free_count < srtp->slots - 1) {
		srtp->free[srtp->free_count] = srtp->slots - 1 - srtp->free_count;
		srtp->free_count++;
	}
	return 0;
}

void
srtp_plane_destroy(struct stw_media *media)
{
	struct srtp *srtp = &media->srtp;
	struct srtp_row rows[SRTP_ROWS];

	if (!srtp->max)
		return;
	for (uint32_t context = 1; srtp->heads && srtp->colds && context < srtp->slots; context++) {
		srtp_session_free(srtp, &srtp->heads[context], &srtp->heads[context].session);
		srtp_session_free(srtp, &srtp->heads[context], &srtp->colds[context].session);
		srtp_wipe(&srtp->colds[context], sizeof(struct srtp_cold));
	}
	for (uint32_t i = 0; media->workers && i < media->workers_count; i++)
		memory_unmap(media->workers[i].srtp, sizeof(struct srtp_worker));
	rows_list(srtp, rows);
	for (unsigned i = 0; i < SRTP_ROWS; i++)
		memory_unmap(*rows[i].pointer, rows[i].bytes);
}

int
srtp_config_check(const struct stw_media *media, const struct stw_leg_config *config)
{
	if (!config->srtp_in && !config->srtp_out)
		return 0;
	if ((config->srtp_in && !srtp_keys_are_valid(config->srtp_in)) ||
	    (config->srtp_out && !srtp_keys_are_valid(config->srtp_out)))
		return -EINVAL;
	return media->srtp.max ? 0 : -ENOTSUP;
}

void
srtp_advance(struct stw_media *media, uint64_t now_ns)
{
	struct srtp *srtp = &media->srtp;

	if (!srtp->max)
		return;
	for (unsigned i = 0; i < SRTP_ADVANCE_BURST && srtp->overlaps_count; i++) {
		const struct srtp_overlap *oldest = &srtp->overlaps[srtp->overlaps_first];

		if (now_ns < oldest->until_ns)
			break;
		/* A context that was retired meanwhile has ended it itself. */
		if (srtp->colds[oldest->context].generation == oldest->generation)
			srtp_previous_end(media, oldest->context);
		srtp->overlaps_first = (srtp->overlaps_first + 1) % srtp->slots;
		srtp->overlaps_count--;
	}
	srtp_contexts_reclaim(media);
}

int
stw_srtp_info(struct stw_media *media, struct stw_srtp_info *info)
{
	const struct srtp *srtp = &media->srtp;

	if (!srtp->max)
		return -ENOTSUP;
	plane_lock(media);
	*info = (struct stw_srtp_info){
		.driver = srtp->crypto.driver,
		.contexts_max = srtp->max,
		.contexts = srtp->count,
		.context_bytes =
			(uint32_t)(sizeof(struct srtp_head) + sizeof(struct srtp_cold) +
				   STW_SRTP_SSRCS_MAX * sizeof(struct replay) +
				   sizeof(*srtp->free) + sizeof(*srtp->retired) +
				   sizeof(*srtp->overlaps) + 2 * srtp->crypto.session_bytes),
	};
	plane_unlock(media);
	return 0;
}

void
srtp_check(const struct stw_media *media)
{
	const struct srtp *srtp = &media->srtp;
	uint32_t used = 0, former = 0;

	for (uint32_t leg = 1; srtp->max && leg < srtp->legs_slots; leg++) {
		const uint32_t contexts[2] = {srtp->legs[leg].in, srtp->legs[leg].out};

		for (unsigned i = 0; i < 2; i++) {
			if (!contexts[i])
				continue;
			STW_ASSERT(srtp->heads[contexts[i]].session != NULL);
			STW_ASSERT(srtp->colds[contexts[i]].session != NULL);
			used++;
			former += srtp->heads[contexts[i]].previous != 0;
		}
	}
	used += srtp->others;
	STW_ASSERT(used == srtp->count);
	STW_ASSERT(!srtp->max ||
		   used + former + srtp->free_count + srtp->retired_count == srtp->slots - 1);
}
