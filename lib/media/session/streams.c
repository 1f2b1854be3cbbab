/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams of a leg. A reception counts over all sources; a stream's numbers are the totals at its end
 * less those at the end of the one before.
 */
#include "streams.h"

#include <errno.h>

#include "media/plane.h"

/** Totals of a leg at some moment. */
struct stream_totals {
	uint64_t packets, expected;
	uint32_t ssrc, duplicates, late, jitter_us;
};

void
stream_end(struct stw_media *media, uint32_t leg)
{
	const struct leg_intake *intake = &media->intakes[leg];
	const struct rtp_reception *reception = &intake->reception;
	struct leg_stream_end *end;

	if (reception->sources == 0)
		return;
	end = &media->streams[leg].ends[(reception->sources - 1) % STW_LEG_STREAMS_MAX];
	atomic_store_explicit(&end->packets, reception->packets, memory_order_relaxed);
	atomic_store_explicit(&end->expected, rtp_reception_expected(reception),
			      memory_order_relaxed);
	atomic_store_explicit(&end->ssrc, reception->ssrc, memory_order_relaxed);
	atomic_store_explicit(&end->duplicates, reception->packets_duplicate, memory_order_relaxed);
	atomic_store_explicit(&end->late,
			      atomic_load_explicit(&intake->packets_late, memory_order_relaxed),
			      memory_order_relaxed);
	atomic_store_explicit(&end->jitter_us, rtp_reception_jitter_us(reception),
			      memory_order_relaxed);
}

static struct stream_totals
totals_at_end(const struct stw_media *media, uint32_t leg, uint32_t stream)
{
	const struct leg_stream_end *end = &media->streams[leg].ends[stream % STW_LEG_STREAMS_MAX];

	return (struct stream_totals){
		.packets = atomic_load_explicit(&end->packets, memory_order_relaxed),
		.expected = atomic_load_explicit(&end->expected, memory_order_relaxed),
		.ssrc = atomic_load_explicit(&end->ssrc, memory_order_relaxed),
		.duplicates = atomic_load_explicit(&end->duplicates, memory_order_relaxed),
		.late = atomic_load_explicit(&end->late, memory_order_relaxed),
		.jitter_us = atomic_load_explicit(&end->jitter_us, memory_order_relaxed),
	};
}

void
stream_totals_before(const struct stw_media *media, uint32_t leg, uint32_t stream,
		     uint64_t *expected, uint64_t *packets)
{
	struct stream_totals totals = totals_at_end(media, leg, stream - 1);

	*expected = totals.expected;
	*packets = totals.packets;
}

static struct stream_totals
totals_now(const struct stw_media *media, uint32_t leg, const struct rtp_reception *reception)
{
	return (struct stream_totals){
		.packets = reception->packets,
		.expected = rtp_reception_expected(reception),
		.ssrc = reception->ssrc,
		.duplicates = reception->packets_duplicate,
		.late = atomic_load_explicit(&media->intakes[leg].packets_late,
					     memory_order_relaxed),
		.jitter_us = rtp_reception_jitter_us(reception),
	};
}

static void
stream_set(struct stw_leg_stream *stream, const struct stream_totals *before,
	   const struct stream_totals *after)
{
	*stream = (struct stw_leg_stream){
		.ssrc = after->ssrc,
		.packets_received = after->packets - before->packets,
		.packets_expected = after->expected - before->expected,
		.packets_duplicate = after->duplicates - before->duplicates,
		.packets_late = after->late - before->late,
		.jitter_us = after->jitter_us,
	};
}

static int
streams_read(struct stw_media *media, uint32_t leg, struct stw_leg_stream *streams, uint32_t count)
{
	struct stream_totals before = {0}, after;
	struct rtp_reception reception;
	uint32_t first = 0, sources;

	leg_reception_read(media, leg, &reception);
	sources = reception.sources;
	if (sources > count)
		first = sources - count;
	if (first)
		before = totals_at_end(media, leg, first - 1);
	for (uint32_t i = first; i < sources; i++) {
		after = i + 1 < sources ? totals_at_end(media, leg, i)
					: totals_now(media, leg, &reception);
		stream_set(&streams[i - first], &before, &after);
		before = after;
	}
	return (int)(sources - first);
}

int
stw_leg_streams(struct stw_media *media, struct stw_leg leg, struct stw_leg_stream *streams,
		uint32_t count)
{
	uint32_t slot;
	int filled = -ESTALE;

	if (count < 1 || count > STW_LEG_STREAMS_MAX)
		return -EINVAL;
	plane_lock(media);
	slot = leg_find(media, leg);
	if (slot)
		filled = streams_read(media, slot, streams, count);
	plane_unlock(media);
	return filled;
}
