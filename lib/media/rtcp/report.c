/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When reports are sent, and the goodbye.
 *
 * A leg is in the wheel while its reporter's state is LEG_REPORTS; control changes the state and puts
 * the leg into a list that the worker empties. A removed leg's slot, and with it the way to its party,
 * stays as it is until its worker has said goodbye.
 *
 * A worker looks at a slot of the wheel when its time is over, so a report is late by up to 8 ms. After a
 * stall of several seconds what is due is sent in bursts, and legs due a little later may be among it.
 *
 *  label  where                        order    pairs with  without it
 *  R1     queued: set                  acq_rel  R2          a leg is looked at before its state is set
 *  R2     queued: cleared              acq_rel  R1          same: one of both sees the other's
 *  R3     reports_asked: pushed        release  R4          a list's link is read before it is set
 *  R4     reports_asked: taken         acquire  R3          same, seen from the worker
 *  R5     state: goodbye was said      release  R6          a slot is filled anew while it is read
 *  R6     state: read by control       acquire  R5          same, seen from control
 *
 * Source: RFC 3550 6.2, 6.3 for two members, 6.3.7 (goodbye).
 */
#include "report.h"

#include <string.h>

#include "media/memory.h"
#include "media/stage/datagram.h"
#include "media/stream/egress.h"
#include "rtp/rtcp_time.h"

/** Nanoseconds of a slot of the wheel. */
#define REPORT_TICK_NS UINT64_C(8000000)

/** Reports sent in one turn, and legs looked at that were changed. */
#define REPORT_BURST 16

static_assert(WORKER_REPORT_SLOTS * REPORT_TICK_NS > 2 * RTP_RTCP_INTERVAL_NS * 3 / 2,
	      "the longest interval is less than half of the wheel");
static_assert(RTP_RTCP_WRITTEN_MAX <= 256, "fits a buffer of play_pool");

static uint64_t
interval_draw(struct worker *worker, const struct leg_reporter *reporter)
{
	uint64_t *random = &worker->reports.random;

	/* Source: Knuth, The Art of Computer Programming 2, 3.3.4 (MMIX). */
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return rtp_rtcp_interval_ns((uint32_t)(*random >> 32), !reporter->begun);
}

static void
wheel_unlink(struct worker *worker, uint32_t leg)
{
	struct leg_reporter *reporters = worker->media->reporters, *reporter = &reporters[leg];

	if (!reporter->tick)
		return;
	if (reporter->previous)
		reporters[reporter->previous].next = reporter->next;
	else
		worker->reports.first[reporter->tick - 1] = reporter->next;
	if (reporter->next)
		reporters[reporter->next].previous = reporter->previous;
	reporter->tick = 0;
	worker->reports.legs--;
}

/** Put a leg where its next report will be due. */
static void
wheel_link(struct worker *worker, uint32_t leg)
{
	struct leg_reporter *reporters = worker->media->reporters, *reporter = &reporters[leg];
	uint32_t slot;

	reporter->due_ns = worker->now_ns + interval_draw(worker, reporter);
	slot = reporter->due_ns / REPORT_TICK_NS % WORKER_REPORT_SLOTS;
	reporter->previous = 0;
	reporter->next = worker->reports.first[slot];
	if (reporter->next)
		reporters[reporter->next].previous = leg;
	worker->reports.first[slot] = leg;
	reporter->tick = (uint16_t)(slot + 1);
	worker->reports.legs++;
}

