/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forks: added to and taken out of the list of a session. Workers walk the list while it changes.
 *
 *  label  where                              order    pairs with  without it
 *  F1     next, fork_first: fork linked      release  F2          a worker meets an unfilled fork
 *  F2     (copy.c) next, fork_first: read    acquire  F1          same
 *  F3     recorder.ending: fork pushed       release  F4          (record.c) its token is read before
 *                                                                 it is written
 */
#include "fork.h"

#include <errno.h>

#include "media/plane.h"
#include "record_pcapng.h"
#include "record_wav.h"

/** Both sides. */
#define SIDES_ALL 3u

static uint32_t
fork_find(const struct stw_media *media, struct stw_fork fork)
{
	uint32_t slot = handle_slot(fork.id);

	if (slot == 0 || slot > media->forks_max || media->forks[slot].state != FORK_OPEN ||
	    media->forks[slot].generation != fork.id >> 32)
		return 0;
	return slot;
}

/** Take a slot for a fork whose file is to be made. */
static int
fork_reserve(struct stw_media *media, struct stw_session session, uint32_t *slot)
{
	int error = 0;

	plane_lock(media);
	if (!session_find(media, session)) {
		error = -ESTALE;
	} else if (media->forks_free_count == 0) {
		media->refused++;
		error = -ENOSPC;
	} else {
		*slot = media->forks_free[--media->forks_free_count];
		media->forks[*slot].state = FORK_OPENING;
		atomic_fetch_add_explicit(&media->recorder.forks, 1, memory_order_relaxed);
	}
	plane_unlock(media);
	return error;
}

void
fork_free(struct stw_media *media, uint32_t slot)
{
	plane_lock(media);
	media->forks[slot].state = FORK_FREE;
	media->forks_free[media->forks_free_count++] = slot;
	plane_unlock(media);
	atomic_fetch_sub_explicit(&media->recorder.forks, 1, memory_order_relaxed);
}

static int
file_make(struct stw_media *media, const struct stw_fork_config *config, uint64_t now_ns,
	  struct fork *fork)
{
	struct record_pcapng_config pcapng = {
		.path = config->path,
		.pool = media->recorder.pool,
		.port_id = media->ports[0].id,
		.wall_offset_ns =
			atomic_load_explicit(&media->wall_offset_ns, memory_order_relaxed),
	};
	int error;

	fork->kind = config->kind;
	fork->pcapng = NULL;
	fork->wav = NULL;
	if (config->kind == STW_FORK_WAV)
		error = record_wav_open(&fork->wav, config->path, now_ns);
	else
		error = record_pcapng_open(&fork->pcapng, &pcapng);
	return error == 0 || error == -EEXIST ? error : -EIO;
}

/** Close a file in which nothing is, after all. */
static void
file_discard(struct fork *fork)
{
	if (fork->wav)
		record_wav_close(fork->wav, NULL);
	else
		record_pcapng_close(fork->pcapng, NULL);
}

/** Put a fork in front of its session's list. Under the mutex. */
static void
fork_link(struct stw_media *media, uint32_t session, uint32_t slot)
{
	struct session *of = &media->sessions[session];
	struct fork *fork = &media->forks[slot];

	atomic_store_explicit(&fork->route.next, of->fork_first, memory_order_relaxed);
	of->fork_first = slot;
	for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
		if (of->legs[i])
			/* F1, pairs with F2: a worker that meets the fork finds it filled. */
			atomic_store_explicit(&media->routes[of->legs[i]].fork_first, slot,
					      memory_order_release);
	}
}

static int
fork_open(struct stw_media *media, struct stw_session session, uint32_t slot, uint32_t sides,
	  struct stw_fork *out)
{
	struct fork *fork = &media->forks[slot];
	uint32_t of;

	plane_lock(media);
	of = session_find(media, session);
	if (!of) {
		plane_unlock(media);
		return -ESTALE;
	}
	fork->session = of;
	fork->session_handle = session.id;
	fork->cookie = media->sessions[of].cookie;
	fork->generation++;
	fork->error = 0;
	atomic_store_explicit(&fork->route.sides, sides, memory_order_relaxed);
	atomic_store_explicit(&fork->route.packets, 0, memory_order_relaxed);
	atomic_store_explicit(&fork->route.packets_dropped, 0, memory_order_relaxed);
	atomic_store_explicit(&fork->packets_written, 0, memory_order_relaxed);
	atomic_store_explicit(&fork->bytes_written, 0, memory_order_relaxed);
	fork->state = FORK_OPEN;
	fork_link(media, of, slot);
	out->id = handle_make(slot, fork->generation);
	plane_unlock(media);
	return 0;
}

