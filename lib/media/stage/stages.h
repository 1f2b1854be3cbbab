/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stages that a burst passes, in this order; each a file. A stage looks at the packets of
 * worker->packets[0 .. count - 1] whose verdict is pending, fills fields of theirs, and may give
 * verdicts. None allocates memory, locks, logs, or calls the kernel.
 *
 *  stage_parse    Ethernet, VLAN, IPv4 or IPv6, UDP; checksums; the local address
 *  (host_stage    ARP and ICMP, in lib/io)
 *  stage_lookup   UDP port to leg; RTP or RTCP
 *  stage_guard    the leg's source, learning it
 *  stage_unprotect SRTP: authenticated and deciphered
 *  stage_receive  statistics
 *  stage_rtcp     what RTCP tells
 *  stage_quiet    whether a party speaks
 *  stage_digits   telephone events
 *  stage_copy     copies for forks
 *  stage_mix      what legs in a mix received, to their inputs
 *  stage_rtcp_pass  RTCP that goes on is rewritten, other RTCP ends
 *  stage_relay    rewritten, into the send queue of the other leg's port
 *
 * All: Threads: the worker. Progress: wait-free (bound: count, and the forks of a session).
 */
#ifndef STW_MEDIA_STAGES_H
#define STW_MEDIA_STAGES_H

#include "media/worker.h"

void stage_parse(struct worker *worker, struct packet *packets, unsigned count);
void stage_lookup(struct worker *worker, struct packet *packets, unsigned count);
void stage_guard(struct worker *worker, struct packet *packets, unsigned count);
void stage_unprotect(struct worker *worker, struct packet *packets, unsigned count);
void stage_receive(struct worker *worker, struct packet *packets, unsigned count);
void stage_rtcp(struct worker *worker, struct packet *packets, unsigned count);
void stage_quiet(struct worker *worker, struct packet *packets, unsigned count);
void stage_digits(struct worker *worker, struct packet *packets, unsigned count);
void stage_copy(struct worker *worker, struct packet *packets, unsigned count);
void stage_mix(struct worker *worker, struct packet *packets, unsigned count);
void stage_rtcp_pass(struct worker *worker, struct packet *packets, unsigned count);
void stage_relay(struct worker *worker, struct packet *packets, unsigned count);

/**
 * Latch the source of a packet that guard has marked and that is authentic, unless another was latched
 * meanwhile: then it is dropped. Threads: the worker. Progress: wait-free (bound 1).
 */
void guard_latch(struct worker *worker, struct packet *packet);

/** All stages from lookup on. */
void pipeline_run(struct worker *worker, unsigned count);

/**
 * What a worker does once a turn beside packets: frees written copies, looks for keys whose end was
 * lost and for silent legs.
 *
 * Threads: the worker. Progress: wait-free (bound: a burst of copies, one key, SILENCE_LEGS legs).
 */
void pipeline_turn(struct worker *worker);

/**
 * When a worker that has nothing to do has to run its next turn for something that is due, whatever
 * arrives: now_ns or earlier when there is something; UINT64_MAX: nothing is due. Whoever adds work
 * that is due at a time, or that control puts down for a worker (and calls worker_wake), adds it here.
 *
 * Threads: the worker. Progress: wait-free (bound: WORKER_TICKS).
 */
uint64_t pipeline_due(const struct worker *worker);

/** When keys whose end may be lost, and legs that may be silent, are to be looked at next. */
uint64_t digits_due(const struct worker *worker);
uint64_t silence_due(const struct worker *worker);

/** Tell of keys whose end was lost; one a call. */
void digits_turn(struct worker *worker);

/** Look for silent legs, a few a call. */
void silence_turn(struct worker *worker);

/** Level of silence, -dBov, if a leg's description does not say. */
#define QUIET_LEVEL 50

/** Tell of a leg whose party has not spoken for long. Threads: the leg's own worker. */
void quiet_look(struct worker *worker, uint32_t leg);

/** Whether the fields of silence detection are in their ranges. Threads: any. */
bool quiet_is_valid(const struct stw_leg_config *config);

/** Begin, change or end silence detection. Threads: control, under the mutex. */
void quiet_describe(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config,
		    uint64_t now_ns);

/** Free copies that were written. */
void copy_turn(struct worker *worker);

#endif