/** Send a report; false when the party is not known or cannot be reached. */
static bool
report_send(struct worker *worker, uint32_t leg, bool leaves)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->play_pool);
	struct leg_report *row = &worker->media->reports[leg];
	struct rtp_rtcp_report report;
	uint8_t verdict;

	if (!mbuf) {
		worker->counters.report_dropped++;
		return false;
	}
	report_make(worker, leg, leaves, &report);
	mbuf->data_len = (uint16_t)rtp_rtcp_write(rte_pktmbuf_mtod(mbuf, uint8_t *), &report);
	mbuf->pkt_len = mbuf->data_len;
	verdict = datagram_send(worker, leg, true, mbuf, 0,
				(struct send_note){.leg = leg, .kind = SEND_REPORTED});
	if (verdict != PACKET_PENDING) {
		/* A party that is not known yet misses nothing. */
		if (verdict != STW_DROP_NO_REMOTE)
			worker->counters.report_dropped++;
		return false;
	}
	worker->counters.reported++;
	atomic_fetch_add_explicit(&row->sent, 1, memory_order_relaxed);
	if (report.is_sender)
		report_given(worker, leg, leg, rtp_ntp_middle(report.sender.ntp));
	return true;
}

/** A leg whose report is due. */
static void
report_leg(struct worker *worker, uint32_t leg)
{
	struct leg_reporter *reporter = &worker->media->reporters[leg];

	if (atomic_load_explicit(&reporter->state, memory_order_relaxed) != LEG_REPORTS)
		return;
	if (report_send(worker, leg, false))
		reporter->begun = 1;
	wheel_link(worker, leg);
}

/** Say goodbye, if we have said anything before, and let the slot go. */
static void
report_leave(struct worker *worker, uint32_t leg)
{
	struct leg_reporter *reporter = &worker->media->reporters[leg];

	wheel_unlink(worker, leg);
	if (reporter->begun || atomic_load_explicit(&reporter->packets, memory_order_relaxed))
		report_send(worker, leg, true);
	/* R5, pairs with R6: who fills the slot anew knows that we do not read it any more. */
	atomic_store_explicit(&reporter->state, LEG_REPORTS_NOT, memory_order_release);
}

/** Look at legs whose state has changed. */
static void
asks_follow(struct worker *worker)
{
	struct leg_reporter *reporters = worker->media->reporters;

	if (!worker->reports.asks) {
		if (!atomic_load_explicit(&worker->reports_asked, memory_order_relaxed))
			return;
		/* R4, pairs with R3: the links of the list are seen. */
		worker->reports.asks =
			atomic_exchange_explicit(&worker->reports_asked, 0, memory_order_acquire);
	}
	for (unsigned i = 0; i < REPORT_BURST && worker->reports.asks; i++) {
		uint32_t leg = worker->reports.asks, state;

		worker->reports.asks =
			atomic_load_explicit(&reporters[leg].asked, memory_order_relaxed);
		/* R2, pairs with R1: a state set before we clear is read below; one set after
		 * finds the leg out of the list and puts it in again. */
		atomic_exchange_explicit(&reporters[leg].queued, 0, memory_order_acq_rel);
		state = atomic_load_explicit(&reporters[leg].state, memory_order_relaxed);
		if (state == LEG_REPORTS_LEAVE)
			report_leave(worker, leg);
		else if (state == LEG_REPORTS_NOT)
			wheel_unlink(worker, leg);
		else if (!reporters[leg].tick)
			wheel_link(worker, leg);
	}
}

void
report_turn(struct worker *worker)
{
	struct report_wheel *wheel = &worker->reports;
	uint64_t now_tick = worker->now_ns / REPORT_TICK_NS;
	unsigned looked = 0;

	asks_follow(worker);
	if (wheel->legs == 0) {
		wheel->tick = now_tick;
		return;
	}
	if (wheel->tick + WORKER_REPORT_SLOTS < now_tick)
		wheel->tick = now_tick - WORKER_REPORT_SLOTS;
	while (wheel->tick < now_tick) {
		uint32_t leg;

		while ((leg = wheel->first[wheel->tick % WORKER_REPORT_SLOTS]) != 0) {
			if (looked++ == REPORT_BURST)
				return;
			wheel_unlink(worker, leg);
			report_leg(worker, leg);
		}
		wheel->tick++;
	}
}