int
stw_fork_add(struct stw_media *media, struct stw_session session,
	     const struct stw_fork_config *config, uint64_t now_ns, struct stw_fork *fork)
{
	uint32_t slot, sides;
	int error;

	if (config->struct_size < sizeof(*config) || !config->path || config->sides > SIDES_ALL ||
	    (config->kind != STW_FORK_PCAPNG && config->kind != STW_FORK_WAV))
		return -EINVAL;
	sides = config->sides ? config->sides : SIDES_ALL;
	if (config->kind == STW_FORK_WAV)
		sides |= FORK_AUDIO_ONLY;
	error = fork_reserve(media, session, &slot);
	if (error < 0)
		return error;
	error = file_make(media, config, now_ns, &media->forks[slot]);
	if (error < 0)
		goto free;
	error = fork_open(media, session, slot, sides, fork);
	if (error < 0)
		goto discard;
	return 0;
discard:
	file_discard(&media->forks[slot]);
free:
	fork_free(media, slot);
	return error;
}

/** Take a fork out of its session's list; under the mutex. */
static void
list_remove(struct stw_media *media, struct session *of, uint32_t slot)
{
	uint32_t next = atomic_load_explicit(&media->forks[slot].route.next, memory_order_relaxed);
	uint32_t at = of->fork_first;

	if (at == slot) {
		of->fork_first = next;
		for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
			if (of->legs[i])
				/* F1, pairs with F2: what follows is filled. */
				atomic_store_explicit(&media->routes[of->legs[i]].fork_first, next,
						      memory_order_release);
		}
		return;
	}
	while (atomic_load_explicit(&media->forks[at].route.next, memory_order_relaxed) != slot)
		at = atomic_load_explicit(&media->forks[at].route.next, memory_order_relaxed);
	/* F1, pairs with F2: what follows is filled. The fork itself keeps its link for workers
	 * that stand on it. */
	atomic_store_explicit(&media->forks[at].route.next, next, memory_order_release);
}

void
fork_unlink(struct stw_media *media, uint32_t slot)
{
	struct fork *fork = &media->forks[slot];
	uint32_t first;

	list_remove(media, &media->sessions[fork->session], slot);
	fork->state = FORK_ENDING;
	fork->token = rte_rcu_qsbr_start(media->rcu);
	first = atomic_load_explicit(&media->recorder.ending, memory_order_relaxed);
	do {
		fork->following = first;
		/* F3, pairs with F4: the recording thread finds the token and the link. */
	} while (!atomic_compare_exchange_weak_explicit(
		&media->recorder.ending, &first, slot, memory_order_release, memory_order_relaxed));
}

int
stw_fork_remove(struct stw_media *media, struct stw_fork fork)
{
	uint32_t slot;

	plane_lock(media);
	slot = fork_find(media, fork);
	if (slot)
		fork_unlink(media, slot);
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}

void
fork_stats_read(const struct fork *fork, struct stw_fork_stats *stats)
{
	stats->packets = atomic_load_explicit(&fork->route.packets, memory_order_relaxed);
	stats->packets_dropped =
		atomic_load_explicit(&fork->route.packets_dropped, memory_order_relaxed);
	stats->packets_written = atomic_load_explicit(&fork->packets_written, memory_order_relaxed);
	stats->bytes_written = atomic_load_explicit(&fork->bytes_written, memory_order_relaxed);
}

int
stw_fork_stats(struct stw_media *media, struct stw_fork fork, struct stw_fork_stats *stats)
{
	uint32_t slot;

	plane_lock(media);
	slot = fork_find(media, fork);
	if (slot)
		fork_stats_read(&media->forks[slot], stats);
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}

void
fork_check(struct stw_media *media)
{
	uint32_t busy = 0, linked = 0, open = 0;

	for (uint32_t slot = 1; slot <= media->forks_max; slot++) {
		busy += media->forks[slot].state != FORK_FREE;
		open += media->forks[slot].state == FORK_OPEN;
	}
	STW_ASSERT(busy + media->forks_free_count == media->forks_max);
	STW_ASSERT(busy == media->recorder.forks);
	for (uint32_t session = 1; session <= media->sessions_max; session++) {
		uint32_t at = media->sessions[session].fork_first;

		for (; at; at = media->forks[at].route.next) {
			STW_ASSERT(media->forks[at].state == FORK_OPEN);
			STW_ASSERT(media->forks[at].session == session);
			linked++;
			STW_ASSERT(linked <= open);
		}
	}
	STW_ASSERT(linked == open);
}
