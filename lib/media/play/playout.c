/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Playouts: load, unload, attach. All under the mutex of control but the reading of files; what
 * the workers do with it is in play.c, whose order table names A1 to A8.
 *
 *  label  where                         order    pairs with  without it
 *  A1     attach: set                   acq_rel  A2, A7      the worker meets an unfilled playout
 *  A3     queued: set                   acq_rel  A4          a leg is looked at before its attach word
 *  A5     asked: pushed                 release  A6          a list's link is read before it is set
 *  A9     listeners: read by unload     acquire  A8          the block is freed while it is read
 */
#include "playout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <rte_malloc.h>

#include "media/checksum.h"
#include "media/memory.h"
#include "media/plane.h"

uint32_t
playout_find(const struct stw_media *media, struct stw_playout playout)
{
	uint32_t slot = handle_slot(playout.id);

	if (slot == 0 || slot > media->playouts_max || !media->playouts[slot].loaded ||
	    media->playouts[slot].generation != playout.id >> 32)
		return 0;
	return slot;
}

/** Lay out a block, payloads and sums, in DPDK's memory for its large pages. */
static int
block_take(struct playout *playout, uint32_t packets)
{
	size_t payload_bytes = (size_t)packets * PLAYOUT_PAYLOAD_BYTES;
	size_t sums_bytes = sizeof(uint16_t) * packets;
	uint8_t *block;

	block = rte_zmalloc("playout", RTP_CODEC_COUNT * (payload_bytes + sums_bytes),
			    STW_CACHE_LINE);
	if (!block)
		return -ENOSPC;
	for (unsigned codec = 0; codec < RTP_CODEC_COUNT; codec++) {
		playout->payloads[codec] = block;
		block += payload_bytes;
	}
	for (unsigned codec = 0; codec < RTP_CODEC_COUNT; codec++) {
		playout->sums[codec] = (uint16_t *)block;
		block += sums_bytes;
	}
	playout->packets = packets;
	return 0;
}

static void
block_fill(struct playout *playout, const struct playout_block *from)
{
	for (unsigned codec = 0; codec < RTP_CODEC_COUNT; codec++) {
		memcpy(playout->payloads[codec], from->payloads[codec],
		       (size_t)playout->packets * PLAYOUT_PAYLOAD_BYTES);
		for (uint32_t i = 0; i < playout->packets; i++) {
			const uint8_t *payload =
				playout->payloads[codec] + (size_t)i * PLAYOUT_PAYLOAD_BYTES;

			playout->sums[codec][i] =
				checksum_fold(checksum_add(0, payload, PLAYOUT_PAYLOAD_BYTES));
		}
	}
}

uint32_t
playout_slot_take(struct stw_media *media)
{
	playout_reclaim(media);
	return media->playouts_free_count ? media->playouts_free[--media->playouts_free_count] : 0;
}

void
playout_publish(struct stw_media *media, uint32_t slot, struct stw_playout *out)
{
	struct playout *playout = &media->playouts[slot];

	media->playouts_count++;
	playout->loaded = 1;
	playout->generation++;
	out->id = handle_make(slot, playout->generation);
	atomic_store_explicit(&playout->handle, out->id, memory_order_relaxed);
}

/** Put a packed block into a slot. Under the mutex. */
static int
playout_store(struct stw_media *media, const struct playout_block *block, uint8_t loop,
	      struct stw_playout *out)
{
	struct playout *playout;
	uint32_t slot;

	playout_reclaim(media);
	if (media->playouts_free_count == 0)
		return plane_refuse(media, STW_LIMIT_PLAYOUTS);
	if (block->packets > media->playout_packets_max - media->playout_packets)
		return plane_refuse(media, STW_LIMIT_PLAYOUT_PACKETS);
	slot = playout_slot_take(media);
	playout = &media->playouts[slot];
	if (block_take(playout, block->packets) < 0) {
		media->playouts_free_count++;
		return plane_refuse(media, STW_LIMIT_PLAYOUT_PACKETS);
	}
	block_fill(playout, block);
	media->playout_packets += block->packets;
	playout->loop = loop;
	playout->again = 0;
	playout_publish(media, slot, out);
	return 0;
}

/** Packets that a file can hold at most. */
static uint32_t
file_packets_max(const struct stw_media *media, const char *path)
{
	struct stat status;
	uint64_t packets;

	if (stat(path, &status) < 0 || status.st_size < 0)
		return 1;
	packets = (uint64_t)status.st_size / PLAYOUT_PAYLOAD_BYTES + 1;
	return packets < media->playout_packets_max ? (uint32_t)packets
						    : media->playout_packets_max;
}

int
playout_block_make(struct playout_block *block, uint32_t packets_max)
{
	size_t bytes = (size_t)packets_max * PLAYOUT_PAYLOAD_BYTES;
	uint8_t *memory = memory_map(bytes * RTP_CODEC_COUNT);

	if (!memory)
		return -ENOMEM;
	block->packets_max = packets_max;
	for (unsigned codec = 0; codec < RTP_CODEC_COUNT; codec++)
		block->payloads[codec] = memory + codec * bytes;
	return 0;
}

void
playout_block_free(struct playout_block *block)
{
	memory_unmap(block->payloads[0],
		     (size_t)block->packets_max * PLAYOUT_PAYLOAD_BYTES * RTP_CODEC_COUNT);
}

