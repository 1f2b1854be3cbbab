/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The recording thread: takes copies out of the workers' rings, writes them to their files, sends
 * the buffers back, and closes the files of forks that have ended.
 *
 * When may a file be closed? When its fork has left the list, and every worker has passed a
 * quiescent state since, no worker makes a copy for it any more. What each ring holds at that time
 * is counted; when so much more was taken out of each, no copy of the fork is left.
 *
 *  label  where                          order    pairs with  without it
 *  F4     recorder.ending: taken         acquire  F3          a fork's token is read too early
 *  R1     busy: taken                    acquire  R2          two threads write one file
 *  R2     busy: left                     release  R1          same
 */
#include <errno.h>

#include <rte_ring.h>

#include "media/plane.h"
#include "record_pcapng.h"
#include "record_wav.h"

/** Copies taken from one ring at a time. */
#define RECORD_BURST RECORD_PCAPNG_BURST

static void
event_tell(struct stw_media *media, uint32_t slot, enum stw_media_event_type type, int error)
{
	const struct fork *fork = &media->forks[slot];
	struct stw_media_event event = {
		.type = type,
		.time_ns = media->recorder.now_ns,
		.session.id = fork->session_handle,
		.session_cookie = fork->route.cookie,
		.fork.id = handle_make(slot, fork->generation),
		.error = error,
	};

	fork_stats_read(media, fork, &event.fork_stats);
	/* The recording thread is the last source, after the workers. */
	events_tell(&media->events, media->workers_count, &event);
}

/** Note what a file holds, and that it failed. */
static void
file_noted(struct stw_media *media, uint32_t slot, int error)
{
	struct fork *fork = &media->forks[slot];
	struct record_pcapng_stats pcapng;
	struct record_wav_stats wav;

	if (fork->wav) {
		record_wav_stats(fork->wav, &wav);
		atomic_store_explicit(&fork->packets_written, wav.packets, memory_order_relaxed);
		atomic_store_explicit(&fork->bytes_written, wav.bytes_written,
				      memory_order_relaxed);
	} else {
		record_pcapng_stats(fork->pcapng, &pcapng);
		atomic_store_explicit(&fork->packets_written, pcapng.packets, memory_order_relaxed);
		atomic_store_explicit(&fork->bytes_written, pcapng.bytes_written,
				      memory_order_relaxed);
	}
	if (error < 0 && !fork->error) {
		fork->error = error;
		event_tell(media, slot, STW_MEDIA_EVENT_FORK_FAILED, error);
	}
}

static int
wav_write(struct fork *fork, const struct rte_mbuf *copy, const struct fork_note *note)
{
	return record_wav_write(
		fork->wav, note->side, note->codec, note->ssrc, note->timestamp,
		rte_pktmbuf_mtod_offset(copy->next, const uint8_t *, note->payload_offset),
		note->payload_bytes, note->time_ns);
}

static int
pcapng_write(struct fork *fork, struct rte_mbuf *const copies[], unsigned count)
{
	struct record_packet packets[RECORD_BURST];
	int written;

	for (unsigned i = 0; i < count; i++) {
		const struct fork_note *note = rte_mbuf_to_priv(copies[i]);

		packets[i] = (struct record_packet){
			.mbuf = copies[i],
			.time_ns = note->time_ns,
			.side = note->side,
		};
	}
	written = record_pcapng_write(fork->pcapng, packets, count);
	return written < 0 ? written : 0;
}

/** Write copies of one fork. */
static void
run_write(struct stw_media *media, struct rte_mbuf *const copies[], unsigned count)
{
	const struct fork_note *note = rte_mbuf_to_priv(copies[0]);
	struct fork *fork = &media->forks[note->fork];
	int error = 0;

	media->recorder.now_ns = note->time_ns;
	if (fork->error)
		return;
	if (fork->pcapng)
		error = pcapng_write(fork, copies, count);
	for (unsigned i = 0; fork->wav && i < count && error == 0; i++)
		error = wav_write(fork, copies[i], rte_mbuf_to_priv(copies[i]));
	file_noted(media, note->fork, error);
}

static uint32_t
note_fork(struct rte_mbuf *copy)
{
	return ((const struct fork_note *)rte_mbuf_to_priv(copy))->fork;
}

