/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Joined playouts: a list of others, whose packets are sent one after the other. All under the mutex of
 * control; workers read the list while they play it.
 */
#include "playout.h"

#include <errno.h>
#include <stdlib.h>

#include "media/plane.h"

static bool
config_is_valid(const struct stw_playout_join *config)
{
	return config->struct_size >= sizeof(*config) && config->parts && config->parts_count &&
	       config->parts_count <= STW_PLAYOUT_PARTS_MAX &&
	       (unsigned)config->end <= STW_PLAYOUT_STAYS_LAST;
}

/** Find the parts; the number of all packets in *packets. */
static int
parts_find(const struct stw_media *media, const struct stw_playout_join *config,
	   struct playout_part *parts, uint32_t *packets)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < config->parts_count; i++) {
		uint32_t slot = playout_find(media, config->parts[i]);

		if (!slot)
			return -ESTALE;
		if (media->playouts[slot].parts)
			return -EINVAL;
		parts[i] = (struct playout_part){.playout = slot, .first = (uint32_t)sum};
		sum += media->playouts[slot].packets;
	}
	if (sum > UINT32_MAX)
		return -EINVAL;
	*packets = (uint32_t)sum;
	return 0;
}

/** Put found parts into a slot. */
static int
parts_join(struct stw_media *media, const struct stw_playout_join *config,
	   struct playout_part *parts, uint32_t packets, struct stw_playout *out)
{
	uint32_t slot = playout_slot_take(media);
	struct playout *playout = &media->playouts[slot];

	if (!slot)
		return plane_refuse(media, STW_LIMIT_PLAYOUTS);
	for (uint32_t i = 0; i < config->parts_count; i++)
		atomic_fetch_add_explicit(&media->playouts[parts[i].playout].listeners, 1,
					  memory_order_relaxed);
	playout->parts = parts;
	playout->parts_count = config->parts_count;
	playout->packets = packets;
	playout->loop = config->end != STW_PLAYOUT_ENDS;
	playout->again =
		config->end == STW_PLAYOUT_STAYS_LAST ? parts[config->parts_count - 1].first : 0;
	playout_publish(media, slot, out);
	return 0;
}

static struct playout_part *
parts_make(uint32_t count)
{
	return calloc(count, sizeof(struct playout_part));
}

static void
parts_free(struct playout_part *parts)
{
	free(parts);
}

int
stw_playout_join(struct stw_media *media, const struct stw_playout_join *config,
		 struct stw_playout *playout)
{
	struct playout_part *parts;
	uint32_t packets;
	int error;

	if (!config_is_valid(config))
		return -EINVAL;
	parts = parts_make(config->parts_count);
	if (!parts)
		return -ENOMEM;
	plane_lock(media);
	error = parts_find(media, config, parts, &packets);
	if (error == 0)
		error = parts_join(media, config, parts, packets, playout);
	plane_unlock(media);
	if (error < 0)
		parts_free(parts);
	return error;
}

void
playout_part_all(struct stw_media *media, struct playout *playout)
{
	for (uint32_t i = 0; i < playout->parts_count; i++)
		atomic_fetch_sub_explicit(&media->playouts[playout->parts[i].playout].listeners, 1,
					  memory_order_relaxed);
	parts_free(playout->parts);
	playout->parts = NULL;
}
