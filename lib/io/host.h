/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a host's kernel would do on ports that DPDK owns: answer ARP, neighbour solicitations and echo for
 * the local addresses, learn link addresses, ask for them, announce its own.
 */
#ifndef STW_IO_HOST_H
#define STW_IO_HOST_H

#include "media/worker.h"

/**
 * Stage host: gives a verdict to every packet that is ARP, ICMP or ICMPv6; between stage_parse and
 * pipeline_run. Answers are made in the packet's own buffer.
 *
 * Threads: the worker. Progress: wait-free (bound: count).
 */
void host_stage(struct worker *worker, struct packet *packets, unsigned count);

/**
 * Announce addresses, and ask for link addresses that are wanted, at most HOST_ASK_BURST, into the send
 * queues.
 *
 * Threads: worker 0 alone. Progress: wait-free (bound: HOST_ASK_BURST, STW_MEDIA_ADDRESSES_MAX).
 */
void host_turn(struct worker *worker);

/**
 * Make the ARP question of a local address in a buffer. The address itself as target makes it an
 * announcement.
 *
 * @param target  address whose link address is asked for
 * @return false when the buffer has no room
 *
 * Threads: the worker. Progress: wait-free (bound 1).
 */
bool host_question_write(const struct stw_media *media, uint32_t address, rte_be32_t target,
			 struct rte_mbuf *mbuf);

/** Most questions of one turn. */
#define HOST_ASK_BURST 32

#endif
