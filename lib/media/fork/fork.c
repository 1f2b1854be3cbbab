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

#include "consumer.h"
#include "media/plane.h"
#include "media/session/remote.h"
#include "record_pcapng.h"
#include "record_wav.h"
#include "udp.h"

/** Forks without a file freed in one call: a bound for who holds the mutex. */
#define FORK_RECLAIM_BURST 4096
/** Both sides. */
#define SIDES_BOTH         (1u << STW_SIDE_CALLER | 1u << STW_SIDE_AGENT)

/** Those of a kind of file: a WAV file has a channel for each. */
#define SIDES_ALL(kind) ((kind) == STW_FORK_WAV ? SIDES_BOTH : SIDES_BOTH | 1u << STW_SIDE_OTHER)

static uint32_t
fork_find(const struct stw_media *media, struct stw_fork fork)
{
	uint32_t slot = handle_slot(fork.id);

	if (slot == 0 || slot > media->forks_max || media->forks[slot].state != FORK_OPEN ||
	    media->forks[slot].generation != fork.id >> 32)
		return 0;
	return slot;
}

/** Take a slot for a fork that is to be made. */
static int
fork_reserve(struct stw_media *media, struct stw_session session, uint64_t now_ns, uint32_t *slot)
{
	int error = 0;

	plane_lock(media);
	if (media->forks_free_count == 0)
		fork_reclaim(media, now_ns);
	if (!session_find(media, session)) {
		error = -ESTALE;
	} else if (media->forks_free_count == 0) {
		error = plane_refuse(media, STW_LIMIT_FORKS);
	} else {
		*slot = media->forks_free[--media->forks_free_count];
		media->forks[*slot].state = FORK_OPENING;
		atomic_fetch_add_explicit(&media->recorder.forks, 1, memory_order_relaxed);
	}
	plane_unlock(media);
	return error;
}

/** Under the mutex. */
static void
slot_free(struct stw_media *media, uint32_t slot)
{
	media->forks[slot].state = FORK_FREE;
	media->forks_free[media->forks_free_count++] = slot;
	atomic_fetch_sub_explicit(&media->recorder.forks, 1, memory_order_relaxed);
}

void
fork_free(struct stw_media *media, uint32_t slot)
{
	plane_lock(media);
	slot_free(media, slot);
	plane_unlock(media);
}

static int
file_make(struct stw_media *media, const struct stw_fork_config *config, uint64_t now_ns,
	  struct fork *fork)
{
	struct record_pcapng_config pcapng = {
		.path = config->path,
		.key = config->key,
		.pool = media->recorder.pool,
		.port_id = media->ports[0].id,
		.wall_offset_ns =
			atomic_load_explicit(&media->wall_offset_ns, memory_order_relaxed),
	};
	int error;

	fork->pcapng = NULL;
	fork->wav = NULL;
	if (config->kind == STW_FORK_WAV)
		error = record_wav_open(&fork->wav, config->path, now_ns, config->key);
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
			/* F1, ports with F2: a worker that meets the fork finds it filled. */
			atomic_store_explicit(&media->routes[of->legs[i]].fork_first, slot,
					      memory_order_release);
	}
	/* Packets that come from here on find the fork. */
	kernel_leave_session(media, of);
}

/** What workers need to know; nobody sees the fork yet. Under the mutex. */
static void
route_fill(struct fork *fork, const struct stw_fork_config *config, uint64_t handle)
{
	static const uint32_t words[] = {
		[STW_FORK_PCAPNG] = FORK_TO_FILE << FORK_WAY_SHIFT,
		[STW_FORK_WAV] = FORK_TO_FILE << FORK_WAY_SHIFT | FORK_AUDIO_ONLY,
		[STW_FORK_UDP] = FORK_TO_NETWORK << FORK_WAY_SHIFT | FORK_RTP_ONLY,
		[STW_FORK_RING] = FORK_TO_CONSUMER << FORK_WAY_SHIFT | FORK_RTP_ONLY,
	};
	uint32_t word = words[config->kind] | (config->sides ? config->sides : SIDES_BOTH);

	atomic_store_explicit(&fork->route.word, word, memory_order_relaxed);
	fork->route.handle = handle;
	fork->route.consumer = config->consumer;
	for (unsigned i = 0; i < STW_SIDE_COUNT; i++) {
		struct fork_side *side = &fork->sides[i];

		atomic_store_explicit(&side->packets, 0, memory_order_relaxed);
		atomic_store_explicit(&side->packets_dropped, 0, memory_order_relaxed);
		atomic_store_explicit(&side->packets_paused, 0, memory_order_relaxed);
	}
	atomic_store_explicit(&fork->packets_written, 0, memory_order_relaxed);
	atomic_store_explicit(&fork->bytes_written, 0, memory_order_relaxed);
}

