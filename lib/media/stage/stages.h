/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stages that a burst passes, in this order; each a file. A stage looks at the packets of
 * worker->packets[0 .. count - 1] whose verdict is pending, fills fields of theirs, and may give
 * verdicts. None allocates memory, locks, logs, or calls the kernel.
 *
 *  stage_parse    Ethernet, VLAN, IPv4, UDP; checksums; the local address
 *  (host_stage    ARP and ICMP, in lib/io)
 *  stage_lookup   UDP port to leg; RTP or RTCP
 *  stage_guard    the leg's source, learning it
 *  stage_receive  statistics
 *  stage_digits   telephone events
 *  stage_copy     copies for forks
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
void stage_receive(struct worker *worker, struct packet *packets, unsigned count);
void stage_digits(struct worker *worker, struct packet *packets, unsigned count);
void stage_copy(struct worker *worker, struct packet *packets, unsigned count);
void stage_relay(struct worker *worker, struct packet *packets, unsigned count);

/** All stages from lookup on. */
void pipeline_run(struct worker *worker, unsigned count);

/**
 * What a worker does once a turn beside packets: frees written copies, looks for keys whose end was
 * lost and for silent legs.
 *
 * Threads: the worker. Progress: wait-free (bound: a burst of copies, one key, SILENCE_LEGS legs).
 */
void pipeline_turn(struct worker *worker);

/** Tell of keys whose end was lost; one a call. */
void digits_turn(struct worker *worker);

/** Look for silent legs, a few a call. */
void silence_turn(struct worker *worker);

/** Free copies that were written. */
void copy_turn(struct worker *worker);

#endif
