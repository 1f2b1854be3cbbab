/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMPv6 on ports that DPDK owns: neighbour discovery and echo.
 */
#ifndef STW_IO_HOST6_H
#define STW_IO_HOST6_H

#include "media/ip6.h"
#include "media/worker.h"

/**
 * Give a verdict to a packet of kind PACKET_ICMP6; an answer is made in its own buffer.
 *
 * Threads: the worker. Progress: wait-free (bound: bytes of the packet, local addresses).
 */
void host6_icmp(struct worker *worker, struct packet *packet);

/**
 * Make the question for a next hop's link address in a buffer. Threads: the worker.
 *
 * @return false when the buffer has no room
 */
bool host6_question_write(const struct stw_media *media, uint32_t address, const struct ip6 *hop,
			  struct rte_mbuf *mbuf);

/** Make the report that the address is listened for; as host6_question_write. */
bool host6_report_write(const struct stw_media *media, uint32_t address, struct rte_mbuf *mbuf);

/** Make the unsolicited advertisement of a local address in a buffer; as host6_question_write. */
bool host6_announcement_write(const struct stw_media *media, uint32_t address,
			      struct rte_mbuf *mbuf);

#endif