/** Make what a fork without a file needs. Under the mutex. */
static int
way_open(struct stw_media *media, struct fork *fork, const struct stw_fork_config *config,
	 uint64_t now_ns)
{
	if (config->kind == STW_FORK_UDP)
		return udp_open(media, fork, config, now_ns);
	if (config->kind == STW_FORK_RING)
		config->consumer->forks++;
	return 0;
}

/** Link a fork for which all is made. Under the mutex. */
static int
fork_open(struct stw_media *media, struct stw_session session, uint32_t slot,
	  const struct stw_fork_config *config, uint64_t now_ns, struct stw_fork *out)
{
	struct fork *fork = &media->forks[slot];
	uint32_t of = session_find(media, session);
	int error;

	if (!of)
		return -ESTALE;
	error = way_open(media, fork, config, now_ns);
	if (error < 0)
		return error;
	fork->session = of;
	fork->session_handle = session.id;
	fork->route.cookie = media->sessions[of].cookie;
	fork->generation++;
	fork->error = 0;
	fork->state = FORK_OPEN;
	out->id = handle_make(slot, fork->generation);
	route_fill(fork, config, out->id);
	fork_link(media, of, slot);
	return 0;
}

static bool
config_is_valid(const struct stw_media *media, const struct stw_fork_config *config)
{
	if (config->struct_size < sizeof(*config) || config->sides & ~SIDES_ALL(config->kind))
		return false;
	switch (config->kind) {
	case STW_FORK_PCAPNG:
	case STW_FORK_WAV:
		return config->path != NULL;
	case STW_FORK_UDP:
		return udp_config_is_valid(media, config);
	case STW_FORK_RING:
		return config->consumer && config->consumer->media == media;
	default:
		return false;
	}
}

int
stw_fork_add(struct stw_media *media, struct stw_session session,
	     const struct stw_fork_config *config, uint64_t now_ns, struct stw_fork *fork)
{
	struct fork *added;
	uint32_t slot;
	int error;

	if (!config_is_valid(media, config))
		return -EINVAL;
	error = fork_reserve(media, session, now_ns, &slot);
	if (error < 0)
		return error;
	added = &media->forks[slot];
	added->kind = config->kind;
	if (fork_has_file(added))
		error = file_make(media, config, now_ns, added);
	if (error < 0)
		goto free;
	plane_lock(media);
	error = fork_open(media, session, slot, config, now_ns, fork);
	plane_unlock(media);
	if (error < 0)
		goto discard;
	return 0;
discard:
	if (fork_has_file(added))
		file_discard(added);
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
				/* F1, ports with F2: what follows is filled. */
				atomic_store_explicit(&media->routes[of->legs[i]].fork_first, next,
						      memory_order_release);
		}
		return;
	}
	while (atomic_load_explicit(&media->forks[at].route.next, memory_order_relaxed) != slot)
		at = atomic_load_explicit(&media->forks[at].route.next, memory_order_relaxed);
	/* F1, ports with F2: what follows is filled. The fork itself keeps its link for workers
	 * that stand on it. */
	atomic_store_explicit(&media->forks[at].route.next, next, memory_order_release);
}

/** A fork without a file waits for the workers. Under the mutex. */
static void
fork_retire(struct stw_media *media, uint32_t slot)
{
	struct fork_retired *retired = &media->forks_retired;
	struct fork *fork = &media->forks[slot];

	fork->following = 0;
	if (retired->first)
		media->forks[retired->last].following = slot;
	else
		retired->first = slot;
	retired->last = slot;
	if (fork->kind == STW_FORK_RING)
		fork->route.consumer->forks--;
}