int
playout_admit(struct stw_media *media, int error, const struct playout_block *block, uint8_t loop,
	      struct stw_playout *playout)
{
	plane_lock(media);
	if (error == 0)
		error = playout_store(media, block, loop, playout);
	else if (error == -ENOMEM || error == -ENOSPC)
		error = plane_refuse(media, STW_LIMIT_PLAYOUT_PACKETS);
	plane_unlock(media);
	return error;
}

int
stw_playout_load(struct stw_media *media, const struct stw_playout_config *config,
		 struct stw_playout *playout)
{
	struct playout_block block = {0};
	int error;

	if (config->struct_size < sizeof(*config) || !config->path || config->loop > 1)
		return -EINVAL;
	error = playout_block_make(&block, file_packets_max(media, config->path));
	if (error == 0)
		error = playout_pack(config->path, &block);
	error = playout_admit(media, error, &block, config->loop, playout);
	playout_block_free(&block);
	return error;
}

int
stw_playout_unload(struct stw_media *media, struct stw_playout handle)
{
	struct playout *playout;
	uint32_t slot, listeners;
	int error = 0;

	plane_lock(media);
	slot = playout_find(media, handle);
	playout = &media->playouts[slot];
	/* A9, pairs with A8: whoever has left reads the block no more. */
	listeners = atomic_load_explicit(&playout->listeners, memory_order_acquire);
	if (!slot) {
		error = -ESTALE;
	} else if (listeners) {
		error = -EBUSY;
	} else {
		playout->loaded = 0;
		playout->token = rte_rcu_qsbr_start(media->rcu);
		playout->following = media->playouts_unloading;
		media->playouts_unloading = slot;
		media->playouts_count--;
	}
	plane_unlock(media);
	return error;
}

void
playout_reclaim(struct stw_media *media)
{
	uint32_t *link = &media->playouts_unloading;

	while (*link) {
		uint32_t slot = *link;
		struct playout *playout = &media->playouts[slot];

		if (!plane_passed(media, playout->token)) {
			link = &playout->following;
			continue;
		}
		*link = playout->following;
		if (playout->parts) {
			playout_part_all(media, playout);
		} else {
			media->playout_packets -= playout->packets;
			rte_free(playout->payloads[0]);
			playout->payloads[0] = NULL;
		}
		media->playouts_free[media->playouts_free_count++] = slot;
	}
}

void
playout_free_all(struct stw_media *media)
{
	for (uint32_t slot = 1; media->playouts && slot <= media->playouts_max; slot++) {
		rte_free(media->playouts[slot].payloads[0]);
		free(media->playouts[slot].parts);
		media->playouts[slot].payloads[0] = NULL;
		media->playouts[slot].parts = NULL;
	}
}

/** Set a leg's attach word, and end what it listened to before. */
static void
leg_attach(struct stw_media *media, uint32_t leg, uint32_t slot)
{
	struct leg_ask *ask = &media->asks[leg];
	uint64_t before = atomic_load_explicit(&ask->attach, memory_order_relaxed);
	uint64_t serial = (before >> 32) + 1;

	if (slot) {
		kernel_leave_speakers(media, leg);
		atomic_fetch_add_explicit(&media->playouts[slot].listeners, 1,
					  memory_order_relaxed);
	}
	/* A1, pairs with A2 and A7: the worker sees the playout and the start; only control raises
	 * the serial, so the exchange is right whatever the worker does meanwhile. */
	before = atomic_exchange_explicit(&ask->attach, serial << 32 | slot, memory_order_acq_rel);
	if ((uint32_t)before)
		atomic_fetch_sub_explicit(&media->playouts[(uint32_t)before].listeners, 1,
					  memory_order_relaxed);
}

/** Put a leg into its worker's list of legs to be looked at. */
static void
leg_ask_worker(struct stw_media *media, uint32_t leg)
{
	struct worker *worker = &media->workers[leg % media->workers_count];
	struct leg_ask *ask = &media->asks[leg];
	uint32_t first;

	/* A3, pairs with A4: see there. */
	if (atomic_exchange_explicit(&ask->queued, 1, memory_order_acq_rel))
		return;
	first = atomic_load_explicit(&worker->asked, memory_order_relaxed);
	do {
		atomic_store_explicit(&ask->next, first, memory_order_relaxed);
		/* A5, pairs with A6: the link is seen by who takes the list. */
	} while (!atomic_compare_exchange_weak_explicit(
		&worker->asked, &first, leg, memory_order_release, memory_order_relaxed));
	worker_wake(worker);
}

void
playout_detach(struct stw_media *media, uint32_t leg)
{
	if (!(uint32_t)atomic_load_explicit(&media->asks[leg].attach, memory_order_relaxed))
		return;
	leg_attach(media, leg, 0);
	leg_ask_worker(media, leg);
}

int
stw_playout_attach(struct stw_media *media, struct stw_leg handle, struct stw_playout playout,
		   uint64_t now_ns)
{
	uint32_t leg, slot;
	int error = 0;

	plane_lock(media);
	leg = leg_find(media, handle);
	slot = playout.id ? playout_find(media, playout) : 0;
	if (!leg || (playout.id && !slot)) {
		error = -ESTALE;
	} else if (!slot) {
		playout_detach(media, leg);
	} else {
		atomic_store_explicit(&media->asks[leg].start_ns, now_ns, memory_order_relaxed);
		leg_attach(media, leg, slot);
		leg_ask_worker(media, leg);
	}
	plane_unlock(media);
	return error;
}