/** Write a burst of one worker's copies and send the buffers back. */
static unsigned
ring_write(struct stw_media *media, uint32_t index, unsigned budget)
{
	struct copy_rings *rings = &media->workers[index].copies;
	struct rte_mbuf *copies[RECORD_BURST];
	unsigned count, begin = 0;

	count = rte_ring_sc_dequeue_burst(rings->out, (void **)copies,
					  budget < RECORD_BURST ? budget : RECORD_BURST, NULL);
	while (begin < count) {
		unsigned end = begin + 1;

		while (end < count && note_fork(copies[end]) == note_fork(copies[begin]))
			end++;
		run_write(media, &copies[begin], end - begin);
		begin = end;
	}
	if (count) {
		/* The ring back has room for the whole pool. */
		rte_ring_sp_enqueue_bulk(rings->back, (void **)copies, count, NULL);
		media->recorder.written[index] += count;
	}
	return count;
}

/** Take over forks that have ended, and note up to where their copies can lie in the rings. */
static void
ending_take(struct stw_media *media)
{
	struct recorder *recorder = &media->recorder;
	/* F4, pairs with F3: tokens and links of all in the list are seen. */
	uint32_t slot = atomic_exchange_explicit(&recorder->ending, 0, memory_order_acquire);

	while (slot) {
		struct fork *fork = &media->forks[slot];
		uint32_t next = fork->following;

		fork->drain_known = 0;
		fork->following = recorder->draining;
		recorder->draining = slot;
		slot = next;
	}
	for (slot = recorder->draining; slot; slot = media->forks[slot].following) {
		struct fork *fork = &media->forks[slot];

		if (fork->drain_known || !plane_passed(media, fork->token))
			continue;
		for (unsigned i = 0; i < media->workers_count; i++)
			fork->drained_at[i] =
				recorder->written[i] + rte_ring_count(media->workers[i].copies.out);
		fork->drain_known = 1;
	}
}

static bool
fork_is_drained(const struct stw_media *media, const struct fork *fork)
{
	if (!fork->drain_known)
		return false;
	for (unsigned i = 0; i < media->workers_count; i++) {
		if (media->recorder.written[i] < fork->drained_at[i])
			return false;
	}
	return true;
}

static void
file_close(struct stw_media *media, uint32_t slot)
{
	struct fork *fork = &media->forks[slot];
	struct record_pcapng_stats pcapng;
	struct record_wav_stats wav;
	int error;

	if (fork->wav) {
		error = record_wav_close(fork->wav, &wav);
		atomic_store_explicit(&fork->packets_written, wav.packets, memory_order_relaxed);
		atomic_store_explicit(&fork->bytes_written, wav.bytes_written,
				      memory_order_relaxed);
	} else {
		error = record_pcapng_close(fork->pcapng, &pcapng);
		atomic_store_explicit(&fork->packets_written, pcapng.packets, memory_order_relaxed);
		atomic_store_explicit(&fork->bytes_written, pcapng.bytes_written,
				      memory_order_relaxed);
	}
	fork->wav = NULL;
	fork->pcapng = NULL;
	/* Of a file that failed before, that was told then. */
	if (!fork->error)
		event_tell(media, slot,
			   error < 0 ? STW_MEDIA_EVENT_FORK_FAILED : STW_MEDIA_EVENT_FORK_CLOSED,
			   error);
}

static void
drained_close(struct stw_media *media)
{
	uint32_t *link = &media->recorder.draining;

	while (*link) {
		uint32_t slot = *link;

		if (!fork_is_drained(media, &media->forks[slot])) {
			link = &media->forks[slot].following;
			continue;
		}
		*link = media->forks[slot].following;
		file_close(media, slot);
		fork_free(media, slot);
	}
}

int
stw_media_record(struct stw_media *media, uint32_t budget)
{
	struct recorder *recorder = &media->recorder;
	uint32_t written = 0, idle = 0;

	if (budget == 0)
		return -EINVAL;
	/* R1, pairs with R2: the files are as the thread before left them. */
	if (atomic_exchange_explicit(&recorder->busy, 1, memory_order_acquire))
		return -EBUSY;
	ending_take(media);
	while (written < budget && idle < media->workers_count) {
		unsigned count = ring_write(media, recorder->worker_next, budget - written);

		recorder->worker_next = (recorder->worker_next + 1) % media->workers_count;
		written += count;
		idle = count ? 0 : idle + 1;
	}
	drained_close(media);
	/* R2, pairs with R1. */
	atomic_store_explicit(&recorder->busy, 0, memory_order_release);
	return written < INT32_MAX ? (int)written : INT32_MAX;
}

void
fork_close_all(struct stw_media *media)
{
	if (!media->forks)
		return;
	for (uint32_t slot = 1; slot <= media->forks_max; slot++) {
		if (media->forks[slot].state == FORK_OPEN)
			fork_unlink(media, slot);
	}
	/* Workers have stopped: all that is queued is written, then all is closed. */
	while (media->recorder.draining ||
	       atomic_load_explicit(&media->recorder.ending, memory_order_relaxed))
		stw_media_record(media, UINT32_MAX);
}