void
fork_reclaim(struct stw_media *media, uint64_t now_ns)
{
	struct fork_retired *retired = &media->forks_retired;

	for (unsigned i = 0; i < FORK_RECLAIM_BURST && retired->first; i++) {
		uint32_t slot = retired->first;
		struct fork *fork = &media->forks[slot];

		if (!plane_passed(media, fork->token))
			return;
		retired->first = fork->following;
		if (fork->kind == STW_FORK_UDP)
			udp_close(media, fork, now_ns);
		slot_free(media, slot);
	}
}

/** Let the recording thread write what is queued, and close the file. */
static void
fork_end(struct stw_media *media, uint32_t slot)
{
	struct fork *fork = &media->forks[slot];
	uint32_t first;

	first = atomic_load_explicit(&media->recorder.ending, memory_order_relaxed);
	do {
		fork->following = first;
		/* F3, ports with F4: the recording thread finds the token and the link. */
	} while (!atomic_compare_exchange_weak_explicit(
		&media->recorder.ending, &first, slot, memory_order_release, memory_order_relaxed));
}

void
fork_unlink(struct stw_media *media, uint32_t slot)
{
	struct fork *fork = &media->forks[slot];

	list_remove(media, &media->sessions[fork->session], slot);
	fork->state = FORK_ENDING;
	fork->token = rte_rcu_qsbr_start(media->rcu);
	if (fork_has_file(fork))
		fork_end(media, slot);
	else
		fork_retire(media, slot);
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

/** Where the packets of a fork to the network come from. */
static void
stats_stream(const struct stw_media *media, const struct fork *fork, struct stw_fork_stats *stats)
{
	uint32_t address = fork->route.address;
	uint16_t port = ports_number(&media->address_ports[address], fork->local_place);

	remote_local_make(media, address, rte_cpu_to_be_16(port), &stats->local);
	for (unsigned i = 0; i < STW_SIDE_COUNT; i++)
		stats->ssrc[i] = fork->route.ssrc[i];
}

void
fork_stats_read(const struct stw_media *media, const struct fork *fork,
		struct stw_fork_stats *stats)
{
	*stats = (struct stw_fork_stats){0};
	for (unsigned i = 0; i < STW_SIDE_COUNT; i++) {
		const struct fork_side *side = &fork->sides[i];

		stats->packets += atomic_load_explicit(&side->packets, memory_order_relaxed);
		stats->packets_dropped +=
			atomic_load_explicit(&side->packets_dropped, memory_order_relaxed);
		stats->packets_paused +=
			atomic_load_explicit(&side->packets_paused, memory_order_relaxed);
	}
	stats->packets_written = atomic_load_explicit(&fork->packets_written, memory_order_relaxed);
	stats->bytes_written = atomic_load_explicit(&fork->bytes_written, memory_order_relaxed);
	if (fork->kind == STW_FORK_UDP)
		stats_stream(media, fork, stats);
}

int
stw_fork_pause(struct stw_media *media, struct stw_fork fork, uint8_t on)
{
	uint32_t slot, word;

	if (on > 1)
		return -EINVAL;
	plane_lock(media);
	slot = fork_find(media, fork);
	if (slot) {
		struct fork_route *route = &media->forks[slot].route;

		word = atomic_load_explicit(&route->word, memory_order_relaxed);
		if (on)
			word |= FORK_PAUSED;
		else if (word & FORK_PAUSED)
			word = (word & ~FORK_PAUSED) + FORK_RESUMED;
		atomic_store_explicit(&route->word, word, memory_order_relaxed);
	}
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}

int
stw_fork_stats(struct stw_media *media, struct stw_fork fork, struct stw_fork_stats *stats)
{
	uint32_t slot;

	plane_lock(media);
	slot = fork_find(media, fork);
	if (slot)
		fork_stats_read(media, &media->forks[slot], stats);
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}

void
fork_check(struct stw_media *media)
{
	uint32_t busy = 0, linked = 0, open = 0, ports = 0;

	for (uint32_t slot = 1; slot <= media->forks_max; slot++) {
		busy += media->forks[slot].state != FORK_FREE;
		open += media->forks[slot].state == FORK_OPEN;
		ports += media->forks[slot].kind == STW_FORK_UDP &&
			 media->forks[slot].state >= FORK_OPEN;
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
	STW_ASSERT(ports == media->forks_ports);
}
