/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options of a leg.
 *
 * Every word stands for itself, as those of a route do; a packet of the very moment of an update may meet
 * old and new ones.
 */
#include "options.h"

#include "media/plane.h"
#include "media/stream/pt_map.h"
#include "session.h"

#define SECOND_NS UINT64_C(1000000000)

#define PACKETS_PER_SECOND_MAX 1000000
#define PACKETS_BURST_MAX      65535

bool
options_are_valid(const struct stw_leg_config *config)
{
	if ((unsigned)config->mode > STW_LEG_INACTIVE || config->rtcp_mux > 1 ||
	    config->packets_per_second_max > PACKETS_PER_SECOND_MAX ||
	    config->packets_burst > PACKETS_BURST_MAX ||
	    (config->packets_burst && !config->packets_per_second_max) ||
	    (unsigned)config->relatch > STW_RELATCH_SILENT ||
	    (config->relatch == STW_RELATCH_SILENT) != (config->relatch_after_ns != 0))
		return false;
	return pt_map_is_valid(config);
}

uint16_t
options_features(const struct stw_leg_config *config)
{
	uint16_t features = 0;

	if (config->rtcp_mux)
		features |= LEG_RTCP_MUX;
	if (config->packets_per_second_max)
		features |= LEG_RATE_CAP;
	if (config->relatch == STW_RELATCH_SILENT)
		features |= LEG_RELATCH;
	if (config->mode == STW_LEG_SEND_ONLY || config->mode == STW_LEG_INACTIVE)
		features |= LEG_NO_SEND;
	if (config->mode == STW_LEG_RECEIVE_ONLY || config->mode == STW_LEG_INACTIVE)
		features |= LEG_NO_RECEIVE;
	return features;
}

static uint64_t
burst_of(const struct stw_leg_config *config)
{
	uint64_t burst = config->packets_burst;

	if (burst == 0)
		burst = config->packets_per_second_max / 10;
	return burst ? burst : 1;
}

void
options_set(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config)
{
	struct leg_options *options = &media->options[leg];
	uint64_t packet_ns = 0;

	if (!config->packets_per_second_max && !config->relatch_after_ns &&
	    !atomic_load_explicit(&options->used, memory_order_relaxed))
		return;
	if (config->packets_per_second_max)
		packet_ns = SECOND_NS / config->packets_per_second_max;
	atomic_store_explicit(&options->packet_ns, packet_ns, memory_order_relaxed);
	atomic_store_explicit(&options->ahead_ns, packet_ns * (burst_of(config) - 1),
			      memory_order_relaxed);
	atomic_store_explicit(&options->relatch_ns, config->relatch_after_ns, memory_order_relaxed);
	atomic_store_explicit(&options->used, 1, memory_order_relaxed);
}

void
options_clear(struct stw_media *media, uint32_t leg)
{
	/* Reading memory that was never written takes none. */
	if (atomic_load_explicit(&media->options[leg].used, memory_order_relaxed))
		memset(&media->options[leg], 0, sizeof(media->options[leg]));
}

void
options_way(struct stw_media *media, uint32_t leg, uint32_t to)
{
	struct leg_route *route = &media->routes[leg];
	union leg_traits from = {atomic_load_explicit(&route->traits, memory_order_relaxed)};
	union leg_traits at = {
		atomic_load_explicit(&media->routes[to].traits, memory_order_relaxed)};

	from.features &= (uint16_t)~LEG_PT_MAP;
	if (to && pt_changes(from, at))
		from.features |= LEG_PT_MAP;
	atomic_store_explicit(&route->traits, from.word, memory_order_relaxed);
}

void
options_ways(struct stw_media *media, uint32_t leg)
{
	const struct session *of = &media->sessions[handle_slot(media->cards[leg].session)];

	options_way(media, leg,
		    atomic_load_explicit(&media->routes[leg].peer, memory_order_relaxed));
	for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
		uint32_t from = of->legs[i];

		if (from &&
		    atomic_load_explicit(&media->routes[from].peer, memory_order_relaxed) == leg)
			options_way(media, from, leg);
	}
}
