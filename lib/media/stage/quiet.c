/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage quiet: whether the party of a leg speaks, by the level of what it sends.
 *
 * Of each audio packet the level is taken; enough that is loud is voice (rtp/level.c), and its time is noted. The
 * sweep that looks for silent legs finds who has not spoken for long, whether it sends quiet packets or none.
 *
 * Told in turns: quiet by the leg's own worker, voice by the one that receives. Each takes the word from the
 * other's value, so neither is told twice.
 *
 *  row's word  writer
 *  voice_ns    the worker that receives; control before
 *  told        both
 *  silent_ns   control
 *
 * All accesses are relaxed: each word stands for itself.
 */
#include <rte_udp.h>

#include "media/plane.h"
#include "rtp/g711.h"
#include "stages.h"

/** Samples of a packet that are listened to. */
#define QUIET_SAMPLES 480

#define SAMPLES_PER_MS 8

static void
quiet_hear(struct worker *worker, const struct packet *packet)
{
	struct stw_media *media = worker->media;
	struct leg_quiet *quiet = &media->quiets[packet->leg];
	union leg_traits traits = {
		atomic_load_explicit(&media->routes[packet->leg].traits, memory_order_relaxed)};
	const uint8_t *payload = rte_pktmbuf_mtod_offset(
		packet->mbuf, const uint8_t *,
		packet->udp_offset + sizeof(struct rte_udp_hdr) + packet->rtp.payload_offset);
	uint32_t count = packet->rtp.payload_bytes;
	int16_t samples[QUIET_SAMPLES] STW_ALIGNED_LINE;
	bool loud;

	if (packet->rtp.payload_type != traits.audio_pt || !count)
		return;
	rtp_g711_decode(traits.codec, payload, count < QUIET_SAMPLES ? count : QUIET_SAMPLES,
			samples);
	loud = rtp_level(samples, count < QUIET_SAMPLES ? count : QUIET_SAMPLES) <
	       atomic_load_explicit(&quiet->level, memory_order_relaxed);
	if (!rtp_voice_hear(&quiet->voice, loud, count / SAMPLES_PER_MS) || !loud)
		return;
	atomic_store_explicit(&quiet->voice_ns, worker->now_ns, memory_order_relaxed);
	if (atomic_load_explicit(&quiet->told, memory_order_relaxed) &&
	    atomic_exchange_explicit(&quiet->told, 0, memory_order_relaxed))
		events_tell_leg(worker, packet->leg,
				&(struct stw_media_event){.type = STW_MEDIA_EVENT_VOICE});
}

void
stage_quiet(struct worker *worker, struct packet *packets, unsigned count)
{
	if (!(worker->burst_features & LEG_QUIET))
		return;
	for (unsigned i = 0; i < count; i++) {
		if (packets[i].verdict == PACKET_PENDING && packets[i].kind == PACKET_RTP &&
		    packets[i].features & LEG_QUIET)
			quiet_hear(worker, &packets[i]);
	}
}

void
quiet_look(struct worker *worker, uint32_t leg)
{
	struct leg_quiet *quiet = &worker->media->quiets[leg];
	uint64_t silent_ns = atomic_load_explicit(&quiet->silent_ns, memory_order_relaxed);
	uint64_t voice_ns = atomic_load_explicit(&quiet->voice_ns, memory_order_relaxed);

	if (!silent_ns || worker->now_ns < voice_ns || worker->now_ns - voice_ns < silent_ns ||
	    atomic_load_explicit(&quiet->told, memory_order_relaxed) ||
	    atomic_exchange_explicit(&quiet->told, 1, memory_order_relaxed))
		return;
	events_tell_leg(worker, leg, &(struct stw_media_event){.type = STW_MEDIA_EVENT_QUIET});
}

bool
quiet_is_valid(const struct stw_leg_config *config)
{
	return config->silent_audio_level < RTP_LEVEL_SILENCE;
}

void
quiet_describe(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config,
	       uint64_t now_ns)
{
	struct leg_quiet *quiet = &media->quiets[leg];
	uint8_t level = config->silent_audio_level ? config->silent_audio_level : QUIET_LEVEL;
	uint64_t before = atomic_load_explicit(&quiet->silent_ns, memory_order_relaxed);

	/* Rows of legs without it are never touched. */
	if (!config->silent_audio_ns && !before)
		return;
	if (!before) {
		memset(&quiet->voice, 0, sizeof(quiet->voice));
		atomic_store_explicit(&quiet->told, 0, memory_order_relaxed);
		atomic_store_explicit(&quiet->voice_ns, now_ns, memory_order_relaxed);
		atomic_fetch_add_explicit(&media->legs_silence, 1, memory_order_relaxed);
	} else if (!config->silent_audio_ns) {
		atomic_fetch_sub_explicit(&media->legs_silence, 1, memory_order_relaxed);
	}
	atomic_store_explicit(&quiet->level, level, memory_order_relaxed);
	atomic_store_explicit(&quiet->silent_ns, config->silent_audio_ns, memory_order_relaxed);
}
