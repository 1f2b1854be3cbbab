/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Headers of packets of our own. IPv4 without a tag, which nearly all of them are, is written here;
 * anything else goes by envelope.h.
 *
 * Source: RFC 791 (no fragments, so the identification may be 0: RFC 6864 4.1), RFC 768.
 */
#include "datagram.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include "envelope.h"
#include "media/checksum.h"
#include "media/plane.h"
#include "media/rtcp/report.h"
#include "media/srtp/protect.h"
#include "way.h"

struct headers {
	struct rte_ether_hdr ether;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
} __attribute__((packed, aligned(2)));

/** Sum of the payload: as known, or of the buffer's one segment. */
static uint64_t
payload_sum_of(const struct rte_mbuf *mbuf, uint16_t payload_bytes, uint64_t known)
{
	if (known)
		return known;
	STW_DEBUG_ASSERT(mbuf->nb_segs == 1);
	return checksum_add(0, rte_pktmbuf_mtod(mbuf, const uint8_t *), payload_bytes);
}

static inline void
word_put(uint8_t *at, uint32_t word)
{
	memcpy(at, &word, sizeof(word));
}

static void
headers_put(struct rte_mbuf *mbuf, const struct way *way, uint64_t ether_source, uint8_t dscp,
	    uint16_t payload_bytes, uint64_t payload_sum)
{
	uint64_t sum = payload_sum_of(mbuf, payload_bytes, payload_sum);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(mbuf, sizeof(struct headers));
	uint16_t udp_bytes = (uint16_t)(sizeof(struct rte_udp_hdr) + payload_bytes);
	rte_be16_t ip_length =
		rte_cpu_to_be_16((uint16_t)(sizeof(struct rte_ipv4_hdr) + udp_bytes));
	rte_be16_t udp_length = rte_cpu_to_be_16(udp_bytes);
	uint64_t ips = (uint64_t)way->local_ip + way->ip;
	uint16_t checksum;

	/* Words as they lie in memory: none is read back, which would wait for its halves. */
	const uint32_t ip[] = {
		RTE_IPV4_VHL_DEF | (uint32_t)dscp << 10 | (uint32_t)ip_length << 16,
		(uint32_t)rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG) << 16,
		WAY_TTL | IPPROTO_UDP << 8,
	};

	checksum = (uint16_t)~checksum_fold((uint64_t)ip[0] + ip[1] + ip[2] + ips);
	way_ether_write(frame, way->mac, ether_source);
	frame += sizeof(struct rte_ether_hdr);
	word_put(frame, ip[0]);
	word_put(frame + 4, ip[1]);
	word_put(frame + 8, ip[2] | (uint32_t)checksum << 16);
	word_put(frame + 12, way->local_ip);
	word_put(frame + 16, way->ip);
	/* The length counts twice: in the pseudo header and in the header. */
	sum += ips + rte_cpu_to_be_16(IPPROTO_UDP) + way->local_port + way->port + 2u * udp_length;
	checksum = (uint16_t)~checksum_fold(sum);
	checksum = checksum ? checksum : 0xffff;
	word_put(frame + 20, way->local_port | (uint32_t)way->port << 16);
	word_put(frame + 24, udp_length | (uint32_t)checksum << 16);
}

/** Put headers of any kind. */
static __rte_noinline uint8_t
envelope_put(const struct worker *worker, struct rte_mbuf *mbuf, const struct envelope *envelope,
	     uint16_t payload_bytes, uint64_t payload_sum, uint16_t *port)
{
	const struct plane_port *out = &worker->media->ports[envelope->out];
	uint16_t udp_bytes = (uint16_t)(sizeof(struct rte_udp_hdr) + payload_bytes);
	uint32_t before = envelope_bytes(envelope);
	struct rte_udp_hdr *udp;

	rte_pktmbuf_prepend(mbuf, (uint16_t)(before + sizeof(*udp)));
	udp = rte_pktmbuf_mtod_offset(mbuf, struct rte_udp_hdr *, before);
	*udp = (struct rte_udp_hdr){
		.src_port = envelope->local_port,
		.dst_port = envelope->port,
		.dgram_len = rte_cpu_to_be_16(udp_bytes),
	};
	envelope_write(envelope, out, (uint8_t *)udp, 0, udp_bytes);
	envelope_sign(envelope, out, mbuf, udp_bytes, payload_sum);
	*port = envelope->out;
	return PACKET_PENDING;
}

uint8_t
datagram_to_leg(struct worker *worker, uint32_t leg, bool rtcp, struct rte_mbuf *mbuf,
		uint16_t payload_bytes, uint64_t payload_sum, uint16_t *port)
{
	const struct stw_media *media = worker->media;
	const struct leg_route *to = &media->routes[leg];
	union leg_traits traits = {atomic_load_explicit(&to->traits, memory_order_relaxed)};
	struct envelope envelope;
	struct way way;
	uint8_t verdict;

	if (!rtcp && traits.features & LEG_NO_SEND)
		return STW_DROP_DIRECTION;
	if (STW_UNLIKELY(traits.features & LEG_FRAMES_OTHER)) {
		verdict = envelope_to_leg(worker, leg, rtcp, &envelope);
		return verdict != PACKET_PENDING ? verdict
						 : envelope_put(worker, mbuf, &envelope,
								payload_bytes, payload_sum, port);
	}
	verdict = way_find(worker, to, rtcp, &way);
	if (verdict != PACKET_PENDING)
		return verdict;
	*port = media->addresses[to->address].port;
	headers_put(mbuf, &way, media->ports[*port].ether_source, traits.dscp, payload_bytes,
		    payload_sum);
	return PACKET_PENDING;
}

uint8_t
datagram_send(struct worker *worker, uint32_t leg, bool rtcp, struct rte_mbuf *mbuf,
	      uint64_t payload_sum, struct send_note note)
{
	union leg_traits traits = {
		atomic_load_explicit(&worker->media->routes[leg].traits, memory_order_relaxed)};
	uint16_t payload_bytes = (uint16_t)mbuf->pkt_len, port;
	uint8_t verdict =
		datagram_to_leg(worker, leg, rtcp, mbuf, payload_bytes, payload_sum, &port);

	if (verdict != PACKET_PENDING) {
		rte_pktmbuf_free(mbuf);
		return verdict;
	}
	if (STW_UNLIKELY(traits.features & LEG_RTCP_END) && !rtcp)
		report_count(worker, leg, payload_bytes - STW_RTP_HEADER_BYTES);
	protect_send(worker, leg, traits.features, mbuf, mbuf->pkt_len - payload_bytes,
		     payload_bytes, rtcp, port, note);
	return PACKET_PENDING;
}

uint8_t
datagram_to(struct worker *worker, uint32_t address, const struct datagram_target *target,
	    struct rte_mbuf *mbuf, uint16_t payload_bytes, uint64_t payload_sum, uint16_t *port)
{
	struct envelope envelope;
	uint8_t verdict = envelope_to(worker, address, target, &envelope);

	return verdict != PACKET_PENDING
		       ? verdict
		       : envelope_put(worker, mbuf, &envelope, payload_bytes, payload_sum, port);
}
