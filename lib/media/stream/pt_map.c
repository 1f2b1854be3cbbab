/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Payload-type maps.
 *
 * A map's number is given to another map only when no leg has had it since before each worker's last
 * quiescent state; the same map may get its old number at once.
 *
 * Source: RFC 3551 6 (dynamic payload types are each side's own), RFC 5761 4.
 */
#include "pt_map.h"

#include <errno.h>
#include <string.h>

#include "media/plane.h"

bool
pt_map_is_valid(const struct stw_leg_config *config)
{
	if (config->pt_map_count > STW_PT_MAP_MAX)
		return false;
	for (unsigned i = 0; i < config->pt_map_count; i++) {
		const struct stw_pt_pair *pair = &config->pt_map[i];

		if (pair->from > 127 || pair->to > 127 || (pair->to >= 64 && pair->to <= 95))
			return false;
		for (unsigned j = 0; j < i; j++) {
			if (config->pt_map[j].from == pair->from)
				return false;
		}
	}
	return true;
}

static void
map_fill(uint8_t to[128], const struct stw_leg_config *config)
{
	for (unsigned type = 0; type < 128; type++)
		to[type] = (uint8_t)type;
	for (unsigned i = 0; i < config->pt_map_count; i++)
		to[config->pt_map[i].from] = config->pt_map[i].to;
}

int
pt_map_take(struct stw_media *media, const struct stw_leg_config *config, uint8_t *number)
{
	struct pt_maps *maps = media->pt_maps;
	uint32_t unused = 0;
	uint8_t to[128];

	if (config->pt_map_count == 0) {
		*number = 0;
		return 0;
	}
	map_fill(to, config);
	for (uint32_t i = 1; i < PT_MAPS; i++) {
		if (memcmp(maps->to[i], to, sizeof(to)) == 0) {
			maps->legs[i]++;
			*number = (uint8_t)i;
			return 0;
		}
		if (!unused && !maps->legs[i] && plane_passed(media, maps->token[i]))
			unused = i;
	}
	if (!unused)
		return -ENOSPC;
	memcpy(maps->to[unused], to, sizeof(to));
	maps->legs[unused] = 1;
	*number = (uint8_t)unused;
	return 0;
}

void
pt_map_leave(struct stw_media *media, uint8_t number)
{
	if (number && --media->pt_maps->legs[number] == 0)
		media->pt_maps->token[number] = rte_rcu_qsbr_start(media->rcu);
}

bool
pt_changes(union leg_traits from, union leg_traits to)
{
	return to.pt_map || (from.event_pt && to.event_pt && from.event_pt != to.event_pt) ||
	       (from.codec == to.codec && from.audio_pt != to.audio_pt);
}

uint8_t
pt_translate(const struct stw_media *media, union leg_traits from, union leg_traits to,
	     uint8_t payload_type)
{
	uint8_t mapped = to.pt_map ? media->pt_maps->to[to.pt_map][payload_type] : payload_type;

	if (mapped != payload_type)
		return mapped;
	if (from.event_pt && payload_type == from.event_pt)
		return to.event_pt ? to.event_pt : payload_type;
	if (payload_type == from.audio_pt && from.codec == to.codec)
		return to.audio_pt;
	return payload_type;
}
