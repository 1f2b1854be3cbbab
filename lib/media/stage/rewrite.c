/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rewriting between IPv4 and IPv6, with and without tags.
 *
 * The checksum is changed by what changes in what it covers, whichever version of IP that is: pseudo
 * headers of both are sums of the addresses, the protocol and the length. An IPv4 sender may make
 * none; towards IPv6, which needs one, it is made from the payload.
 */
#include "rewrite.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include "media/checksum.h"

#define ECN_MASK 0x03

/** What is taken over from a datagram's headers. */
struct old_headers {
	uint64_t sum; /**< Internet sum of addresses and ports */
	uint16_t checksum;
	uint8_t congestion;
};

static struct old_headers
headers_read(const struct packet *packet)
{
	const uint8_t *frame = rte_pktmbuf_mtod(packet->mbuf, const uint8_t *);
	const uint8_t *ip = frame + packet->ip_offset, *udp = frame + packet->udp_offset;
	struct old_headers old;

	if (packet->source & REMOTE_V6) {
		/* The traffic class lies across the first two bytes. */
		old.congestion = ip[1] >> 4 & ECN_MASK;
		old.sum = checksum_add(0, ip + offsetof(struct rte_ipv6_hdr, src_addr),
				       2 * IP6_BYTES);
	} else {
		old.congestion = ip[1] & ECN_MASK;
		old.sum = checksum_add(0, ip + offsetof(struct rte_ipv4_hdr, src_addr),
				       2 * sizeof(rte_be32_t));
	}
	old.sum = checksum_add(old.sum, udp, 2 * sizeof(rte_be16_t));
	memcpy(&old.checksum, udp + offsetof(struct rte_udp_hdr, dgram_cksum),
	       sizeof(old.checksum));
	return old;
}

/** Move a packet in its buffer, so that there is room in front of it; false when it cannot be. */
static STW_COLD bool
room_make(struct rte_mbuf *mbuf, uint16_t bytes)
{
	uint16_t missing = (uint16_t)(bytes - rte_pktmbuf_headroom(mbuf));
	uint8_t *data = rte_pktmbuf_mtod(mbuf, uint8_t *);

	/* Copies of forks refer to the payload where it is. */
	if (rte_mbuf_refcnt_read(mbuf) != 1 || rte_pktmbuf_tailroom(mbuf) < missing)
		return false;
	memmove(data + missing, data, mbuf->data_len);
	mbuf->data_off = (uint16_t)(mbuf->data_off + missing);
	return true;
}

/** Let the data begin so that the UDP header lies at an offset; false when there is no room. */
static bool
data_begin(struct packet *packet, uint32_t udp_offset)
{
	struct rte_mbuf *mbuf = packet->mbuf;
	uint16_t more = (uint16_t)(udp_offset - packet->udp_offset);

	if (udp_offset <= packet->udp_offset) {
		rte_pktmbuf_adj(mbuf, (uint16_t)(packet->udp_offset - udp_offset));
	} else {
		if (STW_UNLIKELY(rte_pktmbuf_headroom(mbuf) < more) && !room_make(mbuf, more))
			return false;
		rte_pktmbuf_prepend(mbuf, more);
	}
	return true;
}

uint8_t
rewrite_packet(const struct worker *worker, struct packet *packet, const struct envelope *envelope,
	       const struct translate_sums *sums)
{
	const struct plane_port *port = &worker->media->ports[envelope->out];
	uint16_t udp_bytes = (uint16_t)(sizeof(struct rte_udp_hdr) + packet->payload_bytes);
	struct old_headers old = headers_read(packet);
	uint32_t udp_offset = envelope_bytes(envelope);
	struct rte_mbuf *mbuf = packet->mbuf;
	struct rte_udp_hdr *udp;

	if (!data_begin(packet, udp_offset))
		return STW_DROP_NO_BUFFER;
	/* What the receiving device said of its checksums is no longer true. */
	mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
	udp = rte_pktmbuf_mtod_offset(mbuf, struct rte_udp_hdr *, udp_offset);
	envelope_write(envelope, port, (uint8_t *)udp, old.congestion, udp_bytes);
	udp->src_port = envelope->local_port;
	udp->dst_port = envelope->port;
	/* Of all that the checksum covers only this has changed, so it is cheaper to change it than to ask a
	 * device for a new one. */
	if (STW_LIKELY(old.checksum != 0)) {
		uint16_t checksum = checksum_update(old.checksum, old.sum + sums->before,
						    envelope_sum(envelope) + sums->after);

		udp->dgram_cksum = checksum ? checksum : 0xffff;
	} else if (envelope->family == 6) {
		envelope_sign(envelope, port, mbuf, udp_bytes, 0);
	}
	return PACKET_PENDING;
}
