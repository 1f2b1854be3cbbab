/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers, added up from the counters; and taking events.
 */
#include "engine.h"

#include <errno.h>

/* Add counters to numbers. */
void
acd_stats_add(struct stw_queue_stats *stats, const uint64_t n[ACD_COUNTERS])
{
	/* Contacts that ring or were answered. */
	uint64_t given = n[ACD_COUNT_OFFERS] - n[ACD_COUNT_DECLINED] - n[ACD_COUNT_TIMED_OUT] -
			 n[ACD_COUNT_WITHDRAWN] - n[ACD_COUNT_OFFERS_BESIDE];

	stats->offered += n[ACD_COUNT_OFFERED];
	stats->answered += n[ACD_COUNT_ANSWERED];
	stats->answered_in_time += n[ACD_COUNT_ANSWERED_IN_TIME];
	stats->abandoned += n[ACD_COUNT_ABANDONED];
	stats->refused += n[ACD_COUNT_REFUSED];
	stats->deflected += n[ACD_COUNT_DEFLECTED];
	stats->overflowed += n[ACD_COUNT_OVERFLOWED];
	stats->callbacks += n[ACD_COUNT_CALLBACKS];
	stats->ended += n[ACD_COUNT_ENDED];
	stats->offers += n[ACD_COUNT_OFFERS];
	stats->offers_declined += n[ACD_COUNT_DECLINED];
	stats->offers_timed_out += n[ACD_COUNT_TIMED_OUT];
	stats->offers_withdrawn += n[ACD_COUNT_WITHDRAWN];
	stats->wait_ns_answered += n[ACD_COUNT_WAIT_NS];
	stats->talk_ns += n[ACD_COUNT_TALK_NS];
	stats->abandoned_short += n[ACD_COUNT_ABANDONED_SHORT];
	stats->wait_ns_abandoned += n[ACD_COUNT_ABANDONED_WAIT_NS];
	stats->refused_unstaffed += n[ACD_COUNT_REFUSED_UNSTAFFED];
	stats->left_unstaffed += n[ACD_COUNT_LEFT_UNSTAFFED];
	stats->timed_out += n[ACD_COUNT_EXPIRED];
	stats->callbacks_offered += n[ACD_COUNT_CALLBACKS_OFFERED];
	stats->transfers += n[ACD_COUNT_TRANSFERS];
	stats->reaped += n[ACD_COUNT_REAPED];
	stats->resumed += n[ACD_COUNT_RESUMED];
	stats->repeats += n[ACD_COUNT_REPEATS];
	stats->resolution_reported += n[ACD_COUNT_REPORTED];
	stats->resolved += n[ACD_COUNT_RESOLVED];
	stats->ringing += given - n[ACD_COUNT_ANSWERED];
	stats->connected += n[ACD_COUNT_ANSWERED] - n[ACD_COUNT_ENDED];
	/* Came, were let in, did not leave, and are not at an agent for now. Who was sent elsewhere as he
	 * came was offered and has overflowed, too. */
	stats->waiting += n[ACD_COUNT_OFFERED] - n[ACD_COUNT_REFUSED] - n[ACD_COUNT_DEFLECTED] -
			  n[ACD_COUNT_OVERFLOWED] - n[ACD_COUNT_ABANDONED] - n[ACD_COUNT_EXPIRED] -
			  given;
}

static void
row_add(struct stw_acd *acd, uint32_t row, uint64_t wait_ns_max, struct stw_queue_stats *stats)
{
	uint64_t n[ACD_COUNTERS];

	for (uint32_t i = 0; i < ACD_COUNTERS; i++)
		n[i] = counters_read(&acd->counters, row, i);
	acd_stats_add(stats, n);
	if (wait_ns_max > stats->wait_ns_max)
		stats->wait_ns_max = wait_ns_max;
}

/* The numbers of what is under way are read at several instants: never show less than none. */
void
acd_stats_clip(struct stw_queue_stats *stats)
{
	if ((int64_t)stats->waiting < 0)
		stats->waiting = 0;
	if ((int64_t)stats->ringing < 0)
		stats->ringing = 0;
	if ((int64_t)stats->connected < 0)
		stats->connected = 0;
}

/* A queue's numbers since its definition. */
void
acd_queue_stats(struct stw_acd *acd, uint32_t q, struct stw_queue_stats *stats)
{
	*stats = (struct stw_queue_stats){.offered = 0};
	row_add(acd, q, atomic_load_explicit(&acd->queues[q].wait_ns_max, memory_order_relaxed),
		stats);
	acd_stats_clip(stats);
}

int
stw_queue_stats(struct stw_acd *acd, struct stw_queue queue, struct stw_queue_stats *stats)
{
	struct stw_queue_stats sum;
	uint32_t q;
	int error;

	reclaim_enter();
	error = acd_queue_find(acd, queue, &q);
	if (!error)
		acd_queue_stats(acd, q, &sum);
	reclaim_exit();
	if (!error)
		*stats = sum;
	return error;
}

void
stw_acd_stats(struct stw_acd *acd, struct stw_acd_stats *stats)
{
	uint32_t engine = acd->config.queues_max + 1;
	struct stw_acd_stats sum = {.contacts = 0};

	for (uint32_t q = 0; q <= acd->config.queues_max; q++) {
		row_add(acd, q,
			atomic_load_explicit(&acd->queues[q].wait_ns_max, memory_order_relaxed),
			&sum.queues);
		sum.contacts += atomic_load_explicit(&acd->queues[q].known, memory_order_relaxed) &
				~ACD_QUEUE_FLAGS;
	}
	acd_stats_clip(&sum.queues);
	sum.agents_logged_in = counters_read(&acd->counters, engine, ACD_COUNT_LOGGED_IN);
	sum.agents_ready = counters_read(&acd->counters, engine, ACD_COUNT_READY);
	sum.preferred_full = counters_read(&acd->counters, engine, ACD_COUNT_PREFERRED_FULL);
	sum.helps = counters_read(&acd->counters, engine, ACD_COUNT_HELPS);
	sum.events_lost = atomic_load_explicit(&acd->events.lost, memory_order_relaxed);
	*stats = sum;
}

int
stw_events_take(struct stw_acd *acd, struct stw_event *events, uint32_t count)
{
	uint32_t taken = 0;

	if (!count || count > 65536)
		return -EINVAL;
	if (!event_queue_take_begin(&acd->events))
		return -EBUSY;
	while (taken < count) {
		uint64_t lost = 0;
		int what = event_queue_take(&acd->events, &events[taken], &lost);

		if (!what)
			break;
		if (what == 2)
			events[taken] = (struct stw_event){.type = STW_EVENT_LOST, .lost = lost};
		taken++;
	}
	event_queue_take_end(&acd->events);
	return (int)taken;
}
