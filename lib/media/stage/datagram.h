/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets of our own: headers in front of a payload, for playout, mixing, RTCP, forks to UDP.
 *
 * The buffer's data is what UDP carries; further segments may follow by reference. Ethernet, IP and UDP
 * are put in front of it. The caller keeps the buffer when there is no way, and sends it by worker_send
 * when there is.
 */
#ifndef STW_MEDIA_DATAGRAM_H
#define STW_MEDIA_DATAGRAM_H

#include "media/worker.h"

/** Headroom that a buffer needs. */
#define DATAGRAM_HEADER_BYTES_MAX 72

/** Where a datagram goes that is not a leg's, and from which port. */
struct datagram_target {
	struct stw_ip ip;      /**< of the family of the local address; family 0: nowhere */
	rte_be16_t port;       /**< 0: nowhere */
	rte_be16_t local_port; /**< source port of the local address */
	uint8_t dscp;          /**< differentiated services code point, 0 to 63 */
};

/**
 * Put headers in front of a payload for a leg's party, from the leg's local port.
 *
 * @param rtcp           to and from the port of RTCP
 * @param mbuf           borrowed; has DATAGRAM_HEADER_BYTES_MAX of headroom; untouched without a way
 * @param payload_bytes  of all segments
 * @param payload_sum    Internet sum of the payload, or 0: it is computed, of one segment
 * @param port           set on success only: index of the port to send it to
 * @return PACKET_PENDING when it can be sent
 * @return STW_DROP_DIRECTION    the leg's party is not sent any RTP (its mode)
 * @return STW_DROP_NO_REMOTE    the leg's party is not known yet
 * @return STW_DROP_NO_NEXT_HOP  the next hop's link address is not known yet; it is asked for
 *
 * Threads: the worker. Progress: wait-free (bound: payload_bytes).
 */
uint8_t datagram_to_leg(struct worker *worker, uint32_t leg, bool rtcp, struct rte_mbuf *mbuf,
			uint16_t payload_bytes, uint64_t payload_sum, uint16_t *port);

/**
 * The same, and send it: protected where the party speaks SRTP, counted where we report about it.
 *
 * @param mbuf  taken, freed when it cannot be sent; its packet length is the payload's
 * @param note  as worker_send has it
 * @return as datagram_to_leg
 *
 * Threads: the worker. Progress: wait-free (bound: payload's bytes).
 */
uint8_t datagram_send(struct worker *worker, uint32_t leg, bool rtcp, struct rte_mbuf *mbuf,
		      uint64_t payload_sum, struct send_note note);

/**
 * The same as datagram_to_leg for any endpoint, from a local address.
 *
 * @param address  index of the local address
 */
uint8_t datagram_to(struct worker *worker, uint32_t address, const struct datagram_target *target,
		    struct rte_mbuf *mbuf, uint16_t payload_bytes, uint64_t payload_sum,
		    uint16_t *port);

#endif
