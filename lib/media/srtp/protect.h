/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Protecting what is sent to a leg (or anybody) that speaks SRTP, for everybody who sends: relay,
 * playout, mixing, RTCP, forks. The sender makes the whole frame, as if it were plain, and instead of
 * worker_send calls protect_add; before the send queues are handed to the ports, stage_protect enciphers all
 * that was added in one burst, corrects lengths and checksums, and puts it into them.
 *
 * What goes to a leg takes protect_send, which does one or the other.
 *
 * The sequence number that is in the packet when it is protected decides its index, so rewriting comes before.
 * What is wrong with a packet (a sequence number that was sent before, an SSRC too many, a key
 * that is used up) takes back what was counted for its note, as when a device refuses it.
 *
 *  label  where                   order    pairs with  without it
 *  K2     leg's out: read         acquire  K1          (srtp_leg.c) an unfilled context is met
 */
#ifndef STW_MEDIA_PROTECT_H
#define STW_MEDIA_PROTECT_H

#include "media/plane.h"
#include "srtp_job.h"

/**
 * Context of what is sent to a leg; 0: it is plain. It stays good until the worker's turn is over.
 *
 * Threads: the worker. Progress: wait-free (bound 1).
 */
static inline uint32_t
protect_context(const struct worker *worker, uint32_t leg)
{
	const struct srtp *srtp = &worker->media->srtp;

	if (!srtp->max)
		return 0;
	/* K2, pairs with K1: who finds the context finds it filled. */
	return atomic_load_explicit(&srtp->legs[leg].out, memory_order_acquire);
}

/**
 * Have a frame protected and sent.
 *
 * @param context  of protect_context, not 0
 * @param mbuf     taken; of any segments and references: what is not one writable segment with room
 *                 behind it is copied into a buffer of the port's pool, so references stay as they are
 * @param offset   of the UDP payload in the frame, below 256
 * @param bytes    of the UDP payload
 * @param rtcp     it is RTCP
 * @param port     index of the port
 * @param note     as worker_send has it
 *
 * Threads: the worker. Progress: wait-free (bound: a burst of operations when SEND_MAX wait).
 */
void protect_add(struct worker *worker, uint32_t context, struct rte_mbuf *mbuf, uint32_t offset,
		 uint32_t bytes, bool rtcp, uint32_t port, struct send_note note);

/**
 * Send a frame to a leg, protected if its party speaks SRTP.
 *
 * @param features  of the leg's traits
 *
 * The others are as protect_add has them.
 */
static inline void
protect_send(struct worker *worker, uint32_t leg, uint16_t features, struct rte_mbuf *mbuf,
	     uint32_t offset, uint32_t bytes, bool rtcp, uint32_t port, struct send_note note)
{
	uint32_t context = features & LEG_SRTP ? protect_context(worker, leg) : 0;

	if (STW_LIKELY(!context))
		worker_send(worker, port, mbuf, note);
	else
		protect_add(worker, context, mbuf, offset, bytes, rtcp, port, note);
}

/**
 * Protect what was added and put it into the send queues. Called before they are sent.
 *
 * Threads: the worker. Progress: wait-free (bound: SEND_MAX operations).
 */
void protect_run(struct worker *worker);

static inline void
stage_protect(struct worker *worker)
{
	if (worker->srtp && worker->srtp->items_count)
		protect_run(worker);
}

#endif
