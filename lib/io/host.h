/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a host's kernel would do on ports that DPDK owns: answer ARP and ICMP echo for the local
 * addresses, learn link addresses, ask for them.
 */
#ifndef STW_IO_HOST_H
#define STW_IO_HOST_H

#include "media/worker.h"

/**
 * Stage host: gives a verdict to every packet that is ARP or ICMP; between stage_parse and
 * pipeline_run. Answers are made in the packet's own buffer.
 *
 * Threads: the worker. Progress: wait-free (bound: count).
 */
void host_stage(struct worker *worker, struct packet *packets, unsigned count);

/**
 * Ask for link addresses that are wanted, at most HOST_ASK_BURST, into the send queues.
 *
 * Threads: worker 0 alone. Progress: wait-free (bound: HOST_ASK_BURST).
 */
void host_turn(struct worker *worker);

/** Most questions of one turn. */
#define HOST_ASK_BURST 32

#endif