uint64_t
report_due(const struct worker *worker)
{
	const struct report_wheel *wheel = &worker->reports;

	if (wheel->asks || atomic_load_explicit(&worker->reports_asked, memory_order_relaxed))
		return worker->now_ns;
	if (wheel->legs == 0)
		return UINT64_MAX;
	for (uint64_t tick = wheel->tick; tick < wheel->tick + WORKER_REPORT_SLOTS; tick++) {
		/* A slot is looked at when its time is over. */
		if (wheel->first[tick % WORKER_REPORT_SLOTS])
			return (tick + 1) * REPORT_TICK_NS;
	}
	return worker->now_ns;
}

bool
report_is_leaving(const struct stw_media *media, uint32_t leg)
{
	/* R6, pairs with R5: the worker has done with the slot. */
	return atomic_load_explicit(&media->reporters[leg].state, memory_order_acquire) ==
	       LEG_REPORTS_LEAVE;
}

void
report_leg_init(struct stw_media *media, uint32_t leg)
{
	struct leg_reporter *reporter = &media->reporters[leg];

	memory_clear(&media->reports[leg], sizeof(media->reports[leg]));
	if (!atomic_load_explicit(&reporter->name[0], memory_order_relaxed))
		return;
	memset(reporter, 0, sizeof(*reporter));
}

/** Set the state, and put the leg into its worker's list of legs to be looked at. */
static void
state_set(struct stw_media *media, uint32_t leg, enum leg_reporting state)
{
	struct worker *worker = &media->workers[leg % media->workers_count];
	struct leg_reporter *reporter = &media->reporters[leg];
	uint32_t first;

	atomic_store_explicit(&reporter->state, state, memory_order_relaxed);
	/* R1, pairs with R2: see there. */
	if (atomic_exchange_explicit(&reporter->queued, 1, memory_order_acq_rel))
		return;
	first = atomic_load_explicit(&worker->reports_asked, memory_order_relaxed);
	do {
		atomic_store_explicit(&reporter->asked, first, memory_order_relaxed);
		/* R3, pairs with R4: the link is seen by who takes the list. */
	} while (!atomic_compare_exchange_weak_explicit(
		&worker->reports_asked, &first, leg, memory_order_release, memory_order_relaxed));
	worker_wake(worker);
}

void
report_leg_follow(struct stw_media *media, uint32_t leg, enum stw_rtcp rtcp)
{
	struct leg_reporter *reporter = &media->reporters[leg];
	enum leg_reporting wanted = rtcp == STW_RTCP_END ? LEG_REPORTS : LEG_REPORTS_NOT;

	if (atomic_load_explicit(&reporter->state, memory_order_relaxed) == wanted)
		return;
	/* Not 0, so that report_leg_init sees that the row was used. */
	if (!atomic_load_explicit(&reporter->name[0], memory_order_relaxed)) {
		atomic_store_explicit(&reporter->name[0], plane_random(media) | 1,
				      memory_order_relaxed);
		for (unsigned i = 1; i < STW_ARRAY_COUNT(reporter->name); i++)
			atomic_store_explicit(&reporter->name[i], plane_random(media),
					      memory_order_relaxed);
	}
	state_set(media, leg, wanted);
}

void
report_leg_leave(struct stw_media *media, uint32_t leg)
{
	/* A leg that once had reports may still be in the list or in the wheel. */
	if (atomic_load_explicit(&media->reporters[leg].name[0], memory_order_relaxed))
		state_set(media, leg, LEG_REPORTS_LEAVE);
}

void
report_check(const struct worker *worker)
{
	const struct leg_reporter *reporters = worker->media->reporters;
	uint32_t legs = 0;

	for (uint32_t slot = 0; slot < WORKER_REPORT_SLOTS; slot++) {
		uint32_t previous = 0;

		for (uint32_t leg = worker->reports.first[slot]; leg; leg = reporters[leg].next) {
			STW_ASSERT(reporters[leg].previous == previous);
			STW_ASSERT(reporters[leg].tick == slot + 1);
			STW_ASSERT(leg % worker->media->workers_count == worker->index);
			previous = leg;
			legs++;
			STW_ASSERT(legs <= worker->reports.legs);
		}
	}
	STW_ASSERT(legs == worker->reports.legs);
}
