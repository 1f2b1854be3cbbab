/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP reports of our own: to parties of legs whose RTCP ends here.
 *
 * Each worker reports for its own legs (slot modulo workers). They lie in a wheel by the time of their
 * next report; a turn looks only at what is due, so nothing ever walks over all legs.
 */
#ifndef STW_MEDIA_REPORT_H
#define STW_MEDIA_REPORT_H

#include <stdbool.h>

#include "media/plane.h"
#include "rtp/rtcp_write.h"

/** Count an RTP packet that is sent to a leg with LEG_RTCP_END. Threads: workers. */
static inline void
report_count(const struct worker *worker, uint32_t leg, uint32_t payload_bytes)
{
	struct leg_reporter *reporter = &worker->media->reporters[leg];

	worker_count(worker, &reporter->packets, 1);
	worker_count(worker, &reporter->octets, payload_bytes);
}

/**
 * True while the leg's worker has still to say goodbye to its party: its slot is not free.
 *
 * Threads: control, under the mutex. Progress: wait-free (bound 1).
 */
bool report_is_leaving(const struct stw_media *media, uint32_t leg);

/** Prepare a new leg that nobody sees yet. Threads: control, under the mutex. */
void report_leg_init(struct stw_media *media, uint32_t leg);

/** A leg was added or changed: report for it, or not. Threads: control, under the mutex. */
void report_leg_follow(struct stw_media *media, uint32_t leg, enum stw_rtcp rtcp);

/** A leg is removed: its worker says goodbye. Threads: control, under the mutex. */
void report_leg_leave(struct stw_media *media, uint32_t leg);

/**
 * Send the reports that are due: at most REPORT_BURST, and as many goodbyes.
 *
 * Threads: the worker. Progress: wait-free (bound: those, and WORKER_REPORT_SLOTS).
 */
void report_turn(struct worker *worker);

/** When a report is due, or control asks the worker to look at a leg: see pipeline_due. */
uint64_t report_due(const struct worker *worker);

/**
 * Fill in a report to a leg's party, and note it as told.
 *
 * @param leaves  true: with a goodbye
 *
 * Threads: the leg's own worker. Progress: wait-free (bound 1).
 */
void report_make(struct worker *worker, uint32_t leg, bool leaves, struct rtp_rtcp_report *report);

/** Note that a sender report was given to a leg's party by a leg; by itself: our own. Threads: workers. */
void report_given(struct worker *worker, uint32_t leg, uint32_t giver, uint32_t last_sr);

/** Verify a worker's wheel between two turns; panics when an invariant is broken. */
void report_check(const struct worker *worker);

#endif
